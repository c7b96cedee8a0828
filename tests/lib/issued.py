"""Issued keys as the database has them, made without the portal's pages: for
tests of what becomes of them, by the thousand or with any text."""

import secrets
import subprocess
import zlib

from .base import clean_env

CUSTOMERS, SERVICES = "/api/v2/customers", "/api/v2/services"
RESOURCES = {CUSTOMERS: ["GET", "POST"], SERVICES: ["GET", "POST"]}
SCOPES = {"read:customer": [(CUSTOMERS, "GET")],
          "write:customer": [(CUSTOMERS, "POST")],
          "read:service": [(SERVICES, "GET")]}
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def coded(prefix):
    """A key's text: 30 characters of base62 and their CRC-32."""
    text = "".join(secrets.choice(BASE62) for _ in range(30))
    crc, check = zlib.crc32(text.encode()), ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        check = BASE62[digit] + check
    return f"{prefix}_{text}{check}"


def product(server, slug, profile, resources=None, scopes=()):
    """resources: {path: operations}; scopes: {word: [(path, operation)]}.
    Without either, those above."""
    if resources is None:
        resources, scopes = RESOURCES, SCOPES
    one = server.sql(
        "INSERT INTO product (id, slug, name, profile, one_key_per_tenant, "
        "needs_api_user, calls_a_minute, calls_a_day) VALUES "
        "(gen_random_uuid(), %s, %s, %s, false, false, 1000000, NULL) "
        "RETURNING id", (slug, slug.title(), profile))[0][0]
    for place, (path, operations) in enumerate(resources.items(), 1):
        server.sql("INSERT INTO product_resource (product_id, place, name, "
                   "path, operations) VALUES (%s, %s, %s, %s, %s)",
                   (one, place, path, path, operations))
    for place, (word, cells) in enumerate(dict(scopes).items(), 1):
        scope = server.sql(
            "INSERT INTO product_scope (id, product_id, word, place) VALUES "
            "(gen_random_uuid(), %s, %s, %s) RETURNING id",
            (one, word, place))[0][0]
        for path, operation in cells:
            server.sql("INSERT INTO product_scope_grant SELECT %s, id, %s "
                       "FROM product_resource WHERE product_id = %s "
                       "AND path = %s", (scope, operation, one, path))
    return one


class Key:
    """An issued key, made by the client's first owner."""

    def __init__(self, server, subscription_id, prefix, name="Nightly sync",
                 scopes=()):
        self.server = server
        self.text = coded(prefix)
        self.id = server.sql(
            "INSERT INTO issued_key (id, subscription_id, name, name_folded, "
            "maker_id, state) SELECT gen_random_uuid(), s.id, %s, lower(%s), "
            "m.account_id, 'active' FROM subscription s JOIN membership m "
            "ON m.tenant_id = s.tenant_id AND m.role = 'owner' WHERE s.id = %s "
            "LIMIT 1 RETURNING id",
            (name, name, subscription_id))[0][0]
        mac, first, version = subprocess.run(
            [server.build / "tests/keys/key_mac", self.text],
            env=clean_env(**server.settings), check=True, text=True,
            stdout=subprocess.PIPE).stdout.split()
        server.sql(
            "INSERT INTO subscription_key (id, subscription_id, key_id, mac, "
            "prefix_mac, mac_version, last4, first) VALUES (gen_random_uuid(), "
            "%s, %s, %s, %s, %s, %s, %s)",
            (subscription_id, self.id, bytes.fromhex(mac),
             bytes.fromhex(first), version, self.text[-4:], self.text[:8]))
        for word in scopes:
            server.sql("INSERT INTO issued_key_scope SELECT %s, c.id FROM "
                       "product_scope c JOIN subscription s ON s.product_id = "
                       "c.product_id WHERE s.id = %s AND c.word = %s",
                       (self.id, subscription_id, word))

    def set(self, state):
        self.server.sql("UPDATE issued_key SET state = %s WHERE id = %s",
                        (state, self.id))
