"""Staff and people over HTTP: the list and its search, accounts disabled and
enabled, who is of staff, and that an admin always remains."""

import threading
import time

import pytest
from lib import flows
from lib.base import wait_until
from lib.flows import PASSWORD


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server, name="Sam Keeper")


def id_of(server, browser):
    return server.sql("SELECT account_id FROM person WHERE email = %s",
                      (browser.email,))[0][0]


def post(browser, path, fields=None):
    csrf = browser.get("/staff/people").form("signout").fields["csrf"]
    return browser.post(path, {"csrf": csrf, **(fields or {})})


def state(server, account):
    return server.sql("SELECT state || ' ' || coalesce(staff_role, '') FROM "
                      "account WHERE id = %s", (account,))[0][0]


def audits(server, account):
    return [row[0] for row in server.sql(
        "SELECT action FROM audit WHERE subject_id = %s ORDER BY id",
        (account,))]


def fill(server, n, name="Filler", domain="filler.example"):
    server.sql(
        "WITH a AS (INSERT INTO account (id, kind, password_hash) SELECT "
        "gen_random_uuid(), 'contact', '' FROM generate_series(1, %s) "
        "RETURNING id), r AS (SELECT id, row_number() OVER () AS n FROM a) "
        "INSERT INTO person (account_id, email, email_folded, email_domain, "
        "name) SELECT id, n || '@' || %s, n || '@' || %s, %s, "
        "%s || ' ' || lpad(n::text, 5, '0') FROM r",
        (n, domain, domain, domain, name))


# -- the list


def test_search(server, keeper):
    owner, _ = flows.client_with_key(server, "SRCHCO", "Searched Works")
    server.sql("UPDATE person SET name = 'Änne Sought_Person' WHERE email = "
               "%s", (owner.email,))
    for typed in ("sought_", "ÄNNE", "än", "Searched", "srchco", "se",
                  owner.email[:9], owner.email.upper(), "ought_p"):
        page = keeper.request(
            "GET", "/staff/people?q=" + typed.replace("ä", "%C3%A4").replace(
                "Ä", "%C3%84")).expect(200)
        assert owner.email in page.words, typed
    for typed in ("nobody like this", "ought", "%25%25%25", "___", "g_t"):
        page = keeper.get(f"/staff/people?q={typed.replace(' ', '+')}")
        found = owner.email in page.expect(200).words
        assert found == (typed == "ought"), typed
    # A beginning stands at the beginning.
    assert owner.email not in keeper.get("/staff/people?q=ou").words
    for odd, status in (("a" * 200, 200), ("%0A", 200), ("%C3", 400),
                        ("%00", 400), ("a" * 2000, 414)):
        keeper.get(f"/staff/people?q={odd}").expect(status)


def test_pages_hold_everybody_once(server, keeper):
    fill(server, 120, "Paged")
    seen, path = [], "/staff/people?q=paged"
    while path:
        page = keeper.get(path).expect(200)
        seen += [w for w in page.words.split() if w.endswith(
            "@filler.example")]
        rest = page.text.split('rel="next"')[0].rsplit('href="', 1)
        path = rest[1].split('"')[0].replace("&amp;", "&") \
            if 'rel="next"' in page.text else None
    assert len(seen) == 120 == len(set(seen))


def test_person(server, keeper):
    owner, _ = flows.client_with_key(server, "SHOWNCO", "Shown Works")
    page = keeper.get(f"/staff/people/{id_of(server, owner)}").expect(200)
    for said in (owner.email, "Owner", "Shown Works"):
        assert said in page.words
    assert not page.has_form("/role$")


# -- disabled and enabled


