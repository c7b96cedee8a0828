"""Every operation of the API, called, and its answer held against the document
(world.Api does that with whatever it gets); the document itself, and the
route table that it is of."""

import json
import os
import re
import subprocess
import threading
from contextlib import closing

import pytest
from lib import flows
from lib.base import ROOT, wait_until

from api.world import DOCUMENT, Api, api_of

REDOCLY = "@redocly/cli@1.34.5"


def routes(build):
    """{(method, pattern): guards} below /api, as the program tells."""
    done = subprocess.run([build / "latchkey", "--routes"], text=True,
                          check=True, capture_output=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {(method.lower(), re.sub(r":(\w+)", r"{\1}", path[7:])):
            set(guard.split("|"))
            for method, path, guard in rows if path.startswith("/api/v1/")}


def documented():
    return {(method, path): operation
            for path, methods in DOCUMENT["paths"].items()
            for method, operation in methods.items()}


def test_the_document_is_of_the_routes(build):
    table, told = routes(build), documented()
    assert set(table) == set(told)
    for row, guard in table.items():
        assert "API" in guard, row
        scopes = {name for name in guard if name.islower()}
        security = told[row]["security"]
        assert scopes == (set(security[0]["token"]) if security else set()), \
            row
        assert ("ANYONE" in guard) == (security == []), row
        words = told[row]["description"]
        for role, says in (("CONTACT", "contacts"), ("STAFF", "staff and"),
                           ("ADMIN", "For admins")):
            assert (role in guard) == (says in words), (row, words)


def test_the_document_is_served_to_everybody(server):
    answer = server.client().get("/api/v1/openapi.json").expect(200)
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.text) == DOCUMENT


def test_a_linter_finds_nothing(build, folder):
    path = folder / "openapi.json"
    path.write_text(json.dumps(DOCUMENT))
    tool = subprocess.run(
        [ROOT / "tests/lib/npm.sh", REDOCLY], cwd=ROOT, text=True, check=True,
        stdout=subprocess.PIPE, env={**os.environ, "O": str(build)}
    ).stdout.strip()
    done = subprocess.run(
        ["node", f"{tool}/bin/cli.js", "lint", "--extends=recommended",
         "--format=json", path], text=True, capture_output=True,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "CI": "1",
             "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["problems"] == [], [
        (p["ruleId"], p["message"], p["location"][0].get("pointer"))
        for p in found["problems"]]


def test_contacts_read(world):
    api = world.api["owner"]
    me = api.get("/me").expect(200).json
    assert me["email"] == world.owner.email and me["kind"] == "contact"
    assert "keys:reveal" in me["token"]["scopes"]
    tenants = api.get("/tenants").expect(200).json["items"]
    assert [(t["code"], t["role"]) for t in tenants] == [("ALTWORX", "owner")]
    assert api.get("/products").expect(200).json["items"]
    assert api.get("/products/revio-api").expect(200).json["is_open"]
    api.fails("GET", "/products/none", 404, "not_found")
    listed = api.get("/subscriptions").expect(200).json["items"]
    assert [s["id"] for s in listed] == [world.id]
    assert api.get(world.path).expect(200).json == listed[0]
    keys = api.get(f"{world.path}/keys").expect(200).json["items"]
    assert [k["slot"] for k in keys] == ["primary", "secondary"]


def test_keys(world):
    api = world.api["manager"]
    shown = api.post(f"{world.path}/keys/primary/show").expect(200)
    assert shown.json["key"] == flows.show_key(world.owner)
    assert world.one("SELECT count(*) FROM audit WHERE action = 'key.shown' "
                     "AND subject_id = %s", world.id) == 2
    old = world.key_id()
    assert shown.headers["ETag"] == f'"{old}"'
    path = f"{world.path}/keys/primary/regenerate"
    api.fails("POST", path, 428, "if_match_missing", {})
    api.fails("POST", path, 412, "changed_meanwhile", {},
              headers={"If-Match": f'"{world.id}"'})
    new = api.post(path, {"overlap_s": 3600}, headers={
        "If-Match": f'"{old}"'}).expect(200)
    assert new.json["old_until"] and new.json["key"] != shown.json["key"]
    assert new.json["key"] == flows.show_key(world.owner)
    api.fails("POST", path, 412, "changed_meanwhile", {},
              headers={"If-Match": f'"{old}"'})
    api.post(f"{world.path}/keys/{old}/end").expect(204)
    api.fails("POST", f"{world.path}/keys/{old}/end", 409, "ended")
    for body in ({"overlap_s": -1}, {"overlap_s": 10 ** 9},
                 {"overlap_s": "1"}, {"overlap": 1}):
        api.fails("POST", path, 422, "invalid", body,
                  headers={"If-Match": f'"{world.key_id()}"'})


