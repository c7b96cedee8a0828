"""Forgotten passwords, from the form over the mail to the new one."""

import re
import threading

import pytest

from lib import flows

PASSWORD = flows.PASSWORD
NEW = "amber meadow 17 clocks"


@pytest.fixture(autouse=True)
def no_throttle(server):
    server.sql("DELETE FROM throttle")


def member(server):
    """The address of a member of staff: made without mail."""
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return address


def ask(server, email, browser=None):
    browser = browser or server.client()
    return browser.submit(browser.get("/forgot").expect(200),
                          {"email": email}, "/forgot$")


def link(server, email, count=1):
    return server.mail.wait(email, "choose a new", count).link("/reset/")


def reset(server, path, password=NEW, browser=None):
    browser = browser or server.client()
    return browser.submit(browser.get(path).expect(200),
                          {"password": password}, "/reset/")


def signs_in(server, email, password):
    browser = server.client()
    answer = browser.submit(browser.get("/signin"), {
        "email": email, "password": password}, "/signin$")
    return answer.status == 303


def alike(answer, *own):
    text = answer.text
    for word in own:
        text = text.replace(word, "X")
    text = re.sub(r'name="csrf" value="[^"]*"|r-[0-9a-f]{12}|\d+ minutes', "",
                  text)
    headers = sorted((k.lower(), re.sub(r"=[\w-]{20,}|r-[0-9a-f]{12}", "", v))
                     for k, v in answer.headers.items() if k.lower() not in
                     ("date", "content-length", "retry-after"))
    return answer.status, answer.location, headers, text


def test_from_form_to_password(server):
    email = member(server)
    others = [flows.sign_in(server, email) for _ in range(2)]
    browser = server.client()
    page = browser.get("/signin").expect(200)
    assert "/forgot" in page.text
    page = browser.follow(ask(server, email, browser)).expect(200)
    assert "30 minutes" in page.words
    path = link(server, email)
    page = browser.get(path).expect(200)
    assert email in page.text
    assert 'autocomplete="new-password"' in page.text
    # Looking changes nothing, as often as a mail scanner likes to.
    browser.get(path).expect(200)
    others[0].get("/account").expect(200)
    answer = browser.submit(page, {"password": NEW}, "/reset/").expect(303)
    assert "set anew" in browser.follow(answer).words
    for other in others:
        other.get("/account").expect(303)
    assert not signs_in(server, email, PASSWORD)
    assert signs_in(server, email, NEW)
    told = server.mail.wait(email, "was set anew")
    assert "If that was not you" in told.text and told.html
    assert PASSWORD not in told.text and NEW not in told.text
    # Once.
    browser.get(path).expect(410)
    answer = browser.post(path, {"csrf": page.form("/reset/").fields["csrf"],
                                 "password": PASSWORD})
    assert answer.status == 410
    assert signs_in(server, email, NEW)
    actions = [row[0] for row in server.sql(
        "SELECT action FROM audit JOIN person ON subject_id = account_id "
        "WHERE email = %s ORDER BY id", (email,))]
    assert "recovery.asked" in actions and "password.reset" in actions


def test_nobody_learns_who_has_an_account(server):
    known, closed, unknown = member(server), member(server), flows.address()
    server.sql("UPDATE account SET state = 'disabled' WHERE id = (SELECT "
               "account_id FROM person WHERE email = %s)", (closed,))
    first = [alike(ask(server, e), e) for e in (known, closed, unknown)]
    assert first[0] == first[1] == first[2]
    for _ in range(2):
        for email in (known, closed, unknown):
            ask(server, email).expect(303)
    # And so is the fourth.
    fourth = [alike(ask(server, e), e) for e in (known, closed, unknown)]
    assert fourth[0][0] == 429
    assert fourth[0] == fourth[1] == fourth[2]
    link(server, known, count=3)
    # Only an account gets mail; the courier has been through all rows.
    server.mail.none(unknown, lambda: server.sql(
        "SELECT count(*) FROM outbox WHERE state = 'queued'") == [(0,)])
    assert server.mail.to(closed) == []
    assert "mail_failed" not in str(server.sql("SELECT kind FROM outbox"))


