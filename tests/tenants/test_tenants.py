"""Clients over HTTP: the list and its search, made and edited by admins, closed
and reopened."""

import re
import urllib.parse

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


def found(browser, typed):
    page = browser.get("/staff/tenants?q=" + urllib.parse.quote(typed))
    return re.findall(r'href="/staff/tenants/([A-Z0-9-]+)"',
                      page.expect(200).text)


def audits(server, tenant):
    return server.sql("SELECT action, detail FROM audit WHERE tenant_id = %s "
                      "ORDER BY id", (tenant,))


GOOD = {"name": "Made Works", "hosts": "api.made.example",
        "domains": "made.example\nmade.co.example", "notices_to":
        "ops@made.example", "designated": "Ada@Made.example, bob@made.example",
        "notes": "Call first.\nThen mail."}


# -- the list


def test_search(server, keeper):
    make(server, "SRCH-1", "Café Nördlich, Inc.", ["cafe-nord.example"],
         "cafenordlich")
    make(server, "SRCH-2", "شركة الاتصالات", ["telecom.example"],
         "شركةالاتصالات")
    make(server, "SRCH-3", "100%_Safe 🦊", folded="100safe")
    for typed, code in (("café", "SRCH-1"), ("CAFÉ NÖRD", "SRCH-1"),
                        ("cafe nord", "SRCH-1"), ("rch-1", "SRCH-1"),
                        ("e-nord.ex", "SRCH-1"), ("ca", "SRCH-1"),
                        ("الاتصالات", "SRCH-2"), ("telecom.e", "SRCH-2"),
                        ("te", "SRCH-2"), ("شر", "SRCH-2"), ("0%_s", "SRCH-3"),
                        ("10", "SRCH-3"), ("🦊", None), ("safe 🦊", "SRCH-3"),
                        ("%%%", None), ("___", None), ("c_f", None),
                        ("%", None), ("_", None), ("nobody", None)):
        codes = found(keeper, typed)
        assert codes == ([code] if code else []), typed
    assert found(keeper, "srch") == ["SRCH-1", "SRCH-2", "SRCH-3"]
    assert found(keeper, "SR") == ["SRCH-1", "SRCH-2", "SRCH-3"]
    for odd, status in (("a" * 200, 200), ("%0A", 200), ("%C3", 400),
                        ("%00", 400), ("a" * 2000, 414)):
        keeper.get(f"/staff/tenants?q={odd}").expect(status)
    keeper.get("/staff/tenants?after=" + "%F0%9F%A6%8A" * 20).expect(200)


def test_pages_hold_each_once(server, keeper):
    server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) "
               "SELECT gen_random_uuid(), 'PAGED-' || n, 'Paged ' || n, "
               "'paged' || n, 'paged-' || n FROM generate_series(1, 1010) n")
    seen, path = [], "/staff/tenants?q=paged"
    while path:
        page = keeper.get(path).expect(200)
        assert "1,000+ clients found" in page.words
        seen += re.findall(r'/staff/tenants/(PAGED-\d+)"', page.text)
        rest = page.text.split('rel="next"')[0].rsplit('href="', 1)
        path = rest[1].split('"')[0].replace("&amp;", "&") \
            if 'rel="next"' in page.text else None
    assert len(seen) == 1010 == len(set(seen))
    assert "1,000+ clients" in keeper.get("/staff/tenants").words


# -- made by admins


def test_make(server, admin, keeper):
    assert "/staff/tenants/new" not in keeper.get("/staff/tenants").text
    post(keeper, "/staff/tenants", {**GOOD, "code": "MADE"}).expect(404)
    page = admin.get("/staff/tenants/new").expect(200)
    answer = admin.submit(page, {**GOOD, "code": "made-1"}).expect(303)
    assert answer.location == "/staff/tenants/MADE-1"
    page = admin.follow(answer).expect(200)
    for said in ("Made Works", "made-works", "made.co.example",
                 "api.made.example", "Ada@Made.example", "bob@made.example",
                 "ops@made.example", "Call first.", "Client made", "Ida Admin"):
        assert said in page.words, said
    tenant = server.sql("SELECT id FROM tenant WHERE code = 'MADE-1'")[0][0]
    assert audits(server, tenant) == [
        ("tenant.created", {"code": "MADE-1", "domains": 2})]
    assert server.sql("SELECT email_folded FROM tenant_designated WHERE "
                      "tenant_id = %s ORDER BY 1", (tenant,)) == [
        ("ada@made.example",), ("bob@made.example",)]
    # Namesakes get a short name of their own.
    fields = {"code": "MADE-2", "name": "Made Works"}
    post(admin, "/staff/tenants", fields).expect(303)
    assert server.sql("SELECT slug FROM tenant WHERE code = 'MADE-2'") == [
        ("made-works-2",)]
    # In whatever case, a code is given once.
    for code in ("MADE-2", "made-2", " Made-2 "):
        bad = post(admin, "/staff/tenants", {**fields, "code": code})
        assert "MADE-2 is the code of Made Works" in bad.expect(422).words
        assert 'href="#code"' in bad.text


