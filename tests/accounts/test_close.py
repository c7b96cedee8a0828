"""Closing an account, and what one gets of one's own data."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from lib import flows
from lib.base import wait_until

PASSWORD = flows.PASSWORD


@pytest.fixture(autouse=True)
def no_throttle(server):
    server.sql("DELETE FROM throttle")


def member(server, role="staff", name="Sam Keeper"):
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", name, "--role", role,
               stdin=PASSWORD + "\n")
    return flows.sign_in(server, address)


def close(browser, password=PASSWORD):
    return browser.submit(browser.get("/account/close").expect(200),
                          {"password": password}, "/account/close$")


def account_of(server, browser):
    return server.sql("SELECT account_id FROM person WHERE email = %s",
                      (browser.email,))[0][0]


def everything(server):
    """All that is stored, as one text."""
    tables = [row[0] for row in server.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema "
        "= 'public' AND table_type = 'BASE TABLE'")]
    return "\n".join(str(server.sql(f"SELECT t::text FROM {table} t"))
                     for table in tables)


def test_nothing_names_the_person_afterwards(server):
    name = "Maximiliane Unmistakable"
    browser = flows.contact(server, name=name, client="Unmistakable Works")
    other = flows.sign_in(server, browser.email)
    flows.request_key(browser, "Unmistakable Works-KEY")
    account = account_of(server, browser)
    visitor = server.client()
    visitor.submit(visitor.get("/forgot"), {"email": browser.email},
                   "/forgot$").expect(303)
    visitor.submit(visitor.get("/signup"), {
        "email": browser.email, "name": name, "client": "U"}, "/signup$")
    server.sql("INSERT INTO passkey (id, account_id, credential_id, algorithm,"
               " public_key, sign_count, name) VALUES (gen_random_uuid(), %s,"
               " 'c', -7, 'k', 0, %s)", (account, "Phone of " + name))
    assert name in browser.get("/account/data").text
    answer = close(browser).expect(303)
    assert "is closed" in browser.follow(answer).words
    other.get("/account").expect(303)
    told = server.mail.wait(browser.email, "is closed")
    assert "If that was not you" in told.text and name not in told.text
    # The mail of the request to staff may still be under way.
    server.mail.none("nobody@x.example", lambda: server.sql(
        "SELECT count(*) FROM outbox WHERE state = 'queued'") == [(0,)])
    text = everything(server)
    assert browser.email not in text and name not in text
    assert str(account) in text
    assert server.sql("SELECT state, password_hash FROM account WHERE id = "
                      "%s", (account,)) == [("closed", "*")]
    assert server.sql("SELECT state FROM request WHERE account_id = %s",
                      (account,)) == [("withdrawn",)]
    actions = [row[0] for row in server.sql(
        "SELECT action FROM audit WHERE actor_id = %s ORDER BY id",
        (account,))]
    assert actions[-2:] == ["request.withdrawn", "account.closed"]
    # Nobody gets in, and the address is free for a new account.
    visitor.submit(visitor.get("/signin"), {
        "email": browser.email, "password": PASSWORD}, "/signin$").expect(422)
    for box in server.mail.to(browser.email):
        box.path.unlink()
    flows.contact(server, browser.email)


def test_the_password_is_asked_for(server):
    browser = member(server)
    page = browser.get("/account/close").expect(200)
    assert "key" in page.words
    assert 'href="#password"' in close(browser, "").expect(422).text
    close(browser, "another one 42").expect(422)
    browser.get("/account").expect(200)
    for _ in range(4):
        close(browser, "another one 42").expect(422)
    server.sql("UPDATE throttle SET open_at = open_at + interval '1 min'")
    close(browser).expect(429)


def test_the_key_stays(server):
    owner, keeper = flows.client_with_key(server, "STAYS", "Stays")
    key = flows.show_key(owner)
    # The only owner of a living key can't leave.
    answer = close(owner).expect(422)
    assert "only owner" in answer.words
    assert owner.get("/profile").status == 200
    # With a second one he can.
    second = flows.contact(server, client="Stays")
    tenant = server.sql("SELECT id FROM tenant WHERE code = 'STAYS'")[0][0]
    server.sql("INSERT INTO membership (account_id, tenant_id, role, "
               "let_in_by) VALUES (%s, %s, 'owner', 'owner')",
               (account_of(server, second), tenant))
    close(owner).expect(303)
    assert flows.show_key(second) == key
    page = keeper.get("/staff/tenants/STAYS").expect(200)
    assert owner.email not in page.text
    keeper.get("/staff/queue").expect(200)
    # Now that one is the last, and stays the last while the key lives.
    close(second).expect(422)
    server.sql("UPDATE subscription SET state = 'cancelled', ended_at = now() "
               "WHERE tenant_id = %s", (tenant,))
    close(second).expect(303)


def test_the_last_admin_stays(server):
    server.sql("UPDATE account SET state = 'disabled' WHERE staff_role = "
               "'admin'")
    first = member(server, "admin")
    assert "only admin" in close(first).expect(422).words
    member(server, "admin")
    close(first).expect(303)


CLOSE = "SELECT account_close(id, password_hash) FROM account WHERE id = %s"


def close_both(server, pair):
    """What two say who leave at once: the second asks before the first is
    done, and has to wait for it."""
    first, second = (psycopg2.connect(server.cluster.url(
        "latchkey_app", server.database)) for _ in range(2))
    try:
        with first.cursor() as one, second.cursor() as two:
            one.execute(CLOSE, (pair[0],))
            with ThreadPoolExecutor(1) as pool:
                waits = pool.submit(two.execute, CLOSE, (pair[1],))
                wait_until(lambda: server.sql(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted",
                    role="postgres") == [(1,)])
                first.commit()
                waits.result(10)
            return one.fetchone()[0], two.fetchone()[0]
    finally:
        first.close()
        second.close()


def test_of_two_last_admins_one_stays(server):
    server.sql("UPDATE account SET state = 'disabled' WHERE staff_role = "
               "'admin'")
    pair = [account_of(server, member(server, "admin")) for _ in range(2)]
    assert close_both(server, pair) == ("closed", "admin")


def test_of_two_last_owners_one_stays(server):
    owner, _ = flows.client_with_key(server, "PAIR", "Pair")
    second = flows.contact(server, client="Pair")
    pair = [account_of(server, browser) for browser in (owner, second)]
    server.sql("INSERT INTO membership (account_id, tenant_id, role, "
               "let_in_by) SELECT %s, tenant_id, 'owner', 'owner' FROM "
               "membership WHERE account_id = %s", pair[::-1])
    assert close_both(server, pair) == ("closed", "owner")


def test_ones_own_data(server):
    browser = flows.contact(server, name="Ada Byron", client="Data Works")
    flows.request_key(browser, "Data Works-KEY")
    assert "/account/data" in browser.get("/account").text
    answer = browser.get("/account/data").expect(200)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    data = json.loads(answer.text)
    assert data["person"] == {"name": "Ada Byron", "email": browser.email,
                              "company_as_typed": "Data Works"}
    assert data["requests"][0]["name"] == "Data Works-KEY"
    assert data["sessions"][0]["address"] == "127.0.0.1"
    assert "request.submitted" in [a["action"] for a in data["actions"]]
    assert data["account"]["kind"] == "contact"
    for secret in ("argon2", "hash", "sealed", *browser.cookies.values()):
        assert secret not in answer.text
    # Nobody else's.
    other = json.loads(flows.contact(server).get("/account/data").text)
    assert browser.email not in json.dumps(other)


def test_own_data_is_whole(server):
    """What was accepted, asked, told, chosen and tried, too."""
    owner, keeper = flows.client_with_key(server, "WHOLE", "Whole Co")
    person = flows.contact(server, name="Ida Whole", client="Whole Co",
                           email=flows.address("else.example"))
    account = server.sql("SELECT account_id FROM person WHERE email = %s",
                         (person.email,))[0][0]
    person.submit(person.get("/people"), {"client": "Whole & Co"},
                  "/people/ask$").expect(303)
    flows.request_key(person, "Whole Co-KEY")
    request = server.sql("SELECT id::text, product_id FROM request WHERE "
                         "account_id = %s", (account,))[0]
    server.sql("INSERT INTO product_terms (product_id, version, text) "
               "VALUES (%s, 7, 'Be good') ON CONFLICT DO NOTHING",
               (request[1],))
    server.sql("INSERT INTO terms_acceptance (request_id, account_id, "
               "product_id, version) VALUES (%s, %s, %s, 7)",
               (request[0], account, request[1]))
    path = f"/staff/requests/{request[0]}"
    keeper.submit(keeper.get(path), {"tenant": "WHOLE"}, "/consent$"
                  ).expect(303)
    consent = server.sql("SELECT id FROM request_consent WHERE request_id = "
                         "%s", (request[0],))[0][0]
    owner.submit(owner.get(f"/consents/{consent}"), {"answer": "no"},
                 "/consents/").expect(303)
    server.sql("INSERT INTO request_note (request_id, kind, side, author_id, "
               "text) VALUES (%s, 'comment', 'contact', %s, 'I wrote this')",
               (request[0], account))
    server.sql("INSERT INTO mail_choice VALUES (%s, 'request_shared', 'off')",
               (account,))
    visitor = server.client()
    visitor.submit(visitor.get("/signin"), {
        "email": person.email, "password": "not this one 42"}, "/signin$"
        ).expect(422)
    data = json.loads(person.get("/account/data").expect(200).text)
    assert [(t["version"], t["request"]) for t in data["terms_accepted"]] == [
        (7, request[0])]
    assert [a["client_as_typed"] for a in data["asks_to_join"]] == [
        "Whole & Co"]
    assert [c["answer"] for c in data["consents_about_you"]] == ["no"]
    assert data["consents_by_you"] == []
    assert [n["text"] for n in data["written_about_requests"]] == [
        "I wrote this"]
    assert "request_submitted" in [n["kind"] for n in data["notices"]]
    assert data["mail_choices"] == {"request_shared": "off"}
    assert data["failed_signins"]["wrong_passwords"] == 1
    theirs = json.loads(owner.get("/account/data").expect(200).text)
    assert [c["answer"] for c in theirs["consents_by_you"]] == ["no"]
    assert "Ida Whole" not in json.dumps(theirs)


def test_data_is_for_those_signed_in(server):
    server.client().get("/account/data").expect(303)


def test_pages(server, browser):
    owner, _ = flows.client_with_key(server, "LOOK", "Look")
    browser.open(server, "/livez").take_session(owner)
    browser.go("/account").inspect("account-menu")
    browser.go("/account/close").inspect("close")
    browser.type("password", PASSWORD)
    browser.press_submit("/account/close")
    browser.inspect("close-last-owner")
    browser.forget()
    keeper = member(server)
    browser.open(server, "/livez").take_session(keeper)
    browser.go("/account/close").type("password", PASSWORD)
    browser.press_submit("/account/close")
    browser.inspect("signin-closed")
