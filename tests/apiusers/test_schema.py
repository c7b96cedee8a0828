"""What the database itself keeps of API users: whoever writes to it."""

import hashlib
import uuid

import psycopg2
import pytest

APP = "latchkey_app"
UNIQUE, CHECK, FOREIGN, DENIED = "23505", "23514", "23503", "42501"


class World:
    """Two tenants, of which one has a key to a product with resources."""

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database
        self.account = self.id()
        self.sql("INSERT INTO account (id, kind, password_hash) "
                 "VALUES (%s, 'contact', 'x')", self.account)
        self.product, self.other = self.id(), self.id()
        for one, slug in ((self.product, "first"), (self.other, "second")):
            self.sql("INSERT INTO product (id, slug, name) VALUES (%s, %s, "
                     "%s)", one, slug, slug)
        for place, path, operations in (
                (1, "/billing/invoices", ["GET"]),
                (2, "/billing", ["GET", "POST"]),
                (3, "/psa/tickets", ["GET", "DELETE"])):
            self.resource(self.product, place, path, operations)
        self.resource(self.other, 1, "/other", ["GET"])
        self.tenant, self.stranger = self.id(), self.id()
        for one, code in ((self.tenant, "AA"), (self.stranger, "BB")):
            self.sql("INSERT INTO tenant (id, code, name, name_folded, slug) "
                     "VALUES (%s, %s, %s, %s, %s)", one, code, code, code,
                     code.lower())
        self.sql("INSERT INTO subscription (id, tenant_id, product_id, "
                 "one_key, name) VALUES (%s, %s, %s, true, 'AA-KEY')",
                 self.id(), self.tenant, self.product)

    @staticmethod
    def id():
        return str(uuid.uuid4())

    def sql(self, statement, *values):
        return self.cluster.sql(self.database, statement, values, role=APP)

    def refused(self, code, statement, *values):
        with pytest.raises(psycopg2.Error) as error:
            self.sql(statement, *values)
        assert error.value.pgcode == code, error.value

    def resource(self, product, place, path, operations):
        self.sql("INSERT INTO product_resource (product_id, place, name, "
                 "path, operations) VALUES (%s, %s, 'x', %s, %s)", product,
                 place, path, operations)

    def user(self, name, tenant=None):
        one = self.id()
        self.sql(USER, one, tenant or self.tenant, name, self.account)
        return one

    def role(self, preset, tenant=None):
        return self.sql("SELECT id FROM api_role WHERE tenant_id = %s AND "
                        "preset = %s", tenant or self.tenant, preset)[0][0]

    def own_role(self, accounts=None, grants=()):
        one, name = self.id(), self.id()
        self.sql("INSERT INTO api_role (id, tenant_id, name, name_folded, "
                 "scope, accounts) VALUES (%s, %s, %s, %s, %s, %s)", one,
                 self.tenant, name, name, "named" if accounts else "all",
                 accounts or [])
        for path, operation in grants:
            self.sql(GRANT, one, self.tenant, self.product, path, operation)
        return one

    def matrix(self, *roles):
        return self.sql("SELECT api_matrix(%s::uuid[], %s)", list(roles),
                        self.product)[0][0]


USER = ("INSERT INTO api_user (id, tenant_id, username, vendor, "
        "vendor_folded, integration, created_by) "
        "VALUES (%s, %s, %s, 'FORT', 'fort', 'Ticket sync', %s)")
GRANT = ("INSERT INTO api_role_grant (role_id, tenant_id, resource_id, "
         "operation) SELECT %s, %s, coalesce((SELECT id FROM "
         "product_resource WHERE product_id = %s AND path = %s), "
         "gen_random_uuid()), %s")


@pytest.fixture(scope="module")
def world(cluster):
    database = cluster.database("apiusers")
    yield World(cluster, database)
    cluster.drop(database)


