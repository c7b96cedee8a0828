"""The people of a client over HTTP: invitations from the mail to the seat,
roles, and how somebody goes; each right of the contract's table."""

import re
import threading
import time

import pytest
from lib import flows
from lib.flows import PASSWORD


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


class Client:
    """A client with a key and its first owner."""

    numbers = iter(range(1, 1000))

    def __init__(self, server, keeper):
        self.server, number = server, next(self.numbers)
        self.name, self.code = f"People Works {number}", f"PEOPLE{number}"
        self.owner = flows.contact(server, client=self.name)
        flows.request_key(self.owner, f"{self.name}-KEY")
        flows.approve(keeper, flows.requests_in_queue(keeper)[-1],
                      code=self.code, client=self.name).expect(303)

    def invite(self, by, email, role="member"):
        page = by.get("/people").expect(200)
        return by.submit(page, {"email": email, "role": role},
                         "/people/invite$")

    def link(self, email, count=1):
        return self.server.mail.wait(email, f"Join {self.name}",
                                     count=count).link("/invite/")

    def join(self, role="member", name="Nia Newcomer", by=None):
        """Somebody new, with the link in the mail."""
        email = flows.address()
        self.invite(by or self.owner, email, role).expect(303)
        browser = self.server.client()
        browser.email, link = email, self.link(email)
        browser.follow(browser.submit(
            browser.get(link).expect(200),
            {"name": name, "password": PASSWORD}, "/invite/")).expect(200)
        return browser

    def id(self, browser):
        return self.server.sql("SELECT account_id FROM person WHERE email = "
                               "%s", (browser.email,))[0][0]

    def post(self, browser, what, fields=None):
        csrf = browser.get("/people").form("signout").fields["csrf"]
        return browser.post(f"/people/{what}", {"csrf": csrf,
                                                **(fields or {})})

    def role(self, browser):
        rows = self.server.sql(
            "SELECT m.role FROM membership m JOIN tenant t ON t.id = "
            "m.tenant_id WHERE t.code = %s AND m.account_id = %s",
            (self.code, self.id(browser)))
        return rows[0][0] if rows else None

    def audits(self, action):
        return [row[0] for row in self.server.sql(
            "SELECT a.detail FROM audit a JOIN tenant t ON t.id = a.tenant_id "
            "WHERE t.code = %s AND a.action = %s ORDER BY a.id",
            (self.code, action))]


@pytest.fixture
def client(server, keeper):
    return Client(server, keeper)


# -- invitations


def test_new_person_joins_and_sees_the_key(server, client):
    key = flows.show_key(client.owner)
    email = flows.address()
    answer = client.invite(client.owner, email, "manager").expect(303)
    page = client.owner.follow(answer).expect(200)
    assert "on its way" in page.words and email in page.words
    mail = server.mail.wait(email)
    assert "Ada" not in mail.text, "typed text in a mail to an address"
    browser, link = server.client(), mail.link("/invite/")
    page = browser.get(link).expect(200)
    for said in (client.name, "Ada Byron", email, "a manager"):
        assert said in page.words, said
    # Opening it used nothing up.
    browser.get(link).expect(200)
    answer = browser.submit(page, {"name": "Nia", "password": PASSWORD},
                            "/invite/").expect(303)
    assert answer.location == "/profile"
    browser.email = email
    assert client.role(browser) == "manager"
    assert flows.show_key(browser) == key
    told = server.mail.wait(client.owner.email, "Nia joined")
    assert email in told.text and "manager" in told.text
    assert client.audits("invitation.sent") == [{"role": "manager"}]
    assert [d["rule"] for d in client.audits("membership.created")][-1] == \
        "invitation"
    # Once.
    browser.get(link).expect(410)
    server.client().get(link).expect(410)
    flows.sign_in(server, email).get("/people").expect(200)


def test_bad_name_and_password_keep_the_invitation(server, client):
    email = flows.address()
    client.invite(client.owner, email).expect(303)
    browser, link = server.client(), client.link(email)
    page = browser.get(link)
    answer = browser.submit(page, {"name": " ", "password": "short"},
                            "/invite/").expect(422)
    assert answer.title.startswith("Error:")
    assert 'href="#name"' in answer.text and 'href="#password"' in answer.text
    browser.submit(answer, {"name": "Nia", "password": PASSWORD},
                   "/invite/").expect(303)


