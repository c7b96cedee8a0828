/*
 * All people, for staff: the list with its search, and one person with what
 * may be done.
 */
#include "accounts/account.h"
#include "base/clock.h"
#include "crypto/token.h"
#include "people/seat.h"
#include "people/staff.h"
#include "web/respond.h"

WAITS static void list(struct req *, int status, struct view *);
static void	 fill(struct req *, struct view *, const struct staff_person *);
WAITS static void answer(struct req *, enum staff_result, const char *to);
static const char *whom(struct req *);
static const char *here(struct req *);
static bool	 kind_parse(const char *, enum account_kind *);

void
staff_page_list(struct req *rq)
{
	list(rq, 200, view_new(rq->arena));
}

void
staff_page_invite(struct req *rq)
{
	const char		*email = req_form(rq, "email");
	const char		*name = req_form_line(rq, "name");
	const char		*wrong = account_name_wrong(name);
	struct view		*view = view_new(rq->arena);
	enum account_kind	 kind = ACCOUNT_STAFF;
	enum address_verdict	 verdict;
	struct address		 address;

	verdict = address_parse(rq->arena, email, &address);
	if (verdict != ADDRESS_GOOD)
		form_error(view, "email", address_advice(verdict));
	if (wrong != NULL)
		form_error(view, "name", wrong);
	if (!kind_parse(req_form(rq, "role"), &kind))
		form_error(view, "role", "Choose staff or admin.");
	if (!form_has_errors(view)) {
		if (staff_db_invite(rq->db, rq->session->account_id, &address,
		    name, kind)) {
			respond_see_other(rq, "/staff/people?done=invited");
			return;
		}
		form_error(view, "email", "This address has an account here. "
		    "An account is contact or staff, never both.");
	}
	view_text(view, "email", email);
	view_text(view, "name", name);
	view_bool(view, "is_admin_chosen", kind == ACCOUNT_ADMIN);
	list(rq, 422, view);
}

void
staff_page_show(struct req *rq)
{
	staff_page_person(rq, 200, view_new(rq->arena));
}

void
staff_page_disable(struct req *rq)
{
	const char	*reason = req_form(rq, "reason");
	const char	*id = whom(rq);
	struct view	*view;

	if (str_blank(reason) || str_chars(reason) > STAFF_REASON_MAX) {
		view = view_new(rq->arena);
		form_error(view, "reason", str_blank(reason) ?
		    "Say why. The person reads it in the mail." :
		    "The reason may have up to 1000 characters. Shorten it.");
		view_text(view, "typed_reason", reason);
		staff_page_person(rq, 422, view);
		return;
	}
	answer(rq, staff_db_disable(rq->db, rq->session->account_id, id,
	    reason), here(rq));
}

void
staff_page_enable(struct req *rq)
{
	const char	*id = whom(rq);

	answer(rq, staff_db_enable(rq->db, rq->session->account_id, id),
	    here(rq));
}

void
staff_page_sign_out(struct req *rq)
{
	const char	*id = whom(rq);

	answer(rq, staff_db_sign_out(rq->db, rq->session->account_id, id),
	    arena_fmt(rq->arena, "%s?done=signed-out", here(rq)));
}

void
staff_page_change(struct req *rq)
{
	const char		*id = whom(rq);
	enum account_kind	 kind;
	struct view		*view;

	if (!kind_parse(req_form(rq, "role"), &kind)) {
		view = view_new(rq->arena);
		form_error(view, "person", "Choose staff or admin.");
		staff_page_person(rq, 422, view);
		return;
	}
	answer(rq, staff_db_change(rq->db, rq->session->account_id, id, kind),
	    here(rq));
}

void
staff_page_dismiss(struct req *rq)
{
	const char	*id = whom(rq);

	answer(rq, staff_db_dismiss(rq->db, rq->session->account_id, id),
	    "/staff/people?done=removed");
}

