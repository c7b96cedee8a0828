"""New versions of master and data keys while portal and courier serve."""

import base64
import json
import os
import re
import signal
import subprocess

import pytest

from lib import flows
from lib.base import clean_env, wait_until
from lib.server import Background, Server

TABLES = ("subscription_key", "totp", "signing_key")


def master_versions(server):
    return [int(line.split(":")[0])
            for line in server.master_key.read_text().splitlines()
            if line and not line.startswith("#")]


def keys(server):
    return server.sql("SELECT kind, version, master_version, active_at IS NOT "
                      "NULL FROM sealed_key ORDER BY kind, version")


def rows(server):
    """What stands on which data key."""
    found = {}
    for table in TABLES:
        for version, number in server.sql(
                f"SELECT data_version, count(*) FROM {table} GROUP BY 1"):
            found[version] = found.get(version, 0) + number
    return found


def macs(server):
    return server.sql("SELECT id, mac, prefix_mac, mac_version, last4 "
                      "FROM subscription_key ORDER BY id")


def holders(server):
    return server.sql(
        "SELECT program, master_version, data_version, seals_under "
        "FROM key_holder WHERE alive_until > now() ORDER BY program, pid")


def wait_for_holders(server, n=3):
    """Two workers and a courier have said which keys they have."""
    wait_until(lambda: len(holders(server)) == n, 20, "all report")


def ready_for_retirement(server):
    server.sql("UPDATE sealed_key SET active_at = active_at - interval "
               "'2 hours'")


@pytest.fixture(scope="module")
def two(cluster):
    one = Server(cluster, workers=2)
    one.owner, one.keeper = flows.client_with_key(one)
    yield one
    one.close()


def shown(owner):
    return flows.show_key(owner), flows.show_key(owner, "secondary")


def shown_by_now(owner):
    """None: 503, which a worker may answer once more when its database is
    back."""
    try:
        return shown(owner)
    except AssertionError:
        return None


def test_master_key(two):
    wait_for_holders(two)
    before, hashes = shown(two.owner), macs(two)
    old = max(master_versions(two))
    out = two.ctl("master-key", "rotate").stdout
    assert f"made master key {old + 1}" in out
    assert master_versions(two) == [*range(1, old + 2)]
    assert two.master_key.stat().st_mode & 0o777 == 0o600
    assert {row[2] for row in keys(two)} == {old + 1}
    assert {row[1] for row in holders(two)} == {old + 1}
    assert shown(two.owner) == before and macs(two) == hashes
    assert two.sql("SELECT detail FROM audit WHERE action = "
                   "'vault.master_rotated' ORDER BY id DESC LIMIT 1"
                   )[0][0] == {"version": old + 1}
    # Old ones go from the file only; nobody misses them.
    out = two.ctl("master-key", "retire").stdout
    assert master_versions(two) == [old + 1]
    assert "#" in two.master_key.read_text(), "comments stay"
    wait_until(lambda: {row[1] for row in holders(two)} == {old + 1}, 10,
               "they read it again")
    assert shown(two.owner) == before
    assert "BAD" not in two.ctl("doctor").stdout
    two.stop_portal()
    two.start_portal()
    assert shown(two.owner) == before
    wait_for_holders(two)


def test_hang_up_reads_the_file_again(two):
    """A key that nobody stands on yet, added by hand, and one broken line."""
    wait_for_holders(two)
    right = two.master_key.read_text()
    newest = max(master_versions(two))
    line = f"{newest + 1}:{base64.b64encode(os.urandom(32)).decode()}\n"
    two.master_key.write_text(right + "rubbish\n")
    two.portal.send_signal(signal.SIGHUP)
    two.courier.send_signal(signal.SIGHUP)
    for name in ("portal", "courier"):
        wait_until(lambda: any(row["event"] == "keys_stuck"
                               for row in two.log(name)), 10, "keys_stuck")
    assert two.client().get("/readyz").status == 200
    assert {row[1] for row in holders(two)} == {newest}
    two.master_key.write_text(right + line)
    two.portal.send_signal(signal.SIGHUP)
    two.courier.send_signal(signal.SIGHUP)
    wait_until(lambda: {row[1] for row in holders(two)} == {newest + 1}, 10,
               "the new one is read")
    # rotate takes the one that is there.
    out = two.ctl("master-key", "rotate").stdout
    assert "going on" in out and master_versions(two)[-1] == newest + 1
    assert {row[2] for row in keys(two)} == {newest + 1}
    assert two.client().get("/livez").status == 200


