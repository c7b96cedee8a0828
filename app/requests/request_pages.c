/*
 * A contact asks for a key, and may withdraw the request.
 */
#include "base/clock.h"
#include "base/setting.h"
#include "crypto/token.h"
#include "products/product.h"
#include "requests/request.h"
#include "sessions/session.h"
#include "subscriptions/subscription.h"
#include "web/markdown.h"
#include "web/respond.h"

/* What was typed and ticked, and a sentence for what is wrong, or NULL. */
struct ask {
	const char	*name, *name_wrong;
	const char	*terms_wrong;
	const char	*environment, *environment_wrong;
	bool		 accepted;
};

WAITS static struct product *open_product(struct req *);
static const char	*client_of(const struct session *);
WAITS static bool	 show_already(struct req *, const struct product *,
			    int status);
static const char	*environment_of(const char *typed);
static void		 show_environments(struct view *, const struct ask *);
WAITS static void	 show_form(struct req *, int status,
			    const struct product *, const struct ask *);
static const char	*terms_wrong(struct req *, const struct product *);

void
request_page_subscribe_form(struct req *rq)
{
	struct product	*p = open_product(rq);

	if (show_already(rq, p, 200))
		return;
	show_form(rq, 200, p, &(struct ask){ .name =
	    subscription_name_propose(rq->arena, client_of(rq->session)),
	    .environment = environment_of("") });
}

void
request_page_subscribe(struct req *rq)
{
	enum subscription_name_verdict	 verdict;
	struct subscription_name	 name;
	struct product			*p = open_product(rq);
	struct ask			 ask = { .name = req_form_line(rq,
					    "name") };

	verdict = subscription_name_check(rq->arena, ask.name, &name);
	if (verdict != SUBSCRIPTION_NAME_GOOD)
		ask.name_wrong = subscription_name_advice(rq->arena, verdict,
		    &name, subscription_name_propose(rq->arena,
		    client_of(rq->session)));
	ask.environment = environment_of(req_form(rq, "environment"));
	if (!setting_environment(ask.environment))
		ask.environment_wrong = "Choose one of these.";
	ask.terms_wrong = terms_wrong(rq, p);
	ask.accepted = p->terms_version != 0 && ask.terms_wrong == NULL;
	if (ask.name_wrong != NULL || ask.terms_wrong != NULL ||
	    ask.environment_wrong != NULL) {
		show_form(rq, 422, p, &ask);
		return;
	}
	switch (request_db_submit(rq->db, rq->session->account_id, p->id,
	    name.name, name.client, setting->sla_hours, p->terms_version,
	    ask.environment)) {
	case REQUEST_SUBMIT_DONE:
		respond_see_other(rq, "/profile");
		return;
	case REQUEST_SUBMIT_CLIENT:
		ask.name_wrong = arena_fmt(rq->arena, "We closed the client "
		    "that you belong to, so nobody can ask for its key. If "
		    "that is not right, write to %s.",
		    setting->support_email);
		show_form(rq, 422, p, &ask);
		return;
	case REQUEST_SUBMIT_OPEN:
	case REQUEST_SUBMIT_HAS_KEY:
	case REQUEST_SUBMIT_CLOSED:
		break;
	}
	/* Else that request was decided, the product closed, or its terms
	 * changed just now. */
	if (show_already(rq, p, 409))
		return;
	if (product_db_standing(rq->db, p, rq->session->account_id,
	    ask.environment).ask != PRODUCT_ASK_NEW) {
		ask.environment_wrong = "Your company has a subscription or an "
		    "open request here. Choose another one.";
		show_form(rq, 409, p, &ask);
		return;
	}
	p = open_product(rq);
	ask.terms_wrong = terms_wrong(rq, p);
	ask.accepted = false;
	if (ask.terms_wrong == NULL)
		req_fail(rq, 409, "changed_meanwhile");
	show_form(rq, 409, p, &ask);
}

void
request_page_withdraw(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id))
		req_not_found(rq);
	switch (request_db_withdraw(rq->db, rq->session->account_id, id)) {
	case REQUEST_WITHDRAW_NONE:
		req_not_found(rq);
	case REQUEST_WITHDRAW_LATE:
		req_fail(rq, 409, "request_decided");
	case REQUEST_WITHDRAW_DONE:
		respond_see_other(rq, "/profile");
		return;
	}
}

