"""Calls that are sent again, two at once, and what is no call: bodies that are
too large, too deep, said twice or of another type; too many; and the database
away."""

import itertools
import json
import threading
from contextlib import closing

import pytest
from lib import flows
from lib.base import wait_until

from api.world import Api, api_of


def user_body(world, name):
    roles = {r["name"]: r["id"] for r in
             world.api["manager"].get("/api-roles").json["items"]}
    return {"username": name, "vendor": name.title(), "integration": "Sync",
            "roles": [roles["Read-only"]]}


def test_the_same_again(world):
    """The same answer, one request; something else under the key is told; a
    key is one token's."""
    api = api_of(world.server, flows.contact(world.server, client="Again "
                                             "Works"))
    body = {"product": "revio-api", "name": "Again Works-KEY"}
    headers = {"Idempotency-Key": "again-1"}
    first = api.post("/requests", body, headers=headers).expect(201)
    again = api.post("/requests", body, headers=headers).expect(201)
    assert again.json == first.json
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert world.one("SELECT count(*) FROM request WHERE name = %s",
                     body["name"]) == 1
    api.fails("POST", "/requests", 422, "key_reused",
              {**body, "name": "Other Again-KEY"}, headers=headers)
    api.fails("POST", f"/requests/{first.json['id']}/withdraw", 422,
              "key_reused", headers=headers)
    other = world.api["stranger"].post("/requests", body, headers=headers)
    assert "Idempotency-Replayed" not in other.headers


def test_a_refusal_again(world):
    """A refusal is an answer as well; it is the same, though the world has
    changed."""
    api, headers = world.api["owner"], {"Idempotency-Key": "refused"}
    body = {"product": "revio-api", "name": "bad name"}
    first = api.fails("POST", "/requests", 422, "invalid", body,
                      headers=headers)
    again = api.fails("POST", "/requests", 422, "invalid", body,
                      headers=headers)
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_secret_is_not_shown_again(world):
    api, body = world.api["manager"], user_body(world, "AGAIN")
    headers = {"Idempotency-Key": "secret-1"}
    made = api.post("/api-users", body, headers=headers).expect(201)
    secret = made.json["password"]
    answer = api.fails("POST", "/api-users", 409, "already_revealed", body,
                       headers=headers)
    assert secret not in answer.text
    assert world.one("SELECT count(*) FROM api_user WHERE username = "
                     "'AGAIN'") == 1
    # Nor is it kept.
    assert world.one("SELECT count(*) FROM api_replay WHERE body LIKE %s",
                     f"%{secret}%") == 0
    path = f"{world.path}/keys/secondary/regenerate"
    headers = {"Idempotency-Key": "secret-2",
               "If-Match": f'"{world.key_id("secondary")}"'}
    api.post(path, {"overlap_s": 3600}, headers=headers).expect(200)
    key = world.key_id("secondary")
    api.fails("POST", path, 409, "already_revealed", {"overlap_s": 3600},
              headers=headers)
    assert world.key_id("secondary") == key


def test_two_at_once(world):
    """Sixteen with one key: one is done, the others hear that it runs or
    that its secret was shown."""
    token, body = world.api["manager"].token, user_body(world, "ATONCE")
    heard, gate = [], threading.Barrier(16)

    def call():
        api = Api(world.server, token)
        gate.wait()
        answer = api.post("/api-users", body,
                          headers={"Idempotency-Key": "at once"})
        heard.append((answer.status, getattr(answer, "code", "")))
    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 16 and heard.count((201, "")) == 1, heard
    assert set(heard) <= {(201, ""), (409, "in_progress"),
                          (409, "already_revealed")}, heard
    assert world.one("SELECT count(*) FROM api_user WHERE username = "
                     "'ATONCE'") == 1


@pytest.fixture
def breaks(world):
    """A call that may be made to break: (api, body, headers, how often it was
    done)."""
    name = f"Breaks {next(_numbers)}"
    api = api_of(world.server, flows.contact(world.server, client=name))
    return (api, {"product": "revio-api", "name": f"{name}-KEY"},
            {"Idempotency-Key": "breaks"},
            lambda: world.one("SELECT count(*) FROM request WHERE name = %s",
                              f"{name}-KEY"))


_numbers = itertools.count(1)


def test_what_broke_before_it_was_done_is_done_by_the_next(world, breaks):
    api, body, headers, done = breaks
    world.server.sql("ALTER TABLE request ADD CONSTRAINT later_rule CHECK "
                     "(name <> '%s') NOT VALID" % body["name"])
    try:
        api.fails("POST", "/requests", 500, "db_bug", body, headers=headers)
    finally:
        world.server.sql("ALTER TABLE request DROP CONSTRAINT later_rule")
    assert done() == 0
    first = api.post("/requests", body, headers=headers).expect(201)
    again = api.post("/requests", body, headers=headers).expect(201)
    assert again.json == first.json and done() == 1


