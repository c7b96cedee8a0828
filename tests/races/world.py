"""Clients, contacts and staff of one example, and what each can do: an action
is one request over HTTP, aimed at what there was when its round began, so that
several of a round meet at the same rows."""

import base64
import hashlib
import itertools
import os
import re
import threading
import urllib.parse
import uuid

from lib.flows import PASSWORD
from lib.mail import Message
from races import deeds

NUMBERS = itertools.count(1)
PRODUCTS = ("revio-api", "race-second", "race-checks")
ROLES = ("member", "manager", "owner")
RESULT = re.compile(r'href="/staff/requests/([0-9a-f-]{36})">.*?'
                    r'<span class="badge is-(good|warn)">', re.S)


class Desk:
    """The portal with one connection to its database, and its mails, each
    read once."""

    def __init__(self, server):
        self.server, self.port = server, server.port
        self.connection = server.cluster.connect(server.database)
        self.known = {}
        self.staff = [(person(self, "staff", f"Keeper {n}", mail), mail)
                      for n, mail in enumerate(("keeper0@staff.example",
                                                "keeper1@staff.example"))]
        self.admins = [(person(self, "admin", f"Admin {n}", mail), mail)
                       for n, mail in enumerate(("admin0@staff.example",
                                                 "admin1@staff.example"))]

    def sql(self, query, params=None):
        with self.connection.cursor() as cursor:
            cursor.execute(query, params)
            return cursor.fetchall() if cursor.description else None

    def mails(self):
        """{file: message}"""
        for path in self.server.maildir.glob("*.eml"):
            if path.name not in self.known:
                self.known[path.name] = Message(path)
        return self.known

    def client(self):
        return self.server.client()


class Actor:
    """Somebody who is signed in; several of their requests may be under way
    at once."""

    def __init__(self, server, account, email, client=""):
        self.server, self.account, self.email = server, account, email
        self.client = client
        self.enter()

    def enter(self):
        server, account = self.server, self.account
        token = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        server.sql("INSERT INTO session (id_hash, account_id, expires_at) "
                   "VALUES (%s, %s, now() + interval '1 hour')",
                   (hashlib.sha256(token.encode()).digest(), account))
        self.cookies = {f"latchkey_{server.port}": token}
        page = self.browser().get("/account").expect(200)
        self.csrf = page.form("/signout").fields["csrf"]

    def enter_again(self):
        """Who was disabled has no session any more; enabled, a new one."""
        if self.server.sql(
                "SELECT FROM account a WHERE id = %s AND state = 'active' AND "
                "NOT EXISTS (SELECT FROM session WHERE account_id = a.id)",
                (self.account,)):
            self.enter()

    def browser(self):
        browser = self.server.client()
        browser.cookies = dict(self.cookies)
        return browser

    def post(self, path, *pairs, **fields):
        browser = self.browser()
        try:
            return browser.request("POST", path, urllib.parse.urlencode(
                [("csrf", self.csrf), *pairs, *fields.items()]))
        finally:
            browser.close()


class Visitor:
    """Somebody without an account, at each request with another browser."""

    account = None

    def __init__(self, server, email):
        self.server, self.email = server, email

    def submit(self, path, **fields):
        browser = self.server.client()
        try:
            page = browser.get(path)
            if page.status != 200:
                return page
            return browser.submit(page, fields, path)
        finally:
            browser.close()


def person(server, kind, name, email, client=""):
    account = str(uuid.uuid4())
    server.sql(
        "WITH a AS (INSERT INTO account (id, kind, staff_role, password_hash, "
        "verified_at) VALUES (%s, %s, %s, '*', now()) RETURNING id) "
        "INSERT INTO person "
        "(account_id, email, email_folded, email_domain, name, client) "
        "SELECT id, %s, %s, %s, %s, %s FROM a",
        (account, "contact" if kind == "contact" else "staff",
         None if kind == "contact" else kind, email, email,
         email.partition("@")[2], name, client))
    return account


