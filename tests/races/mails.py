"""Which mails each row of the audit must have made, and which it may have."""

import collections

from lib.base import wait_until

SUBSCRIPTION = {"subscription.created": "active",
                "subscription.suspended": "suspended",
                "subscription.reactivated": "active",
                "subscription.cancelled": "cancelled"}


class Mails:
    """A part of Example: it knows server, world, rounds and since."""

    def check_mails(self, rows):
        low, high = collections.Counter(), collections.Counter()
        # Who is disabled gets no mail; when exactly, nothing tells.
        off = {row.subject for row in rows if row.action == "account.disabled"}
        for row in rows:
            for kind, account, least, most in self.mails_of(row):
                low[kind, account] += least if account not in off or \
                    kind == "account_disabled" else 0
                high[kind, account] += most
        wait_until(lambda: self.server.sql(
            "SELECT count(*) FROM outbox WHERE state = 'queued'") == [(0,)],
            30, "an empty outbox")
        sent = self.server.sql(
            "SELECT kind, account_id::text, state, last_error FROM outbox "
            "WHERE created_at >= %s", (self.since,))
        failed = [row for row in sent if row[2] != "sent"]
        # What a newer one replaced before it went.
        over = [row for row in failed if row[1] in off
                or row[0] in ("invitation", "verify")
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
        staff = [s.account for s in self.world.staff + self.world.admins]
        admins = [s.account for s in self.world.admins]
        everybody, looking = {"owner", "manager", "member"}, {"owner",
                                                              "manager"}
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
        elif row.action in ("key.regenerated", "key.overlap_ended",
                            "key.revoked"):
            yield from self.told(row, row.action.replace(".", "_"), everybody,
                                 set())
            if row.action == "key.revoked":
                for account in staff:
                    yield "key_revoked_staff", account, 1, 1
        elif row.action == "subscription.expiry_set":
            yield from self.told(row, "subscription_expiry", everybody, set())
        elif row.action in ("api_user.made", "api_hand_over.made",
                            "api_hand_over.used"):
            yield from self.told(row, row.action.replace(".", "_"), looking,
                                 set())
        elif row.action == "api_user.disabled" and row.actor in staff:
            yield from self.told(row, "api_user_state", looking, set())
        elif row.action in ("account.disabled", "account.enabled"):
            yield row.action.replace(".", "_"), row.subject, 1, 1
        elif row.action in ("seat.planned", "seat.done"):
            kind = row.action.replace(".", "_")
            for account in admins:
                yield kind, account, 1, 1
            if row.action == "seat.done":
                yield kind, row.subject, 1, 1
            yield from self.told(row, kind, {"owner"}, {row.subject})
        elif row.action == "seat.cancelled":
            for account in self.world.accounts:
                yield "seat_cancelled", account, 0, 1
        elif row.action == "tenant.absorbed":
            yield from self.told(row, "tenant_merged", {"owner"}, set())
        elif row.action == "subscription.cancelled" and \
                "product" in row.detail:
            yield from self.told(row, "product_closed", everybody, set())
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
        else:
            # By the courier, between two rounds.
            before, after, first, last = {}, {}, row.id - 1, row.id
        others = self.server.sql(
            "SELECT action, subject_id::text FROM audit WHERE id > %s "
            "AND id <= %s AND (action LIKE 'membership.%%' OR action IN "
            "('account.disabled', 'account.enabled', 'seat.done', "
            "'tenant.absorbed')) AND id <> %s", (first, last, row.id))
        touched = {subject for action, subject in others
                   if action != "tenant.absorbed"}
        if not before or row.action == "tenant.absorbed" or any(
                action == "tenant.absorbed" for action, _ in others):
            for actor in self.world.contacts:
                if actor.account not in without:
                    yield kind, actor.account, 0, 1
            return
        was = {a for a, r in before[row.tenant].items() if r in roles}
        are = {a for a, r in after[row.tenant].items() if r in roles}
        for account in (was | are | touched) - without:
            sure = account in was and account in are and \
                account not in touched
            yield kind, account, int(sure), 1
