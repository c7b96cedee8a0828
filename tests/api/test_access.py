"""Who may call what: every row of the API without a token, with a cookie, as
the wrong kind of person, with a token that lacks the scope, and as a member of
another client; and when a token counts."""

import re
import uuid

import pytest
from lib import flows

from api.test_operations import routes
from api.world import CONTACT, STAFF, Api, api_of, token_of


@pytest.fixture(scope="module")
def rows(build):
    return {row: guard for row, guard in routes(build).items()
            if "ANYONE" not in guard}


def path_of(world, pattern, mine=True):
    """The row's path, with ids of the one client in it."""
    user = world.one("SELECT id FROM api_user LIMIT 1") or str(uuid.uuid4())
    values = {"slug": "revio-api", "slot": "primary", "key": world.key_id(),
              "code": "ALTWORX"}
    if pattern.startswith("/api-users"):
        values["id"] = user
    elif pattern.startswith("/api-roles"):
        values["id"] = world.one(
            "SELECT r.id FROM api_role r JOIN tenant t ON t.id = r.tenant_id "
            "WHERE t.code = 'ALTWORX' LIMIT 1")
    elif pattern.startswith("/subscriptions"):
        values["id"] = world.id
    elif "/requests/" in pattern:
        values["id"] = world.one(
            "SELECT r.id FROM request r JOIN person p ON p.account_id = "
            "r.account_id WHERE p.email = %s", world.owner.email)
    else:
        values["id"] = world.key_id()
    return re.sub(r"\{(\w+)\}", lambda m: values[m[1]], pattern)


def bare(row):
    """A body that says nothing."""
    return None if row[0] in ("get", "delete") else {}


def test_nobody_without_a_token(server, world, rows):
    nobody = Api(server)
    wrong = []
    for method, pattern in rows:
        path = path_of(world, pattern)
        answer = nobody.call(method.upper(), path, bare((method, pattern)))
        if (answer.status, answer.code) != (401, "missing_token") or \
                answer.headers["WWW-Authenticate"] != "Bearer":
            wrong.append((method, pattern, answer.status))
    assert not wrong


def test_a_cookie_is_nothing_here(world, rows):
    for browser in (world.owner, world.keeper):
        for method, pattern in list(rows)[:5]:
            answer = browser.request(method.upper(),
                                     "/api/v1" + path_of(world, pattern))
            assert answer.status == 401, (method, pattern)


def test_the_wrong_people(server, world, rows):
    """A contact of staff's rows, staff of contacts' rows, staff of admins'."""
    apis = {"contact": api_of(server, world.owner),
            "staff": api_of(server, world.keeper)}
    wrong = []
    for (method, pattern), guard in rows.items():
        for kind, api in apis.items():
            may = "ACCOUNT" in guard or kind.upper() in guard
            if may:
                continue
            answer = api.call(method.upper(), path_of(world, pattern),
                              bare((method, pattern)))
            if (answer.status, answer.code) != (404, "not_found"):
                wrong.append((method, pattern, kind, answer.status))
    assert not wrong


def test_a_scope_that_lacks(server, world, rows):
    """Tokens with all scopes but one: what needs that one is 403, whatever
    else is right."""
    wrong = []
    for browser, scopes in ((world.owner, CONTACT), (world.admin, STAFF + [
            "tenants:write"])):
        for lacking in scopes:
            api = Api(server, token_of(
                server, browser, [s for s in scopes if s != lacking]))
            for (method, pattern), guard in rows.items():
                if lacking not in guard:
                    continue
                answer = api.call(method.upper(), path_of(world, pattern),
                                  bare((method, pattern)))
                if (answer.status, answer.code) != (
                        403, "insufficient_scope") or f'scope="{lacking}"' \
                        not in answer.headers["WWW-Authenticate"]:
                    wrong.append((lacking, method, pattern, answer.status))
        server.sql("UPDATE access_token SET ended_at = now() WHERE "
                   "account_id = (SELECT account_id FROM person WHERE email "
                   "= %s)", (browser.email,))
    assert not wrong


