"""A contact without a client asks to join one: staff read it, and nobody learns
who is a client."""

from concurrent.futures import ThreadPoolExecutor

from lib import flows


def ask(browser, client):
    page = browser.get("/people").expect(200)
    return browser.submit(page, {"client": client}, "/people/ask$")


def test_ask_goes_to_staff(server):
    keeper = flows.staff(server)
    assert "Nobody asks" in keeper.get("/staff/asks").expect(200).words
    person = flows.contact(server, name="Ari Asker", client="Elsewhere")
    answer = ask(person, "Altaworx").expect(303)
    page = person.follow(answer).expect(200)
    assert "Your ask is with us" in page.words and "Altaworx" in page.words
    told = server.mail.wait(keeper.email, "asks to join")
    assert "Ari Asker" in told.text and person.email in told.text
    listed = keeper.get("/staff/asks").expect(200)
    assert "Ari Asker" in listed.words and "No client of that name" in \
        listed.words
    keeper.submit(listed, {}, "/end$").expect(303)
    assert "Nobody asks" in keeper.get("/staff/asks").words
    assert "Your ask is with us" not in person.get("/people").words
    assert server.sql("SELECT action FROM audit WHERE action LIKE 'join.%' "
                      "ORDER BY id") == [("join.asked",), ("join.settled",)]


def test_the_answer_tells_nothing(server):
    """Letter by letter the same page, for a client and for none."""
    owner, keeper = flows.client_with_key(server, "SECRETCO", "Secret Co")
    pages = []
    for client in ("Secret Co", "Nobodys Co"):
        person = flows.contact(server, client="Elsewhere")
        answer = ask(person, client).expect(303)
        pages.append((answer.location, person.follow(answer).words.replace(
            client, "X").replace(person.email, "Y")))
    assert pages[0] == pages[1]
    listed = keeper.get("/staff/asks").expect(200)
    assert "Secret Co" in listed.words
    assert "/staff/tenants/SECRETCO" in listed.text
    # Who is there already has nothing to ask.
    csrf = owner.get("/people").form("signout").fields["csrf"]
    owner.post("/people/ask", {"csrf": csrf, "client": "X Co"}).expect(404)


def asked(server, client="Somewhere", domain="asker.example"):
    """A contact who asked, and the path of the ask."""
    person = flows.contact(server, email=flows.address(domain),
                           client="Elsewhere")
    ask(person, client).expect(303)
    number = server.sql("SELECT j.id FROM join_ask j JOIN person p USING "
                        "(account_id) WHERE p.email = %s AND ended_at IS NULL",
                        (person.email,))[0][0]
    return person, f"/staff/asks/{number}/share"


def empty_client(server, code, *domains):
    """As an import makes it: nobody is there yet."""
    server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) VALUES "
               "(gen_random_uuid(), %s, %s, %s, %s)",
               (code, code.title(), code.lower(), code.lower()))
    for domain in domains:
        server.sql("INSERT INTO tenant_domain (tenant_id, domain) SELECT id, "
                   "%s FROM tenant WHERE code = %s", (domain, code))


def let_in(keeper, path, **fields):
    page = keeper.get("/staff/asks").expect(200)
    return keeper.submit(page, fields, path)


def seat(server, person):
    return server.sql(
        "SELECT t.code, m.role, m.let_in_by FROM membership m JOIN tenant t "
        "ON t.id = m.tenant_id JOIN person p USING (account_id) WHERE "
        "p.email = %s", (person.email,))


def test_staff_let_in_by_domain(server):
    owner, keeper = flows.client_with_key(server, "DOMCO", "Dom Co")
    server.sql("INSERT INTO tenant_domain (tenant_id, domain) SELECT id, "
               "'dom.example' FROM tenant WHERE code = 'DOMCO'")
    person, path = asked(server, "Dom Co", "dom.example")
    page = keeper.get("/staff/asks")
    assert page.form(path).fields["tenant"] == "DOMCO"
    answer = keeper.submit(page, {}, path).expect(303)
    assert "Let in" in keeper.follow(answer).words
    assert seat(server, person) == [("DOMCO", "member", "domain")]
    assert flows.show_key(person) == flows.show_key(owner)
    server.mail.wait(person.email, "You belong to Dom Co")
    told = server.mail.wait(owner.email, "can see the key of Dom Co")
    assert person.email in told.text and "mail domain of yours" in told.text
    assert server.sql("SELECT detail->>'rule' FROM audit WHERE action = "
                      "'membership.created' ORDER BY id DESC LIMIT 1") == [
                          ("domain",)]
    # Once.
    csrf = keeper.get("/staff/asks").form("signout").fields["csrf"]
    keeper.post(path, {"csrf": csrf, "tenant": "DOMCO", "reason": "x"}) \
        .expect(404)


def test_staff_let_in_with_a_reason(server):
    owner, keeper = flows.client_with_key(server, "REASCO", "Reas Co")
    person, path = asked(server, "Reas Co")
    for fields in ({}, {"reason": " "}, {"reason": "x" * 1001},
                   {"tenant": "NOBODY", "reason": "known"},
                   {"tenant": "", "reason": "known"}):
        page = let_in(keeper, path, **fields).expect(422)
        assert page.title.startswith("Error:") and 'href="#ask"' in page.text
        assert seat(server, person) == []
    assert page.form(path).fields["reason"] == "known"
    server.sql("UPDATE session SET fresh_at = now() - interval '16 min'")
    page = let_in(keeper, path, reason="Ada called us").expect(200)
    assert "You want to let a contact in to a client." in page.words
    keeper.submit(page, {"password": flows.PASSWORD}, path).expect(303)
    assert seat(server, person) == [("REASCO", "member", "reason")]
    server.mail.wait(owner.email, "can see the key of Reas Co")


