/*
 * Issued keys for staff: the list of a subscription, and what revokes one.
 */
#include "keys/issued_view.h"
#include "sessions/session.h"
#include "subscriptions/change.h"
#include "web/respond.h"

WAITS static void staff_page(struct req *, int status, struct view *,
		    const char *subscription_id);

void
issued_page_staff(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id))
		req_not_found(rq);
	staff_page(rq, 200, view_new(rq->arena), id);
}

void
issued_page_staff_revoke(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	const char	*reason = req_form(rq, "reason"), *of;
	struct view	*v = view_new(rq->arena);

	if (!uuid_shaped(id))
		req_not_found(rq);
	of = issued_db_of(rq->db, id);
	if (of == NULL)
		req_not_found(rq);
	if (str_blank(reason) || str_chars(reason) > ISSUED_REASON_MAX) {
		form_error(v, "keys", "Say why, in up to 1000 characters. The "
		    "owners of the client and its maker read it.");
		staff_page(rq, 422, v, of);
		return;
	}
	switch (issued_db_revoke(rq->db, rq->session->account_id, id,
	    reason)) {
	case ISSUED_DONE:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/subscriptions/%s/issued", of));
		return;
	case ISSUED_LATE:
		form_error(v, "keys", "This key has ended already: somebody "
		    "was faster.");
		staff_page(rq, 409, v, of);
		return;
	case ISSUED_NONE:
	case ISSUED_AGAIN:
	case ISSUED_SCOPES:
	case ISSUED_FULL:
	case ISSUED_NAME:
		break;
	}
	req_not_found(rq);
}

WAITS static void
staff_page(struct req *rq, int status, struct view *v,
    const char *subscription_id)
{
	const char			*after = req_query(rq, "after");
	const struct subscription	*s;
	struct issued_place		 place = { .can_revoke = true };
	struct issued_keys		 keys;

	s = subscription_db_find(rq->db, subscription_id);
	if (s == NULL || s->is_pair)
		req_not_found(rq);
	keys = issued_db_staff(rq->db, subscription_id, after == NULL ? "" :
	    after);
	view_text(v, "subscription_id", s->id);
	view_text(v, "subscription", s->name);
	view_text(v, "product", s->product);
	view_text(v, "client", s->tenant_name);
	environment_view(rq, v, s->environment);
	issued_view_keys(rq, v, &place, &keys);
	form_fields(v, "keys", NULL);
	respond_page(rq, status, "keys/issued_staff", v);
}