def test_requests(server):
    from api.world import api_of
    person = flows.contact(server, client="Request Works")
    api = api_of(server, person)
    assert api.get("/tenants").json["items"] == []
    assert api.get("/subscriptions").json["items"] == []
    bad = api.fails("POST", "/requests", 422, "invalid", {
        "product": "revio-api", "name": "Request Works-key"})
    assert bad.json["errors"][0]["field"] == "name"
    api.fails("POST", "/requests", 422, "invalid", {
        "product": "none", "name": "Request Works-KEY"})
    ask = {"product": "revio-api", "name": "Request Works-KEY"}
    made = api.post("/requests", ask).expect(201)
    assert made.headers["Location"] == f"/api/v1/requests/{made.json['id']}"
    api.fails("POST", "/requests", 409, "has_request", ask)
    assert api.get(f"/requests/{made.json['id']}").json == made.json
    assert [r["id"] for r in api.get("/requests").json["items"]] == [
        made.json["id"]]
    path = f"/requests/{made.json['id']}/withdraw"
    api.post(path).expect(204)
    api.fails("POST", path, 409, "decided")


def pages_of(api, path):
    """Every item of a list, page by page, each of which is full but the
    last."""
    items, after = [], ""
    while True:
        page = api.get(path + after).expect(200).json
        items += page["items"]
        if page["next"] is None:
            return items
        assert len(page["items"]) == 50
        after = f"?after={page['next']}"


def test_pages_of_subscriptions_and_requests(world, server):
    """Each once, newest first, whatever their number; a colleague's as long
    as it is open, and nobody else's."""
    tenant = flows.add_tenant(server, "PAGED")
    one, two = (flows.contact(server, client="Paged") for _ in range(2))
    ids = {}
    for person in (one, two):
        ids[person] = world.one("SELECT account_id FROM person WHERE email = "
                                "%s", person.email)
        server.sql("INSERT INTO membership (account_id, tenant_id, role, "
                   "let_in_by) VALUES (%s, %s, 'owner', 'owner')",
                   (ids[person], tenant))
    for n, state in ((119, "withdrawn"), (1, "submitted")):
        server.sql(
            "INSERT INTO request (id, account_id, product_id, tenant_id, "
            "name, client_folded, due_at, state, decided_at) SELECT "
            "gen_random_uuid(), %s, p.id, %s, 'Paged-KEY', 'paged', now(), "
            "%s, CASE WHEN %s THEN now() END FROM product p, "
            "generate_series(1, %s) WHERE p.slug = 'revio-api'",
            (ids[one], tenant, state, state == "withdrawn", n))
    server.sql(
        "INSERT INTO subscription (id, tenant_id, product_id, one_key, name, "
        "state, ended_at) SELECT gen_random_uuid(), %s, p.id, true, "
        "'Paged-KEY', 'cancelled', now() FROM product p, "
        "generate_series(1, 100) WHERE p.slug = 'revio-api'", (tenant,))
    apis = {person: api_of(server, person) for person in (one, two)}
    seen = [s["id"] for s in pages_of(apis[two], "/subscriptions")]
    assert seen == sorted(set(seen), reverse=True) and len(seen) == 100
    seen = [r["id"] for r in pages_of(apis[one], "/requests")]
    assert seen == sorted(set(seen), reverse=True) and len(seen) == 120
    assert all(r["is_own"] for r in pages_of(apis[one], "/requests"))
    other, = pages_of(apis[two], "/requests")
    assert (other["state"], other["is_own"]) == ("submitted", False)
    for path in ("/requests", "/subscriptions"):
        first = apis[one].get(path).json
        assert apis[one].get(f"{path}?after=no-id").json == first
        mine = {row["id"] for row in pages_of(world.api["owner"], path)}
        assert not mine & {row["id"] for row in first["items"]}


