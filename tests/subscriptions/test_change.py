"""What staff and owners do to a subscription, over HTTP: suspended, made active
again, given an end, cancelled; who is told; what each sees of it."""

import datetime
import threading
import time

import pytest
from lib import flows
from lib.base import wait_until


class Client:
    """A client of its own with an owner, a member, and a subscription."""

    def __init__(self, server, code, name):
        self.server, self.code, self.name = server, code, name
        self.owner, _ = flows.client_with_key(server, code, name)
        self.member = flows.contact(server, client=name)
        self.tenant = self.one("SELECT id FROM tenant WHERE code = %s", code)
        server.sql("INSERT INTO membership (account_id, tenant_id, role, "
                   "let_in_by) SELECT account_id, %s, 'member', 'owner' FROM "
                   "person WHERE email = %s", (self.tenant, self.member.email))
        self.id = self.one("SELECT id FROM subscription WHERE tenant_id = %s",
                           self.tenant)
        self.path = f"/staff/subscriptions/{self.id}"

    def one(self, query, *params):
        return self.server.sql(query, params)[0][0]

    @property
    def state(self):
        return self.one("SELECT state FROM subscription WHERE id = %s",
                        self.id)

    @property
    def audit(self):
        return [row[0] for row in self.server.sql(
            "SELECT action FROM audit WHERE subject_id = %s AND tenant_id = "
            "%s ORDER BY id OFFSET 1", (self.id, self.tenant))]

    def mails(self, subject):
        """How many came, once nothing waits to be sent."""
        wait_until(lambda: self.one("SELECT count(*) = 0 FROM outbox WHERE "
                                    "state = 'queued'"), 10)
        return len([m for m in self.server.mail.all()
                    if f"{self.name}-KEY" in m.subject
                    and subject in m.subject])


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server, name="Sam Keeper")


_numbers = iter(range(100, 1000))


@pytest.fixture
def client(server):
    number = next(_numbers)
    return Client(server, f"CL{number}", f"Client {number}")


def post(browser, path, fields=None):
    csrf = browser.get("/account").form("signout").fields["csrf"]
    return browser.post(path, {"csrf": csrf, **(fields or {})})


def test_suspend_and_reactivate(server, keeper, client):
    server.sql("UPDATE tenant SET notices_to = %s WHERE id = %s",
               (f"notices@{client.code.lower()}.example", client.tenant))
    page = keeper.get(client.path).expect(200)
    assert not page.has_form("/reactivate$")
    bad = keeper.submit(page, {"reason": "  "}, "/suspend$").expect(422)
    assert 'href="#suspend_reason"' in bad.text
    keeper.submit(page, {"reason": "x" * 1001}, "/suspend$").expect(422)
    assert client.state == "active"
    answer = keeper.submit(page, {"reason": "Bills <unpaid> since May"},
                           "/suspend$").expect(303)
    assert answer.location == client.path
    assert client.state == "suspended"
    page = keeper.follow(answer).expect(200)
    assert "Sam Keeper suspended it" in page.words
    assert "Bills <unpaid> since May" in page.words
    assert not page.has_form("/suspend$")
    # Both contacts are told why; the address for notices is told that.
    for browser in (client.owner, client.member):
        mail = server.mail.wait(browser.email, "is suspended")
        assert "Bills <unpaid> since May" in mail.text
        assert "Bills &lt;unpaid&gt; since May" in mail.html
        profile = browser.get("/profile").expect(200)
        assert "Bills <unpaid> since May" in profile.words
        assert "Calls with its keys are refused" in profile.words
    mail = server.mail.wait(f"notices@{client.code.lower()}.example",
                            "is suspended")
    assert "unpaid" not in mail.raw.decode() and "Sam" not in mail.text
    assert client.mails("is suspended") == 3

    page = keeper.get(client.path)
    answer = keeper.submit(page, {"reason": "Paid"}, "/reactivate$")
    keeper.follow(answer).expect(200)
    assert client.state == "active"
    assert "Paid" in server.mail.wait(client.member.email, "active again").text
    assert "unpaid" not in client.owner.get("/profile").words
    assert client.audit == ["subscription.suspended",
                            "subscription.reactivated"]


