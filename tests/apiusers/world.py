"""A client with a key, an owner and a manager, and its API users over HTTP."""

import re
import uuid

from lib import flows

PASSWORD = re.compile(r'<data value="([A-Za-z0-9_-]{32})">')


class Client:
    numbers = iter(range(1, 1000))

    def __init__(self, server, keeper):
        self.server, number = server, next(self.numbers)
        self.name, self.code = f"Robot Works {number}", f"ROBOT{number}"
        self.owner = flows.contact(server, client=self.name)
        flows.request_key(self.owner, f"{self.name}-KEY")
        flows.approve(keeper, flows.requests_in_queue(keeper)[-1],
                      code=self.code, client=self.name).expect(303)
        self.tenant = self.one("SELECT id FROM tenant WHERE code = %s",
                               self.code)

    def one(self, query, *values):
        rows = self.server.sql(query, values)
        return rows[0][0] if rows else None

    def join(self, role, name="Nia Newcomer"):
        browser = flows.contact(self.server, name=name, client=self.name)
        self.server.sql(
            "INSERT INTO membership (account_id, tenant_id, role, let_in_by) "
            "SELECT account_id, %s, %s, 'owner' FROM person WHERE email = %s",
            (self.tenant, role, browser.email))
        return browser

    def role(self, preset="full"):
        return self.one("SELECT id FROM api_role WHERE tenant_id = %s AND "
                        "preset = %s", self.tenant, preset)

    def fields(self, username="FORTAPI", **more):
        return {"username": username, "vendor": f"Vendor of {username}",
                "integration": "Ticket sync", "role": self.role(), **more}

    def make(self, username="FORTAPI", by=None, **more):
        by = by or self.owner
        return by.submit(by.get("/api-users").expect(200),
                         self.fields(username, **more), "/api-users$")

    def made(self, username="FORTAPI", by=None, **more):
        """Its id."""
        self.make(username, by, **more).expect(200)
        return self.one("SELECT id FROM api_user WHERE tenant_id = %s AND "
                        "username = %s AND state <> 'deleted'", self.tenant,
                        username.upper())

    def page(self, user, by=None):
        return (by or self.owner).get(f"/api-users/{user}").expect(200)

    def act(self, user, what, by=None, **fields):
        by = by or self.owner
        return by.submit(self.page(user, by), fields, f"/{what}$")

    def audits(self, action):
        return [row[0] for row in self.server.sql(
            "SELECT detail FROM audit WHERE tenant_id = %s AND action = %s "
            "ORDER BY id", (self.tenant, action))]

    def passwords(self, user):
        return [row[0] for row in self.server.sql(
            "SELECT state FROM api_user_password WHERE api_user_id = %s "
            "ORDER BY created_at, id", (user,))]


def password_on(page):
    found = PASSWORD.findall(page.text)
    assert len(found) == 1, page.words[:800]
    return found[0]


def nobody():
    return str(uuid.uuid4())
