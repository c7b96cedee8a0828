"""Random sequences of all actions by many actors at once, against a portal
with two workers and its courier.  Rounds of up to five requests go out at the
same moment.  Afterwards the audit is read as what happened, and everything
else must agree with it: which answers said "done", the state of every row,
and the mails, none missing and none twice.

LATCHKEY_RACE_S is for how many seconds (45), LATCHKEY_RACE_SEED which
sequences.  A race may need luck: the same seed gives the same sequences, not
the same interleaving, so the report holds every step with its answer."""

import collections
import os
import time

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from lib.base import wait_until
from lib.server import Server
from races.world import KINDS, OF_STAFF, RESULT, Desk, World

SECONDS = float(os.environ.get("LATCHKEY_RACE_S", "45"))
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
}
# "Done" also where it was so already, or another of the same moment did it.
LENIENT = {"invite", "role", "unseat"}
ENDS = {"request.approved": "approved", "request.shared": "shared",
        "request.rejected": "rejected", "request.withdrawn": "withdrawn"}
SUBSCRIPTION = {"subscription.created": "active",
                "subscription.suspended": "suspended",
                "subscription.reactivated": "active",
                "subscription.cancelled": "cancelled"}
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
    server.sql("INSERT INTO product (id, slug, name) VALUES "
               "(gen_random_uuid(), 'race-second', 'Second API')")
    server.sql("UPDATE product SET state = 'published'")
    one = Desk(server)
    yield one
    one.connection.close()
    server.close()


steps = st.tuples(st.sampled_from(KINDS + sorted(OF_STAFF) + ["subscribe"] * 6
                                  + ["approve"] * 4 + ["join", "say"] * 2),
                  st.integers(0, 9), st.integers(0, 9), st.integers(0, 11))
# A client with an owner, a key and an invitation, or nobody yet.
GROWN = [[("subscribe", 0, 0, 0), ("sign_up", 0, 0, 0)], [("approve", 0, 0, 2)],
         [("invite", 0, 1, 1), ("invite", 0, 3, 0)]]
programs = st.builds(
    lambda first, then: first + then, st.sampled_from([GROWN, GROWN, []]),
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
    for kind in ("subscribe", "approve", "reject", "join", "suspend"):
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


class Example:
    def __init__(self, server):
        self.server = server
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
        try:
            self.check()
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
        last = self.server.sql("SELECT max(id) FROM audit")[0][0] or 0
        return found, last

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
                elif self.is_done(answer):
                    said[actor.account, deed] += 1
                    runs[deed] += 1
        for row in rows:
            left[row.actor, row.action] += 1
        for actor in self.world.contacts + self.world.staff:
            me = actor.account
            for deeds in (["approve", "reject"], ["cancel", "give_up"],
                          *([deed] for deed in LEAVES if deed not in (
                              "approve", "reject", "cancel", "give_up"))):
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
                       and self.is_done(answer)
                       for answers, _, _ in self.rounds
                       for actor, deed, answer in answers)
            assert self.server.sql(
                "SELECT count(*) FROM person WHERE email = %s",
                (visitor.email,)) == [(made,)] and made <= 1, visitor.email

    @staticmethod
    def is_done(answer):
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

    # -- mails: none missing, none twice

    def check_mails(self, rows):
        low, high = collections.Counter(), collections.Counter()
        for row in rows:
            for kind, account, least, most in self.mails_of(row):
                low[kind, account] += least
                high[kind, account] += most
        wait_until(lambda: self.server.sql(
            "SELECT count(*) FROM outbox WHERE state = 'queued'") == [(0,)],
            30, "an empty outbox")
        sent = self.server.sql(
            "SELECT kind, account_id::text, state, last_error FROM outbox "
            "WHERE created_at >= %s", (self.since,))
        failed = [row for row in sent if row[2] != "sent"]
        # What a newer one replaced before it went.
        over = [row for row in failed if row[0] in ("invitation", "verify")
                and row[3] == "the link is used or over"]
        assert failed == over, f"mails that failed: {failed}"
        found = collections.Counter(row[:2] for row in sent)
        kinds = {kind for kind, _ in high}
        for key in set(high) | {k for k in found if k[0] in kinds}:
            assert low[key] <= found[key] <= high[key], (
                f"mails {key[0]} to {self.world.accounts.get(key[1])}: "
                f"{found[key]}, not {low[key]} to {high[key]}")
        files = set(self.server.mails()) - self.mails_before
        assert len(files) == len(sent) - len(over), (
            f"{len(files)} messages of {len(sent)} rows")

    def mails_of(self, row):
        """(kind, account, at least, at most) for one row of the audit."""
        staff = [s.account for s in self.world.staff]
        contact = self.world.accounts.get(row.subject)
        if row.action == "request.submitted":
            yield "request_submitted", row.actor, 1, 1
            for account in staff:
                yield "request_submitted_staff", account, 1, 1
        elif row.action in ("request.approved", "request.shared",
                            "request.rejected"):
            yield row.action.replace(".", "_"), contact, 1, 1
        elif row.action == "request.withdrawn":
            # One's own: none.  By an owner: one, unless it was by removing.
            by_other = row.actor != contact
            yield ("request_withdrawn", contact, row.actor_kind == "system",
                   by_other)
        elif row.action == "request.asked":
            yield "request_question", contact, 1, 1
        elif row.action in ("request.answered", "request.commented"):
            for account in staff:
                yield "request_answer", account, 0, 1
        elif row.action == "request.consent_asked":
            yield from self.told(row, "consent_ask", {"owner"}, set())
        elif row.action in ("request.consent_yes", "request.consent_no"):
            for account in staff:
                yield "consent_answer", account, 0, 1
        elif row.action == "invitation.sent":
            yield "invitation", None, 1, 1
        elif row.action == "membership.created":
            kind = "owner_person_joined" if row.detail["rule"] == \
                "invitation" else "owner_contact_joined"
            yield from self.told(row, kind, {"owner"}, {row.subject})
        elif row.action in ("membership.left", "membership.removed"):
            yield "people_out", row.subject, 1, 1
            yield from self.told(row, "owner_person_gone", {"owner"},
                                 {row.subject})
        elif row.action == "membership.changed":
            if row.subject != row.actor:
                yield "people_role", row.subject, 1, 1
            yield from self.told(row, "people_role", {"owner"},
                                 {row.subject, row.actor})
        elif row.action in SUBSCRIPTION and row.action != \
                "subscription.created":
            yield from self.told(row, row.action.replace(".", "_"),
                                 {"owner", "manager", "member"}, set())
            if row.detail.get("by") == "owner":
                for account in staff:
                    yield "subscription_given_up", account, 1, 1

    def told(self, row, kind, roles, without):
        """People of the row's client: for sure who had one of the roles before
        and after its round and was not touched in it, perhaps whoever had one
        at some time of it."""
        for _, (before, first), (after, last) in self.rounds:
            if first < row.id <= last:
                break
        touched = {r[0] for r in self.server.sql(
            "SELECT subject_id::text FROM audit WHERE id > %s AND id <= %s "
            "AND action LIKE 'membership.%%' AND id <> %s",
            (first, last, row.id))}
        was = {a for a, r in before[row.tenant].items() if r in roles}
        are = {a for a, r in after[row.tenant].items() if r in roles}
        for account in (was | are | touched) - without:
            sure = account in was and account in are and \
                account not in touched
            yield kind, account, int(sure), 1