def test_another_clients_things_are_not_there(server, world, rows):
    """The ids are those of ALTWORX; who calls owns another client."""
    maker = api_of(server, world.people["manager"])
    roles = maker.get("/api-roles").json["items"]
    maker.post("/api-users", {"username": "THEIRS", "vendor": "Any",
                              "integration": "Any", "roles": [
                                  roles[0]["id"]]}).expect(201)
    api = world.api["stranger"]
    before = server.sql("SELECT state, last4 FROM subscription_key ORDER BY "
                        "id")
    wrong = []
    for (method, pattern), guard in rows.items():
        if "CONTACT" not in guard or "{id}" not in pattern:
            continue
        for nobody in (False, True):
            path = path_of(world, pattern)
            if nobody:
                path = re.sub(r"[0-9a-f-]{36}", str(uuid.uuid4()), path)
            body = bare((method, pattern))
            if pattern == "/api-users/{id}/roles":
                body = {"roles": [roles[0]["id"]]}
            elif pattern == "/api-roles/{id}" and body is not None:
                body = {"name": "Mine", "grants": []}
            answer = api.call(method.upper(), path + (
                "?method=GET&path=/x" if path.endswith("/check") else ""),
                body, headers={"If-Match": f'"{world.key_id()}"'})
            if (answer.status, getattr(answer, "code", "")) != (
                    404, "not_found"):
                wrong.append((method, pattern, nobody, answer.status))
    assert not wrong
    assert before == server.sql("SELECT state, last4 FROM subscription_key "
                                "ORDER BY id")


def test_members_look_after_nothing(server, world):
    """A member sees and shows keys; the rest is of managers and owners."""
    api = world.api["member"]
    api.post(f"{world.path}/keys/primary/show").expect(200)
    api.fails("POST", f"{world.path}/keys/primary/regenerate", 404,
              "not_found", {}, headers={"If-Match": f'"{world.key_id()}"'})
    for path in ("/api-users", "/api-roles", "/api-resources"):
        api.fails("GET", path, 404, "not_found")


def test_staff_make_no_key_visible(world):
    """Neither the queue nor a search nor a client's page holds a key."""
    key = flows.show_key(world.owner)
    api = world.api["staff"]
    for path in ("/staff/queue?state=any", "/staff/tenants/ALTWORX",
                 "/staff/subscriptions", "/staff/audit"):
        assert key not in api.get(path).expect(200).text
    answer = api.fails("GET", f"/staff/queue?q={key}", 422, "invalid")
    assert key not in answer.text


def test_when_a_token_counts(server, world):
    """Revoked, expired, disabled: on the next call; a role that was taken
    away, too.  A disabled account's tokens don't come back."""
    person = flows.contact(server, client="Ends Works")
    account = server.sql("SELECT account_id FROM person WHERE email = %s",
                         (person.email,))[0][0]

    def fresh():
        api = api_of(server, person, ["read"])
        api.get("/me").expect(200)
        return api
    revoked, expired, disabled = fresh(), fresh(), fresh()
    ids = [revoked.get("/me").json["token"]["id"],
           expired.get("/me").json["token"]["id"]]
    page = person.get("/account/tokens")
    person.submit(page, {}, f"{ids[0]}/revoke$").expect(303)
    revoked.fails("GET", "/me", 401, "bad_token")
    server.sql("UPDATE access_token SET created_at = now() - interval '2 "
               "days', expires_at = now() - interval '1 second' WHERE id = "
               "%s", (ids[1],))
    expired.fails("GET", "/me", 401, "bad_token")
    assert "Expired" in person.get("/account/tokens").words
    for state in ("disabled", "active"):
        server.sql("UPDATE account SET state = %s WHERE id = %s",
                   (state, account))
        disabled.fails("GET", "/me", 401, "bad_token")
    fresh()


def test_a_role_that_is_taken_away(server, world):
    api, email = world.api["manager"], world.people["manager"].email
    api.get("/api-users").expect(200)
    change = ("UPDATE membership SET role = %s WHERE account_id = (SELECT "
              "account_id FROM person WHERE email = %s)")
    server.sql(change, ("member", email))
    api.fails("GET", "/api-users", 404, "not_found")
    server.sql(change, ("manager", email))
    api.get("/api-users").expect(200)
    staff = "UPDATE account SET staff_role = %s WHERE id = (SELECT " \
        "account_id FROM person WHERE email = %s)"
    server.sql(staff, ("staff", world.admin.email))
    api_of(server, world.keeper)
    server.sql(staff, ("admin", world.admin.email))


def test_last_use_is_written(server, world):
    api = api_of(server, world.people["member"], ["read"])
    token = api.get("/me").json["token"]["id"]
    assert server.sql("SELECT host(last_used_address) FROM access_token WHERE "
                      "id = %s AND last_used_at > now() - interval '1 "
                      "minute'", (token,)) == [("127.0.0.1",)]


def test_junk_is_refused_and_counted(server, world):
    """No look-up of what no checksum fits; too many bad ones are 429, and a
    good one from there still passes."""
    api = Api(server)
    good = "lk_" + "0" * 30
    seen = set()
    for number in range(60):
        api.token = "lk_" + "A" * 36 if number % 2 else good
        answer = api.get("/me")
        seen.add((answer.status, answer.code))
    assert seen == {(401, "bad_token"), (429, "rate_limited")}
    answer = api.get("/me")
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1
    api_of(server, world.owner, ["read"]).get("/me").expect(200)
