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
#include "web/respond.h"

WAITS static struct product *open_product(struct req *);
static const char	*client_of(const struct session *);
WAITS static bool	 show_already(struct req *, const struct product *,
			    int status);
static void		 show_form(struct req *, const struct product *,
			    const char *name, const char *error);

void
request_page_subscribe_form(struct req *rq)
{
	struct product	*p = open_product(rq);

	if (show_already(rq, p, 200))
		return;
	show_form(rq, p, subscription_name_propose(rq->arena,
	    client_of(rq->session)), NULL);
}

void
request_page_subscribe(struct req *rq)
{
	enum subscription_name_verdict	 verdict;
	struct subscription_name	 name;
	struct product			*p = open_product(rq);
	const char			*typed = req_form_line(rq, "name");

	verdict = subscription_name_check(rq->arena, typed, &name);
	if (verdict != SUBSCRIPTION_NAME_GOOD) {
		show_form(rq, p, typed, subscription_name_advice(rq->arena,
		    verdict, &name, subscription_name_propose(rq->arena,
		    client_of(rq->session))));
		return;
	}
	switch (request_db_submit(rq->db, rq->session->account_id, p->id,
	    name.name, name.client, setting->sla_hours)) {
	case REQUEST_SUBMIT_DONE:
		respond_see_other(rq, "/profile");
		return;
	case REQUEST_SUBMIT_CLIENT:
		show_form(rq, p, typed, arena_fmt(rq->arena, "We closed the "
		    "client that you belong to, so nobody can ask for its key. "
		    "If that is not right, write to %s.",
		    setting->support_email));
		return;
	case REQUEST_SUBMIT_OPEN:
	case REQUEST_SUBMIT_HAS_KEY:
	case REQUEST_SUBMIT_CLOSED:
		break;
	}
	/* Else that request was decided, or the product closed, just now. */
	if (!show_already(rq, p, 409))
		req_fail(rq, 409, "changed_meanwhile");
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
	struct product	*p = product_db_find(rq->db, req_param(rq, "slug"));

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

	standing = product_db_standing(rq->db, p, s->account_id);
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
show_form(struct req *rq, const struct product *p, const char *name,
    const char *error)
{
	struct view	*v = view_new(rq->arena);
	const char	*proposed;

	proposed = subscription_name_propose(rq->arena,
	    client_of(rq->session));
	form_fields(v, "name", NULL);
	view_text(v, "slug", p->slug);
	view_text(v, "product", p->name);
	view_text(v, "name", name);
	view_text(v, "proposed", proposed);
	view_text(v, "client", client_of(rq->session));
	view_text(v, "limits", product_limits(rq->arena, p->calls_a_minute,
	    p->calls_a_day));
	view_int(v, "sla_hours", setting->sla_hours);
	if (error != NULL)
		form_error(v, "name", error);
	respond_page(rq, error == NULL ? 200 : 422, "requests/subscribe", v);
}
