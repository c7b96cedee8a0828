"""API users over HTTP: made, shown once, rotated, shut off, and what may not
be; each right of the contract's table."""

import re
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from lib import flows

sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import Client, nobody, password_on  # noqa: E402


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture
def client(server, keeper):
    return Client(server, keeper)


# -- made


def test_made_with_all_fields_and_shown_once(server, client):
    manager = client.join("manager")
    page = client.owner.get("/api-users").expect(200)
    assert "No API user yet" in page.words
    fields = client.fields(
        "fortApi", vendor="FORT, Inc.", contact_name="Ines Vega",
        contact_email="ines@fort.example", note="Ask Ines.\nNot on Fridays.",
        expires=str(date.today() + timedelta(days=30)))
    answer = client.owner.submit(page, fields, "/api-users$").expect(200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"FORTAPI@{client.code} is made" in answer.words
    password = password_on(answer)
    # Sent again: nothing is made, nothing is shown.
    again = client.owner.submit(page, fields, "/api-users$").expect(200)
    assert "shown already" in again.words and password not in again.text
    assert len(client.audits("api_user.made")) == 1
    user = client.one("SELECT id FROM api_user WHERE tenant_id = %s",
                      client.tenant)
    page = client.page(user)
    for said in ("FORT, Inc.", "Ticket sync", "Ines Vega",
                 "ines@fort.example", "Not on Fridays", "Never",
                 "No calls seen", "made today", "Ada Byron"):
        assert said in page.words, said
    assert password not in page.text
    assert client.audits("api_user.made") == [{"user": "FORTAPI"}]
    for person in (client.owner, manager):
        told = server.mail.wait(person.email, f"FORTAPI@{client.code}")
        assert "Ticket sync" in told.text and password not in told.text
    stored = server.sql("SELECT mac, mac_version FROM api_user_password")
    assert password not in repr(stored)
    for name in ("portal", "courier"):
        assert password not in server.raw_log(name)
    assert f"FORTAPI@{client.code}" in client.owner.get("/api-users").words


def test_its_calls_stand_on_its_page(server, client):
    """Those of the span that is asked for, and nobody else's."""
    client.make("CALLS").expect(200)
    client.make("OTHER").expect(200)
    user, other = (client.one("SELECT id FROM api_user WHERE tenant_id = %s "
                              "AND username = %s", client.tenant, name)
                   for name in ("CALLS", "OTHER"))
    server.sql(
        "WITH made AS (SELECT id FROM subscription WHERE tenant_id = %s), "
        "hours AS ("
        "INSERT INTO usage_hour SELECT id, date_trunc('hour', now()), %s, o, n "
        "FROM made, (VALUES ('allowed', 1234), ('rate_limited', 56)) "
        "AS v (o, n)) INSERT INTO usage_day SELECT id, "
        "(now() AT TIME ZONE 'UTC')::date - d, %s, o, n FROM made, (VALUES "
        "(0, 'allowed', 1234), (0, 'rate_limited', 56), "
        "(20, 'not_permitted', 7), (300, 'allowed', 4000)) AS v (d, o, n)",
        (client.tenant, user, user))
    for span, allowed, refused, reason in (
            ("24h", "1,234", "56", "Too many at once"),
            ("30d", "1,234", "63", "Not permitted for this API user"),
            ("12m", "5,234", "63", "Not permitted for this API user")):
        page = client.owner.get(f"/api-users/{user}?span={span}").expect(200)
        assert f"{allowed} allowed, {refused} refused" in page.words
        assert reason in page.words
        assert f'href="/api-users/{user}?span=24h#calls"' in page.text
    words = client.page(user).words
    assert "Calls in 30 days 1,234 allowed, 63 refused" in words
    assert "No calls seen" in client.page(other).words


@pytest.mark.parametrize("typed, said", [
    ("", "Write a user name"), ("A", "2 to 32"), ("A" * 33, "2 to 32"),
    ("FORT@ALTWORX", "Leave out the “@”"), ("FORT:API", "can’t hold “:”"),
    ("FORT API", "can’t hold a space"), ("F\u041eRT", "another"),
    ("FORT\u200bAPI", "can’t be seen"), ("\uff26ORT", "another"),
    ("FORT/API", "can’t hold “/”"), ("FO\tRT", "can’t hold a space"),
])
def test_bad_names(client, typed, said):
    answer = client.make(typed, note="kept").expect(422)
    assert said in answer.words, answer.words[:600]
    assert answer.form("/api-users$").fields["note"] == "kept"
    assert answer.title.startswith("Error:")
    assert client.one("SELECT count(*) FROM api_user WHERE tenant_id = %s",
                      client.tenant) == 0


@pytest.mark.parametrize("field, typed, said", [
    ("vendor", "", "is missing"), ("vendor", "x" * 65, "up to 64"),
    ("vendor", "FO\u202eRT", "can’t be seen"),
    ("integration", " ", "is missing"), ("integration", "x" * 81, "up to 80"),
    ("contact_email", "ines", "@"), ("contact_name", "x" * 65, "up to 64"),
    ("note", "x" * 1001, "up to 1000"), ("expires", "2020-01-01", "a day"),
    ("expires", "2031-02-31", "a day"), ("expires", "tomorrow", "a day"),
    ("expires", "9999-12-31", "a day"), ("role", "", "one to five roles"),
    ("role", nobody(), "is gone"), ("nonce", "", "once more"),
    ("nonce", "A" * 22 + "." + "A" * 43, "once more"),
])
def test_bad_fields(client, field, typed, said):
    answer = client.make(**{field: typed}).expect(422)
    assert said in answer.words, answer.words[:600]
    assert client.audits("api_user.made") == []


def test_roles_of_another_client_are_none(server, keeper, client):
    other = Client(server, keeper)
    client.make(role=other.role()).expect(422)
    user = client.made()
    client.act(user, "permissions", role=other.role()).expect(422)
    assert client.one("SELECT count(*) FROM api_user_role WHERE tenant_id = "
                      "%s", other.tenant) == 0


def test_a_second_user_of_a_vendor_is_asked_about(client):
    client.made("FIRST", vendor="FORT")
    answer = client.make("SECOND", vendor="Fort, Inc.").expect(422)
    assert "has FIRST already" in answer.words
    answer = client.owner.submit(answer, {"again": "1"}, "/api-users$"
                                 ).expect(200)
    password_on(answer)
    client.made("THIRD", vendor="Quoter")


def test_a_name_is_not_used_again_for_90_days(client):
    user = client.made("FORTAPI")
    assert "is in use" in client.make("fortapi", vendor="X").expect(422).words
    client.act(user, "delete", confirm="fortapi").expect(303)
    assert "is in use" in client.make("FORTAPI").expect(422).words
    client.server.sql("UPDATE api_user SET state_at = now() - interval "
                      "'91 days' WHERE id = %s", (user,))
    client.made("FORTAPI")


def test_one_nonce_at_the_same_moment(client):
    page = client.owner.get("/api-users")
    done = []

    def post():
        browser = client.server.client()
        browser.cookies = dict(client.owner.cookies)
        done.append(browser.submit(page, client.fields(), "/api-users$"))
    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = [bool(re.search("<data value=", answer.text)) for answer in done]
    assert sorted(shown) == [False, True], [a.words[:200] for a in done]
    assert len(client.audits("api_user.made")) == 1


# -- passwords


def test_rotated_with_overlap(client):
    user = client.made()
    page = client.page(user)
    answer = client.owner.submit(page, {"overlap": "3600"}, "/rotate$")
    password = password_on(answer.expect(200))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "The old password goes on until" in answer.words
    assert client.passwords(user) == ["old", "current"]
    assert client.one(
        "SELECT ends_at - now() BETWEEN interval '59 minutes' AND interval "
        "'1 hour' FROM api_user_password WHERE api_user_id = %s AND state = "
        "'old'", user) is True
    again = client.owner.submit(page, {"overlap": "3600"}, "/rotate$")
    assert "shown already" in again.words and password not in again.text
    assert client.passwords(user) == ["old", "current"]
    # At most one old: the oldest ends.
    client.act(user, "rotate", overlap="604800").expect(200)
    assert client.passwords(user) == ["ended", "old", "current"]
    client.act(user, "rotate", overlap="0").expect(200)
    assert client.passwords(user) == ["ended", "ended", "ended", "current"]
    assert client.audits("api_user.rotated") == [
        {"overlap_s": 3600}, {"overlap_s": 604800}, {"overlap_s": 0}]


@pytest.mark.parametrize("overlap", ["-1", "5", "x", "604801", "3600 "])
def test_odd_overlaps(client, overlap):
    user = client.made()
    client.act(user, "rotate", overlap=overlap).expect(422)
    assert client.passwords(user) == ["current"]


def test_two_rotate_at_once(client):
    user = client.made()
    pages, done = [client.page(user) for _ in range(4)], []

    def post(page):
        browser = client.server.client()
        browser.cookies = dict(client.owner.cookies)
        done.append(browser.submit(page, {"overlap": "3600"},
                                   "/rotate$").status)
    threads = [threading.Thread(target=post, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(done) <= {200, 409} and 200 in done
    states = client.passwords(user)
    assert states.count("current") == 1 and states.count("old") == 1
    assert len(states) == 1 + done.count(200)


def test_an_old_password_is_pointed_out(make_server):
    server = make_server(settings={"API_PASSWORD_DAYS": "30"})
    client = Client(server, flows.staff(server))
    user = client.made()
    server.sql("UPDATE api_user_password SET created_at = now() - interval "
               "'29 days'")
    page = client.owner.get("/api-users")
    assert "29 days old" in page.words and "is-warn" not in page.text
    server.sql("UPDATE api_user_password SET created_at = now() - interval "
               "'31 days'")
    page = client.owner.get("/api-users")
    assert re.search(r'is-warn">[^>]*>[^>]*>[^>]*>31 days old', page.text)
    assert "31 days old" in client.page(user).words


# -- shut off


def test_disabled_enabled_deleted(client):
    user = client.made()
    client.act(user, "disable").expect(303)
    page = client.page(user)
    assert "All its calls are refused" in page.words
    assert not page.has_form("/disable$") and not page.has_form("/hand-over$")
    # From a page of before: told, not done twice.
    csrf = page.form("/enable$").fields["csrf"]
    client.owner.post(f"/api-users/{user}/disable", {"csrf": csrf}
                      ).expect(409)
    client.act(user, "enable").expect(303)
    assert client.one("SELECT state FROM api_user WHERE id = %s", user) == \
        "enabled"
    client.act(user, "delete", confirm="OTHER").expect(422)
    client.act(user, "delete", confirm="FORTAPI").expect(303)
    client.owner.get(f"/api-users/{user}").expect(404)
    assert client.passwords(user) == ["ended"]
    assert "FORTAPI@" not in client.owner.get("/api-users").words
    assert [len(client.audits(f"api_user.{what}")) for what in
            ("disabled", "enabled", "deleted")] == [1, 1, 1]


def test_unused_ones_are_pointed_out(client):
    user = client.made("IDLE")
    client.made("BUSY")
    assert "has not called" not in client.owner.get("/api-users").words
    client.server.sql("UPDATE api_user SET created_at = now() - interval "
                      "'200 days', last_used_at = now() - interval "
                      "'61 days', last_used_address = '203.0.113.24' WHERE "
                      "id = %s", (user,))
    page = client.owner.get("/api-users")
    assert "IDLE has not called for 61 days" in page.words
    assert "203.0.113.24" in page.words
    assert "BUSY has" not in page.words
    client.act(user, "disable").expect(303)
    assert "IDLE has not called" not in client.owner.get("/api-users").words


# -- who may


def test_members_strangers_and_staff_see_nothing_here(
        server, keeper, client):
    user = client.made()
    other = Client(server, keeper)
    paths = ["", "/rotate", "/disable", "/enable", "/delete", "/permissions"]
    for browser in (client.join("member"), other.owner, keeper):
        csrf = browser.get("/account").form("signout").fields["csrf"]
        browser.get(f"/api-users/{user}").expect(404)
        for path in paths[1:]:
            browser.post(f"/api-users/{user}{path}", {
                "csrf": csrf, "role": client.role(), "version": "1",
                "confirm": "FORTAPI"}).expect(404)
    assert client.one("SELECT state FROM api_user WHERE id = %s", user) == \
        "enabled"
    member = client.join("member")
    member.get("/api-users").expect(404)
    assert "API users" not in member.get("/profile").words
    assert "API users" in client.owner.get("/profile").words


def test_a_manager_may(client):
    manager = client.join("manager")
    user = client.made(by=manager)
    client.act(user, "rotate", by=manager, overlap="0").expect(200)
    client.act(user, "disable", by=manager).expect(303)


def test_staff_see_no_password_and_disable_with_a_reason(
        server, keeper, client):
    user = client.made()
    page = keeper.get(f"/staff/tenants/{client.code}").expect(200)
    assert f'/staff/tenants/{client.code}/api-users"' in page.text
    page = keeper.get(f"/staff/tenants/{client.code}/api-users").expect(200)
    assert "FORTAPI" in page.words and not page.has_form("/api-users$")
    where = f"/staff/api-users/{user}"
    page = keeper.get(where).expect(200)
    for form in ("/rotate$", "/permissions$", "/hand-over$", "/delete$"):
        assert not page.has_form(form), form
    keeper.submit(page, {"reason": " "}, "/disable$").expect(422)
    keeper.submit(page, {"reason": "Odd calls from there"}, "/disable$"
                  ).expect(303)
    told = server.mail.wait(client.owner.email, "disabled by our staff")
    assert "Odd calls from there" in told.text
    # Who was shut off by staff is enabled by staff.
    page = client.page(user)
    assert "Odd calls from there" in page.words
    assert not page.has_form("/enable$")
    csrf = page.form("signout").fields["csrf"]
    answer = client.owner.post(f"/api-users/{user}/enable", {"csrf": csrf}
                               ).expect(409)
    assert "by our staff" in answer.words
    keeper.submit(keeper.get(where), {}, "/enable$").expect(303)
    assert client.one("SELECT state FROM api_user WHERE id = %s", user) == \
        "enabled"


def test_an_admin_makes_one_without_seeing_a_password(server, admin, client):
    where = f"/staff/tenants/{client.code}/api-users"
    page = admin.get(where).expect(200)
    fields = client.fields("BEHALF")
    answer = admin.submit(page, fields, "/api-users$").expect(422)
    assert "you do not see the password" in answer.words
    answer = admin.submit(answer, {**fields, "contact_email":
                                   "ines@fort.example"}, "/api-users$"
                          ).expect(303)
    page = admin.follow(answer).expect(200)
    assert "no password yet" in page.words
    user = client.one("SELECT id FROM api_user WHERE tenant_id = %s",
                      client.tenant)
    assert client.passwords(user) == []
    told = server.mail.wait(client.owner.email, f"BEHALF@{client.code}")
    assert "Ida Admin" in told.text
    admin.submit(page, {"role": client.role("read-only")}, "/permissions$"
                 ).expect(303)
    csrf = page.form("signout").fields["csrf"]
    admin.post(f"/api-users/{user}/rotate", {"csrf": csrf}).expect(404)


# -- many


def test_a_thousand_users(server, client):
    server.sql(
        "INSERT INTO api_user (id, tenant_id, username, vendor, "
        "vendor_folded, integration, created_by) SELECT gen_random_uuid(), "
        "%s, 'USER-' || lpad(n::text, 4, '0'), 'V' || n, 'v' || n, 'Sync', "
        "(SELECT account_id FROM person WHERE email = %s) "
        "FROM generate_series(1, 1000) AS n",
        (client.tenant, client.owner.email))
    seen, path, pages = [], "/api-users", 0
    while path:
        page = client.owner.get(path).expect(200)
        seen += re.findall(r">(USER-\d{4})@", page.text)
        found = re.search(r'href="(/api-users\?after=[^"]+)"', page.text)
        path, pages = found and found.group(1), pages + 1
    assert pages == 20 and len(seen) == len(set(seen)) == 1000
    assert seen == sorted(seen)
    assert "1000 API users" in client.owner.get("/api-users").words
    for odd in ("%00", "x" * 500, "%ff", "'--"):
        assert client.owner.get(f"/api-users?after={odd}").status in (200,
                                                                      400)
