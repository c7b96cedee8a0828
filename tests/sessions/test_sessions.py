"""Sessions: cookies, forms that fit them, and how they end."""

import hashlib
import time

import pytest

from lib import flows
from lib.base import wait_until

PASSWORD = flows.PASSWORD


@pytest.fixture(scope="module")
def email(server):
    return staff(server)


def staff(server):
    """A member of staff: made without mail."""
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return address


def enter(server, email, browser=None, **kwargs):
    browser = browser or server.client()
    browser.submit(browser.get("/signin").expect(200),
                   {"email": email, "password": PASSWORD}, "/signin$",
                   **kwargs).expect(303)
    return browser


def token(server, browser):
    return browser.cookies[f"latchkey_{server.port}"]


def row(server, browser, columns):
    rows = server.sql(f"SELECT {columns} FROM session WHERE id_hash = %s",
                      (hashlib.sha256(token(server, browser).encode())
                       .digest(),))
    return rows[0] if rows else None


def change(server, browser, what):
    server.sql(f"UPDATE session SET {what} WHERE id_hash = %s",
               (hashlib.sha256(token(server, browser).encode()).digest(),))


def attributes(line):
    name, *rest = [part.strip() for part in line.split(";")]
    return name.partition("=")[0], sorted(rest)


# ---- cookies

def test_cookies_on_loopback(server, email):
    browser = enter(server, email)
    lines = dict(attributes(line) for line in browser.cookie_lines
                 if "Max-Age=0" not in line)
    assert lines == {
        f"latchkey_{server.port}_form": ["HttpOnly", "Path=/",
                                         "SameSite=Lax"],
        f"latchkey_{server.port}": ["HttpOnly", "Max-Age=1209600", "Path=/",
                                    "SameSite=Lax"],
        f"latchkey_{server.port}_browser": [
            "HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax"]}
    assert len(token(server, browser)) == 43
    # Sign-in ends the pre-session.
    assert sorted(browser.cookies) == [f"latchkey_{server.port}",
                                       f"latchkey_{server.port}_browser"]


def test_cookies_on_https(make_server):
    server = make_server(courier=False, settings={
        "PUBLIC_URL": "https://portal.example"})
    address = staff(server)
    browser = enter(server, address,
                    headers={"Origin": "https://portal.example"})
    for line in browser.cookie_lines:
        name, rest = attributes(line)
        assert name in ("__Host-latchkey", "__Host-latchkey-form",
                        "__Host-latchkey-browser")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(rest)
        assert not any(a.lower().startswith("domain") for a in rest)
    browser.get("/account").expect(200)
    # The names of plain http count for nothing here.
    other = server.client()
    other.cookies[f"latchkey_{server.port}"] = \
        browser.cookies["__Host-latchkey"]
    other.get("/account").expect(303)


def test_only_the_hash_is_kept(server, email):
    browser = enter(server, email)
    secret = token(server, browser)
    dump = str(server.sql("SELECT s::text FROM session s"))
    assert secret not in dump and secret.encode().hex() not in dump
    digest = hashlib.sha256(secret.encode()).hexdigest()
    assert digest in dump
    other = server.client()
    for value in (digest, digest[:43], "\\x" + digest):
        other.cookies[f"latchkey_{server.port}"] = value
        other.get("/account").expect(303)


@pytest.mark.parametrize("value", [
    "", "x", "A" * 43, "A" * 42 + "%00", "A" * 3000, "' OR ''='",
    "A" * 42 + "=", "\"quoted\""])
def test_cookies_that_are_none(server, value):
    browser = server.client()
    browser.cookies[f"latchkey_{server.port}"] = value
    browser.get("/account").expect(303)
    browser.get("/signin").expect(200)


def test_id_is_new_at_sign_in(server, email):
    """A cookie that somebody planted does not become a session."""
    planted = "B" * 43
    browser = server.client()
    browser.cookies[f"latchkey_{server.port}"] = planted
    browser.cookies[f"latchkey_{server.port}_form"] = planted
    enter(server, email, browser)
    assert token(server, browser) != planted
    other = server.client()
    other.cookies[f"latchkey_{server.port}"] = planted
    other.get("/account").expect(303)
    first = token(server, browser)
    # Signing in again in the same browser ends the session before.
    form = browser.get("/account").form("/signout$").fields["csrf"]
    browser.post("/signin", {"csrf": form, "email": email,
                             "password": PASSWORD}).expect(303)
    assert token(server, browser) != first
    other.cookies[f"latchkey_{server.port}"] = first
    other.get("/account").expect(303)


def test_pages_are_not_stored(server, email):
    browser = enter(server, email)
    for path in ("/account", "/signin/again"):
        assert browser.get(path).headers["Cache-Control"] == "no-store"


