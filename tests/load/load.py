"""Fills a database with clients, people and requests by COPY: by default
100,000 tenants, 300,000 accounts and 1,000,000 past requests, in a minute or
two.  What is made is the same each time.

    load.py CONNINFO [--tenants N] [--accounts N] [--past N] [--open N]

The connection is a superuser's: triggers and foreign keys are not asked
(session_replication_role), and the indexes of the large tables are made after
the rows.  Keys are of the right form and open nothing."""

import argparse
import hashlib
import io
import itertools
import sys
import time
from dataclasses import dataclass

import psycopg2

FIRST = ["Northern", "Blue", "Quantum", "Meridian", "Pro", "Vale", "Cedar",
         "Harbor", "Alta", "Great", "Summit", "Iron", "Sun", "Clear", "River",
         "Metro", "Prime", "Coastal", "Granite", "Polar"]
LAST = ["Telecom", "Networks", "Voice", "Fiber", "Wireless", "Systems", "Line",
        "Connect", "Mobile", "Works", "Link", "Cable", "Broadband", "Data"]
PEOPLE = ["Maya Dorsey", "Ken Watanabe", "Zofia Król", "Ali Reza", "Ana Sousa",
          "Omar Reyes", "Layla Haddad", "Jon Bell", "Priya Raman"]
STATES = ["approved", "rejected", "shared", "withdrawn"]
TABLES = ["account", "person", "tenant", "tenant_domain", "membership",
          "subscription", "subscription_key", "request", "request_name"]


