"""The main job over HTTP: a contact asks, staff decide, and what each sees;
with everything that somebody may send in place of it."""

import re
import uuid

import pytest
from lib import flows

PATH = "/products/revio-api/subscribe"
OPEN = re.compile(r'href="(/staff/requests/[0-9a-f-]{36})"')


@pytest.fixture
def client_name(request):
    """A client that no other test of this file knows."""
    return "Test " + re.sub(r"[\W_]", " ", request.node.name.split("_", 1)[1]
                            ).strip()[:40]


def code_of(client):
    return re.sub(r"[^A-Z0-9]", "", client.upper())[:20] or "OTHER"


def ask(server, client, name=None, domain="altaworx.example"):
    """A contact with an open request; the browser has .asked, its id."""
    person = flows.contact(server, flows.address(domain), client=client)
    page = flows.request_key(person, name or f"{client}-KEY")
    person.asked = re.search(r'id="req-([0-9a-f-]{36})"', page.text)[1]
    person.path = f"/staff/requests/{person.asked}"
    return person


def approved(server, client):
    """Owner of a new client with a key, and the member of staff."""
    owner, keeper = ask(server, client), flows.staff(server)
    flows.approve(keeper, owner.path, tenant="", code=code_of(client),
                  client=client).expect(303)
    return owner, keeper


# -- asking


def test_main_job(server, client_name):
    owner = flows.contact(server, client=client_name)
    keeper = flows.staff(server)
    product = owner.get("/products/revio-api").expect(200)
    assert f'href="{PATH}"' in product.text
    form = owner.get(PATH).expect(200)
    assert form.form("/subscribe$").fields["name"] == f"{client_name}-KEY"
    answer = owner.submit(form, action="/subscribe$").expect(303)
    assert answer.location == "/profile"
    page = owner.get("/profile").expect(200)
    for said in (f"{client_name}-KEY", "Submitted", "48 hours", "just now"):
        assert said in page.words, said
    assert page.headers["Cache-Control"] == "no-store"
    server.mail.wait(owner.email, subject=f"{client_name}-KEY")
    server.mail.wait(keeper.email, subject=f"{client_name}-KEY")

    path = "/staff/requests/" + re.search(r'id="req-([0-9a-f-]{36})"',
                                          page.text)[1]
    assert path in flows.requests_in_queue(keeper)
    seen = keeper.get(path).expect(200)
    assert "The client is not known" in seen.words
    form = seen.form("/approve$")
    assert form.fields["code"] == code_of(client_name)
    assert form.fields["client"] == client_name
    assert not seen.has_form("/share$")
    done = flows.approve(keeper, path).expect(303)
    assert done.location == "/staff/queue"
    assert path not in flows.requests_in_queue(keeper)
    server.mail.wait(owner.email, subject=f"{client_name}-KEY", count=2)

    page = owner.get("/profile").expect(200)
    assert "Active" in page.words and "Owner" in page.words
    assert not re.search(r"\b[0-9a-f]{32}\b", page.text), "a key in the page"
    primary, secondary = (flows.show_key(owner, slot)
                          for slot in ("primary", "secondary"))
    assert re.fullmatch("[0-9a-f]{32}", primary)
    assert re.fullmatch("[0-9a-f]{32}", secondary)
    assert primary != secondary
    tenant = keeper.get(f"/staff/tenants/{code_of(client_name)}").expect(200)
    assert owner.email in tenant.words and primary[-4:] in tenant.words
    listed = keeper.get("/staff/tenants").expect(200)
    assert client_name in listed.words


@pytest.mark.parametrize("name,said", [
    ("", "Write a name"),
    ("Altaworx", "must end in “-KEY”"),
    ("Altaworx-key", "in capital letters"),
    ("A-KEY", "at least 2 characters"),
    ("x" * 65 + "-KEY", "up to 64 characters"),
    ("Altaworx -KEY", "begin or end with a space"),
    ("Alta🔑worx-KEY", "can’t hold “🔑”"),
    ("Alta<b>worx-KEY", "can’t hold “<”"),
    ("\u202eAltaworx-KEY", "can’t be seen"),
    ("Alta\u200fworx-KEY", "can’t be seen"),
    ("&&-KEY", "letter or digit"),
    ("Alta\x01worx-KEY", "can’t be seen"),
])
def test_bad_names(server, asker, name, said):
    page = asker.get(PATH).expect(200)
    answer = asker.submit(page, {"name": name}, "/subscribe$").expect(422)
    assert said in answer.words, answer.words[:900]
    assert "Naming Co-KEY" in answer.words, "shows no right name"
    assert answer.title.startswith("Error: ")
    assert 'href="#name"' in answer.text
    assert answer.form("/subscribe$").fields["name"] == name.strip()


@pytest.fixture(scope="module")
def asker(server):
    return flows.contact(server, client="Naming Co")


