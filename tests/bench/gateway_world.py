"""Fills a database with keys that work: clients with five products each, two
keys a product, and an API user that may call them all.  Key number N is
"%032x", and all API users have one password."""

import base64
import random
import subprocess

from lib.base import clean_env
from load.load import Lines

PRODUCTS = 5
KEYS_EACH = 2 * PRODUCTS		# of a client
PASSWORD = "a-password-of-32-characters-here"


def number(kind, n):
    """As UUIDv7 are: they ascend, and their ends look random, by which the
    gateway's tables tell them apart.  gateway_macs.c makes the same."""
    end = (n + 1) * 0x9e3779b97f4a7c15 & (1 << 64) - 1
    time = (0x0190 << 32) + n
    return (f"{time >> 16:08x}-{time & 0xffff:04x}-7{kind}0-"
            f"8{end >> 52:03x}-{end & (1 << 48) - 1:012x}")


def copy(cursor, table, columns, rows):
    cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", Lines(rows),
                       1 << 20)


def fill(server, keys):
    """About a minute for a million keys."""
    clients = keys // KEYS_EACH
    macs = iter(subprocess.run(
        [server.build / "tests/bench/gateway_macs", str(keys), str(clients)],
        env=clean_env(**server.settings), check=True, text=True,
        stdout=subprocess.PIPE).stdout.split())
    connection = server.cluster.connect(server.database)
    connection.autocommit = False
    every = range(clients)
    with connection.cursor() as c:
        c.execute("SET session_replication_role = replica")
        c.execute("SET synchronous_commit = off")
        c.execute("INSERT INTO account (id, kind, password_hash) VALUES (%s, "
                  "'contact', '*')", (number("ac", 0),))
        for p in range(PRODUCTS):
            c.execute("INSERT INTO product (id, slug, name, "
                      "one_key_per_tenant, calls_a_minute, "
                      "user_calls_a_minute) VALUES (%s, %s, %s, false, "
                      "100000000, 100000000)",
                      (number("cc", p), f"bench-{p}", f"Bench {p}"))
            c.execute("INSERT INTO product_resource (id, product_id, place, "
                      "name, path, operations) VALUES (%s, %s, 1, 'Things', "
                      "%s, '{GET,POST}')",
                      (number("dd", p), number("cc", p), f"/p{p}/things"))
        copy(c, "tenant", "id, code, name, name_folded, slug", (
            (number("ee", n), f"B{n:06d}", f"Bench {n}", f"bench{n}",
             f"bench-{n}") for n in every))
        copy(c, "subscription", "id, tenant_id, product_id, one_key, name", (
            (number("ab", n * PRODUCTS + p), number("ee", n),
             number("cc", p), "f", "Bench-KEY")
            for n in every for p in range(PRODUCTS)))
        copy(c, "subscription_key", "id, subscription_id, slot, sealed, mac, "
             "prefix_mac, mac_version, last4", (
                 (number("ba", k), number("ab", k // 2),
                  ("primary", "secondary")[k % 2], r"\\x00",
                  rf"\\x{next(macs)}", rf"\\x{k:016x}", 1, f"{k % 65536:04x}")
                 for k in range(keys)))
        copy(c, "api_role", "id, tenant_id, name, name_folded", (
            (number("fa", n), number("ee", n), "Bench", "bench")
            for n in every))
        copy(c, "api_role_grant", "role_id, tenant_id, resource_id, operation",
             ((number("fa", n), number("ee", n), number("dd", p), "GET")
              for n in every for p in range(PRODUCTS)))
        copy(c, "api_user", "id, tenant_id, username, vendor, vendor_folded, "
             "integration, created_by", (
                 (number("aa", n), number("ee", n), "SYNC", "V", "v", "Sync",
                  number("ac", 0)) for n in every))
        copy(c, "api_user_role", "api_user_id, role_id, tenant_id", (
            (number("aa", n), number("fa", n), number("ee", n))
            for n in every))
        copy(c, "api_user_password", "id, api_user_id, mac, mac_version, "
             "created_by", (
                 (number("bb", n), number("aa", n), rf"\\x{next(macs)}", 1,
                  number("ac", 0)) for n in every))
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as c:
        c.execute("VACUUM ANALYZE")
    connection.close()


def call(key):
    """URI, key and Basic credentials of a call that is allowed."""
    client, product = key // KEYS_EACH, key % KEYS_EACH // 2
    user = f"SYNC@B{client:06d}:{PASSWORD}".encode()
    return (f"/p{product}/things/7", f"{key:032x}",
            base64.b64encode(user).decode())


def write_calls(path, numbers):
    with open(path, "w", encoding="ascii") as file:
        for key in numbers:
            file.write(" ".join(call(key)) + "\n")


def zipf(keys, count, exponent):
    """Numbers of keys: the one of rank R is drawn R^-exponent as often as the
    first.  Ranks are spread over the clients."""
    weights, total = [], 0.0
    for rank in range(1, keys + 1):
        total += rank ** -exponent
        weights.append(total)
    drawn = random.Random(1).choices(range(keys), cum_weights=weights, k=count)
    return [rank * 7919 % keys for rank in drawn]