@dataclass
class World:
    tenants: int = 100_000
    accounts: int = 300_000
    past: int = 1_000_000
    open: int = 60_000
    products: tuple = ()

    def name(self, n):
        return f"{FIRST[n % 20]} {LAST[n * 7 % 14]} {n}"

    # Two thirds of the accounts are members, the others ask for the first time.
    def member(self, n):
        return n % (self.accounts * 2 // 3)

    def stranger(self, n):
        first = self.accounts * 2 // 3
        return first + n % (self.accounts - first)


def key(kind, n):
    """An id like those of the portal: it grows with n."""
    return f"01900000-{kind:04x}-7000-8000-{n:012x}"


ACCOUNT, TENANT, SUBSCRIPTION, SLOT, PAST, OPEN = range(1, 7)


def accounts(w):
    for n in range(w.accounts):
        yield key(ACCOUNT, n), "contact", "*"


def people(w):
    for n in range(w.accounts):
        mail = f"person{n}@client{n % w.tenants}.example"
        yield (key(ACCOUNT, n), mail, mail, mail.partition("@")[2],
               PEOPLE[n % 9], w.name(n % w.tenants))


def tenants(w):
    for n in range(w.tenants):
        name = w.name(n)
        yield (key(TENANT, n), f"T{n:06d}", name, fold(name),
               f"client-{n}")


def fold(name):
    return name.lower().replace(" ", "")


def domains(w):
    for n in range(0, w.tenants, 2):
        yield key(TENANT, n), f"client{n}.example"


def memberships(w):
    for n in range(w.accounts * 2 // 3):
        yield (key(ACCOUNT, n), key(TENANT, n % w.tenants),
               "owner" if n < w.tenants else "member", "first")


def subscriptions(w):
    for n in range(0, w.tenants, 3):
        yield (key(SUBSCRIPTION, n), key(TENANT, n), w.products[0], "t",
               f"{w.name(n)}-KEY")


def keys(w):
    for n in range(0, w.tenants, 3):
        for number, slot in enumerate(("primary", "secondary")):
            mac = hashlib.sha256(f"{n}{slot}".encode()).hexdigest()
            yield (key(SLOT, 2 * n + number), key(SUBSCRIPTION, n), slot,
                   r"\\x00", rf"\\x{mac}", rf"\\x{mac[:16]}", 1, mac[-4:])


def stamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(seconds))


def past(w, now):
    """The newest an hour ago, the oldest three years."""
    step = 3 * 365 * 86400 / w.past
    for n in range(w.past):
        who = w.member(n * 7919)
        tenant = who % w.tenants
        sent = now - 3600 - (w.past - n) * step
        name = w.name(tenant)
        yield (key(PAST, n), key(ACCOUNT, who), w.products[n % 5 == 0],
               key(TENANT, tenant), f"{name}-KEY", fold(name), STATES[n % 4],
               stamp(sent), stamp(sent + 172800), stamp(sent + 36000),
               "Not ours" if n % 4 == 1 else "")


def waiting(w, now):
    """Of strangers, half of whom name a client that there is; each has one."""
    count = min(w.open, w.accounts // 3)
    for n in range(count):
        who = w.stranger(n)
        name = w.name(who % w.tenants) + ("" if n % 2 else " New")
        sent = now - 86400 + n * 80000 / count
        yield (key(OPEN, n), key(ACCOUNT, who), w.products[n % 5 == 0], r"\N",
               f"{name}-KEY", fold(name), "submitted", stamp(sent),
               stamp(sent + 86400 + n % 97 * 900), r"\N", "")


class Lines(io.RawIOBase):
    """Rows as COPY reads them, made while it does."""

    def __init__(self, rows):
        self.rows = iter(rows)
        self.rest = b""

    def readable(self):
        return True

    def read(self, size=-1):
        while len(self.rest) < size:
            some = list(itertools.islice(self.rows, 2000))
            if not some:
                break
            self.rest += "".join(
                "\t".join(map(str, row)) + "\n" for row in some).encode()
        block, self.rest = self.rest[:size], self.rest[size:]
        return block


def copy(cursor, table, columns, rows):
    cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", Lines(rows),
                       1 << 20)


def load(connection, world):
    """Into a migrated database with the demo catalogue."""
    connection.autocommit = False
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute("INSERT INTO product (id, slug, name) VALUES "
                       "(gen_random_uuid(), 'load-second', 'Second') "
                       "ON CONFLICT DO NOTHING")
        cursor.execute("SELECT id FROM product ORDER BY slug = 'load-second', "
                       "place, id")
        found = [row[0] for row in cursor.fetchall()]
        world.products = (found[0], found[-1])
        cursor.execute("""
            SELECT i.indexname, i.indexdef FROM pg_indexes i
            WHERE i.schemaname = 'public' AND i.tablename = ANY(%s)
            AND NOT EXISTS (SELECT FROM pg_constraint c
                WHERE c.conname = i.indexname)""", (TABLES,))
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX public.{name}")
        copy(cursor, "account", "id, kind, password_hash", accounts(world))
        copy(cursor, "person", "account_id, email, email_folded, email_domain,"
             " name, client", people(world))
        copy(cursor, "tenant", "id, code, name, name_folded, slug",
             tenants(world))
        copy(cursor, "tenant_domain", "tenant_id, domain", domains(world))
        copy(cursor, "membership", "account_id, tenant_id, role, let_in_by",
             memberships(world))
        copy(cursor, "subscription", "id, tenant_id, product_id, one_key, "
             "name", subscriptions(world))
        copy(cursor, "subscription_key", "id, subscription_id, slot, sealed, "
             "mac, prefix_mac, mac_version, last4", keys(world))
        columns = ("id, account_id, product_id, tenant_id, name, "
                   "client_folded, state, submitted_at, due_at, decided_at, "
                   "reason")
        copy(cursor, "request", columns, past(world, now))
        copy(cursor, "request", columns, waiting(world, now))
        cursor.execute("INSERT INTO request_name SELECT DISTINCT lower(name) "
                       'COLLATE "C" FROM request')
        for _, definition in indexes:
            cursor.execute(definition)
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("conninfo")
    for field in ("tenants", "accounts", "past", "open"):
        parser.add_argument(f"--{field}", type=int,
                            default=getattr(World, field))
    args = parser.parse_args()
    started = time.monotonic()
    connection = psycopg2.connect(args.conninfo)
    load(connection, World(args.tenants, args.accounts, args.past, args.open))
    connection.close()
    print(f"loaded in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