def role_ids(api):
    return {r["name"]: r["id"] for r in api.get("/api-roles").expect(200)
            .json["items"]}


def user(api, name, **more):
    roles = role_ids(api)
    return api.post("/api-users", {
        "username": name, "vendor": name.title(), "integration": "Sync",
        "roles": [roles["Read-only"]], **more})


def test_api_users(world):
    api = world.api["manager"]
    made = user(api, "fortapi", note="Nightly", expires="2027-03-31")
    made.expect(201)
    one = made.json["user"]
    assert made.json["login"] == "FORTAPI@ALTWORX" and made.json["password"]
    assert one["roles"] == ["Read-only"]
    path = f"/api-users/{one['id']}"
    assert [u["id"] for u in api.get("/api-users").json["items"]] == [
        one["id"]]
    assert api.get("/api-users?after=FORTAPI").json["items"] == []
    tag = api.get(path).expect(200).headers["ETag"]
    rotated = api.post(f"{path}/rotate", {"overlap_s": 3600}).expect(200)
    assert rotated.json["password"] != made.json["password"]
    assert rotated.json["user"]["old_until"]
    api.fails("POST", f"{path}/rotate", 422, "invalid", {"overlap_s": 5})
    api.post(f"{path}/disable").expect(204)
    api.fails("POST", f"{path}/disable", 409, "no_change")
    api.post(f"{path}/enable").expect(204)
    seen = api.get(f"{path}/permissions").expect(200).json["items"]
    granted = {row["path"]: row["granted"] for row in seen}
    assert granted and all(set(g) <= {"GET"} for g in granted.values())
    thing = next(p for p, g in granted.items() if g)
    yes = api.get(f"{path}/check?method=GET&path={thing}/7").json
    no = api.get(f"{path}/check?method=DELETE&path={thing}/7").json
    assert yes["may"] and not no["may"] and "DELETE" in no["why"]
    api.fails("GET", f"{path}/check?method=GET", 422, "invalid")
    full = role_ids(api)["Full access"]
    api.fails("PUT", f"{path}/roles", 428, "if_match_missing",
              {"roles": [full]})
    api.call("PUT", f"{path}/roles", {"roles": [full]},
             headers={"If-Match": tag}).expect(204)
    api.fails("PUT", f"{path}/roles", 412, "changed_meanwhile",
              {"roles": [full]}, headers={"If-Match": tag})
    tag = api.get(path).headers["ETag"]
    for roles in ([], [full, full], ["x"], [world.id]):
        api.fails("PUT", f"{path}/roles", 422, "invalid", {"roles": roles},
                  headers={"If-Match": tag})
    assert api.get(path).json["roles"] == ["Full access"]
    over = api.post(f"{path}/hand-over", {"days": 2}).expect(201).json
    assert "/hand-over/" in over["link"] and not over["with_key"]
    api.fails("POST", f"{path}/hand-over", 422, "invalid",
              {"with_key": True})
    api.fails("DELETE", path, 428, "if_match_missing")
    api.call("DELETE", path, headers={"If-Match": tag}).expect(204)
    api.fails("GET", path, 404, "not_found")
    assert user(api, "FORTAPI").code == "taken"


def test_a_password_is_told_though_its_user_is_deleted_at_once(world):
    """Between the statement that made it and the answer."""
    api = world.api["manager"]
    made = user(api, "BRIEF", vendor="Brief Co").expect(201).json
    world.server.sql("""
        CREATE FUNCTION brief_deleted() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER AS $$ BEGIN
            UPDATE api_user SET state = 'deleted' WHERE id = NEW.api_user_id;
            RETURN NULL;
        END $$""")
    world.server.sql(
        "CREATE TRIGGER brief_deleted AFTER INSERT ON api_user_password "
        "FOR EACH ROW EXECUTE FUNCTION brief_deleted()")
    try:
        path = f"/api-users/{made['user']['id']}"
        rotated = api.post(f"{path}/rotate", {"overlap_s": 0}).expect(200)
        assert rotated.json["password"] not in ("", made["password"])
        assert rotated.json["user"]["id"] == made["user"]["id"]
        api.fails("GET", path, 404, "not_found")
    finally:
        world.server.sql("DROP TRIGGER brief_deleted ON api_user_password")