@pytest.mark.parametrize("field, typed", [
    ("code", ""), ("code", "A"), ("code", "A" * 33), ("code", "-AB"),
    ("code", "AB_C"), ("code", "ÄÖÜ"), ("code", "AB C"), ("code", "ΑΒΓ"),
    ("name", ""), ("name", "A"), ("name", "x" * 65), ("name", "…"),
    ("name", "Al\u202etaworx"), ("name", "Al\nta\x01worx"),
    ("slug", "-made"), ("slug", "ma de"), ("slug", "m" * 64),
    ("slug", "straße"), ("hosts", "nodots"), ("hosts", "http://a.example"),
    ("hosts", "a..example"), ("hosts", "-a.example"), ("hosts", "10.0.0.1"),
    ("hosts", "x" * 64 + ".example"), ("hosts", "\x01.example"),
    ("hosts", "\n".join(f"h{n}.example" for n in range(51))),
    ("domains", "ada@made.example"), ("domains", "example"),
    ("domains", "Gmail.com"), ("domains", "fine.example web.de"),
    ("domains", "<script>.example"), ("designated", "nobody"),
    ("designated", "a@b.example\n@"), ("notices_to", "ops"),
    ("notes", "x" * 4001),
])
def test_bad_fields(server, admin, field, typed):
    before = server.sql("SELECT count(*) FROM tenant")
    page = post(admin, "/staff/tenants", {**GOOD, "hosts": "", "code": "BADF",
                                          field: typed}).expect(422)
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-error"' in page.text
    # What was typed is kept, each thing where it was.
    form = page.form("/staff/tenants")
    for name, value in GOOD.items():
        if name not in (field, "hosts"):
            assert form.fields[name].strip() == value, name
    assert server.sql("SELECT count(*) FROM tenant") == before


def test_international_names(server, admin):
    post(admin, "/staff/tenants", {
        "code": "INTL", "name": "شركة الاتصالات 🦊", "domains": "bücher.example",
        "hosts": "api.BÜCHER.example", "slug": "intl"}).expect(303)
    page = admin.get("/staff/tenants/INTL").expect(200)
    assert "شركة الاتصالات 🦊" in page.words
    assert "api.xn--bcher-kva.example" in page.words
    assert server.sql("SELECT domain FROM tenant_domain d JOIN tenant t ON "
                      "t.id = d.tenant_id WHERE code = 'INTL'") == [
        ("xn--bcher-kva.example",)]


# -- edited


