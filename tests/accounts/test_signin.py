"""Signing in, signing in again, and what strangers try with both."""

import ctypes
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import flows
from lib.server import Server

PASSWORD = flows.PASSWORD
WRONG = "quite another password"


@pytest.fixture(scope="module")
def email(server):
    """A member of staff: made without mail."""
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return address


@pytest.fixture(autouse=True)
def no_throttle(server):
    server.sql("DELETE FROM throttle")


def enter(server, email, password=PASSWORD, browser=None, **more):
    browser = browser or server.client()
    path = "/signin"
    if "next" in more:
        path += "?" + "next=/products"
    return browser.submit(browser.get(path).expect(200),
                          {"email": email, "password": password, **more},
                          "/signin$")


def alike(answer, *own):
    text = answer.text
    for word in own:
        text = text.replace(word, "X")
    return answer.status, re.sub(
        r'name="(csrf|passkey)" value="[^"]*"|data-challenge="[^"]*"'
        r'|r-[0-9a-f]{12}', "", text)


def test_right_and_wrong(server, email):
    browser = server.client()
    answer = enter(server, email, WRONG, browser).expect(422)
    assert answer.form("/signin$").fields["email"] == email
    assert answer.form("/signin$").fields["password"] == ""
    assert WRONG not in answer.text
    browser.get("/account").expect(303)
    assert enter(server, email, browser=browser).expect(303).location == \
        "/staff/queue"
    assert email in browser.get("/account").expect(200).words
    assert browser.get("/signin").expect(303).location == "/staff/queue"


def test_address_in_any_case(server, email):
    enter(server, "  " + email.upper() + " ").expect(303)


def test_nobody_learns_who_has_an_account(server, email):
    other = flows.address("staff.example")
    assert alike(enter(server, email, WRONG), email) == \
        alike(enter(server, other, WRONG), other)


@pytest.mark.alone
def test_time_tells_nothing(server, email):
    """Without an account the same hash is computed.  A look-up alone takes
    less than a tenth of it."""
    def took(address):
        browser = server.client()
        page = browser.get("/signin")
        begun = time.monotonic()
        browser.submit(page, {"email": address, "password": WRONG},
                       "/signin$").expect(422)
        return time.monotonic() - begun
    known, unknown = [], []
    for _ in range(15):
        known.append(took(email))
        unknown.append(took(flows.address()))
        server.sql("DELETE FROM throttle")
    ratio = statistics.median(unknown) / statistics.median(known)
    assert 0.6 < ratio < 1.7, (known, unknown)


@pytest.mark.parametrize("fields,field", [
    ({"email": "", "password": PASSWORD}, "email"),
    ({"email": "sam", "password": PASSWORD}, "email"),
    ({"password": ""}, "password"),
    ({"email": "a@" + "b" * 500}, "email"),
])
def test_what_is_missing_is_told(server, email, fields, field):
    browser = server.client()
    answer = browser.submit(browser.get("/signin"), {
        "email": email, "password": PASSWORD, **fields},
        "/signin$").expect(422)
    assert f'href="#{field}"' in answer.text


@pytest.mark.parametrize("password", [
    "x" * 5000, PASSWORD + " ", PASSWORD.upper(), PASSWORD + "\x01",
    "' OR 1=1 --", "%00"])
def test_passwords_that_are_not_it(server, email, password):
    enter(server, email, password).expect(422)


def later(server, seconds):
    """The delays see this much time pass."""
    server.sql("UPDATE throttle SET tat = tat - make_interval(secs => %s), "
               "open_at = open_at - make_interval(secs => %s)",
               (seconds, seconds))


@pytest.fixture(scope="module")
def proxied(cluster):
    """Two workers behind a proxy, so that tests may come from anywhere."""
    one = Server(cluster, workers=2, courier=False, settings={
        "TRUSTED_PROXIES": "127.0.0.1"})
    one.addresses = (f"198.51.{i // 256}.{i % 256}" for i in range(65536))
    yield one
    one.close()


@pytest.fixture
def target(proxied):
    proxied.sql("DELETE FROM throttle")
    address = flows.address("staff.example")
    proxied.ctl("staff", "add", address, "--name", "Sam", "--role", "staff",
                stdin=PASSWORD + "\n")
    return address