class World(deeds.Deeds):
    """A client that is listed, with its mail domain, and one that nobody
    knows; two contacts of each and one of neither."""

    def __init__(self, server):
        self.server = server
        self.number = n = next(NUMBERS)
        self.codes = [f"LISTED{n}", f"NEW{n}"]
        self.names = [f"Listed {n}", f"New {n}"]
        server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) "
                   "VALUES (gen_random_uuid(), %s, %s, %s, %s)",
                   (self.codes[0], self.names[0], f"listed{n}", f"listed{n}"))
        server.sql("INSERT INTO tenant_domain SELECT id, %s FROM tenant WHERE "
                   "code = %s", (f"listed{n}.example", self.codes[0]))
        self.contacts = []
        for place, which in enumerate((0, 0, 1, 1, 1)):
            domain = f"{('listed', 'new')[which]}{n}.example"
            mail = f"c{place}@{domain}"
            self.contacts.append(Actor(server, person(
                server, "contact", f"Contact {place}", mail,
                self.names[which]), mail, self.names[which]))
        self.visitors = [Visitor(server, f"v{place}@new{n}.example")
                         for place in range(2)]
        self.staff = [Actor(server, account, mail) for account, mail in server.staff]
        self.admins = [Actor(server, account, mail)
                       for account, mail in server.admins]
        self.accounts = {a.account: a.email
                         for a in self.contacts + self.staff + self.admins}
        # Of the round: pages by (who, path).  Of all: links for vendors.
        self.pages, self.links = {}, []
        self.products = [row[0] for row in server.sql(
            "SELECT id::text FROM product WHERE slug = ANY(%s) ORDER BY slug",
            (list(PRODUCTS[1:]),))]

    # -- what there is when a round begins

    def requests(self):
        return [row[0] for row in self.server.sql(
            "SELECT r.id::text FROM request r WHERE r.account_id = "
            "ANY(%s::uuid[]) ORDER BY r.state = 'submitted' DESC, r.id DESC",
            ([c.account for c in self.contacts],))]

    def subscriptions(self):
        return self.server.sql(
            "SELECT s.id::text, s.name FROM subscription s JOIN tenant t "
            "ON t.id = s.tenant_id WHERE t.code = ANY(%s) "
            "ORDER BY s.state IN ('active', 'suspended') DESC, s.id DESC",
            (self.codes,))

    def link(self, email, part):
        """That of the newest mail that has one, or None."""
        links = [mail.link(part) for _, mail in
                 sorted(self.server.mails().items())
                 if email in mail.to and part in mail.text]
        return links[-1] if links else None

    def consents(self):
        return [row[0] for row in self.server.sql(
            "SELECT c.id::text FROM request_consent c JOIN tenant t "
            "ON t.id = c.tenant_id WHERE t.code = ANY(%s) "
            "ORDER BY c.answer IS NULL DESC, c.id DESC", (self.codes,))]

    # -- steps

    def aim(self, step):
        """(actor, deed, call) of a step (kind, who, whom, how); None when
        there is nothing to aim at."""
        kind, who, whom, how = step
        actors = self.admins if kind in deeds.OF_ADMINS else self.staff \
            if kind in OF_STAFF else self.visitors \
            if kind in OF_VISITORS else self.contacts
        if kind in deeds.OF_OWNERS and how % 4:
            actors = self.looking_after() or actors
        actor = actors[who % len(actors)]
        other = self.contacts[whom % len(self.contacts)]
        made = getattr(self, "do_" + kind)(actor, other, whom, how)
        return made and (actor, kind, made)

    def looking_after(self):
        """Owners and managers: others only hear that they may not."""
        found = {row[0] for row in self.server.sql(
            "SELECT m.account_id::text FROM membership m WHERE role <> "
            "'member' AND account_id = ANY(%s::uuid[])",
            ([c.account for c in self.contacts],))}
        return [c for c in self.contacts if c.account in found]

    def request_of(self, whom):
        # Mostly the newest open one, so that several are after the same.
        found = self.requests()
        return found[whom % 3 % len(found)] if found else None

    def on_request(self, actor, whom, verb, *pairs, **fields):
        found = self.request_of(whom)
        area = "/staff/requests" if actor in self.staff else "/requests"
        return found and (lambda: actor.post(f"{area}/{found}/{verb}", *pairs,
                                             **fields))

    def on_subscription(self, actor, whom, verb, area="/staff", **fields):
        found = self.subscriptions()
        if not found:
            return None
        number, name = found[whom % 2 % len(found)]
        return lambda: actor.post(f"{area}/subscriptions/{number}/{verb}",
                                  **{"name": name, **fields})

    def do_subscribe(self, me, _other, _whom, how):
        product = PRODUCTS[(0, 0, 1, 2)[how % 4]]
        return lambda: me.post(f"/products/{product}/subscribe",
                               name=f"{me.client}-KEY")

    def do_withdraw(self, me, _other, whom, _how):
        return self.on_request(me, whom, "withdraw")

    def do_say(self, me, _other, whom, _how):
        return self.on_request(me, whom, "answer", text="As you asked")

    def do_approve(self, me, _other, whom, how):
        code, name = self.codes[how % 2], self.names[how % 2]
        reason = "known by phone" if how % 3 else ""
        known = how % 2 == 0 or self.server.sql(
            "SELECT FROM tenant WHERE code = %s", (code,))
        if known:
            return self.on_request(me, whom, "approve", tenant=code,
                                   reason=reason)
        return self.on_request(me, whom, "approve", tenant="", code=code,
                               client=name, reason=reason)

    def do_share(self, me, _other, whom, how):
        return self.on_request(me, whom, "share", tenant=self.codes[how % 2],
                               reason="known by phone")

    def do_reject(self, me, _other, whom, _how):
        return self.on_request(me, whom, "reject", reason="Not ours")

    def do_question(self, me, _other, whom, _how):
        return self.on_request(me, whom, "ask", question="Who are you?")

    def do_take(self, me, _other, whom, _how):
        return self.on_request(me, whom, "take")

    def do_let_go(self, me, _other, whom, _how):
        return self.on_request(me, whom, "let-go")

    def do_bulk(self, me, _other, _whom, how):
        ids = [("id", number) for number in self.requests()[:4]]
        return ids and (lambda: me.post(
            "/staff/queue/decide", *ids, reason="known by phone",
            do="approve" if how % 3 else "reject"))

    def do_invite(self, me, other, _whom, how):
        return lambda: me.post("/people/invite", email=other.email,
                               role=ROLES[how % 3])

    def do_join(self, me, _other, _whom, _how):
        link = self.link(me.email, "/invite/")
        return link and (lambda: me.post(link))

    def do_leave(self, me, _other, _whom, _how):
        return lambda: me.post("/people/leave")

    def do_unseat(self, me, other, _whom, _how):
        # Of oneself it is the same as leaving.
        return me is not other and (
            lambda: me.post(f"/people/{other.account}/unseat"))

    def do_role(self, me, other, _whom, how):
        return lambda: me.post(f"/people/{other.account}/role",
                               role=ROLES[how % 3])

    def do_suspend(self, me, _other, whom, _how):
        return self.on_subscription(me, whom, "suspend", reason="Unpaid")

    def do_reactivate(self, me, _other, whom, _how):
        return self.on_subscription(me, whom, "reactivate", reason="Paid")

    def do_cancel(self, me, _other, whom, _how):
        return self.on_subscription(me, whom, "cancel", reason="Gone")

    def do_give_up(self, me, _other, whom, _how):
        return self.on_subscription(me, whom, "cancel", area="",
                                    reason="Not needed")

    def do_consent(self, me, _other, whom, how):
        return self.on_request(me, whom, "consent", tenant=self.codes[how % 2])

    def do_agree(self, me, _other, whom, how):
        found = self.consents()
        return found and (lambda: me.post(
            f"/consents/{found[whom % 2 % len(found)]}",
            answer="no" if how % 3 == 0 else "yes"))

    def do_sign_up(self, me, _other, _whom, how):
        return lambda: me.submit("/signup", email=me.email, name="Vic Visitor",
                                 client=self.names[how % 2])

    def do_verify(self, me, _other, _whom, _how):
        link = self.link(me.email, "/verify/")
        return link and (lambda: me.submit(link, password=PASSWORD))

    # -- all steps of a round at the same moment

    def round(self, steps):
        """[(actor, deed, answer)] of those that could be aimed."""
        for actor in self.contacts:
            actor.enter_again()
        self.pages = {}
        aimed = [found for found in map(self.aim, steps) if found]
        gate = threading.Barrier(len(aimed)) if aimed else None
        answers, errors = [None] * len(aimed), []

        def run(place):
            try:
                gate.wait(20)
                answers[place] = aimed[place][2]()
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)
        threads = [threading.Thread(target=run, args=(n,))
                   for n in range(len(aimed))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "an answer never came"
        assert not errors, errors
        done = [(actor, deed, answer) for (actor, deed, _), answer
                in zip(aimed, answers) if answer is not None]
        self.links += [deeds.LINK.search(answer.text)[1]
                       for _, deed, answer in done if deed == "hand_over"
                       and deeds.LINK.search(answer.text)]
        return done


OF_STAFF = {"approve", "share", "reject", "question", "take", "let_go", "bulk",
            "suspend", "reactivate", "cancel", "consent"} | deeds.OF_STAFF
OF_VISITORS = {"sign_up", "verify"} | deeds.OF_VISITORS
KINDS = sorted(name[3:] for name in dir(World) if name.startswith("do_"))