# ---- forms fit the session

def test_forms_need_their_token(server, email):
    browser, other = enter(server, email), enter(server, email)
    fitting = browser.get("/account").form("/signout$").fields["csrf"]
    foreign = other.get("/account").form("/signout$").fields["csrf"]
    assert fitting != foreign
    for fields in ({}, {"csrf": ""}, {"csrf": foreign},
                   {"csrf": fitting[:-1]}, {"csrf": "A" * 43},
                   {"csrf": token(server, browser)}):
        browser.post("/signout", fields).expect(403)
    browser.get("/account").expect(200)
    browser.post("/signout", {"csrf": fitting}).expect(303)
    browser.get("/account").expect(303)
    other.get("/account").expect(200)


def test_forms_of_visitors_need_theirs(server, email):
    one, two = server.client(), server.client()
    foreign = one.get("/signin").form("/signin$").fields["csrf"]
    page = two.get("/signin")
    fields = {"email": email, "password": PASSWORD}
    two.post("/signin", {**fields, "csrf": foreign}).expect(403)
    two.post("/signin", fields).expect(403)
    server.client().post("/signin", {**fields, "csrf": foreign}).expect(403)
    for path in ("/signup", "/verify/resend", "/verify/" + "A" * 43,
                 "/signin/again", "/signout"):
        two.post(path, {"csrf": foreign, "email": email}).expect(403)
    # What was bound to the visitor does not fit the person.
    old = page.form("/signin$").fields["csrf"]
    two.post("/signin", {**fields, "csrf": old}).expect(303)
    two.post("/signout", {"csrf": old}).expect(403)


@pytest.mark.parametrize("origin", [
    "https://evil.example", "null", "http://localhost.evil.example",
    "http://localhost", "http://localhost:1", "evil"])
def test_forms_of_other_sites(server, email, origin):
    browser = enter(server, email)
    page = browser.get("/account")
    browser.submit(page, action="/signout$",
                   headers={"Origin": origin}).expect(403)
    browser.get("/account").expect(200)


def test_form_of_a_session_that_ended(server, email):
    """Not a riddle about forms, but the way to sign in."""
    browser = enter(server, email)
    page = browser.get("/account")
    change(server, browser, "expires_at = now()")
    answer = browser.submit(page, action="/signout$", headers={
        "Referer": browser.origin + "/account?a=b"}).expect(303)
    assert answer.location == "/signin?next=%2Faccount%3Fa%3Db"
    answer = browser.submit(page, action="/signout$", headers={
        "Referer": "https://evil.example/account"}).expect(303)
    assert answer.location == "/signin?next=%2Fprofile"


# ---- a fresh sign-in

ID = "01a1fe11-e8af-713d-ba44-6e8ebc5f5a7a"


@pytest.mark.parametrize("referer,following", [
    ("/account/two-factor?a=b", "/account/two-factor?a=b"),
    ("/account/two-factor/remove", "/account/two-factor"),
    (None, "/account/two-factor"),
    ("//evil.example/", "/account/two-factor"),
])
def test_protected_action(server, email, referer, following):
    """After 15 minutes the password is asked for, in place of the answer.  A
    form that can't travel through that page is lost: then the page that it
    was on is shown."""
    path = "/account/two-factor/remove"
    browser = enter(server, email)
    csrf = browser.get("/account").form("/signout$").fields["csrf"]
    headers = {"Referer": browser.origin + referer} if referer else {}
    change(server, browser, "fresh_at = now() - interval '14 min'")
    browser.post(path, {"csrf": csrf}, headers=headers).expect(303)
    change(server, browser, "fresh_at = now() - interval '15 min'")
    page = browser.post(path, {"csrf": csrf}, headers=headers).expect(200)
    assert page.title.startswith("Is it you?")
    answer = browser.post(path, {"csrf": csrf, "x": "y" * 40000},
                          headers=headers).expect(303)
    assert answer.location.startswith("/signin/again?for=two-factor%2Fremove&next=")
    page = browser.follow(answer).expect(200)
    answer = browser.submit(page, {"password": PASSWORD}, "/signin/again$")
    assert answer.expect(303).location == following


def test_right_is_asked_before_the_password(server, email):
    """What somebody may not do is not there for him, fresh or not."""
    browser = enter(server, email)
    csrf = browser.get("/account").form("/signout$").fields["csrf"]
    change(server, browser, "fresh_at = now() - interval '15 min'")
    browser.post(f"/subscriptions/{ID}/keys/primary/show",
                 {"csrf": csrf}).expect(404)


# ---- ends

