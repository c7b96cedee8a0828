"""Signing up: from the form over the mail to the account."""

import re
import threading
import unicodedata

import pytest

from lib import flows
from lib.base import wait_until

PASSWORD = flows.PASSWORD
HOUR = "created_at = created_at - interval '1 hour'"


def ask(server, email, name="Ada Byron", client="Altaworx", browser=None):
    """The answer to the sign-up form."""
    browser = browser or server.client()
    return browser.submit(browser.get("/signup").expect(200),
                          {"email": email, "name": name, "client": client},
                          "/signup$")


def resend(server, email, browser=None):
    browser = browser or server.client()
    page = browser.get("/verify/" + "A" * 43).expect(410)
    return browser.submit(page, {"email": email}, "/verify/resend$")


def link(server, email, count=1):
    return flows.verify_link(server, email, count)


def create(browser, path, password=PASSWORD, **fields):
    """The answer to the form behind the link."""
    return browser.submit(browser.get(path).expect(200),
                          {"password": password, **fields}, "/verify/")


def person(server, email):
    """Name, client and kind of an account, or None."""
    rows = server.sql(
        "SELECT p.name, p.client, a.kind, a.staff_role FROM person p "
        "JOIN account a ON a.id = p.account_id WHERE p.email = %s", (email,))
    return rows[0] if rows else None


def alike(answer, *own):
    """What of an answer must not depend on the address."""
    text = answer.text
    for word in own:
        text = text.replace(word, "X")
    text = re.sub(r'name="csrf" value="[^"]*"', "", text)
    text = re.sub(r"r-[0-9a-f]{12}", "", text)
    headers = sorted((k.lower(), re.sub(r"=[\w-]{20,}|r-[0-9a-f]{12}", "", v))
                     for k, v in answer.headers.items()
                     if k.lower() not in ("date", "content-length"))
    return answer.status, answer.location, headers, text


def test_from_form_to_account(server):
    email, browser = flows.address(), server.client()
    answer = ask(server, email, "Ada Byron", "Altaworx", browser).expect(303)
    assert answer.location == "/signup/sent"
    page = browser.follow(answer).expect(200)
    assert email in page.words and "Look into your mail" in page.words
    assert person(server, email) is None
    path = link(server, email)
    page = browser.get(path).expect(200)
    fields = page.form("/verify/").fields
    assert fields["name"] == "Ada Byron" and fields["client"] == "Altaworx"
    assert email in page.text
    answer = create(browser, path, name="Ada King", client="Altaworx & Co.")
    assert answer.expect(303).location == "/profile"
    assert person(server, email) == ("Ada King", "Altaworx & Co.", "contact",
                                     None)
    page = browser.get("/account").expect(200)
    assert "Ada King" in page.words and email in page.words


def test_mail_repeats_nothing_that_was_typed(server):
    email = flows.address()
    ask(server, email, "Mallory Quux", "Visit Evil Corp").expect(303)
    message = server.mail.wait(email)
    for part in (message.raw.decode(), message.text, message.html,
                 message.subject):
        assert "Quux" not in part and "Evil" not in part


def test_looking_changes_nothing(server):
    """Scanners of mail follow links; forms that they send are empty."""
    email = flows.address()
    ask(server, email).expect(303)
    path = link(server, email)
    for _ in range(3):
        server.client().get(path).expect(200)
        server.client().request("HEAD", path).expect(200)
    server.client().post(path).expect(403)
    assert person(server, email) is None
    create(server.client(), path).expect(303)


def test_link_works_once(server):
    email, browser = flows.address(), server.client()
    ask(server, email).expect(303)
    path = link(server, email)
    late = server.client()
    late_page = late.get(path).expect(200)
    create(browser, path).expect(303)
    answer = late.submit(late_page, {"password": "another harbour 43 tunes"},
                         "/verify/")
    assert answer.expect(410).has_form("/verify/resend")
    assert "used" in answer.words
    server.client().get(path).expect(410)
    late.get("/account").expect(303)
    flows_in = server.client()
    flows_in.submit(flows_in.get("/signin"), {
        "email": email, "password": PASSWORD}, "/signin").expect(303)