def test_a_second_user_of_a_vendor_is_asked_for(world):
    api = world.api["owner"]
    user(api, "TWIN", vendor="Twin Co").expect(201)
    assert user(api, "TWIN2", vendor="twin co").code == "twin"
    user(api, "TWIN2", vendor="twin co", again=True).expect(201)


def test_roles(world):
    api = world.api["owner"]
    things = api.get("/api-resources").expect(200).json["items"]
    grant = f"{things[0]['id']}:{things[0]['operations'][0]}"
    made = api.post("/api-roles", {"name": "Own role", "grants": [grant],
                                   "accounts": ["1001", "1002"]}).expect(201)
    assert made.json["grants"] == [grant]
    assert made.json["accounts"] == ["1001", "1002"]
    path = f"/api-roles/{made.json['id']}"
    assert api.get(path).json == made.json
    api.fails("POST", "/api-roles", 409, "taken", {"name": "own ROLE",
                                                   "grants": [grant]})
    for grants in (["x"], [f"{world.id}:GET"], [grant.lower()]):
        api.fails("POST", "/api-roles", 422, "invalid",
                  {"name": "Bad", "grants": grants})
    tag = api.get(path).headers["ETag"]
    saved = api.call("PUT", path, {"name": "Own role", "grants": []},
                     headers={"If-Match": tag}).expect(200)
    assert saved.json["accounts"] == [] and saved.headers["ETag"] != tag
    api.fails("PUT", path, 412, "changed_meanwhile",
              {"name": "Own role", "grants": []}, headers={"If-Match": tag})
    api.fails("DELETE", path, 412, "changed_meanwhile",
              headers={"If-Match": tag})
    api.call("DELETE", path, headers={
        "If-Match": saved.headers["ETag"]}).expect(204)


@pytest.mark.parametrize("table", ["api_user", "api_role"])
def test_a_delete_waits_for_a_change_and_sees_it(world, table):
    """The change was begun before and is committed while the call waits for
    its row: nobody deletes what he hasn't seen."""
    api = world.api["owner"]
    if table == "api_user":
        made = user(api, "LATE", vendor="Late Co").expect(201).json["user"]
        path = f"/api-users/{made['id']}"
    else:
        thing = api.get("/api-resources").json["items"][0]
        made = api.post("/api-roles", {"name": "Late role", "grants": [
            f"{thing['id']}:{thing['operations'][0]}"]}).expect(201).json
        path = f"/api-roles/{made['id']}"
    tag = {"If-Match": api.get(path).headers["ETag"]}
    heard = []
    with closing(world.server.cluster.connect(
            world.server.database, "latchkey_owner")) as other:
        other.autocommit = False
        other.cursor().execute(f"UPDATE {table} SET version = version + 1 "
                               "WHERE id = %s", (made["id"],))
        call = threading.Thread(target=lambda: heard.append(
            api.call("DELETE", path, headers=tag)))
        call.start()
        wait_until(lambda: world.server.sql(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = "
            "'latchkey' AND datname = current_database() "
            "AND wait_event_type = 'Lock'", role="postgres"), 10)
        other.commit()
        call.join()
    assert (heard[0].status, heard[0].code) == (412, "changed_meanwhile")
    tag = {"If-Match": api.get(path).expect(200).headers["ETag"]}
    api.call("DELETE", path, headers=tag).expect(204)


def test_a_tag_that_nothing_has(world):
    api = world.api["owner"]
    made = user(api, "TAGGED", vendor="Tag Co").expect(201).json["user"]
    for bad in ('"v0"', '"x1"', '"v"', '"1"', '"v99999999999"', "v1", '"'):
        api.fails("DELETE", f"/api-users/{made['id']}", 412,
                  "changed_meanwhile", headers={"If-Match": bad})


def asked(server, name):
    person = flows.asker(server, name, "mail.example")
    return f"/staff/requests/{person.asked}"