def test_what_is_typed_is_not_in_the_audit(server, keeper, client):
    post(keeper, f"{client.path}/suspend", {"reason": "Zyxw"}).expect(303)
    assert server.sql("SELECT count(*) FROM audit WHERE detail::text LIKE "
                      "'%Zyxw%'") == [(0,)]


def test_cancel_by_staff(server, keeper, client):
    page = keeper.get(client.path)
    keeper.submit(page, {"reason": "Merged"}, "/staff.*/cancel$").expect(303)
    assert client.state == "cancelled"
    assert client.one("SELECT ended_at IS NOT NULL FROM subscription WHERE "
                      "id = %s", client.id)
    page = keeper.get(client.path).expect(200)
    assert "Its keys have stopped for good" in page.words
    for verb in ("suspend", "reactivate", "cancel", "expiry"):
        assert not page.has_form(f"/{verb}$")
        again = post(keeper, f"{client.path}/{verb}", {"reason": "again"})
        assert "Sam Keeper cancelled it" in again.expect(409).words
    profile = client.owner.get("/profile").expect(200)
    assert "Merged" in profile.words and not profile.has_form("/show$")
    assert client.mails("is cancelled") == 2


def test_two_at_once(server, keeper, client):
    """One suspends it, the other is told who did."""
    others = [keeper, flows.staff(server, name="Ines Blum")]
    answers = []

    def press(browser):
        answers.append(post(browser, f"{client.path}/suspend",
                            {"reason": "Both"}).status)
    threads = [threading.Thread(target=press, args=(b,)) for b in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 409]
    assert client.mails("is suspended") == 2
    assert client.audit == ["subscription.suspended"]


# -- the end


def day(days):
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(days=days)).date()


@pytest.mark.parametrize("typed", [
    "tomorrow", "2026-02-30", "31.12.2027", "2020-01-01", "9999-12-31",
    "2027-01-01T10:00", "2027-1-1", "-1", "2027-01-01'--"])
def test_no_day(keeper, client, typed):
    page = keeper.get(client.path)
    bad = keeper.submit(page, {"reason": "so", "day": typed}, "/expiry$")
    bad.expect(422)
    assert 'href="#day"' in bad.text
    assert bad.form("/expiry$").fields["day"] == typed
    assert client.one("SELECT expires_at IS NULL FROM subscription WHERE "
                      "id = %s", client.id)


def test_set_change_and_take_away_the_end(server, keeper, client):
    page = keeper.get(client.path)
    keeper.submit(page, {"reason": "Trial", "day": str(day(40))}, "/expiry$"
                  ).expect(303)
    # The whole of the last day counts.
    assert client.one("SELECT expires_at AT TIME ZONE 'UTC' FROM subscription "
                      "WHERE id = %s", client.id) == datetime.datetime.combine(
                          day(41), datetime.time())
    after = f"{day(41).day} {day(41):%B %Y}, 00:00 UTC"
    for browser in (client.owner, client.member):
        assert after in server.mail.wait(browser.email, "ends on").text
        assert after in browser.get("/profile").words
    page = keeper.get(client.path)
    assert after in page.words and "Trial" in page.words
    assert page.form("/expiry$").fields["day"] == str(day(40))
    # Who has read another end than there is, is told.
    stale = page.form("/expiry$").fields
    keeper.submit(page, {"reason": "Longer", "day": str(day(50))}, "/expiry$"
                  ).expect(303)
    lost = keeper.post(page.form("/expiry$").action,
                       {**stale, "reason": "Other", "day": str(day(60))})
    assert "Sam Keeper set when it ends" in lost.expect(409).words
    for odd in ("", "x", "-5", "9" * 30):
        keeper.submit(keeper.get(client.path),
                      {"reason": "Odd", "day": "", "was": odd}, "/expiry$"
                      ).expect(409)
    keeper.submit(keeper.get(client.path), {"reason": "For good", "day": ""},
                  "/expiry$").expect(303)
    assert "goes on without one" in server.mail.wait(
        client.owner.email, "does not end any more").text
    assert "No end is set" in keeper.get(client.path).words
    assert client.audit == ["subscription.expiry_set"] * 3
    assert client.mails("end") == 6


