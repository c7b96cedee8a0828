"""What the database itself allows to become of requests, subscriptions and
keys: each pair of states, each column, with the portal's rights and by direct
SQL, as if the portal were in other hands."""

import itertools
import threading
import uuid

import psycopg2
import pytest
from lib.base import wait_until

APP, COURIER, OWNER = "latchkey_app", "latchkey_courier", "latchkey_owner"
DENIED, UNIQUE = "42501", "23505"

STATES = {
    "request": ("submitted", "approved", "shared", "rejected", "withdrawn"),
    "subscription": ("active", "suspended", "expired", "cancelled"),
    "subscription_key": ("current", "old", "ended"),
}
STEPS = {
    "request": {("submitted", end) for end in STATES["request"][1:]},
    "subscription": {("active", "suspended"), ("suspended", "active")} | {
        (live, end) for live in ("active", "suspended")
        for end in ("expired", "cancelled")},
    "subscription_key": {("current", "old"), ("current", "ended"),
                         ("old", "ended")},
}
PAIRS = [(table, *pair) for table, states in STATES.items()
         for pair in itertools.product(states, states)]
# What comes with a state.
BESIDE = {
    "request": lambda state: {"decided_at": None if state == "submitted"
                              else "2026-01-01", "reason": "so"},
    "subscription": lambda state: {},
    "subscription_key": lambda state: {
        "ends_at": None if state == "current" else "2027-01-01"},
}


class World:
    """A client with a contact, and rows in whatever state, on a database of
    its own.  Connections stay open; each attempt is a transaction."""

    def __init__(self, cluster):
        self.database = cluster.database("bare")
        self.connections = {role: cluster.connect(self.database, role)
                            for role in (APP, COURIER, OWNER)}
        self.account = self.contact()
        self.tenant = self.client("ALTWORX")
        self.product = self.one(
            "INSERT INTO product (id, slug, name) VALUES "
            "(gen_random_uuid(), 'api', 'API') RETURNING id")

    def run(self, statement, params=None, role=OWNER):
        with self.connections[role].cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else \
                cursor.rowcount

    def one(self, *args, **kwargs):
        return self.run(*args, **kwargs)[0][0]

    def fails(self, statement, params=None, role=APP):
        """The SQLSTATE, or None when it was done."""
        try:
            self.run(statement, params, role)
        except psycopg2.Error as error:
            return error.pgcode
        return None

    def contact(self):
        return self.one("INSERT INTO account (id, kind, password_hash) VALUES "
                        "(gen_random_uuid(), 'contact', '') RETURNING id")

    def client(self, code):
        return self.one(
            "INSERT INTO tenant (id, code, name, name_folded, slug) VALUES "
            "(gen_random_uuid(), %s, %s, %s, %s) RETURNING id",
            (code, code, code.lower(), code.lower()))

    def join(self, account, tenant, role=APP):
        self.run("INSERT INTO membership (account_id, tenant_id, role, "
                 "let_in_by) VALUES (%s, %s, 'member', 'owner')",
                 (account, tenant), role)

    def insert(self, table, state, role=OWNER, **values):
        """A row of the table; columns that are not given are filled."""
        values = {"id": str(uuid.uuid4()), "state": state,
                  **getattr(self, table)(), **BESIDE[table](state), **values}
        if state == "submitted":
            values["reason"] = ""
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})",
                 list(values.values()), role)
        return values["id"]

    def request(self):
        return {"account_id": self.account, "product_id": self.product,
                "name": "Altaworx-KEY", "client_folded": "altaworx",
                "due_at": "2027-01-01"}

    def subscription(self):
        return {"tenant_id": self.tenant, "product_id": self.product,
                "one_key": True, "name": "Altaworx-KEY"}

    def subscription_key(self):
        return {"subscription_id": self.insert("subscription", "active"),
                "slot": "primary", "sealed": b"s", "mac": uuid.uuid4().bytes,
                "prefix_mac": b"p", "mac_version": 1, "last4": "abcd"}

    def clear(self):
        self.run("TRUNCATE request, subscription, subscription_key, "
                 "subscription_change, membership, outbox CASCADE")


@pytest.fixture(scope="module")
def whole(cluster):
    return World(cluster)


@pytest.fixture
def world(whole):
    whole.clear()
    return whole


# -- states


@pytest.mark.parametrize("table, before, after", PAIRS)
def test_each_pair_of_states(world, table, before, after):
    """Whoever asks: the steps bind the owner of the tables, too."""
    for role in (APP, OWNER):
        world.clear()
        row = world.insert(table, before)
        sets = {"state": after}
        if table != "subscription" and before != after:
            sets.update(BESIDE[table](after))
        statement = ", ".join(f"{name} = %s" for name in sets)
        code = world.fails(f"UPDATE {table} SET {statement} WHERE id = %s",
                           [*sets.values(), row], role)
        legal = before == after or (before, after) in STEPS[table]
        assert (code is None) == legal, (role, code)
        assert legal or code in ("LK020", "LK021", "LK023"), code
        assert world.one(f"SELECT state FROM {table} WHERE id = %s",
                         (row,)) == (after if legal else before)