def test_edit(server, admin, keeper):
    tenant = make(server, "EDIT", domains=["old.example", "kept.example"])
    assert "/edit" not in keeper.get("/staff/tenants/EDIT").text
    keeper.get("/staff/tenants/EDIT/edit").expect(404)
    page = admin.get("/staff/tenants/EDIT/edit").expect(200)
    assert not re.search(r'name="code"', page.text), "the code never changes"
    fields = {"name": "Edited Ltd", "slug": "edited", "domains":
              "kept.example new.example", "hosts": "a.edit.example",
              "designated": "ada@edit.example", "notes": "x"}
    admin.submit(page, fields, "/edit$").expect(303)
    assert server.sql("SELECT name, name_folded, slug, version FROM tenant "
                      "WHERE id = %s", (tenant,)) == [
        ("Edited Ltd", "edited", "edited", 2)]
    assert server.sql("SELECT domain FROM tenant_domain WHERE tenant_id = %s "
                      "ORDER BY 1", (tenant,)) == [
        ("kept.example",), ("new.example",)]
    assert audits(server, tenant) == [("tenant.changed", {
        "name": 1, "slug": 1, "notes": 1, "hosts_added": 1,
        "domains_added": 1, "domains_removed": 1, "designated_added": 1})]
    # Nobody overwrites what he has not seen.
    late = admin.submit(page, {**fields, "name": "Late Ltd"}, "/edit$")
    assert "Somebody changed this client" in late.expect(409).words
    assert late.form("/edit$").fields["name"] == "Late Ltd"
    admin.submit(late, {}, "/edit$").expect(303)
    assert "Late Ltd" in admin.get("/staff/tenants/EDIT").words
    # Taken elsewhere.
    make(server, "EDIT-2")
    page = admin.get("/staff/tenants/EDIT-2/edit")
    bad = admin.submit(page, {"slug": "edited", "hosts": "A.edit.example"},
                       "/edit$").expect(422)
    assert "edited is the short name of Late Ltd (EDIT)" in bad.words
    assert "a.edit.example is a host of Late Ltd (EDIT)" in bad.words
    post(admin, "/staff/tenants/NONE/edit", fields).expect(404)
    post(admin, "/staff/tenants/EDIT/edit", {
        **fields, "version": "99999999999"}).expect(409)


def test_code_in_small_letters(server, keeper):
    make(server, "SMALL")
    answer = keeper.get("/staff/tenants/small").expect(303)
    assert answer.location == "/staff/tenants/SMALL"
    for bad in ("s", "sm%20all", "SMALL-", "%C3%84%C3%96", "x" * 40):
        keeper.get(f"/staff/tenants/{bad}").expect(404)


# -- closed and reopened


def test_close_and_reopen(server, admin, keeper):
    owner, _ = flows.client_with_key(server, "CLOSED", "Closed Works")
    path = "/staff/tenants/CLOSED"
    post(keeper, f"{path}/close", {"reason": "x"}).expect(404)
    page = admin.get(path).expect(200)
    for reason in ("", "   ", "x" * 1001):
        bad = admin.submit(page, {"reason": reason}, "/close$").expect(422)
        assert 'href="#reason"' in bad.text
    bad = admin.submit(page, {"reason": "Gone"}, "/close$").expect(409)
    assert "Cancel its subscription first" in bad.words
    server.sql("UPDATE subscription SET state = 'cancelled' WHERE name = "
               "'Closed Works-KEY'")
    flows.request_key(owner, "Closed Works-KEY")
    bad = admin.submit(page, {"reason": "Gone"}, "/close$").expect(409)
    assert "Decide on it first" in bad.words
    assert bad.form("/close$").fields["reason"] == "Gone"
    request = flows.requests_in_queue(keeper)[-1]
    flows.reject(keeper, request, "No more.").expect(303)
    invite = owner.get("/people").expect(200)
    owner.submit(invite, {"email": "new@closed.example", "role": "member"},
                 "/invite$").expect(303)
    admin.submit(page, {"reason": "Out of business"}, "/close$").expect(303)
    shown = keeper.get(path).expect(200).words
    for said in ("This client is closed", "Ida Admin", "Out of business",
                 "Client closed"):
        assert said in shown, said
    assert "Out of business" in server.mail.wait(
        owner.email, "The client Closed Works is closed").text
    assert server.sql("SELECT ending FROM invitation WHERE email = "
                      "'new@closed.example'") == [("withdrawn",)]
    # Its people are let into nothing, and told so.
    page = owner.get("/products/revio-api/subscribe").expect(200)
    refused = owner.submit(page, {"name": "Closed Works-KEY"}, "/subscribe")
    assert "We closed the client" in refused.expect(422).words
    assert server.sql("SELECT count(*) FROM request WHERE state = 'submitted' "
                      "AND name = 'Closed Works-KEY'") == [(0,)]
    # Twice is once, and so is reopening.
    post(admin, f"{path}/close", {"reason": "again"}).expect(303)
    post(keeper, f"{path}/reopen").expect(404)
    for _ in range(2):
        post(admin, f"{path}/reopen").expect(303)
    tenant = server.sql("SELECT id FROM tenant WHERE code = 'CLOSED'")[0][0]
    actions = [row[0] for row in audits(server, tenant)]
    assert actions.count("tenant.closed") == 1
    assert actions.count("tenant.reopened") == 1
    server.mail.wait(owner.email, "open again")
    flows.request_key(owner, "Closed Works-KEY")