def test_by_the_clock(server, keeper, client):
    """What has come to its end has ended, before the courier writes it."""
    server.stop_courier()
    try:
        server.sql("UPDATE subscription SET expires_at = now() WHERE id = %s",
                   (client.id,))
        profile = client.owner.get("/profile").expect(200)
        assert "Expired" in profile.words and not profile.has_form("/show$")
        page = keeper.get(client.path).expect(200)
        assert "It has ended" in page.words
        for verb in ("suspend", "cancel", "expiry"):
            post(keeper, f"{client.path}/{verb}", {"reason": "late"}
                 ).expect(409)
        assert client.state == "active"
    finally:
        server.start_courier()
    server.mail.wait(client.member.email, "has expired")
    assert client.state == "expired"
    assert "ended it when its time had come" in keeper.get(client.path).words
    assert client.audit == ["subscription.expired"]


# -- owners


def test_an_owner_cancels(server, keeper, client):
    page = client.owner.get("/profile").expect(200)
    path = f"/subscriptions/{client.id}/cancel"
    assert path in page.text and path not in client.member.get("/profile").text
    page = client.owner.get(path).expect(200)
    for typed in ("", "client", f"{client.name}-key", f"{client.name}"):
        bad = client.owner.submit(page, {"name": typed, "reason": "Gone"})
        assert 'href="#name"' in bad.expect(422).text
        assert "Gone" in bad.text
    client.owner.submit(page, {"name": f"{client.name}-KEY",
                               "reason": "y" * 1001}).expect(422)
    assert client.state == "active"
    client.owner.submit(page, {"name": f" {client.name}-KEY ",
                               "reason": "We leave"}).expect(303)
    assert client.state == "cancelled"
    assert "We leave" in server.mail.wait(client.member.email,
                                          "is cancelled").text
    mail = server.mail.wait(keeper.email, f"{client.name} has cancelled")
    assert mail.link("/staff/subscriptions/") == client.path
    assert "It has ended already" in client.owner.submit(
        page, {"name": f"{client.name}-KEY"}).expect(409).words
    client.owner.get(path).expect(409)
    assert client.audit == ["subscription.cancelled"]
    # And asks for a new one.
    flows.request_key(client.owner, f"{client.name}-KEY")


def test_others_do_not(server, keeper, client):
    stranger, _ = flows.client_with_key(server, f"X{client.code}",
                                        f"X {client.name}")
    fields = {"name": f"{client.name}-KEY", "reason": "why"}
    for browser in (client.member, stranger, keeper):
        post(browser, f"/subscriptions/{client.id}/cancel", fields
             ).expect(404)
        browser.get(f"/subscriptions/{client.id}/cancel").expect(404)
    for browser in (client.owner, client.member, stranger):
        for verb in ("suspend", "reactivate", "cancel", "expiry"):
            post(browser, f"{client.path}/{verb}", fields).expect(404)
    # Neither does one of staff whose account was disabled meanwhile, nor an
    # owner who is none any more.
    assert client.state == "active"
    server.sql("UPDATE membership SET role = 'manager' WHERE tenant_id = %s "
               "AND role = 'owner'", (client.tenant,))
    post(client.owner, f"/subscriptions/{client.id}/cancel", fields
         ).expect(404)
    assert client.state == "active" and client.audit == []


# -- the list