def test_staff_decide(server, world):
    api = world.api["staff"]
    one = asked(server, "Approve Works")
    seen = api.get(one).expect(200).json
    assert seen["state"] == "submitted" and seen["checks"]
    queue = api.get("/staff/queue?sort=newest").expect(200).json["items"]
    assert seen["id"] in [r["id"] for r in queue]
    api.fails("GET", "/staff/queue?product=none", 422, "invalid")
    assert api.get("/staff/queue?q=Approve").json["items"]
    api.post(f"{one}/ask", {"question": "Who are you?"}).expect(204)
    api.fails("POST", f"{one}/ask", 409, "decided", {"question": "And?"})
    bad = api.fails("POST", f"{one}/approve", 422, "invalid",
                    {"code": "x", "client": "Approve Works"})
    assert bad.json["errors"][0]["field"] == "code"
    api.fails("POST", f"{one}/approve", 409, "taken",
              {"code": "ALTWORX", "client": "Approve Works"})
    done = api.post(f"{one}/approve", {
        "code": "APPROVE", "client": "Approve Works"}).expect(200)
    assert done.json["state"] == "approved"
    api.fails("POST", f"{one}/approve", 409, "decided",
              {"code": "AGAIN", "client": "Approve Works"})
    two = asked(server, "Share Works")
    api.fails("POST", f"{two}/share", 422, "invalid", {"tenant": "APPROVE"})
    shared = api.post(f"{two}/share", {
        "tenant": "APPROVE", "reason": "Known by phone"}).expect(200)
    assert shared.json["state"] == "shared"
    three = asked(server, "Reject Works")
    api.fails("POST", f"{three}/reject", 422, "invalid", {"reason": " "})
    api.post(f"{three}/reject", {"reason": "No."}).expect(200)


def test_staff_look_up(server, world):
    api = world.api["staff"]
    codes = [t["code"] for t in api.get("/staff/tenants").json["items"]]
    assert {"ALTWORX", "OTHER"} <= set(codes)
    assert [t["code"] for t in api.get("/staff/tenants?q=Altaw").json["items"]
            ] == ["ALTWORX"]
    assert api.get("/staff/tenants/altworx").expect(200).headers["ETag"]
    api.fails("GET", "/staff/tenants/NONE", 404, "not_found")
    api.fails("POST", "/staff/tenants", 404, "not_found",
              {"code": "NEW", "name": "New Works"})
    boss = world.api["admin"]
    made = boss.post("/staff/tenants", {
        "code": "new", "name": "New Works",
        "domains": ["new.example", "works.example"]}).expect(201)
    assert made.json["domains"] == ["new.example", "works.example"]
    boss.fails("POST", "/staff/tenants", 409, "taken",
               {"code": "NEW", "name": "New Works"})
    boss.fails("POST", "/staff/tenants", 422, "invalid",
               {"code": "NEW2", "name": "New", "domains": ["no domain"]})
    listed = pages_of(api, "/staff/subscriptions")
    assert world.id in [s["id"] for s in listed]
    rows = api.get("/staff/audit?tenant=ALTWORX").expect(200).json["items"]
    assert rows
    first = api.get("/staff/audit").json
    while first["next"]:
        last = first["items"][-1]
        first = api.get(f"/staff/audit?after={first['next']}").json
        assert first["items"][0]["id"] != last["id"]
    api.fails("GET", "/staff/audit?after=x", 422, "invalid")
    api.fails("GET", "/staff/audit?from=x", 422, "invalid")


def test_a_key_found_and_revoked(world):
    api, key = world.api["staff"], flows.show_key(world.owner)
    for body in ({"key": key}, {"first8": key[:8]}, {"last4": key[-4:]}):
        found = api.post("/staff/keys/find", body).expect(200).json["items"]
        assert world.key_id() in [k["id"] for k in found]
    for body in ({}, {"key": key, "last4": "0000"}, {"last4": "xyz!"}):
        api.fails("POST", "/staff/keys/find", 422, "invalid", body)
    path = f"/staff/keys/{world.key_id()}/revoke"
    api.fails("POST", path, 422, "invalid", {"reason": ""})
    api.post(path, {"reason": "Found in public"}).expect(204)
    assert flows.show_key(world.owner) != key
    api.fails("POST", path, 404, "not_found", {"reason": "Again"})
    wait_until(lambda: world.one(
        "SELECT count(*) FROM notice WHERE kind = 'token_made'") > 0, 5)


def test_all_were_called():
    """The last test of this file: nothing of the document was left out."""
    assert set(documented()) - {("get", "/openapi.json")} == Api.seen
