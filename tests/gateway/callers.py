"""A client with a key and API users, and keys in every state."""

import base64

from apiusers import world
from lib import flows, issued

PATH = "/psa/api/v1/tickets"
CUSTOMERS = issued.CUSTOMERS


def basic(user, password):
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return "Authorization", f"Basic {text}"


class World:
    def __init__(self, server):
        self.server = server
        keeper = flows.staff(server)
        one = world.Client(server, keeper)
        self.tenant = one.code
        self.key = flows.show_key(one.owner)
        self.users = {}
        for name in ("FORTAPI", "IDLE"):
            page = one.make(name).expect(200)
            self.users[name] = (f"{name}@{one.code}", world.password_on(page))
        server.sql("UPDATE api_user SET state = 'disabled' "
                   "WHERE username = 'IDLE'")
        server.sql("INSERT INTO product (id, slug, name, needs_api_user) "
                   "VALUES (gen_random_uuid(), 'open-api', 'Open API', false)")
        # The same calls come many times over.
        server.sql("UPDATE product SET calls_a_minute = 1000000, "
                   "calls_a_day = NULL")
        self.keys = self.imported("OPEN", "SUSPENDED", "EXPIRED", "CANCELLED",
                                  "THEIRS", "RATED", "SPENT", "NGINX",
                                  "CADDY", "HAPROXY")
        server.sql("UPDATE tenant SET calls_a_minute = 1 WHERE code = 'RATED'")
        server.sql("UPDATE tenant SET calls_a_day = 1 WHERE code = 'SPENT'")
        server.sql("UPDATE subscription s SET expires_at = now() "
                   "FROM tenant t WHERE t.id = s.tenant_id "
                   "AND t.code = 'EXPIRED'")
        server.sql("UPDATE subscription s SET state = 'cancelled' "
                   "FROM tenant t WHERE t.id = s.tenant_id "
                   "AND t.code = 'CANCELLED'")
        self.user = basic(*self.users["FORTAPI"])
        self.issue()

    def issue(self):
        """Keys of other profiles, which the first client has, too."""
        self.slug = self.server.sql("SELECT slug FROM tenant WHERE code = %s",
                                    (self.tenant,))[0][0]
        self.issued, self.ids = {}, {}
        for slug, profile, prefix, environment in (
                ("people", "user-key", "ca", "live"),
                ("trial", "support-issued", "akt", "test"),
                ("partners", "partner-key", "pk", "live")):
            issued.product(self.server, slug, profile)
            key = issued.Key(self.server, flows.subscribe(
                self.server, self.tenant, slug, environment), prefix, slug,
                ["read:customer"])
            self.ids[slug], self.issued[slug] = key.id, key.text

    def imported(self, *codes):
        keys = {code: f"{number + 1:032x}" for number, code in
                enumerate(codes)}
        path = self.server.dir / "import.csv"
        path.write_text("code,name,email_domains\n" + "".join(
            f"{code},{code.title()},\n" for code in codes))
        self.server.ctl("tenant", "import", path)
        path.write_text("tenant,product,name,state,primary,secondary\n" +
                        "".join(
            f"{code},open-api,{code.title()}-KEY,"
            f"{'suspended' if code == 'SUSPENDED' else 'active'},"
            f"{key},{int(key, 16) + 100:032x}\n" for code, key in keys.items()))
        self.server.ctl("subscription", "import", path)
        return keys
