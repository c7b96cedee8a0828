"""Nobody learns from time whether an address has an account.

For each form, EACH addresses with an account and as many without are posted in
random order, each once, and the times are compared by their ranks.  The
statistic is the probability of superiority, A = U / (EACH * EACH), U of Mann
and Whitney: how often an answer for a known address takes longer than one for
an unknown address.  0.5 says that time tells nothing.

Where both are alike, A has the standard deviation sqrt((2 * EACH + 1) / (12 *
EACH * EACH)), 0.041 for 100.  A is allowed to be BOUND = 0.15 off, which is
3.7 of them: one run in 4 000 exceeds that by chance, and a form fails only
when a second run does, too.  Ranks care nothing for the few answers that take
long on a busy machine.  Without the hash that sign-in computes for nobody, A
is 1.0."""

import random
import time

import pytest

from lib import flows

pytestmark = pytest.mark.alone

PASSWORD = flows.PASSWORD
EACH = 100
BOUND = 0.15


def superiority(one, other):
    """How often a value of `one` is above a value of `other`; ties are half."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / (
        len(one) * len(other))


def test_the_statistic():
    assert superiority([1, 2], [3, 4]) == 0
    assert superiority([3, 4], [1, 2]) == 1
    assert superiority([1, 2], [1, 2]) == 0.5
    assert superiority([5], [1, 2, 9, 9]) == 0.5


@pytest.fixture(scope="module")
def quiet(cluster):
    from lib.server import Server
    one = Server(cluster, courier=False)
    yield one
    one.close()


def known(server):
    """Addresses of EACH new accounts, all with the same password."""
    address = flows.address("staff.example")
    server.ctl("staff", "add", address, "--name", "Sam", "--role", "staff",
               stdin=PASSWORD + "\n")
    made = [flows.address("known.example") for _ in range(EACH)]
    server.sql(
        "WITH made AS (INSERT INTO account (id, kind, password_hash) "
        "SELECT gen_random_uuid(), 'contact', password_hash FROM account "
        "JOIN person ON account_id = id, generate_series(1, %s) "
        "WHERE email = %s RETURNING id), "
        "numbered AS (SELECT id, row_number() OVER () AS n FROM made) "
        "INSERT INTO person (account_id, email, email_folded, email_domain, "
        "name) SELECT id, e, e, 'known.example', 'Ada' FROM numbered "
        "JOIN unnest(%s) WITH ORDINALITY AS t(e, n) USING (n)",
        (EACH, address, made))
    return made


def measure(server, path, fields, status):
    """Times in milliseconds for known and unknown addresses."""
    todo = [(email, 0) for email in known(server)]
    todo += [(flows.address("other.example"), 1) for _ in range(EACH)]
    random.shuffle(todo)
    browser = server.client()
    page = browser.get(path).expect(200)
    times = [], []
    for number, (email, group) in enumerate(todo):
        if number % 8 == 0:
            server.sql("DELETE FROM throttle")
            browser.get("/livez")
        begun = time.perf_counter()
        answer = browser.submit(page, {"email": email, **fields}, path + "$")
        times[group].append((time.perf_counter() - begun) * 1000)
        answer.expect(status)
    return times


@pytest.mark.parametrize("path,fields,status", [
    ("/signin", {"password": "quite another 42 words"}, 422),
    ("/signup", {"name": "Ada Byron", "client": "Altaworx"}, 303),
    ("/forgot", {}, 303),
])
def test_time_tells_nothing(quiet, path, fields, status):
    seen = []
    for _ in range(2):
        seen.append(superiority(*measure(quiet, path, fields, status)))
        if abs(seen[-1] - 0.5) <= BOUND:
            return
    raise AssertionError(f"{path}: known addresses take longer than unknown "
                         f"ones in {seen} of all comparisons")
