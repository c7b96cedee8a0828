"""The access matrix: every row of the binary's own route table, called as
every role, against access.txt, which is written for a reviewer to read."""

import base64
import hashlib
import hmac
import os
import subprocess
import uuid

import pytest
from lib import flows
from lib.base import ROOT

MATRIX = ROOT / "tests/e2e/access.txt"
NOBODY = str(uuid.UUID(int=7))
NONE = "A" * 43                     # shaped like a token, and none


def matrix():
    """{"GET /": {"anonymous": "200", ...}}"""
    lines = MATRIX.read_text().splitlines()
    roles = [line for line in lines if line.startswith("# method path")
             ][0].split()[3:]
    table = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        method, path, *answers = line.split()
        assert len(answers) == len(roles), line
        assert f"{method} {path}" not in table, f"twice: {line}"
        table[f"{method} {path}"] = dict(zip(roles, answers))
    return table


def routes(build):
    """{"GET /": {"ANYONE"}}, as the program itself tells; rows for scripts
    are looked at in tests/api."""
    done = subprocess.run([build / "latchkey", "--routes"], text=True,
                          check=True, capture_output=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {f"{method} {path}": set(guard.split("|"))
            for method, path, guard in rows if "API" not in guard.split("|")}


class World:
    """Two clients with three people each, and everybody else, signed in."""

    def __init__(self, server):
        self.server = server
        self.staff = flows.staff(server)
        self.admin = flows.staff(server, role="admin", name="Ida Admin")
        self.tenant, own = self.client("ALTWORX", "Altaworx")
        _, other = self.client("OTHER", "Other Works")
        self.roles = {
            "anonymous": server.client(),
            "unplaced": flows.contact(server, client="Nobody Yet"),
            **own,
            **{f"x-{role}": browser for role, browser in other.items()},
            "staff": self.staff, "admin": self.admin,
            "disabled": flows.contact(server, client="Gone Works"),
        }
        self.account = {role: self.account_of(browser)
                        for role, browser in self.roles.items()
                        if role != "anonymous"}
        self.seats = server.sql("SELECT account_id, tenant_id, role "
                                "FROM membership")
        server.sql("UPDATE account SET state = 'disabled' WHERE id = %s",
                   (self.account["disabled"],))

    def client(self, code, name):
        """Its id and its people; the key is approved by staff."""
        people = {role: flows.contact(self.server, client=name)
                  for role in ("owner", "manager", "member")}
        flows.request_key(people["owner"], f"{name}-KEY")
        flows.approve(self.staff, flows.requests_in_queue(self.staff)[-1],
                      code=code, client=name).expect(303)
        tenant = self.sql("SELECT id FROM tenant WHERE code = %s", code)
        for role in ("manager", "member"):
            self.sql("INSERT INTO membership (account_id, tenant_id, role, "
                     "let_in_by) VALUES (%s, %s, %s, 'owner') RETURNING role",
                     self.account_of(people[role]), tenant, role)
        return tenant, people

    def sql(self, query, *params):
        rows = self.server.sql(query, params)
        return rows[0][0] if rows else None

    def account_of(self, browser):
        return self.sql("SELECT account_id FROM person WHERE email = %s",
                        browser.email)

    def request(self):
        """A fresh request of the client's manager, the only open one."""
        self.server.sql("DELETE FROM request_consent")
        self.server.sql("DELETE FROM request WHERE state = 'submitted'")
        return self.sql(
            "INSERT INTO request (id, account_id, product_id, tenant_id, "
            "name, client_folded, due_at) SELECT %s::uuid, %s, p.id, %s, "
            "'Altaworx-KEY', 'altaworx', now() + interval '2 days' "
            "FROM product p WHERE p.slug = 'revio-api' RETURNING id",
            str(uuid.uuid4()), self.account["manager"], self.tenant)

    def consent(self):
        """What the client's owner is asked about a request of nobody's."""
        return self.sql(
            "INSERT INTO request_consent (id, request_id, tenant_id, "
            "asked_by) VALUES (%s::uuid, %s, %s, %s) RETURNING id",
            str(uuid.uuid4()), self.request(), self.tenant,
            self.account["staff"])

    def reason(self):
        return self.sql(
            "INSERT INTO canned_reason (id, title, text) SELECT id, id, 'x' "
            "FROM gen_random_uuid() id RETURNING id")

    def subscription(self):
        return self.sql("SELECT id FROM subscription WHERE tenant_id = %s",
                        self.tenant)

    def product(self):
        return self.sql("SELECT id FROM product WHERE slug = 'revio-api'")

    def person(self):
        """A fresh member of the client."""
        account = self.sql(
            "INSERT INTO account (id, kind, password_hash) VALUES "
            "(%s::uuid, 'contact', '') RETURNING id", str(uuid.uuid4()))
        return self.seat(account, self.tenant, "member")

    def seat(self, account, tenant, role):
        self.server.sql(
            "INSERT INTO membership (account_id, tenant_id, role, let_in_by) "
            "VALUES (%s, %s, %s, 'owner') ON CONFLICT DO NOTHING",
            (account, tenant, role))
        return account

    def invitation(self):
        return self.sql(
            "INSERT INTO invitation (id, tenant_id, role, email, "
            "email_folded, email_domain, invited_by, token_hash) VALUES "
            "(%s::uuid, %s, 'member', 'a@b.example', %s, 'b.example', %s, "
            "%s) RETURNING id", str(uuid.uuid4()), self.tenant,
            str(uuid.uuid4()), self.account["owner"], os.urandom(32))

    def ask(self):
        self.server.sql("DELETE FROM join_ask")
        return self.sql(
            "INSERT INTO join_ask (id, account_id, client, client_folded) "
            "VALUES (%s::uuid, %s, 'x', 'x') RETURNING id",
            str(uuid.uuid4()), self.account["unplaced"])

    def api_user(self):
        """A fresh one of the client."""
        number = str(uuid.uuid4())
        return self.sql(
            "INSERT INTO api_user (id, tenant_id, username, vendor, "
            "vendor_folded, integration, contact_email, created_by) VALUES "
            "(%s::uuid, %s, upper(%s), 'V', 'v', 'Sync', 'a@b.example', %s) "
            "RETURNING id", number, self.tenant, number[:30],
            self.account["owner"])

    def handed(self):
        """One with an open link."""
        user = self.api_user()
        self.server.sql("INSERT INTO api_hand_over (id, api_user_id, "
                        "token_hash, created_by) VALUES (%s, %s, %s, %s)",
                        (str(uuid.uuid4()), user, os.urandom(32),
                         self.account["owner"]))
        return user

    def api_role(self):
        number = str(uuid.uuid4())
        self.server.sql("DELETE FROM api_role WHERE preset IS NULL")
        return self.sql("INSERT INTO api_role (id, tenant_id, name, "
                        "name_folded) VALUES (%s::uuid, %s, %s, %s) "
                        "RETURNING id", number, self.tenant, number, number)

    def notice(self):
        """One of the client's owner; its mail has the same id."""
        return self.sql("SELECT mail_queue('people_role', %s, NULL)",
                        self.account["owner"])

    def seating(self):
        return self.sql(
            "INSERT INTO seating (id, tenant_id, account_id, reason, "
            "planned_by, due_at) VALUES (%s::uuid, %s, %s, 'x', %s, "
            "now() + interval '1 day') RETURNING id", str(uuid.uuid4()),
            self.tenant, self.stranger(), self.account["staff"])

    def colleague(self):
        """A fresh member of staff, for what only admins do."""
        return self.named("staff", "staff")

    def stranger(self):
        return self.named("contact", None)

    def named(self, kind, role):
        number = str(uuid.uuid4())
        self.server.sql(
            "WITH a AS (INSERT INTO account (id, kind, staff_role, "
            "password_hash) VALUES (%s::uuid, %s, %s, '') RETURNING id) "
            "INSERT INTO person (account_id, email, email_folded, "
            "email_domain, name) SELECT id, %s, %s, 'x.example', 'Some One' "
            "FROM a", (number, kind, role, number, number))
        return number

    def csrf(self, browser):
        """Of any page that this browser can see; for the anonymous one the
        page also makes the cookie that it is bound to."""
        page = browser.get("/signin")
        if page.status == 303:
            page = browser.get("/account").expect(200)
        return [form for form in page.forms
                if "csrf" in form.fields][0].fields["csrf"]

    def age(self, browser, minutes):
        """The sign-in of this browser was so long ago."""
        for value in browser.cookies.values():
            self.server.sql(
                "UPDATE session SET fresh_at = now() - %s * interval "
                "'1 minute' WHERE id_hash = %s",
                (minutes, hashlib.sha256(value.encode()).digest()))

    def session(self):
        """Another one of the client's member."""
        return self.sql(
            "INSERT INTO session (id_hash, account_id, expires_at) VALUES "
            "(%s, %s, now() + interval '1 day') RETURNING id",
            os.urandom(32), self.account["member"])

    # -- what a row is called with

    def path(self, pattern):
        """The row's path, with ids of the one client in it."""
        values = {
            ":seat": self.seating,
            ":token": lambda: NONE,
            ":slug": lambda: "revio-api",
            ":version": lambda: "1",
            ":account": lambda: NOBODY,
            ":kind": lambda: "digest",
            ":code": lambda: "ALTWORX",
            ":name": lambda: next(
                p.name for p in (self.server.build / "assets").glob("*.css")),
            ":id": lambda: self.by_id.get(
                pattern, self.by_id.get(pattern.split(":id")[0]))(),
        }
        return "/".join(values[part]() if part.startswith(":") else part
                        for part in pattern.split("/"))

    @property
    def by_id(self):
        return {
            "/account/sessions/": self.session,
            "/requests/": self.request,
            "/staff/requests/": self.request,
            "/staff/queue/filters/": lambda: NOBODY,
            "/subscriptions/": self.subscription,
            "/staff/subscriptions/": self.subscription,
            "/staff/people/": self.stranger,
            "/staff/people/:id/role": self.colleague,
            "/staff/people/:id/dismiss": self.colleague,
            "/staff/asks/": self.ask,
            "/staff/reasons/": self.reason,
            "/consents/": self.consent,
            "/staff/products/": self.product,
            "/account/passkeys/": lambda: NOBODY,
            "/account/tokens/": lambda: NOBODY,
            "/issued-keys/": lambda: NOBODY,
            "/staff/issued-keys/": lambda: NOBODY,
            "/notices/": self.notice,
            "/people/seats/": self.seating,
            "/api-users/": self.api_user,
            "/staff/api-users/": self.api_user,
            "/api-users/:id/hand-over/withdraw": self.handed,
            "/staff/api-users/:id/hand-over/withdraw": self.handed,
            "/api-roles/": self.api_role,
            "/staff/tenants/:code/api-roles/": self.api_role,
            "/people/": self.person,
            "/people/invitations/": self.invitation,
        }

    def fields(self, row, browser, path):
        """What is sent: nothing for most rows, so that who is let in is told
        what is missing."""
        if row.endswith("/staff/people/:id/role"):
            return {"role": "admin"}
        if row.endswith("/seat"):
            return {"tenant": "ALTWORX", "reason": "Why not"}
        if row.endswith("/disable"):
            return {"reason": "Why not"}
        if row.endswith("/role"):
            return {"role": "member"}
        if row.endswith("/show"):
            return {"nonce": self.nonce(browser, *path.split("/")[2:5:2])}
        return {}

    def nonce(self, browser, subscription, slot):
        """A good one, as only the portal and who holds the cookie can make
        it: what is tested is that it alone opens nothing."""
        cookie = browser.cookies.get(f"latchkey_{self.server.port}", NONE)
        random = base64url(os.urandom(16))
        return random + "." + base64url(hmac.new(
            cookie.encode(),
            f"nonce\0{random}:{subscription}:{slot}".encode(),
            hashlib.sha256).digest())

    def call(self, row, role, csrf=True):
        method, pattern = row.split()
        browser = self.roles[role]
        path = self.path(pattern)
        if method == "GET":
            return browser.get(path)
        fields = self.fields(row, browser, path)
        if csrf:
            fields["csrf"] = self.csrf(browser)
        try:
            return browser.post(path, fields)
        finally:
            for seat in self.seats:              # who may have left
                self.seat(*seat)


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def told(answer):
    """The answer in the words of access.txt."""
    if answer.status == 200 and answer.title.startswith("Is it you?") and \
            answer.path != "/signin/again":
        return "again"
    if answer.status != 303:
        return str(answer.status)
    if answer.location.startswith("/signin?next="):
        return "signin"
    if answer.location.startswith("/signin/again"):
        return "again"
    return "go"


@pytest.fixture(scope="module")
def world(server):
    return World(server)


def test_each_route_has_a_line(build):
    assert set(matrix()) == set(routes(build))


# Ends the session that all other rows need, so it comes last.
LAST = "POST /signout"


def test_each_route_as_each_role(world, build):
    table, wrong = matrix(), []
    rows = sorted(routes(build), key=lambda row: row == LAST)
    for row in rows:
        if row == LAST:
            continue
        for role, expected in table[row].items():
            said = told(world.call(row, role))
            if said != expected:
                wrong.append(f"{row} as {role}: {said}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_without_csrf_nobody_posts(world, build):
    """Whatever the role: 403, and what the row would change stays."""
    wrong = []
    for row, guard in routes(build).items():
        if not row.startswith("POST ") or "MACHINE" in guard:
            continue
        for role in world.roles:
            said = told(world.call(row, role, csrf=False))
            if said != "403":
                wrong.append(f"{row} as {role}: {said}")
    assert not wrong, "\n".join(wrong)


def test_a_guard_of_fresh_asks_again(world, build):
    """Who signed in 16 minutes ago and would be let in has to sign in again;
    who would not be let in learns nothing of it."""
    table, wrong = matrix(), []
    fresh = [row for row, guard in routes(build).items() if "FRESH" in guard]
    assert fresh
    for role, browser in world.roles.items():
        world.age(browser, 16)
        for row in fresh:
            said, expected = told(world.call(row, role)), table[row][role]
            kind = ("staff" if role in ("staff", "admin") else "contact")
            guard = routes(build)[row]
            passes = (kind == "staff" and "STAFF" in guard
                      or role == "admin" and "ADMIN" in guard
                      or kind == "contact" and "CONTACT" in guard
                      or "ACCOUNT" in guard)
            if expected != "signin" and passes:
                expected = "again"
            if said != expected:
                wrong.append(f"{row} as {role}: {said}, not {expected}")
        world.age(browser, 0)
    assert not wrong, "\n".join(wrong)


def test_ids_of_nobody_are_404(world, build):
    """Neither somebody else's nor anybody's: the same answer."""
    table, wrong = matrix(), []
    for row, answers in table.items():
        method, pattern = row.split()
        if ":id" not in pattern:
            continue
        for nonsense in (str(uuid.uuid4()), "nonsense",
                         "00000000-0000-0000-0000-000000000000"):
            path = pattern.replace(":id", nonsense).replace(
                ":seat", nonsense)
            for role, expected in answers.items():
                browser = world.roles[role]
                fields = world.fields(row, browser, path)
                answer = browser.get(path) if method == "GET" else \
                    browser.post(path, {**fields,
                                        "csrf": world.csrf(browser)})
                said = told(answer)
                if said != ("signin" if expected == "signin" else "404"):
                    wrong.append(f"{row} as {role} with {nonsense}: {said}")
    assert not wrong, "\n".join(wrong)


def test_signout_is_for_those_signed_in(world, build):
    table, wrong = matrix(), []
    for role, expected in table[LAST].items():
        said = told(world.call(LAST, role))
        if said != expected:
            wrong.append(f"{LAST} as {role}: {said}, not {expected}")
    assert not wrong, "\n".join(wrong)
