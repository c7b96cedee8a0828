"""Changing the address: asked, confirmed by the new mailbox, undone by the
old one."""

import re

import pytest

from lib import flows

PASSWORD = flows.PASSWORD


@pytest.fixture(autouse=True)
def no_throttle(server):
    server.sql("DELETE FROM throttle")


def member(server):
    """A signed-in member of staff: made without mail."""
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return flows.sign_in(server, address)


def ask(browser, email):
    return browser.submit(browser.get("/account/email").expect(200),
                          {"email": email}, "/account/email$")


def link(server, email, count=1):
    return server.mail.wait(email, "confirm your new", count) \
        .link("/email-confirm/")


def undo_link(server, email, count=1):
    return server.mail.wait(email, "was changed", count).link("/email-undo/")


def confirm(browser, path):
    return browser.submit(browser.get(path).expect(200), {},
                          "/email-confirm/")


def undo(browser, path):
    return browser.submit(browser.get(path).expect(200), {}, "/email-undo/")


def changed(server):
    """A browser whose account changed its address; the old and the new."""
    browser, new = member(server), flows.address()
    old = browser.email
    ask(browser, new).expect(303)
    confirm(browser, link(server, new)).expect(303)
    return browser, old, new


def address_of(server, browser):
    page = browser.get("/account/email").expect(200)
    return re.search(r"\S+@\S+?(?=,| )", page.words).group()


def signs_in(server, email):
    browser = server.client()
    return browser.submit(browser.get("/signin"), {
        "email": email, "password": PASSWORD}, "/signin$").status == 303


def test_from_form_to_address(server):
    browser, new = member(server), flows.address("new.example")
    old = browser.email
    assert "/account/email" in browser.get("/account").text
    page = browser.follow(ask(browser, new))
    assert "new mailbox" in page.words and old in page.words
    path = link(server, new)
    message, = server.mail.to(new)
    assert "Sam" not in message.text and old not in message.text
    # Looking changes nothing.
    browser.get(path).expect(200)
    assert signs_in(server, old)
    page = browser.follow(confirm(browser, path))
    assert "address is changed" in page.words and new in page.words
    assert signs_in(server, new) and not signs_in(server, old)
    assert server.sql("SELECT email_domain FROM person WHERE email = %s",
                      (new,)) == [("new.example",)]
    browser.get(path).expect(410)
    told = server.mail.wait(old, "was changed")
    assert "If that was not you" in told.text and new not in told.text
    actions = [row[0] for row in server.sql(
        "SELECT action FROM audit JOIN person ON subject_id = account_id "
        "WHERE email = %s AND action LIKE 'email%%' ORDER BY id", (new,))]
    assert actions == ["email.asked", "email.changed"]


def test_undo(server):
    browser, old, new = changed(server)
    path = undo_link(server, old)
    # Whoever has the old mailbox needs no session.
    other = server.client()
    page = other.get(path).expect(200)
    assert old in page.words and signs_in(server, new)
    page = other.follow(undo(other, path))
    assert "old address again" in page.words
    browser.get("/account").expect(303)
    assert signs_in(server, old) and not signs_in(server, new)
    other.get(path).expect(410)
    assert server.mail.wait(old, "old address again").link("/forgot")


def test_undo_ends_after_7_days(server):
    _, old, _ = changed(server)
    path = undo_link(server, old)
    server.sql("UPDATE email_change SET undo_until = undo_until - "
               "interval '7 days'")
    page = server.client().get(path).expect(410)
    assert "7 days" in page.words


def test_undo_reaches_behind_a_second_change(server):
    """Who took an account over and changes its address twice still loses it
    to the first address, and can't bring back his own."""
    browser, old, middle = changed(server)
    last = flows.address()
    ask(browser, last).expect(303)
    confirm(browser, link(server, last)).expect(303)
    bad = undo_link(server, middle)
    ask(browser, flows.address()).expect(303)
    undo(server.client(), undo_link(server, old)).expect(303)
    assert signs_in(server, old) and not signs_in(server, last)
    server.client().get(bad).expect(410)
    assert server.sql("SELECT count(*) FROM email_change e JOIN person p "
                      "USING (account_id) WHERE p.email = %s AND used_at IS "
                      "NULL AND replaced_at IS NULL", (old,)) == [(0,)]


