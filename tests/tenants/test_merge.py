"""Two clients that are one: what moves, what stands against it, who is told, and
that the old code leads to the client that stayed."""

import threading

import pytest
from lib import flows
from lib.flows import add_tenant as make


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server, name="Sam Keeper")


def post(browser, path, fields=None):
    csrf = browser.get("/staff/tenants").form("signout").fields["csrf"]
    return browser.post(path, {"csrf": csrf, **(fields or {})})


def id_of(server, code):
    return server.sql("SELECT id FROM tenant WHERE code = %s", (code,))[0][0]


def merge(admin, old, new, reason="One company since May"):
    return post(admin, f"/staff/tenants/{old}/merge",
                {"into": new, "reason": reason})


def left_behind(server, tenant):
    """Tables that hold rows of the client, but for what stays for good."""
    tables = server.sql("""
        SELECT DISTINCT c.conrelid::regclass::text, a.attname
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid
        AND a.attnum = ANY (c.conkey)
        WHERE c.contype = 'f' AND (c.confrelid = 'tenant'::regclass
        AND c.conrelid <> 'tenant'::regclass OR a.attname = 'tenant_id')
        AND a.atttypid = 'uuid'::regtype AND a.attname IN
        ('tenant_id', 'from_tenant', 'into_tenant')""")
    assert len(tables) > 10
    return [table for table, column in tables if server.sql(
        f"SELECT 1 FROM {table} WHERE {column} = %s LIMIT 1", (tenant,))]


def api_user(server, tenant, name, state="enabled"):
    server.sql(
        "WITH u AS (INSERT INTO api_user (id, tenant_id, username, vendor, "
        "vendor_folded, integration, created_by, state) SELECT "
        "gen_random_uuid(), %s, %s, 'V', 'v', 'I', id, %s FROM account LIMIT 1 "
        "RETURNING id, tenant_id) INSERT INTO api_user_role SELECT u.id, r.id, "
        "u.tenant_id FROM u JOIN api_role r ON r.tenant_id = u.tenant_id "
        "AND r.preset = 'full'", (tenant, name, state))


def test_roles_of_people_move(server, admin):
    """A role that both began with stays by a name of its own where a person
    has it, and is the other's where nobody has."""
    owner, _ = flows.client_with_key(server, "ROLEOLD", "Role Old")
    new = make(server, "ROLENEW", "Role New")
    server.sql("INSERT INTO membership_role (account_id, role_id, tenant_id) "
               "SELECT p.account_id, r.id, r.tenant_id FROM person p, "
               "api_role r WHERE p.email = %s AND r.tenant_id = %s "
               "AND r.preset = 'read-only'",
               (owner.email, id_of(server, "ROLEOLD")))
    merge(admin, "ROLEOLD", "ROLENEW").expect(303)
    assert server.sql(
        "SELECT r.name, r.preset, x.tenant_id FROM membership_role x "
        "JOIN api_role r ON r.id = x.role_id AND r.tenant_id = x.tenant_id "
        "JOIN person p ON p.account_id = x.account_id WHERE p.email = %s",
        (owner.email,)) == [("Read-only (ROLEOLD)", None, new)]
    assert server.sql("SELECT count(*) FROM api_role WHERE tenant_id = %s",
                      (new,)) == [(4,)]


