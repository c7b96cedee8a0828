"""Random sequences of all actions by many actors at once, against a portal
with two workers and its courier.  Rounds of up to five requests go out at the
same moment.  Afterwards the audit is read as what happened, and everything
else must agree with it: which answers said "done", the state of every row,
and the mails, none missing and none twice.

LATCHKEY_RACE_S is for how many seconds (60), LATCHKEY_RACE_SEED which
sequences.  A race may need luck: the same seed gives the same sequences, not
the same interleaving, so the report holds every step with its answer."""

import collections
import os
import time

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from lib.server import Server
from races.deeds import SHOWN
from races.mails import SUBSCRIPTION, Mails
from races.world import KINDS, OF_STAFF, PRODUCTS, RESULT, Desk, World

SECONDS = float(os.environ.get("LATCHKEY_RACE_S", "60"))
SEED = int(os.environ.get("LATCHKEY_RACE_SEED", "20261121"))

# What an answer that says "done" must have left in the audit.
LEAVES = {
    "subscribe": ["request.submitted"], "withdraw": ["request.withdrawn"],
    "say": ["request.answered", "request.commented"],
    "approve": ["request.approved"], "share": ["request.shared"],
    "reject": ["request.rejected"], "question": ["request.asked"],
    "take": ["request.taken"], "let_go": ["request.let_go"],
    "invite": ["invitation.sent"], "join": ["membership.created"],
    "leave": ["membership.left"], "unseat": ["membership.removed"],
    "role": ["membership.changed"],
    "suspend": ["subscription.suspended"],
    "reactivate": ["subscription.reactivated"],
    "cancel": ["subscription.cancelled"],
    "give_up": ["subscription.cancelled"],
    "consent": ["request.consent_asked"],
    "agree": ["request.consent_yes", "request.consent_no"],
    "show": ["key.shown"], "regenerate": ["key.regenerated"],
    "end_overlap": ["key.overlap_ended"], "revoke": ["key.revoked"],
    "expiry": ["subscription.expiry_set"],
    "robot": ["api_user.made"], "robot_rotate": ["api_user.rotated"],
    "robot_enable": ["api_user.enabled"],
    "robot_delete": ["api_user.deleted"],
    "robot_disable": ["api_user.disabled"],
    "robot_stop": ["api_user.disabled"],
    "hand_over": ["api_hand_over.made"],
    "hand_back": ["api_hand_over.withdrawn"],
    "disable": ["account.disabled"], "enable": ["account.enabled"],
    "seat": ["seat.planned", "seat.done"], "seat_cancel": ["seat.cancelled"],
    "publish": ["product.published"], "hide": ["product.hidden"],
    "close": ["product.closing", "product.closed"],
    "keep": ["product.kept"], "merge": ["tenant.merged"],
    "stop_auto": ["request.auto_stopped"],
}
# "Done" also where it was so already, or another of the same moment did it.
LENIENT = {"invite", "role", "unseat", "disable", "enable", "robot_disable",
           "robot_enable", "robot_delete", "robot_stop", "seat_cancel",
           "stop_auto"}
# Those that leave the same.
PAIRS = [["approve", "reject"], ["cancel", "give_up"],
         ["robot_disable", "robot_stop"]]
ENDS = {"request.approved": "approved", "request.shared": "shared",
        "request.rejected": "rejected", "request.withdrawn": "withdrawn"}
PRODUCT = {"product.published": {"published"}, "product.hidden": {"hidden"},
           "product.closing": {"closing"}, "product.closed": {"closed"},
           "product.kept": {"published", "hidden"}}
USER = {"api_user.made": "enabled", "api_user.enabled": "enabled",
        "api_user.disabled": "disabled", "api_user.deleted": "deleted"}
