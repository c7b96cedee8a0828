/*
 * The view of a request, for staff: see request_view_pages.h.
 */
#include "requests/request_view_pages.h"

#include <assert.h>

#include "base/clock.h"
#include "base/setting.h"
#include "products/product.h"
#include "requests/reason.h"
#include "requests/thread.h"
#include "subscriptions/subscription.h"
#include "tenants/tenant.h"

static void	show_facts(struct req *, struct view *, const struct request *);
static void	show_checks(struct req *, struct view *,
		    const struct request *);
static void	show_wait(struct req *, struct view *, const struct request *);
static void	show_auto(struct req *, struct view *, const struct request *);
static void	show_share(struct view *, const struct request *,
		    const struct request_typed *);
static void	show_approve(struct req *, struct view *,
		    const struct request *, const struct request_typed *);
static void	show_consent(struct view *, const struct request *,
		    const struct request_typed *);
static bool	is_listed(const struct request *, const char *code);
static void	show_candidate(struct req *, struct view *,
		    const struct request_candidate *, bool is_chosen);
static const char *first_name(struct arena *, const char *);

void
request_view_respond(struct req *rq, int status, const struct request *r,
    const struct request_typed *typed)
{
	static const struct request_typed nothing;
	struct view	*v = view_new(rq->arena);
	struct thread	 thread = thread_db_read(rq->db, r->id, false);
	struct product_accepted	accepted;

	accepted = product_db_accepted(rq->db, r->id);
	view_int(v, "terms_version", accepted.version);
	view_text(v, "terms_of", accepted.product_id);
	view_text(v, "terms_at", accepted.version == 0 ? "" :
	    clock_long(rq->arena, accepted.at));
	if (typed == NULL)
		typed = &nothing;
	form_fields(v, "tenant", "existing", "code", "client", "approve_reason",
	    "share_reason", "reject_reason", "question", "comment",
	    "consent_tenant", NULL);
	show_facts(rq, v, r);
	show_checks(rq, v, r);
	show_wait(rq, v, r);
	show_auto(rq, v, r);
	thread_view(rq, v, &thread);
	show_share(v, r, typed);
	show_approve(rq, v, r, typed);
	show_consent(v, r, typed);
	view_text(v, "reject_reason", typed->reject_reason);
	view_bool(v, "is_rejecting", typed->reject_reason != NULL);
	reason_view(rq, v, typed->canned);
	view_text(v, "question", typed->question);
	view_bool(v, "is_asking", typed->question != NULL);
	view_text(v, "comment", typed->comment);
	view_bool(v, "is_remarking", typed->comment != NULL);
	if (typed->error != NULL)
		form_error(v, typed->bad_field, typed->error);
	respond_page(rq, status, "requests/request", v);
}

void
request_view_state(struct view *v, enum request_state state)
{
	view_bool(v, "is_submitted", state == REQUEST_SUBMITTED);
	view_bool(v, "is_approved", state == REQUEST_APPROVED);
	view_bool(v, "is_shared", state == REQUEST_SHARED);
	view_bool(v, "is_rejected", state == REQUEST_REJECTED);
	view_bool(v, "is_withdrawn", state == REQUEST_WITHDRAWN);
}

void
request_view_decided(struct req *rq, const struct request *r)
{
	struct view	*v = view_new(rq->arena);

	assert(r->state != REQUEST_SUBMITTED);
	view_text(v, "id", r->id);
	view_text(v, "name", r->name);
	view_text(v, "person", r->person);
	request_view_state(v, r->state);
	view_text(v, "decided_by", *r->decided_by != '\0' ? r->decided_by :
	    r->state == REQUEST_APPROVED ? "The portal, by the checks," :
	    "Somebody");
	view_text(v, "decided_at", clock_long(rq->arena, r->decided_at));
	view_text(v, "decided_iso", clock_iso(rq->arena, r->decided_at));
	view_text(v, "before", arena_fmt(rq->arena, "%s before you",
	    request_span(rq->arena, rq->now - r->decided_at)));
	view_text(v, "reason", r->state == REQUEST_REJECTED ? r->reason : "");
	respond_page(rq, 409, "requests/decided", v);
}

const char *
request_span(struct arena *a, int64_t length)
{
	int64_t	seconds = length / SECOND_US;

	if (length >= MINUTE_US)
		return (clock_span(a, length));
	if (seconds < 1)
		return ("less than a second");
	return (seconds == 1 ? "1 second" : arena_fmt(a, "%lld seconds",
	    (long long)seconds));
}