@pytest.mark.parametrize("table, state", [
    (table, state) for table, states in STATES.items() for state in states])
def test_each_begins_at_its_beginning(world, table, state):
    first = {"request": ("submitted",), "subscription":
             ("active", "suspended"), "subscription_key": ("current",)}
    if state in first[table]:
        world.insert(table, state, APP)
    else:
        with pytest.raises(psycopg2.Error) as error:
            world.insert(table, state, APP)
        assert error.value.pgcode in ("LK020", "LK021", "LK023")


def test_an_end_has_its_time(world):
    row = world.insert("subscription", "active")
    world.run("UPDATE subscription SET state = 'cancelled'", role=APP)
    assert world.one("SELECT ended_at = now() OR ended_at > now() - interval "
                     "'1 minute' FROM subscription WHERE id = %s", (row,))


# -- columns

FREE = {
    ("subscription", "active"): {"state", "expires_at", "expiry_set_at"},
    ("subscription", "suspended"): {"state", "expires_at", "expiry_set_at"},
    ("subscription", "expired"): set(),
    ("subscription", "cancelled"): set(),
    ("subscription_key", "current"): {"state", "ends_at", "sealed",
                                      "last_used_at", "last_used_address"},
    ("subscription_key", "old"): {"state", "ends_at", "sealed",
                                  "last_used_at", "last_used_address"},
    ("subscription_key", "ended"): {"sealed", "last_used_at",
                                    "last_used_address"},
}
# Of requests these are fixed; slices may add columns that are not.
FIXED = {"id", "account_id", "product_id", "environment", "name",
         "client_folded", "submitted_at", "tenant_id"}
DECIDED = {"decided_at", "decided_by", "reason", "subscription_id"}


def other(world, column, kind):
    """Another value than whatever stands there."""
    if column == "environment":
        return "'test'"
    if column == "slot":
        return "'secondary'"
    if column == "last4":
        return "'zzzz'"
    if column == "state":
        return "state"
    if column == "tenant_id":
        return f"'{world.client('T' + uuid.uuid4().hex[:8].upper())}'"
    return {"uuid": "gen_random_uuid()", "text": "'another'",
            "boolean": "false", "integer": "9", "bytea": "'\\x00'",
            "inet": "'192.0.2.1'",
            "timestamp with time zone": "timestamptz '2026-06-01'"}[kind]


@pytest.mark.parametrize("table, state", [
    (table, state) for table, states in STATES.items() for state in states])
def test_each_column(world, table, state):
    """Those that are named may change, all others not."""
    columns = world.run("SELECT column_name, data_type FROM "
                        "information_schema.columns WHERE table_name = %s "
                        "AND table_schema = 'public'", (table,))
    assert len(columns) > 9
    if table == "request":
        fixed = FIXED if state == "submitted" else FIXED | DECIDED
        columns = [c for c in columns if c[0] in fixed]
        free = set()
    else:
        free = FREE[table, state]
    for column, kind in columns:
        world.clear()
        row = world.insert(table, state)
        code = world.fails(f"UPDATE {table} SET {column} = "
                           f"{other(world, column, kind)} WHERE id = %s",
                           (row,))
        if column == "state" or (column == "ends_at" and state == "current"):
            assert code in (None, "23514")      # changes nothing; a check
        else:
            assert (code is None) == (column in free), (column, code)


def test_an_overlap_is_never_longer(world):
    row = world.insert("subscription_key", "old")
    sets = "UPDATE subscription_key SET ends_at = %s WHERE id = %s"
    assert world.fails(sets, ("2027-01-02", row)) == "LK023"
    assert world.fails(sets, (None, row)) is not None
    assert world.fails(sets, ("2026-12-31", row)) is None
    assert world.fails("UPDATE subscription_key SET state = 'ended', "
                       "ends_at = NULL WHERE id = %s", (row,)) == "LK023"


# -- one key, one question


def test_one_live_subscription(world):
    row = world.insert("subscription", "active", APP)
    for state in ("active", "suspended"):
        with pytest.raises(psycopg2.Error) as error:
            world.insert("subscription", state, APP)
        assert error.value.pgcode == UNIQUE
    world.insert("subscription", "suspended", APP, environment="test")
    world.run("UPDATE subscription SET state = 'expired' WHERE id = %s",
              (row,), APP)
    world.insert("subscription", "active", APP)
    assert world.fails("UPDATE subscription SET state = 'active' WHERE "
                       "id = %s", (row,)) == "LK020"
    # Nor do two become one tenant's by moving.
    assert world.fails("UPDATE subscription SET tenant_id = gen_random_uuid()"
                       ) == DENIED
    assert world.fails("UPDATE subscription SET environment = 'live'"
                       ) == DENIED


