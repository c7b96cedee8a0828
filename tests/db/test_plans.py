"""Every list among a hundred thousand rows: the statements of all slices are
read out of the source as the compiler sees it, prepared on a database that was
filled by tests/load, and explained as the portal runs them, for any
parameters.  None may read a large table from end to end, and none may sort
more than a page or a search can hold."""

import json
import re
import subprocess

import pytest
from lib.base import ROOT
from load.load import World, load

WORLD = World(tenants=15_000, accounts=45_000, past=120_000, open=5_000)
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE=1", "-D_FILE_OFFSET_BITS=64", "-Iapp",
         "-isystem", "/usr/include/postgresql", "-include", "base/banned.h"]
QUERY = re.compile(r'static const struct db_query \w+ = \{\s*"(\w+)"\s*,'
                   r'\s*((?:"(?:\\.|[^"\\])*"\s*)+)\}')
LITERAL = re.compile(r'"((?:\\.|[^"\\])*)"')
ESCAPES = {"n": "\n", "t": "\t"}
WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|pg_notify)\b")
# Few rows by what they are: what is offered, what a person may have of it, or
# one of each, or of each process that runs.
SMALL = {"product", "product_resource", "product_terms", "canned_reason",
         "public_mail_domain", "sealed_key", "signing_key", "changes", "job",
         "key_holder"}
# What is meant to go through a whole table, and why.
WHOLE = {
    "ctl_keys": "counts what each version of a key has sealed, for operators",
    "ctl_subscriptions": "prints all, for operators",
    "tenant_count": "stops at 1,001, and nearly every row counts",
}
# Rows that a page, its facts, or a bounded search may put in order.
SORTED_MAX = 5_000


def statements(build):
    """{name: text} of every DB_QUERY."""
    found = {}
    for path in sorted((ROOT / "app").glob("*/*_db.c")):
        text = subprocess.run(
            ["gcc", "-E", "-P", *FLAGS, f"-I{build}", str(path)], cwd=ROOT,
            text=True, capture_output=True, check=True).stdout
        wanted = len(re.findall(r"\bDB_QUERY\(", path.read_text()))
        here = QUERY.findall(text)
        assert len(here) >= wanted, f"{path}: {len(here)} of {wanted} read"
        for name, literals in here:
            sql = "".join(LITERAL.findall(literals))
            found[name] = re.sub(
                r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), sql)
    return found


def is_list(sql):
    return not WRITES.search(sql) and re.search(r"\b(ORDER BY|LIMIT)\b", sql)


@pytest.fixture(scope="module")
def lists(build):
    found = {name: sql for name, sql in statements(build).items()
             if is_list(sql) and name not in WHOLE}
    assert len(found) > 30 and "queue_oldest" in found
    return found


@pytest.fixture(scope="module")
def cursor(cluster):
    database = cluster.database("demo")
    connection = cluster.connect(database)
    load(connection, WORLD)
    # A year of calls, a tenth of them refused, and a day by the hour.
    with connection.cursor() as one:
        one.execute("""
            WITH s AS (SELECT id FROM subscription),
            days AS (INSERT INTO usage_day SELECT s.id, current_date - d * 15,
                    s.id, o, 10 FROM s, generate_series(0, 23) AS d,
                    unnest(CASE WHEN d % 10 = 0
                        THEN ARRAY['allowed', 'rate_limited']
                        ELSE ARRAY['allowed'] END) AS o),
            hours AS (INSERT INTO usage_hour SELECT s.id,
                    date_trunc('hour', now()) - h * interval '1 hour', s.id,
                    'allowed', 10 FROM s, generate_series(0, 23) AS h)
            INSERT INTO usage_count SELECT s.id, current_date, 10,
                date_trunc('month', current_date), 10 FROM s""")
        one.execute("ANALYZE usage_day, usage_hour, usage_count")
    with connection.cursor() as one:
        one.execute("SET plan_cache_mode = force_generic_plan")
        one.execute("SET jit = off")
        yield one
    connection.close()
    cluster.drop(database)


def plan(cursor, sql):
    cursor.execute(f"PREPARE q AS {sql}")
    try:
        cursor.execute("SELECT cardinality(parameter_types) FROM "
                       "pg_prepared_statements WHERE name = 'q'")
        count = cursor.fetchone()[0]
        call = f"({', '.join(['NULL'] * count)})" if count else ""
        cursor.execute(f"EXPLAIN (FORMAT json) EXECUTE q{call}")
        found = cursor.fetchone()[0]
        if isinstance(found, str):
            found = json.loads(found)
        return found[0]["Plan"]
    finally:
        cursor.execute("DEALLOCATE q")


def nodes(tree):
    yield tree
    for below in tree.get("Plans", []):
        yield from nodes(below)


def test_no_list_reads_a_table_from_end_to_end(cursor, lists):
    """Where an index could serve, the planner is made to take it; what is
    left has none."""
    cursor.execute("SET enable_seqscan = off")
    try:
        bad = {name: node["Relation Name"] for name, sql in lists.items()
               for node in nodes(plan(cursor, sql))
               if node["Node Type"] == "Seq Scan"
               and node["Relation Name"] not in SMALL}
    finally:
        cursor.execute("RESET enable_seqscan")
    assert not bad, f"no index for: {bad}"


def test_no_list_chooses_to_among_many_rows(cursor, lists):
    """As it is planned with the statistics of tables that are full."""
    cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' "
                   "AND reltuples > 2000")
    large = {row[0] for row in cursor.fetchall()}
    assert {"account", "tenant", "request", "usage_day", "usage_hour",
            "usage_count"} <= large
    bad = {name: node["Relation Name"] for name, sql in lists.items()
           for node in nodes(plan(cursor, sql))
           if node["Node Type"] == "Seq Scan"
           and node["Relation Name"] in large}
    assert not bad, f"read from end to end: {bad}"


def test_no_list_sorts_many_rows(cursor, lists):
    bad = {name: int(node["Plans"][0]["Plan Rows"])
           for name, sql in lists.items() for node in nodes(plan(cursor, sql))
           if node["Node Type"] == "Sort"
           and node["Plans"][0]["Plan Rows"] > SORTED_MAX}
    assert not bad, f"rows that are sorted: {bad}"


def test_the_check_finds_faults(cursor):
    """It would see what it is there for."""
    slow = plan(cursor, "SELECT id FROM request WHERE reason = $1 "
                        "ORDER BY reason, decided_at LIMIT 10")
    assert "Seq Scan" in {node["Node Type"] for node in nodes(slow)}
    sort = plan(cursor, "SELECT id FROM request WHERE standing <> $1 "
                        "ORDER BY reason LIMIT 10")
    assert any(node["Node Type"] == "Sort"
               and node["Plans"][0]["Plan Rows"] > SORTED_MAX
               for node in nodes(sort))
