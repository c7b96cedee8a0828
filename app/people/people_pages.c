/*
 * The people of a client: the list, its forms, and what somebody saw of keys.
 */
#include "base/clock.h"
#include "accounts/account_pages.h"
#include "accounts/account.h"
#include "crypto/token.h"
#include "people/ask.h"
#include "people/people.h"
#include "people/seat.h"
#include "tenants/tenant.h"
#include "web/respond.h"

static void	 show_member(struct req *, struct view *,
		    const struct people_member *);
static void	 show_roles(struct view *, enum member_role chosen,
		    enum member_role may_be);
static void	 show_invitations(struct req *, struct view *,
		    const struct people *);
static void	 show_gone(struct req *, struct view *, const struct people *);
static const char *role_word(enum member_role);
static const char *whom(struct req *);
WAITS static void answer(struct req *, enum people_result, const char *to);
static void	 need_client(struct req *);

void
people_page(struct req *rq)
{
	people_page_show(rq, 200, view_new(rq->arena));
}

void
people_page_invite(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*email = req_form(rq, "email");
	struct view		*view = view_new(rq->arena);
	enum member_role	 role = MEMBER_MEMBER;
	struct invite_answer	 answer;
	enum address_verdict	 verdict;
	struct address		 address;

	need_client(rq);
	if (s->role == MEMBER_MEMBER)
		req_not_found(rq);
	verdict = address_parse(rq->arena, email, &address);
	if (verdict != ADDRESS_GOOD)
		form_error(view, "email", address_advice(verdict));
	if (!people_role_parse(req_form(rq, "role"), &role))
		form_error(view, "role", "Choose what your colleague may do.");
	else if (!people_may_invite(s->role, role))
		form_error(view, "role", "A manager invites members only. Ask "
		    "an owner to invite this colleague.");
	if (!form_has_errors(view)) {
		answer = invite_db_send(rq->db, s->account_id, &address, role);
		switch (answer.result) {
		case INVITE_SENT:
			respond_see_other(rq, "/people?done=invited");
			return;
		case INVITE_MAY_NOT:
			req_not_found(rq);
		case INVITE_BUSY:
			account_page_wait(rq, "invitations", answer.wait_s);
			return;
		case INVITE_IS_MEMBER:
			form_error(view, "email", arena_fmt(rq->arena,
			    "%s is at %s already. To change the role, use the "
			    "list.", address.text, s->tenant_name));
			break;
		}
	}
	view_text(view, "email", email);
	show_roles(view, role, s->role);
	people_page_show(rq, 422, view);
}

void
people_page_withdraw(struct req *rq)
{
	if (!invite_db_withdraw(rq->db, rq->session->account_id, whom(rq)))
		req_not_found(rq);
	respond_see_other(rq, "/people?done=withdrawn");
}

void
people_page_change(struct req *rq)
{
	enum member_role	role;

	need_client(rq);
	if (rq->session->role != MEMBER_OWNER)
		req_not_found(rq);
	if (!people_role_parse(req_form(rq, "role"), &role)) {
		struct view	*view = view_new(rq->arena);

		form_error(view, "people", "Choose a role: owner, manager or "
		    "member.");
		people_page_show(rq, 422, view);
		return;
	}
	answer(rq, people_db_change(rq->db, rq->session->account_id, whom(rq),
	    role), "/people?done=changed");
}

void
people_page_remove(struct req *rq)
{
	const char	*id = whom(rq);

	need_client(rq);
	answer(rq, people_db_remove(rq->db, rq->session->account_id, id),
	    rq->session->role == MEMBER_OWNER &&
	    !str_eq(id, rq->session->account_id) ?
	    arena_fmt(rq->arena, "/people/%s/keys", id) :
	    "/people?done=removed");
}

void
people_page_leave(struct req *rq)
{
	need_client(rq);
	answer(rq, people_db_remove(rq->db, rq->session->account_id,
	    rq->session->account_id), "/profile");
}