def test_one_open_request(world):
    """Nor by saying nothing, or something else, of the client."""
    colleague, elsewhere = world.contact(), world.client(
        "E" + uuid.uuid4().hex[:8].upper())
    for account in (world.account, colleague):
        world.join(account, world.tenant)
    world.insert("request", "submitted", APP)
    for tenant, code in ((None, UNIQUE), (world.tenant, UNIQUE),
                         (elsewhere, "40001")):
        with pytest.raises(psycopg2.Error) as error:
            world.insert("request", "submitted", APP, account_id=colleague,
                         tenant_id=tenant)
        assert error.value.pgcode == code, tenant
    assert world.run("SELECT tenant_id FROM request") == [(world.tenant,)]
    for tenant in ("NULL", f"'{elsewhere}'"):
        assert world.fails(f"UPDATE request SET tenant_id = {tenant}"
                           ) == "LK022"


def test_who_is_let_in_brings_the_request_along(world):
    newcomer = world.contact()
    row = world.insert("request", "submitted", APP, account_id=newcomer)
    world.join(newcomer, world.tenant)
    assert world.run("SELECT id, tenant_id, state FROM request") == [
        (row, world.tenant, "submitted")]
    # The client has an open one by now, so the next newcomer's ends.
    late = world.contact()
    row = world.insert("request", "submitted", APP, account_id=late)
    world.join(late, world.tenant)
    assert world.run("SELECT state, tenant_id FROM request WHERE id = %s",
                     (row,)) == [("withdrawn", world.tenant)]
    assert world.run("SELECT actor_kind, action FROM audit WHERE "
                     "subject_id = %s", (row,)) == [
                         ("system", "request.withdrawn")]
    assert world.run("SELECT account_id FROM outbox WHERE kind = "
                     "'request_withdrawn'") == [(late,)]


@pytest.mark.parametrize("first", ["request", "seat"])
def test_asking_and_being_let_in_at_once(world, cluster, first):
    """Whichever comes first, the request is the client's in the end."""
    newcomer = world.contact()
    one, two = (cluster.connect(world.database, APP) for _ in range(2))
    one.autocommit = False
    ask = ("INSERT INTO request (id, account_id, product_id, name, "
           "client_folded, due_at) VALUES (gen_random_uuid(), %s, %s, "
           "'New-KEY', 'new', now())", (newcomer, world.product))
    seat = ("INSERT INTO membership (account_id, tenant_id, role, let_in_by) "
            "VALUES (%s, %s, 'member', 'owner')", (newcomer, world.tenant))
    now, then = (ask, seat) if first == "request" else (seat, ask)
    try:
        one.cursor().execute(*now)
        waiting = threading.Thread(target=two.cursor().execute, args=then)
        waiting.start()
        wait_until(lambda: world.one("SELECT count(*) FROM pg_locks WHERE NOT "
                                     "granted"), 5, "the second to wait")
        one.commit()
        waiting.join(5)
        assert world.run("SELECT tenant_id, state FROM request") == [
            (world.tenant, "submitted")]
    finally:
        one.close()
        two.close()


# -- nothing goes away


@pytest.mark.parametrize("role", [APP, COURIER])
@pytest.mark.parametrize("statement", [
    *(f"{verb} {table}" for verb in ("DELETE FROM", "TRUNCATE") for table in
      ("request", "subscription", "subscription_key", "subscription_change")),
    "UPDATE subscription_change SET reason = 'another'",
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in STATES),
    *(f"DROP TRIGGER {table}_guard ON {table}" for table in STATES),
    "DROP INDEX subscription_one_live", "DROP INDEX request_one_open_tenant",
    "DROP FUNCTION lifecycle_step",
    "CREATE OR REPLACE FUNCTION lifecycle_step(text, text, text) RETURNS "
    "boolean LANGUAGE sql AS 'SELECT true'",
])
def test_denied(world, role, statement):
    assert world.fails(statement, role=role) == DENIED


def test_the_courier_ends_and_does_nothing_else(world):
    row = world.insert("subscription", "active")
    for sets in ("expires_at = NULL", "name = 'x'", "tenant_id = id"):
        assert world.fails(f"UPDATE subscription SET {sets}", role=COURIER
                           ) == DENIED
    for sets in ("ends_at = NULL", "sealed = ''", "last4 = 'aaaa'"):
        assert world.fails(f"UPDATE subscription_key SET {sets}", role=COURIER
                           ) == DENIED
    assert world.fails("UPDATE subscription SET state = 'expired' WHERE id = "
                       "%s", (row,), COURIER) is None


def test_a_word_is_said(world):
    row = world.insert("subscription", "active")
    insert = ("INSERT INTO subscription_change (subscription_id, what, reason)"
              " VALUES (%s, %s, %s)")
    for what in ("suspended", "reactivated", "expiry", "key_revoked"):
        assert world.fails(insert, (row, what, "")) == "23514"
        assert world.fails(insert, (row, what, "why")) is None
