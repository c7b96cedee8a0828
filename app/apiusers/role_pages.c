/*
 * The roles of a client: a list, and the matrix of each.
 */
#include "apiusers/apiuser.h"
#include "apiusers/role.h"
#include "base/str.h"
#include "sessions/session.h"
#include "web/respond.h"

WAITS static void list_roles(struct req *, const struct api_client *);
WAITS static void make_role(struct req *, const struct api_client *);
WAITS static void show_one(struct req *, const struct api_client *);
WAITS static void save_role(struct req *, const struct api_client *);
WAITS static void delete_role(struct req *, const struct api_client *);
static const char *where(struct req *, const struct api_client *);
static void show_client(struct req *, struct view *,
    const struct api_client *);
WAITS static void show_list(struct req *, int status, struct view *,
    const struct api_client *);
WAITS static void show_role(struct req *, int status, struct view *,
    const struct api_client *, const struct role *);
static void show_matrix(struct view *, const struct api_resources *);
WAITS static const struct role *find(struct req *, const struct api_client *);
static void read_grants(struct req *, struct role_form *);
static void chosen(struct req *, struct api_resources *);
static void refused(struct req *, struct view *, enum role_result);

void
role_page_list(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	list_roles(rq, &client);
}

void
role_page_staff_list(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	list_roles(rq, &client);
}

void
role_page_make(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	make_role(rq, &client);
}

void
role_page_staff_make(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	make_role(rq, &client);
}

void
role_page(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	show_one(rq, &client);
}

void
role_page_staff(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	show_one(rq, &client);
}

void
role_page_save(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	save_role(rq, &client);
}

void
role_page_staff_save(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	save_role(rq, &client);
}

void
role_page_delete(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	delete_role(rq, &client);
}

void
role_page_staff_delete(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	delete_role(rq, &client);
}

WAITS static void
list_roles(struct req *rq, const struct api_client *client)
{
	show_list(rq, 200, view_new(rq->arena), client);
}

WAITS static void
make_role(struct req *rq, const struct api_client *client)
{
	struct view *view = view_new(rq->arena);
	char *id = arena_alloc(rq->arena, UUID_TEXT);
	struct role_form form = { .version = 0 };
	enum role_result result = ROLE_NONE;

	uuid_make(id);
	form.id = id;
	if (role_page_read(rq, view, &form)) {
		result = role_db_make(rq->db, rq->session->account_id,
		    client->id, &form);
		if (result == ROLE_SAVED) {
			respond_see_other(rq,
			    arena_fmt(rq->arena, "%s/%s?done=made",
				where(rq, client), id));
			return;
		}
		refused(rq, view, result);
	}
	show_list(rq, 422, view, client);
}

WAITS static void
show_one(struct req *rq, const struct api_client *client)
{
	show_role(rq, 200, view_new(rq->arena), client, find(rq, client));
}

WAITS static void
save_role(struct req *rq, const struct api_client *client)
{
	const struct role *role = find(rq, client);
	struct view *view = view_new(rq->arena);
	struct role_form form = { .id = role->id };
	enum role_result result;
	int status = 422;

	if (!str_to_int(req_form(rq, "version"), 1, INT32_MAX, &form.version))
		form_error(view, "changed",
		    "The form was not whole. Look at "
		    "the role and save it once more.");
	if (role_page_read(rq, view, &form)) {
		result = role_db_save(rq->db, rq->session->account_id,
		    client->id, &form);
		if (result == ROLE_SAVED) {
			respond_see_other(rq,
			    arena_fmt(rq->arena, "%s/%s?done=saved",
				where(rq, client), role->id));
			return;
		}
		refused(rq, view, result);
		if (result == ROLE_FASTER) {
			status = 409;
			/* As it is now. */
			role = find(rq, client);
		}
	}
	show_role(rq, status, view, client, role);
}

WAITS static void
delete_role(struct req *rq, const struct api_client *client)
{
	const struct role *role = find(rq, client);
	struct view *view = view_new(rq->arena);
	enum role_result result;

	result = role_db_delete(rq->db, rq->session->account_id, client->id,
	    role->id, 0);
	if (result == ROLE_SAVED) {
		respond_see_other(rq,
		    arena_fmt(rq->arena, "%s?done=deleted",
			where(rq, client)));
		return;
	}
	refused(rq, view, result);
	show_role(rq, 409, view, client, role);
}

