"""The link for a vendor: it carries the right to make a password, once, and
nothing else; what it says when it counts no more is always the same."""

import sys
import threading
from pathlib import Path

import pytest
from lib import flows

sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import Client, password_on  # noqa: E402


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture
def client(server, keeper):
    return Client(server, keeper)


def link_on(page):
    assert page.headers["Cache-Control"] == "no-store"
    found = page.text.split('<data value="')[1].split('"')[0]
    return found[found.index("/hand-over/"):]


def made(client, user, by=None, **fields):
    return link_on(client.act(user, "hand-over", by, **fields).expect(200))


def gone(browser, link, status=410):
    page = browser.get(link).expect(410)
    assert "Ask whoever sent it to you" in page.words
    assert "ROBOT" not in page.text and "FORTAPI" not in page.text
    csrf = browser.get("/signin").form("/signin").fields["csrf"]
    return browser.post(link, {"csrf": csrf}).expect(status)


def test_link_to_password(server, client):
    manager = client.join("manager")
    user = client.made()
    page = client.page(user)
    answer = client.owner.submit(page, {"days": "7", "overlap": "3600"},
                                 "/hand-over$").expect(200)
    link = link_on(answer)
    again = client.owner.submit(page, {"days": "7"}, "/hand-over$")
    assert "shown already" in again.expect(200).words
    assert link not in again.text
    assert client.one(
        "SELECT expires_at - created_at = interval '7 days' AND overlap_s = "
        "3600 FROM api_hand_over") is True
    for person in (client.owner, manager):
        told = server.mail.wait(person.email, "link for FORTAPI")
        assert link not in told.text
    token = link.split("/")[-1]
    # Looking uses nothing up, however often.
    vendor = server.client()
    for _ in range(2):
        page = vendor.get(link).expect(200)
        assert f"FORTAPI@{client.code}" in page.words
        assert client.name in page.words
    assert client.passwords(user) == ["current"]
    answer = vendor.submit(page, {}, "/hand-over/").expect(200)
    assert answer.headers["Cache-Control"] == "no-store"
    password = password_on(answer)
    for said in (f"FORTAPI@{client.code}", "https://api.revio.example",
                 "curl"):
        assert said in answer.words, said
    assert "Subscription key This" not in answer.words
    assert flows.show_key(client.owner) not in answer.text
    assert client.passwords(user) == ["old", "current"]
    for person in (client.owner, manager):
        told = server.mail.wait(person.email, "was used")
        assert password not in told.text
    assert len(client.audits("api_hand_over.used")) == 1
    # Used: for the vendor, for strangers, for the owner.
    for browser in (vendor, server.client()):
        again = gone(browser, link)
        assert password not in again.text
    client.owner.get(link).expect(410)
    assert password not in client.page(user).text
    for name in ("portal", "courier"):
        log = server.raw_log(name)
        assert token not in log and password not in log
    assert token not in repr(server.sql("SELECT * FROM api_hand_over"))


@pytest.mark.parametrize("link", [
    "/hand-over/" + "A" * 43, "/hand-over/x", "/hand-over/" + "A" * 300,
    "/hand-over/%27"])
def test_wrong_links(server, link):
    gone(server.client(), link)


@pytest.mark.parametrize("how", [
    "expired", "withdrawn", "replaced", "disabled", "deleted", "user over",
    "removed", "lowered"])
def test_links_that_count_no_more(server, client, how):
    user = client.made()
    manager = client.join("manager")
    link = made(client, user, manager)
    server.client().get(link).expect(200)
    if how == "expired":
        server.sql("UPDATE api_hand_over SET expires_at = now() WHERE "
                   "api_user_id = %s", (user,))
    elif how == "withdrawn":
        client.act(user, "withdraw").expect(303)
    elif how == "replaced":
        newer = made(client, user)
        server.client().get(newer).expect(200)
    elif how == "disabled":
        client.act(user, "disable").expect(303)
    elif how == "deleted":
        client.act(user, "delete", confirm="FORTAPI").expect(303)
    elif how == "user over":
        server.sql("UPDATE api_user SET expires_at = now() WHERE id = %s",
                   (user,))
    elif how == "removed":
        server.sql("DELETE FROM membership WHERE account_id = (SELECT "
                   "account_id FROM person WHERE email = %s)",
                   (manager.email,))
    else:
        server.sql("UPDATE membership SET role = 'member' WHERE account_id = "
                   "(SELECT account_id FROM person WHERE email = %s)",
                   (manager.email,))
    gone(server.client(), link)
    assert client.passwords(user).count("current") <= 1
    assert client.audits("api_hand_over.used") == []


