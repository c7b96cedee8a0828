"""The page of one's sessions, and the mail about a device that is new."""

import re

import pytest

from lib import flows

PASSWORD = flows.PASSWORD
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 " \
    "Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) " \
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 " \
    "Safari/604.1"


@pytest.fixture
def email(server):
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    return address


def enter(server, email, agent=FIREFOX):
    return flows.sign_in(server, email, browser=server.client(
        headers={"User-Agent": agent}))


def rows(page):
    return re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page.text)


def test_each_session_is_shown(server, email):
    here, phone = enter(server, email), enter(server, email, IPHONE)
    assert "/account/sessions" in here.get("/account").text
    page = here.get("/account/sessions").expect(200)
    assert len(rows(page)) == 2
    assert "Firefox on Linux This one" in page.words
    assert "Safari on an iPhone" in page.words and "127.0.0.1" in page.words
    assert page.words.count("This one") == 1
    page = phone.get("/account/sessions").expect(200)
    assert "Safari on an iPhone This one" in page.words
    # Nothing that opens a session is on it.
    for cookie in (*here.cookies.values(), *phone.cookies.values()):
        assert cookie not in page.text


def test_ending_one(server, email):
    here, phone = enter(server, email), enter(server, email, IPHONE)
    page = here.get("/account/sessions").expect(200)
    answer = here.submit(page, {}, f"/{rows(page)[1]}/end")
    page = here.follow(answer)
    assert "Ended" in page.words and len(rows(page)) == 1
    phone.get("/account").expect(303)
    # The same once more is nothing.
    here.post(answer.path, {
        "csrf": page.form("/end").fields["csrf"]}).expect(404)
    # One's own is as signing out.
    answer = here.submit(page, {}, f"/{rows(page)[0]}/end").expect(303)
    assert answer.location == "/"
    assert list(here.cookies) == [f"latchkey_{server.port}_browser"]


def test_ended_in_all_workers(make_server):
    server = make_server(workers=2, courier=False)
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam Keeper", "--role",
               "staff", stdin=PASSWORD + "\n")
    here, phone = enter(server, address), enter(server, address, IPHONE)
    for _ in range(8):
        phone.get("/account").expect(200)
        phone.close()
    here.submit(here.get("/account/sessions"), {}, "/sessions/end$") \
        .expect(303)
    for _ in range(8):
        phone.get("/account").expect(303)
        phone.close()
    here.get("/account").expect(200)


def test_ending_all_others(server, email):
    here = enter(server, email)
    others = [enter(server, email, IPHONE) for _ in range(3)]
    page = here.follow(here.submit(here.get("/account/sessions"), {},
                                   "/sessions/end$"))
    assert len(rows(page)) == 1 and "End all others" not in page.words
    for other in others:
        other.get("/account").expect(303)
    assert server.sql(
        "SELECT count(*) FROM audit JOIN person ON subject_id = account_id "
        "WHERE action = 'session.ended' AND email = %s", (email,)) == [(3,)]


def test_others_sessions_are_nobodys_business(server, email):
    here, stranger = enter(server, email), flows.staff(server)
    number = rows(here.get("/account/sessions"))[0]
    csrf = stranger.get("/account/sessions").form("/end").fields["csrf"]
    for path in (number, "x", "0" * 36, number.upper()):
        stranger.post(f"/account/sessions/{path}/end", {"csrf": csrf}) \
            .expect(404)
    here.get("/account").expect(200)


@pytest.mark.parametrize("agent", ["x" * 900, "<b>x</b>", "A{{b}}"])
def test_odd_agents(server, email, agent):
    here = enter(server, email, agent)
    page = here.get("/account/sessions").expect(200)
    assert "An unknown program" in page.words
    assert "<b>" not in page.text and "xxx" not in page.text


# ---- mails about new devices

def quiet(server):
    return server.sql("SELECT count(*) FROM outbox WHERE state = 'queued'") \
        == [(0,)]


def test_a_new_device_is_told(server, email):
    enter(server, email)
    enter(server, email)
    # A newer version of the same browser is no news.
    enter(server, email, FIREFOX.replace("128", "129"))
    server.mail.none(email, lambda: quiet(server))
    enter(server, email, IPHONE)
    told = server.mail.wait(email, "new sign-in")
    assert "Safari on an iPhone" in told.text and "127.0.0.1" in told.text
    assert "If that was not you" in told.text
    assert told.link("/account/") == "/account/sessions"
    assert "Safari on an iPhone" in told.html
    enter(server, email, IPHONE)
    assert len(server.mail.to(email)) == 1


def test_a_device_is_new_again_after_90_days(server, email):
    enter(server, email)
    server.sql("UPDATE known_device SET last_at = now() - interval '91 days'")
    enter(server, email)
    server.mail.wait(email, "new sign-in")


def test_signing_up_is_no_news(server):
    person = flows.contact(server)
    assert [m.subject for m in server.mail.to(person.email)
            if "sign-in" in m.subject] == []
    assert server.sql("SELECT count(*), count(told) FROM known_device JOIN "
                      "person USING (account_id) WHERE email = %s",
                      (person.email,)) == [(1, 0)]


def test_network_and_browser_are_kept_as_a_hash(server, email):
    enter(server, email)
    dump = str(server.sql("SELECT d::text FROM known_device d"))
    assert "127.0.0.1" not in dump and "Firefox" not in dump


def test_page(server, email, browser):
    here = enter(server, email)
    enter(server, email, IPHONE)
    browser.open(server, "/livez").take_session(here)
    browser.go("/account").inspect("account-menu")
    browser.press("Look at your sessions")
    browser.inspect("sessions")
    browser.press("End all others")
    browser.inspect("sessions-ended")