void
people_page_looks(struct req *rq)
{
	const struct session	*s = rq->session;
	struct view		*view = view_new(rq->arena), *row;
	struct people_looks	*looks = NULL;
	int			 i;

	if (s->tenant_id != NULL && s->role == MEMBER_OWNER)
		looks = people_db_looks(rq->db, s->tenant_id, whom(rq));
	if (looks == NULL)
		req_not_found(rq);
	view_text(view, "person", *looks->person == '\0' ?
	    "Somebody whose account is closed" : looks->person);
	view_text(view, "client", s->tenant_name);
	view_bool(view, "is_member", looks->is_member);
	view_bool(view, "has_looks", looks->n > 0);
	view_list(view, "looks");
	for (i = 0; i < looks->n; i++) {
		row = view_row(view, "looks");
		view_text(row, "subscription", looks->list[i].subscription);
		view_text(row, "slot", str_eq(looks->list[i].slot, "primary") ?
		    "Primary" : "Secondary");
		view_text(row, "at", clock_long(rq->arena,
		    looks->list[i].at));
		view_text(row, "iso", clock_iso(rq->arena, looks->list[i].at));
	}
	respond_page(rq, 200, "people/looks", view);
}

WAITS void
people_page_show(struct req *rq, int status, struct view *view)
{
	const struct session	*s = rq->session;
	const char		*done = req_query(rq, "done");
	struct people		 people = { .members_n = 0 };
	struct seats		 seats = { .n = 0 };
	const char		*open = NULL;
	int			 i;

	if (s->tenant_id != NULL)
		people = people_db_read(rq->db, s->tenant_id, s->role);
	else
		open = ask_db_open(rq->db, s->account_id);
	if (s->role == MEMBER_OWNER)
		seats = seat_db_list(rq->db, s->tenant_id, NULL);
	seat_view(rq, view, &seats);
	view_bool(view, "is_asked", open != NULL);
	view_text(view, "open_ask", open);
	if (!view_has(view, "asked"))
		view_text(view, "asked", open != NULL ? open : s->client);
	view_bool(view, "has_client", s->tenant_id != NULL);
	view_text(view, "client", s->tenant_name);
	view_bool(view, "can_invite", s->role == MEMBER_OWNER ||
	    s->role == MEMBER_MANAGER);
	view_bool(view, "is_owner", s->role == MEMBER_OWNER);
	view_bool(view, "is_invited", done != NULL && str_eq(done, "invited"));
	view_bool(view, "is_withdrawn", done != NULL &&
	    str_eq(done, "withdrawn"));
	view_bool(view, "is_removed", done != NULL && str_eq(done, "removed"));
	view_bool(view, "is_changed", done != NULL && str_eq(done, "changed"));
	form_fields(view, "email", "role", "people", "client", NULL);
	if (!view_has(view, "email"))
		view_text(view, "email", "");
	if (!view_has(view, "roles"))
		show_roles(view, MEMBER_MEMBER, s->role);
	view_list(view, "members");
	for (i = 0; i < people.members_n; i++)
		show_member(rq, view_row(view, "members"),
		    &people.members[i]);
	show_invitations(rq, view, &people);
	show_gone(rq, view, &people);
	respond_page(rq, status, "people/people", view);
}