def test_who_has_an_account_signs_in_first(server, client):
    person = flows.contact(server, client="Somewhere")
    typed = person.email.replace("person", "Person")    # the same address
    client.invite(client.owner, typed).expect(303)
    link = client.link(typed)
    page = server.client().get(link).expect(200)
    assert "Sign in first" in page.words and not page.has_form("/invite/")
    assert f'href="/signin?next={link}"' in page.text
    stranger = flows.contact(server, client="Elsewhere")
    page = stranger.get(link).expect(200)
    assert "signed in as somebody else" in page.words
    token = page.form("signout").fields["csrf"]
    stranger.post(link, {"csrf": token}).expect(409)
    assert client.role(stranger) is None
    page = person.get(link).expect(200)
    answer = person.submit(page, {}, "/invite/").expect(303)
    assert answer.location == "/profile"
    assert client.role(person) == "member"
    assert re.fullmatch("[0-9a-f]{32}", flows.show_key(person))
    person.get(link).expect(410)


def test_who_is_elsewhere_already_can_not(server, keeper, client):
    other = Client(server, keeper)
    client.invite(client.owner, other.owner.email).expect(303)
    client.invite(client.owner, keeper.email).expect(303)
    for person in (other.owner, keeper):
        link = client.link(person.email)
        page = person.get(link).expect(200)
        assert "You can’t join with this account" in page.words
        csrf = page.form("signout").fields["csrf"]
        person.post(link, {"csrf": csrf}).expect(409)
        assert client.role(person) is None
    # The answer to who invites is that for a new address.
    page = client.owner.get("/people").expect(200)
    assert other.owner.email in page.words and keeper.email in page.words


def test_two_use_one_link_at_the_same_moment(server, client):
    email = flows.address()
    client.invite(client.owner, email).expect(303)
    link, done = client.link(email), []

    def accept():
        browser = server.client()
        page = browser.get(link).expect(200)
        done.append(browser.submit(
            page, {"name": "Nia", "password": PASSWORD}, "/invite/").status)
    threads = [threading.Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) in ([303, 409], [303, 410])
    assert server.sql("SELECT count(*) FROM person WHERE email = %s",
                      (email,)) == [(1,)]


def test_newer_one_ends_the_older_and_both_can_be_withdrawn(server, client):
    email = flows.address()
    client.invite(client.owner, email).expect(303)
    first = client.link(email)
    client.invite(client.owner, email, "owner").expect(303)
    second = client.link(email, 2)
    assert first != second
    server.client().get(first).expect(410)
    server.client().get(second).expect(200)
    page = client.owner.get("/people")
    client.owner.submit(page, {}, "/invitations/").expect(303)
    server.client().get(second).expect(410)
    assert email not in client.owner.get("/people").words


def test_time_is_over_after_seven_days(server, client):
    email = flows.address()
    client.invite(client.owner, email).expect(303)
    link = client.link(email)
    assert server.sql("SELECT expires_at - created_at = interval '7 days' "
                      "FROM invitation WHERE email = %s", (email,)) == [(True,)]
    server.sql("UPDATE invitation SET expires_at = now() - interval '1 s' "
               "WHERE email = %s", (email,))
    server.client().get(link).expect(410)


@pytest.mark.parametrize("gone", ["removed", "lowered", "disabled"])
def test_who_may_not_invite_any_more_invited_nobody(server, client, gone):
    manager = client.join("manager", "Max Manager")
    email = flows.address()
    client.invite(manager, email).expect(303)
    link = client.link(email)
    server.client().get(link).expect(200)
    if gone == "removed":
        client.post(client.owner, f"{client.id(manager)}/unseat").expect(303)
    elif gone == "lowered":
        client.post(client.owner, f"{client.id(manager)}/role",
                    {"role": "member"}).expect(303)
    else:
        server.sql("UPDATE account SET state = 'disabled' WHERE id = %s",
                   (client.id(manager),))
    server.client().get(link).expect(410)