def test_only_the_newest_link_counts(server):
    email = flows.address()
    ask(server, email).expect(303)
    first = link(server, email)
    resend(server, email).expect(303)
    second = link(server, email, 2)
    assert first != second
    server.client().get(first).expect(410)
    create(server.client(), second).expect(303)


def test_link_ends_after_24_hours(server):
    email, browser = flows.address(), server.client()
    ask(server, email).expect(303)
    path = link(server, email)
    page = browser.get(path).expect(200)
    assert server.sql("SELECT expires_at - created_at = interval '24 hours' "
                      "FROM signup WHERE email = %s", (email,)) == [(True,)]
    server.sql("UPDATE signup SET expires_at = now() WHERE email = %s",
               (email,))
    browser.submit(page, {"password": PASSWORD}, "/verify/").expect(410)
    browser.get(path).expect(410)
    assert person(server, email) is None


@pytest.mark.parametrize("token", [
    "x", "A" * 43, "A" * 44, "%00", "..%2f..%2fetc", "%ff%fe", "<script>"])
def test_links_that_are_none(server, token):
    answer = server.client().get(f"/verify/{token}")
    assert answer.status in (400, 404, 410), answer
    assert "<script>" not in answer.text.replace("<script src=", "")


def test_three_mails_an_hour(server):
    """For one who signed up, for one unknown and for one with an account:
    the same answers, and a time at which it goes on."""
    waiting, unknown = flows.address(), flows.address()
    known = flows.address()
    ask(server, known).expect(303)
    create(server.client(), link(server, known)).expect(303)
    server.sql(f"UPDATE signup SET {HOUR} WHERE email = %s", (known,))
    answers = {}
    for email in (waiting, unknown, known):
        ask(server, email) if email == waiting else resend(server, email)
        resend(server, email).expect(303)
        resend(server, email).expect(303)
        answers[email] = resend(server, email).expect(429)
        ask(server, email).expect(429)
    seen = {re.sub(r"retry-after', '\d+", "", str(alike(a, e)))
            for e, a in answers.items()}
    assert len(seen) == 1
    answer = answers[waiting]
    assert 3400 < int(answer.headers["Retry-After"]) <= 3601
    assert re.search(r"next one can go at \d\d:\d\d UTC", answer.words)
    assert len(server.mail.to(waiting)) <= 3
    server.sql(f"UPDATE signup SET {HOUR} WHERE email = %s", (waiting,))
    resend(server, waiting).expect(303)
    server.mail.wait(waiting, count=4)
    assert server.mail.to(unknown) == []