def test_two_press_the_button_at_once(server, client):
    user = client.made()
    link = made(client, user)
    done = []

    def press():
        browser = server.client()
        done.append(browser.submit(browser.get(link).expect(200), {},
                                   "/hand-over/").status)
    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count(200) == 1 and set(done) <= {200, 409, 410}
    assert client.passwords(user).count("current") == 1
    assert len(client.passwords(user)) == 2


def test_the_key_goes_along_only_where_an_owner_ticked_it(server, client):
    user = client.made()
    key = flows.show_key(client.owner)
    manager = client.join("manager")
    page = client.page(user, manager)
    assert "Show the primary key" not in page.words
    manager.submit(page, {"with_key": "1"}, "/hand-over$").expect(422)
    link = made(client, user, with_key="1")
    vendor = server.client()
    page = vendor.get(link).expect(200)
    assert "shows the subscription key" in page.words
    assert key not in page.text
    answer = vendor.submit(page, {}, "/hand-over/").expect(200)
    assert key in answer.text
    shown = client.audits("key.shown")[-1]
    assert shown["slot"] == "primary" and "hand_over" in shown


def test_the_key_stays_when_its_owner_is_none_any_more(server, client):
    user = client.made()
    key = flows.show_key(client.owner)
    link = made(client, user, with_key="1")
    server.sql("UPDATE membership SET role = 'manager' WHERE tenant_id = %s",
               (client.tenant,))
    vendor = server.client()
    page = vendor.get(link).expect(200)
    assert "shows the subscription key" not in page.words
    answer = vendor.submit(page, {}, "/hand-over/").expect(200)
    assert password_on(answer) and key not in answer.text


@pytest.mark.parametrize("field, typed", [
    ("days", "8"), ("days", "0"), ("days", "-1"), ("days", "x"),
    ("overlap", "77"), ("nonce", "x")])
def test_odd_forms(client, field, typed):
    user = client.made()
    client.act(user, "hand-over", **{field: typed}).expect(422)
    assert client.one("SELECT count(*) FROM api_hand_over WHERE api_user_id "
                      "= %s", user) == 0


def test_without_a_form_of_its_own_nothing_is_made(server, client):
    link = made(client, client.made())
    server.client().post(link, {}).expect(403)
    server.client().get(link).expect(200)


def test_an_admin_hands_over_by_mail_alone(server, admin, client):
    user = client.made(contact_email="ines@fort.example")
    where = f"/staff/api-users/{user}"
    page = admin.get(where).expect(200)
    answer = admin.submit(page, {"days": "1"}, "/hand-over$").expect(303)
    page = admin.follow(answer)
    assert "It goes to ines@fort.example" in page.words
    mail = server.mail.wait("ines@fort.example", client.name)
    link = mail.link("/hand-over/")
    token = link.split("/")[-1]
    assert token not in page.text
    told = server.mail.wait(client.owner.email, "link for FORTAPI")
    assert "Ida Admin" in told.text and "ines@fort.example" in told.text
    vendor = server.client()
    answer = vendor.submit(vendor.get(link), {}, "/hand-over/").expect(200)
    password_on(answer)
    # Where there is nobody to mail it to, there is no link.
    other = client.made("NOBODY")
    page = admin.get(f"/staff/api-users/{other}")
    answer = admin.submit(page, {"days": "1"}, "/hand-over$").expect(422)
    assert "no technical contact" in answer.words