struct request_due
request_due(struct arena *a, int64_t due_at, int64_t now)
{
	int64_t	left = clock_left(due_at, now);

	if (left < 0)
		return ((struct request_due){ "is-bad", "alert",
		    -left < HOUR_US ? "Overdue" : arena_fmt(a, "%lld h overdue",
		    (long long)(-left / HOUR_US)) });
	return ((struct request_due){
		left < REQUEST_WARN_US ? "is-warn" : "", "clock",
		left < HOUR_US ? arena_fmt(a, "Due in %lld min",
		    (long long)(left / MINUTE_US)) :
		    arena_fmt(a, "Due in %lld h", (long long)(left / HOUR_US)),
	});
}

static void
show_facts(struct req *rq, struct view *v, const struct request *r)
{
	struct arena	*a = rq->arena;
	int64_t		 due = r->due_at, left;

	/* While it waits on the contact the end moves along. */
	if (r->waits_on_contact)
		due += rq->now - r->waits_since;
	left = clock_left(due, rq->now);
	view_text(v, "id", r->id);
	view_text(v, "name", r->name);
	view_text(v, "product", r->product);
	/* Said where somebody could think of another one. */
	view_text(v, "environment", setting->environments_n == 1 &&
	    str_eq(r->environment, "live") ? "" : r->environment);
	view_text(v, "environment_tone", str_eq(r->environment, "live") ?
	    "is-good" : "is-info");
	view_text(v, "person", r->person);
	view_text(v, "person_first", first_name(a, r->person));
	view_text(v, "email", r->email);
	view_text(v, "client", r->client);
	view_text(v, "sent_at", clock_long(a, r->submitted_at));
	view_text(v, "sent_iso", clock_iso(a, r->submitted_at));
	request_view_state(v, r->state);
	view_text(v, "due_text", r->state != REQUEST_SUBMITTED ? "" :
	    left < 0 ? arena_fmt(a, "%s ago", clock_span(a, -left)) :
	    arena_fmt(a, "In %s", clock_span(a, left)));
	view_text(v, "decided_at", r->decided_at == 0 ? "" :
	    clock_long(a, r->decided_at));
	view_text(v, "decided_by", r->decided_by);
	view_text(v, "reason", r->reason);
}

static void
show_checks(struct req *rq, struct view *v, const struct request *r)
{
	struct request_checks	 checks = request_check(rq->arena, r);
	struct view		*row;
	int			 i;

	view_text(v, "checks_tone", checks.warnings == 0 ? "is-good" :
	    "is-warn");
	view_text(v, "checks_icon", checks.warnings == 0 ? "check-circle" :
	    "alert");
	view_text(v, "checks_text", checks.warnings == 0 ? "All fit" :
	    arena_fmt(rq->arena, "%d to look at", checks.warnings));
	for (i = 0; i < checks.n; i++) {
		row = view_row(v, "checks");
		view_text(row, "tone", checks.list[i].tone);
		view_text(row, "icon", checks.list[i].icon);
		view_text(row, "title", checks.list[i].title);
		view_text(row, "text", checks.list[i].text);
		view_text(row, "tenant_code", checks.list[i].tenant_code);
	}
}

static void
show_wait(struct req *rq, struct view *v, const struct request *r)
{
	bool	waits = r->state == REQUEST_SUBMITTED && r->waits_on_contact;

	view_bool(v, "is_waiting", waits);
	view_text(v, "waits_since", waits ? clock_long(rq->arena,
	    r->waits_since) : "");
	view_text(v, "waits_for", waits ? clock_span(rq->arena,
	    rq->now - r->waits_since) : "");
	view_text(v, "assigned_to", r->assigned_to);
}

/* Counted down on the page; what does not fit is left to staff then. */
static void
show_auto(struct req *rq, struct view *v, const struct request *r)
{
	bool	is_on = r->state == REQUEST_SUBMITTED && r->auto_at != 0 &&
		    r->auto_stopped_at == 0;
	int64_t	left = r->auto_at - rq->now;

	view_bool(v, "is_auto", is_on);
	view_bool(v, "auto_fits", is_on &&
	    request_check(rq->arena, r).warnings == 0);
	view_text(v, "auto_at", is_on ? clock_long(rq->arena, r->auto_at) :
	    "");
	view_text(v, "auto_in", !is_on ? "" : left < MINUTE_US ?
	    "less than a minute" : clock_span(rq->arena, left));
}

static void
show_share(struct view *v, const struct request *r,
    const struct request_typed *typed)
{
	const struct request_candidate	*c = request_shareable(r);
	int				 i;

	view_bool(v, "can_share", c != NULL);
	/* Else the key of one with a similar name, after the other forms. */
	for (i = 0; c == NULL && i < r->candidates_n; i++) {
		if (r->candidates[i].key_name != NULL)
			c = &r->candidates[i];
	}
	view_bool(v, "can_share_similar", c != NULL && c->similar > 0);
	if (c == NULL)
		return;
	view_text(v, "share_code", c->code);
	view_text(v, "share_name", c->name);
	view_text(v, "share_key", c->key_name);
	view_text(v, "share_people", *c->owners == '\0' ?
	    "everybody of that client" : c->owners);
	view_bool(v, "share_needs_reason", request_needs_reason(c));
	view_text(v, "share_reason", typed->share_reason);
}