def test_rights_to_invite(client):
    manager, member = client.join("manager"), client.join("member")
    page = member.get("/people").expect(200)
    assert not page.has_form("/people/invite$")
    client.post(member, "invite", {"email": flows.address(),
                                   "role": "member"}).expect(404)
    assert "Owner" not in [
        label for label in re.findall(r"<label for=\"role-\w+\">(\w+)",
                                      manager.get("/people").text)]
    for role in ("manager", "owner"):
        answer = client.invite(manager, flows.address(), role).expect(422)
        assert "A manager invites members only" in answer.words
    client.invite(manager, flows.address(), "member").expect(303)
    client.invite(client.owner, flows.address(), "owner").expect(303)
    answer = client.invite(client.owner, member.email).expect(422)
    assert "already" in answer.words
    for bad in ("", "nobody", "a@b\r\nBcc: c@d.example"):
        client.invite(client.owner, bad).expect(422)
    client.invite(client.owner, flows.address(), "king").expect(422)


def test_an_address_gets_three_in_a_row(client):
    email = flows.address()
    for _ in range(3):
        client.invite(client.owner, email).expect(303)
    answer = client.invite(client.owner, email).expect(429)
    assert int(answer.headers["Retry-After"]) > 0


# -- roles


def test_owner_changes_roles(server, client):
    person = client.join("member")
    where = f"{client.id(person)}/role"
    client.post(client.owner, where, {"role": "owner"}).expect(303)
    assert client.role(person) == "owner"
    told = server.mail.wait(person.email, "another role")
    assert "owner" in told.text
    assert client.audits("membership.changed") == [
        {"from": "member", "to": "owner"}]
    # Once more changes nothing and tells nobody.
    client.post(client.owner, where, {"role": "owner"}).expect(303)
    assert len(client.audits("membership.changed")) == 1
    client.post(client.owner, where, {"role": "king"}).expect(422)
    client.post(person, f"{client.id(client.owner)}/role",
                {"role": "member"}).expect(303)
    assert client.role(client.owner) == "member"
    client.post(client.owner, where, {"role": "member"}).expect(404)
    assert client.role(person) == "owner"


def test_managers_and_members_change_no_roles(client):
    manager, member = client.join("manager"), client.join("member")
    for browser in (manager, member):
        client.post(browser, f"{client.id(member)}/role",
                    {"role": "owner"}).expect(404)
    assert client.role(member) == "member"


def test_the_last_owner_stays(server, client):
    client.join("manager")
    for what, fields in (("leave", {}),
                         (f"{client.id(client.owner)}/unseat", {}),
                         (f"{client.id(client.owner)}/role",
                          {"role": "manager"})):
        answer = client.post(client.owner, what, fields).expect(409)
        assert "needs an owner, and this is the last one" in answer.words
        assert client.role(client.owner) == "owner"


def test_two_owners_can_not_both_go(server, client):
    """One goes in a transaction that ends later: the other, who waits for
    it, is the last one by then and stays."""
    second = client.join("owner")
    connection = server.cluster.connect(server.database, "latchkey_owner")
    connection.autocommit = False
    answers = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM membership WHERE account_id = %s",
                           (client.id(second),))
            waits = threading.Thread(target=lambda: answers.append(
                client.post(client.owner, "leave").status))
            waits.start()
            deadline = time.monotonic() + 5
            while not server.sql("SELECT count(*) FROM pg_locks WHERE "
                                 "NOT granted")[0][0]:
                assert time.monotonic() < deadline, "did not wait"
                time.sleep(0.02)
            connection.commit()
        waits.join()
    finally:
        connection.close()
    assert answers == [409]
    assert client.role(client.owner) == "owner"


