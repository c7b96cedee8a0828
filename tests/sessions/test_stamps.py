"""What workers keep of a session must be under a stamp: every table that the
kept statements read has a trigger that raises it (migrations/stamps)."""

import contextlib
import json
import re
import subprocess

import pytest

from lib import base

KEPT = {"session_find": "app/sessions/session_db.c",
        "profile_read": "app/profile/profile_db.c"}


def statement(name):
    """The text that the compiler sees, with its macros."""
    source = subprocess.run(
        ["cc", "-E", "-P", "-Iapp", "-D_GNU_SOURCE", KEPT[name]],
        cwd=base.ROOT, text=True, capture_output=True, check=True).stdout
    body = re.search(rf'{name} = {{ "{name}",(.*?)}};', source, re.S)[1]
    return "".join(json.loads(text)
                   for text in re.findall(r'"(?:\\.|[^"\\])*"', body))


def relations(plan):
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan["Relation Name"]
        plan = list(plan.values())
    for part in plan if isinstance(plan, list) else ():
        yield from relations(part)


@pytest.mark.parametrize("name", KEPT)
def test_tables_of_what_is_kept_have_stamps(cluster, name):
    sql = statement(name)
    arguments = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
    database = cluster.database("bare")
    with contextlib.closing(cluster.connect(database)) as db, \
            db.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE kept AS {sql}")
        cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE kept({arguments})")
        read = set(relations(cursor.fetchone()[0]))
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger "
                       "WHERE tgname = 'stamp'")
        stamped = {row[0] for row in cursor}
    cluster.drop(database)
    assert "person" in read, sql
    # Read anew with every request.
    assert read - stamped - {"session", "notice"} == set()
