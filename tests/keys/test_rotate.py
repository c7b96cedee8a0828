"""Rotating keys over HTTP: the page of the keys, a new value beside or in place
of the old one, its end, and values that staff revoke."""

import datetime
import re
import threading

import pytest
from lib import flows
from lib.base import wait_until


class Client:
    """A client of its own: owner, manager and member; its subscription."""

    def __init__(self, server, code, name):
        self.server, self.name = server, name
        self.owner, self.keeper = flows.client_with_key(server, code, name)
        self.people = {"owner": self.owner}
        for role in ("manager", "member"):
            self.people[role] = flows.contact(server, client=name)
            server.sql("INSERT INTO membership (account_id, tenant_id, role, "
                       "let_in_by) SELECT account_id, t.id, %s, 'owner' FROM "
                       "person, tenant t WHERE email = %s AND t.code = %s",
                       (role, self.people[role].email, code))
        self.id = self.one("SELECT s.id FROM subscription s JOIN tenant t ON "
                           "t.id = s.tenant_id WHERE t.code = %s", code)
        self.path = f"/subscriptions/{self.id}"
        self.staff_path = f"/staff/subscriptions/{self.id}"

    def one(self, query, *params):
        rows = self.server.sql(query, params)
        return rows[0][0] if rows else None

    def values(self, slot="primary"):
        """(state, last 4) of all values of a slot, newest first."""
        return self.server.sql(
            "SELECT state, last4 FROM subscription_key WHERE subscription_id "
            "= %s AND slot = %s ORDER BY id DESC", (self.id, slot))

    def audit(self, action):
        return self.one("SELECT count(*) FROM audit WHERE subject_id = %s "
                        "AND action = %s", self.id, action)

    def mails(self, subject):
        """How many came, once nothing waits to be sent."""
        wait_until(lambda: self.one("SELECT count(*) = 0 FROM outbox WHERE "
                                    "state = 'queued'"), 10)
        return len([m for m in self.server.mail.all()
                    if self.name in m.subject and subject in m.subject])


_numbers = iter(range(100, 1000))


@pytest.fixture
def client(server):
    number = next(_numbers)
    return Client(server, f"RO{number}", f"Rotor {number}")


@pytest.fixture(scope="module")
def still(server):
    """For those whose attempts change nothing."""
    return Client(server, "STILL", "Still Works")


def regenerate(browser, client, slot="primary", page=None, **fields):
    page = page or browser.get(client.path).expect(200)
    return browser.submit(page, fields, f"/keys/{slot}/regenerate$")


