"""Staff seat an owner: planned, told, cancelled, and what falls due."""

import threading

import pytest
from lib import flows
from lib.base import wait_until

REASON = "The owner left the company; confirmed by phone"


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


class Case:
    numbers = iter(range(1, 100))

    def __init__(self, server):
        self.server, n = server, next(self.numbers)
        self.code, self.name = f"SEAT{n}", f"Seat Works {n}"
        self.owner, self.keeper = flows.client_with_key(
            server, self.code, self.name)
        self.person = flows.contact(server, name="Pia Planned",
                                    client=self.name)
        self.path = f"/staff/people/{self.id(self.person)}"

    def id(self, browser):
        return self.server.sql("SELECT account_id FROM person WHERE email = "
                               "%s", (browser.email,))[0][0]

    def plan(self, code=None, reason=REASON):
        page = self.keeper.get(self.path).expect(200)
        return self.keeper.submit(page, {"tenant": code or self.code,
                                         "reason": reason}, "/seat$")

    def role(self):
        rows = self.server.sql("SELECT role FROM membership WHERE "
                               "account_id = %s", (self.id(self.person),))
        return rows[0][0] if rows else None

    def ending(self):
        return self.server.sql("SELECT ending FROM seating WHERE account_id "
                               "= %s ORDER BY id DESC LIMIT 1",
                               (self.id(self.person),))[0][0]

    def fall_due(self):
        """The 24 hours are over; the courier looks when it starts."""
        self.server.sql("UPDATE seating SET due_at = now() WHERE account_id "
                        "= %s", (self.id(self.person),))
        self.server.stop_courier()
        self.server.start_courier()
        wait_until(lambda: self.ending() is not None, 20)


@pytest.fixture
def case(server, admin):
    return Case(server)


def test_planned_told_and_seated_after_24_hours(server, admin, case):
    case.plan().expect(303)
    assert case.role() is None
    assert server.sql("SELECT due_at - planned_at = interval '24 hours' FROM "
                      "seating WHERE account_id = %s",
                      (case.id(case.person),)) == [(True,)]
    for browser in (case.owner, admin):
        told = server.mail.wait(browser.email, "Pia Planned is to become")
        assert REASON in told.text and "Sam Keeper" in told.text
    assert REASON in case.owner.get("/people").words
    assert not case.keeper.get(case.path).has_form("/seat$")
    case.fall_due()
    assert (case.role(), case.ending()) == ("owner", "seated")
    server.mail.wait(case.owner.email, "Pia Planned is now an owner")
    server.mail.wait(case.person.email, "Pia Planned is now an owner")
    assert case.person.get("/people").expect(200).has_form("/invite$")
    assert server.sql(
        "SELECT action, actor_kind FROM audit WHERE subject_id = %s AND "
        "action LIKE 'seat.%%' ORDER BY id", (case.id(case.person),)) == [
            ("seat.planned", "account"), ("seat.done", "system")]


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_cancelled(server, admin, case, who):
    case.plan().expect(303)
    if who == "owner":
        page = case.owner.get("/people")
        case.owner.submit(page, {}, "/seats/.*/cancel$").expect(303)
    else:
        assert not case.keeper.get(case.path).has_form("/cancel$")
        admin.submit(admin.get(case.path), {}, "/cancel$").expect(303)
    assert (case.role(), case.ending()) == (None, "cancelled")
    server.mail.wait(admin.email, f"become an owner of {case.name}", count=2)
    # A new plan may be made.
    case.plan().expect(303)


def test_at_once_where_there_is_no_owner(server, admin, case):
    server.sql("DELETE FROM membership WHERE account_id = %s",
               (case.id(case.owner),))
    case.plan().expect(303)
    assert (case.role(), case.ending()) == ("owner", "seated")
    server.mail.wait(admin.email, f"is now an owner of {case.name}")


