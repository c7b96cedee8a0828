/*
 * What each action is called on pages.  tests/audit/test_words.py finds every
 * action that the programs and the schema write, and asks for its row here.
 */
#include "audit/audit.h"

#include "base/str.h"

/* In the order of the list to choose from: by the part before the dot. */
static const struct audit_action actions[] = {
	{ "account.closed", "Closed the account" },
	{ "account.created", "Made an account" },
	{ "account.disabled", "Disabled an account" },
	{ "account.enabled", "Enabled an account again" },
	{ "api_hand_over.made", "Made a link for a vendor" },
	{ "api_hand_over.used", "Used the link for a vendor" },
	{ "api_hand_over.withdrawn", "Withdrew a link for a vendor" },
	{ "api_role.changed", "Changed a role of API users" },
	{ "api_role.deleted", "Deleted a role of API users" },
	{ "api_role.made", "Made a role of API users" },
	{ "api_user.changed", "Changed the details of an API user" },
	{ "api_user.deleted", "Deleted an API user" },
	{ "api_user.disabled", "Disabled an API user" },
	{ "api_user.enabled", "Enabled an API user" },
	{ "api_user.made", "Made an API user" },
	{ "api_user.permissions", "Changed what an API user may do" },
	{ "api_user.rotated", "Made a new password of an API user" },
	{ "email.asked", "Asked for a new e-mail address" },
	{ "email.changed", "Changed the e-mail address" },
	{ "email.undone", "Took a change of e-mail address back" },
	{ "factor.added", "Added a second factor" },
	{ "factor.failed", "Failed at the second factor" },
	{ "factor.removed", "Removed a second factor" },
	{ "factor.reset", "Took a second factor off for somebody" },
	{ "invitation.sent", "Invited somebody" },
	{ "invitation.withdrawn", "Withdrew an invitation" },
	{ "issued_key.activated", "Activated a key again" },
	{ "issued_key.changed", "Changed a key’s name, scopes or expiry" },
	{ "issued_key.deactivated", "Deactivated a key" },
	{ "issued_key.deleted", "Deleted a key" },
	{ "issued_key.made", "Made a key of its own" },
	{ "issued_key.overlap_ended", "Ended a key’s old value" },
	{ "issued_key.regenerated", "Made a new value of a key" },
	{ "issued_key.revoked", "Revoked a key for good" },
	{ "join.asked", "Asked to join a client" },
	{ "join.settled", "Settled a wish to join" },
	{ "key.overlap_ended", "Ended the old key’s overlap" },
	{ "key.overlap_over", "The old key’s overlap was over" },
	{ "key.regenerated", "Made a new key" },
	{ "key.revoked", "Revoked a key" },
	{ "key.shown", "Looked at a key" },
	{ "mail.failed", "Could not send a mail" },
	{ "membership.changed", "Changed what somebody may do" },
	{ "membership.created", "Let somebody in" },
	{ "membership.left", "Left the client" },
	{ "membership.permitted", "Changed what somebody's keys may do" },
	{ "membership.removed", "Removed somebody from the client" },
	{ "password.changed", "Changed the password" },
	{ "password.reset", "Set a new password by mail" },
	{ "product.added", "Added a product" },
	{ "product.changed", "Changed a product" },
	{ "product.closed", "Closed a product" },
	{ "product.closing", "Planned to close a product" },
	{ "product.hidden", "Hid a product" },
	{ "product.kept", "Stopped the closing of a product" },
	{ "product.keys", "Changed how keys of a product are handed out" },
	{ "product.published", "Published a product" },
	{ "product.resources", "Changed the resources of a product" },
	{ "product.routes", "Read the routes of a product from its document" },
	{ "product.scopes", "Changed the scopes of a product" },
	{ "product.terms", "Changed the terms of a product" },
	{ "reason.added", "Added a reason to choose from" },
	{ "reason.changed", "Changed a reason to choose from" },
	{ "reason.deleted", "Deleted a reason to choose from" },
	{ "recovery.asked", "Asked for a link for a new password" },
	{ "recovery.renewed", "Made new recovery codes" },
	{ "request.answered", "Answered a question on a request" },
	{ "request.approved", "Approved a request" },
	{ "request.asked", "Asked back on a request" },
	{ "request.auto_stopped", "Stopped an approval by checks" },
	{ "request.commented", "Wrote on a request" },
	{ "request.consent_asked", "Asked an owner for consent" },
	{ "request.consent_no", "Refused consent to a request" },
	{ "request.consent_yes", "Gave consent to a request" },
	{ "request.let_go", "Gave a request back to the queue" },
	{ "request.rejected", "Rejected a request" },
	{ "request.released", "Gave a request back" },
	{ "request.shared", "Shared the existing key" },
	{ "request.submitted", "Asked for a key" },
	{ "request.taken", "Took a request" },
	{ "request.withdrawn", "Withdrew a request" },
	{ "seat.cancelled", "Cancelled the seating of an owner" },
	{ "seat.done", "Seated an owner" },
	{ "seat.planned", "Planned to seat an owner" },
	{ "seat.void", "Did not seat an owner: things had changed" },
	{ "session.all_ended", "Ended all sessions" },
	{ "session.ended", "Signed out" },
	{ "session.failed", "Failed to sign in" },
	{ "session.half", "Gave the password, not yet the second factor" },
	{ "session.refreshed", "Confirmed who it is" },
	{ "session.started", "Signed in" },
	{ "staff.added", "Added somebody to the staff" },
	{ "staff.invited", "Invited somebody to the staff" },
	{ "staff.removed", "Took somebody off the staff" },
	{ "staff.role_changed", "Changed what a member of staff may do" },
	{ "subscription.cancelled", "Cancelled a subscription" },
	{ "subscription.created", "Made a subscription with its keys" },
	{ "subscription.expired", "Ended a subscription at its time" },
	{ "subscription.expiry_set", "Set when a subscription ends" },
	{ "subscription.imported", "Brought a subscription with its keys along" },
	{ "subscription.reactivated", "Reactivated a subscription" },
	{ "subscription.suspended", "Suspended a subscription" },
	{ "tenant.absorbed", "Took another client in" },
	{ "tenant.changed", "Changed a client" },
	{ "tenant.closed", "Closed a client" },
	{ "tenant.created", "Added a client" },
	{ "tenant.domain_listed", "Listed a mail domain of a client" },
	{ "tenant.import_changed", "Changed a client by import" },
	{ "tenant.imported", "Imported a client" },
	{ "tenant.limits", "Set the limits of a client" },
	{ "tenant.merged", "Merged a client into another" },
	{ "tenant.reopened", "Reopened a client" },
	{ "token.made", "Made an access token" },
	{ "token.revoked", "Revoked an access token" },
	{ "vault.data_made", "Made a new data key" },
	{ "vault.data_retired", "Took an old data key away" },
	{ "vault.data_rotated", "Put a new data key into use" },
	{ "vault.master_rotated", "Put a new master key into use" },
	{ "vault.signing_rotated", "Made a new key that signs tokens" },
};

const struct audit_action *
audit_actions(size_t *ret_n)
{
	*ret_n = COUNT(actions);
	return (actions);
}

const char *
audit_words(const char *action)
{
	size_t	i;

	for (i = 0; i < COUNT(actions); i++)
		if (str_eq(actions[i].action, action))
			return (actions[i].words);
	return (action);
}