def test_another_machine_that_has_not_the_file(two):
    """It is waited for while it counts as running, and named."""
    wait_for_holders(two)
    before = keys(two)
    two.sql("INSERT INTO key_holder VALUES (gen_random_uuid(), 'portal', "
            "'web2', 4711, 1, 1, 1, now() + interval '1 hour')")
    try:
        two.sql("UPDATE key_holder SET master_version = 0 "
                "WHERE host = 'web2'")
        done = two.ctl("master-key", "rotate", "--wait", "5", check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert "portal 4711 on web2" in done.stderr
        assert "copy the master key file there" in done.stderr
        assert keys(two) == before
        assert re.search(r"BAD +portal +4711 on web2 has master key 0",
                         two.ctl("doctor", check=False).stdout)
        done = two.ctl("data-key", "rotate", "--wait", "1", check=False)
        assert done.returncode == 1 and "master-key rotate" in done.stderr
        assert keys(two) == before
        done = two.ctl("master-key", "retire", "--wait", "0", check=False)
        assert done.returncode == 1
        # Crashed: it does not count any more.
        two.sql("UPDATE key_holder SET alive_until = now() "
                "WHERE host = 'web2'")
        assert "going on" in two.ctl("master-key", "rotate").stdout
        assert {row[2] for row in keys(two)} == {max(master_versions(two))}
    finally:
        two.sql("DELETE FROM key_holder WHERE host = 'web2'")


def test_data_key(two):
    wait_for_holders(two)
    before, hashes, start = shown(two.owner), macs(two), rows(two)
    (old, n), = start.items()
    out = two.ctl("data-key", "rotate").stdout
    assert f"made data key {old + 1}" in out
    assert f"{n} of {n} rows" in out
    assert rows(two) == {old + 1: n}
    assert shown(two.owner) == before and macs(two) == hashes
    assert {row[3] for row in holders(two)} == {old + 1}
    # What is new stands on it: nobody needed a restart.
    flows.client_with_key(two, f"NEW{old}", f"New {old} Co")
    assert rows(two) == {old + 1: n + 2}
    found = json.loads(two.ctl("doctor", "--json").stdout)
    data = {one["version"]: one["rows"] for one in found
            if one.get("kind") == "data"}
    assert data == {old: 0, old + 1: n + 2}
    assert f"data {old} (not for new rows)" in two.ctl("doctor").stdout
    # Forms that are open may still need the old one.
    done = two.ctl("data-key", "retire", check=False)
    assert done.returncode == 1 and "less than an hour" in done.stderr
    ready_for_retirement(two)
    assert f"took data key {old} away" in two.ctl("data-key", "retire").stdout
    assert [row[1] for row in keys(two) if row[0] == "data"] == [old + 1]
    assert shown(two.owner) == before
    assert "only one" in two.ctl("data-key", "retire", check=False).stderr


def test_a_row_keeps_its_data_key(two):
    """The database refuses to take away what a row stands on, and a row on
    what is not there."""
    with pytest.raises(Exception, match="subscription_key_data|totp_data"):
        two.sql("DELETE FROM sealed_key WHERE kind = 'data'")
    with pytest.raises(Exception, match="subscription_key_data"):
        two.sql("UPDATE subscription_key SET sealed = '\\x0100000063' || "
                "substr(sealed, 6)")


def test_a_row_that_does_not_open_stays(two):
    """It is named, all others go on, and its key is not taken away."""
    (version, n), = rows(two).items()
    (row, sealed), = two.sql(
        "SELECT id, sealed FROM subscription_key ORDER BY id LIMIT 1")
    two.sql("UPDATE subscription_key SET sealed = (SELECT sealed FROM "
            "subscription_key ORDER BY id DESC LIMIT 1) WHERE id = %s", (row,))
    try:
        done = two.ctl("data-key", "rotate", check=False)
        assert done.returncode == 1 and str(row) in done.stderr
        assert rows(two) == {version: 1, version + 1: n - 1}
        ready_for_retirement(two)
        assert two.ctl("data-key", "retire", check=False).returncode == 1
        assert version in [one[1] for one in keys(two)]
    finally:
        two.sql("UPDATE subscription_key SET sealed = %s WHERE id = %s",
                (sealed, row))
    assert "going on" in two.ctl("data-key", "rotate").stdout
    assert rows(two) == {version + 1: n}


def start_rotation(server):
    return subprocess.Popen(
        [server.build / "latchkeyctl", "data-key", "rotate"],
        env=clean_env(**server.settings), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


def fill(server, clients):
    """So many clients with a pair of keys each, as taken over."""
    made = server.sql("SELECT count(*) FROM tenant")[0][0]
    lines = ["tenant,product,name,state,primary,secondary"]
    for n in range(made, made + clients):
        flows.add_tenant(server, f"F{n}", f"Filler {n}")
        pair = (os.urandom(16).hex() for _ in range(2))
        lines.append(f"F{n},revio-api,Filler {n}-KEY,active,"
                     + ",".join(pair))
    path = server.dir / "fill.csv"
    path.write_text("\n".join(lines) + "\n")
    server.ctl("subscription", "import", str(path))


def test_killed_anywhere_and_with_others_at_work(two):
    """kill -9 at many moments, while somebody regenerates: run again, it
    goes on, and every key opens as it was."""
    fill(two, 400)
    wait_for_holders(two)
    hashes = {row[0]: row for row in macs(two)}

    def regenerate(_, stop):
        while not stop.is_set():
            page = two.owner.get("/profile").expect(200)
            path = re.search(r'"(/subscriptions/[0-9a-f-]{36})"', page.text)[1]
            page = two.owner.get(path).expect(200)
            answer = two.owner.submit(page, {"overlap": "0"},
                                      "/primary/regenerate$")
            answer.expect(200)

    work = Background(regenerate)
    try:
        for step in range(12):
            process = start_rotation(two)
            moved = rows(two)
            if step < 10:
                wait_until(lambda: process.poll() is not None
                           or rows(two) != moved, 30, "something moved")
                process.kill()
            process.communicate(timeout=60)
    finally:
        work.join()
    out = two.ctl("data-key", "rotate").stdout
    newest = two.sql("SELECT max(data_version) FROM sealed_key")[0][0]
    assert set(rows(two)) == {newest}, out
    now = {row[0]: row for row in macs(two)}
    assert all(now[key] == row for key, row in hashes.items())
    assert len(shown(two.owner)[0]) == 32
    found = json.loads(two.ctl("doctor", "--json").stdout)
    assert all(one["ok"] for one in found)


def test_the_database_goes_in_the_middle(own_cluster):
    """Stopped and killed: the command says so and ends; when the database is
    back, run again, it goes on, and every key opens as it was."""
    server = Server(own_cluster, workers=2)
    try:
        owner, _ = flows.client_with_key(server)
        fill(server, 200)
        before, hashes = shown(owner), macs(server)
        (old, n), = rows(server).items()
        server.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql "
                   "AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$")
        for strike in (own_cluster.stop, own_cluster.kill):
            # So that there is a middle.
            server.sql("CREATE TRIGGER slow BEFORE UPDATE ON subscription_key "
                       "FOR EACH STATEMENT EXECUTE FUNCTION slow()")
            wait_for_holders(server)
            process = start_rotation(server)
            wait_until(lambda: len(rows(server)) == 2, 60, "the first rows")
            strike()
            _, said = process.communicate(timeout=60)
            assert process.returncode == 1 and said.count("\n") == 1, said
            own_cluster.start()
            assert set(rows(server)) == {old, old + 1}
            server.sql("DROP TRIGGER slow ON subscription_key")
            wait_until(lambda: shown_by_now(owner) == before, 20,
                       "each worker to have found the database again")
            assert "going on" in server.ctl("data-key", "rotate").stdout
            old += 1
            assert rows(server) == {old: n}
            wait_until(lambda: shown_by_now(owner) == before, 20,
                       "every key to open as it was")
            assert macs(server) == hashes
        found = json.loads(server.ctl("doctor", "--json").stdout)
        assert all(one["ok"] for one in found)
    finally:
        server.close()


def test_two_at_once(two):
    """One works, the other is told; nothing is made twice."""
    wait_for_holders(two)
    before = two.sql("SELECT max(data_version) FROM sealed_key")[0][0]
    lock = two.cluster.connect(two.database)
    try:
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7017031105)")
        for words in (("data-key", "rotate"), ("master-key", "rotate"),
                      ("data-key", "retire"), ("master-key", "retire")):
            done = two.ctl(*words, check=False)
            assert done.returncode == 1
            assert "another rotation runs" in done.stderr
    finally:
        lock.close()
    both = [start_rotation(two) for _ in range(2)]
    said = [one.communicate(timeout=120) for one in both]
    codes = sorted(one.returncode for one in both)
    assert codes in ([0, 1], [0, 0]), said
    newest = two.sql("SELECT max(data_version) FROM sealed_key")[0][0]
    assert newest == before + codes.count(0)
    assert set(rows(two)) == {newest}


def test_portal_that_starts_in_the_middle(two):
    """Workers that begin while a rotation waits or runs hear of it."""
    process = start_rotation(two)
    two.stop_portal()
    two.start_portal()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert len(shown(two.owner)[0]) == 32
    for worker in two.workers():
        os.kill(worker, signal.SIGKILL)
    two.wait_ready()
    process = start_rotation(two)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert len(shown(two.owner)[0]) == 32