BROKEN = {
    "two live keys of a client": """
        SELECT tenant_id FROM subscription WHERE one_key
        AND state IN ('active', 'suspended')
        GROUP BY tenant_id, environment HAVING count(*) > 1""",
    "two open requests of a client": """
        SELECT tenant_id FROM request WHERE state = 'submitted'
        AND tenant_id IS NOT NULL GROUP BY tenant_id, environment
        HAVING count(*) > 1""",
    "a subscription without two keys": """
        SELECT s.id FROM subscription s LEFT JOIN subscription_key k
        ON k.subscription_id = s.id AND k.state = 'current'
        WHERE s.state IN ('active', 'suspended') GROUP BY s.id
        HAVING count(k.id) <> 2""",
    "two old values of a key": """
        SELECT subscription_id FROM subscription_key WHERE state = 'old'
        GROUP BY subscription_id, slot HAVING count(*) > 1""",
    "two passwords of an API user that are current": """
        SELECT api_user_id FROM api_user_password WHERE state = 'current'
        GROUP BY api_user_id HAVING count(*) > 1""",
    "two API users of one name": """
        SELECT tenant_id FROM api_user WHERE name_held
        GROUP BY tenant_id, username HAVING count(*) > 1""",
    "a deleted API user with a password, a role or a link": """
        SELECT id FROM api_user u WHERE state = 'deleted' AND (EXISTS (SELECT
        FROM api_user_password WHERE api_user_id = u.id AND state <> 'ended')
        OR EXISTS (SELECT FROM api_user_role WHERE api_user_id = u.id)
        OR EXISTS (SELECT FROM api_hand_over WHERE api_user_id = u.id
        AND ended_at IS NULL))""",
    "two links for an API user": """
        SELECT api_user_id FROM api_hand_over WHERE ended_at IS NULL
        GROUP BY api_user_id HAVING count(*) > 1""",
    "a session of an account that is not active": """
        SELECT s.id FROM session s JOIN account a ON a.id = s.account_id
        WHERE a.state <> 'active'""",
    "disabled without a reason, or a reason without that": """
        SELECT a.id FROM account a LEFT JOIN account_disabling d
        ON d.account_id = a.id WHERE (a.state = 'disabled') <>
        (d.account_id IS NOT NULL)""",
    "something of a client that was merged": """
        SELECT t.id FROM tenant t WHERE state = 'merged' AND (EXISTS (SELECT
        FROM membership WHERE tenant_id = t.id) OR EXISTS (SELECT
        FROM subscription WHERE tenant_id = t.id) OR EXISTS (SELECT
        FROM request WHERE tenant_id = t.id) OR EXISTS (SELECT FROM api_user
        WHERE tenant_id = t.id))""",
    "seated, and not an owner": """
        SELECT s.id FROM seating s WHERE s.ending = 'seated' AND NOT EXISTS (
        SELECT FROM audit a WHERE a.action IN ('membership.changed',
        'membership.left', 'membership.removed') AND a.subject_id =
        s.account_id) AND NOT EXISTS (SELECT FROM membership m
        WHERE m.account_id = s.account_id AND m.role = 'owner')""",
    "a client with people and no owner": """
        SELECT tenant_id FROM membership GROUP BY tenant_id
        HAVING count(*) FILTER (WHERE role = 'owner') = 0""",
    "approved or shared without a subscription": """
        SELECT id FROM request WHERE (state IN ('approved', 'shared'))
        <> (subscription_id IS NOT NULL)""",
    "an open request of another client than its contact's": """
        SELECT r.id FROM request r LEFT JOIN membership m
        ON m.account_id = r.account_id WHERE r.state = 'submitted'
        AND r.tenant_id IS DISTINCT FROM m.tenant_id""",
    "a decision without its place in the thread": """
        SELECT r.id FROM request r LEFT JOIN request_note n
        ON n.request_id = r.id AND n.kind = 'decision'
        WHERE r.state <> 'submitted' GROUP BY r.id
        HAVING count(n.id) <> 1""",
}
Row = collections.namedtuple("Row", "id tenant actor_kind actor action "
                             "kind subject detail")


@pytest.fixture(scope="module")
def desk(cluster):
    server = Server(cluster, workers=2, settings={"LOG_LEVEL": "warn"})
    server.sql("INSERT INTO product (id, slug, name, approval, "
               "approval_delay_min) VALUES "
               "(gen_random_uuid(), 'race-second', 'Second API', 'hand', 0), "
               "(gen_random_uuid(), 'race-checks', 'Third API', 'checks', 0)")
    server.sql("UPDATE product SET state = 'published'")
    one = Desk(server)
    yield one
    one.connection.close()
    server.close()


steps = st.tuples(st.sampled_from(KINDS + sorted(OF_STAFF) + ["subscribe"] * 6
                                  + ["approve"] * 4 + ["join", "say", "merge",
                                                       "regenerate"] * 2),
                  st.integers(0, 9), st.integers(0, 9), st.integers(0, 11))
# A client with an owner, a key and an invitation, or nobody yet.
GROWN = [[("subscribe", 0, 0, 0), ("sign_up", 0, 0, 0)], [("approve", 0, 0, 2)],
         [("invite", 0, 1, 1), ("invite", 0, 3, 0)]]
# One whose owner has an API user, and a request that checks approve.
FULL = GROWN + [[("robot", 0, 0, 0), ("regenerate", 0, 0, 2)],
                [("hand_over", 0, 0, 1), ("merge", 0, 0, 0)]]