def come_from(server, address=None):
    return server.client(headers={
        "X-Forwarded-For": address or next(server.addresses)})


def test_delays_grow(proxied, target):
    """For one account from wherever it is tried, also when it is right."""
    for _ in range(5):
        enter(proxied, target, WRONG, come_from(proxied)).expect(422)
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900):
        # A minute more, since time goes on by itself, too.
        later(proxied, -60)
        answer = enter(proxied, target, PASSWORD, come_from(proxied))
        wait = int(answer.expect(429).headers["Retry-After"])
        assert 40 < wait - seconds <= 60
        assert "You can go on in " in answer.words
        assert " UTC" in answer.words
        later(proxied, seconds + 60)
        enter(proxied, target, WRONG, come_from(proxied)).expect(422)
    # It does not help to start the portal again.
    later(proxied, -60)
    proxied.stop_portal()
    proxied.start_portal()
    enter(proxied, target, PASSWORD, come_from(proxied)).expect(429)
    later(proxied, 960)
    enter(proxied, target, PASSWORD, come_from(proxied)).expect(303)


def test_delays_of_an_address_without_account(proxied):
    proxied.sql("DELETE FROM throttle")
    email = flows.address()
    for _ in range(5):
        enter(proxied, email, WRONG, come_from(proxied)).expect(422)
    later(proxied, -60)
    enter(proxied, email.upper(), WRONG, come_from(proxied)).expect(429)
    enter(proxied, flows.address(), WRONG, come_from(proxied)).expect(422)


