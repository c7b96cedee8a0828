"""A database or a key that is not the portal's: it refuses to serve, says so
once, and goes on by itself as soon as it can."""

import base64
import os

import pytest

from lib import flows
from lib.base import tail, wait_until


def refuses(portal):
    return portal.client().get("/readyz").status == 503


def lines(portal, event):
    return [e for e in portal.log() if e["event"] == event]


def check_refusal(portal):
    """Every page is ours, 503 and at once; the process itself is well."""
    client = portal.client()
    assert client.get("/livez").status == 200
    for path in ("/", "/signin", "/profile"):
        answer = client.get(path).expect(503)
        assert answer.headers["Retry-After"] == "2"
        assert "<h1" in answer.text
    assert client.get("/assets/none").status == 404


NEWER = """
    INSERT INTO sqitch.changes (change_id, script_hash, change, project, note,
        committed_at, committer_name, committer_email, planned_at,
        planner_name, planner_email)
    SELECT %s, NULL, 'newer', project, '', clock_timestamp(), '', '',
        planned_at, '', '' FROM sqitch.changes LIMIT 1"""


@pytest.mark.parametrize("strike", ["newer", "another", "not readable"])
def test_schema_changes_under_a_portal_that_runs(make_server, strike):
    """Strikes between two requests, while all connections stand."""
    portal = make_server(workers=1)
    browser = flows.contact(portal)
    browser.get("/profile").expect(200)
    id_ = "f" * 40
    newest = portal.sql("SELECT change_id FROM sqitch.changes "
                        "ORDER BY committed_at DESC LIMIT 1")[0][0]
    if strike == "newer":
        portal.sql(NEWER, [id_])
    elif strike == "another":
        portal.sql("UPDATE sqitch.changes SET change_id = %s "
                   "WHERE change_id = %s", [id_, newest])
    else:
        portal.sql("REVOKE SELECT ON sqitch.changes FROM latchkey_app")
    wait_until(lambda: refuses(portal), 6, "/readyz 503")
    check_refusal(portal)
    # It goes on asking: the line comes once, not with each try.
    tries = connections(portal)
    wait_until(lambda: connections(portal) > tries + 3, 10, "further tries")
    assert len(lines(portal, "schema_mismatch")) == 1, portal.raw_log()
    assert lines(portal, "schema_mismatch")[0]["level"] == "error"
    verbose = portal.client().get("/readyz?verbose").text
    assert "schema differs" in verbose

    if strike == "newer":
        portal.sql("DELETE FROM sqitch.changes WHERE change_id = %s", [id_])
    elif strike == "another":
        portal.sql("UPDATE sqitch.changes SET change_id = %s "
                   "WHERE change_id = %s", [newest, id_])
    else:
        portal.sql("GRANT SELECT ON sqitch.changes TO latchkey_app")
    wait_until(portal.is_ready, 5, "/readyz 200 without a restart")
    browser.get("/profile").expect(200)


def connections(portal):
    """Connections to the database so far, as the server counts them."""
    return portal.cluster.sql(
        "postgres", "SELECT sessions FROM pg_stat_database WHERE datname = %s",
        [portal.database])[0][0]


@pytest.mark.parametrize("template", ["empty", "bare"])
def test_start_before_the_database_is_prepared(make_server, template):
    """Nothing deployed yet, or deployed and without keys; then it is."""
    portal = make_server(template=template, courier=False, wait=False)
    wait_until(lambda: is_alive(portal), 10, "/livez")
    event = "schema_mismatch" if template == "empty" else "keys_closed"
    wait_until(lambda: lines(portal, event), 10, f"{event} in the log")
    assert refuses(portal)
    check_refusal(portal)
    if template == "empty":
        portal.cluster.pgctl("migrate", portal.database)
    portal.ctl("init")
    portal.wait_ready(10)
    assert len(lines(portal, event)) == 1
    portal.client().get("/signin").expect(200)


def is_alive(portal):
    try:
        return portal.client().get("/livez").status == 200
    except OSError:
        return False


def key_line(version=1):
    return f"{version}:{base64.b64encode(os.urandom(32)).decode()}\n"


def test_another_master_key(make_server, cluster):
    """The file is well formed and opens nothing: portal and courier don't
    start, with one line that says so."""
    cluster.template("demo")
    portal = make_server(courier=False)
    portal.stop_portal()
    portal.master_key.write_text(key_line())
    (portal.dir / "portal.log").write_text("")
    portal.start_portal(wait=False)
    process, portal.portal = portal.portal, None
    assert process.wait(10) == 2
    line, = portal.raw_log().strip().splitlines()
    assert line.startswith("latchkey: LATCHKEY_MASTER_KEY_FILE: ")
    assert "another installation's" in line
    portal.start_courier()
    process, portal.courier = portal.courier, None
    assert process.wait(10) not in (0, None)
    assert "another installation's" in portal.raw_log("courier")


def test_another_master_key_while_the_database_is_away(make_server,
                                                       own_cluster):
    """Nobody can say so at the start: workers do, in one line, and /readyz
    with 503, until the file is the right one."""
    own_cluster.template("demo")
    portal = make_server(on=own_cluster, courier=False)
    portal.stop_portal()
    right = portal.master_key.read_text()
    own_cluster.stop()
    portal.master_key.write_text(key_line())
    portal.start_portal(wait=False)
    wait_until(lambda: is_alive(portal), 10)
    own_cluster.start()
    wait_until(lambda: lines(portal, "keys_closed"), 10,
               "keys_closed in the log")
    assert refuses(portal)
    check_refusal(portal)
    assert "keys closed" in portal.client().get("/readyz?verbose").text
    assert len(lines(portal, "keys_closed")) == 1
    portal.master_key.write_text(right)
    portal.wait_ready()


@pytest.mark.parametrize("content, mode", [
    (None, 0o600), ("", 0o600), ("1:short\n", 0o600), ("rubbish", 0o600),
    ("right", 0o644),
])
def test_master_key_file_that_is_none(make_server, content, mode):
    """Portal and courier don't start, with one line that names it."""
    portal = make_server(courier=False)
    portal.stop_portal()
    if content is None:
        portal.master_key.unlink()
    else:
        portal.master_key.write_text(key_line() if content == "right"
                                     else content)
        portal.master_key.chmod(mode)
    (portal.dir / "portal.log").write_text("")
    portal.start_portal(wait=False)
    process, portal.portal = portal.portal, None
    assert process.wait(10) not in (0, None), tail(portal.dir / "portal.log")
    said = portal.raw_log().strip().splitlines()
    assert len(said) == 1 and "LATCHKEY_MASTER_KEY_FILE" in said[0], said
    portal.start_courier()
    process, portal.courier = portal.courier, None
    assert process.wait(10) not in (0, None)
    said = portal.raw_log("courier").strip().splitlines()
    assert len(said) == 1 and "LATCHKEY_MASTER_KEY_FILE" in said[0], said
