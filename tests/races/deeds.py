"""What people do beside asking and deciding: keys shown, regenerated and
revoked, API users, accounts, seats, products, and clients that are merged.
Where a form carries a nonce or a version, two of a round who are the same
person send the same one."""

import datetime
import re

from lib.base import clean_env, end, spawn, wait_until

# A key in groups for the eye, the password of an API user, a vendor's link.
KEY = re.compile(r"\b[0-9a-f]{8}(?:\s?[0-9a-f]{8}){3}\b")
PASSWORD = re.compile(r'<data value="[A-Za-z0-9_-]{32}"')
LINK = re.compile(r"https?://[^/\"]+(/hand-over/[A-Za-z0-9_-]{43})")
SLOTS = ("primary", "secondary")
OVERLAPS = ("0", "3600")


class Deeds:
    """Half of World: it knows server, codes, contacts, staff, admins, pages
    and links."""

    def form(self, actor, path, action):
        """Fields of a form as it stood when the round began, or None."""
        if (actor, path) not in self.pages:
            browser = actor.browser()
            try:
                self.pages[actor, path] = browser.get(path)
            finally:
                browser.close()
        page = self.pages[actor, path]
        if page.status != 200 or not page.has_form(action):
            return None
        return page.form(action).fields

    def send(self, actor, path, action, to, **fields):
        found = self.form(actor, path, action)
        if found is None:
            return None
        values = {**found, **fields}
        values.pop("csrf", None)
        return lambda: actor.post(to, **values)

    # -- keys

    def key_deed(self, me, whom, how, verb, **fields):
        found = self.subscriptions()
        if not found:
            return None
        path = f"/subscriptions/{found[whom % 2 % len(found)][0]}"
        to = f"/keys/{SLOTS[how % 2]}/{verb}"
        return self.send(me, path, f"{to}$", path + to, **fields)

    def do_show(self, me, _other, whom, how):
        return self.key_deed(me, whom, how, "show")

    def do_regenerate(self, me, _other, whom, how):
        return self.key_deed(me, whom, how, "regenerate",
                             overlap=OVERLAPS[how // 2 % 2])

    def values(self, whom, states):
        """(subscription, value) of the one that is aimed at."""
        found = self.subscriptions()
        if not found:
            return None
        number = found[whom % 2 % len(found)][0]
        rows = self.server.sql(
            "SELECT id::text FROM subscription_key WHERE subscription_id = %s "
            "AND state = ANY(%s) ORDER BY id DESC", (number, states))
        return (number, rows[whom // 2 % len(rows)][0]) if rows else None

    def do_end_overlap(self, me, _other, whom, _how):
        found = self.values(whom, ["old"])
        return found and (lambda: me.post(
            f"/subscriptions/{found[0]}/keys/end", key=found[1]))

    def do_revoke(self, me, _other, whom, how):
        found = self.values(whom, ["current", "old"])
        return found and (lambda: me.post(
            f"/staff/subscriptions/{found[0]}/revoke", key=found[1],
            overlap=OVERLAPS[how % 2], reason="Found in public"))

    def do_expiry(self, me, _other, whom, how):
        found = self.subscriptions()
        if not found:
            return None
        path = f"/staff/subscriptions/{found[whom % 2 % len(found)][0]}"
        day = datetime.datetime.now(datetime.timezone.utc) + \
            datetime.timedelta(days=40 + how)
        return self.send(me, path, "/expiry$", path + "/expiry",
                         day=f"{day:%Y-%m-%d}" if how % 3 else "",
                         reason="As agreed")

    # -- API users

    def users(self):
        return self.server.sql(
            "SELECT u.id::text, u.username FROM api_user u JOIN tenant t "
            "ON t.id = u.tenant_id WHERE t.code = ANY(%s) "
            "ORDER BY u.state <> 'deleted' DESC, u.id DESC", (self.codes,))

    def on_user(self, me, whom, verb, **fields):
        found = self.users()
        if not found:
            return None
        number, name = found[whom % 2 % len(found)]
        path = f"/api-users/{number}"
        if "confirm" in fields:
            fields["confirm"] = name
        return self.send(me, path, f"/{verb}$", f"{path}/{verb}", **fields)

    def do_robot(self, me, _other, whom, how):
        rows = self.server.sql(
            "SELECT r.id::text FROM api_role r JOIN membership m "
            "ON m.tenant_id = r.tenant_id WHERE m.account_id = %s "
            "AND r.preset = 'full'", (me.account,))
        return rows and self.send(
            me, "/api-users", "/api-users$", "/api-users", again="1",
            username=f"ROBOT{how % 2}", vendor=f"Vendor {whom % 2}",
            integration="Ticket sync", role=rows[0][0])

    def do_robot_rotate(self, me, _other, whom, how):
        return self.on_user(me, whom, "rotate", overlap=OVERLAPS[how % 2])

    def do_robot_disable(self, me, _other, whom, _how):
        return self.on_user(me, whom, "disable")

    def do_robot_enable(self, me, _other, whom, _how):
        return self.on_user(me, whom, "enable")

    def do_robot_delete(self, me, _other, whom, _how):
        return self.on_user(me, whom, "delete", confirm="")

    def do_robot_stop(self, me, _other, whom, _how):
        found = self.users()
        return found and (lambda: me.post(
            f"/staff/api-users/{found[whom % 2 % len(found)][0]}/disable",
            reason="It floods us"))

    def do_hand_over(self, me, _other, whom, how):
        return self.on_user(me, whom, "hand-over", overlap=OVERLAPS[how % 2])

    def do_hand_back(self, me, _other, whom, _how):
        return self.on_user(me, whom, "hand-over/withdraw")

    def do_hand_use(self, me, _other, whom, _how):
        if not self.links:
            return None
        link = self.links[-1 - whom % 2 % len(self.links)]
        return lambda: me.submit(link)

    # -- accounts and seats

    def on_person(self, me, other, verb, **fields):
        return lambda: me.post(f"/staff/people/{other.account}/{verb}",
                               **fields)

    def do_disable(self, me, other, _whom, _how):
        return self.on_person(me, other, "disable", reason="Lost laptop")

    def do_enable(self, me, other, _whom, _how):
        return self.on_person(me, other, "enable")

    def do_seat(self, me, other, _whom, how):
        return self.on_person(me, other, "seat", tenant=self.codes[how % 2],
                              reason="The owner left")

    def do_seat_cancel(self, me, _other, whom, _how):
        rows = self.server.sql(
            "SELECT s.id::text FROM seating s JOIN tenant t "
            "ON t.id = s.tenant_id WHERE t.code = ANY(%s) "
            "ORDER BY s.ended_at IS NULL DESC, s.id DESC", (self.codes,))
        return rows and (lambda: me.post(
            f"/people/seats/{rows[whom % 2 % len(rows)][0]}/cancel"))

    # -- products and clients, by admins

    def on_product(self, me, how, verb, **fields):
        number = self.products[how % len(self.products)]
        path = f"/staff/products/{number}"
        return self.send(me, path, f"/{verb}$", f"{path}/{verb}", **fields)

    def do_publish(self, me, _other, _whom, how):
        return self.on_product(me, how, "publish")

    def do_hide(self, me, _other, _whom, how):
        return self.on_product(me, how, "hide")

    def do_close(self, me, _other, _whom, how):
        day = datetime.datetime.now(datetime.timezone.utc) + \
            datetime.timedelta(days=60)
        return self.on_product(me, how, "close", day=f"{day:%Y-%m-%d}",
                               note="There is a newer one")

    def do_keep(self, me, _other, _whom, how):
        return self.on_product(me, how, "keep")

    def do_merge(self, me, _other, _whom, how):
        old, new = self.codes if how % 2 else self.codes[::-1]
        return lambda: me.post(f"/staff/tenants/{old}/merge", into=new,
                               reason="One company")

    # -- approval by checks: what is due, by one more courier

    def do_fall_due(self, _me, _other, _whom, _how):
        due = ("SELECT count(*) FROM request WHERE state = 'submitted' AND "
               "auto_stopped_at IS NULL AND auto_at <= now() AND "
               "waiting_on = 'staff'")
        if self.server.sql(due) == [(0,)]:
            return None

        # It runs what is due when it starts; the portal's own half a minute
        # later.
        return lambda: self.jobs(due)

    def jobs(self, due):
        server = self.server.server
        env = clean_env(**server.settings)
        env["LATCHKEY_DATABASE_URL"] = server.cluster.url(
            "latchkey_courier", server.database)
        connection = server.cluster.connect(server.database)
        with open(server.dir / "courier2.log", "ab") as log:
            courier = spawn([server.build / "latchkey-courier"], stdout=log,
                            stderr=log, env=env)
        try:
            with connection.cursor() as cursor:
                wait_until(lambda: not cursor.execute(due) and
                           cursor.fetchone()[0] == 0, 20, "what is due")
        finally:
            connection.close()
            status = end(courier)
        # -15: the other did it all before this one was there.
        assert status in (0, -15), f"the courier ended with {status}"

    def do_stop_auto(self, me, _other, whom, _how):
        return self.on_request(me, whom, "stop")


SHOWN = {"show": KEY, "regenerate": KEY, "robot": PASSWORD,
         "robot_rotate": PASSWORD, "hand_over": LINK, "hand_use": PASSWORD}
OF_OWNERS = {"show", "regenerate", "end_overlap", "robot", "robot_rotate",
             "robot_disable", "robot_enable", "robot_delete", "hand_over",
             "hand_back", "seat_cancel", "invite", "role"}
OF_ADMINS = {"publish", "hide", "close", "keep", "merge"}
OF_STAFF = {"revoke", "expiry", "robot_stop", "disable", "enable", "seat",
            "fall_due", "stop_auto"}
OF_VISITORS = {"hand_use"}