def test_disable_and_enable(server, keeper):
    person = flows.contact(server)
    account = id_of(server, person)
    path = f"/staff/people/{account}"
    page = keeper.get(path)
    bad = keeper.submit(page, {"reason": " "}, "/disable$").expect(422)
    assert 'href="#reason"' in bad.text
    post(keeper, f"{path}/disable", {"reason": "x" * 1001}).expect(422)
    assert state(server, account) == "active "
    answer = keeper.submit(page, {"reason": "Left <the> company"},
                           "/disable$").expect(303)
    page = keeper.follow(answer).expect(200)
    assert "Left <the> company" in page.words and "Sam Keeper" in page.words
    # At once: the session is gone, and there is no new one.
    assert person.get("/profile").expect(303).location.startswith("/signin")
    assert server.sql("SELECT count(*) FROM session WHERE account_id = %s",
                      (account,)) == [(0,)]
    fresh = server.client()
    fresh.submit(fresh.get("/signin"), {"email": person.email, "password":
                                        PASSWORD}, "/signin").expect(422)
    assert "Left <the> company" in server.mail.wait(person.email,
                                                    "disabled").text
    # Twice is once.
    post(keeper, f"{path}/disable", {"reason": "again"}).expect(303)
    assert audits(server, account).count("account.disabled") == 1
    keeper.submit(keeper.get(path), {}, "/enable$").expect(303)
    flows.sign_in(server, person.email)
    server.mail.wait(person.email, "enabled again")
    assert "account.enabled" in audits(server, account)
    assert server.sql("SELECT count(*) FROM account_disabling WHERE "
                      "account_id = %s", (account,)) == [(0,)]


def test_end_all_sessions(server, keeper, admin):
    person = flows.contact(server)
    account = id_of(server, person)
    path = f"/staff/people/{account}"
    answer = keeper.submit(keeper.get(path), {}, "/sign-out$").expect(303)
    assert "All sessions have ended" in keeper.follow(answer).words
    assert person.get("/profile").expect(303).location.startswith("/signin")
    assert server.sql("SELECT count(*) FROM known_browser WHERE account_id = "
                      "%s", (account,)) == [(0,)]
    assert "session.all_ended" in audits(server, account)
    server.mail.wait(person.email, "signed out everywhere")
    flows.sign_in(server, person.email)
    # Of staff by admins alone, and not oneself: there is another way.
    post(keeper, f"/staff/people/{id_of(server, admin)}/sign-out").expect(404)
    post(keeper, f"/staff/people/{id_of(server, keeper)}/sign-out").expect(404)
    other = flows.staff(server)
    post(admin, f"/staff/people/{id_of(server, other)}/sign-out").expect(303)
    other.get("/staff/queue").expect(303)


def test_disabled_and_enabled_at_once(server, keeper):
    """Who enables waits for who disables, and then takes the reason away,
    too: so it can be disabled again."""
    person = flows.contact(server)
    account = id_of(server, person)
    path = f"/staff/people/{account}"
    one = server.cluster.connect(server.database, "latchkey_owner")
    one.autocommit = False
    with one.cursor() as cursor:
        cursor.execute("UPDATE account SET state = 'disabled' WHERE id = %s",
                       (account,))
        cursor.execute("INSERT INTO account_disabling (account_id, reason, "
                       "by_account) VALUES (%s, 'Left', %s)",
                       (account, id_of(server, keeper)))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            post(keeper, f"{path}/enable")))
        thread.start()
        wait_until(lambda: server.sql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND query LIKE %s", ("%account.enabled%",), role="postgres"), 10,
            "who waits")
        one.commit()
    one.close()
    thread.join()
    answers[0].expect(303)
    assert server.sql("SELECT state, (SELECT count(*) FROM account_disabling "
                      "d WHERE d.account_id = a.id) FROM account a WHERE id "
                      "= %s", (account,)) == [("active", 0)]
    post(keeper, f"{path}/disable", {"reason": "Again"}).expect(303)


def test_staff_do_not_disable_staff(server, keeper, admin):
    other = flows.staff(server, name="Other Keeper")
    path = f"/staff/people/{id_of(server, other)}"
    assert not keeper.get(path).has_form("/disable$")
    post(keeper, f"{path}/disable", {"reason": "x"}).expect(404)
    # Nor themselves; nor do admins.
    for browser in (keeper, admin):
        own = f"/staff/people/{id_of(server, browser)}"
        post(browser, f"{own}/disable", {"reason": "x"}).expect(404)
    post(admin, f"{path}/disable", {"reason": "x"}).expect(303)
    assert state(server, id_of(server, other)) == "disabled staff"


# -- who is of staff


