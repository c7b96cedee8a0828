/*
 * From a row of the outbox to a message: the table of kinds says which
 * parameters a template may use and where its link goes.
 */
#include "mail/mail.h"

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "crypto/token.h"
#include "mail/address.h"
#include "mail/link.h"
#include "web/agent.h"
#include "web/mustache.h"

#define BODY_MAX	(256u * 1024)

enum link_to { LINK_NONE, LINK_TOKEN, LINK_PAGE, LINK_REQUEST };

static const struct kind {
	const char	*name;
	enum link_to	 link_to;
	const char	*path;		/* or, of a token, its kind; the
					 * first parameter is its row, and that
					 * of LINK_REQUEST */
	const char	*params[10];	/* at most 9, NULL behind them */
} kinds[] = {
	{ "verify", LINK_TOKEN, "verify", { "signup_id" } },
	{ "account_exists", LINK_PAGE, "/signin", { NULL } },
	{ "staff_invite", LINK_TOKEN, "verify", { "signup_id" } },
	{ "recovery", LINK_TOKEN, "reset", { "recovery_id" } },
	{ "password_reset", LINK_PAGE, "/signin", { NULL } },
	{ "password_changed", LINK_PAGE, "/forgot", { NULL } },
	{ "email_confirm", LINK_TOKEN, "email-confirm", { "change_id" } },
	{ "email_taken", LINK_PAGE, "/signin", { NULL } },
	{ "email_changed", LINK_TOKEN, "email-undo", { "undo_id" } },
	{ "email_undone", LINK_PAGE, "/forgot", { NULL } },
	{ "account_closed", LINK_NONE, NULL, { NULL } },
	{ "signin_failed", LINK_PAGE, "/account/password",
	    { "failures", "since_at", "codes" } },
	{ "sessions_ended", LINK_PAGE, "/signin", { NULL } },
	{ "ask_let_in", LINK_PAGE, "/people", { "client" } },
	{ "new_device", LINK_PAGE, "/account/sessions",
	    { "agent", "address", "signed_in_at" } },
	{ "request_submitted_staff", LINK_REQUEST, "/staff/requests/",
	    { "request_id", "request_name", "product", "person", "client",
	    "due_at" } },
	{ "request_submitted", LINK_PAGE, "/profile",
	    { "request_id", "request_name", "product", "due_at" } },
	{ "request_approved", LINK_PAGE, "/profile",
	    { "request_id", "request_name", "product", "client", "menu" } },
	{ "request_shared", LINK_PAGE, "/profile",
	    { "request_id", "request_name", "product", "client" } },
	{ "request_rejected", LINK_PAGE, "/profile",
	    { "request_id", "request_name", "product", "reason" } },
	{ "request_withdrawn", LINK_PAGE, "/profile",
	    { "request_id", "request_name", "product", "by" } },
	{ "request_question", LINK_REQUEST, "/requests/",
	    { "request_id", "request_name", "product", "by", "question" } },
	{ "request_comment", LINK_REQUEST, "/requests/",
	    { "request_id", "request_name", "product", "by", "comment" } },
	{ "request_answer", LINK_REQUEST, "/staff/requests/",
	    { "request_id", "request_name", "product", "person", "answer" } },
	{ "consent_ask", LINK_REQUEST, "/consents/",
	    { "consent_id", "person", "email", "client", "product" } },
	{ "consent_answer", LINK_REQUEST, "/staff/requests/",
	    { "request_id", "request_name", "person", "client", "by",
	    "answer" } },
	{ "invitation", LINK_TOKEN, "invite", { "invitation_id", "client" } },
	{ "domain_listed", LINK_PAGE, "/people", { "client", "domains" } },
	{ "owner_person_joined", LINK_PAGE, "/people",
	    { "person", "email", "client", "role", "by" } },
	{ "owner_person_gone", LINK_PAGE, "/people",
	    { "person", "email", "client", "by" } },
	{ "people_out", LINK_PAGE, "/profile",
	    { "person", "email", "client", "by" } },
	{ "join_ask_staff", LINK_PAGE, "/staff/asks",
	    { "person", "email", "client" } },
	{ "account_disabled", LINK_PAGE, "/how-it-works", { "reason" } },
	{ "account_enabled", LINK_PAGE, "/signin", { NULL } },
	{ "staff_role", LINK_PAGE, "/staff/people",
	    { "person", "email", "role", "by" } },
	{ "staff_gone", LINK_PAGE, "/staff/people",
	    { "person", "email", "by" } },
	{ "seat_planned", LINK_PAGE, "/people",
	    { "person", "email", "client", "by", "reason", "due_at" } },
	{ "seat_done", LINK_PAGE, "/people",
	    { "person", "email", "client", "by", "reason" } },
	{ "seat_cancelled", LINK_PAGE, "/people",
	    { "person", "client", "by" } },
	{ "tenant_closed", LINK_PAGE, "/profile",
	    { "client", "by", "reason" } },
	{ "tenant_reopened", LINK_PAGE, "/profile",
	    { "client", "by", "reason" } },
	{ "tenant_merged", LINK_PAGE, "/people",
	    { "client", "other", "by", "reason" } },
	{ "people_role", LINK_PAGE, "/people",
	    { "person", "email", "client", "by", "role" } },
	{ "owner_contact_joined", LINK_PAGE, "/profile",
	    { "person", "email", "client", "rule" } },
	{ "subscription_expired", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client" } },
	{ "subscription_expiring", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "expires_at",
	    "days" } },
	{ "subscription_suspended", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "reason", "by" } },
	{ "subscription_reactivated", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "reason", "by" } },
	{ "subscription_cancelled", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "reason", "by" } },
	{ "subscription_expiry", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "expires_at",
	    "reason", "by" } },
	{ "key_regenerated", LINK_REQUEST, "/subscriptions/",
	    { "subscription_id", "subscription_name", "client", "slot",
	    "by", "until_at" } },
	{ "key_overlap_ended", LINK_REQUEST, "/subscriptions/",
	    { "subscription_id", "subscription_name", "client", "slot",
	    "by" } },
	{ "key_revoked", LINK_REQUEST, "/subscriptions/",
	    { "subscription_id", "subscription_name", "client", "slot",
	    "until_at", "reason" } },
	{ "key_revoked_staff", LINK_REQUEST, "/staff/subscriptions/",
	    { "subscription_id", "subscription_name", "client", "slot",
	    "until_at", "reason" } },
	{ "issued_key", LINK_REQUEST, "/subscriptions/",
	    { "subscription_id", "subscription_name", "client", "product",
	    "key_name", "done", "by", "reason", "until_at" } },
	{ "subscription_given_up", LINK_REQUEST, "/staff/subscriptions/",
	    { "subscription_id", "subscription_name", "client", "by",
	    "reason" } },
	{ "product_closing", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "closes_at",
	    "note" } },
	{ "product_closing_soon", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "closes_at",
	    "note" } },
	{ "product_kept", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "closes_at" } },
	{ "product_closed", LINK_PAGE, "/profile",
	    { "subscription_name", "product", "client", "note" } },
	{ "request_reminder", LINK_REQUEST, "/staff/requests/",
	    { "request_id", "request_name", "product", "person", "client",
	    "due_at" } },
	{ "request_overdue", LINK_REQUEST, "/staff/requests/",
	    { "request_id", "request_name", "product", "person", "client",
	    "due_at" } },
	{ "factor_added", LINK_PAGE, "/account/two-factor", { NULL } },
	{ "factor_removed", LINK_PAGE, "/account/two-factor", { NULL } },
	{ "factor_reset", LINK_PAGE, "/account/two-factor", { NULL } },
	{ "passkey_added", LINK_PAGE, "/account/passkeys", { "passkey" } },
	{ "passkey_removed", LINK_PAGE, "/account/passkeys", { "passkey" } },
	{ "token_made", LINK_PAGE, "/account/tokens", { "token", "scopes" } },
	{ "recovery_renewed", LINK_PAGE, "/account/two-factor", { NULL } },
	{ "recovery_used", LINK_PAGE, "/account/two-factor", { "left" } },
	{ "api_user_made", LINK_PAGE, "/api-users",
	    { "api_user", "client", "vendor", "integration", "by" } },
	{ "api_user_widened", LINK_PAGE, "/api-users",
	    { "api_user", "client", "roles", "by" } },
	{ "api_role_widened", LINK_PAGE, "/api-roles",
	    { "api_role", "client", "api_users", "by" } },
	{ "api_changed", LINK_PAGE, "/api-users",
	    { "api_user", "api_role", "client", "by", "done" } },
	{ "api_user_state", LINK_PAGE, "/api-users",
	    { "api_user", "client", "state", "reason" } },
	{ "api_hand_over", LINK_TOKEN, "hand-over",
	    { "hand_over_id", "client" } },
	{ "api_hand_over_made", LINK_PAGE, "/api-users",
	    { "api_user", "client", "by", "sent_to", "open_until_at" } },
	{ "api_hand_over_used", LINK_PAGE, "/api-users",
	    { "api_user", "client", "by", "used_at" } },
	{ "digest", LINK_PAGE, "/notices", { "count", "more" } },
	{ "mail_failed", LINK_NONE, NULL,
	    { "failed_kind", "outbox_id", "queued_at", "why" } },
};

