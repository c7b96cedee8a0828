"""Second factors: setting an app up, signing in with it, recovery codes, and
what staff must do in production."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import flows, totp
from lib.base import server_user
from lib.tls import make_certificate

PASSWORD = flows.PASSWORD
WHO = "(SELECT account_id FROM person WHERE email = %s)"


@pytest.fixture(autouse=True)
def no_throttle(server):
    server.sql("DELETE FROM throttle")


@pytest.fixture
def email(server):
    """A member of staff: made without mail."""
    return staff(server)


@pytest.fixture
def browser(server, email):
    return flows.sign_in(server, email)


def staff(server, role="staff"):
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               role, stdin=PASSWORD + "\n")
    return address


def half(server, email, browser=None, path="/signin"):
    """The password is right; the page that asks for the second factor."""
    browser = browser or server.client()
    answer = browser.submit(browser.get(path).expect(200), {
        "email": email, "password": PASSWORD}, "/signin$").expect(303)
    assert answer.location.startswith("/signin/second")
    return browser, browser.follow(answer).expect(200)


def enter(browser, page, code):
    return browser.submit(page, {"code": code}, "/signin/second$")


def forget_last(server, email):
    server.sql(f"UPDATE totp SET last_counter = 0 WHERE account_id = {WHO}",
               (email,))


def actions(server, email):
    return [row[0] for row in server.sql(
        f"SELECT action FROM audit WHERE subject_id = {WHO} ORDER BY id",
        (email,))]


def is_in(browser):
    return browser.get("/account").status == 200


# ---- setting it up

def test_set_up_and_sign_in(server, email, browser):
    assert "Off" in browser.get("/account/two-factor").expect(200).words
    secret, codes = totp.set_up(browser)
    assert len(secret) == 32 and len(set(codes)) == 10
    page = browser.get("/account/two-factor").expect(200)
    assert "10 left" in page.words
    assert secret not in page.text.replace(" ", "")
    assert not any(code in page.text for code in codes)

    other, page = half(server, email)
    assert not is_in(other)
    answer = enter(other, page, totp.code(secret)).expect(303)
    assert answer.location == "/staff/queue"
    other.follow(answer).expect(200)
    assert f"latchkey_{server.port}_second" not in other.cookies
    mail = server.mail.wait(email, subject="Two-factor sign-in is on")
    assert secret not in mail.text and codes[0] not in mail.text
    assert actions(server, email)[-4:] == [
        "session.started", "factor.added", "session.half", "session.started"]


def test_nothing_is_kept_in_clear(server, email, browser):
    secret, codes = totp.set_up(browser)
    dump = server.sql("SELECT string_agg(t::text, '') FROM totp t")[0][0]
    raw = totp.base64.b32decode(secret).hex()
    assert raw not in dump
    dump = server.sql("SELECT string_agg(r::text, '') FROM recovery_code r"
                      )[0][0]
    log = server.settled_log()
    for word in (secret, raw, *codes, *[c.replace("-", "") for c in codes]):
        assert word not in dump and word not in log


def test_wrong_codes_at_set_up(server, email, browser):
    page = browser.get("/account/two-factor/set-up").expect(200)
    secret = totp.secret_on(page)
    for wrong in ("", "000", totp.code(secret, 5), "abcdef"):
        page = browser.submit(page, {"code": wrong},
                              "/two-factor/set-up$").expect(422)
        assert totp.secret_on(page) == secret
        assert 'href="#code"' in page.text
    assert actions(server, email)[-1] == "session.started"
    browser.submit(page, {"code": totp.code(secret)},
                   "/two-factor/set-up$").expect(200)


def test_set_up_is_this_sessions(server, email, browser):
    """The sealed secret of another session, or none, sets nothing up."""
    other = flows.sign_in(server, email)
    page = other.get("/account/two-factor/set-up").expect(200)
    stolen = page.form("/set-up$").fields["setup"]
    secret = totp.secret_on(page)
    page = browser.get("/account/two-factor/set-up").expect(200)
    for setup in (stolen, "", "A" * 88):
        answer = browser.submit(page, {"code": totp.code(secret),
                                       "setup": setup}, "/set-up$")
        assert totp.secret_on(answer.expect(422)) != secret
    assert server.sql(f"SELECT count(*) FROM totp WHERE account_id = {WHO}",
                      (email,)) == [(0,)]


def test_codes_are_shown_once(server, email, browser):
    page = browser.get("/account/two-factor/set-up").expect(200)
    fields = {"code": totp.code(totp.secret_on(page))}
    answer = browser.submit(page, fields, "/set-up$").expect(200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(totp.recovery_codes_on(answer)) == 10
    before = server.sql("SELECT * FROM recovery_code ORDER BY code_hash")
    again = browser.submit(page, fields, "/set-up$").expect(200)
    assert "shown already" in again.words
    assert totp.recovery_codes_on(again) == []
    assert server.sql("SELECT * FROM recovery_code ORDER BY code_hash") == \
        before
    assert actions(server, email).count("factor.added") == 1
    # Who has one is not led through it again.
    assert browser.get("/account/two-factor/set-up").expect(303).location == \
        "/account/two-factor"


def test_other_sessions_end(server, email, browser):
    other = flows.sign_in(server, email)
    assert is_in(other)
    totp.set_up(browser)
    assert is_in(browser) and not is_in(other)


def test_it_needs_a_fresh_sign_in(server, email, browser):
    def stale():
        server.sql("UPDATE session SET fresh_at = now() - interval '16 min'")
    stale()
    assert browser.get("/account/two-factor/set-up").expect(303) \
        .location.startswith("/signin/again")


# ---- signing in

def test_each_code_once(server, email, browser):
    secret, _ = totp.set_up(browser)
    now = totp.code(secret)
    one, page = half(server, email)
    enter(one, page, now).expect(303)
    two, page = half(server, email)
    answer = enter(two, page, now).expect(422)
    assert 'href="#code"' in answer.text and now not in answer.text
    assert not is_in(two)
    # One older than the last is as void; one later is right.
    enter(two, page, totp.code(secret, -1)).expect(422)
    enter(two, page, totp.code(secret, 1)).expect(303)
    assert is_in(two)


def test_one_code_at_the_same_time(server, email, browser):
    """Two half sign-ins and one code: one session."""
    secret, _ = totp.set_up(browser)
    pairs = [half(server, email) for _ in range(4)]
    now = totp.code(secret)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(
            lambda pair: enter(*pair, now).status, pairs))
    assert sorted(statuses) == [303, 422, 422, 422]


def test_half_a_sign_in_opens_nothing(server, email, browser):
    secret, _ = totp.set_up(browser)
    one, page = half(server, email)
    for path in ("/account", "/staff/queue", "/account/two-factor",
                 "/signin/again", "/profile"):
        assert one.get(path).expect(303).location.startswith("/signin?next=")
    # Nor is it one for another browser,
    stranger = server.client()
    form = stranger.get("/signin").expect(200)
    answer = stranger.post("/signin/second", {
        "csrf": form.form("/signin$").fields["csrf"],
        "code": totp.code(secret)})
    assert answer.expect(303).location == "/signin"
    # nor for long,
    server.sql("UPDATE pending_signin SET expires_at = now()")
    answer = enter(one, page, totp.code(secret)).expect(303)
    assert answer.location == "/signin" and not is_in(one)
    assert one.get("/signin/second").expect(303).location == "/signin"
    # nor after the password was changed,
    two, page = half(server, email)
    server.sql("UPDATE account SET password_at = now() WHERE id = " + WHO,
               (email,))
    assert enter(two, page, totp.code(secret)).expect(303).location == \
        "/signin"
    # nor for who was disabled meanwhile.
    three, page = half(server, email)
    server.sql("UPDATE account SET state = 'disabled' WHERE id = " + WHO,
               (email,))
    assert enter(three, page, totp.code(secret)).expect(303).location == \
        "/signin"


def test_a_cookie_works_once(server, email, browser):
    secret, _ = totp.set_up(browser)
    one, page = half(server, email)
    cookies = dict(one.cookies)
    enter(one, page, totp.code(secret)).expect(303)
    two = server.client()
    two.cookies = cookies
    assert enter(two, page, totp.code(secret, 1)).expect(303).location == \
        "/signin"


def test_asked_page_is_shown_afterwards(server, email, browser):
    secret, _ = totp.set_up(browser)
    one = server.client()
    answer = one.get("/account?tab=%26").expect(303)
    _, page = half(server, email, one, answer.location)
    answer = enter(one, page, totp.code(secret)).expect(303)
    assert answer.location == "/account?tab=%26"


@pytest.mark.parametrize("typed", ["", "12345", pytest.param(
    "x" * 5000, id="long"), "' OR 1=1 --",
    "0000-0000-0000-000", "%00"])
def test_what_is_no_code(server, email, browser, typed):
    totp.set_up(browser)
    one, page = half(server, email)
    enter(one, page, typed).expect(422)
    assert server.sql("SELECT count(*) FROM throttle WHERE bucket = 'factor' "
                      f"AND key = {WHO}::text", (email,)) == [(0,)]


def test_wrong_password_says_nothing_of_it(server, email, browser):
    totp.set_up(browser)
    one = server.client()
    answer = one.submit(one.get("/signin"), {
        "email": email, "password": "wrong horse battery"}, "/signin$")
    assert "No account has this e-mail" in answer.expect(422).words
    assert "second" not in answer.words


def test_recovery_codes(server, email, browser):
    _, codes = totp.set_up(browser)
    one, page = half(server, email)
    assert "10 left" in page.words
    enter(one, page, codes[3].upper().replace("-", " ")).expect(303)
    assert is_in(one)
    mail = server.mail.wait(email, subject="A recovery code was used")
    assert "left: 9" in mail.text
    two, page = half(server, email)
    assert "used before" in enter(two, page, codes[3]).expect(422).words
    assert not is_in(two)
    # Another account's code is none here.
    other = staff(server)
    _, foreign = totp.set_up(flows.sign_in(server, other))
    enter(two, page, foreign[0]).expect(422)
    enter(two, page, codes[4]).expect(303)


def test_new_recovery_codes(server, email, browser):
    _, old = totp.set_up(browser)
    page = browser.get("/account/two-factor").expect(200)
    answer = browser.submit(page, {}, "/recovery-codes$").expect(200)
    new = totp.recovery_codes_on(answer)
    assert len(set(new)) == 10 and not set(new) & set(old)
    again = browser.submit(page, {}, "/recovery-codes$").expect(200)
    assert "shown already" in again.words
    assert totp.recovery_codes_on(again) == []
    browser.post("/account/two-factor/recovery-codes", {
        "csrf": page.form("/recovery-codes$").fields["csrf"],
        "nonce": "x"}).expect(303)
    one, page = half(server, email)
    enter(one, page, old[0]).expect(422)
    enter(one, page, new[0]).expect(303)
    server.mail.wait(email, subject="You have new recovery codes")


def test_turning_it_off(server, email, browser):
    secret, codes = totp.set_up(browser)
    other, page = half(server, email)
    enter(other, page, totp.code(secret)).expect(303)
    page = browser.get("/account/two-factor").expect(200)
    browser.submit(page, {}, "/remove$").expect(303)
    assert is_in(browser) and not is_in(other)
    flows.sign_in(server, email)
    assert server.sql("SELECT count(*) FROM recovery_code WHERE account_id "
                      f"= {WHO}", (email,)) == [(0,)]
    assert actions(server, email)[-2:] == ["factor.removed",
                                           "session.started"]
    server.mail.wait(email, subject="Two-factor sign-in is off")
    # Once more is no mistake.
    browser.submit(page, {}, "/remove$").expect(303)
    assert actions(server, email).count("factor.removed") == 1


def test_a_forgotten_password_asks_for_it(server, email, browser):
    """The mailbox alone does not open an account with a second factor."""
    secret, codes = totp.set_up(browser)
    one = server.client()
    one.submit(one.get("/forgot"), {"email": email}, "/forgot$").expect(303)
    link = server.mail.wait(email, subject="choose a new").link("/reset/")
    page = one.get(link).expect(200)
    assert "code" in page.form("/reset/").fields
    new = {"password": "seven harbours and a lamp"}

    def reset(code):
        return one.submit(page, {**new, "code": code}, "/reset/")
    for code in ("", "000000", "0000-0000-0000-0000-0000-0000"):
        assert 'href="#code"' in reset(code).expect(422).text
    # A password that is refused uses no code up.
    one.submit(page, {"password": "short", "code": totp.code(secret)},
               "/reset/").expect(422)
    reset(totp.code(secret)).expect(303)
    two = server.client()
    answer = two.submit(two.get("/signin"), {"email": email, **new},
                        "/signin$")
    page = two.follow(answer)
    # Used for the reset.
    enter(two, page, totp.code(secret)).expect(422)
    enter(two, page, codes[0]).expect(303)


# ---- guessing

def later(server, seconds):
    server.sql("UPDATE throttle SET tat = tat - make_interval(secs => %s), "
               "open_at = open_at - make_interval(secs => %s)",
               (seconds, seconds))


def test_wrong_codes_are_throttled(make_server):
    """Five from anywhere, then one-time codes have to wait ever longer; a
    recovery code opens still, and a browser that is known."""
    server = make_server(workers=2, settings={"TRUSTED_PROXIES": "127.0.0.1"})
    email = staff(server)
    mine = flows.sign_in(server, email)
    secret, codes = totp.set_up(mine)
    flows.sign_out(mine)

    def come_from(address):
        return half(server, email, server.client(
            headers={"X-Forwarded-For": address}))
    for i in range(5):
        enter(*come_from(f"203.0.113.{i}"), "000000").expect(422)
    one = come_from("203.0.113.99")
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900):
        # A minute more, since time goes on by itself, too.
        later(server, -60)
        answer = enter(*one, totp.code(secret)).expect(429)
        wait = int(answer.headers["Retry-After"])
        assert 20 < wait - seconds <= 60
        later(server, seconds + 60)
        enter(*one, "000000").expect(422)
    # What is no code is no try, and none of a recovery code.
    enter(*one, "hello").expect(422)
    enter(*one, codes[0]).expect(303)
    # With the browser's cookie of the first sign-in.
    enter(*half(server, email, mine), totp.code(secret)).expect(303)
    assert actions(server, email).count("factor.failed") == 17


def test_a_thousand_wrong_codes(make_server):
    """All that fit into a moment: a handful is looked at, the right one among
    the others is not; tests/accounts/tries_db_test.c has the ten thousand."""
    server = make_server(workers=2, courier=False,
                         settings={"TRUSTED_PROXIES": "127.0.0.1"})
    email = staff(server)
    secret, _ = totp.set_up(flows.sign_in(server, email))
    one, page = half(server, email, server.client(
        headers={"X-Forwarded-For": "203.0.113.7"}))
    fields = page.form("/second$").fields
    right = totp.code(secret)
    cookies = dict(one.cookies)

    def guess(number):
        mallory = server.client(headers={
            "X-Forwarded-For": f"203.0.{number // 250}.{number % 250}"})
        mallory.cookies = dict(cookies)
        code = right if number == 900 else f"{number:06d}"
        return mallory.post("/signin/second", {**fields, "code": code}).status
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(guess, range(1000)))
    assert set(seen) == {422, 429}
    assert 5 <= seen.count(422) <= 12, seen.count(422)
    assert not is_in(one)


def test_codes_of_a_reset_are_throttled(server, email, browser):
    """Who has the link has tries of their own, whatever others did."""
    secret, codes = totp.set_up(browser)
    flows.sign_out(browser)
    one, page = half(server, email)
    for _ in range(5):
        enter(one, page, "000000").expect(422)
    later(server, -60)
    enter(one, page, "000000").expect(429)
    two = server.client()
    two.submit(two.get("/forgot"), {"email": email}, "/forgot$").expect(303)
    link = server.mail.wait(email, subject="choose a new").link("/reset/")
    page = two.get(link).expect(200)

    def reset(code):
        return two.submit(page, {"password": "seven harbours and a lamp",
                                 "code": code}, "/reset/")
    for _ in range(5):
        reset("000000").expect(422)
    later(server, -60)
    answer = reset(totp.code(secret)).expect(429)
    assert 20 < int(answer.headers["Retry-After"]) <= 61
    later(server, 61)
    reset(totp.code(secret)).expect(303)


# ---- a must, and the lost phone

def half_way(server, email):
    """Signed in, and still to set a second factor up."""
    browser = server.client()
    browser.submit(browser.get("/signin"), {
        "email": email, "password": PASSWORD}, "/signin$").expect(303)
    return browser


def test_staff_must_in_production(make_server, folder):
    server = make_server(tls=make_certificate(folder), user=server_user(),
                         settings={"MODE": "production"})
    email = staff(server)
    browser = half_way(server, email)
    for path in ("/staff/queue", "/account", "/", "/products", "/profile"):
        assert browser.get(path).expect(303).location == "/account/two-factor"
    page = browser.get("/account/two-factor").expect(200)
    assert "Set this up first" in page.words
    totp.set_up(browser)
    browser.get("/staff/queue").expect(200)
    # A contact need not.
    contact = flows.contact(server)
    contact.get("/profile").expect(200)
    # Taken away, it is a must again.
    done = server.ctl("staff", "reset-2fa", email)
    assert "password alone" in done.stdout
    assert browser.get("/staff/queue").expect(303).location.startswith(
        "/signin")
    again = half_way(server, email)
    assert again.get("/staff/queue").expect(303).location == \
        "/account/two-factor"


def test_reset_by_an_operator(server, email, browser):
    totp.set_up(browser)
    one, page = half(server, email)
    server.ctl("staff", "reset-2fa", email)
    assert not is_in(browser)
    assert enter(one, page, "000000").expect(303).location == "/signin"
    assert is_in(flows.sign_in(server, email))
    server.mail.wait(email, subject="Your second factor was taken away")
    assert "factor.reset" in actions(server, email)
    for who, says in ((email, "has no second factor"),
                      (flows.address(), "has no account"), ("sam", "")):
        done = server.ctl("staff", "reset-2fa", who, check=False)
        assert done.returncode == 1 and says in done.stderr
    assert server.ctl("staff", "reset-2fa", check=False).returncode == 2


def test_pages_say_no_secret_in_addresses(server, email, browser):
    secret, codes = totp.set_up(browser)
    one, page = half(server, email)
    enter(one, page, codes[0]).expect(303)
    log = server.settled_log()
    for word in (secret, codes[0], *one.cookies.values()):
        assert word not in log
    assert re.search(r'"/signin/second"', log)
