"""What an issued key may: its scopes, and of that what its maker may, in the
one form of all sets of permissions; and what the database itself refuses."""

import psycopg2
import pytest
from lib import flows

CALLS = "/crm/customers", "/crm/services"


@pytest.fixture(scope="module")
def world(server):
    """A client with a subscription to a product of scopes."""
    owner, _ = flows.client_with_key(server, "SCOPED", "Scoped Works")
    server.sql("INSERT INTO product (id, slug, name, profile, "
               "one_key_per_tenant) VALUES (gen_random_uuid(), 'scoped', "
               "'Scoped API', 'user-key', false)")
    for place, path in enumerate(CALLS, 1):
        server.sql("INSERT INTO product_resource (product_id, place, name, "
                   "path, operations) SELECT id, %s, %s, %s, '{GET,POST}' "
                   "FROM product WHERE slug = 'scoped'", (place, path, path))
    for place, (word, path, operation) in enumerate(
            (("read:customer", CALLS[0], "GET"),
             ("write:customer", CALLS[0], "POST"),
             ("read:service", CALLS[1], "GET")), 1):
        server.sql("WITH s AS (INSERT INTO product_scope (id, product_id, word,"
                   " place) SELECT gen_random_uuid(), id, %s, %s FROM product "
                   "WHERE slug = 'scoped' RETURNING id) INSERT INTO "
                   "product_scope_grant SELECT s.id, r.id, %s FROM s, "
                   "product_resource r WHERE r.path = %s",
                   (word, place, operation, path))
    server.sql("INSERT INTO subscription (id, tenant_id, product_id, one_key, "
               "name) SELECT gen_random_uuid(), t.id, p.id, false, "
               "'Scoped Works-KEY' FROM tenant t, product p "
               "WHERE t.code = 'SCOPED' AND p.slug = 'scoped'")
    server.owner = owner
    return server


def make(server, name, *scopes, profile="user-key"):
    server.sql("UPDATE product SET profile = %s WHERE slug = 'scoped'",
               (profile,))
    key = server.sql(
        "INSERT INTO issued_key (id, subscription_id, name, name_folded, "
        "maker_id, state) SELECT gen_random_uuid(), s.id, %s, %s, "
        "m.account_id, 'active' FROM subscription s JOIN product p "
        "ON p.id = s.product_id AND p.slug = 'scoped' JOIN membership m "
        "ON m.tenant_id = s.tenant_id LIMIT 1 RETURNING id",
        (name, name))[0][0]
    for word in scopes:
        server.sql("INSERT INTO issued_key_scope SELECT %s, id FROM "
                   "product_scope WHERE word = %s", (key, word))
    return key


def matrix(server, key):
    return server.sql("SELECT key_matrix(%s)", (key,))[0][0]


def test_scopes_of_a_key(world):
    key = make(world, "one", "read:customer", "read:service")
    assert matrix(world, key) == ("/crm/customers GET=all\n"
                                  "/crm/services GET=all\n")
    assert matrix(world, make(world, "none")) == ("/crm/customers\n"
                                                  "/crm/services\n")


def test_never_more_than_the_maker(world):
    """A permission that the person loses is gone."""
    key = make(world, "lesser", "read:customer", "write:customer")
    assert matrix(world, key).startswith("/crm/customers GET=all POST=all\n")
    world.sql("UPDATE membership SET role = 'member' FROM tenant t WHERE "
              "t.code = 'SCOPED' AND tenant_id = t.id")
    assert matrix(world, key) == "/crm/customers\n/crm/services\n"
    world.sql("UPDATE api_role SET scope = 'named', accounts = '{17,4}' FROM "
              "tenant t WHERE t.code = 'SCOPED' AND tenant_id = t.id "
              "AND preset = 'read-only'")
    world.sql("INSERT INTO membership_role SELECT m.account_id, r.id, "
              "r.tenant_id FROM membership m JOIN api_role r ON r.tenant_id = "
              "m.tenant_id AND r.preset = 'read-only' JOIN tenant t "
              "ON t.id = m.tenant_id WHERE t.code = 'SCOPED'")
    assert matrix(world, key) == ("/crm/customers GET=17,4\n"
                                  "/crm/services\n")
    # All that the maker may, and keys of the client, whoever made them.
    all_of_it = make(world, "all", profile="exchange")
    assert matrix(world, all_of_it) == ("/crm/customers GET=17,4\n"
                                        "/crm/services GET=17,4\n")
    partner = make(world, "partner", "write:customer", profile="partner-key")
    assert matrix(world, partner) == ("/crm/customers POST=all\n"
                                      "/crm/services\n")
    world.sql("DELETE FROM membership_role")
    world.sql("UPDATE membership SET role = 'owner' FROM tenant t WHERE "
              "t.code = 'SCOPED' AND tenant_id = t.id")


@pytest.mark.parametrize("statement", [
    "UPDATE product SET profile = 'subscription-pair' WHERE slug = 'scoped'",
    "UPDATE product SET profile = 'user-key' WHERE slug = 'revio-api'",
    # into a pair's subscription
    "INSERT INTO issued_key (id, subscription_id, name, name_folded, maker_id,"
    " state) SELECT gen_random_uuid(), s.id, 'x', 'x', m.account_id, 'active'"
    " FROM subscription s JOIN membership m ON m.tenant_id = s.tenant_id"
    " JOIN product p ON p.id = s.product_id AND p.slug = 'revio-api'",
    # revoked is an end
    "UPDATE issued_key SET state = 'active' WHERE name = 'ended'",
    "UPDATE issued_key SET state = 'pending' WHERE name = 'kept'",
    # twice the same name among the living
    "INSERT INTO issued_key (id, subscription_id, name, name_folded, maker_id,"
    " state) SELECT gen_random_uuid(), subscription_id, name, name_folded,"
    " maker_id, 'active' FROM issued_key WHERE name = 'kept'",
    # a value of both kinds, and of none
    "UPDATE subscription_key SET key_id = (SELECT id FROM issued_key LIMIT 1)",
    "UPDATE subscription_key SET slot = NULL",
    "INSERT INTO product_scope (id, product_id, word, place) SELECT "
    "gen_random_uuid(), id, 'Not a word', 9 FROM product",
])
def test_refused(world, statement):
    if not world.sql("SELECT 1 FROM issued_key WHERE name = 'kept'"):
        make(world, "kept")
        make(world, "ended")
        world.sql("UPDATE issued_key SET state = 'revoked' WHERE name = "
                  "'ended'")
    with pytest.raises(psycopg2.Error):
        world.sql(statement)