static void
show_approve(struct req *rq, struct view *v, const struct request *r,
    const struct request_typed *typed)
{
	struct subscription_name	 name;
	const struct request_candidate	*c;
	const char			*client = r->client;
	bool				 asks = false, chosen, any = false;
	bool				 another;
	int				 i;

	view_bool(v, "can_approve", request_approvable(r));
	view_list(v, "candidates");
	for (i = 0; i <= r->candidates_n; i++) {
		c = i < r->candidates_n ? &r->candidates[i] : typed->also;
		if (c == NULL || c->key_name != NULL || (c == typed->also &&
		    is_listed(r, c->code)))
			continue;
		/* At first the tenant of the same name is chosen. */
		chosen = typed->tenant != NULL ? str_eq(typed->tenant,
		    c->code) : !any && (c->is_own || c->by_name || c->by_code);
		any = any || chosen;
		asks = asks || request_needs_reason(c);
		show_candidate(rq, v, c, chosen);
	}
	another = typed->tenant != NULL &&
	    str_eq(typed->tenant, REQUEST_ANOTHER);
	view_bool(v, "may_name_another", r->candidates_n == 0 ||
	    !r->candidates[0].is_own);
	view_bool(v, "is_another", another);
	view_text(v, "existing", typed->existing);
	view_bool(v, "is_new", !any && !another);
	view_bool(v, "approve_asks_reason", asks);
	if (subscription_name_check(rq->arena, r->name, &name) ==
	    SUBSCRIPTION_NAME_GOOD)
		client = name.client;
	view_text(v, "new_code", typed->code != NULL ? typed->code :
	    tenant_code_propose(rq->arena, client));
	view_text(v, "new_client", typed->client != NULL ? typed->client :
	    client);
	view_text(v, "approve_reason", typed->approve_reason);
	view_text(v, "email_domain", r->email_domain);
	view_bool(v, "can_list", !r->is_public_mail);
	view_bool(v, "is_listing", !typed->no_domain);
}

/* Whose owners may be asked, and what those said who were. */
static void
show_consent(struct view *v, const struct request *r,
    const struct request_typed *typed)
{
	const struct request_candidate	*c;
	struct view			*row;
	bool				 any = false;
	int				 i;

	view_list(v, "consents");
	view_list(v, "askable");
	for (i = 0; i < r->candidates_n; i++) {
		c = &r->candidates[i];
		if (*c->consent != '\0') {
			row = view_row(v, "consents");
			view_bool(row, "is_yes", str_eq(c->consent, "yes"));
			view_bool(row, "is_no", str_eq(c->consent, "no"));
			view_text(row, "consent_name", c->name);
		} else if (!c->is_own && *c->owners != '\0') {
			row = view_row(v, "askable");
			view_text(row, "askable_code", c->code);
			view_text(row, "askable_name", c->name);
			view_bool(row, "is_chosen",
			    typed->consent_tenant != NULL &&
			    str_eq(typed->consent_tenant, c->code));
			any = true;
		}
	}
	view_bool(v, "can_ask_owners", any || typed->consent_tenant != NULL);
	view_bool(v, "is_asking_owners", typed->consent_tenant != NULL);
}

static bool
is_listed(const struct request *r, const char *code)
{
	int	i;

	for (i = 0; i < r->candidates_n; i++) {
		if (str_eq(r->candidates[i].code, code))
			return (true);
	}
	return (false);
}

static void
show_candidate(struct req *rq, struct view *v,
    const struct request_candidate *c, bool is_chosen)
{
	struct view	*row = view_row(v, "candidates");
	const char	*note;

	note = c->is_own ? "the contact’s own" : c->by_name ? "same name" :
	    c->by_code ? "same code" :
	    str_eq(c->consent, "yes") ? "an owner agreed" : c->similar > 0 ? arena_fmt(
	    rq->arena, "similar name, %lld per cent",
	    (long long)c->similar) : c->has_domain ? "same mail domain" :
	    "the one of that code";
	view_text(row, "code", c->code);
	view_text(row, "tenant", c->name);
	view_text(row, "note", c->by_name && c->has_domain ?
	    arena_fmt(rq->arena, "%s and mail domain", note) : note);
	view_bool(row, "needs_reason", request_needs_reason(c));
	view_bool(row, "is_chosen", is_chosen);
}

static const char *
first_name(struct arena *a, const char *name)
{
	return (arena_strndup(a, name, strcspn(name, " ")));
}