def test_both_leave_at_once(server, client):
    second = client.join("owner")
    answers = []
    csrf = {b: b.get("/people").form("signout").fields["csrf"]
            for b in (client.owner, second)}
    threads = [threading.Thread(target=lambda b=b: answers.append(
        b.post("/people/leave", {"csrf": csrf[b]}).status))
        for b in (client.owner, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 409]


# -- going


def test_removed_person_loses_access_at_once(server, client):
    person = client.join("member", "Rea Removed")
    key = flows.show_key(person)
    profile = person.get("/profile").expect(200)
    answer = client.post(client.owner,
                         f"{client.id(person)}/unseat").expect(303)
    page = client.owner.follow(answer).expect(200)
    assert f"{client.name}-KEY" in page.words and "Primary" in page.words
    assert "Have these keys replaced" in page.words
    assert key not in page.text
    # The page that was open opens nothing any more.
    person.submit(profile, {}, "/keys/primary/show$").expect(404)
    assert f"{client.name}-KEY" not in person.get("/profile").words
    assert "You are not at a company here yet" in person.get("/people").words
    told = server.mail.wait(client.owner.email, "Rea Removed is no longer")
    assert "Ada Byron removed" in told.text
    assert "removed you" in server.mail.wait(person.email, "no longer").text
    assert client.audits("membership.removed") == [{"role": "member"}]
    listed = client.owner.get("/people").expect(200)
    assert "No longer here" in listed.words and "Rea Removed" in listed.words
    # Back again: not among those who are gone.
    client.invite(client.owner, person.email).expect(303)
    link = client.link(person.email, 2)
    person.submit(person.get(link), {}, "/invite/").expect(303)
    assert "No longer here" not in client.owner.get("/people").words


def test_only_owners_see_who_looked_at_keys(server, keeper, client):
    manager, member = client.join("manager"), client.join("member")
    path = f"/people/{client.id(member)}/keys"
    page = client.owner.get(path).expect(200)
    assert "No key was shown" in page.words
    for browser in (manager, member, Client(server, keeper).owner):
        browser.get(path).expect(404)
    stranger = flows.contact(server)
    client.owner.get(f"/people/{client.id(stranger)}/keys").expect(404)
    client.owner.get("/people/nonsense/keys").expect(404)


def test_managers_remove_members_only(client):
    managers = client.join("manager"), client.join("manager")
    member = client.join("member")
    for person in (client.owner, managers[1]):
        client.post(managers[0],
                    f"{client.id(person)}/unseat").expect(404)
        assert client.role(person)
    client.post(member, f"{client.id(managers[0])}/unseat").expect(404)
    client.post(managers[0], f"{client.id(member)}/unseat").expect(303)
    assert client.role(member) is None


def test_people_of_others_are_nobody(server, keeper, client):
    other, person = Client(server, keeper), client.join("member")
    for what, fields in (("unseat", {}), ("role", {"role": "owner"})):
        client.post(other.owner, f"{client.id(person)}/{what}",
                    fields).expect(404)
    assert client.role(person) == "member"


def test_leaving_withdraws_an_open_request(server, client):
    """It was asked for in the name of the client, which it would block."""
    person = client.join("member", "Lea Leaver")
    server.sql(
        "INSERT INTO request (id, account_id, product_id, tenant_id, name, "
        "client_folded, due_at) SELECT gen_random_uuid(), %s, p.id, t.id, "
        "'X-KEY', 'x', now() FROM product p, tenant t WHERE "
        "p.slug = 'revio-api' AND t.code = %s",
        (client.id(person), client.code))
    answer = client.post(person, "leave").expect(303)
    assert answer.location == "/profile"
    assert server.sql("SELECT state FROM request WHERE account_id = %s",
                      (client.id(person),)) == [("withdrawn",)]
    assert client.audits("membership.left") == [{"role": "member"}]
    assert "left" in server.mail.wait(client.owner.email,
                                      "Lea Leaver is no longer").text
    client.post(person, "leave").expect(404)


def test_needs_a_fresh_sign_in(server, client):
    person = client.join("member")
    server.sql("UPDATE session SET fresh_at = now() - interval '16 minutes' "
               "WHERE account_id = %s", (client.id(client.owner),))
    client.post(client.owner, f"{client.id(person)}/unseat")
    assert client.role(person) == "member"


# -- as people see it


def test_pages_in_the_browser(server, browser, client):
    person = client.join("manager", "Max Manager")
    flows.show_key(person)
    invited = flows.address()
    client.invite(client.owner, invited).expect(303)
    browser.open(server, client.link(invited)).inspect("invite")
    browser.type("name", " ").press_submit("/invite/")
    browser.inspect("invite-error")
    browser.take_session(client.owner).go("/people").inspect("people")
    for box in browser.find_all("details.disclose > summary"):
        box.click()
    browser.inspect("people-open")
    browser.type("email", "nobody").press_submit("/people/invite")
    browser.inspect("people-error")
    client.post(client.owner, f"{client.id(person)}/unseat").expect(303)
    browser.go(f"/people/{client.id(person)}/keys").inspect("people-keys")
    browser.forget().take_session(person).go("/people").inspect("people-none")
