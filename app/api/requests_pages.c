/*
 * Requests of contacts: ask for a subscription, see how it stands, withdraw.
 */
#include "api/api_pages.h"
#include "base/setting.h"
#include "products/product.h"
#include "requests/thread.h"
#include "subscriptions/subscription.h"

static const char *const states[] = { "submitted", "approved", "shared",
	"rejected", "withdrawn" };

WAITS static void put_request(struct req *, int status, const char *id);
static void	 put_fields(struct out *, const struct thread_request *);
WAITS _Noreturn static void refused(struct req *, const struct product *,
		    enum request_submit_result, const char *environment);

void
api_requests(struct req *rq)
{
	const struct thread_requests	 list = thread_db_list(rq->db,
					    rq->session->account_id,
					    rq->session->tenant_id,
					    api_query(rq, "after"));
	struct out			 out;
	int				 i;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < list.n; i++)
		put_fields(&out, &list.list[i]);
	api_answer_page(rq, &out, list.next_after);
}

void
api_request_submit(struct req *rq)
{
	enum subscription_name_verdict	 verdict;
	enum request_submit_result	 result;
	struct subscription_name	 name;
	const struct session		*s = rq->session;
	const struct product		*p;
	const char			*client, *terms, *environment;
	int64_t				 accepted = 0;

	API_FIELDS(rq, { "product", API_TEXT, true },
	    { "name", API_TEXT, true }, { "terms_version", API_NUMBER, false },
	    { "environment", API_TEXT, false });
	p = product_db_find(rq->db, req_form(rq, "product"), s->account_id);
	if (p == NULL || !p->is_open)
		api_invalid_field(rq, "product", "No product that takes "
		    "requests has this slug.");
	client = s->tenant_name != NULL ? s->tenant_name : s->client;
	verdict = subscription_name_check(rq->arena, req_form_line(rq, "name"),
	    &name);
	if (verdict != SUBSCRIPTION_NAME_GOOD)
		api_invalid_field(rq, "name", subscription_name_advice(
		    rq->arena, verdict, &name, subscription_name_propose(
		    rq->arena, client)));
	terms = req_form(rq, "terms_version");
	if (p->terms_version != 0 && (!str_to_int(terms, 1, INT32_MAX,
	    &accepted) || accepted != p->terms_version))
		api_invalid_field(rq, "terms_version", "Read the terms of "
		    "the product, and send the version that you accept.");
	environment = req_form(rq, "environment");
	if (*environment == '\0')
		environment = setting->environments[0];
	if (!setting_environment(environment))
		api_invalid_field(rq, "environment", "There is no such "
		    "environment.");
	result = request_db_submit(rq->db, s->account_id, p->id, name.name,
	    name.client, setting->sla_hours, p->terms_version,
	    environment);
	if (result != REQUEST_SUBMIT_DONE)
		refused(rq, p, result, environment);
	put_request(rq, 201, NULL);
}

void
api_request(struct req *rq)
{
	put_request(rq, 200, api_id(rq));
}

void
api_request_withdraw(struct req *rq)
{
	const char	*id = api_id(rq);

	API_FIELDS(rq, { "", API_TEXT, false });
	switch (request_db_withdraw(rq->db, rq->session->account_id, id)) {
	case REQUEST_WITHDRAW_DONE:
		api_done(rq);
		return;
	case REQUEST_WITHDRAW_LATE:
		api_fail(rq, 409, "decided", "The request is not open any "
		    "more.");
	case REQUEST_WITHDRAW_NONE:
		break;
	}
	api_not_found(rq);
}

WAITS _Noreturn static void
refused(struct req *rq, const struct product *p,
    enum request_submit_result result, const char *environment)
{
	struct product_standing	standing;

	switch (result) {
	case REQUEST_SUBMIT_CLIENT:
		api_fail(rq, 409, "client_closed", "The client that you "
		    "belong to is closed.");
	case REQUEST_SUBMIT_CLOSED:
		api_fail(rq, 409, "product_changed", "The product closed, or "
		    "its terms changed, just now.");
	case REQUEST_SUBMIT_DONE:
	case REQUEST_SUBMIT_OPEN:
	case REQUEST_SUBMIT_HAS_KEY:
		break;
	}
	standing = product_db_standing(rq->db, p, rq->session->account_id,
	    environment);
	if (standing.ask == PRODUCT_ASK_HAS_KEY)
		api_fail(rq, 409, "has_key", arena_fmt(rq->arena, "Your "
		    "client has a key: %s.", standing.key_name));
	api_fail(rq, 409, "has_request", "A request of yours or your "
	    "client's is open already.");
}

/* id NULL: the contact's newest, which he has just made. */
WAITS static void
put_request(struct req *rq, int status, const char *id)
{
	const char			*who = rq->session->account_id;
	const struct thread_request	*r = NULL;
	struct thread_requests		 list;
	struct out			 out;

	if (id != NULL) {
		r = thread_db_find(rq->db, who, id);
	} else {
		list = thread_db_list(rq->db, who, NULL, "");
		if (list.n > 0)
			r = &list.list[0];
	}
	if (r == NULL)
		api_not_found(rq);
	out_begin(&out, rq->arena);
	put_fields(&out, r);
	if (status == 201)
		api_location(rq, arena_fmt(rq->arena, "/requests/%s", r->id));
	api_answer(rq, status, &out);
}

static void
put_fields(struct out *out, const struct thread_request *r)
{
	out_open(out, NULL, '{');
	out_text(out, "id", r->id);
	out_text(out, "name", r->name);
	out_text(out, "product", r->product_slug);
	out_text(out, "state", states[r->state]);
	out_bool(out, "is_own", r->is_own);
	out_bool(out, "waits_on_contact", r->waits_on_contact);
	out_time(out, "submitted_at", r->submitted_at);
	out_time(out, "due_at", r->due_at);
	out_time(out, "decided_at", r->decided_at);
	out_some(out, "reason", r->reason);
	out_close(out, '}');
}
