"""A contact without a client asks to join one: staff read it, and nobody learns
who is a client."""

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
    person = flows.contact(server, client="Elsewhere")
    ask(person, "Browser Co").expect(303)
    browser.open(server, "/livez").take_session(person)
    browser.go("/people").inspect("people-ask")
    keeper = flows.staff(server)
    browser.forget().take_session(keeper).go("/staff/asks").inspect("asks")
