"""The pages of the queue, looked at as test_pages.py does it, and what its
script adds: keys that go from row to row, a whole key kept out of addresses,
and a word when new requests came in."""

import pytest
from lib import flows
from e2e.test_pages import look


def test_full_queue(make_server, browser):
    """60 requests of all ages, on two pages."""
    server = make_server()
    keeper = flows.staff(server)
    flows.contact(server)
    add_requests(server, 60)
    browser.open(server).take_session(keeper)
    browser.go("/staff/queue")
    rows = browser.find_all("tbody tr")
    assert "60 requests waiting" in browser.words
    assert "overdue" in rows[0].text
    look(browser, "queue", "Queue", 200)
    first = [row.text for row in browser.find_all("tbody th a")]
    browser.press("Next page")
    second = [row.text for row in browser.find_all("tbody th a")]
    assert len(first + second) == 60 and not set(first) & set(second)
    look(browser, "queue-page-2", "Queue", 200)
    browser.press("First page")
    assert [row.text for row in browser.find_all("tbody th a")] == first
    browser.go(f"/staff/queue?after={'z' * 30}")
    look(browser, "queue-past-end", None)


def add_requests(server, count, hours=52):
    """Accounts and their requests, three quarters of an hour between two; the
    first was sent so long ago."""
    server.sql("""
        WITH made AS (SELECT n, gen_random_uuid() AS account,
                gen_random_uuid() AS request,
                (ARRAY['Northern Telecom', 'Blå Ås AS', 'Quantum & Sons',
                'Meridian', 'Pro-Tel 24', 'Vale Networks'])[1 + n %% 6] || ' '
                || n AS client, (ARRAY['Maya Dorsey', 'Ken Watanabe',
                'Zofia Król', 'Ali Reza'])[1 + n %% 4] AS person
            FROM generate_series(1, %s) AS n),
        a AS (INSERT INTO account (id, kind, password_hash)
            SELECT account, 'contact', '*' FROM made RETURNING id),
        p AS (INSERT INTO person (account_id, email, email_folded,
                email_domain, name, client)
            SELECT account, account || '@client' || n || '.example',
                account || '@client' || n || '.example',
                'client' || n || '.example', person, client
            FROM made RETURNING 1)
        INSERT INTO request (id, account_id, product_id, name,
            client_folded, submitted_at, due_at)
        SELECT request, account, (SELECT id FROM product LIMIT 1),
            client || '-KEY', lower(client),
            now() - (%s - n * 0.75) * interval '1 hour',
            now() - (%s - n * 0.75) * interval '1 hour'
        FROM made""", [count, hours, hours - 48])


@pytest.fixture
def desk(make_server, browser):
    """(server, browser) of a member of staff before five requests."""
    server = make_server()
    keeper = flows.staff(server)
    add_requests(server, 5)
    browser.open(server).take_session(keeper)
    browser.keeper = keeper
    return server, browser


def test_queue_states(desk):
    server, browser = desk
    other = flows.staff(server, name="Ines Blum")
    browser.go("/staff/queue?q=quantum")
    look(browser, "queue-found", "Queue", 200)
    browser.go("/staff/queue?q=nothing+like+it")
    look(browser, "queue-not-found", "Queue", 200)
    browser.go("/staff/queue?state=contact")
    look(browser, "queue-no-such", "Queue", 200)
    browser.go("/staff/queue?q=" + "0a" * 16)
    assert "That was a whole key" in browser.words
    look(browser, "queue-pasted", "Queue", 200)

    browser.go("/staff/queue?sort=due")
    browser.find("summary.btn-quiet").click()
    browser.press("Save filter")
    look(browser, "queue-filter-error", "Error: Queue", 422)
    browser.type("name", "Soon due")
    browser.press("Save filter")
    browser.press("Take Blå Ås AS 1-KEY, Ken Watanabe")
    assert "#r-" in browser.driver.current_url
    server.sql("UPDATE request SET waiting_on = 'contact' "
               "WHERE name LIKE 'Meridian%%'", [])
    server.sql("UPDATE request SET state = 'rejected', reason = 'x', "
               "decided_at = now() WHERE name LIKE 'Vale%%'", [])
    browser.go("/staff/queue?state=any")
    for summary in browser.find_all("details.disclose > summary"):
        if summary.is_displayed():
            summary.click()
    for box in browser.find_all("tbody .tick")[:2]:
        browser.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", box)
        box.click()
    look(browser, "queue-all-open", "Queue", 200)
    browser.press("Reject")
    look(browser, "queue-bulk-error", "Error: Queue", 422)
    assert len(browser.find_all("tbody .tick:checked")) == 2
    browser.press("Approve")
    look(browser, "queue-results", "0 approved", 200)

    browser.go("/staff/queue")
    button = browser.find("button[formaction$='/take']")
    path = button.get_dom_attribute("formaction")
    csrf = other.get("/account").form("/signout").fields["csrf"]
    other.post(path, {"csrf": csrf}).expect(303)
    button.click()
    browser.wait(lambda: "Somebody was faster" in browser.title)
    assert "Ines Blum" in browser.words
    look(browser, "queue-taken", "Somebody was faster", 409)