def test_three_mails_an_hour_at_once(make_server):
    """Eight at the same moment, in two workers: three mails all the same."""
    server = make_server(courier=False, workers=2)
    email = flows.address()
    browsers = [server.client() for _ in range(8)]
    pages = [b.get("/signup").expect(200) for b in browsers]
    gate, statuses = threading.Barrier(8), []

    def send(browser, page):
        gate.wait()
        statuses.append(browser.submit(page, {
            "email": email, "name": "Ada", "client": "Altaworx"},
            "/signup$").status)
    threads = [threading.Thread(target=send, args=pair)
               for pair in zip(browsers, pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303] * 3 + [429] * 5
    assert server.sql("SELECT count(*) FROM outbox WHERE address = %s",
                      (email,)) == [(3,)]
    # Exactly one link counts.
    assert server.sql(
        "SELECT count(*) FROM signup s WHERE email = %s AND NOT EXISTS "
        "(SELECT FROM signup n WHERE n.email = s.email AND n.id > s.id)",
        (email,)) == [(1,)]


def test_nobody_learns_who_has_an_account(server):
    known, unknown = flows.address(), flows.address()
    ask(server, known).expect(303)
    create(server.client(), link(server, known)).expect(303)
    answers, pages = [], []
    for email in (known, unknown):
        browser = server.client()
        answers.append(alike(ask(server, email, "Mallory", browser=browser),
                             email))
        pages.append(alike(browser.get("/signup/sent"), email))
        answers.append(alike(resend(server, email), email))
    assert answers[0] == answers[2] and answers[1] == answers[3]
    assert pages[0] == pages[1]
    # The holder of the mailbox is told, without a link that makes anything.
    server.mail.wait(known, count=3)
    for message in server.mail.to(known)[1:]:
        assert "/verify/" not in message.text
        assert "Mallory" not in message.text
    assert person(server, known)[0] == "Ada Byron"


def test_nobody_who_never_signed_up_gets_a_mail(server):
    """A mail is queued, which takes the same time, and never sent."""
    def dropped():
        return server.sql("SELECT count(*) FROM outbox WHERE kind = 'verify' "
                          "AND state = 'dropped' AND last_error = "
                          "'the link is used or over'")[0][0]

    stranger, waiting = flows.address(), flows.address()
    before = dropped()
    resend(server, stranger).expect(303)
    ask(server, waiting).expect(303)
    link(server, waiting)
    wait_until(lambda: dropped() == before + 1)
    assert server.mail.to(stranger) == []
    # And to sign up afterwards is as for anybody else.
    ask(server, stranger).expect(303)
    create(server.client(), link(server, stranger)).expect(303)


def test_address_is_one_in_any_case(server):
    email = flows.address()
    ask(server, email).expect(303)
    create(server.client(), link(server, email)).expect(303)
    ask(server, email.upper()).expect(303)
    assert server.sql("SELECT token_hash FROM signup WHERE email = %s",
                      (email.upper(),)) == [(None,)]


def test_two_at_once(server):
    """The same link, sent by two browsers in the same instant: one account,
    and the other one is told."""
    for _ in range(3):
        email = flows.address()
        ask(server, email).expect(303)
        path = link(server, email)
        browsers = [server.client() for _ in range(4)]
        pages = [b.get(path).expect(200) for b in browsers]
        gate, statuses = threading.Barrier(4), []

        def send(browser, page):
            gate.wait()
            statuses.append(browser.submit(
                page, {"password": PASSWORD}, "/verify/").status)
        threads = [threading.Thread(target=send, args=pair)
                   for pair in zip(browsers, pages)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses)[0] == 303
        assert set(sorted(statuses)[1:]) <= {409, 410}, statuses
        assert server.sql("SELECT count(*) FROM person WHERE email = %s",
                          (email,)) == [(1,)]
        assert server.sql(
            "SELECT count(*) FROM session JOIN person USING (account_id) "
            "WHERE email = %s", (email,)) == [(1,)]


@pytest.mark.parametrize("field,value,says", [
    ("email", "", "mail"), ("email", "ada", "@"), ("email", "a@b@", ""),
    ("email", "a@" + "b" * 300, ""), ("email", "ada@x.example\nBcc: y@z", ""),
    ("name", "", "Type your name"), ("name", "   ", "Type your name"),
    ("name", "A" * 101, "100"), ("name", "Ada\x07", ""),
    ("client", "", "company"), ("client", "A", "2"),
    ("client", "B" * 65, "64"), ("client", "Acme_Zed", "letters"),
    ("client", "<script>alert(1)</script>", "letters"),
])
def test_bad_input_is_told_and_kept(server, field, value, says):
    fields = {"email": flows.address(), "name": "Ada", "client": "Altaworx"}
    before = server.sql("SELECT count(*) FROM signup")
    browser = server.client()
    answer = browser.submit(browser.get("/signup"), {**fields, field: value},
                            "/signup$").expect(422)
    assert says.lower() in answer.words.lower()
    assert f'href="#{field}"' in answer.text
    assert "<script>alert" not in answer.text
    kept = answer.form("/signup$").fields
    for name in fields.keys() - {field}:
        assert kept[name] == fields[name]
    if value.strip() == value and "\n" not in value:
        assert kept[field] == value
    assert answer.title.startswith("Error: ")
    assert server.sql("SELECT count(*) FROM signup") == before


def test_names_of_any_script(server):
    email = flows.address()
    ask(server, email, "Zoë  Ångström <O'Neill>", "Sønner & Co. 日本").expect(303)
    browser = server.client()
    create(browser, link(server, email)).expect(303)
    assert person(server, email)[:2] == ("Zoë Ångström <O'Neill>",
                                         "Sønner & Co. 日本")
    page = browser.get("/account").expect(200)
    assert "<O'Neill>" not in page.text and "<O'Neill>" in page.words


@pytest.mark.parametrize("password", [
    "", "short", "elevenchars", "x" * 129, "passwordpassword", "123456789012",
    "qwertyuiopasdf", "byronbyronbyron", "altaworxaltaworx",
    "aaaaaaaaaaaaaaaa", "twelve\x07chars long"])
def test_weak_passwords(server, password):
    email = flows.address()
    ask(server, email).expect(303)
    path, browser = link(server, email), server.client()
    answer = create(browser, path, password, name="Ada Lovelace").expect(422)
    assert 'href="#password"' in answer.text
    assert answer.form("/verify/").fields == {
        **answer.form("/verify/").fields, "name": "Ada Lovelace",
        "password": ""}
    if len(password) > 4:
        assert password not in answer.text
    assert person(server, email) is None
    # The link still works.
    create(browser, path).expect(303)


@pytest.mark.parametrize("password", [
    "violet harbour 42 tunes", "пингвин танцует на льду", "z" + " \u00e9q9" * 31
])
def test_good_passwords(server, password):
    email = flows.address()
    ask(server, email).expect(303)
    create(server.client(), link(server, email), password).expect(303)
    browser = server.client()
    browser.submit(browser.get("/signin"), {
        "email": email, "password": password}, "/signin").expect(303)
    # The same characters, put together otherwise (NFD).
    browser = server.client()
    browser.submit(browser.get("/signin"), {
        "email": email,
        "password": unicodedata.normalize("NFD", password)},
        "/signin").expect(303)


def test_link_signs_in_as_the_new_account(server):
    one, two = flows.address(), flows.address()
    browser = server.client()
    ask(server, one).expect(303)
    create(browser, link(server, one)).expect(303)
    old = dict(browser.cookies)
    ask(server, two).expect(303)
    create(browser, link(server, two), name="Tom Two").expect(303)
    assert two in browser.get("/account").expect(200).words
    other = server.client()
    other.cookies = old
    other.get("/account").expect(303)


def test_signed_in_need_not_sign_up(server):
    email, browser = flows.address(), server.client()
    ask(server, email).expect(303)
    create(browser, link(server, email)).expect(303)
    assert browser.get("/signup").expect(303).location == "/profile"


def test_invited_staff(server):
    email = flows.address("staff.example")
    out = server.ctl("staff", "add", email, "--name", "Sam Keeper", "--role",
                     "admin").stdout
    path = re.search(r"/verify/[\w-]{43}", out).group()
    # A stranger's sign-up with that address does not make him a contact.
    ask(server, email, "Mallory").expect(303)
    server.client().get(path).expect(410)
    path = server.mail.wait(email, "Join the staff").link("/verify/")
    browser = server.client()
    page = browser.get(path).expect(200)
    assert "client" not in page.form("/verify/").fields
    assert page.form("/verify/").fields["name"] == "Sam Keeper"
    answer = create(browser, path).expect(303)
    assert answer.location == "/staff/queue"
    assert person(server, email) == ("Sam Keeper", "", "staff", "admin")


def test_the_page_after_it_is_only_for_who_asked(server):
    assert server.client().get("/signup/sent").expect(303).location == \
        "/signup"
    for bad in ("zz", "31", "ff", "31" + "00" * 5, "31" + "61" * 300,
                "31" + b"<b>".hex()):
        browser = server.client()
        browser.cookies[f"latchkey_{server.port}_sent"] = bad
        assert "<b>" not in browser.get("/signup/sent").text


def test_log_has_no_token_and_no_address(server):
    email = flows.address()
    ask(server, email).expect(303)
    path = link(server, email)
    create(server.client(), path).expect(303)
    log = server.raw_log("portal") + server.raw_log("courier")
    assert path.rsplit("/", 1)[1] not in log
    assert email not in log and PASSWORD not in log
    assert "/verify/:token" in log