/* 404 for a product that is not there or takes no requests. */
static struct product *
open_product(struct req *rq)
{
	struct product	*p = product_db_find(rq->db, req_param(rq, "slug"),
			    rq->session->account_id);

	if (p == NULL || !p->is_open)
		req_not_found(rq);
	return (p);
}

static const char *
client_of(const struct session *s)
{
	return (s->tenant_name != NULL ? s->tenant_name : s->client);
}

/* True, and answered, when there is a key or an open request already. */
static bool
show_already(struct req *rq, const struct product *p, int status)
{
	const struct session	*s = rq->session;
	struct product_standing	 standing;
	struct view		*v;

	standing = product_db_standing_any(rq->db, p, s->account_id);
	if (standing.ask == PRODUCT_ASK_NEW)
		return (false);
	v = view_new(rq->arena);
	view_text(v, "slug", p->slug);
	view_text(v, "product", p->name);
	view_text(v, "client", client_of(s));
	view_text(v, "name", standing.key_name);
	view_bool(v, "has_key", standing.ask == PRODUCT_ASK_HAS_KEY);
	view_bool(v, "is_waiting", standing.ask == PRODUCT_ASK_WAITING);
	view_bool(v, "is_late", standing.ask == PRODUCT_ASK_WAITING &&
	    standing.due_at < rq->now);
	view_text(v, "due_at", standing.ask == PRODUCT_ASK_WAITING ?
	    clock_day(rq->arena, standing.due_at) : "");
	view_text(v, "due_iso", standing.ask == PRODUCT_ASK_WAITING ?
	    clock_iso(rq->arena, standing.due_at) : "");
	respond_page(rq, status, "requests/already", v);
	return (true);
}

static void
show_form(struct req *rq, int status, const struct product *p,
    const struct ask *ask)
{
	struct view	*v = view_new(rq->arena);
	const char	*proposed, *terms = NULL;

	if (p->terms_version != 0)
		terms = product_db_terms(rq->db, p->id, p->terms_version);
	proposed = subscription_name_propose(rq->arena,
	    client_of(rq->session));
	if (ask->name_wrong != NULL)
		form_error(v, "name", ask->name_wrong);
	if (ask->terms_wrong != NULL)
		form_error(v, "terms", ask->terms_wrong);
	if (ask->environment_wrong != NULL)
		form_error(v, "environment", ask->environment_wrong);
	form_fields(v, "name", "terms", "environment", NULL);
	show_environments(v, ask);
	view_text(v, "slug", p->slug);
	view_text(v, "product", p->name);
	view_text(v, "name", ask->name);
	view_text(v, "proposed", proposed);
	view_text(v, "client", client_of(rq->session));
	view_text(v, "limits", product_plan(rq->arena, p));
	view_int(v, "sla_hours", setting->sla_hours);
	view_bool(v, "has_terms", terms != NULL);
	view_int(v, "terms_version", p->terms_version);
	view_bool(v, "accepted", ask->accepted);
	view_text(v, "terms_html", "");
	if (terms != NULL)
		view_html(v, "terms_html", markdown_html(rq->arena, terms, 3));
	respond_page(rq, status, "requests/subscribe", v);
}

/* Nobody is asked where there is one. */
static const char *
environment_of(const char *typed)
{
	return (setting->environments_n == 1 || *typed == '\0' ?
	    setting->environments[0] : typed);
}

static void
show_environments(struct view *v, const struct ask *ask)
{
	struct view	*row;
	size_t		 i;

	view_bool(v, "asks_environment", setting->environments_n > 1);
	view_list(v, "environments");
	for (i = 0; i < setting->environments_n; i++) {
		row = view_row(v, "environments");
		view_text(row, "word", setting->environments[i]);
		view_bool(row, "is_on", str_eq(ask->environment,
		    setting->environments[i]));
	}
}

/* The tick bears the version that was shown. */
static const char *
terms_wrong(struct req *rq, const struct product *p)
{
	const char	*ticked = req_form(rq, "terms");
	int64_t		 version;

	if (p->terms_version == 0)
		return (NULL);
	if (*ticked == '\0')
		return ("Tick that you accept the terms. Without that we "
		    "can’t take the request.");
	if (str_to_int(ticked, 1, INT32_MAX, &version) &&
	    version == p->terms_version)
		return (NULL);
	return ("The terms were changed while you read them. Read them as "
	    "they stand now, and tick again.");
}