def test_idle(server, email):
    browser = enter(server, email)
    change(server, browser, "last_used_at = now() - interval '11 h 59 min'")
    browser.get("/account").expect(200)
    wait_until(lambda: row(server, browser, "last_used_at > now() - interval "
                           "'1 min'") == (True,), 5)
    change(server, browser, "last_used_at = now() - interval '12 h 1 s'")
    browser.get("/account").expect(303)


def test_absolute(server, email):
    browser = enter(server, email)
    assert row(server, browser, "expires_at - created_at = interval "
               "'14 days'") == (True,)
    # Use does not make it longer, nor does a fresh sign-in.
    change(server, browser, "created_at = created_at - interval '13 days', "
           "expires_at = expires_at - interval '13 days'")
    page = browser.get("/signin/again").expect(200)
    browser.submit(page, {"password": PASSWORD}, "/signin/again$").expect(303)
    assert row(server, browser, "expires_at - created_at = interval "
               "'14 days'") == (True,)
    change(server, browser, "expires_at = now()")
    browser.get("/account").expect(303)


LONG_AGO = "last_used_at = now() - interval '6 min'"
RECENT = "last_used_at > now() - interval '1 min'"


def test_last_use_is_written_seldom(server, email):
    browser = enter(server, email)
    change(server, browser, "last_used_at = now() - interval '4 min'")
    before = row(server, browser, "last_used_at")
    browser.get("/account").expect(200)
    # The one worker writes all at the same tick.
    other = enter(server, email)
    change(server, other, LONG_AGO)
    other.get("/account").expect(200)
    wait_until(lambda: row(server, other, RECENT) == (True,), 5)
    assert row(server, browser, "last_used_at") == before
    change(server, browser, LONG_AGO)
    browser.get("/account").expect(200)
    wait_until(lambda: row(server, browser, RECENT) == (True,), 5)


@pytest.mark.alone
@pytest.mark.parametrize("lock,lasts_s", [
    ("SELECT 1 FROM session FOR UPDATE", 1),
    ("LOCK TABLE session IN EXCLUSIVE MODE", 3),
], ids=["row", "table"])
def test_last_use_holds_up_no_page(server, email, lock, lasts_s):
    """The row is locked by somebody else, or the write fails (a lock is
    waited for for 2 s): pages come as ever, and it is written later."""
    browser = enter(server, email)
    change(server, browser, LONG_AGO)
    connection = server.cluster.connect(server.database, "latchkey_owner")
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute(lock)
            for _ in range(20 * lasts_s):
                begun = time.monotonic()
                browser.get("/account").expect(200)
                assert time.monotonic() - begun < 0.5
                time.sleep(0.05)
    finally:
        connection.rollback()
        connection.close()
    failed = [e for e in server.log() if e.get("event") == "session_touch"]
    assert bool(failed) == (lasts_s == 3)
    wait_until(lambda: browser.get("/account").status == 200
               and row(server, browser, RECENT) == (True,), 5)


def test_sign_out(server, email):
    browser, elsewhere = enter(server, email), enter(server, email)
    stolen = dict(browser.cookies)
    kept = token(server, browser)
    page = browser.get("/account")
    answer = browser.submit(page, action="/signout$").expect(303)
    assert answer.location == "/"
    assert f"latchkey_{server.port}" not in browser.cookies
    assert server.sql("SELECT count(*) FROM session WHERE id_hash = %s",
                      (hashlib.sha256(kept.encode()).digest(),)) == [(0,)]
    other = server.client()
    other.cookies = stolen
    other.get("/account").expect(303)
    elsewhere.get("/account").expect(200)
    # GET signs nobody out.
    assert elsewhere.get("/signout").status == 405
    elsewhere.get("/account").expect(200)


def test_ended_means_ended_in_every_worker(make_server):
    server = make_server(courier=False, workers=2)
    browser = enter(server, staff(server))
    stolen = dict(browser.cookies)
    browser.submit(browser.get("/account"), action="/signout$").expect(303)
    for _ in range(12):     # each on a connection of its own
        other = server.client()
        other.cookies = dict(stolen)
        other.get("/account").expect(303)
        other.close()


def test_audit_holds_ids_only(server, email):
    browser = enter(server, email)
    account = row(server, browser, "account_id")[0]
    browser.submit(browser.get("/account"), action="/signout$").expect(303)
    actions = [r[0] for r in server.sql(
        "SELECT action FROM audit WHERE subject_id = %s AND actor_id = %s "
        "ORDER BY id DESC LIMIT 2", (account, account))]
    assert actions == ["session.ended", "session.started"]
    text = str(server.sql("SELECT a::text FROM audit a"))
    assert email not in text and "Keeper" not in text