@pytest.mark.parametrize("client", [
    "شركة الاتصالات", "Łódź & Søn's Co.", "北京 通信", "한국통신", "ÅÄÖ-99"])
def test_good_names(server, client):
    person, keeper = ask(server, client), flows.staff(server)
    seen = keeper.get(person.path).expect(200)
    assert f"{client}-KEY" in seen.words
    assert "<script" not in seen.text.replace('<script src="/assets/', "")
    flows.approve(keeper, person.path, tenant="", client=client,
                  code="X" + uuid.uuid4().hex[:10].upper()).expect(303)
    assert re.fullmatch("[0-9a-f]{32}", flows.show_key(person))


def test_second_try_shows_the_first(server, client_name):
    person = ask(server, client_name)
    page = person.get(PATH).expect(200)
    assert "Your request waits for us" in page.words
    assert f"{client_name}-KEY" in page.words
    assert not page.has_form("/subscribe$")
    csrf = page.form("/signout").fields["csrf"]
    again = person.post(PATH, {"csrf": csrf, "name": "Other Name-KEY"})
    assert "Your request waits for us" in again.expect(409).words
    assert person.get("/products/revio-api").words.count("waits for us") == 1
    assert server.sql("SELECT count(*) FROM request r JOIN person p "
                      "USING (account_id) WHERE p.email = %s",
                      (person.email,)) == [(1,)]


def test_with_a_key_there_is_nothing_to_ask(server, client_name):
    owner, _ = approved(server, client_name)
    page = owner.get(PATH).expect(200)
    assert "has a key" in page.words
    csrf = page.form("/signout").fields["csrf"]
    owner.post(PATH, {"csrf": csrf, "name": "Alta-KEY"}).expect(409)
    assert "You have a key" in owner.get("/products/revio-api").words


def test_no_csrf_no_request(server):
    person = flows.contact(server, client="Forged")
    person.post(PATH, {"name": "Forged-KEY"}).expect(403)
    page = person.get(PATH)
    person.submit(page, {"name": "Forged-KEY", "csrf": "x"},
                  "/subscribe$").expect(403)
    person.submit(page, {"name": "Forged-KEY"}, "/subscribe$",
                  headers={"Origin": "https://evil.example"}).expect(403)
    assert server.sql("SELECT count(*) FROM request WHERE name = "
                      "'Forged-KEY'") == [(0,)]


def test_withdraw(server, client_name):
    person, other = ask(server, client_name), ask(server, client_name)
    keeper = flows.staff(server)
    path = f"/requests/{person.asked}/withdraw"
    csrf = other.get("/profile").form("/signout").fields["csrf"]
    other.post(path, {"csrf": csrf}).expect(404)
    page = person.get("/profile").expect(200)
    person.submit(page, action="/withdraw$").expect(303)
    assert "Withdrawn" in person.get("/profile").words
    csrf = page.form("/signout").fields["csrf"]
    person.post(path, {"csrf": csrf}).expect(409)
    person.post(f"/requests/{uuid.uuid4()}/withdraw",
                {"csrf": csrf}).expect(404)
    person.post("/requests/nonsense/withdraw", {"csrf": csrf}).expect(404)
    # Staff who had the page open learn who was faster.
    csrf = keeper.get("/staff/queue").form("/signout").fields["csrf"]
    late = keeper.post(f"/staff/requests/{person.asked}/approve",
                       {"csrf": csrf, "code": "LATE", "client": "Late"})
    assert "withdrew" in late.expect(409).words
    flows.request_key(person, f"{client_name}-KEY")


# -- deciding


def test_share(server, client_name):
    owner, keeper = approved(server, client_name)
    second = ask(server, client_name, f"{client_name.upper()}, Inc.-KEY"
                 .replace(",", ""))
    seen = keeper.get(second.path).expect(200)
    assert f"{client_name} has a key already" in seen.words
    assert not seen.has_form("/approve$"), "share in place of approve"
    flows.share(keeper, second.path).expect(422)
    refused = flows.share(keeper, second.path, reason="   ").expect(422)
    assert "Say why" in refused.words
    flows.share(keeper, second.path,
                reason="Ada confirmed it by phone").expect(303)
    for slot in ("primary", "secondary"):
        assert flows.show_key(owner, slot) == flows.show_key(second, slot)
    assert "Member" in second.get("/profile").words
    told = server.mail.wait(owner.email,
                            f"can see the key of {client_name}")
    assert second.email in told.text
    server.mail.wait(second.email, f"You share the key of {client_name}")
    assert "Ada confirmed" not in told.text + told.html
    again = keeper.post(f"{second.path}/share", {
        "csrf": seen.form("/share$").fields["csrf"], "reason": "x"})
    assert "shared the existing key" in again.expect(409).words


