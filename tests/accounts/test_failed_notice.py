"""Who is tried to be signed in as is told so, once a day."""

from lib import flows, totp
from lib.base import wait_until

WRONG = "quite another password"
SUBJECT = "Somebody tried to sign in as you"


def fail(server, email, times, password=WRONG):
    browser = server.client()
    for _ in range(times):
        server.sql("DELETE FROM throttle")
        browser.submit(browser.get("/signin"), {
            "email": email, "password": password}, "/signin$").expect(422)


def jobs(server):
    """They run at the courier's start: this row is taken by the last one."""
    server.sql("INSERT INTO email_change (id, account_id, email, email_folded,"
               " email_domain, expires_at) SELECT gen_random_uuid(), "
               "account_id, 'a@old', 'a@old', 'old', now() - interval '1 s' "
               "FROM person LIMIT 1")
    server.stop_courier()
    server.start_courier()
    wait_until(lambda: server.sql(
        "SELECT count(*) FROM email_change WHERE email = 'a@old'") == [(0,)])


def told_of(server, email):
    """How often, when all mail is sent."""
    wait_until(lambda: server.sql(
        "SELECT count(*) FROM outbox WHERE state = 'queued'") == [(0,)])
    return len(server.mail.to(email, SUBJECT))


def test_five_failures_are_told_once_a_day(server):
    email = flows.contact(server).email
    fail(server, email, 4)
    fail(server, flows.address(), 6)
    jobs(server)
    assert told_of(server, email) == 0
    fail(server, email, 1)
    jobs(server)
    told = server.mail.wait(email, SUBJECT)
    assert "5 times" in told.text and "/account/password" in told.text
    assert "knows your password" not in told.text
    assert WRONG not in told.text
    fail(server, email, 6)
    jobs(server)
    assert told_of(server, email) == 1
    server.sql("UPDATE failed_signin SET told_at = now() - interval '25 h', "
               "since = now() - interval '23 h'")
    jobs(server)
    assert "11 times" in server.mail.wait(email, SUBJECT, count=2).text
    # What is older than a day counts no more.
    server.sql("UPDATE failed_signin SET told_at = now() - interval '49 h', "
               "since = now() - interval '25 h'")
    fail(server, email, 1)
    assert server.sql("SELECT passwords FROM failed_signin f JOIN person p "
                      "USING (account_id) WHERE email = %s", (email,)) == [
                          (1,)]


def test_who_knows_the_password_is_told_apart(server):
    contact = flows.contact(server)
    totp.set_up(contact)
    browser = server.client()
    page = browser.follow(browser.submit(browser.get("/signin"), {
        "email": contact.email, "password": flows.PASSWORD}, "/signin$"))
    for _ in range(5):
        server.sql("DELETE FROM throttle")
        browser.submit(page, {"code": "000000"}, "/second$").expect(422)
    jobs(server)
    told = server.mail.wait(contact.email, "Somebody tried to sign in as you")
    assert "somebody knows your password" in told.text
    assert "(5 times)" in told.text and "(5 times)" in told.html


def test_the_same_row_without_account(server):
    """So that both take the same work."""
    server.sql("DELETE FROM failed_signin")
    email = flows.address()
    fail(server, email, 2)
    (who, account, passwords), = server.sql(
        "SELECT who, account_id, passwords FROM failed_signin")
    assert account is None and passwords == 2 and email not in who