CHECKED = [[("subscribe", 1, 0, 3)], [("fall_due", 0, 0, 0)]]
programs = st.builds(
    lambda first, then: first + then,
    st.sampled_from([GROWN, FULL, CHECKED, []]),
    st.lists(st.lists(steps, min_size=2, max_size=5), min_size=4,
             max_size=10))
ended = time.monotonic() + 86400
runs = collections.Counter()


@seed(SEED)
@settings(max_examples=max(100, int(SECONDS * 4)), deadline=None,
          database=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))
@given(program=programs)
def run_programs(desk, program):
    if time.monotonic() > ended:
        return
    Example(desk).run(program)


def test_random_sequences(desk):
    global ended
    ended = time.monotonic() + SECONDS
    run_programs(desk)
    print(f"seed {SEED}: {dict(runs)}")
    for kind in ("subscribe", "approve", "reject", "join", "suspend", "show",
                 "regenerate", "robot", "disable", "merge", "hide"):
        assert runs[kind] > 0, f"never done: {kind} of {dict(runs)}"
    done = desk.server.ctl("audit", "verify", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("fault", [
    # a mail twice, one that never went, and one to somebody else
    "INSERT INTO outbox (kind, account_id, state, ended_at) SELECT kind, "
    "account_id, state, ended_at FROM outbox WHERE kind = 'request_approved' "
    "ORDER BY created_at DESC LIMIT 1",
    "DELETE FROM outbox WHERE id = (SELECT id FROM outbox WHERE kind = "
    "'request_submitted_staff' ORDER BY created_at DESC LIMIT 1)",
    "UPDATE outbox SET account_id = (SELECT id FROM account WHERE kind = "
    "'staff' LIMIT 1) WHERE id = (SELECT id FROM outbox WHERE kind = "
    "'request_approved' ORDER BY created_at DESC LIMIT 1)",
    # what nothing in the audit tells of
    "UPDATE membership SET role = 'manager' WHERE account_id = "
    "(SELECT account_id FROM membership ORDER BY created_at DESC LIMIT 1)",
    "UPDATE request SET assigned_to = account_id WHERE id = (SELECT id "
    "FROM request ORDER BY submitted_at DESC LIMIT 1)",
    "UPDATE subscription SET state = 'suspended' WHERE id = (SELECT id "
    "FROM subscription ORDER BY created_at DESC LIMIT 1)",
])
def test_the_model_finds_faults(desk, fault):
    example = Example(desk)
    example.run(GROWN[:2])
    desk.sql(fault)
    with pytest.raises(AssertionError):
        example.check()
    desk.sql("UPDATE membership SET role = 'owner' WHERE role = 'manager'")


class Example(Mails):
    def __init__(self, server):
        self.server = server
        server.sql("UPDATE product SET state = 'published', closes_at = NULL "
                   "WHERE state <> 'published'")
        self.mails_before = set(server.mails())
        self.start = server.sql("SELECT coalesce(max(id), 0) FROM audit")[0][0]
        self.since = server.sql("SELECT clock_timestamp()")[0][0]
        self.world = World(server)
        self.trace, self.rounds = [], []

    def run(self, program):
        for steps_ in program:
            before = self.members()
            answers = self.world.round(steps_)
            self.trace.append([(deed, actor.email, answer.path, answer.status)
                               for actor, deed, answer in answers])
            self.rounds.append((answers, before, self.members()))
        # What is due later is not.
        self.server.sql("UPDATE request SET auto_stopped_at = now() WHERE "
                        "state = 'submitted' AND auto_stopped_at IS NULL")
        try:
            self.check_when_quiet()
        except AssertionError as error:
            lines = [f"    {step}" for one in self.trace
                     for step in one + ["--"]]
            raise AssertionError(f"seed {SEED}: {error}\n"
                                 + "\n".join(lines)) from None

    def members(self):
        """{tenant: {account: role}}, and the audit's last row."""
        found = collections.defaultdict(dict)
        for tenant, account, role in self.server.sql(
                "SELECT m.tenant_id::text, m.account_id::text, m.role "
                "FROM membership m JOIN tenant t ON t.id = m.tenant_id "
                "WHERE t.code = ANY(%s)", (self.world.codes,)):
            found[tenant][account] = role
        return found, self.last()

    def last(self):
        return self.server.sql("SELECT max(id) FROM audit")[0][0] or 0

    def check_when_quiet(self):
        """The courier does what is due at any time: then once more."""
        for turn in range(5):
            before = self.last()
            try:
                self.check()
            except AssertionError:
                if turn == 4 or self.last() == before:
                    raise
            else:
                return

    def check(self):
        for what, query in BROKEN.items():
            assert not self.server.sql(query), what
        rows = [Row(*row) for row in self.server.sql(
            "SELECT id, tenant_id::text, actor_kind, actor_id::text, action, "
            "subject_kind, subject_id::text, detail FROM audit WHERE id > %s "
            "ORDER BY id", (self.start,))]
        self.check_answers(rows)
        self.check_visitors()
        self.check_requests(rows)
        self.check_members(rows)
        self.check_subscriptions(rows)
        self.check_keys(rows)
        self.check_users(rows)
        self.check_rest(rows)
        self.check_mails(rows)

    # -- who was told "done", and what was

    def check_answers(self, rows):
        said, left = collections.Counter(), collections.Counter()
        bulk = collections.Counter()
        for answers, _, _ in self.rounds:
            for actor, deed, answer in answers:
                assert answer.status in (200, 303, 404, 409, 410, 422, 429,
                                         503), (
                    f"{deed}: {answer}")
                if deed == "bulk":
                    for _, tone in RESULT.findall(answer.text):
                        bulk[actor.account] += tone == "good"
                elif self.is_done(deed, answer):
                    said[actor.account, deed] += 1
                    runs[deed] += 1
        for row in rows:
            left[row.actor, row.action] += 1
        world = self.world
        for actor in world.contacts + world.staff + world.admins:
            me = actor.account
            for deeds in PAIRS + [[deed] for deed in LEAVES
                                  if deed not in sum(PAIRS, [])]:
                told = sum(said[me, deed] for deed in deeds)
                if deeds[0] == "approve":
                    told += bulk[me]
                done = sum(left[me, action] for action in
                           {a for deed in deeds for a in LEAVES[deed]})
                if deeds == ["withdraw"]:
                    # Who leaves or removes somebody withdraws, too.
                    assert done >= told, (deeds, actor.email, told, done)
                elif deeds[0] in LENIENT:
                    assert done <= told, (deeds, actor.email, told, done)
                elif deeds == ["join"]:
                    done = sum(row.actor == me and row.action ==
                               "membership.created" and
                               row.subject == me for row in rows)
                    assert done == told, (deeds, actor.email, told, done)
                else:
                    assert done == told, (deeds, actor.email, told, done)

    def check_visitors(self):
        """A link makes one account, however often it is used at once."""
        for visitor in self.world.visitors:
            made = sum(actor is visitor and deed == "verify"
                       and self.is_done(deed, answer)
                       for answers, _, _ in self.rounds
                       for actor, deed, answer in answers)
            assert self.server.sql(
                "SELECT count(*) FROM person WHERE email = %s",
                (visitor.email,)) == [(made,)] and made <= 1, visitor.email

    @staticmethod
    def is_done(deed, answer):
        if deed in SHOWN:
            return answer.status == 200 and bool(SHOWN[deed].search(
                answer.words if deed in ("show", "regenerate")
                else answer.text))
        return answer.status == 303 and not answer.location.startswith(
            ("/signin", "/account"))

    # -- the state of every row, from the audit

    def check_requests(self, rows):
        state, waits, taken = {}, {}, {}
        for row in rows:
            if row.kind != "request":
                continue
            if row.action == "request.submitted":
                assert row.subject not in state, "submitted twice"
                state[row.subject] = "submitted"
                continue
            was = state.get(row.subject)
            assert was == "submitted", f"{row.action} of one that is {was}"
            state[row.subject] = ENDS.get(row.action, "submitted")
            if row.action in ("request.asked", "request.answered"):
                is_ask = row.action == "request.asked"
                assert waits.get(row.subject, False) != is_ask, row
                waits[row.subject] = is_ask
            elif row.action == "request.taken":
                taken[row.subject] = row.actor
            elif row.action == "request.let_go":
                taken.pop(row.subject)
        for number, now, waiting, keeper, who in self.server.sql(
                "SELECT r.id::text, r.state, r.waiting_on, "
                "r.assigned_to::text, r.account_id::text FROM request r "
                "WHERE r.account_id = ANY(%s::uuid[])",
                ([c.account for c in self.world.contacts],)):
            assert state.pop(number, None) == now, (number, now)
            if now == "submitted":
                assert waits.get(number, False) == (waiting == "contact")
            assert taken.get(number) == keeper, (number, keeper)
            self.world.accounts[number] = who
        assert not state, f"requests that are gone: {state}"

    def check_members(self, rows):
        seats = {}
        for row in rows:
            if row.action == "membership.created":
                assert row.subject not in seats, "seated twice"
                seats[row.subject] = row.tenant, row.detail["role"]
            elif row.action in ("membership.left", "membership.removed"):
                assert seats.pop(row.subject)[0] == row.tenant
            elif row.action == "seat.done":
                assert seats.get(row.subject, (row.tenant,))[0] == row.tenant
                seats[row.subject] = row.tenant, "owner"
            elif row.action == "tenant.absorbed":
                gone = row.detail["tenant"]
                seats = {who: (row.tenant if tenant == gone else tenant, role)
                         for who, (tenant, role) in seats.items()}
            elif row.action == "membership.changed":
                tenant, role = seats[row.subject]
                assert (tenant, role) == (row.tenant, row.detail["from"])
                seats[row.subject] = tenant, row.detail["to"]
        found, _ = self.members()
        assert seats == {account: (tenant, role)
                         for tenant, people in found.items()
                         for account, role in people.items()}

    def check_subscriptions(self, rows):
        state = {row.subject: SUBSCRIPTION[row.action] for row in rows
                 if row.action in SUBSCRIPTION}
        assert state == dict(self.server.sql(
            "SELECT s.id::text, s.state FROM subscription s JOIN tenant t "
            "ON t.id = s.tenant_id WHERE t.code = ANY(%s)",
            (self.world.codes,)))

    def check_keys(self, rows):
        """As many values as were made, and the old ones that were left."""
        did = collections.Counter((row.subject, row.action) for row in rows)
        for number, count in self.server.sql(
                "SELECT s.id::text, count(*) FROM subscription s JOIN tenant t "
                "ON t.id = s.tenant_id JOIN subscription_key k "
                "ON k.subscription_id = s.id WHERE t.code = ANY(%s) "
                "GROUP BY 1", (self.world.codes,)):
            least = 2 + did[number, "key.regenerated"]
            # A revoked old value is replaced by none.
            assert least <= count <= least + did[number, "key.revoked"]
        ended = [row.detail["key"] for row in rows
                 if row.action == "key.overlap_ended"]
        assert len(ended) == len(set(ended)), "an overlap ended twice"
        replaced = [row.detail["old"] for row in rows
                    if row.action == "key.regenerated"]
        assert len(replaced) == len(set(replaced)), "a value replaced twice"

    def check_users(self, rows):
        state, made, links = {}, collections.Counter(), {}
        for row in rows:
            if row.action in USER:
                assert (row.subject in state) == (row.action !=
                                                  "api_user.made"), row
                assert state.get(row.subject) != "deleted", row
                state[row.subject] = USER[row.action]
            if row.action in ("api_user.made", "api_user.rotated",
                              "api_hand_over.used"):
                made[row.subject] += 1
            if row.kind == "api_user" and "hand_over" in row.detail:
                links.setdefault(row.detail["hand_over"], []).append(
                    row.action)
        found = self.server.sql(
            "SELECT u.id::text, u.state, (SELECT count(*) FROM "
            "api_user_password WHERE api_user_id = u.id) FROM api_user u JOIN "
            "tenant t ON t.id = u.tenant_id WHERE t.code = ANY(%s)",
            (self.world.codes,))
        assert state == {number: now for number, now, _ in found}
        assert made == {number: count for number, _, count in found}
        for link, actions in links.items():
            assert actions[0] == "api_hand_over.made" and \
                len(actions) <= 2, (link, actions)
        used = sum(row.action == "api_hand_over.used" for row in rows)
        assert used == sum(
            deed == "hand_use" and self.is_done(deed, answer)
            for answers, _, _ in self.rounds for _, deed, answer in answers)

    def check_rest(self, rows):
        product, account = {}, {}
        for row in rows:
            if row.action in PRODUCT:
                product[row.subject] = PRODUCT[row.action]
            elif row.action in ("account.disabled", "account.enabled"):
                off = row.action == "account.disabled"
                assert account.get(row.subject, False) != off, row
                account[row.subject] = off
        for number, now in self.server.sql(
                "SELECT id::text, state FROM product WHERE slug = ANY(%s)",
                (list(PRODUCTS),)):
            assert now in product.get(number, {"published"}), (number, now)
        for number, now in self.server.sql(
                "SELECT id::text, state = 'disabled' FROM account "
                "WHERE id = ANY(%s::uuid[])",
                ([c.account for c in self.world.contacts],)):
            assert account.get(number, False) == now, (number, now)
        merged = [row.tenant for row in rows if row.action == "tenant.merged"]
        assert len(merged) == len(set(merged)), "merged twice"
        assert sorted(merged) == sorted(r[0] for r in self.server.sql(
            "SELECT id::text FROM tenant WHERE code = ANY(%s) "
            "AND state = 'merged'", (self.world.codes,)))
