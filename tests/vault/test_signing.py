"""Keys that sign access tokens: sealed, made anew while the portal serves, and
carried by the rotations of the keys that they are sealed under."""

import json

import pytest

from lib.base import wait_until
from lib.server import Server


@pytest.fixture(scope="module")
def one(cluster):
    server = Server(cluster)
    yield server
    server.close()


def rows(server):
    """(kid, alg, seconds until it signs, and until it ends)"""
    return server.sql(
        "SELECT kid, alg, extract(epoch FROM signs_at - now())::int, "
        "extract(epoch FROM ends_at - now())::int FROM signing_key "
        "ORDER BY ends_at, signs_at, id")


def doctor(server):
    found = json.loads(server.ctl("doctor", "--json", check=False).stdout)
    assert all(entry["ok"] for entry in found), found
    return {entry["kid"]: entry["state"] for entry in found
            if "kid" in entry}


def test_init_makes_one(one):
    (kid, alg, signs, ends), = rows(one)
    assert alg == "ES256" and signs <= 0 and ends is None
    one.ctl("init")
    assert [row[0] for row in rows(one)] == [kid]
    assert doctor(one) == {kid: "signs"}


def test_rotate_overlaps(one):
    (old, *_), = rows(one)
    out = one.ctl("signing-key", "rotate").stdout
    (kid, _, signs, ends), (new, alg, publish, never) = rows(one)
    assert new in out and "signs in 600 seconds" in out
    # 600 until the new one signs, 900 that a token lasts, 120 to spare.
    assert kid == old and 1600 < ends <= 1620 and signs <= 0
    assert 580 < publish <= 600 and never is None and alg == "ES256"
    assert doctor(one) == {old: "signs", new: "next"}
    one.sql("UPDATE signing_key SET signs_at = now() WHERE kid = %s", (new,))
    assert doctor(one) == {old: "verifies", new: "signs"}
    assert one.sql("SELECT detail ->> 'kid' FROM audit WHERE action = "
                   "'vault.signing_rotated' ORDER BY id DESC LIMIT 1"
                   )[0][0] == new
    # What has ended goes with the next.
    one.sql("UPDATE signing_key SET ends_at = now() WHERE kid = %s", (old,))
    assert doctor(one) == {old: "ended", new: "signs"}
    one.ctl("signing-key", "rotate", "--publish", "0")
    kids = [row[0] for row in rows(one)]
    assert old not in kids and len(kids) == 2


def test_rotate_now_ends_all_others(one):
    one.ctl("signing-key", "rotate", "--publish", "60")
    out = one.ctl("signing-key", "rotate", "--now").stdout
    *others, (newest, _, signs, ends) = rows(one)
    assert newest in out and signs <= 0 and ends is None
    assert len(others) >= 2 and all(row[3] <= 0 for row in others)
    assert doctor(one)[newest] == "signs"
    assert set(doctor(one).values()) == {"signs", "ended"}


def test_algorithm_is_a_setting(one):
    one.settings["LATCHKEY_TOKEN_ALG"] = "RS256"
    try:
        assert "run latchkeyctl signing-key rotate" in one.ctl(
            "doctor").stdout
        one.ctl("signing-key", "rotate", "--now")
        assert rows(one)[-1][1] == "RS256"
        assert "LATCHKEY_TOKEN_ALG" not in one.ctl("doctor").stdout
    finally:
        del one.settings["LATCHKEY_TOKEN_ALG"]


def test_no_more_than_sixteen(one):
    one.sql("DELETE FROM signing_key")
    for _ in range(16):
        one.ctl("signing-key", "rotate", "--publish", "0")
    before = rows(one)
    done = one.ctl("signing-key", "rotate", check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert [row[0] for row in rows(one)] == [row[0] for row in before]
    one.ctl("signing-key", "rotate", "--now")
    for words in (["--publish", "-1"], ["--publish", "1", "--now"], ["x"]):
        assert one.ctl("signing-key", "rotate", *words,
                       check=False).returncode == 2


def test_carried_by_the_keys_they_are_sealed_under(one):
    one.sql("DELETE FROM signing_key")
    one.ctl("init")
    (kid, *_), = rows(one)
    wait_until(lambda: one.sql("SELECT count(*) FROM key_holder WHERE "
                               "alive_until > now()")[0][0] == 2, 20,
               "portal and courier report")
    before = one.sql("SELECT sealed, data_version FROM signing_key")
    one.ctl("master-key", "rotate")
    assert doctor(one) == {kid: "signs"}
    one.ctl("data-key", "rotate")
    after = one.sql("SELECT sealed, data_version FROM signing_key")
    assert after[0][1] == before[0][1] + 1
    assert bytes(after[0][0]) != bytes(before[0][0])
    one.sql("UPDATE sealed_key SET active_at = active_at - interval "
            "'2 hours'")
    one.ctl("data-key", "retire")
    one.ctl("master-key", "retire")
    assert doctor(one) == {kid: "signs"}


def test_a_row_that_was_changed(one):
    one.sql("UPDATE signing_key SET id = gen_random_uuid()")
    done = one.ctl("doctor", check=False)
    assert done.returncode == 1
    assert "BAD   signing     1 keys do not open" in done.stdout
    one.sql("DELETE FROM signing_key")
    assert "run latchkeyctl init" in one.ctl("doctor", check=False).stdout
    one.ctl("init")
    doctor(one)
