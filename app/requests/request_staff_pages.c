/*
 * A request as staff see it, and the three decisions.
 *
 * What was typed is checked here for the sentences; the statement checks the
 * same again, and what it refuses is read anew, so that the page says why.
 */
#include "base/clock.h"
#include "crypto/token.h"
#include "requests/reason.h"
#include "requests/request_view_pages.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "vault/vault.h"

WAITS static struct request *find(struct req *);
WAITS static struct request_candidate *candidate(struct req *,
		    const struct request *, const char *code);
static bool	reason_bad(const char *reason, const char **ret_error);
WAITS static void respond_result(struct req *, enum request_decide_result,
		    const char *code, struct request_typed *);
WAITS static void show_has_key(struct req *, const struct request *,
		    const char *code);
WAITS static void refuse(struct req *, int status, const struct request *,
		    struct request_typed *, const char *field,
		    const char *error);

void
request_page_show(struct req *rq)
{
	request_view_respond(rq, 200, find(rq), NULL);
}

void
request_page_approve(struct req *rq)
{
	struct request		*r = find(rq);
	struct request_typed	 typed = {
		.tenant = str_upper(rq->arena, req_form_line(rq, "tenant")),
		.existing = str_upper(rq->arena,
		    req_form_line(rq, "existing")),
		.code = str_upper(rq->arena, req_form_line(rq, "code")),
		.client = req_form_line(rq, "client"),
		.approve_reason = req_form(rq, "reason"),
		.no_domain = *req_form(rq, "domain") == '\0',
	};
	struct request_tenant	 tenant = { NULL, typed.code, typed.client,
		!r->is_public_mail && *req_form(rq, "domain") != '\0' };
	struct request_decision	 decision = { r->id, rq->session->account_id,
		str_blank(typed.approve_reason) ? "" : typed.approve_reason };
	enum request_decide_result result;

	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	if (str_eq(typed.tenant, REQUEST_ANOTHER))
		tenant.code = typed.existing;
	else if (*typed.tenant != '\0')
		tenant.code = typed.tenant;
	if (request_approve_wrong(rq, r, &typed, &tenant)) {
		request_view_respond(rq, 422, r, &typed);
		return;
	}
	result = request_db_approve(rq->db, vault, &decision, &tenant);
	respond_result(rq, result, tenant.code != NULL ? tenant.code :
	    tenant.new_code, &typed);
}

void
request_page_share(struct req *rq)
{
	struct request		*r = find(rq);
	const struct request_candidate *likely;
	struct request_typed	 typed = {
		.share_reason = req_form(rq, "reason"),
	};
	struct request_decision	 decision = { r->id, rq->session->account_id,
		str_blank(typed.share_reason) ? "" : typed.share_reason };
	const char		*code;

	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	code = str_upper(rq->arena, req_form_line(rq, "tenant"));
	likely = request_shareable(r);
	if (*code == '\0' && likely != NULL)
		code = likely->code;
	if (request_share_wrong(rq, r, &typed, code)) {
		request_view_respond(rq, 422, r, &typed);
		return;
	}
	respond_result(rq, request_db_share(rq->db, &decision, code), code,
	    &typed);
}

void
request_page_reject(struct req *rq)
{
	struct request		*r = find(rq);
	struct request_typed	 typed = {
		.reject_reason = req_form(rq, "reason"),
		.canned = req_form(rq, "canned"),
	};
	struct request_decision	 decision = { r->id, rq->session->account_id,
		reason_db_compose(rq->db, typed.canned,
		    typed.reject_reason) };
	const char		*error = "Say why. The contact reads it in the "
				    "mail and on the request’s page.";

	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	if (str_blank(decision.reason) ||
	    reason_bad(decision.reason, &error)) {
		refuse(rq, 422, r, &typed, "reject_reason", error);
		return;
	}
	respond_result(rq, request_db_reject(rq->db, &decision), "", &typed);
}

/* 404 when there is none. */
static struct request *
find(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	struct request	*r = uuid_shaped(id) ? request_db_find(rq->db, id) :
			    NULL;

	if (r == NULL)
		req_not_found(rq);
	return (r);
}

/* The active tenant of that code, or former code, as a candidate, though
 * nothing may point to it. */
static struct request_candidate *
candidate(struct req *rq, const struct request *r, const char *code)
{
	struct request_candidate	*c;
	struct tenant			*t;
	int				 i;

	t = tenant_code_valid(code) ? tenant_db_find(rq->db, code) : NULL;
	if (t == NULL || !t->is_active)
		return (NULL);
	c = arena_alloc(rq->arena, sizeof(*c));
	for (i = 0; i < r->candidates_n; i++) {
		if (str_eq(r->candidates[i].code, t->code)) {
			*c = r->candidates[i];
			return (c);
		}
	}
	/* Had it the contact's mail domain, it would be a candidate. */
	*c = (struct request_candidate){
		.tenant_id = t->id, .code = t->code, .name = t->name,
		.key_name = t->key_name, .owners = "", .consent = "",
	};
	return (c);
}

bool
request_approve_wrong(struct req *rq, const struct request *r,
    struct request_typed *typed, const struct request_tenant *tenant)
{
	const char	*field = NULL, *error = NULL;
	const struct request_candidate *c = NULL, *own = NULL;

