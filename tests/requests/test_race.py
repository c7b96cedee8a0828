"""200 approvals at once through the portal: one key, and 199 members of staff
who read who was faster.  (request_race_test.c does the same on 40 connections
to PostgreSQL.)"""

import collections
import threading
import urllib.parse

from lib import flows

AT_ONCE = 200
STAFF = 4

REQUESTS = """
    WITH a AS (INSERT INTO account (id, kind, password_hash)
      SELECT gen_random_uuid(), 'contact', 'x'
      FROM generate_series(1, %s) RETURNING id),
    p AS (INSERT INTO person (account_id, email, email_folded, email_domain,
        name, client)
      SELECT id, id || '@race.example', id || '@race.example', 'race.example',
        'Racer', 'Race' FROM a)
    INSERT INTO request (id, account_id, product_id, name, client_folded,
      due_at)
    SELECT gen_random_uuid(), a.id, pr.id, 'Race-KEY', 'race',
      now() + interval '2 days'
    FROM a, product pr WHERE pr.slug = 'revio-api' RETURNING id::text"""


def race(server, paths, **fields):
    """Posts them all at the same moment; the answers' statuses and words."""
    keepers = [flows.staff(server, name=f"Keeper {n}") for n in range(STAFF)]
    tokens = [k.get("/staff/queue").form("/signout").fields["csrf"]
              for k in keepers]
    gate = threading.Barrier(AT_ONCE)
    answers, errors = [], []

    def one(number):
        keeper = keepers[number % STAFF]
        client = server.client()
        client.cookies = dict(keeper.cookies)
        body = {"csrf": tokens[number % STAFF], **fields}
        try:
            gate.wait(30)
            # A full queue is answered 503 with Retry-After, before anything
            # was done: the member of staff sends it again.
            for _ in range(50):
                answer = client.request("POST", paths[number],
                                        urllib.parse.urlencode(body))
                if answer.status != 503:
                    break
            answers.append(answer)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors[:3]
    assert len(answers) == AT_ONCE
    return answers


def statuses(answers):
    return dict(collections.Counter(a.status for a in answers))


def assert_one_key(server, code):
    assert server.sql(
        "SELECT count(DISTINCT s.id), count(k.id) FROM subscription s "
        "JOIN tenant t ON t.id = s.tenant_id JOIN subscription_key k "
        "ON k.subscription_id = s.id WHERE t.code = %s", (code,)) == [(1, 2)]
    assert server.sql(
        "SELECT count(*) FROM membership m JOIN tenant t "
        "ON t.id = m.tenant_id WHERE t.code = %s", (code,)) == [(1,)]


def test_one_request(make_server):
    server = make_server(workers=2)
    request = server.sql(REQUESTS, (1,))[0][0]
    answers = race(server, [f"/staff/requests/{request}/approve"] * AT_ONCE,
                   tenant="", code="RACE", client="Race")
    assert statuses(answers) == {303: 1, 409: AT_ONCE - 1}
    for answer in answers:
        if answer.status == 409:
            assert "Somebody was faster" in answer.words
            assert "Keeper" in answer.words
            assert "before you" in answer.words
    assert_one_key(server, "RACE")
    assert server.sql("SELECT count(*) FROM outbox WHERE kind = "
                      "'request_approved'") == [(1,)]


def test_one_tenant(make_server):
    server = make_server(workers=2)
    server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) "
               "VALUES (gen_random_uuid(), 'RACE', 'Race', 'race', 'race')")
    requests = [row[0] for row in server.sql(REQUESTS, (AT_ONCE,))]
    answers = race(server, [f"/staff/requests/{r}/approve" for r in requests],
                   tenant="RACE", reason="known by phone")
    assert statuses(answers) == {303: 1, 409: AT_ONCE - 1}
    for answer in answers:
        if answer.status == 409:
            assert "has a key already" in answer.words
            assert "Keeper" in answer.words and "Race-KEY" in answer.words
    assert_one_key(server, "RACE")
    assert server.sql("SELECT state, count(*) FROM request GROUP BY 1 "
                      "ORDER BY 1") == [("approved", 1),
                                        ("submitted", AT_ONCE - 1)]