def test_listed_domain_needs_no_reason(server, client_name):
    _, keeper = approved(server, client_name)
    server.sql("INSERT INTO tenant_domain SELECT id, 'listed.example' FROM "
               "tenant WHERE code = %s", (code_of(client_name),))
    second = ask(server, client_name, domain="listed.example")
    seen = keeper.get(second.path).expect(200)
    assert "The mail domain fits" in seen.words
    flows.share(keeper, second.path).expect(303)


def test_public_mail_is_said(server, client_name):
    person = ask(server, client_name, domain="gmail.com")
    keeper = flows.staff(server)
    assert "public mail service" in keeper.get(person.path).words


def test_approve_into_one_that_exists(server, client_name):
    person, keeper = ask(server, client_name), flows.staff(server)
    server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) "
               "VALUES (gen_random_uuid(), 'IMPORTED', 'Imported Ltd', "
               "'imported', 'imported')")
    answer = flows.approve(keeper, person.path, tenant="IMPORTED")
    assert "Say why" in answer.expect(422).words
    assert answer.form("/approve$").fields["tenant"] == "IMPORTED"
    answer = flows.approve(keeper, person.path, tenant="", code="IMPORTED",
                           client="Whatever")
    assert "IMPORTED is the code of Imported Ltd" in answer.expect(422).words
    answer = flows.approve(keeper, person.path, tenant="NOSUCH")
    assert "No client has the code NOSUCH" in answer.expect(422).words
    flows.approve(keeper, person.path, tenant="IMPORTED",
                  reason="Signed the contract of 2 May").expect(303)
    assert "Imported Ltd" in person.get("/profile").words


def test_approve_into_one_of_another_name(server, client_name):
    """Nothing of what was typed leads to the tenant, but staff know."""
    code = code_of(client_name) + "-9"
    server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) VALUES "
               "(gen_random_uuid(), %s, 'Old Name Holding', "
               "'oldnameholding', %s)", (code, code.lower()))
    person, keeper = ask(server, client_name), flows.staff(server)
    page = keeper.get(person.path).expect(200)
    assert "Old Name Holding" not in page.words
    for typed, said in (("", "Write the code"), ("NO-SUCH", "NO-SUCH")):
        page = flows.approve(keeper, person.path, tenant="?",
                             existing=typed).expect(422)
        assert said in page.words
    page = flows.approve(keeper, person.path, tenant="?",
                         existing=code.lower()).expect(422)
    assert "Old Name Holding" in page.words and "Say why" in page.words
    keeper.submit(page, {"tenant": code, "reason": "renamed in May"},
                  "/approve$").expect(303)
    assert "Old Name Holding" in person.get("/profile").words


@pytest.mark.parametrize("fields,said", [
    ({"code": "x", "client": "Good"}, "2 to 32 capital letters"),
    ({"code": "-AB-", "client": "Good"}, "2 to 32 capital letters"),
    ({"code": "ÄÖÜ", "client": "Good"}, "2 to 32 capital letters"),
    ({"code": "GOOD1", "client": ""}, "Write the client’s name"),
    ({"code": "GOOD1", "client": "x" * 65}, "up to 64 characters"),
    ({"code": "GOOD1", "client": "Good", "reason": "x" * 1001},
     "up to 1000 characters"),
])
def test_bad_tenants(server, waiting, fields, said):
    person, keeper = waiting
    page = keeper.get(person.path).expect(200)
    csrf = page.form("/approve$").fields["csrf"]
    answer = keeper.post(f"{person.path}/approve",
                         {"csrf": csrf, "tenant": "", **fields}).expect(422)
    assert said in answer.words
    assert answer.form("/approve$").fields["client"] == fields["client"]
    assert server.sql("SELECT state FROM request WHERE id = %s",
                      (person.asked,)) == [("submitted",)]


@pytest.fixture(scope="module")
def waiting(server):
    return ask(server, "Waiting Co"), flows.staff(server)


def test_reject(server, client_name):
    person, keeper = ask(server, client_name), flows.staff(server)
    for reason in ("", " \n "):
        answer = flows.reject(keeper, person.path, reason).expect(422)
        assert "Say why" in answer.words
    flows.reject(keeper, person.path, "Not a <client> of ours").expect(303)
    page = person.get("/profile").expect(200)
    assert "Rejected" in page.words
    assert "Not a <client> of ours" in page.words
    server.mail.wait(person.email, subject=f"{client_name}-KEY", count=2)
    assert any("Not a <client> of ours" in m.text
               for m in server.mail.to(person.email))
    other = flows.staff(server)
    csrf = other.get("/staff/queue").form("/signout").fields["csrf"]
    late = other.post(f"{person.path}/reject", {"csrf": csrf,
                                                "reason": "me too"})
    assert "Sam Keeper rejected" in late.expect(409).words
    assert "Nothing to decide" in other.get(person.path).words
    flows.request_key(person, f"{client_name}-KEY")


