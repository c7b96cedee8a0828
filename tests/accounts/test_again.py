"""A fresh sign-in before a protected action: the page that asks carries the
form that was sent, once, for this session and path."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import flows, totp

PASSWORD = flows.PASSWORD
WRONG = "wrong horse battery"
PATH = "/account/two-factor/recovery-codes"
WHO = "(SELECT account_id FROM person WHERE email = %s)"


@pytest.fixture
def email(server):
    server.sql("DELETE FROM throttle")
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return address


@pytest.fixture
def browser(server, email):
    return flows.sign_in(server, email)


def stale(server):
    server.sql("UPDATE session SET fresh_at = now() - interval '16 min'")


def fresh(server, email):
    return server.sql("SELECT count(*) FROM session WHERE fresh_at > now() - "
                      f"interval '15 min' AND account_id = {WHO}",
                      (email,))[0][0]


def asked(server, browser):
    """New recovery codes are wanted; the page that asks for more."""
    page = browser.get("/account/two-factor").expect(200)
    stale(server)
    page = browser.submit(page, {}, PATH + "$").expect(200)
    assert page.title.startswith("Is it you?")
    assert "You want to make new recovery codes." in page.words
    return page


def test_second_factor_where_one_is_set(server, email, browser):
    secret, old = totp.set_up(browser)
    page = asked(server, browser)
    assert "password" not in page.form(PATH).fields
    before = dict(browser.cookies)
    answer = browser.submit(page, {"code": totp.code(secret)}, PATH)
    new = totp.recovery_codes_on(answer.expect(200))
    assert len(new) == 10 and not set(new) & set(old)
    # The session has a new token, and the old one opens nothing.
    assert fresh(server, email) == 1
    browser.get("/account").expect(200)
    other = server.client()
    other.cookies = before
    other.get("/account").expect(303)
    # Sent once more, nothing is done.
    again = browser.submit(page, {"code": totp.code(secret, 1)}, PATH)
    assert "sent already" in again.expect(403).words
    # A code counts once, here as well; a password is not asked for.
    page = asked(server, browser)
    browser.submit(page, {"code": totp.code(secret)}, PATH).expect(422)
    browser.submit(page, {"password": PASSWORD}, PATH).expect(422)
    page = browser.submit(page, {"code": new[0]}, PATH).expect(200)
    assert len(totp.recovery_codes_on(page)) == 10


def test_password_where_none_is_set(server, email, browser):
    page = browser.get("/account/two-factor/set-up").expect(200)
    secret = totp.secret_on(page)
    stale(server)
    page = browser.submit(page, {"code": totp.code(secret)},
                          "/set-up$").expect(200)
    assert "set up a second factor" in page.words
    assert "code" not in page.form("/set-up$").fields
    answer = browser.submit(page, {"password": ""}, "/set-up$").expect(422)
    answer = browser.submit(page, {"password": WRONG}, "/set-up$")
    assert 'href="#password"' in answer.expect(422).text
    assert fresh(server, email) == 0
    # The form that a refused try shows carries on as well.
    answer = browser.submit(answer, {"password": PASSWORD}, "/set-up$")
    assert len(totp.recovery_codes_on(answer.expect(200))) == 10


def test_what_travels_is_sealed(server, email, browser):
    totp.set_up(browser)
    page = browser.get("/account/two-factor").expect(200)
    nonce = page.form(PATH).fields["nonce"]
    stale(server)
    page = browser.submit(page, {"password": "a secret of mine",
                                 "reason": "typed by me"}, PATH).expect(200)
    for word in (nonce, "secret of mine", "typed by me"):
        assert word not in page.text


def test_bound_to_session_path_and_time(server, email, browser):
    secret, _ = totp.set_up(browser)
    page = asked(server, browser)
    body = page.form(PATH).fields["again_body"]
    code = {"code": totp.code(secret)}
    # Another path: nothing happens there, and the code is not used up.
    answer = browser.post("/account/two-factor/remove", {
        "csrf": page.form(PATH).fields["csrf"], "again_body": body, **code})
    assert answer.expect(303).location.startswith("/signin/again")
    assert "10 left" in browser.get("/account/two-factor").words
    # Broken, and none.
    for other in (body[:-2] + "xx", "x", "A" * 5000, "%00"):
        answer = browser.submit(page, {"again_body": other, **code}, PATH)
        assert answer.expect(303).location.startswith("/signin/again")
    # Another session of the same person.
    two = server.client()
    form = two.submit(two.get("/signin"), {"email": email,
                                           "password": PASSWORD}, "/signin$")
    form = two.follow(form)
    two.submit(form, {"code": totp.code(secret)}, "/second$").expect(303)
    foreign = asked(server, two)
    answer = browser.submit(page, {
        "again_body": foreign.form(PATH).fields["again_body"],
        "code": totp.code(secret, 1)}, PATH)
    assert answer.expect(303).location.startswith("/signin/again")
    assert fresh(server, email) == 0


def test_twice_at_the_same_time(server, email, browser):
    totp.set_up(browser)
    page = browser.get("/account/two-factor").expect(200)
    codes = totp.recovery_codes_on(browser.submit(page, {}, PATH))
    page = asked(server, browser)
    fields = page.form(PATH).fields
    clients = [server.client() for _ in range(4)]
    for one in clients:
        one.cookies = dict(browser.cookies)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda i: clients[i].post(
            PATH, {**fields, "code": codes[i]}), range(4)))
    done = [a for a in answers if totp.recovery_codes_on(a)]
    assert len(done) == 1, answers


def test_five_failures_end_the_session(server, email, browser):
    totp.set_up(browser)
    page = asked(server, browser)
    # An empty field is no try.
    for _ in range(6):
        browser.submit(page, {"code": ""}, PATH).expect(422)
    for _ in range(4):
        browser.submit(page, {"code": "000000"}, PATH).expect(422)
    answer = browser.submit(page, {"code": "000000"}, PATH).expect(303)
    assert answer.location == "/signin"
    browser.get("/account").expect(303)
    rows = server.sql("SELECT action, detail->>'reason' FROM audit WHERE "
                      f"subject_id = {WHO} ORDER BY id DESC LIMIT 1",
                      (email,))
    assert rows == [("session.ended", "failures")]


def test_a_success_begins_the_count_anew(server, email, browser):
    page = browser.get("/signin/again").expect(200)
    for _ in range(2):
        for _ in range(3):
            browser.submit(page, {"password": WRONG}, "/signin/again$") \
                .expect(422)
        answer = browser.submit(page, {"password": PASSWORD},
                                "/signin/again$").expect(303)
        server.sql("DELETE FROM throttle")
        page = browser.get("/signin/again").expect(200)
    browser.follow(answer).expect(200)


def test_again_page_asks_for_the_second_factor(server, email, browser):
    secret, _ = totp.set_up(browser)
    stale(server)
    answer = browser.get("/account/two-factor/set-up").expect(303)
    assert answer.location.startswith("/signin/again?for=two-factor%2Fset-up&next=")
    page = browser.follow(answer).expect(200)
    assert "password" not in page.form("/signin/again$").fields
    browser.submit(page, {"password": PASSWORD}, "/signin/again$").expect(422)
    assert fresh(server, email) == 0
    answer = browser.submit(page, {"code": totp.code(secret)},
                            "/signin/again$").expect(303)
    assert answer.location == "/account/two-factor/set-up"
    assert fresh(server, email) == 1


def test_staff_decide_with_what_they_typed(server, email, browser):
    """Reason and fields of the form come through as they were typed."""
    person = flows.contact(server, client="Zażółć & Co")
    flows.request_key(person, "Zażółć & Co-KEY")
    path = flows.requests_in_queue(browser)[-1]
    page = browser.get(path).expect(200)
    stale(server)
    page = browser.submit(page, {"code": "ZAZOLC", "client": "Zażółć & Co"},
                          "/approve$").expect(200)
    assert "approve a request" in page.words
    assert re.search(r'name="again_body" value="[\w-]+"', page.text)
    browser.submit(page, {"password": PASSWORD}, "/approve$").expect(303)
    assert server.sql("SELECT name FROM tenant WHERE code = 'ZAZOLC'") == [
        ("Zażółć & Co",)]