def test_list(server, keeper, client):
    second = Client(server, f"{client.code}B", f"{client.name} B")
    post(keeper, f"{client.path}/suspend", {"reason": "so"}).expect(303)
    post(keeper, f"{second.path}/expiry", {"reason": "so", "was": "0",
                                           "day": str(day(5))}).expect(303)
    here = {"": {client.path, second.path}, "suspended": {client.path},
            "active": {second.path}, "ending": {second.path},
            "expired": set(), "cancelled": set(), "nonsense":
            {client.path, second.path}}
    for word, paths in here.items():
        page = keeper.get(f"/staff/subscriptions?state={word}").expect(200)
        for path in (client.path, second.path):
            assert (f'href="{path}"' in page.text) == (path in paths), word
    page = keeper.get(f"/staff/tenants/{client.code}").expect(200)
    assert client.path in page.text


def test_pages_hold_each_once(server, keeper):
    """Also by their end, where many end in the same moment."""
    server.sql("""
        WITH t AS (INSERT INTO tenant (id, code, name, name_folded, slug)
            SELECT gen_random_uuid(), 'PAGE' || n, 'Page ' || n, 'page' || n,
            'page' || n FROM generate_series(1, 120) n RETURNING id)
        INSERT INTO subscription (id, tenant_id, product_id, one_key, name,
            expires_at) SELECT gen_random_uuid(), t.id, p.id, true, 'P-KEY',
            date_trunc('day', now()) + interval '90 days'
            FROM t, product p WHERE p.slug = 'revio-api'""")
    total = server.sql("SELECT count(*), count(*) FILTER (WHERE state IN "
                       "('active', 'suspended') AND expires_at IS NOT NULL) "
                       "FROM subscription")[0]
    for word, count in zip(("", "ending"), total):
        seen, path = [], f"/staff/subscriptions?state={word}"
        while path:
            page = keeper.get(path).expect(200)
            seen += [w.split('"')[0] for w in
                     page.text.split('scope="row"><a href="')[1:]]
            rest = page.text.split('rel="next"')[0].rsplit('href="', 1)
            path = rest[1].split('"')[0].replace("&amp;", "&") \
                if 'rel="next"' in page.text else None
        assert len(seen) == count == len(set(seen)), word
    for odd in ("x", "1.2", "1.", "." + "0" * 36, "9" * 40 + "." + "0" * 36,
                "%27"):
        for word in ("", "ending"):
            keeper.get(f"/staff/subscriptions?state={word}&after={odd}"
                       ).expect(200)


def test_every_list_has_its_index(server):
    """The plan as it is where there are many."""
    server.sql("""
        INSERT INTO tenant (id, code, name, name_folded, slug)
            SELECT gen_random_uuid(), 'MANY' || n, 'Many', 'many', 'many' || n
            FROM generate_series(1, 20000) n;
        INSERT INTO subscription (id, tenant_id, product_id, one_key, name,
            state, expires_at) SELECT gen_random_uuid(), t.id, p.id, true,
            'P-KEY', CASE WHEN t.code LIKE '%5' THEN 'suspended' ELSE 'active'
            END, CASE WHEN t.code LIKE '%7' THEN now() + interval '9 days' END
            FROM tenant t, product p WHERE p.slug = 'revio-api'
            AND t.code LIKE 'MANY%';
        ANALYZE subscription, tenant""".replace("%", "%%") % ())
    start = time.monotonic()
    for where, order, index in (
            ("id < 'ffffffff-ffff-ffff-ffff-ffffffffffff'", "id DESC",
             "subscription_pkey"),
            ("state = 'suspended' AND id < "
             "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "id DESC",
             "subscription_state"),
            ("state IN ('active', 'suspended') AND (expires_at, id) > "
             "('2000-01-01', '00000000-0000-0000-0000-000000000000')",
             "expires_at, id", "subscription_expiry")):
        plan = "\n".join(row[0] for row in server.sql(
            f"EXPLAIN SELECT * FROM subscription WHERE {where} ORDER BY "
            f"{order} LIMIT 51"))
        assert index in plan and "Sort" not in plan, plan
    assert time.monotonic() - start < 10