def test_now(server, client):
    """By default the old value stops at once; the other key is untouched."""
    old, other = flows.show_key(client.owner), client.values("secondary")
    answer = regenerate(client.owner, client, overlap="").expect(200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Refresh"].startswith("60;")
    key = flows.key_on(answer)
    assert key != old and "The one from before has stopped" in answer.words
    assert client.values() == [("current", key[-4:]), ("ended", old[-4:])]
    assert flows.show_key(client.owner) == key
    assert client.values("secondary") == other
    for browser in client.people.values():
        mail = server.mail.wait(browser.email, "is a new one")
        assert "has stopped" in mail.text and key not in mail.raw.decode()
        assert mail.link("/subscriptions/") == client.path
    assert client.mails("is a new one") == 3
    assert client.audit("key.regenerated") == 1
    page = client.owner.get(client.path)
    assert "Ada Byron regenerated the primary key" in page.words
    for text in (server.settled_log(), server.raw_log("courier")):
        assert key not in text and key[:8] not in text


def test_sent_again(server, client):
    """A reload of the answer changes nothing, and shows nothing."""
    page = client.owner.get(client.path)
    key = flows.key_on(regenerate(client.owner, client, page=page))
    again = regenerate(client.owner, client, page=page).expect(200)
    assert "was shown already" in again.words and key not in again.text
    assert len(client.values()) == 2
    assert client.audit("key.regenerated") == 1


def test_overlap(server, client):
    for overlap, hours in (("3600", 1), ("86400", 24), ("604800", 168),
                           ("2592000", 720)):
        old = client.values()[0][1]
        answer = regenerate(client.people["manager"], client, "primary",
                            overlap=overlap).expect(200)
        assert "works until" in answer.words
        assert [v[0] for v in client.values()][:2] == ["current", "old"]
        assert client.one(
            "SELECT ends_at - now() BETWEEN %s * interval '1 h' - interval "
            "'1 min' AND %s * interval '1 h' FROM subscription_key WHERE "
            "last4 = %s AND subscription_id = %s", hours, hours, old,
            client.id)
    page = client.people["member"].get(client.path).expect(200)
    assert f"The old value, ending in {old}, works until" in page.words
    assert not page.has_form("/regenerate$") and not page.has_form("/end$")
    assert "works until" in server.mail.wait(client.owner.email,
                                             "is a new one").text


def test_until_a_time(client):
    until = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(hours=5)
    regenerate(client.owner, client, overlap="until",
               until=f"{until:%Y-%m-%dT%H:%M}").expect(200)
    assert client.one(
        "SELECT abs(extract(epoch FROM ends_at - %s::timestamptz)) < 5 FROM "
        "subscription_key WHERE subscription_id = %s AND state = 'old'",
        f"{until:%Y-%m-%d %H:%M}Z", client.id)


@pytest.mark.parametrize("overlap, until", [
    ("-1", ""), ("1e3", ""), ("soon", ""), ("2592001", ""), ("9" * 30, ""),
    ("3600 ", ""), ("until", ""), ("until", "2020-01-01T00:00"),
    ("until", "2099-01-01T00:00"), ("until", "2027-02-30T00:00"),
    ("until", "tomorrow"), ("until", "2027-01-01")])
def test_no_overlap(still, overlap, until):
    bad = regenerate(still.owner, still, overlap=overlap, until=until)
    bad.expect(422)
    assert 'href="#primary"' in bad.text and bad.title.startswith("Error: ")
    assert len(still.values()) == 1


def test_at_most_one_old_value(client):
    first = client.values()[0][1]
    regenerate(client.owner, client, overlap="604800").expect(200)
    second = client.values()[0][1]
    regenerate(client.owner, client, overlap="3600").expect(200)
    assert [v for v in client.values()[1:]] == [("old", second),
                                               ("ended", first)]
    regenerate(client.owner, client, overlap="0").expect(200)
    assert [v[0] for v in client.values()] == ["current"] + ["ended"] * 3


def test_end_the_overlap(server, client):
    regenerate(client.owner, client, overlap="604800").expect(200)
    page = client.people["manager"].get(client.path)
    answer = client.people["manager"].submit(page, action="/keys/end$")
    after = client.people["manager"].follow(answer).expect(200)
    assert "The old value has ended" in after.words
    assert [v[0] for v in client.values()] == ["current", "ended"]
    assert "Calls with it are refused" in server.mail.wait(
        client.people["member"].email, "has stopped").text
    late = client.people["manager"].submit(page, action="/keys/end$")
    assert "Nothing was done twice" in late.expect(409).words
    assert client.audit("key.overlap_ended") == 1
    assert client.mails("has stopped") == 3


def test_over_by_the_clock(server, client):
    """What has come to its end is not shown as working, before the courier
    writes it down, and then it is written."""
    regenerate(client.owner, client, overlap="3600").expect(200)
    server.stop_courier()
    try:
        server.sql("UPDATE subscription_key SET ends_at = now() WHERE "
                   "subscription_id = %s AND state = 'old'", (client.id,))
        page = client.owner.get(client.path).expect(200)
        assert "The old value" not in page.words
        assert client.values()[1][0] == "old"
    finally:
        server.start_courier()
    wait_until(lambda: client.values()[1][0] == "ended", 10)
    assert client.audit("key.overlap_over") == 1


def test_two_at_once(server, client):
    """One wins, the other is told who did, and sees no key."""
    browsers = [client.owner, client.people["manager"]]
    pages = [b.get(client.path).expect(200) for b in browsers]
    answers = []

    def press(browser, page):
        answers.append(regenerate(browser, client, page=page,
                                  overlap="3600"))
    threads = [threading.Thread(target=press, args=pair)
               for pair in zip(browsers, pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status for a in answers) == [200, 409]
    late = next(a for a in answers if a.status == 409)
    assert "regenerated the primary key" in late.words
    assert "Nothing was done twice" in late.words
    assert [v[0] for v in client.values()] == ["current", "old"]
    assert client.mails("is a new one") == 3
    # Whoever has an older page in front of him, too.
    stale = regenerate(browsers[0], client, page=pages[0])
    assert stale.status in (200, 409)
    assert len(client.values()) == 2


def test_who_may_not(server, client, still):
    other = still
    page = client.owner.get(client.path)
    form = page.form("/keys/primary/regenerate$")
    for browser in (client.people["member"], other.owner, client.keeper):
        csrf = browser.get("/account").form("signout").fields["csrf"]
        fields = {**form.fields, "csrf": csrf, "overlap": "0"}
        browser.post(form.action, fields).expect(404)
        browser.post(f"{client.path}/keys/end", fields).expect(404)
        if browser is not client.people["member"]:
            browser.get(client.path).expect(404)
    # A form of the owner's session in the manager's hands opens nothing.
    manager = client.people["manager"]
    csrf = manager.get("/account").form("signout").fields["csrf"]
    manager.post(form.action, {**form.fields, "csrf": csrf}).expect(303)
    # Nor that of one slot for the other, or without what it replaces.
    for action, fields in (
            (form.action.replace("primary", "secondary"), form.fields),
            (form.action, {**form.fields, "key": "0" * 8 + form.fields["key"]
                           [8:]})):
        client.owner.post(action, fields).expect(303)
    for name in ("nonce", "key"):
        client.owner.post(form.action, {**form.fields, name: ""}).expect(422)
    client.owner.post(form.action, {**form.fields, "csrf": "x"}).expect(403)
    assert len(client.values()) == 1
    # Neither does one who was a manager when the page was made.
    page = manager.get(client.path)
    server.sql("UPDATE membership SET role = 'member' WHERE account_id = "
               "(SELECT account_id FROM person WHERE email = %s)",
               (manager.email,))
    regenerate(manager, client, page=page).expect(404)
    server.sql("UPDATE subscription SET state = 'cancelled' WHERE id = %s",
               (client.id,))
    client.owner.post(form.action, form.fields).expect(404)
    assert len(client.values()) == 1


def test_page(server, client):
    flows.show_key(client.people["member"], "secondary")
    server.sql("UPDATE subscription_key SET last_used_at = now() - interval "
               "'3 minutes', last_used_address = '192.0.2.7' WHERE "
               "subscription_id = %s AND slot = 'primary'", (client.id,))
    page = client.owner.get(client.path).expect(200)
    assert "Last used 3 minutes ago" in page.words
    assert "from 192.0.2.7" in page.words and "No call seen yet" in page.words
    assert "Calls with the primary key still come" in page.words
    assert "Ocp-Apim-Subscription-Key" in page.words
    for language in ("curl", "Python", "JavaScript", "C#", "PHP"):
        assert language in page.words
    assert not re.search(r"\b[0-9a-f]{32}\b", page.text)
    assert "Who looked at a key" in page.words and "secondary" in page.words
    member = client.people["member"].get(client.path).expect(200)
    assert "Who looked at a key" not in member.words
    # Moved over: the guide says that it is time.
    server.sql("UPDATE subscription_key SET last_used_at = CASE slot WHEN "
               "'primary' THEN now() - interval '2 days' ELSE now() END "
               "WHERE subscription_id = %s", (client.id,))
    page = client.owner.get(client.path).expect(200)
    assert "nobody will notice" in page.words
    # An old value that is still called with is pointed out.
    regenerate(client.owner, client, "secondary", overlap="3600").expect(200)
    page = client.owner.get(client.path).expect(200)
    assert "Somebody still calls with it" in page.words
    for odd in ("x", "0" * 36, client.id.upper() + "0"):
        client.owner.get(f"/subscriptions/{odd}").expect(404)


# -- staff


def revoke(client, last4, page=None, **fields):
    page = page or client.keeper.get(client.staff_path).expect(200)
    ids = dict(client.server.sql(
        "SELECT last4, id FROM subscription_key WHERE subscription_id = %s",
        (client.id,)))
    fields = {"key": ids.get(last4, last4), "reason": "Seen in <public>",
              "overlap": "0", **fields}
    return client.keeper.submit(page, fields, "/revoke$")


def test_staff_revoke(server, client):
    old = flows.show_key(client.owner)
    page = client.keeper.get(client.staff_path)
    revoke(client, old[-4:], page).expect(303)
    assert [v[0] for v in client.values()] == ["current", "ended"]
    # Staff never see the new one; the client does.
    assert flows.show_key(client.owner) != old
    assert "Seen in <public>" in client.owner.get(client.path).words
    for browser in client.people.values():
        assert "Seen in <public>" in server.mail.wait(
            browser.email, "We revoked the primary key").text
    assert server.mail.wait(
        client.keeper.email, f"A key of {client.name} was revoked").link(
            "/staff/") == client.staff_path
    late = revoke(client, old[-4:], page).expect(409)
    assert "not there any more" in late.words
    assert client.audit("key.revoked") == 1


def test_staff_revoke_with_overlap_then_at_once(server, client):
    old = client.values()[0][1]
    revoke(client, old, overlap="86400").expect(303)
    assert [v[0] for v in client.values()] == ["current", "old"]
    assert "It works until" in server.mail.wait(
        client.owner.email, "We revoked").text
    revoke(client, old).expect(303)
    assert [v[0] for v in client.values()] == ["current", "ended"]


@pytest.mark.parametrize("fields", [
    {"reason": " "}, {"reason": "x" * 1001}, {"overlap": "soon"},
    {"overlap": "-1"}])
def test_staff_revoke_refused(still, fields):
    revoke(still, still.values()[0][1], **fields).expect(422)
    assert len(still.values()) == 1


def test_staff_revoke_what_is_not_there(still, client):
    key = client.one("SELECT id FROM subscription_key WHERE subscription_id "
                     "= %s AND slot = 'primary'", client.id)
    for value in (key, "", "x", "0" * 8 + key[8:]):
        revoke(still, value).expect(409)
    assert len(still.values()) == len(client.values()) == 1