def test_whose_key(server, browser):
    owner, keeper = flows.client_with_key(server, "WHOSE", "Whose Keys")
    key = flows.show_key(owner)
    browser.open(server).take_session(keeper)
    browser.go("/staff/queue")
    # typed into the search it still doesn't become a part of an address
    browser.type("q", " " + key.upper())
    browser.find("form[role=search] button").click()
    browser.wait(lambda: "The key of" in browser.title)
    assert browser.path == "/staff/queue/key"
    look(browser, "queue-key", "The key of Whose Keys", 200)
    assert key not in server.settled_log().lower()
    browser.go("/staff/queue")
    [s for s in browser.find_all("summary") if "Whose" in s.text][0].click()
    browser.type("key", "0" * 32)
    browser.press("Look up")
    look(browser, "queue-key-none", "Nobody’s key", 200)


def focused(browser):
    return browser.driver.switch_to.active_element


def press(browser, key):
    focused(browser).send_keys(key)


def test_single_keys(desk):
    _, browser = desk
    browser.go("/staff/queue")
    links = browser.find_all("#rows tbody th a")
    names = [link.text for link in links]
    seen = []
    for key in "jnjkpjjjjjj":
        press(browser, key)
        seen.append(focused(browser).text)
    assert seen == [names[i] for i in (0, 1, 2, 1, 0, 1, 2, 3, 4, 4, 4)]
    # typed into a field they are letters
    browser.find("#q").send_keys("jar")
    assert browser.find("#q").get_property("value") == "jar"
    assert browser.path == "/staff/queue"
    for key, part in (("a", "approve"), ("r", "reject_reason")):
        browser.go("/staff/queue")
        press(browser, "j")
        press(browser, key)
        browser.wait(lambda: browser.path.startswith("/staff/requests/"))
        assert browser.driver.current_url.endswith("#" + part)
        assert browser.find("#" + part).is_displayed()
    # turned off, here and on the next page
    browser.go("/staff/queue")
    [s for s in browser.find_all("summary") if "Keyboard" in s.text][0].click()
    browser.find("#shortcuts-on").click()
    browser.go("/staff/queue")
    press(browser, "j")
    assert focused(browser).tag_name == "body"
    assert not browser.find("#shortcuts-on").is_selected()


def test_without_script(desk):
    _, browser = desk
    browser.javascript(False)
    try:
        browser.go("/staff/queue")
        assert not [s for s in browser.find_all("summary")
                    if "Keyboard" in s.text and s.is_displayed()]
        browser.type("q", "quantum")
        browser.find("form[role=search] button").click()
        browser.wait(lambda: "Requests found" in browser.words
                     or "1 request found" in browser.words)
        browser.find("tbody .tick").click()
        browser.type("reason", "No client of ours")
        browser.find("button[value=reject]").click()
        browser.wait(lambda: "1 rejected" in browser.title)
    finally:
        browser.javascript(True)


def test_news_do_not_move_the_page(desk):
    server, browser = desk
    browser.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source":
            "const every = setInterval; window.setInterval = "
            "(f, ms) => every(f, ms === 15000 ? 200 : ms);"})
    browser.go("/staff/queue")
    row = browser.find("#rows tbody tr")
    before = row.rect
    add_requests(server, 2, hours=-1)
    browser.wait(lambda: browser.find_all("#news a"), "a word of what is new")
    assert browser.find("#news").text == "2 new requests: show"
    assert row.rect == before
    assert len(browser.find_all("#rows tbody tr")) == 5
    look(browser, "queue-news")
    browser.find("#news a").click()
    browser.wait(lambda: len(browser.find_all("#rows tbody tr")) == 7)
    assert not browser.find_all("#news a")
