/*
 * What staff do by scripts: the queue and decisions.
 */
#include "api/api_pages.h"
#include "requests/queue.h"
#include "requests/reason.h"
#include "requests/request_view_pages.h"
#include "requests/thread.h"
#include "vault/vault.h"

static const char *const states[] = { "submitted", "approved", "shared",
	"rejected", "withdrawn" };

WAITS static struct request *find(struct req *);
WAITS static struct request *open_one(struct req *);
static void	 put_request(struct out *, const struct request *);
WAITS static void decided(struct req *, enum request_decide_result);

/* Filters and orders as the page's address has them. */
void
api_staff_queue(struct req *rq)
{
	struct queue_filter	 filter;
	struct queue_products	 products;
	struct queue_list	 list;
	struct out		 out;
	int			 i;

	if (queue_filter_read(rq->arena, rq, req_query, &filter))
		api_invalid_field(rq, "q", "It holds a whole key. Look it up "
		    "by staff/keys/find.");
	products = queue_db_products(rq->db);
	for (i = 0; i < products.n; i++) {
		if (str_eq(products.list[i].slug, filter.product))
			filter.product_id = products.list[i].id;
	}
	if (*filter.product != '\0' && filter.product_id == NULL)
		api_invalid_field(rq, "product", "No product has this slug.");
	list = *filter.search == '\0' ?
	    queue_db_list(rq->db, &filter, rq->session->account_id) :
	    queue_db_search(rq->db, &filter, rq->session->account_id);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < list.n; i++)
		put_request(&out, list.list[i].request);
	api_answer_page(rq, &out, list.next_after);
}

void
api_staff_request(struct req *rq)
{
	const struct request	*r = find(rq);
	struct out		 out;

	out_begin(&out, rq->arena);
	put_request(&out, r);
	api_answer(rq, 200, &out);
}

void
api_staff_approve(struct req *rq)
{
	const struct request	*r;
	struct request_typed	 typed = { .tenant = "" };
	struct request_tenant	 tenant = { .code = NULL };
	struct request_decision	 decision;

	API_FIELDS(rq, { "tenant", API_TEXT, false },
	    { "code", API_TEXT, false }, { "client", API_TEXT, false },
	    { "list_domain", API_BOOL, false }, { "reason", API_TEXT, false });
	r = open_one(rq);
	typed.tenant = str_upper(rq->arena, req_form_line(rq, "tenant"));
	typed.code = str_upper(rq->arena, req_form_line(rq, "code"));
	typed.client = req_form_line(rq, "client");
	typed.approve_reason = req_form(rq, "reason");
	if (*typed.tenant != '\0')
		tenant.code = typed.tenant;
	tenant.new_code = typed.code;
	tenant.new_name = typed.client;
	tenant.list_domain = !r->is_public_mail &&
	    *req_form(rq, "list_domain") != '\0';
	if (request_approve_wrong(rq, r, &typed, &tenant))
		api_invalid_field(rq, str_eq(typed.bad_field,
		    "approve_reason") ? "reason" : typed.bad_field,
		    typed.error);
	decision = (struct request_decision){ r->id,
		rq->session->account_id, str_blank(typed.approve_reason) ?
		"" : typed.approve_reason };
	decided(rq, request_db_approve(rq->db, vault, &decision, &tenant));
}

void
api_staff_share(struct req *rq)
{
	const struct request	*r;
	struct request_typed	 typed = { .tenant = "" };
	struct request_decision	 decision;
	const char		*code;

	API_FIELDS(rq, { "tenant", API_TEXT, true },
	    { "reason", API_TEXT, false });
	r = open_one(rq);
	code = str_upper(rq->arena, req_form_line(rq, "tenant"));
	typed.share_reason = req_form(rq, "reason");
	if (request_share_wrong(rq, r, &typed, code))
		api_invalid_field(rq, str_eq(typed.bad_field,
		    "share_reason") ? "reason" : "tenant", typed.error);
	decision = (struct request_decision){ r->id,
		rq->session->account_id, str_blank(typed.share_reason) ?
		"" : typed.share_reason };
	decided(rq, request_db_share(rq->db, &decision, code));
}