WAITS static void
show_list(struct req *rq, int status, struct view *view,
    const struct api_client *client)
{
	const struct roles roles = role_db_list(rq->db, client->id);
	const char *done = req_query(rq, "done");
	struct view *row;
	int i;

	show_client(rq, view, client);
	view_bool(view, "is_deleted", done != NULL && str_eq(done, "deleted"));
	view_list(view, "roles");
	for (i = 0; i < roles.n; i++) {
		row = view_row(view, "roles");
		view_text(row, "id", roles.list[i].id);
		view_text(row, "name", roles.list[i].name);
		view_bool(row, "is_preset", roles.list[i].is_preset);
		view_bool(row, "is_named", *roles.list[i].accounts != '\0');
		view_text(row, "users",
		    arena_fmt(rq->arena, "%lld user%s",
			(long long)roles.list[i].users,
			roles.list[i].users == 1 ? "" : "s"));
	}
	view_text(view, "name", req_form(rq, "name"));
	form_fields(view, "name", "accounts", "p", NULL);
	respond_page(rq, status, "apiusers/roles", view);
}

WAITS static void
show_role(struct req *rq, int status, struct view *view,
    const struct api_client *client, const struct role *role)
{
	struct api_resources all =
	    role_db_resources(rq->db, client->id, role->id);
	const char *done = req_query(rq, "done");
	bool is_typed = status == 422, is_named = *role->accounts != '\0';

	if (is_typed) {
		chosen(rq, &all);
		is_named = str_eq(req_form(rq, "scope"), "named");
	}
	if (done == NULL || status != 200)
		done = "";
	view_bool(view, "is_made", str_eq(done, "made"));
	view_bool(view, "is_saved", str_eq(done, "saved"));
	show_client(rq, view, client);
	view_text(view, "id", role->id);
	view_text(view, "title", role->name);
	view_bool(view, "is_preset", role->is_preset);
	view_bool(view, "is_used", role->users > 0);
	view_text(view, "users",
	    role->users == 0	 ? "No API user has" :
		role->users == 1 ? "1 API user has" :
				   arena_fmt(rq->arena, "%lld API users have",
				       (long long)role->users));
	view_int(view, "version", role->version);
	view_text(view, "name", is_typed ? req_form(rq, "name") : role->name);
	view_bool(view, "is_named", is_named);
	view_text(view, "accounts",
	    is_typed ? req_form(rq, "accounts") : role->accounts);
	view_bool(view, "has_resources", all.n > 0);
	view_bool(view, "is_cut", all.n == ROLE_RESOURCES_MAX);
	show_matrix(view, &all);
	form_fields(view, "name", "accounts", "p", "changed", NULL);
	respond_page(rq, status, "apiusers/role", view);
}

/* Where the roles of a client are: its own, or for staff. */
static const char *
where(struct req *rq, const struct api_client *client)
{
	return (client->is_mine ?
		"/api-roles" :
		arena_fmt(rq->arena, "/staff/tenants/%s/api-roles",
		    client->code));
}

static void
show_client(struct req *rq, struct view *view, const struct api_client *client)
{
	view_text(view, "client", client->name);
	view_text(view, "code", client->code);
	view_bool(view, "is_mine", client->is_mine);
	view_bool(view, "can_edit",
	    client->is_mine || rq->session->kind == ACCOUNT_ADMIN);
}

static void
show_matrix(struct view *view, const struct api_resources *all)
{
	struct view *row, *cell;
	int i, m;

	view_list(view, "resources");
	for (i = 0; i < all->n; i++) {
		row = view_row(view, "resources");
		view_text(row, "id", all->list[i].id);
		view_text(row, "name", all->list[i].name);
		view_text(row, "note", all->list[i].note);
		view_text(row, "path", all->list[i].path);
		view_text(row, "product", all->list[i].product);
		view_list(row, "cells");
		for (m = 0; m < PERMISSION_METHODS; m++) {
			cell = view_row(row, "cells");
			view_text(cell, "operation", role_operation(m));
			view_bool(cell, "is_offered", all->list[i].offers[m]);
			view_bool(cell, "is_ticked", all->list[i].has[m]);
		}
	}
}

WAITS static const struct role *
find(struct req *rq, const struct api_client *client)
{
	const struct roles roles = role_db_list(rq->db, client->id);
	const char *id = req_param(rq, "id");
	int i;

	for (i = 0; i < roles.n; i++)
		if (str_eq(roles.list[i].id, id))
			return (&roles.list[i]);
	req_not_found(rq);
}

