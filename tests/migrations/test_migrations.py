"""Migrations go both ways: all are deployed, verified, taken back and deployed
again, and the schema is the same afterwards; taken back, nothing is left."""

import re
import subprocess

import psycopg2.errors
import pytest
from lib.base import ROOT, clean_env

FOLDER = ROOT / "migrations"


def changes():
    plan = (FOLDER / "sqitch.plan").read_text()
    return re.findall(r"^([a-z][a-z0-9_-]*)(?: \[.*\])? \d{4}-", plan, re.M)


class Sqitch:
    def __init__(self, cluster):
        self.cluster = cluster
        self.database = cluster.database("empty")

    def __call__(self, verb, *args, status=0):
        done = subprocess.run(
            ["sqitch", verb, f"db:pg://latchkey_owner@/{self.database}",
             *args], cwd=FOLDER, text=True, capture_output=True,
            env=clean_env(PGHOST=self.cluster.socket,
                          SQITCH_USER_CONFIG="/dev/null",
                          SQITCH_SYSTEM_CONFIG="/dev/null"))
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def deployed(self):
        rows = self.cluster.sql(self.database, "SELECT change FROM "
                                "sqitch.changes ORDER BY committed_at")
        return [row[0] for row in rows]

    def verify(self, names):
        """The scripts of these changes, as `sqitch verify` would run them, but in
        one session in place of one each."""
        done = subprocess.run(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-v", "registry=sqitch",
             "-d", self.cluster.url("latchkey_owner", self.database),
             *[f"--file=verify/{name}.sql" for name in names]], cwd=FOLDER,
            text=True, capture_output=True, env=clean_env())
        assert done.returncode == 0, done.stderr

    def dump(self):
        """The schema as text, without the registry of sqitch."""
        done = subprocess.run(
            ["pg_dump", "--schema-only", "--exclude-schema=sqitch", "-d",
             self.cluster.url("postgres", self.database)], text=True,
            capture_output=True, check=True, env=clean_env())
        # Newer pg_dump writes a random word into these two lines.
        return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.M)


@pytest.fixture
def sqitch(cluster):
    one = Sqitch(cluster)
    yield one
    cluster.drop(one.database)


def test_the_plan_names_every_script():
    names = changes()
    assert names
    for kind in ("deploy", "revert", "verify"):
        files = {p.stem for p in (FOLDER / kind).glob("*.sql")}
        assert files == set(names), kind


def test_deploy_verify_revert_and_deploy_again(sqitch):
    empty = sqitch.dump()
    sqitch("deploy", "--verify")
    assert sqitch.deployed() == changes()
    sqitch("verify")
    first = sqitch.dump()
    assert "CREATE TABLE" in first
    sqitch("revert", "-y")
    assert sqitch.deployed() == []
    assert without_grants(sqitch.dump()) == without_grants(empty)
    sqitch("deploy", "--verify")
    sqitch("verify")
    assert sqitch.dump() == first


def test_each_change_can_be_taken_back_alone(sqitch):
    names = changes()
    sqitch("deploy")
    for back in range(len(names) - 1, 0, -1):
        sqitch("revert", "-y", "--to", names[back - 1])
        assert sqitch.deployed() == names[:back]
        sqitch.verify(names[:back])
    sqitch("deploy", "--verify")
    assert sqitch.deployed() == names


def test_the_roles_own_nothing(sqitch):
    sqitch("deploy")
    owned = sqitch.cluster.sql(sqitch.database, """
        SELECT c.relname, r.rolname FROM pg_class c
        JOIN pg_roles r ON r.oid = c.relowner
        WHERE r.rolname IN ('latchkey_app', 'latchkey_courier')""")
    assert owned == []
    for role in ("latchkey_app", "latchkey_courier"):
        for what in ("TABLE public.x ()", "SCHEMA x", "TEMPORARY TABLE x ()"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                sqitch.cluster.sql(sqitch.database, f"CREATE {what}",
                                   role=role)


def without_grants(dump):
    """Statements only.  Grants on the schema public may stay: they let nobody
    see anything."""
    return [line for line in dump.splitlines() if line
            and not line.startswith("--")
            and not re.match(r"(GRANT|REVOKE) .* ON SCHEMA public ", line)]


def test_audit_rows_from_before_the_chains_are_chained(sqitch):
    sqitch("deploy", "--to", "seatings")
    sqitch.cluster.sql(sqitch.database, """
        SELECT count(audit_write(CASE WHEN n % 3 > 0 THEN
          '0189aaaa-0000-7000-8000-00000000000a'::uuid END, 'system', NULL,
          'key.shown', 'subscription', '0189aaaa-0000-7000-8000-00000000000b',
          jsonb_build_object('n', n))) FROM generate_series(1, 30) AS n""")
    sqitch("deploy", "--verify")
    assert sqitch.cluster.sql(sqitch.database, "SELECT count(*) FROM "
                              "audit_link") == [(30,)]
    assert "30 rows in 11 chains" in sqitch.cluster.ctl(
        sqitch.database, "audit", "verify")