	if (r->candidates_n > 0 && r->candidates[0].is_own)
		own = &r->candidates[0];
	if (tenant->code != NULL)
		c = candidate(rq, r, tenant->code);
	typed->also = c;
	if (c != NULL)
		typed->tenant = c->code;
	if (own != NULL && (c == NULL || !c->is_own)) {
		field = "tenant";
		error = arena_fmt(rq->arena, "%s is a contact of %s. Choose "
		    "that client; a contact is never moved to another.",
		    r->person, own->code);
	} else if (tenant->code != NULL && c == NULL) {
		field = str_eq(typed->tenant, REQUEST_ANOTHER) ? "existing" :
		    "tenant";
		error = *tenant->code == '\0' ? "Write the code of the "
		    "client, for example ALTWORX." : arena_fmt(rq->arena,
		    "No client has the code %s, or it is closed.",
		    tenant->code);
	} else if (c != NULL && request_needs_reason(c) &&
	    str_blank(typed->approve_reason)) {
		field = "approve_reason";
		error = arena_fmt(rq->arena, "Say why the contact may join "
		    "%s: the mail domain is not on its list.", c->code);
	} else if (reason_bad(typed->approve_reason, &error)) {
		field = "approve_reason";
	} else if (c == NULL && !tenant_code_valid(tenant->new_code)) {
		field = "code";
		error = "The code must have 2 to 32 capital letters, digits "
		    "or hyphens, for example ALTWORX.";
	} else if (c == NULL) {
		field = "client";
		error = tenant_name_advice(tenant->new_name);
	}
	typed->bad_field = field;
	typed->error = error;
	return (error != NULL);
}

bool
request_share_wrong(struct req *rq, const struct request *r,
    struct request_typed *typed, const char *code)
{
	const struct request_candidate	*c = candidate(rq, r, code);
	const char			*field = "share_reason", *error;

	if (c == NULL || c->key_name == NULL) {
		field = "tenant";
		error = "This client has no key that can be shared. Approve "
		    "the request in place of it.";
	} else if (request_needs_reason(c) && str_blank(typed->share_reason)) {
		error = arena_fmt(rq->arena, "Say why the contact may join %s: "
		    "the mail domain is not on its list.", c->code);
	} else if (!reason_bad(typed->share_reason, &error)) {
		return (false);
	}
	typed->bad_field = field;
	typed->error = error;
	return (true);
}

static bool
reason_bad(const char *reason, const char **ret_error)
{
	if (str_chars(reason) <= REQUEST_REASON_MAX)
		return (false);
	*ret_error = "The reason may have up to 1000 characters. Shorten it.";
	return (true);
}

/* After the statement: done, or read again why not. */
static void
respond_result(struct req *rq, enum request_decide_result result,
    const char *code, struct request_typed *typed)
{
	struct request		*r;
	struct tenant		*t;

	if (result == REQUEST_DECIDE_DONE) {
		respond_see_other(rq, "/staff/queue");
		return;
	}
	r = find(rq);
	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	switch (result) {
	case REQUEST_DECIDE_DONE:
		break;
	case REQUEST_DECIDE_HAS_KEY:
		show_has_key(rq, r, code);
		break;
	case REQUEST_DECIDE_CODE:
		t = tenant_db_find(rq->db, code);
		typed->also = candidate(rq, r, code);
		refuse(rq, 422, r, typed, "code", arena_fmt(rq->arena,
		    "%s is the code of %s. Choose that client above, or write "
		    "another code.", code, t == NULL ? "another client" :
		    t->name));
		break;
	case REQUEST_DECIDE_CLOSED:
		typed->reject_reason = "";	/* opens that form */
		refuse(rq, 409, r, typed, "reject_reason", arena_fmt(rq->arena,
		    "%s was closed since you opened this page, so no key for "
		    "it can be issued or shared. Reject the request; otherwise "
		    "the portal does so shortly.", r->product));
		break;
	case REQUEST_DECIDE_SEATED:
	case REQUEST_DECIDE_NOT:
		refuse(rq, 409, r, typed, "tenant", "The request or the client "
		    "has changed since you opened this page. Look again, then "
		    "decide.");
		break;
	}
}

/* 409: the tenant has a live key, from another request. */
static void
show_has_key(struct req *rq, const struct request *r, const char *code)
{
	struct view		*v = view_new(rq->arena);
	struct tenant_detail	*d = tenant_db_detail(rq->db, code);
	const struct tenant_subscription *s = NULL;
	int			 i;

	for (i = 0; d != NULL && i < d->subscriptions_n && s == NULL; i++) {
		if (str_eq(d->subscriptions[i].state, "active") ||
		    str_eq(d->subscriptions[i].state, "suspended"))
			s = &d->subscriptions[i];
	}
	if (s == NULL)
		req_fail(rq, 409, "key_gone_meanwhile");
	view_text(v, "id", r->id);
	view_text(v, "name", r->name);
	view_text(v, "tenant_name", d->tenant.name);
	view_text(v, "tenant_code", d->tenant.code);
	view_text(v, "key_name", s->name);
	view_text(v, "decided_by", *s->approved_by == '\0' ? "Somebody" :
	    s->approved_by);
	view_text(v, "before", arena_fmt(rq->arena, "%s before you",
	    request_span(rq->arena, rq->now - s->created_at)));
	respond_page(rq, 409, "requests/has_key", v);
}

static void
refuse(struct req *rq, int status, const struct request *r,
    struct request_typed *typed, const char *field, const char *error)
{
	typed->bad_field = field;
	typed->error = error;
	request_view_respond(rq, status, r, typed);
}