def test_public_mail_is_no_domain(server):
    keeper = flows.staff(server)
    empty_client(server, "PUBCO")
    server.sql("ALTER TABLE tenant_domain DISABLE TRIGGER "
               "tenant_domain_private")
    server.sql("INSERT INTO tenant_domain (tenant_id, domain) SELECT id, "
               "'gmail.com' FROM tenant WHERE code = 'PUBCO'")
    server.sql("ALTER TABLE tenant_domain ENABLE TRIGGER "
               "tenant_domain_private")
    person, path = asked(server, "Pubco", "gmail.com")
    let_in(keeper, path, tenant="PUBCO").expect(422)
    assert seat(server, person) == []


def test_one_owner_of_many_at_once(make_server):
    """Several are let in at once to a client that nobody belongs to."""
    server = make_server(workers=2, courier=True)
    keeper = flows.staff(server)
    for turn in range(3):
        code = f"EMPTY{turn}"
        empty_client(server, code, "many.example")
        people = [asked(server, code, "many.example") for _ in range(5)]
        page = keeper.get("/staff/asks").expect(200)
        forms = [page.form(path).fields for _, path in people]
        clients = []
        for _ in people:
            clients.append(server.client())
            clients[-1].cookies = dict(keeper.cookies)
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(
                lambda i: clients[i].post(people[i][1], {
                    **forms[i], "tenant": code}), range(5)))
        assert [a.status for a in answers] == [303] * 5
        roles = sorted(seat(server, person)[0][1] for person, _ in people)
        assert roles == ["member"] * 4 + ["owner"]


def test_one_is_open_at_a_time(server):
    person = flows.contact(server, client="Elsewhere")
    for client in ("First Co", "Second Co"):
        ask(person, client).expect(303)
    assert server.sql(
        "SELECT j.client FROM join_ask j JOIN person p USING (account_id) "
        "WHERE p.email = %s", (person.email,)) == [("Second Co",)]


def test_bad_names(server):
    person = flows.contact(server, client="Elsewhere")
    for client in ("", "x", "A" * 65, "<b>", "a\x01b"):
        page = ask(person, client).expect(422)
        assert page.title.startswith("Error:") and 'href="#client"' in \
            page.text
    assert server.sql(
        "SELECT count(*) FROM join_ask j JOIN person p USING (account_id) "
        "WHERE p.email = %s", (person.email,)) == [(0,)]


def test_page_in_the_browser(server, browser):
    # Those of the other tests are no longer in the way.
    server.sql("UPDATE join_ask SET ended_at = now(), ended_by = account_id "
               "WHERE ended_at IS NULL")
    person = flows.contact(server, client="Elsewhere")
    ask(person, "Browser Co").expect(303)
    browser.open(server, "/livez").take_session(person)
    browser.go("/people").inspect("people-ask")
    keeper = flows.staff(server)
    browser.forget().take_session(keeper).go("/staff/asks").inspect("asks")
    browser.find("details.disclose summary").click()
    browser.inspect("asks-let-in")
    browser.press_submit("/share")
    browser.inspect("asks-error")


def who(server, person):
    return server.sql("SELECT account_id FROM person WHERE email = %s",
                      (person.email,))[0][0]


def test_what_an_owner_said(server):
    """Staff asked the owners because of a request: the answer stands beside the
    ask, and a yes is a way in as long as who gave it is an owner."""
    owner, keeper = flows.client_with_key(server, "AGREECO", "Agree Co")
    person, share = asked(server, "Agree Co", domain="else.example")
    flows.request_key(person, "Agree Co-KEY")
    number = server.sql("SELECT id FROM request WHERE account_id = %s "
                        "AND state = 'submitted'", (who(server, person),))[0][0]
    listed = keeper.get("/staff/asks").expect(200)
    assert f"/staff/requests/{number}" not in listed.text
    path = f"/staff/requests/{number}"
    keeper.submit(keeper.get(path), {"tenant": "AGREECO"}, "/consent$"
                  ).expect(303)
    listed = keeper.get("/staff/asks").expect(200)
    assert "Its owners were asked, and have not answered" in listed.words
    keeper.submit(listed, {"tenant": "AGREECO"}, share).expect(422)
    consent = server.sql("SELECT id FROM request_consent "
                         "WHERE request_id = %s", (number,))[0][0]
    page = owner.get(f"/consents/{consent}").expect(200)
    owner.submit(page, {"answer": "yes"}, "/consents/").expect(303)
    listed = keeper.get("/staff/asks").expect(200)
    assert "An owner agreed" in listed.words and path in listed.text
    # Who said it owns the client no more: then it counts no more.
    server.sql("UPDATE membership SET role = 'manager' WHERE account_id = %s",
               (who(server, owner),))
    listed = keeper.get("/staff/asks").expect(200)
    assert "An owner did not agree" in listed.words
    keeper.submit(listed, {"tenant": "AGREECO"}, share).expect(422)
    server.sql("UPDATE membership SET role = 'owner' WHERE account_id = %s",
               (who(server, owner),))
    keeper.submit(keeper.get("/staff/asks"), {"tenant": "AGREECO"}, share
                  ).expect(303)
    assert server.sql("SELECT let_in_by FROM membership WHERE account_id = %s",
                      (who(server, person),)) == [("owner",)]
