"""Passkeys in Chromium with its virtual authenticator: adding one, signing in
with it alone, after the password, and before a protected action; and answers
that were changed, replayed or made for somebody else, over HTTP."""

import pytest
from selenium.webdriver.common.virtual_authenticator import (
    VirtualAuthenticatorOptions)

from lib import flows, totp

PASSWORD = flows.PASSWORD
WHO = "(SELECT account_id FROM person WHERE email = %s)"


@pytest.fixture
def authenticator(browser):
    options = VirtualAuthenticatorOptions()
    options.protocol = VirtualAuthenticatorOptions.Protocol.CTAP2
    options.transport = VirtualAuthenticatorOptions.Transport.INTERNAL
    options.has_resident_key = True
    options.has_user_verification = True
    options.is_user_verified = True
    browser.driver.add_virtual_authenticator(options)
    yield browser.driver
    browser.driver.remove_virtual_authenticator()


@pytest.fixture
def email(server):
    server.sql("DELETE FROM throttle")
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return address


def add(server, browser, email, name="Laptop"):
    """Signed in with the password, a passkey is added; recovery codes."""
    browser.open(server)
    browser.take_session(flows.sign_in(server, email))
    browser.go("/account/passkeys")
    browser.type("name", name)
    browser.press("Add a passkey")
    return totp.recovery_codes_on(Page(browser))


class Page:
    def __init__(self, browser):
        self.text = browser.driver.page_source


def leave(browser):
    browser.forget()
    browser.go("/signin")


def stale(server):
    server.sql("UPDATE session SET fresh_at = now() - interval '16 min'")


def test_add_and_sign_in(server, browser, authenticator, email):
    codes = add(server, browser, email)
    assert len(codes) == 10
    browser.inspect("recovery-codes")
    browser.go("/account/passkeys")
    assert "Laptop" in browser.words and "Not yet" in browser.words
    browser.inspect("passkeys")
    assert "passkey Laptop" in server.mail.wait(
        email, subject="A passkey was added").text

    # Without a password,
    leave(browser)
    browser.inspect("signin-passkey")
    browser.press("Use a passkey")
    assert browser.path == "/staff/queue"
    assert server.sql("SELECT detail FROM audit WHERE action = "
                      "'session.started' ORDER BY id DESC LIMIT 1") == [
        ({"factor": "passkey"},)]
    # and after it.
    leave(browser)
    browser.type("email", email).type("password", PASSWORD)
    browser.press_submit("/signin")
    assert browser.path.startswith("/signin/second")
    browser.inspect("second-passkey")
    browser.press("Use a passkey")
    assert browser.path == "/staff/queue"
    browser.go("/account/passkeys")
    assert "just now" in browser.words or "ago" in browser.words


def test_fresh_sign_in(server, browser, authenticator, email):
    codes = add(server, browser, email)
    stale(server)
    browser.go("/account/two-factor")
    browser.press("Make ten new ones")
    assert browser.title.startswith("Is it you?")
    browser.inspect("signin-again-passkey")
    browser.press("Use a passkey")
    new = totp.recovery_codes_on(Page(browser))
    assert len(new) == 10 and not set(new) & set(codes)
    # Removing it, with the button of the page that asks.
    stale(server)
    browser.go("/account/passkeys")
    browser.press("Remove")
    browser.press("Use a passkey")
    assert browser.path == "/account/passkeys"
    assert "Your passkeys" not in browser.words
    assert server.sql("SELECT count(*) FROM recovery_code WHERE account_id "
                      f"= {WHO}", (email,)) == [(0,)]
    leave(browser)
    browser.press("Use a passkey")
    assert "not taken" in browser.words
    browser.inspect("passkey-refused")


def test_a_closed_account_keeps_none(server, browser, authenticator, email):
    add(server, browser, email, "Old phone")
    one = server.client()
    one.cookies = {c["name"]: c["value"]
                   for c in browser.driver.get_cookies()}
    assert '"Old phone"' in one.get("/account/data").expect(200).text
    server.sql(f"UPDATE account SET state = 'closed' WHERE id = {WHO}",
               (email,))
    assert server.sql("SELECT count(*) FROM passkey WHERE account_id = "
                      f"{WHO}", (email,)) == [(0,)]


def test_without_verification_it_is_refused(server, browser, authenticator,
                                            email):
    add(server, browser, email)
    leave(browser)
    authenticator.set_user_verified(False)
    browser.find("form[data-passkey] button").click()
    browser.wait(lambda: "gave no passkey" in browser.words)
    assert browser.path == "/signin"


def test_a_known_one_is_not_added_twice(server, browser, authenticator,
                                        email):
    add(server, browser, email)
    browser.go("/account/passkeys")
    browser.type("name", " ")
    browser.press("Add a passkey")
    assert browser.title.startswith("Error:")
    browser.inspect("passkeys-error")
    browser.type("name", "Second")
    browser.press("Add a passkey")
    assert server.sql("SELECT count(*) FROM passkey WHERE account_id = "
                      f"{WHO}", (email,)) == [(2,)]


def test_password_alone_is_not_enough(server, browser, authenticator, email):
    codes = add(server, browser, email)
    one = server.client()
    answer = one.submit(one.get("/signin"), {
        "email": email, "password": PASSWORD}, "/signin$").expect(303)
    page = one.follow(answer).expect(200)
    one.get("/account").expect(303)
    one.submit(page, {"code": "000000"}, "/signin/second$").expect(422)
    one.submit(page, {"code": codes[0]}, "/signin/second$").expect(303)
    one.get("/account").expect(200)
    # Lost with its device: an operator takes it away.
    server.ctl("staff", "reset-2fa", email)
    flows.sign_in(server, email).get("/account").expect(200)


def answer_of(browser):
    """Lets the page's script fill the form, and takes what it would send."""
    return browser.driver.execute_async_script("""
        const done = arguments[arguments.length - 1];
        const form = document.querySelector("form[data-passkey]");
        HTMLFormElement.prototype.submit = function () {
            done(Object.fromEntries(new FormData(this)));
        };
        form.requestSubmit();""")


def test_replayed_and_changed_answers(server, browser, authenticator, email):
    add(server, browser, email)
    leave(browser)
    fields = answer_of(browser)
    one = server.client()
    one.cookies = {c["name"]: c["value"]
                   for c in browser.driver.get_cookies()}
    # Another visitor, whose challenge it is not.
    two = server.client()
    csrf = two.get("/signin").form("/signin$").fields["csrf"]
    two.post("/passkey", {**fields, "csrf": csrf}).expect(422)
    # Changed.
    for name in ("credential", "client_data", "authenticator_data",
                 "signature", "passkey"):
        value = fields[name]
        changed = value[:5] + ("A" if value[5] != "A" else "B") + value[6:]
        for bad in (changed, "", "!", value + "AAAA"):
            one.post("/passkey", {**fields, name: bad}).expect(422)
    # A new challenge with the old answer.
    fresh = one.get("/signin").form("/passkey$").fields["passkey"]
    one.post("/passkey", {**fields, "passkey": fresh}).expect(422)
    one.get("/account").expect(303)
    # As it was: right, and once.
    before = dict(one.cookies)
    one.post("/passkey", fields).expect(303)
    one.get("/account").expect(200)
    again = server.client()
    again.cookies = before
    again.post("/passkey", fields).expect(422)
    again.get("/account").expect(303)
    # Nor does it help to set the counter back: the challenge is burned.
    server.sql("UPDATE passkey SET sign_count = 0")
    again.post("/passkey", fields).expect(422)
    log = server.settled_log()
    assert fields["signature"] not in log
