/*
 * What the keys of one person of the client may: the page and its form.
 */
#include "base/str.h"
#include "crypto/token.h"
#include "people/permit.h"
#include "people/people.h"
#include "web/respond.h"

static const char *whom(struct req *);
static const char *const *roles_of(struct req *, size_t *ret_n);
WAITS static void show(struct req *, int status, struct view *);

void
permit_page(struct req *rq)
{
	const char	*done = req_query(rq, "done");
	struct view	*view = view_new(rq->arena);

	view_bool(view, "is_saved", done != NULL && str_eq(done, "saved"));
	show(rq, 200, view);
}

void
permit_page_save(struct req *rq)
{
	const char		*id = whom(rq);
	struct view		*view = view_new(rq->arena);
	struct permit_form	 form = { .roles_n = 0 };
	int			 status = 422;

	/* A form without it is not as anything was: as one that is old. */
	if (!str_to_int(req_form(rq, "version"), 0, INT32_MAX, &form.version))
		form.version = -1;
	form.roles = roles_of(rq, &form.roles_n);
	form.makes_keys = str_eq(req_form(rq, "makes_keys"), "1");
	switch (permit_db_save(rq->db, rq->session->account_id, id, &form)) {
	case PERMIT_SAVED:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/people/%s/permissions?done=saved", id));
		return;
	case PERMIT_NONE:
		req_not_found(rq);
	case PERMIT_BEYOND:
		form_error(view, "roles", rq->session->role == MEMBER_OWNER ?
		    "A role that you chose is gone. This is how it is now; "
		    "nothing was saved." :
		    "You give the roles that you have yourself. This is how "
		    "it is now; nothing was saved.");
		break;
	case PERMIT_FASTER:
		form_error(view, "roles", "Somebody else changed this just "
		    "now. This is how it is now; nothing of yours was saved.");
		status = 409;
		break;
	}
	show(rq, status, view);
}

/* As it is in the database: what was refused may not be so any more. */
WAITS static void
show(struct req *rq, int status, struct view *view)
{
	const struct session	*s = rq->session;
	const struct permit_role *role;
	struct permit		*permit = NULL;
	struct view		*row;
	int			 i, given = 0;

	if (s->tenant_id != NULL)
		permit = permit_db_read(rq->db, s->account_id, whom(rq));
	if (permit == NULL)
		req_not_found(rq);
	view_text(view, "id", permit->account_id);
	view_text(view, "person", *permit->person == '\0' ? "Account closed" :
	    permit->person);
	view_text(view, "client", s->tenant_name);
	view_int(view, "version", permit->version);
	view_bool(view, "is_by_owner", s->role == MEMBER_OWNER);
	view_bool(view, "is_owner", permit->is_owner);
	view_bool(view, "makes_keys", permit->makes_keys);
	if (!view_has(view, "is_saved"))
		view_bool(view, "is_saved", false);
	form_fields(view, "roles", NULL);
	view_list(view, "roles");
	for (i = 0; i < permit->n; i++) {
		role = &permit->roles[i];
		given += role->may_give;
		row = view_row(view, "roles");
		view_text(row, "id", role->id);
		view_text(row, "name", role->name);
		view_bool(row, "is_named", role->is_named);
		view_bool(row, "is_chosen", role->has);
		view_bool(row, "may_give", role->may_give);
	}
	view_bool(view, "can_save", s->role == MEMBER_OWNER || given > 0);
	respond_page(rq, status, "people/permit", view);
}

/* Ids of the fields "role"; what is none is passed over.  The statement takes
 * each once. */
static const char *const *
roles_of(struct req *rq, size_t *ret_n)
{
	const char	**ids = arena_calloc(rq->arena, PERMIT_ROLES_MAX,
			    sizeof(*ids));
	size_t		  i, n = 0;

	for (i = 0; i < rq->form.n && n < PERMIT_ROLES_MAX; i++)
		if (str_eq(rq->form.list[i].name, "role") &&
		    uuid_shaped(rq->form.list[i].value))
			ids[n++] = rq->form.list[i].value;
	*ret_n = n;
	return (ids);
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