def test_a_tenant_begins_with_three_roles(world):
    read, billing, full = (world.matrix(world.role(preset)) for preset in
                           ("read-only", "billing", "full"))
    assert read == ("/billing GET=all\n/billing/invoices GET=all\n"
                    "/psa/tickets GET=all\n")
    assert billing == ("/billing GET=all POST=all\n"
                       "/billing/invoices GET=all\n/psa/tickets\n")
    assert full == ("/billing GET=all POST=all\n"
                    "/billing/invoices GET=all\n"
                    "/psa/tickets GET=all DELETE=all\n")
    # Without a key there is nothing to grant, yet the roles are there.
    assert world.matrix(world.role("full", world.stranger)) == (
        "/billing\n/billing/invoices\n/psa/tickets\n")


def test_the_canonical_form_is_one(world):
    """Whatever the roles that a set of permissions comes from."""
    one = world.own_role(["20", "100"], [("/billing", "GET"),
                                         ("/psa/tickets", "DELETE")])
    two = world.own_role(["3", "20"], [("/billing", "GET")])
    every = world.own_role(None, [("/psa/tickets", "DELETE")])
    both = ("/billing GET=100,20,3\n/billing/invoices\n"
            "/psa/tickets DELETE=all\n")
    assert world.matrix(one, two, every) == both
    assert world.matrix(every, two, one, one) == both
    assert world.matrix() == "/billing\n/billing/invoices\n/psa/tickets\n"
    found = world.sql("SELECT api_matrix_hash(%s)", both)[0][0]
    assert bytes(found) == hashlib.sha256(both.encode()).digest()


def test_a_user_has_its_roles_matrix(world):
    user = world.user("MATRIX")
    for preset in ("read-only", "billing"):
        world.sql("INSERT INTO api_user_role VALUES (%s, %s, %s)", user,
                  world.role(preset), world.tenant)
    assert world.sql("SELECT api_user_matrix(%s, %s)", user, world.product) \
        == [(world.matrix(world.role("read-only"), world.role("billing")),)]


@pytest.mark.parametrize("path, operation, product, code", [
    ("/billing", "DELETE", "product", "LK040"),
    ("/billing/invoices", "POST", "product", "LK040"),
    ("/elsewhere", "GET", "product", "LK040"),
    ("/other", "GET", "other", "LK040"),
    ("/billing", "HEAD", "product", "LK040"),
])
def test_nothing_is_granted_that_the_product_does_not_include(
        world, path, operation, product, code):
    world.refused(code, GRANT, world.own_role(), world.tenant,
                  getattr(world, product), path, operation)
    world.refused("LK040", GRANT, world.role("full", world.stranger),
                  world.stranger, world.product, "/psa/tickets", "GET")


def test_what_a_product_no_longer_offers_is_nobodys(world):
    role = world.own_role(None, [("/psa/tickets", "DELETE")])
    assert "/psa/tickets DELETE=all\n" in world.matrix(role)
    world.sql("UPDATE product_resource SET operations = '{GET}' WHERE path = "
              "'/psa/tickets'")
    try:
        assert "/psa/tickets\n" in world.matrix(role)
    finally:
        world.sql("UPDATE product_resource SET operations = '{GET,DELETE}' "
                  "WHERE path = '/psa/tickets'")


@pytest.mark.parametrize("accounts", [
    ["1", "1"], ["a b"], [""], ["x" * 21], [str(n) for n in range(51)],
    ["1,2"], ["ü"], [None]])
def test_account_numbers_are_plain(world, accounts):
    world.refused(CHECK, "INSERT INTO api_role (id, tenant_id, name, "
                  "name_folded, scope, accounts) VALUES (%s, %s, 'odd', 'odd',"
                  " 'named', %s)", world.id(), world.tenant, accounts)