def test_at_once_but_somebody_was_faster(server, admin, case):
    """Another client lets the person in at that moment: nobody is seated, and
    nobody is told so."""
    server.sql("DELETE FROM membership WHERE tenant_id = (SELECT id FROM "
               "tenant WHERE code = %s)", (case.code,))
    flows.add_tenant(server, case.code + "X", case.name + " X")
    page = case.keeper.get(case.path).expect(200)
    answers = []
    other = server.cluster.connect(server.database)
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute(
            "INSERT INTO membership SELECT %s, id, 'owner', 'first' FROM "
            "tenant WHERE code = %s", (case.id(case.person),
                                       case.code + "X"))
        asked = threading.Thread(target=lambda: answers.append(
            case.keeper.submit(page, {"tenant": case.code, "reason": REASON},
                               "/seat$")))
        asked.start()
        wait_until(lambda: server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = "
            "current_database() AND wait_event_type = 'Lock'",
            role="postgres") == [(1,)], 10, "the plan waits")
        other.commit()
    asked.join(20)
    other.close()
    assert answers[0].status == 422
    assert server.sql("SELECT count(*) FROM seating WHERE account_id = %s",
                      (case.id(case.person),)) == [(0,)]
    assert server.sql("SELECT t.code FROM membership m JOIN tenant t ON t.id "
                      "= m.tenant_id WHERE account_id = %s",
                      (case.id(case.person),)) == [(case.code + "X",)]
    assert server.sql("SELECT count(*) FROM audit WHERE action = 'seat.done' "
                      "AND subject_id = %s",
                      (case.id(case.person),)) == [(0,)]


def test_a_disabled_owner_is_one(server, case):
    server.sql("UPDATE account SET state = 'disabled' WHERE id = %s",
               (case.id(case.owner),))
    case.plan().expect(303)
    assert case.role() is None


@pytest.mark.parametrize("change", [
    "UPDATE account SET state = 'disabled' WHERE id = %(keeper)s",
    "UPDATE account SET state = 'disabled' WHERE id = %(person)s",
    "INSERT INTO membership (account_id, tenant_id, role, let_in_by) SELECT "
    "%(person)s, id, 'member', 'first' FROM tenant WHERE code <> %(code)s "
    "LIMIT 1"])
def test_void_when_it_is_not_as_then(server, case, change):
    flows.client_with_key(server, f"X{case.code}", f"Other {case.name}")
    case.plan().expect(303)
    server.sql(change, {"keeper": case.id(case.keeper), "code": case.code,
                        "person": case.id(case.person)})
    case.fall_due()
    assert case.ending() == "void" and case.role() != "owner"


def test_refused(server, case):
    for fields, field in (({"reason": " "}, "seat_reason"),
                          ({"code": "NOSUCH"}, "tenant")):
        answer = case.plan(**fields).expect(422)
        assert f'href="#{field}"' in answer.text
    other = Case(server)
    csrf = case.keeper.get(case.path).form("/seat$").fields["csrf"]
    # Nobody is moved to another client, and an owner is one already.
    case.keeper.post(f"/staff/people/{case.id(other.owner)}/seat", {
        "csrf": csrf, "tenant": case.code, "reason": REASON}).expect(422)
    case.keeper.post(f"/staff/people/{case.id(case.owner)}/seat", {
        "csrf": csrf, "tenant": case.code, "reason": REASON}).expect(422)
    assert server.sql("SELECT count(*) FROM seating WHERE account_id IN "
                      "(%s, %s)", (case.id(other.owner), case.id(case.owner))
                      ) == [(0,)]
    case.plan().expect(303)
    case.keeper.post(f"{case.path}/seat", {
        "csrf": csrf, "tenant": case.code, "reason": REASON}).expect(422)
    # Another client's owner cancels nothing.
    seat = server.sql("SELECT id FROM seating WHERE account_id = %s",
                      (case.id(case.person),))[0][0]
    csrf = other.owner.get("/people").form("signout").fields["csrf"]
    other.owner.post(f"/people/seats/{seat}/cancel",
                     {"csrf": csrf}).expect(404)


def test_pages_in_the_browser(server, browser, admin, case):
    browser.open(server, "/livez").take_session(admin).go(case.path)
    browser.press_submit("/seat")
    browser.inspect("seat-error")
    case.plan().expect(303)
    browser.go(case.path).inspect("seat-planned")
    browser.forget().take_session(case.owner).go("/people")
    browser.inspect("people-seat")