def test_all_moves(server, admin, keeper):
    owner, _ = flows.client_with_key(server, "OLDCO", "Old Company")
    new = make(server, "NEWCO", "New Company", ["new.example", "both.example"])
    other = flows.contact(server, client="New Company")
    server.sql("INSERT INTO membership SELECT account_id, %s, 'owner', 'first' "
               "FROM person WHERE email = %s", (new, other.email))
    old = id_of(server, "OLDCO")
    for domain in ("old.example", "both.example"):
        server.sql("INSERT INTO tenant_domain VALUES (%s, %s)", (old, domain))
    server.sql("INSERT INTO tenant_host VALUES ('api.old.example', %s)",
               (old,))
    for tenant in (old, new):
        server.sql("INSERT INTO tenant_designated VALUES (%s, 'a@both.example',"
                   " 'a@both.example')", (tenant,))
    api_user(server, old, "FORTAPI")
    api_user(server, new, "OTHERAPI")
    api_user(server, new, "FORTAPI", "deleted")
    # People of both ask the same colleague in.
    for browser in (owner, other):
        browser.submit(browser.get("/people"), {
            "email": "both@both.example", "role": "member"},
            "/invite$").expect(303)

    post(keeper, "/staff/tenants/OLDCO/merge").expect(404)
    page = admin.get("/staff/tenants/OLDCO/merge?into=newco").expect(200)
    assert "OLDCO becomes a part of NEWCO" in page.words
    assert "Old Company-KEY" in page.words
    bad = admin.submit(page, {"reason": " "}, "/merge$").expect(422)
    assert 'href="#reason"' in bad.text
    answer = admin.submit(page, {"reason": "Bought <in> May"}, "/merge$")
    assert answer.expect(303).location == "/staff/tenants/NEWCO"

    page = keeper.get("/staff/tenants/NEWCO").expect(200).words
    for said in ("Before: OLDCO", "old.example", "new.example",
                 "api.old.example", "Old Company-KEY", owner.email,
                 other.email, "Another client merged into this one",
                 "Merged into another client", "Request approved",
                 "FORTAPI@NEWCO", "OTHERAPI@NEWCO"):
        assert said in page, said
    # The old code leads there, wherever it is used.
    for rest in ("", "/edit", "/merge"):
        answer = admin.get(f"/staff/tenants/OLDCO{rest}").expect(303)
        assert answer.location == f"/staff/tenants/NEWCO{rest}"
    assert "NEWCO, before OLDCO" in keeper.get(
        "/staff/tenants?q=oldc").expect(200).words
    assert "/staff/tenants/NEWCO" in keeper.get(
        "/staff/tenants?q=old+comp").text
    assert "OLDCO is a former code of New Company" in post(
        admin, "/staff/tenants", {"code": "oldco", "name": "Else"}
    ).expect(422).words
    # Each with the role that they had; what both had is there once.
    assert server.sql("SELECT role, let_in_by FROM membership WHERE tenant_id "
                      "= %s ORDER BY 2", (new,)) == [
        ("owner", "first"), ("owner", "reason")]
    assert left_behind(server, old) == []
    assert flows.show_key(other) == flows.show_key(owner)
    assert server.sql("SELECT ending FROM invitation WHERE email = "
                      "'both@both.example' ORDER BY ending") == [
        ("replaced",), (None,)]
    # The vendor's user keeps its permissions, by a role of its own.
    roles = server.sql("SELECT r.name, r.preset FROM api_user u JOIN "
                       "api_user_role x ON x.api_user_id = u.id JOIN api_role "
                       "r ON r.id = x.role_id WHERE u.username = 'FORTAPI' "
                       "AND u.state <> 'deleted'")
    assert roles == [("Full access (OLDCO)", None)]
    assert server.sql("SELECT count(*) FROM api_role WHERE tenant_id = %s",
                      (new,)) == [(4,)]
    for browser in (owner, other):
        mail = server.mail.wait(browser.email, "One client now")
        assert "Bought <in> May" in mail.text and "Old Company" in mail.text
    # A second time there is nothing to merge.
    merge(admin, "OLDCO", "NEWCO").expect(303)
    assert server.sql("SELECT count(*) FROM audit WHERE action = "
                      "'tenant.absorbed' AND tenant_id = %s", (new,)) == [(1,)]


def test_a_chain_of_codes(server, admin):
    for code in ("CHAIN-A", "CHAIN-B", "CHAIN-C"):
        make(server, code)
    merge(admin, "CHAIN-A", "CHAIN-B").expect(303)
    # Into the client that a former code names.
    merge(admin, "CHAIN-C", "CHAIN-A").expect(303)
    make(server, "CHAIN-D")
    merge(admin, "CHAIN-B", "CHAIN-D").expect(303)
    for code in ("CHAIN-A", "CHAIN-B", "chain-c"):
        answer = admin.get(f"/staff/tenants/{code}").expect(303)
        assert answer.location == "/staff/tenants/CHAIN-D"
    page = admin.get("/staff/tenants/CHAIN-D").words
    assert "CHAIN-A, CHAIN-B, CHAIN-C" in page
    # In a circle there is none left to merge into.
    assert "That is this client" in merge(
        admin, "CHAIN-D", "CHAIN-A").expect(422).words