@pytest.mark.parametrize("scope, accounts", [("named", []), ("all", ["1"])])
def test_a_scope_is_all_or_some(world, scope, accounts):
    world.refused(CHECK, "INSERT INTO api_role (id, tenant_id, name, "
                  "name_folded, scope, accounts) VALUES (%s, %s, 'odd', 'odd',"
                  " %s, %s)", world.id(), world.tenant, scope, accounts)


def test_roles_stay_with_their_tenant(world):
    user = world.user("STAYS")
    world.refused(FOREIGN, "INSERT INTO api_user_role VALUES (%s, %s, %s)",
                  user, world.role("full", world.stranger), world.tenant)
    world.refused(FOREIGN, "INSERT INTO api_user_role VALUES (%s, %s, %s)",
                  user, world.role("full", world.stranger), world.stranger)
    world.refused("LK040", GRANT, world.role("full"), world.stranger,
                  world.product, "/billing", "GET")
    world.refused(DENIED, "UPDATE api_role_grant SET operation = 'DELETE'")


@pytest.mark.parametrize("name", [
    "A", "A" * 33, "fortapi", "FORT API", "FORT@AA", "FORT:X", "FÖRT",
    "\u0410\u0412\u0421", "FORT\n", ""])
def test_odd_names(world, name):
    world.refused(CHECK, USER, world.id(), world.tenant, name, world.account)


def test_a_name_is_one_users_and_90_days_longer(world):
    user = world.user("TWICE")
    world.user("TWICE", world.stranger)
    world.refused(UNIQUE, USER, world.id(), world.tenant, "TWICE",
                  world.account)
    world.sql("UPDATE api_user SET state = 'deleted' WHERE id = %s", user)
    world.refused(UNIQUE, USER, world.id(), world.tenant, "TWICE",
                  world.account)
    world.refused("LK041", "UPDATE api_user SET name_held = false WHERE id = "
                  "%s", user)
    world.sql("UPDATE api_user SET state_at = now() - interval '89 days' "
              "WHERE id = %s", user)
    world.refused(UNIQUE, USER, world.id(), world.tenant, "TWICE",
                  world.account)
    world.sql("UPDATE api_user SET state_at = now() - interval '91 days' "
              "WHERE id = %s", user)
    world.user("TWICE")


def test_deleted_is_an_end(world):
    user = world.user("ENDED")
    for state in ("disabled", "enabled", "deleted"):
        world.sql("UPDATE api_user SET state = %s WHERE id = %s", state, user)
    world.refused("LK041", "UPDATE api_user SET state = 'enabled' WHERE id = "
                  "%s", user)
    world.refused(DENIED, "UPDATE api_user SET username = 'ELSE' WHERE id = "
                  "%s", user)


def test_one_password_is_current_and_one_old(world):
    user = world.user("PASSES")

    def password(state, ends):
        return ("INSERT INTO api_user_password (id, api_user_id, state, mac, "
                "mac_version, created_by, ends_at) VALUES (%s, %s, %s, "
                f"sha256(%s), 1, %s, {ends})", world.id(), user, state,
                world.id(), world.account)
    world.sql(*password("current", "NULL"))
    world.sql(*password("old", "now()"))
    world.refused(UNIQUE, *password("current", "NULL"))
    world.refused(UNIQUE, *password("old", "now()"))
    world.refused(CHECK, *password("current", "now()"))
    world.refused(CHECK, *password("ended", "NULL"))
    world.sql(*password("ended", "now()"))


def test_a_hand_over_lives_7_days_at_most(world):
    user = world.user("LINKED")
    link = ("INSERT INTO api_hand_over (id, api_user_id, token_hash, "
            "created_by, expires_at) VALUES (%s, %s, %s, %s, now() + "
            "%s::interval)")
    world.refused(CHECK, link, world.id(), user, b"1", world.account,
                  "7 days 1 second")
    world.sql(link, world.id(), user, b"1", world.account, "7 days")
    world.refused(UNIQUE, link, world.id(), user, b"2", world.account,
                  "1 day")