static const struct kind *kind_find(const char *);
static const char	*param(const struct outbox_mail *, const char *);
static const char	*make_link(struct arena *, const struct kind *,
			    const struct outbox_mail *);
static const char	*unsubscribe(struct arena *,
			    const struct outbox_mail *);
static struct view	*make_view(struct arena *, const struct kind *,
			    const struct outbox_mail *, const char *link);
static void		 add_list(struct arena *, struct view *,
			    const char *lines);
static MUST_CHECK bool	 render(struct arena *, const struct mustache_set *,
			    const char *, const struct view *, const char **,
			    const char **);
static MUST_CHECK bool	 take_subject(struct arena *, const char **,
			    const char **);

enum mail_render
mail_render(struct arena *arena, const struct mustache_set *templates,
    const struct outbox_mail *row, struct mail *ret_mail,
    const char **ret_why)
{
	const struct kind	*kind = kind_find(row->kind);
	const struct view	*view;
	struct address		 to;
	struct mail		 mail = { .id = row->id, .kind = row->kind,
				    .at = row->at };
	const char		*link;

	if (kind == NULL) {
		*ret_why = "no such kind of mail";
		return (MAIL_BROKEN);
	}
	if (row->to == NULL) {
		*ret_why = "the account has no address any more";
		return (MAIL_VOID);
	}
	if (kind->link_to == LINK_TOKEN && !row->link_open) {
		*ret_why = "the link is used or over";
		return (MAIL_VOID);
	}
	link = make_link(arena, kind, row);
	if (link == NULL) {
		*ret_why = "the parameter that the link needs is missing";
		return (MAIL_BROKEN);
	}
	if (address_parse(arena, row->to, &to) != ADDRESS_GOOD) {
		*ret_why = "the address is none";
		return (MAIL_BROKEN);
	}
	mail.to = to.wire;
	view = make_view(arena, kind, row, link);
	if (!render(arena, templates, arena_fmt(arena, "mail/%s.txt",
	    kind->name), view, &mail.text, ret_why) ||
	    !render(arena, templates, arena_fmt(arena, "mail/%s",
	    kind->name), view, &mail.html, ret_why))
		return (MAIL_BROKEN);
	if (!take_subject(arena, &mail.text, &mail.subject)) {
		*ret_why = "the first line of the text is no subject";
		return (MAIL_BROKEN);
	}
	if (row->optional)
		mail.unsubscribe = unsubscribe(arena, row);
	*ret_mail = mail;
	return (MAIL_RENDERED);
}