def test_wait_ends(server):
    email = flows.address()
    for _ in range(3):
        ask(server, email).expect(303)
    answer = ask(server, email).expect(429)
    assert 50 < int(answer.headers["Retry-After"]) <= 61
    server.sql("UPDATE recovery SET created_at = created_at - "
               "interval '1 min' WHERE email_folded = %s", (email,))
    ask(server, email).expect(303)


def test_a_network_is_throttled(server):
    for _ in range(60):
        ask(server, flows.address()).expect(303)
    ask(server, flows.address()).expect(429)


def test_newest_link_counts(server):
    email = member(server)
    ask(server, email).expect(303)
    first = link(server, email)
    ask(server, email).expect(303)
    second = link(server, email, 2)
    assert first != second
    server.client().get(first).expect(410)
    reset(server, second).expect(303)


def test_link_ends(server):
    email = member(server)
    ask(server, email).expect(303)
    path = link(server, email)
    assert server.sql("SELECT count(*) FROM recovery WHERE email_folded = %s "
                      "AND expires_at = created_at + interval '30 minutes'",
                      (email,)) == [(1,)]
    server.sql("UPDATE recovery SET expires_at = now() WHERE email_folded = "
               "%s", (email,))
    page = server.client().get(path).expect(410)
    assert "/forgot" in page.text


def test_a_changed_password_ends_the_link(server):
    email = member(server)
    browser = flows.sign_in(server, email)
    ask(server, email).expect(303)
    path = link(server, email)
    browser.submit(browser.get("/account/password"), {
        "password": PASSWORD, "new_password": NEW}).expect(303)
    server.client().get(path).expect(410)


def test_a_disabled_account_keeps_its_password(server):
    email = member(server)
    ask(server, email).expect(303)
    path = link(server, email)
    who = "id = (SELECT account_id FROM person WHERE email = %s)"
    server.sql(f"UPDATE account SET state = 'disabled' WHERE {who}", (email,))
    server.client().get(path).expect(410)


@pytest.mark.parametrize("password", [
    "", "short", "password1234", "x" * 129, "keeperkeeper",
    "abc\x01def ghi jkl"])
def test_passwords_are_judged_as_at_sign_up(server, password):
    email = member(server)
    ask(server, email).expect(303)
    path = link(server, email)
    answer = reset(server, path, password).expect(422)
    assert 'href="#password"' in answer.text
    assert answer.form("/reset/").fields["password"] == ""
    assert signs_in(server, email, PASSWORD)
    # The link is not used up by it.
    reset(server, path).expect(303)


