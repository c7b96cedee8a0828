"""Factors, passkeys, recovery, people and closing are struck in the middle: the
statement waits for a table that somebody holds, and is given up, or its
connection is cut.  Nothing is half done, and the same form does it
afterwards."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import flows, totp
from lib.base import wait_until

WHO = "(SELECT account_id FROM person WHERE email = %s)"
NEW = "seven harbours and a lamp"


def posting(browser, page, fields, action):
    """Sends the form that the page has, as often as it is called."""
    form = page.form(action)
    return lambda: browser.post(form.action or page.path,
                                {**form.fields, **fields})


def count(server, table, email, more="true"):
    return server.sql(f"SELECT count(*) FROM {table} WHERE account_id = {WHO}"
                      f" AND {more}", (email,))[0][0]


def set_up_an_app(server):
    person = flows.contact(server)
    page = person.get("/account/two-factor/set-up")
    fields = {"code": totp.code(totp.secret_on(page), -1)}
    return (posting(person, page, fields, "/set-up$"), 200,
            lambda: count(server, "totp", person.email) == 1
            and count(server, "recovery_code", person.email) == 10,
            lambda: count(server, "totp", person.email)
            + count(server, "recovery_code", person.email) == 0)


def new_recovery_codes(server):
    person = flows.contact(server)
    _, old = totp.set_up(person)
    before = hashes(server, person.email)
    page = person.get("/account/two-factor")
    return (posting(person, page, {}, "/recovery-codes$"), 200,
            lambda: not before & hashes(server, person.email)
            and count(server, "recovery_code", person.email) == 10,
            lambda: hashes(server, person.email) == before)


def hashes(server, email):
    return {bytes(row[0]) for row in server.sql(
        f"SELECT code_hash FROM recovery_code WHERE account_id = {WHO}",
        (email,))}


def second_step(server):
    person = flows.contact(server)
    secret, _ = totp.set_up(person)
    flows.sign_out(person)
    page = person.follow(person.submit(person.get("/signin"), {
        "email": person.email, "password": flows.PASSWORD}, "/signin$"))
    return (posting(person, page, {"code": totp.code(secret)}, "/second$"),
            303, lambda: count(server, "session", person.email) == 1,
            lambda: count(server, "session", person.email) == 0
            and count(server, "pending_signin", person.email) == 1)


def remove_a_passkey(server):
    person = flows.contact(server)
    server.sql("INSERT INTO passkey (id, account_id, credential_id, "
               "algorithm, public_key, sign_count, name) SELECT "
               f"gen_random_uuid(), {WHO}, sha256(%s::bytea), -7, 'k', 0, 'P'",
               (person.email, base64.b64encode(person.email.encode())))
    page = person.get("/account/passkeys")
    return (posting(person, page, {}, "/remove$"), 303,
            lambda: count(server, "passkey", person.email) == 0,
            lambda: count(server, "passkey", person.email) == 1)


def reset_a_password(server):
    person = flows.contact(server)
    person.submit(person.get("/forgot"), {"email": person.email}, "/forgot$")
    page = person.get(server.mail.wait(
        person.email, subject="choose a new").link("/reset/"))
    used = "used_at IS NOT NULL"
    return (posting(person, page, {"password": NEW}, "/reset/"), 303,
            lambda: count(server, "recovery", person.email, used) == 1
            and count(server, "session", person.email) == 0,
            lambda: count(server, "recovery", person.email, used) == 0
            and count(server, "session", person.email) == 1)


def confirm_an_address(server):
    person, new = flows.contact(server), flows.address()
    person.submit(person.get("/account/email"), {"email": new}, "/email$")
    page = person.get(server.mail.wait(
        new, "confirm your new").link("/email-confirm/"))
    return (posting(person, page, {}, "/email-confirm/"), 303,
            lambda: server.sql("SELECT count(*) FROM person WHERE email = %s",
                               (new,)) == [(1,)],
            lambda: count(server, "email_change", person.email,
                          "used_at IS NULL") == 1)


def accept_an_invitation(server):
    owner, _ = client(server)
    new = flows.address()
    owner.submit(owner.get("/people"), {"email": new, "role": "member"},
                 "/people/invite$").expect(303)
    person = server.client()
    page = person.get(server.mail.wait(new, "Join").link("/invite/"))
    return (posting(person, page, {"name": "Nia", "password": NEW},
                    "/invite/"), 303,
            lambda: count(server, "membership", new) == 1,
            lambda: server.sql("SELECT count(*) FROM person WHERE email = %s",
                               (new,)) == [(0,)])


def let_in_who_asks(server):
    _, keeper = client(server)
    code = server.sql("SELECT code FROM tenant ORDER BY id DESC LIMIT 1")
    person = flows.contact(server, client="Elsewhere")
    person.submit(person.get("/people"), {"client": "Other"}, "/people/ask$")
    ask = server.sql(f"SELECT id FROM join_ask WHERE account_id = {WHO}",
                     (person.email,))[0][0]
    fields = {"tenant": code[0][0], "reason": "known"}
    return (posting(keeper, keeper.get("/staff/asks"), fields, f"{ask}/share"),
            303, lambda: count(server, "membership", person.email) == 1
            and count(server, "join_ask", person.email,
                      "ended_at IS NULL") == 0,
            lambda: count(server, "membership", person.email) == 0
            and count(server, "join_ask", person.email,
                      "ended_at IS NULL") == 1)


def close_an_account(server):
    person = flows.contact(server)
    mine = f"{person.email}"
    page = person.get("/account/close")
    there = "SELECT count(*) FROM person WHERE email = %s"
    return (posting(person, page, {"password": flows.PASSWORD}, "/close$"),
            303, lambda: server.sql(there, (mine,)) == [(0,)],
            lambda: server.sql(there, (mine,)) == [(1,)]
            and count(server, "session", mine) == 1)


def client(server):
    number = server.sql("SELECT count(*) FROM tenant")[0][0]
    return flows.client_with_key(server, f"STRUCK{number}",
                                 f"Struck {number} Co")


# What is done, and the table that its statement waits for: it may be read.
ACTIONS = [
    (set_up_an_app, "totp"), (new_recovery_codes, "recovery_code"),
    (second_step, "pending_signin"), (remove_a_passkey, "passkey"),
    (reset_a_password, "recovery"), (confirm_an_address, "email_change"),
    (accept_an_invitation, "membership"), (let_in_who_asks, "join_ask"),
    (close_an_account, "invitation"),
]


def waiting(server):
    rows = server.sql(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'latchkey'"
        " AND datname = current_database() AND wait_event_type = 'Lock'",
        role="postgres")
    return rows[0][0] if rows else None


@pytest.mark.parametrize("prepare,table", ACTIONS,
                         ids=[a[0].__name__ for a in ACTIONS])
def test_struck_in_the_middle(server, prepare, table):
    send, status, is_done, is_undone = prepare(server)
    held = server.cluster.connect(server.database, "postgres")
    held.autocommit = False
    try:
        # Given up after the 2 seconds of lock_timeout,
        held.cursor().execute(f"LOCK TABLE {table} IN SHARE MODE")
        answer = send().expect(503)
        assert answer.headers["Retry-After"]
        assert is_undone()
        # and with the connection cut nobody knows.
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(send)
            pid = wait_until(lambda: waiting(server), 10, "it to wait")
            server.sql("SELECT pg_terminate_backend(%s)", [pid],
                       role="postgres")
            answer = job.result(20).expect(503)
        assert answer.title.startswith("Look whether it was done")
        assert is_undone()
    finally:
        held.close()
    server.wait_ready(5)
    answer = send()
    assert answer.status == status, answer
    assert is_done()