static const struct kind *
kind_find(const char *name)
{
	size_t	i;

	for (i = 0; i < COUNT(kinds); i++)
		if (str_eq(kinds[i].name, name))
			return (&kinds[i]);
	return (NULL);
}

/* "" when it is not there. */
static const char *
param(const struct outbox_mail *row, const char *name)
{
	int	i;

	for (i = 0; i < row->n_params; i++)
		if (str_eq(row->params[i].name, name))
			return (row->params[i].value);
	return ("");
}

static const char *
make_link(struct arena *arena, const struct kind *kind,
    const struct outbox_mail *row)
{
	const char	*id;

	switch (kind->link_to) {
	case LINK_NONE:
		return ("");
	case LINK_TOKEN:
		id = param(row, kind->params[0]);
		return (uuid_shaped(id) ? link_url(arena, kind->path, id) :
		    NULL);
	case LINK_PAGE:
		return (arena_fmt(arena, "%s%s", setting->public_url,
		    kind->path));
	case LINK_REQUEST:
		id = param(row, kind->params[0]);
		return (uuid_shaped(id) ? arena_fmt(arena, "%s%s%s",
		    setting->public_url, kind->path, id) : NULL);
	}
	return (NULL);
}

/* NULL: not of an account. */
static const char *
unsubscribe(struct arena *arena, const struct outbox_mail *row)
{
	char	token[TOKEN_TEXT];

	if (row->account_id == NULL ||
	    !link_unsubscribe(row->account_id, row->kind, token))
		return (NULL);
	return (arena_fmt(arena, "%s/unsubscribe/%s/%s/%s",
	    setting->public_url, row->account_id, row->kind, token));
}