def test_two_at_once(server):
    email = member(server)
    ask(server, email).expect(303)
    path = link(server, email)
    browsers = [server.client() for _ in range(4)]
    pages = [b.get(path).expect(200) for b in browsers]
    answers = []

    def send(number):
        answers.append(browsers[number].submit(
            pages[number], {"password": f"{NEW} {number}"},
            "/reset/").status)
    threads = [threading.Thread(target=send, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[0] == 303
    assert set(answers[1:] + answers[:1]) <= {303, 409, 410}
    assert answers.count(303) == 1


@pytest.mark.parametrize("token", [
    "x", "A" * 43, "A" * 42 + "%00", "A" * 900, "%27%20OR%201=1"])
def test_links_that_are_none(server, token):
    answer = server.client().get("/reset/" + token)
    assert answer.status in (400, 404, 410)


@pytest.mark.parametrize("email", ["", "sam", "a@" + "b" * 500, "a b@c.d"])
def test_addresses_that_are_none(server, email):
    answer = ask(server, email).expect(422)
    assert answer.form("/forgot$").fields["email"] == email.strip() or email


def test_forged_forms_change_nothing(server):
    email = member(server)
    ask(server, email).expect(303)
    path = link(server, email)
    server.client().post(path, {"password": NEW}).expect(403)
    server.client().post(path, {"password": NEW, "csrf": "A" * 43}) \
        .expect(403)
    assert signs_in(server, email, PASSWORD)


def test_log_has_no_secret(server):
    email = member(server)
    ask(server, email).expect(303)
    path = link(server, email)
    reset(server, path).expect(303)
    log = server.settled_log() + server.raw_log("courier")
    for word in (email, NEW, path.rsplit("/", 1)[1]):
        assert word not in log
    dump = str(server.sql("SELECT r::text FROM recovery r"))
    assert path.rsplit("/", 1)[1] not in dump


# ---- changing it while signed in

def change(browser, present=PASSWORD, new=NEW):
    return browser.submit(browser.get("/account/password").expect(200),
                          {"password": present, "new_password": new})


def test_changing_the_password(server):
    email = member(server)
    browser, other = (flows.sign_in(server, email) for _ in range(2))
    page = browser.get("/account").expect(200)
    assert "/account/password" in page.text
    before = dict(browser.cookies)
    answer = change(browser).expect(303)
    assert "is changed" in browser.follow(answer).words
    other.get("/account").expect(303)
    # Under a new id, so that a stolen cookie is worth nothing any more.
    thief = server.client()
    thief.cookies = before
    thief.get("/account").expect(303)
    assert signs_in(server, email, NEW)
    assert not signs_in(server, email, PASSWORD)
    told = server.mail.wait(email, "password was changed")
    assert told.link("/forgot") == "/forgot"


def test_the_present_password_is_asked_for(server):
    email = member(server)
    browser, other = (flows.sign_in(server, email) for _ in range(2))
    answer = change(browser, present="something else 17").expect(422)
    assert 'href="#password"' in answer.text
    assert "#new_password" not in answer.text
    assert PASSWORD not in answer.text and NEW not in answer.text
    change(browser, present="").expect(422)
    other.get("/account").expect(200)
    assert signs_in(server, email, PASSWORD)
    # Tries are counted as those of signing in are.
    for _ in range(4):
        change(browser, present="something else 17").expect(422)
    server.sql("UPDATE throttle SET open_at = open_at + interval '1 min'")
    answer = change(browser).expect(429)
    assert int(answer.headers["Retry-After"]) > 0
    assert signs_in(server, email, PASSWORD)


@pytest.mark.parametrize("new", ["", "short", "password1234", PASSWORD])
def test_a_new_password_is_judged(server, new):
    email = member(server)
    browser = flows.sign_in(server, email)
    answer = change(browser, new=new).expect(422)
    assert 'href="#new_password"' in answer.text


def test_the_well_known_address(server):
    browser = server.client()
    answer = browser.get("/.well-known/change-password").expect(303)
    assert answer.location == "/account/password"
    assert browser.follow(answer).expect(303).location == \
        "/signin?next=%2Faccount%2Fpassword"


# ---- in a browser

def test_pages(server, browser):
    email = member(server)
    browser.open(server, "/signin").press("Password forgotten?")
    browser.inspect("forgot")
    browser.type("email", "nobody")
    browser.press_submit("/forgot")
    assert browser.title.startswith("Error:")
    browser.type("email", email)
    browser.press_submit("/forgot")
    browser.inspect("forgot-sent")
    path = link(server, email)
    browser.go(path).inspect("reset")
    browser.type("password", "password1234")
    browser.press_submit("/reset/")
    browser.inspect("reset-error")
    browser.type("password", NEW)
    browser.press_submit("/reset/")
    browser.inspect("signin-reset")
    browser.go(path).inspect("reset-gone")
    browser.go("/signin")
    browser.type("email", email).type("password", NEW)
    browser.press_submit("/signin")
    browser.go("/account/password").inspect("password")
    browser.type("password", "something else").type("new_password", PASSWORD)
    browser.press_submit("/account/password")
    browser.inspect("password-error")
    browser.type("password", NEW).type("new_password", PASSWORD)
    browser.press_submit("/account/password")
    browser.inspect("account-done")