bool
role_page_read(struct req *rq, struct view *view, struct role_form *form)
{
	const char *wrong = NULL, *p;

	form->name = req_form_line(rq, "name");
	wrong =
	    api_line_wrong(rq->arena, "The name", form->name, ROLE_NAME_MAX);
	if (wrong == NULL && str_chars(form->name) < 2)
		wrong = "The name must have at least 2 characters.";
	/* Names are listed with commas between them. */
	p = strpbrk(form->name, ",;@:<>\"");
	if (wrong == NULL && p != NULL)
		wrong = arena_fmt(rq->arena, "The name can’t hold “%c”.", *p);
	if (wrong != NULL)
		form_error(view, "name", wrong);
	if (str_eq(req_form(rq, "scope"), "named")) {
		form->accounts = role_accounts_read(rq->arena,
		    req_form(rq, "accounts"), &form->accounts_n, &wrong);
		if (form->accounts == NULL)
			form_error(view, "accounts", wrong);
		else if (form->accounts_n == 0)
			form_error(view, "accounts",
			    "Write at least one "
			    "account number, or choose all accounts.");
	}
	read_grants(rq, form);
	if (form->grants_n == SIZE_MAX)
		form_error(view, "p",
		    "The form holds an operation or resource "
		    "that there is not. Look at the role and save it once "
		    "more.");
	return (!form_has_errors(view));
}

/* Fields "p", each "<resource>:<OPERATION>"; SIZE_MAX for what is none. */
static void
read_grants(struct req *rq, struct role_form *form)
{
	const char **resources, **operations, *value, *id;
	size_t i, n = 0;
	int m;

	resources = arena_calloc(rq->arena, rq->form.n, sizeof(*resources));
	operations = arena_calloc(rq->arena, rq->form.n, sizeof(*operations));
	form->resources = resources;
	form->operations = operations;
	form->grants_n = SIZE_MAX;
	for (i = 0; i < rq->form.n; i++) {
		if (!str_eq(rq->form.list[i].name, "p"))
			continue;
		value = rq->form.list[i].value;
		if (strlen(value) <= UUID_TEXT || value[UUID_TEXT - 1] != ':')
			return;
		id = arena_strndup(rq->arena, value, UUID_TEXT - 1);
		for (m = 0; m < PERMISSION_METHODS &&
		     !str_eq(value + UUID_TEXT, role_operation(m));)
			m++;
		if (!uuid_shaped(id) || m == PERMISSION_METHODS)
			return;
		resources[n] = id;
		operations[n++] = role_operation(m);
	}
	form->grants_n = n;
}

/* What was ticked in a form that is shown again. */
static void
chosen(struct req *rq, struct api_resources *all)
{
	struct role_form form = { .version = 0 };
	size_t k;
	int i, m;

	read_grants(rq, &form);
	for (i = 0; i < all->n; i++) {
		for (m = 0; m < PERMISSION_METHODS; m++) {
			all->list[i].has[m] = false;
			for (k = 0;
			     form.grants_n != SIZE_MAX && k < form.grants_n;
			     k++)
				if (str_eq(form.resources[k],
					all->list[i].id) &&
				    str_eq(form.operations[k],
					role_operation(m)))
					all->list[i].has[m] = true;
		}
	}
}

static void
refused(struct req *rq, struct view *view, enum role_result result)
{
	switch (result) {
	case ROLE_SAVED:
		break;
	case ROLE_NONE:
		req_not_found(rq);
	case ROLE_TAKEN:
		form_error(view, "name", "Another role has this name.");
		break;
	case ROLE_NOT_INCLUDED:
		form_error(view, "p",
		    "Something that you ticked is not part of "
		    "your products. Nothing was saved.");
		break;
	case ROLE_FASTER:
		form_error(view, "changed",
		    "Somebody else changed this role "
		    "just now. This is how it is now; nothing of yours was "
		    "saved.");
		break;
	case ROLE_FULL:
		form_error(view, "name",
		    "There are 50 roles. Delete one that "
		    "nobody has.");
		break;
	case ROLE_USED:
		form_error(view, "changed",
		    "API users or people have this role. Give "
		    "them another one first.");
		break;
	case ROLE_WIDER:
		form_error(view, "changed",
		    "People have this role, whose keys would do more. An "
		    "owner can widen it. Nothing was saved.");
		break;
	}
}