void
api_staff_reject(struct req *rq)
{
	const struct request	*r;
	struct request_decision	 decision;

	API_FIELDS(rq, { "reason", API_TEXT, true });
	r = open_one(rq);
	decision = (struct request_decision){ r->id,
		rq->session->account_id, req_form(rq, "reason") };
	if (str_blank(decision.reason) ||
	    str_chars(decision.reason) > REQUEST_REASON_MAX)
		api_invalid_field(rq, "reason", "Say why, in up to 1000 "
		    "characters. The contact reads it.");
	decided(rq, request_db_reject(rq->db, &decision));
}

void
api_staff_ask(struct req *rq)
{
	const struct request	*r;
	struct request_decision	 question;

	API_FIELDS(rq, { "question", API_TEXT, true });
	r = open_one(rq);
	question = (struct request_decision){ r->id,
		rq->session->account_id, req_form(rq, "question") };
	if (str_blank(question.reason) ||
	    str_chars(question.reason) > THREAD_TEXT_MAX)
		api_invalid_field(rq, "question", "Ask something, in up to "
		    "1000 characters.");
	switch (thread_db_ask(rq->db, &question)) {
	case THREAD_DONE:
		api_done(rq);
		return;
	case THREAD_FULL:
		api_fail(rq, 409, "full", "This thread is full.");
	case THREAD_LATE:
	case THREAD_NONE:
		break;
	}
	api_fail(rq, 409, "decided", "The request is decided, or somebody "
	    "has asked already.");
}

WAITS static struct request *
find(struct req *rq)
{
	struct request	*r = request_db_find(rq->db, api_id(rq));

	if (r == NULL)
		api_not_found(rq);
	return (r);
}

WAITS static struct request *
open_one(struct req *rq)
{
	struct request	*r = find(rq);

	if (r->state != REQUEST_SUBMITTED)
		api_fail(rq, 409, "decided", arena_fmt(rq->arena, "The "
		    "request is %s.", states[r->state]));
	return (r);
}

static void
put_request(struct out *out, const struct request *r)
{
	const struct request_checks	 checks = request_check(out->b.arena,
					    r);
	const struct request_candidate	*c;
	int				 i;

	out_open(out, NULL, '{');
	out_text(out, "id", r->id);
	out_text(out, "name", r->name);
	out_text(out, "product", r->product_slug);
	out_text(out, "state", states[r->state]);
	out_some(out, "person", r->person);
	out_some(out, "email", r->email);
	out_some(out, "client", r->client);
	out_time(out, "submitted_at", r->submitted_at);
	out_time(out, "due_at", r->due_at);
	out_time(out, "decided_at", r->decided_at);
	out_some(out, "decided_by", r->decided_by);
	out_some(out, "reason", r->reason);
	out_bool(out, "waits_on_contact", r->waits_on_contact);
	out_some(out, "assigned_to", r->assigned_to);
	out_open(out, "tenants", '[');
	for (i = 0; i < r->candidates_n; i++) {
		c = &r->candidates[i];
		out_open(out, NULL, '{');
		out_text(out, "code", c->code);
		out_text(out, "name", c->name);
		out_bool(out, "is_own", c->is_own);
		out_bool(out, "has_domain", c->has_domain);
		out_bool(out, "has_key", c->key_name != NULL);
		out_bool(out, "needs_reason", request_needs_reason(c));
		out_close(out, '}');
	}
	out_close(out, ']');
	out_open(out, "checks", '[');
	for (i = 0; i < checks.n; i++) {
		out_open(out, NULL, '{');
		out_text(out, "title", checks.list[i].title);
		out_text(out, "text", checks.list[i].text);
		out_bool(out, "is_good", str_eq(checks.list[i].tone,
		    "is-good"));
		out_close(out, '}');
	}
	out_close(out, ']');
	out_close(out, '}');
}

WAITS static void
decided(struct req *rq, enum request_decide_result result)
{
	switch (result) {
	case REQUEST_DECIDE_DONE:
		api_staff_request(rq);
		return;
	case REQUEST_DECIDE_HAS_KEY:
		api_fail(rq, 409, "has_key", "The client has a live key. "
		    "Share it.");
	case REQUEST_DECIDE_CODE:
		api_fail(rq, 409, "taken", "The code is another client's.");
	case REQUEST_DECIDE_CLOSED:
		api_fail(rq, 409, "product_closed", "The product is closed: no "
		    "key of it works any more.");
	case REQUEST_DECIDE_SEATED:
	case REQUEST_DECIDE_NOT:
		break;
	}
	api_fail(rq, 409, "changed_meanwhile", "The request or the client has "
	    "changed. Read it again.");
}