WAITS static void
list(struct req *rq, int status, struct view *view)
{
	const char		*after = req_query(rq, "after");
	const char		*typed = req_query(rq, "q");
	const char		*done = req_query(rq, "done");
	struct staff_people	 people;
	struct buf		 b;
	int			 i;

	typed = typed == NULL ? "" : str_squeeze(rq->arena, typed);
	if (str_chars(typed) > STAFF_QUERY_MAX || str_has_control(typed))
		typed = "";
	people = staff_db_list(rq->db, typed, after == NULL ? "" : after);
	view_text(view, "q", typed);
	buf_init(&b, rq->arena, 12 * STAFF_QUERY_MAX + 1);
	buf_url(&b, typed);
	view_text(view, "q_url", buf_text(&b));
	view_bool(view, "is_short", *typed != '\0' && str_chars(typed) < 3);
	view_bool(view, "is_search", *typed != '\0');
	view_bool(view, "is_cut", people.is_cut);
	view_bool(view, "is_first", after == NULL || *after == '\0');
	view_text(view, "next_after", people.next_after);
	view_bool(view, "is_invited", done != NULL && str_eq(done, "invited"));
	view_bool(view, "is_removed", done != NULL && str_eq(done, "removed"));
	view_bool(view, "can_add", rq->session->kind == ACCOUNT_ADMIN);
	form_fields(view, "email", "name", "role", NULL);
	if (!form_has_errors(view)) {
		view_text(view, "email", "");
		view_text(view, "name", "");
		view_bool(view, "is_admin_chosen", false);
	}
	view_bool(view, "has_rows", people.n > 0);
	view_list(view, "rows");
	for (i = 0; i < people.n; i++)
		fill(rq, view_row(view, "rows"), &people.list[i]);
	respond_page(rq, status, "people/staff_list", view);
}

WAITS void
staff_page_person(struct req *rq, int status, struct view *view)
{
	const struct session	*s = rq->session;
	const char		*done = req_query(rq, "done");
	struct staff_person	*p = staff_db_find(rq->db, whom(rq));
	struct seats		 seats;
	bool			 is_me, is_staff, may;

	if (p == NULL)
		req_not_found(rq);
	is_me = str_eq(p->account_id, s->account_id);
	is_staff = p->kind != ACCOUNT_CONTACT;
	may = !is_me && (!is_staff || s->kind == ACCOUNT_ADMIN);
	fill(rq, view, p);
	view_text(view, "since", clock_date(rq->arena, p->since));
	view_text(view, "signed_in", p->signed_in_at == 0 ? "Never" :
	    clock_long(rq->arena, p->signed_in_at));
	view_text(view, "reason", p->reason);
	view_text(view, "disabled_by", p->disabled_by);
	view_text(view, "disabled_at", p->disabled_at == 0 ? "" :
	    clock_long(rq->arena, p->disabled_at));
	view_bool(view, "is_signed_out", done != NULL &&
	    str_eq(done, "signed-out"));
	view_bool(view, "is_me", is_me);
	view_bool(view, "can_disable", may && p->is_active);
	view_bool(view, "can_enable", may && !p->is_active);
	view_bool(view, "can_change", may && is_staff);
	view_bool(view, "is_admin_person", p->kind == ACCOUNT_ADMIN);
	view_bool(view, "is_bare", !may);
	if (!view_has(view, "typed_reason"))
		view_text(view, "typed_reason", "");
	seats = seat_db_list(rq->db, NULL, p->account_id);
	seat_view(rq, view, &seats);
	view_text(view, "person_id", p->account_id);
	view_bool(view, "can_cancel", s->kind == ACCOUNT_ADMIN);
	view_bool(view, "can_seat", !is_staff && p->is_active &&
	    p->role != MEMBER_OWNER && seats.n == 0);
	if (!view_has(view, "typed_tenant")) {
		view_text(view, "typed_tenant", p->code);
		view_text(view, "typed_seat_reason", "");
	}
	form_fields(view, "reason", "person", "tenant", "seat_reason", NULL);
	respond_page(rq, status, "people/staff_person", view);
}

static void
fill(struct req *rq, struct view *v, const struct staff_person *p)
{
	(void)rq;
	view_text(v, "id", p->account_id);
	view_text(v, "person", p->person);
	view_text(v, "address", p->email);
	view_text(v, "what", p->kind == ACCOUNT_CONTACT && p->role ==
	    MEMBER_NONE ? "Contact" : account_role(p->kind, p->role));
	view_text(v, "code", p->code);
	view_text(v, "client", p->client);
	view_bool(v, "is_active", p->is_active);
}

WAITS static void
answer(struct req *rq, enum staff_result result, const char *to)
{
	switch (result) {
	case STAFF_DONE:
		respond_see_other(rq, to);
		return;
	case STAFF_NONE:
	case STAFF_MAY_NOT:
		break;
	}
	req_not_found(rq);
}

/* The id in the path; 404 for what is none. */
static const char *
whom(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id))
		req_not_found(rq);
	return (id);
}

static const char *
here(struct req *rq)
{
	return (arena_fmt(rq->arena, "/staff/people/%s", whom(rq)));
}

static bool
kind_parse(const char *text, enum account_kind *ret_kind)
{
	if (str_eq(text, "admin"))
		*ret_kind = ACCOUNT_ADMIN;
	else if (str_eq(text, "staff"))
		*ret_kind = ACCOUNT_STAFF;
	else
		return (false);
	return (true);
}