def test_what_broke_after_it_was_done_is_not_done_again(world, breaks):
    api, body, headers, done = breaks
    world.server.sql("ALTER TABLE api_replay ADD CONSTRAINT later_rule CHECK "
                     "(status IS NULL) NOT VALID")
    try:
        api.fails("POST", "/requests", 500, "db_bug", body, headers=headers)
        assert done() == 1
        api.fails("POST", "/requests", 409, "in_progress", body,
                  headers=headers)
    finally:
        world.server.sql("ALTER TABLE api_replay DROP CONSTRAINT later_rule")
    api.fails("POST", "/requests", 409, "in_progress", body, headers=headers)
    assert done() == 1


def test_a_lock_is_waited_for_again_a_lost_answer_is_not(world, breaks):
    """Nobody knows what became of a write whose connection ended."""
    api, body, headers, done = breaks
    with closing(world.server.cluster.connect(
            world.server.database, "latchkey_owner")) as holder:
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE request IN EXCLUSIVE MODE")
        api.fails("POST", "/requests", 503, "db_busy", body, headers=headers)
        heard = []
        call = threading.Thread(target=lambda: heard.append(
            api.post("/requests", body, headers=headers)))
        call.start()
        wait_until(lambda: world.server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "application_name = 'latchkey' AND datname = current_database() "
            "AND wait_event_type = 'Lock'", role="postgres"), 10)
        call.join()
        assert (heard[0].status, heard[0].code) == (503, "db_unknown")
        holder.rollback()
    api.fails("POST", "/requests", 409, "in_progress", body, headers=headers)
    assert done() == 0


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_bad_keys(world, key):
    world.api["owner"].fails("POST", "/requests", 400, "bad_key",
                             {"product": "revio-api"},
                             headers={"Idempotency-Key": key})


@pytest.mark.parametrize("raw, type_, status, code", [
    ("name=Altaworx-KEY", "application/x-www-form-urlencoded", 415,
     "content_type"),
    ("{}", "text/plain", 415, "content_type"),
    ("{}", "application/jsonx", 415, "content_type"),
    ("{", "application/json", 400, "bad_json"),
    ("[]", "application/json", 400, "bad_json"),
    ("null", "application/json", 400, "bad_json"),
    ('{"name":"a","name":"b"}', "application/json", 400, "bad_json"),
    ('{"name":1.5}', "application/json", 400, "bad_json"),
    ('{"name":"\\u0000"}', "application/json", 400, "bad_json"),
    (b'{"name":"\xff"}', "application/json", 400, "bad_json"),
    ("[" * 60000, "application/json", 400, "bad_json"),
    ('{"a":' * 5 + "1" + "}" * 5, "application/json", 400, "bad_json"),
    (json.dumps({f"n{i}": i for i in range(600)}), "application/json", 400,
     "bad_json"),
    ('{"nothing":"such"}', "application/json", 422, "invalid"),
    ('{"name":["a"],"product":7}', "application/json", 422, "invalid"),
    ('{"name":"' + "x" * 200000 + '"}', "application/json", 413,
     "too_large"),
], ids=lambda value: repr(value)[:24])
def test_bad_bodies(world, raw, type_, status, code):
    before = world.one("SELECT count(*) FROM request")
    world.api["owner"].fails("POST", "/requests", status, code, raw=raw,
                             headers={"Content-Type": type_})
    assert world.one("SELECT count(*) FROM request") == before


def test_errors_below_api_are_problems(world):
    api = world.api["owner"]
    api.fails("GET", "/no-such-thing", 404, "not_found")
    answer = api.call("DELETE", "/me")
    assert answer.status == 405 and "GET" in answer.headers["Allow"]


def test_too_many(world):
    """Of one token; another is not held up by it."""
    api = api_of(world.server, world.people["member"], ["read"])
    other = api_of(world.server, world.people["manager"], ["read"])
    for _ in range(2000):
        answer = api.get("/me")
        if answer.status != 200:
            break
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1
    other.get("/me").expect(200)


def test_the_database_is_away(make_server, own_cluster):
    """A problem that says when to come again; the same token then counts
    again."""
    server = make_server(on=own_cluster)
    api = api_of(server, flows.contact(server, client="Away Works"), ["read"])
    api.get("/me").expect(200)
    own_cluster.stop()

    def away():
        return api.get("/me").status == 503
    wait_until(away, 10, "503")
    answer = api.get("/me")
    assert answer.status == 503 and answer.headers["Retry-After"] == "2"
    own_cluster.start()
    wait_until(lambda: api.get("/me").status == 200, 10, "200 again")
