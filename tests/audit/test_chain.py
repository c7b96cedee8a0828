"""The chains of audit rows: unbroken whatever writes at once, out of reach for
the programs' roles, and latchkeyctl finds what somebody with all rights did."""

import random
import subprocess
import threading
import uuid

import psycopg2
import pytest
from lib.base import clean_env, wait_until

A, B = (f"0189aaaa-0000-7000-8000-00000000000{x}" for x in "ab")
WRITE = ("SELECT count(audit_write(t::uuid, 'system', NULL, 'key.shown',"
         " 'subscription', coalesce(t, %s)::uuid, '{\"slot\": \"primary\"}'))"
         " FROM unnest(%s::text[]) AS t")


class Audit:
    """A database of its own, with the tool."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.name = cluster.database("bare")

    def sql(self, query, params=None, role="postgres"):
        return self.cluster.sql(self.name, query, params, role)

    def write(self, *tenants, role="latchkey_app"):
        assert self.sql(WRITE, (A, list(tenants)), role) == [(len(tenants),)]

    def tamper(self, *statements):
        """As a superuser would who knows of the triggers."""
        for statement in statements:
            self.sql("SET session_replication_role = replica; " + statement)

    def verify(self, *args):
        return subprocess.run(
            [self.cluster.build / "latchkeyctl", "audit", "verify", *args],
            text=True, capture_output=True, timeout=60, env=clean_env(
                **self.cluster.settings(self.name)))

    def good(self, *args):
        done = self.verify(*args)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def bad(self, *args):
        done = self.verify(*args)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "tampered" in done.stderr
        return done.stdout


@pytest.fixture
def audit(cluster):
    one = Audit(cluster)
    yield one
    cluster.drop(one.name)


def test_many_connections_at_once(audit):
    """No fork, no gap, no deadlock: single rows, several tenants in one
    statement in any order, rows without tenant, and rolled back ones."""
    tenants = [str(uuid.uuid4()) for _ in range(6)]
    errors = []

    def one(number):
        rng = random.Random(number)
        connection = audit.cluster.connect(audit.name, "latchkey_app")
        try:
            with connection.cursor() as cursor:
                for _ in range(60):
                    some = rng.choices([*tenants, None, None],
                                       k=rng.choice([1, 1, 2, 5]))
                    if rng.random() < 0.1:
                        cursor.execute("BEGIN")
                        cursor.execute(WRITE, (A, some))
                        cursor.execute("ROLLBACK")
                    cursor.execute(WRITE, (A, some))
        except psycopg2.Error as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors[:3]
    rows, links, heads = audit.sql(
        "SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM"
        " audit_link), (SELECT sum(n) FROM audit_head)")[0]
    assert rows == links == heads >= 16 * 60
    assert audit.sql("SELECT count(*) FROM audit_head") == [(6 + 16,)]
    assert f"{rows} rows in 22 chains" in audit.good()


def test_a_transaction_that_holds_rows_waits_for_nobody(audit):
    """Two transactions that write for the same tenants in opposite order, and
    go on working before they commit."""
    one = audit.cluster.connect(audit.name, "latchkey_app").cursor()
    two = audit.cluster.connect(audit.name, "latchkey_app").cursor()
    for cursor, order in ((one, [A, B]), (two, [B, A])):
        cursor.execute("BEGIN")
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        for tenant in order:
            cursor.execute(WRITE, (A, [tenant]))
    one.execute("COMMIT")
    two.execute("COMMIT")
    for cursor in (one, two):
        cursor.connection.close()
    audit.good()


def test_savepoints_and_immediate(audit):
    cursor = audit.cluster.connect(audit.name, "latchkey_app").cursor()
    cursor.execute("BEGIN")
    cursor.execute(WRITE, (A, [A]))
    cursor.execute("SAVEPOINT s")
    cursor.execute(WRITE, (A, [B]))
    cursor.execute("SAVEPOINT t")
    cursor.execute(WRITE, (A, [A]))
    cursor.execute("ROLLBACK TO t")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(WRITE, (A, [A]))
    cursor.execute("COMMIT")
    cursor.connection.close()
    assert "3 rows in 2 chains" in audit.good()


@pytest.mark.parametrize("role", ["latchkey_app", "latchkey_courier"])
@pytest.mark.parametrize("statement", [
    "UPDATE audit_head SET n = n",
    "INSERT INTO audit_head VALUES (gen_random_uuid(), 1, sha256('x'))",
    "DELETE FROM audit_head",
    "TRUNCATE audit_head",
    "UPDATE audit_link SET hash = hash",
    "INSERT INTO audit_link VALUES (gen_random_uuid(), 1, 1, sha256('x'))",
    "DELETE FROM audit_link",
    "UPDATE audit SET detail = '{}'",
    "DELETE FROM audit",
    "INSERT INTO audit (actor_kind, action, subject_kind, subject_id)"
    " VALUES ('system', 'a.b', 'c', gen_random_uuid())",
    "SELECT audit_append(a) FROM audit AS a",
    "ALTER TABLE audit DISABLE TRIGGER audit_chain",
    "DROP TRIGGER audit_chain ON audit",
    "CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE"
    " plpgsql AS 'BEGIN RETURN NULL; END'",
    "SELECT nextval('audit_id_seq')",
    "SELECT setval('audit_id_seq', 1)",
])
def test_the_programs_roles_reach_none_of_it(audit, role, statement):
    audit.write(A)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        audit.sql(statement, role=role)
    audit.write(A, B)
    audit.good()


def test_the_owner_is_refused_by_triggers(audit):
    audit.write(A)
    for statement in ("UPDATE audit SET detail = '{}'", "DELETE FROM audit",
                      "UPDATE audit_link SET n = n + 1",
                      "DELETE FROM audit_link", "DELETE FROM audit_head",
                      "TRUNCATE audit_link"):
        with pytest.raises(psycopg2.Error) as error:
            audit.sql(statement, role="latchkey_owner")
        assert error.value.pgcode == "LK001"


@pytest.fixture
def written(audit):
    """Three rows each of two tenants, two of none: ids 1 to 8."""
    audit.write(A, B, None)
    audit.write(A, B, None)
    audit.write(A)
    audit.write(B)
    return audit


ROW = f"(SELECT audit_id FROM audit_link WHERE lane = '{A}' AND n = 2)"


@pytest.mark.parametrize("says, statements", [
    ("row 2 (audit", [f"UPDATE audit SET action = 'key.made' WHERE id = {ROW}"]),
    ("was changed", [f"UPDATE audit SET detail = '{{}}' WHERE id = {ROW}"]),
    ("was changed", ["UPDATE audit SET at = at + interval '1 us' "
                     f"WHERE id = {ROW}"]),
    ("another chain", ["UPDATE audit SET tenant_id = NULL "
                       f"WHERE id = {ROW}"]),
    ("row 2 is missing", [f"DELETE FROM audit WHERE id = {ROW}"]),
    ("rows 2 to 2 are missing", [
        f"DELETE FROM audit WHERE id = {ROW}",
        f"DELETE FROM audit_link WHERE lane = '{A}' AND n = 2"]),
    ("stands in no chain", [
        f"DELETE FROM audit_link WHERE lane = '{A}' AND n = 2"]),
    ("stands in no chain", [
        "INSERT INTO audit (actor_kind, action, subject_kind, subject_id) "
        "VALUES ('system', 'a.b', 'c', gen_random_uuid())"]),
    ("was changed or moved", [
        "ALTER TABLE audit_link DROP CONSTRAINT audit_link_pkey",
        f"UPDATE audit_link SET n = 5 - n WHERE lane = '{A}' AND n > 1"]),
    ("missing at its end; the head", [
        f"DELETE FROM audit_link WHERE lane = '{A}' AND n = 3",
        f"DELETE FROM audit WHERE tenant_id = '{A}' AND id = (SELECT max(id)"
        f" FROM audit WHERE tenant_id = '{A}')"]),
    ("not what the head", [
        "UPDATE audit_head SET hash = sha256('x') WHERE lane = '" + A + "'"]),
    ("rows 1 to 3 are missing at its end", [
        f"DELETE FROM audit WHERE tenant_id = '{A}'",
        f"DELETE FROM audit_link WHERE lane = '{A}'"]),
])
def test_what_a_superuser_did_is_found(written, says, statements):
    assert "8 rows in 4 chains" in written.good()
    written.tamper(*statements)
    assert says in written.bad()


def test_the_end_is_proved_by_anchors_only(make_server):
    """A server whose courier logs heads; then rows are cut off with their
    links, and the head is set back: without the log nothing shows."""
    server = make_server()
    audit = Audit.__new__(Audit)
    audit.cluster, audit.name = server.cluster, server.database
    audit.write(A, B)
    audit.write(A)
    audit.write(A)

    def logged(rows):
        return any(line["event"] == "audit_heads"
                   and f"{A}:{rows}:" in line["heads"]
                   for line in server.log("courier"))

    def export():
        audit.sql("UPDATE audit_export SET at = '-infinity'")
        server.stop_courier()
        server.start_courier()

    export()
    wait_until(lambda: logged(3), 10, "heads in the log")
    anchors = server.dir / "courier.log"
    assert "can't be proved without anchors" in audit.good()
    assert "hold" in audit.good("--anchors", str(anchors))
    # Nothing changed: a line all the same, and no head in it.
    before = len(heads(server))
    export()
    wait_until(lambda: len(heads(server)) > before, 10, "one more line")
    last = heads(server)[-1]
    assert last["heads"] == "" and int(last["number"]) > before
    assert last["previous"] == heads(server)[-2]["digest"]

    audit.write(B)
    assert "1 rows came later" in audit.good("--anchors", str(anchors))
    audit.tamper(
        f"DELETE FROM audit WHERE id = (SELECT audit_id FROM audit_link "
        f"WHERE lane = '{A}' AND n = 3)",
        f"DELETE FROM audit_link WHERE lane = '{A}' AND n = 3",
        "UPDATE audit_head AS h SET n = 2, hash = l.hash FROM audit_link AS l"
        f" WHERE l.lane = '{A}' AND l.n = 2 AND h.lane = '{A}'")
    assert "can't be proved without anchors" in audit.good()
    assert "rows 3 to 3 are missing at its end; the log has them" \
        in audit.bad("--anchors", str(anchors))
    # Another row in its place: the chain is whole, and another one.
    audit.write(A)
    audit.good()
    assert "not what the log says" in audit.bad("--anchors", str(anchors))


def heads(server):
    return [line for line in server.log("courier")
            if line["event"] == "audit_heads"]


def test_a_log_that_lacks_lines_or_was_changed(make_server, tmp_path):
    server = make_server(courier=False)
    audit = Audit.__new__(Audit)
    audit.cluster, audit.name = server.cluster, server.database
    for _ in range(3):
        audit.write(*[str(uuid.uuid4()) for _ in range(20)])
        audit.sql("UPDATE audit_export SET at = '-infinity'")
        server.start_courier()
        done = len(heads(server)) + 3
        wait_until(lambda: len(heads(server)) >= done, 10, "heads")
        server.stop_courier()
    lines = server.raw_log("courier").splitlines(keepends=True)
    at = [n for n, line in enumerate(lines) if "audit_heads" in line]
    file = tmp_path / "courier.log"

    def of(kept):
        file.write_text("".join(kept))
        return str(file)

    audit.good("--anchors", of(lines))
    audit.good("--anchors", of(lines[at[4]:]))     # a log that was rotated
    assert "of the log are missing" in audit.bad(
        "--anchors", of(lines[:at[4]] + lines[at[4] + 1:]))
    changed = lines[at[4]].replace(":1:", ":2:", 1)
    assert "of the log was changed" in audit.bad(
        "--anchors", of([*lines[:at[4]], changed, *lines[at[4] + 1:]]))
    empty = audit.verify("--anchors", of(["{}\n"]))
    assert empty.returncode == 1 and "holds no anchor" in empty.stderr
    none = audit.verify("--anchors", str(tmp_path / "none"))
    assert none.returncode == 1 and none.stderr.count("\n") == 1


def test_two_couriers_at_once(make_server):
    """512 heads a round, two couriers, one chain of lines."""
    server = make_server(courier=False)
    audit = Audit.__new__(Audit)
    audit.cluster, audit.name = server.cluster, server.database
    for _ in range(3):
        audit.write(*[str(uuid.uuid4()) for _ in range(400)])
    server.start_courier()
    first = server.courier
    server.start_courier()
    try:
        wait_until(lambda: audit.sql(
            "SELECT count(*) FROM audit_head AS h LEFT JOIN audit_exported"
            " AS e ON e.lane = h.lane AND e.n = h.n WHERE e.lane IS NULL")
            == [(0,)], 20, "all heads in the log")
    finally:
        server.stop_courier()
        server.courier = first
        server.stop_courier()
    audit.good("--anchors", str(server.dir / "courier.log"))
