/*
 * Roles of API users, and what may be granted by them, for owners and managers.
 */
#include "api/api_pages.h"
#include "apiusers/role.h"

WAITS static const struct role *find(struct req *);
WAITS static void read_role(struct req *, struct role_form *);
WAITS static void put_role(struct req *, int status, const char *id);
static void	 put_head(struct out *, const struct role *);
WAITS _Noreturn static void refused(struct req *, enum role_result);

void
api_roles(struct req *rq)
{
	struct roles	roles;
	struct out	out;
	int		i;

	api_must_be_manager(rq);
	roles = role_db_list(rq->db, rq->session->tenant_id);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < roles.n; i++) {
		out_open(&out, NULL, '{');
		put_head(&out, &roles.list[i]);
		out_close(&out, '}');
	}
	api_answer_page(rq, &out, NULL);
}

void
api_role(struct req *rq)
{
	put_role(rq, 200, find(rq)->id);
}

void
api_role_make(struct req *rq)
{
	struct role_form	 form;
	enum role_result	 result;
	char			*id = arena_alloc(rq->arena, UUID_TEXT);

	api_must_be_manager(rq);
	uuid_make(id);
	form = (struct role_form){ .id = id };
	read_role(rq, &form);
	result = role_db_make(rq->db, rq->session->account_id,
	    rq->session->tenant_id, &form);
	if (result != ROLE_SAVED)
		refused(rq, result);
	api_location(rq, arena_fmt(rq->arena, "/api-roles/%s", id));
	put_role(rq, 201, id);
}

void
api_role_save(struct req *rq)
{
	const struct role	*role = find(rq);
	struct role_form	 form = { .id = role->id };
	enum role_result	 result;

	read_role(rq, &form);
	form.version = api_match_version(rq);
	result = role_db_save(rq->db, rq->session->account_id,
	    rq->session->tenant_id, &form);
	if (result != ROLE_SAVED)
		refused(rq, result);
	put_role(rq, 200, role->id);
}

void
api_role_delete(struct req *rq)
{
	const struct role	*role = find(rq);
	enum role_result	 result;

	API_FIELDS(rq, { "", API_TEXT, false });
	result = role_db_delete(rq->db, rq->session->account_id,
	    rq->session->tenant_id, role->id, api_match_version(rq));
	if (result != ROLE_SAVED)
		refused(rq, result);
	api_done(rq);
}

void
api_resources(struct req *rq)
{
	struct api_resources	 all;
	struct out		 out;
	int			 i, m;

	api_must_be_manager(rq);
	all = role_db_resources(rq->db, rq->session->tenant_id, NULL);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < all.n; i++) {
		out_open(&out, NULL, '{');
		out_text(&out, "id", all.list[i].id);
		out_text(&out, "name", all.list[i].name);
		out_text(&out, "product", all.list[i].product);
		out_text(&out, "path", all.list[i].path);
		out_open(&out, "operations", '[');
		for (m = 0; m < PERMISSION_METHODS; m++) {
			if (all.list[i].offers[m])
				out_text(&out, NULL, role_operation(m));
		}
		out_close(&out, ']');
		out_close(&out, '}');
	}
	api_answer_page(rq, &out, NULL);
}

WAITS static const struct role *
find(struct req *rq)
{
	const char	*id = api_id(rq);
	struct roles	 roles;
	int		 i;

	api_must_be_manager(rq);
	roles = role_db_list(rq->db, rq->session->tenant_id);
	for (i = 0; i < roles.n; i++) {
		if (str_eq(roles.list[i].id, id))
			return (&roles.list[i]);
	}
	api_not_found(rq);
}

/* The fields under the names that the page's form has. */
WAITS static void
read_role(struct req *rq, struct role_form *form)
{
	struct view	*view = view_new(rq->arena);

	API_FIELDS(rq, { "name", API_TEXT, true },
	    { "accounts", API_LINES, false }, { "grants", API_TEXTS, true });
	api_rename(rq, "grants", "p");
	if (*req_form(rq, "accounts") != '\0')
		api_add(rq, "scope", "named");
	if (!role_page_read(rq, view, form))
		api_invalid(rq, view);
}

WAITS static void
put_role(struct req *rq, int status, const char *id)
{
	const struct roles	 roles = role_db_list(rq->db,
				    rq->session->tenant_id);
	const struct role	*role = NULL;
	struct api_resources	 all;
	struct out		 out;
	int			 i, m;

	for (i = 0; i < roles.n; i++) {
		if (str_eq(roles.list[i].id, id))
			role = &roles.list[i];
	}
	if (role == NULL)
		api_not_found(rq);
	all = role_db_resources(rq->db, rq->session->tenant_id, id);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	put_head(&out, role);
	out_open(&out, "grants", '[');
	for (i = 0; i < all.n; i++)
		for (m = 0; m < PERMISSION_METHODS; m++) {
			if (all.list[i].has[m])
				out_text(&out, NULL, arena_fmt(rq->arena,
				    "%s:%s", all.list[i].id,
				    role_operation(m)));
		}
	out_close(&out, ']');
	out_close(&out, '}');
	api_etag_version(rq, role->version);
	api_answer(rq, status, &out);
}

static void
put_head(struct out *out, const struct role *role)
{
	out_text(out, "id", role->id);
	out_text(out, "name", role->name);
	out_bool(out, "is_preset", role->is_preset);
	out_number(out, "users", role->users);
	out_split(out, "accounts", role->accounts, "\r\n");
}

WAITS _Noreturn static void
refused(struct req *rq, enum role_result result)
{
	switch (result) {
	case ROLE_TAKEN:
		api_fail(rq, 409, "taken", "Another role has this name.");
	case ROLE_NOT_INCLUDED:
		api_invalid_field(rq, "grants", "Something is not part of "
		    "your products. Nothing was saved.");
	case ROLE_FASTER:
		api_fail(rq, 412, "changed_meanwhile", "It has changed since "
		    "you read it. Read it again.");
	case ROLE_FULL:
		api_fail(rq, 409, "full", "There are 50 roles.");
	case ROLE_USED:
		api_fail(rq, 409, "used", "API users or people have this role, "
		    "or it is one that every client has.");
	case ROLE_WIDER:
		api_fail(rq, 409, "wider", "People have this role, whose keys "
		    "would do more. An owner can widen it.");
	case ROLE_SAVED:
	case ROLE_NONE:
		break;
	}
	api_not_found(rq);
}