static void
show_member(struct req *rq, struct view *row, const struct people_member *m)
{
	const struct session	*s = rq->session;
	bool			 is_me = str_eq(m->account_id, s->account_id);
	bool			 sees;
	const char		*person = *m->person == '\0' ?
				    "Account closed" : m->person;

	view_text(row, "id", m->account_id);
	view_text(row, "person", person);
	view_text(row, "email", m->email);
	view_text(row, "role", role_word(m->role));
	view_text(row, "since", clock_date(rq->arena, m->joined_at));
	view_bool(row, "is_me", is_me);
	view_bool(row, "is_disabled", !m->is_active);
	view_bool(row, "can_change", s->role == MEMBER_OWNER);
	view_bool(row, "can_remove", !is_me &&
	    people_may_remove(s->role, m->role));
	view_bool(row, "can_see_keys", s->role == MEMBER_OWNER);
	view_bool(row, "can_permit", s->role == MEMBER_OWNER ||
	    people_may_remove(s->role, m->role));
	/* What keys of colleagues may is for who leads, one's own for all;
	 * owners may everything. */
	sees = m->role != MEMBER_OWNER && (is_me || s->role != MEMBER_MEMBER);
	view_text(row, "permits", sees ? m->permits : "");
	view_bool(row, "makes_keys", sees && m->makes_keys);
	view_bool(row, "has_actions", s->role == MEMBER_OWNER || is_me ||
	    people_may_remove(s->role, m->role));
	show_roles(row, m->role, s->role);
}

static void
show_roles(struct view *view, enum member_role chosen, enum member_role who)
{
	static const struct {
		enum member_role role;
		const char	*text;
	} roles[] = {
		{ MEMBER_MEMBER, "Sees the keys and their state." },
		{ MEMBER_MANAGER, "Also looks after integrations, and invites "
		    "and removes members." },
		{ MEMBER_OWNER, "May do everything, and is told of all who "
		    "come and go." },
	};
	struct view	*row;
	size_t		 i;

	view_list(view, "roles");
	for (i = 0; i < COUNT(roles); i++) {
		if (!people_may_invite(who, roles[i].role))
			continue;
		row = view_row(view, "roles");
		view_text(row, "value", people_role_name(roles[i].role));
		view_text(row, "label", role_word(roles[i].role));
		view_text(row, "hint", roles[i].text);
		view_bool(row, "is_chosen", roles[i].role == chosen);
	}
}

static void
show_invitations(struct req *rq, struct view *view,
    const struct people *people)
{
	const struct people_invitation	*one;
	struct view			*row;
	int				 i;

	view_bool(view, "has_invitations", people->invitations_n > 0);
	view_list(view, "invitations");
	for (i = 0; i < people->invitations_n; i++) {
		one = &people->invitations[i];
		row = view_row(view, "invitations");
		view_text(row, "id", one->id);
		view_text(row, "email", one->email);
		view_text(row, "role", role_word(one->role));
		view_text(row, "by", one->by);
		view_text(row, "until", clock_long(rq->arena, one->until));
		view_bool(row, "can_withdraw",
		    people_may_invite(rq->session->role, one->role));
	}
}

static void
show_gone(struct req *rq, struct view *view, const struct people *people)
{
	struct view	*row;
	int		 i;

	view_bool(view, "has_gone", people->gone_n > 0);
	view_list(view, "gone");
	for (i = 0; i < people->gone_n; i++) {
		row = view_row(view, "gone");
		view_text(row, "id", people->gone[i].account_id);
		view_text(row, "person", *people->gone[i].person == '\0' ?
		    "Account closed" : people->gone[i].person);
		view_bool(row, "left", people->gone[i].left);
		view_text(row, "at", clock_long(rq->arena,
		    people->gone[i].at));
	}
}

static const char *
role_word(enum member_role role)
{
	return (tenant_role_word(people_role_name(role)));
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

WAITS static void
answer(struct req *rq, enum people_result result, const char *to)
{
	struct view	*view;

	switch (result) {
	case PEOPLE_DONE:
		respond_see_other(rq, to);
		return;
	case PEOPLE_NONE:
	case PEOPLE_MAY_NOT:
		break;
	case PEOPLE_LAST_OWNER:
		view = view_new(rq->arena);
		form_error(view, "people", arena_fmt(rq->arena, "%s needs an "
		    "owner, and this is the last one. Make a colleague owner "
		    "first.", rq->session->tenant_name));
		people_page_show(rq, 409, view);
		return;
	}
	req_not_found(rq);
}

static void
need_client(struct req *rq)
{
	if (rq->session->tenant_id == NULL)
		req_not_found(rq);
}