def test_a_network(proxied, target):
    """Of an IPv6 network the first 64 bits count."""
    for first, last, next_one in (
            ("203.0.113.{}", "203.0.113.1", "203.0.114.1"),
            ("2001:db8:1:2::{:x}", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1")):
        for i in range(20):
            address = first.format(1 if "." in first else i + 1)
            enter(proxied, flows.address(), WRONG,
                  come_from(proxied, address)).expect(422)
        later(proxied, -60)
        answer = enter(proxied, target, PASSWORD, come_from(proxied, last))
        assert 40 < int(answer.expect(429).headers["Retry-After"]) <= 61
        enter(proxied, flows.address(), WRONG,
              come_from(proxied, next_one)).expect(422)


def test_a_known_browser_is_not_held_up(proxied, target):
    """A stranger in the same office locks nobody out."""
    here = "192.0.2.80"
    mine = come_from(proxied, here)
    enter(proxied, target, browser=mine).expect(303)
    flows.sign_out(mine)
    for i in range(25):
        enter(proxied, target, WRONG, come_from(proxied, here))
    later(proxied, -60)
    enter(proxied, target, PASSWORD, come_from(proxied, here)).expect(429)
    enter(proxied, target, PASSWORD, come_from(proxied)).expect(429)
    enter(proxied, target, WRONG, mine).expect(422)
    enter(proxied, target, browser=mine).expect(303)
    flows.sign_out(mine)
    # Its own failures hold it up, and nobody else; and for an account that it
    # was never signed in to, it is as any other.
    proxied.sql("DELETE FROM throttle")
    for _ in range(5):
        enter(proxied, target, WRONG, mine).expect(422)
    later(proxied, -60)
    enter(proxied, target, browser=mine).expect(429)
    enter(proxied, target, PASSWORD, come_from(proxied)).expect(303)
    other = flows.address()
    for _ in range(5):
        enter(proxied, other, WRONG, mine).expect(422)
    later(proxied, -60)
    enter(proxied, other, WRONG, come_from(proxied)).expect(429)
    # A cookie that was made up is none.
    name = next(n for n in mine.cookies if n.endswith("browser"))
    liar = come_from(proxied)
    for _ in range(6):
        liar.cookies[name] = "A" * 43
        enter(proxied, target, WRONG, liar)
    later(proxied, -60)
    enter(proxied, target, PASSWORD, liar).expect(429)


def test_a_new_password_opens_a_held_account(make_server):
    """Held up on a new device: the mailbox is the way in."""
    server = make_server()
    email = flows.address("staff.example")
    server.ctl("staff", "add", email, "--name", "Sam", "--role", "staff",
               stdin=PASSWORD + "\n")
    browser = server.client()
    for _ in range(5):
        enter(server, email, WRONG, browser).expect(422)
    later(server, -600)
    enter(server, email, WRONG, browser).expect(429)
    browser.submit(browser.get("/forgot"), {"email": email}, "/forgot$") \
        .expect(303)
    link = server.mail.wait(email, subject="choose a new").link("/reset/")
    new = "seven harbours and a lamp"
    browser.submit(browser.get(link), {"password": new}, "/reset/") \
        .expect(303)
    enter(server, email, new, server.client()).expect(429)
    enter(server, email, new, browser).expect(303)


def test_many_at_the_same_time(proxied, target):
    """A try counts before it is looked at: none slips past meanwhile."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: enter(
            proxied, target, WRONG, come_from(proxied)), range(24)))
    seen = [answer.status for answer in answers]
    assert set(seen) == {422, 429}
    assert 5 <= seen.count(422) <= 8, seen


def test_success_is_not_counted(server, email):
    for _ in range(25):
        enter(server, email).expect(303)
    assert server.sql("SELECT count(*) FROM throttle WHERE tat > now() OR "
                      "open_at IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("wanted,location", [
    ("/products?x=1&y=%2F", "/products?x=1&y=%2F"),
    ("/how-it-works", "/how-it-works"),
    ("https://evil.example/", None), ("//evil.example/", None),
    ("/\\evil.example/", None), ("\\\\evil.example", None),
    ("///evil.example", None), ("/\t/evil.example", None),
    ("/\n/evil.example", None), ("javascript:alert(1)", None),
    ("/a\r\nX-Evil: 1", None), ("http:evil.example", None),
    ("@evil.example", None), (" //evil.example", None), ("", None),
    ("/" + "a" * 600, None),
])
def test_next_is_a_page_of_ours(server, email, wanted, location):
    answer = enter(server, email, next=wanted).expect(303)
    assert answer.location == (location or "/staff/queue")
    assert "X-Evil" not in answer.headers
    # And it comes through the form as it was asked for.
    page = server.client().request(
        "GET", "/signin?next=" + "".join(f"%{b:02x}" for b in
                                         wanted.encode())).expect(200)
    assert page.form("/signin$").fields["next"] == (location or "")


def test_asked_page_is_shown_afterwards(server, email):
    browser = server.client()
    answer = browser.get("/account?tab=%26%20x").expect(303)
    assert answer.location == "/signin?next=%2Faccount%3Ftab%3D%2526%2520x"
    page = browser.follow(answer).expect(200)
    answer = browser.submit(page, {"email": email, "password": PASSWORD},
                            "/signin$")
    assert answer.location == "/account?tab=%26%20x"
    browser.follow(answer).expect(200)


def test_disabled_account(server):
    email = flows.address("staff.example")
    server.ctl("staff", "add", email, "--name", "Dee", "--role", "staff",
               stdin=PASSWORD + "\n")
    browser = server.client()
    enter(server, email, browser=browser).expect(303)
    browser.get("/account").expect(200)
    server.sql("UPDATE account SET state = 'disabled' WHERE id = (SELECT "
               "account_id FROM person WHERE email = %s)", (email,))
    browser.get("/account").expect(303)
    wrong = alike(enter(server, email, WRONG), email)
    assert alike(enter(server, email), email) == wrong
    assert wrong[0] == 422


def test_hash_is_renewed(server):
    """A hash of weaker parameters is replaced at the next sign-in."""
    sodium = ctypes.CDLL("libsodium.so.23")
    weak = ctypes.create_string_buffer(128)
    assert sodium.crypto_pwhash_str(
        weak, PASSWORD.encode(), ctypes.c_ulonglong(len(PASSWORD)),
        ctypes.c_ulonglong(1), ctypes.c_size_t(8192 * 1024)) == 0
    email = flows.address("staff.example")
    server.ctl("staff", "add", email, "--name", "Old", "--role", "staff",
               stdin=PASSWORD + "\n")
    who = "id = (SELECT account_id FROM person WHERE email = %s)"
    strong = server.sql(f"SELECT password_hash FROM account WHERE {who}",
                        (email,))[0][0]
    server.sql(f"UPDATE account SET password_hash = %s WHERE {who}",
               (weak.value.decode(), email))
    enter(server, email, WRONG).expect(422)
    enter(server, email).expect(303)
    renewed = server.sql(f"SELECT password_hash FROM account WHERE {who}",
                         (email,))[0][0]
    assert renewed.split("$")[:4] == strong.split("$")[:4]
    assert renewed != strong
    enter(server, email).expect(303)


# ---- once more before an action

def stale(server, email):
    server.sql("UPDATE session SET fresh_at = now() - interval '16 min' "
               "WHERE account_id = (SELECT account_id FROM person "
               "WHERE email = %s)", (email,))


def fresh(server, email):
    return server.sql(
        "SELECT count(*) FROM session WHERE fresh_at > now() - interval "
        "'15 min' AND account_id = (SELECT account_id FROM person WHERE "
        "email = %s)", (email,))[0][0]


def test_signing_in_again(server, email):
    server.sql("DELETE FROM session")
    browser = server.client()
    enter(server, email, browser=browser).expect(303)
    stale(server, email)
    old = dict(browser.cookies)
    page = browser.get("/signin/again?for=approve&next=/account").expect(200)
    assert "You want to approve a request." in page.words
    answer = browser.submit(page, {"password": WRONG}, "/signin/again$")
    assert 'href="#password"' in answer.expect(422).text
    assert "approve a request" in answer.words
    assert browser.submit(page, {"password": ""}, "/signin/again$") \
        .status == 422
    assert fresh(server, email) == 0
    answer = browser.submit(page, {"password": PASSWORD}, "/signin/again$")
    assert answer.expect(303).location == "/account"
    assert fresh(server, email) == 1
    browser.get("/account").expect(200)
    # The id is a new one, and the old one opens nothing.
    other = server.client()
    other.cookies = old
    other.get("/account").expect(303)


def test_signing_in_again_says_nothing_foreign(server, email):
    browser = server.client()
    enter(server, email, browser=browser).expect(303)
    page = browser.get("/signin/again?for=wire+money&next=//evil.example")
    assert "money" not in page.words and "evil" not in page.text
    answer = browser.submit(page, {"password": PASSWORD}, "/signin/again$")
    assert answer.expect(303).location == "/staff/queue"


def test_signing_in_again_is_for_the_signed_in(server):
    browser = server.client()
    assert browser.get("/signin/again").expect(303).location.startswith(
        "/signin?next=")
    page = browser.get("/signin")
    answer = browser.post("/signin/again", {
        "csrf": page.form("/signin$").fields["csrf"], "password": PASSWORD})
    assert answer.expect(303).location.startswith("/signin?next=")


def test_signing_in_again_is_throttled(server, email):
    """Five tries count like those of signing in; five in a row end the
    session, so a right one comes between them here."""
    browser = server.client()
    enter(server, email, browser=browser).expect(303)
    for tries in (3, 2):
        page = browser.get("/signin/again?next=/account")
        for _ in range(tries):
            browser.submit(page, {"password": WRONG}, "/signin/again$") \
                .expect(422)
        later(server, -60 if tries == 2 else 0)
        right = browser.submit(page, {"password": PASSWORD},
                               "/signin/again$")
    right.expect(429)
    for _ in range(2):
        later(server, 120)
        browser.submit(page, {"password": WRONG}, "/signin/again$").expect(422)
    browser.get("/account").expect(200)
    server.sql("DELETE FROM throttle")
    answer = browser.submit(page, {"password": WRONG}, "/signin/again$")
    assert answer.expect(303).location == "/signin"
    browser.get("/account").expect(303)


def test_log_has_no_secret(server, email):
    browser = server.client()
    enter(server, email, WRONG, browser).expect(422)
    enter(server, email, browser=browser, next="/account?secret=1") \
        .expect(303)
    browser.get("/account?secret=1").expect(200)
    log = server.settled_log()
    for word in (email, PASSWORD, WRONG, "secret=1",
                 *browser.cookies.values()):
        assert word not in log
