"""Issued keys as the database has them, made without the portal's pages."""

import secrets
import subprocess
import zlib

from lib.base import clean_env

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CUSTOMERS = "/api/v2/customers"
SERVICES = "/api/v2/services"
# word, path, operation
SCOPES = (("read:customer", CUSTOMERS, "GET"),
          ("write:customer", CUSTOMERS, "POST"),
          ("read:service", SERVICES, "GET"))


def coded(prefix):
    """A text as keys have it: prefix, 30 of base62 and their CRC-32."""
    text = "".join(secrets.choice(BASE62) for _ in range(30))
    number, check = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = BASE62[digit] + check
    return f"{prefix}_{text}{check}"


def mac(server, *texts):
    """As the vault makes them."""
    return subprocess.run(
        [server.build / "tests/bench/gateway_macs", "-"],
        input="".join(text + "\n" for text in texts), text=True, check=True,
        env=clean_env(**server.settings), stdout=subprocess.PIPE
    ).stdout.split()


def product(server, slug, profile, scopes=SCOPES):
    """A product with a key profile and scopes for its resources."""
    server.sql("INSERT INTO product (id, slug, name, profile, "
               "one_key_per_tenant, calls_a_minute) VALUES "
               "(gen_random_uuid(), %s, %s, %s, false, 1000000)",
               (slug, slug.title(), profile))
    for path in dict.fromkeys(path for _, path, _ in scopes):
        server.sql("INSERT INTO product_resource (product_id, place, name, "
                   "path, operations) SELECT id, (SELECT count(*) + 1 FROM "
                   "product_resource r WHERE r.product_id = p.id), %s, %s, "
                   "'{GET,POST}' FROM product p WHERE slug = %s",
                   (path, path, slug))
    for place, (word, path, operation) in enumerate(scopes, 1):
        server.sql(
            "WITH s AS (INSERT INTO product_scope (id, product_id, word, "
            "place) SELECT gen_random_uuid(), id, %s, %s FROM product WHERE "
            "slug = %s RETURNING id, product_id) INSERT INTO "
            "product_scope_grant SELECT s.id, r.id, %s FROM s JOIN "
            "product_resource r ON r.product_id = s.product_id AND r.path = "
            "%s", (word, place, slug, operation, path))


def subscribe(server, code, slug, environment="live"):
    return server.sql(
        "INSERT INTO subscription (id, tenant_id, product_id, one_key, name, "
        "environment) SELECT gen_random_uuid(), t.id, p.id, false, %s, %s "
        "FROM tenant t, product p WHERE t.code = %s AND p.slug = %s "
        "RETURNING id", (f"{code}-KEY", environment, code, slug))[0][0]


def issue(server, subscription, name, *scopes, prefix="ca"):
    """A key of the subscription's first owner; its id and its text."""
    text = coded(prefix)
    key = server.sql(
        "INSERT INTO issued_key (id, subscription_id, name, name_folded, "
        "maker_id, state) SELECT gen_random_uuid(), s.id, %s, %s, "
        "m.account_id, 'active' FROM subscription s JOIN membership m "
        "ON m.tenant_id = s.tenant_id AND m.role = 'owner' "
        "WHERE s.id = %s ORDER BY m.account_id LIMIT 1 RETURNING id",
        (name, name.lower(), subscription))[0][0]
    server.sql("INSERT INTO issued_key_scope SELECT %s, c.id FROM "
               "product_scope c JOIN subscription s ON s.product_id = "
               "c.product_id AND s.id = %s WHERE c.word = ANY (%s)",
               (key, subscription, list(scopes)))
    add_value(server, key, text)
    return key, text


def add_value(server, key, text):
    """One more current value of an issued key."""
    server.sql("INSERT INTO subscription_key (id, subscription_id, key_id, "
               "mac, prefix_mac, mac_version, last4) SELECT "
               "gen_random_uuid(), subscription_id, id, %s, '', 1, %s "
               "FROM issued_key WHERE id = %s",
               ("\\x" + mac(server, text)[0], text[-4:], key))