def test_add_to_the_staff(server, admin, keeper):
    email = flows.address("staff.example")
    page = admin.get("/staff/people").expect(200)
    fields = {"email": email, "name": "New Keeper", "role": "admin"}
    admin.submit(page, {**fields, "role": "king"}, "/invite$").expect(422)
    admin.submit(page, {**fields, "name": ""}, "/invite$").expect(422)
    taken = admin.submit(page, {**fields, "email": keeper.email},
                         "/invite$").expect(422)
    assert "has an account here" in taken.words
    assert not keeper.get("/staff/people").has_form("/invite$")
    post(keeper, "/staff/people/invite", fields).expect(404)
    admin.submit(page, fields, "/invite$").expect(303)
    fresh = server.client()
    link = server.mail.wait(email).link("/verify/")
    fresh.follow(fresh.submit(fresh.get(link), {"password": PASSWORD},
                              "/verify/")).expect(200)
    fresh.email = email
    assert state(server, id_of(server, fresh)) == "active admin"
    fresh.get("/staff/people").expect(200)


def test_roles_of_staff(server, admin, keeper):
    other = flows.staff(server, name="Rae Role")
    account = id_of(server, other)
    path = f"/staff/people/{account}/role"
    post(keeper, path, {"role": "admin"}).expect(404)
    post(admin, path, {"role": "king"}).expect(422)
    post(admin, path, {"role": "admin"}).expect(303)
    assert state(server, account) == "active admin"
    assert other.get("/staff/people").status == 303, "sessions end"
    server.mail.wait(other.email, "another role")
    person = flows.contact(server)
    post(admin, f"/staff/people/{id_of(server, person)}/role",
         {"role": "admin"}).expect(404)
    post(admin, path, {"role": "staff"}).expect(303)
    assert audits(server, account).count("staff.role_changed") == 2


def test_remove_from_the_staff(server, admin, keeper):
    other = flows.staff(server, name="Gil Gone")
    account = id_of(server, other)
    path = f"/staff/people/{account}"
    post(keeper, f"{path}/dismiss").expect(404)
    post(admin, f"{path}/dismiss").expect(303)
    assert state(server, account) == "closed staff"
    assert server.sql("SELECT count(*) FROM person WHERE account_id = %s",
                      (account,)) == [(0,)]
    assert other.get("/staff/queue").status == 303
    admin.get(path).expect(404)
    assert "Gil Gone" in server.mail.wait(admin.email, "Gil Gone").text
    assert audits(server, account)[-1] == "staff.removed"
    person = flows.contact(server)
    post(admin, f"/staff/people/{id_of(server, person)}/dismiss").expect(404)


@pytest.mark.parametrize("what,fields", [
    ("disable", {"reason": "x"}), ("role", {"role": "staff"}),
    ("dismiss", {})])
def test_two_admins_can_not_both_go(make_server, what, fields):
    """One is disabled in a transaction that ends later; who acts waits for it,
    is no admin by then, and changes nothing."""
    server = make_server()
    first = flows.staff(server, role="admin", name="First Admin")
    second = flows.staff(server, role="admin", name="Second Admin")
    ids = [id_of(server, one) for one in (first, second)]
    answers = []
    csrf = second.get("/staff/people").form("signout").fields["csrf"]
    connection = server.cluster.connect(server.database, "latchkey_owner")
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE account SET state = 'disabled' WHERE "
                           "id = %s", (ids[1],))
            waits = threading.Thread(target=lambda: answers.append(second.post(
                f"/staff/people/{ids[0]}/{what}",
                {"csrf": csrf, **fields}).status))
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
    assert answers == [404]
    assert state(server, ids[0]) == "active admin"


def test_pages_in_the_browser(server, browser, admin, keeper):
    fill(server, 60, "Browsed", "browsed.example")
    person = flows.contact(server, name="Bea Browsed")
    path = f"/staff/people/{id_of(server, person)}"
    browser.open(server, "/livez").take_session(admin)
    browser.go("/staff/people?q=browsed").inspect("staff-people")
    browser.go("/staff/people?q=nobody+at+all").inspect("staff-people-none")
    browser.go("/staff/people").press_submit("/invite")
    assert browser.title.startswith("Error:")
    browser.inspect("staff-people-error")
    browser.go(path).inspect("staff-person")
    browser.press_submit("/disable")
    browser.inspect("staff-person-error")
    browser.type("reason", "A test").press_submit("/disable")
    browser.inspect("staff-person-disabled")
    browser.go(f"/staff/people/{id_of(server, keeper)}")
    browser.find("details.disclose > summary").click()
    browser.inspect("staff-person-staff")