static struct view *
make_view(struct arena *arena, const struct kind *kind,
    const struct outbox_mail *row, const char *link)
{
	struct view	*v = view_new(arena);
	const char	*value;
	int64_t		 at;
	size_t		 i;

	for (i = 0; kind->params[i] != NULL; i++) {
		value = param(row, kind->params[i]);
		if (str_ends(kind->params[i], "_at") &&
		    str_to_int(value, 0, INT64_MAX, &at))
			value = clock_long(arena, at);
		view_text(v, kind->params[i], value);
	}
	add_list(arena, v, param(row, "lines"));
	view_text(v, "device", agent_words(arena, param(row, "agent")));
	value = param(row, "rule");
	view_bool(v, "is_by_domain", str_eq(value, "domain"));
	view_bool(v, "is_by_owner", str_eq(value, "owner"));
	view_bool(v, "is_by_reason", str_eq(value, "reason"));
	view_bool(v, "is_yes", str_eq(param(row, "answer"), "yes"));
	view_bool(v, "is_admin", str_eq(row->invited_as, "admin"));
	view_text(v, "until", row->has_link ?
	    clock_long(arena, row->link_until) : "");
	view_text(v, "name", row->name);
	view_text(v, "link", link);
	view_text(v, "site_name", setting->site_name);
	view_text(v, "support_email", setting->support_email);
	view_text(v, "public_url", setting->public_url);
	return (v);
}

static void
add_list(struct arena *arena, struct view *v, const char *lines)
{
	size_t	n;

	view_list(v, "list");
	for (; *lines != '\0'; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		view_row_text(v, "list", arena_strndup(arena, lines, n));
	}
}

static bool
render(struct arena *arena, const struct mustache_set *templates,
    const char *name, const struct view *view, const char **ret_text,
    const char **ret_why)
{
	struct buf	out;

	buf_init(&out, arena, BODY_MAX);
	if (!mustache_render(templates, name, view, &out, ret_why))
		return (false);
	*ret_text = buf_text(&out);
	return (true);
}

/* Cuts "Subject: ..." and the empty lines behind it off the text.  A value
 * that holds a line break thus ends the subject, and reaches no header. */
static bool
take_subject(struct arena *arena, const char **text, const char **ret_subject)
{
	const char	*start = *text, *end;

	if (!str_starts(start, "Subject: "))
		return (false);
	start += strlen("Subject: ");
	end = strchr(start, '\n');
	if (end == NULL || end == start)
		return (false);
	*ret_subject = str_squeeze(arena, arena_strndup(arena, start,
	    (size_t)(end - start)));
	*text = end + strspn(end, "\n");
	return (true);
}