def test_two_requests_of_one_client(server, client_name):
    first, second = ask(server, client_name), ask(server, client_name)
    keeper, other = flows.staff(server), flows.staff(server)
    page = other.get(second.path).expect(200)
    assert "Another request waits" in page.words
    flows.approve(keeper, first.path, tenant="", code=code_of(client_name),
                  client=client_name).expect(303)
    # The other still has the form of before: as a new client, then into it.
    fields = {"tenant": "", "code": code_of(client_name),
              "client": client_name}
    other.submit(page, fields, "/approve$").expect(422)
    fields = {"tenant": code_of(client_name), "reason": "same company"}
    late = other.submit(page, fields, "/approve$").expect(409)
    assert "has a key already" in late.words and "Sam Keeper" in late.words
    assert server.sql("SELECT count(*) FROM subscription s JOIN tenant t ON "
                      "t.id = s.tenant_id WHERE t.name = %s",
                      (client_name,)) == [(1,)]


def test_never_moved(server, client_name):
    owner, keeper = approved(server, client_name)
    server.sql("UPDATE subscription SET state = 'cancelled', ended_at = now()"
               " WHERE name = %s", (f"{client_name}-KEY",))
    page = flows.request_key(owner, f"{client_name}-KEY")
    path = "/staff/requests/" + [
        i for i in re.findall(r'id="req-([0-9a-f-]{36})"', page.text)
        if i != owner.asked][0]
    answer = flows.approve(keeper, path, tenant="", code="ELSEWHERE",
                           client="Elsewhere").expect(422)
    assert "never moved" in answer.words
    flows.approve(keeper, path).expect(303)
    assert "Cancelled" in owner.get("/profile").words


# -- who sees what


def test_contacts_and_staff_keep_apart(server, client_name):
    owner, keeper = approved(server, client_name)
    for path in ("/staff/queue", owner.path, "/staff/tenants",
                 f"/staff/tenants/{code_of(client_name)}"):
        owner.get(path).expect(404)
        answer = server.client().get(path).expect(303)
        assert answer.location.startswith("/signin?next=")
    assert keeper.get("/profile").expect(303).location == "/staff/queue"
    keeper.get(PATH).expect(404)
    csrf = owner.get("/profile").form("/signout").fields["csrf"]
    for verb in ("approve", "share", "reject"):
        owner.post(f"{owner.path}/{verb}", {"csrf": csrf, "reason": "x"}
                   ).expect(404)
    for path in (f"/staff/requests/{uuid.uuid4()}", "/staff/requests/1",
                 "/staff/tenants/NOSUCH", "/staff/tenants/no such",
                 "/products/no-such", "/products/no-such/subscribe"):
        keeper.get(path.replace(" ", "%20")).expect(404)


def test_pages_for_everybody(server):
    visitor = server.client()
    for path, said in (("/", "One key for your company"),
                       ("/products", "Rev.io API"),
                       ("/products/revio-api", "Sign up to ask for it"),
                       ("/how-it-works", "48 hours"),
                       ("/terms", "Terms of use")):
        page = visitor.get(path).expect(200)
        assert said in page.words, path
        assert not visitor.cookies, f"{path} sets a cookie"


def test_queue_pages(server):
    keeper = flows.staff(server)
    account = server.sql("SELECT account_id FROM person WHERE email = %s",
                         (ask(server, "Queue Base").email,))[0][0]
    assert account
    server.sql("""
        WITH a AS (INSERT INTO account (id, kind, password_hash)
          SELECT gen_random_uuid(), 'contact', 'x'
          FROM generate_series(1, 120) RETURNING id),
        p AS (INSERT INTO person (account_id, email, email_folded,
            email_domain, name, client)
          SELECT id, id || '@q.example', id || '@q.example', 'q.example',
            'Q', 'Queue' FROM a)
        INSERT INTO request (id, account_id, product_id, name, client_folded,
          submitted_at, due_at)
        SELECT gen_random_uuid(), a.id, pr.id, 'Queue-KEY', 'queue',
          now() - interval '3 days', now() - interval '1 day'
        FROM a, product pr WHERE pr.slug = 'revio-api'""")
    seen, path = [], "/staff/queue"
    while path:
        page = keeper.get(path).expect(200)
        seen += OPEN.findall(page.text)
        more = re.search(r'href="(/staff/queue\?after=[^"]+)"', page.text)
        path = more and more[1]
    assert len(seen) == len(set(seen)) >= 120
    assert "overdue" in keeper.get("/staff/queue").words
    keeper.get("/staff/queue?after=%27--").expect(200)
    server.sql("UPDATE request SET state = 'withdrawn', decided_at = now() "
               "WHERE name = 'Queue-KEY'")