def test_a_taken_address_is_not_told(server):
    holder, browser, free = member(server), member(server), flows.address()
    taken = ask(browser, holder.email)
    other = ask(browser, free)
    assert (taken.status, taken.location) == (other.status, other.location)
    assert browser.follow(taken).words == browser.follow(other).words
    told = server.mail.wait(holder.email, "has an account already")
    assert "/email-confirm/" not in told.text
    link(server, free)


def test_an_address_that_is_taken_meanwhile(server):
    browser, new = member(server), flows.address()
    ask(browser, new).expect(303)
    path = link(server, new)
    page = browser.get(path).expect(200)
    flows.contact(server, new)
    answer = browser.submit(page, {}, "/email-confirm/").expect(409)
    assert "Another account" in answer.words
    assert signs_in(server, browser.email)


def test_the_link_is_for_its_own_account(server):
    browser, thief, new = member(server), member(server), flows.address()
    ask(browser, new).expect(303)
    path = link(server, new)
    thief.get(path).expect(410)
    assert server.client().get(path).expect(303).location.startswith(
        "/signin?next=")
    form = thief.get("/account/email").form("/account/email$")
    thief.post(path, {"csrf": form.fields["csrf"]}).expect(410)
    confirm(browser, path).expect(303)


def test_newest_link_counts_for_24_hours(server):
    browser, one, two = member(server), flows.address(), flows.address()
    ask(browser, one).expect(303)
    first = link(server, one)
    ask(browser, two).expect(303)
    second = link(server, two)
    browser.get(first).expect(410)
    server.sql("UPDATE email_change SET expires_at = expires_at - "
               "interval '24 hours'")
    browser.get(second).expect(410)


def test_three_an_hour(server):
    browser = member(server)
    for _ in range(3):
        ask(browser, flows.address()).expect(303)
    answer = ask(browser, flows.address()).expect(429)
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    # Nor does anybody get more of them from several accounts.
    victim = flows.address()
    for _ in range(3):
        ask(member(server), victim).expect(303)
    ask(member(server), victim).expect(429)


def test_links_of_a_forgotten_password_end(server):
    browser, new = member(server), flows.address()
    other = server.client()
    other.submit(other.get("/forgot"), {"email": browser.email}, "/forgot$") \
        .expect(303)
    path = server.mail.wait(browser.email, "choose a new").link("/reset/")
    other.get(path).expect(200)
    ask(browser, new).expect(303)
    confirm(browser, link(server, new)).expect(303)
    other.get(path).expect(410)


def test_needs_a_fresh_sign_in(server):
    browser, new = member(server), flows.address()
    page = browser.get("/account/email").expect(200)
    server.sql("UPDATE session SET fresh_at = now() - interval '16 min'")
    browser.submit(page, {"email": new}, "/account/email$")
    assert server.sql("SELECT count(*) FROM email_change WHERE email = %s",
                      (new,)) == [(0,)]


@pytest.mark.parametrize("email", ["", "sam", "a@" + "b" * 500, "a b@c.d",
                                   "a@b.example\r\nBcc: c@d.example"])
def test_addresses_that_are_none(server, email):
    answer = ask(member(server), email).expect(422)
    assert 'href="#email"' in answer.text


def test_ones_own_address_is_no_change(server):
    browser = member(server)
    answer = ask(browser, browser.email.upper()).expect(422)
    assert "that you have" in answer.words


@pytest.mark.parametrize("kind", ["email-confirm", "email-undo"])
@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 900, "%27"])
def test_links_that_are_none(server, kind, token):
    answer = member(server).get(f"/{kind}/{token}")
    assert answer.status in (400, 404, 410)


def test_pages(server, browser):
    client, new = member(server), flows.address()
    browser.open(server, "/livez").take_session(client)
    browser.go("/account/email").inspect("email")
    browser.type("email", "nobody")
    browser.press_submit("/account/email")
    browser.inspect("email-error")
    browser.type("email", new)
    browser.press_submit("/account/email")
    browser.inspect("account-email-asked")
    path = link(server, new)
    browser.go(path).inspect("email-confirm")
    browser.press_submit("/email-confirm/")
    browser.go(path).inspect("email-gone")
    browser.go(undo_link(server, client.email)).inspect("email-undo")
    browser.press_submit("/email-undo/")
    browser.inspect("signin-email-undone")