def test_what_stands_against_it(server, admin):
    first, _ = flows.client_with_key(server, "TWIN-A", "Twin One")
    second, keeper = flows.client_with_key(server, "TWIN-B", "Twin Two")
    one, two = id_of(server, "TWIN-A"), id_of(server, "TWIN-B")
    for tenant in (one, two):
        api_user(server, tenant, "SAMEAPI")
    page = admin.get("/staff/tenants/TWIN-A/merge?into=TWIN-B").expect(200)
    assert "Both have a live key" in page.words
    assert "Both have SAMEAPI" in page.words
    assert "Merge for good" not in page.words
    bad = merge(admin, "TWIN-A", "TWIN-B").expect(409)
    assert "cancel the other’s subscription" in bad.words
    server.sql("UPDATE subscription SET state = 'cancelled' WHERE tenant_id = "
               "%s", (two,))
    bad = merge(admin, "TWIN-A", "TWIN-B").expect(409)
    assert "Both have SAMEAPI" in bad.words
    server.sql("UPDATE api_user SET state = 'deleted' WHERE tenant_id = %s",
               (two,))
    server.sql("UPDATE subscription SET state = 'cancelled' WHERE tenant_id = "
               "%s", (one,))
    flows.request_key(first, "Twin One-KEY")
    flows.request_key(second, "Twin Two-KEY")
    bad = merge(admin, "TWIN-A", "TWIN-B").expect(409)
    assert "Both wait for a decision" in bad.words
    assert server.sql("SELECT state FROM tenant WHERE id = %s", (one,)) == [
        ("active",)]
    request = server.sql("SELECT id FROM request WHERE tenant_id = %s AND "
                         "state = 'submitted'", (two,))[0][0]
    flows.reject(keeper, f"/staff/requests/{request}", "No.").expect(303)
    merge(admin, "TWIN-A", "TWIN-B").expect(303)
    # The open request went along, and is approved for the old code, too.
    request = server.sql("SELECT id FROM request WHERE tenant_id = %s AND "
                         "state = 'submitted'", (two,))[0][0]
    flows.approve(keeper, f"/staff/requests/{request}", tenant="?",
                  existing="TWIN-A").expect(303)
    assert server.sql("SELECT count(*) FROM subscription WHERE tenant_id = %s "
                      "AND state = 'active'", (two,)) == [(1,)]


@pytest.mark.parametrize("into, said", [
    ("", "Type the code"), ("NOBODY", "No client has this code"),
    ("<b>", "No client has this code"), ("ALONE", "That is this client"),
    ("x" * 300, "No client has this code"), ("SHUT", "SHUT is closed")],
    ids=["none", "unknown", "tag", "itself", "long", "closed"])
def test_bad_codes(server, admin, into, said):
    if not server.sql("SELECT 1 FROM tenant WHERE code = 'ALONE'"):
        make(server, "ALONE")
        make(server, "SHUT")
        server.sql("UPDATE tenant SET state = 'closed', ended_at = now() "
                   "WHERE code = 'SHUT'")
    assert said in merge(admin, "ALONE", into).expect(422).words
    post(admin, "/staff/tenants/NOBODY/merge", {"into": into}).expect(404)


def test_both_ways_at_once(server, admin):
    """One of the two is done, and whoever came second is told."""
    make(server, "RACE-A")
    make(server, "RACE-B")
    other = flows.staff(server, role="admin", name="Ines Admin")
    answers = []

    def go(browser, old, new):
        answers.append(merge(browser, old, new).status)
    threads = [threading.Thread(target=go, args=args) for args in (
        (admin, "RACE-A", "RACE-B"), (other, "RACE-B", "RACE-A"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(303) >= 1 and set(answers) <= {303, 409, 422, 503}
    assert server.sql("SELECT count(*) FROM tenant WHERE code LIKE 'RACE-%%' "
                      "AND state = 'merged'") == [(1,)]


def test_later_tables_can_move(server):
    """What refers to a client's rows by two columns is checked at the end of a
    merge: a new table has to say so, DEFERRABLE."""
    assert server.sql("""
        SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid
        AND a.attnum = ANY (c.conkey) AND a.attname = 'tenant_id'
        WHERE c.contype = 'f' AND c.confrelid <> 'tenant'::regclass
        AND NOT c.condeferrable""") == []
