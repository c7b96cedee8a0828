/*
 * Staff ask owners for their consent; an owner reads who asks, and answers.
 */
#include "requests/consent.h"

#include "base/clock.h"
#include "crypto/token.h"
#include "requests/request_view_pages.h"
#include "sessions/session.h"

WAITS static struct consent *find(struct req *);
static void	show(struct req *, int status, const struct consent *,
		    const char *error);

void
consent_page_ask(struct req *rq)
{
	const char		*id = req_param(rq, "id");
	struct request		*r = uuid_shaped(id) ? request_db_find(rq->db,
				    id) : NULL;
	struct request_typed	 typed = { .bad_field = "consent_tenant" };
	int			 status = 422;

	if (r == NULL)
		req_not_found(rq);
	typed.consent_tenant = str_upper(rq->arena, req_form_line(rq,
	    "tenant"));
	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	switch (consent_db_ask(rq->db, rq->session->account_id, r->id,
	    typed.consent_tenant)) {
	case CONSENT_ASKED:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/requests/%s", r->id));
		return;
	case CONSENT_ALREADY:
		typed.error = "The owners of this client were asked before. "
		    "Their answer shows below.";
		status = 409;
		break;
	case CONSENT_NOBODY:
		typed.error = "No client with this code has an owner who could "
		    "be asked.";
		break;
	case CONSENT_NOT:
		typed.error = "This contact belongs to a client already, so "
		    "nobody has to agree.";
		status = 409;
		break;
	}
	r = request_db_find(rq->db, id);
	if (r == NULL)
		req_not_found(rq);
	if (r->state != REQUEST_SUBMITTED)
		request_view_decided(rq, r);
	else
		request_view_respond(rq, status, r, &typed);
}

void
consent_page_show(struct req *rq)
{
	show(rq, 200, find(rq), NULL);
}

void
consent_page_answer(struct req *rq)
{
	struct consent	*c = find(rq);
	const char	*answer = req_form(rq, "answer");
	bool		 is_yes = str_eq(answer, "yes");

	if (*c->answer == '\0' && c->is_open && !is_yes &&
	    !str_eq(answer, "no")) {
		show(rq, 422, c, "Choose one of the two answers.");
		return;
	}
	if (*c->answer == '\0' && c->is_open && consent_db_answer(rq->db,
	    rq->session->account_id, c->id, is_yes)) {
		respond_see_other(rq, arena_fmt(rq->arena, "/consents/%s",
		    c->id));
		return;
	}
	show(rq, 409, find(rq), NULL);
}

/* 404 when it is of no tenant that he owns. */
static struct consent *
find(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	struct consent	*c = NULL;

	if (uuid_shaped(id))
		c = consent_db_find(rq->db, rq->session->account_id, id);
	if (c == NULL)
		req_not_found(rq);
	return (c);
}

static void
show(struct req *rq, int status, const struct consent *c, const char *error)
{
	struct view	*v = view_new(rq->arena);

	form_fields(v, "answer", NULL);
	view_text(v, "id", c->id);
	view_text(v, "person", c->person);
	view_text(v, "email", c->email);
	view_text(v, "name", c->request_name);
	view_text(v, "product", c->product);
	view_text(v, "client", c->client);
	view_text(v, "tenant", c->tenant);
	view_text(v, "asked_by", c->asked_by);
	view_text(v, "asked_at", clock_long(rq->arena, c->asked_at));
	view_bool(v, "is_yes", str_eq(c->answer, "yes"));
	view_bool(v, "is_no", str_eq(c->answer, "no"));
	view_text(v, "answered_by", c->answered_by);
	view_text(v, "answered_at", c->answered_at == 0 ? "" :
	    clock_long(rq->arena, c->answered_at));
	view_bool(v, "is_over", *c->answer == '\0' && !c->is_open);
	view_bool(v, "can_answer", *c->answer == '\0' && c->is_open);
	if (error != NULL)
		form_error(v, "answer", error);
	respond_page(rq, status, "requests/consent", v);
}
