/*
 * One API user: what it may do, its password, and how it is shut off.
 */
#include "apiusers/apiuser.h"

#include <assert.h>

#include "apiusers/role.h"
#include "base/clock.h"
#include "base/setting.h"
#include "sessions/nonce.h"
#include "sessions/session.h"
#include "usage/usage.h"
#include "vault/vault.h"
#include "web/respond.h"

static void show_facts(struct req *, struct view *, const struct api_user *);
static void show_rights(struct req *, struct view *, const struct api_user *,
    bool is_mine);
WAITS static void show_roles(struct req *, struct view *,
    const struct api_user *);
WAITS static void show_matrix(struct req *, struct view *,
    const struct api_user *);
static void show_row(struct req *, struct view *, const struct api_resource *,
    const struct permission_set *);
static void show_answer(struct req *, struct view *, const struct api_user *,
    const struct role_matrices *);
static bool may(struct req *, const struct api_user *,
    const struct role_matrices *, const char *method, const char *path,
    const char **ret_why);
static const char *why_not(struct req *, const char *method,
    const struct permission_answer *);
WAITS static void set_state(struct req *, const char *state, const char *reason,
    bool is_mine);
WAITS static void delete_user(struct req *, bool is_mine);
WAITS static void save_roles(struct req *, bool is_mine);
static const char *back_to(struct req *, const struct api_user *,
    bool is_mine);

void
api_user_page(struct req *rq)
{
	api_page_user(rq, 200, view_new(rq->arena), api_page_find(rq, true),
	    true);
}

void
api_user_page_staff(struct req *rq)
{
	api_page_user(rq, 200, view_new(rq->arena), api_page_find(rq, false),
	    false);
}

void
api_user_page_rotate(struct req *rq)
{
	const struct session *s = rq->session;
	const struct api_user *user = api_page_find(rq, true);
	const char *nonce = req_form(rq, "nonce");
	struct view *view = view_new(rq->arena);
	struct api_password password;
	struct api_user after;
	enum api_change_result result;
	int64_t overlap_s = 0;

	if (!api_overlap_read(req_form(rq, "overlap"), &overlap_s))
		form_error(view, "overlap",
		    "Choose how long the old password "
		    "goes on: not at all, 1 hour, 24 hours or 7 days.");
	else if (!nonce_valid(rq->arena, nonce, s->form_cookie,
		     arena_fmt(rq->arena, "api-rotate:%s", user->id)))
		form_error(view, "overlap",
		    "The page was made before you last "
		    "signed in. Press the button once more.");
	if (form_has_errors(view)) {
		api_page_user(rq, 422, view, user, true);
		return;
	}
	if (!api_password_make(vault, rq->arena, user->id, &password))
		req_fail(rq, 500, "no_api_user_key");
	result = api_user_db_rotate(rq->db, s->account_id, user->id, overlap_s,
	    &password, nonce);
	if (result == API_CHANGED) {
		/* Not read again: it may be deleted by now. */
		after = *user;
		after.old_until = overlap_s == 0 ? 0 :
		    rq->now + overlap_s * SECOND_US;
		api_page_shown(rq, &after, &password, false);
	} else
		api_page_changed(rq, result, user, true, "");
}

void
api_user_page_disable(struct req *rq)
{
	set_state(rq, "disabled", "", true);
}

void
api_user_page_enable(struct req *rq)
{
	set_state(rq, "enabled", "", true);
}

void
api_user_page_delete(struct req *rq)
{
	delete_user(rq, true);
}

void
api_user_page_staff_delete(struct req *rq)
{
	delete_user(rq, false);
}

WAITS static void
delete_user(struct req *rq, bool is_mine)
{
	const struct api_user *user = api_page_find(rq, is_mine);
	struct view *view = view_new(rq->arena);

	/* Typed, since it can't be taken back. */
	if (!str_eq(str_upper(rq->arena, req_form_line(rq, "confirm")),
		user->username)) {
		form_error(view, "confirm",
		    arena_fmt(rq->arena,
			"Type %s to "
			"delete it. That can’t be taken back.",
			user->username));
		api_page_user(rq, 422, view, user, is_mine);
		return;
	}
	api_page_changed(rq,
	    api_user_db_state(rq->db, rq->session->account_id, user->id, 0,
		"deleted", ""),
	    user, is_mine,
	    is_mine ? "/api-users?done=deleted" :
		      arena_fmt(rq->arena,
			  "/staff/tenants/%s/api-users?done=deleted",
			  user->code));
}

void
api_user_page_permissions(struct req *rq)
{
	save_roles(rq, true);
}

void
api_user_page_staff_disable(struct req *rq)
{
	const char *reason = req_form(rq, "reason");
	struct view *view = view_new(rq->arena);

	if (str_blank(reason) || str_chars(reason) > API_REASON_MAX) {
		form_error(view, "reason",
		    "Say why, in up to 1000 "
		    "characters. Owners and managers read it.");
		api_page_user(rq, 422, view, api_page_find(rq, false), false);
		return;
	}
	set_state(rq, "disabled", reason, false);
}

void
api_user_page_staff_enable(struct req *rq)
{
	set_state(rq, "enabled", "", false);
}

void
api_user_page_staff_permissions(struct req *rq)
{
	save_roles(rq, false);
}

WAITS struct api_user *
api_page_find(struct req *rq, bool is_mine)
{
	const char *id = req_param(rq, "id");
	struct api_user *user;

	if (!uuid_shaped(id))
		req_not_found(rq);
	user = api_user_db_find(rq->db, id,
	    is_mine ? api_page_client(rq).id : NULL);
	if (user == NULL)
		req_not_found(rq);
	return (user);
}

WAITS void
api_page_user(struct req *rq, int status, struct view *view,
    const struct api_user *user, bool is_mine)
{
	const char *done = req_query(rq, "done");

	if (done == NULL || status != 200)
		done = "";
	view_bool(view, "is_saved", str_eq(done, "saved"));
	view_bool(view, "is_edited", str_eq(done, "edited"));
	view_bool(view, "is_made", str_eq(done, "made"));
	view_bool(view, "is_sent", str_eq(done, "sent"));
	view_bool(view, "is_now_disabled", str_eq(done, "disabled"));
	view_bool(view, "is_now_enabled", str_eq(done, "enabled"));
	view_bool(view, "is_withdrawn", str_eq(done, "withdrawn"));
	show_facts(rq, view, user);
	show_rights(rq, view, user, is_mine);
	show_roles(rq, view, user);
	show_matrix(rq, view, user);
	usage_show(rq, view, user->tenant_id, user->id);
	form_fields(view, "overlap", "confirm", "reason", "roles", "days",
	    "with_key", "changed", NULL);
	respond_page(rq, status, "apiusers/user", view);
}

WAITS void
api_page_changed(struct req *rq, enum api_change_result result,
    const struct api_user *user, bool is_mine, const char *to)
{
	struct view *view = view_new(rq->arena);
	int status = 409;

	switch (result) {
	case API_CHANGED:
		respond_see_other(rq, to);
		return;
	case API_CHANGE_NONE:
		req_not_found(rq);
	case API_CHANGE_AGAIN:
		api_page_again(rq, is_mine, user->id, user->code);
		return;
	case API_CHANGE_FASTER:
		form_error(view, "changed",
		    "Somebody else changed this just "
		    "now. Nothing was done twice; look at how it is now.");
		break;
	case API_CHANGE_STAFF:
		form_error(view, "changed",
		    arena_fmt(rq->arena,
			"%s was "
			"disabled by our staff. Write to us and we look at it "
			"together.",
			user->username));
		break;
	case API_CHANGE_ROLES:
		form_error(view, "roles",
		    "A role that you chose is gone. "
		    "Choose from those below.");
		status = 422;
		break;
	}
	/* As it is now, not as it was when the form came. */
	api_page_user(rq, status, view, api_page_find(rq, is_mine), is_mine);
}

void
api_page_shown(struct req *rq, const struct api_user *user,
    const struct api_password *password, bool is_new)
{
	struct view *view = view_new(rq->arena);

	view_text(view, "id", user->id);
	view_text(view, "username", user->username);
	view_text(view, "code", user->code);
	view_text(view, "password", secret_reveal(rq->arena, password->text));
	view_text(view, "integration", user->integration);
	view_text(view, "vendor", user->vendor);
	view_bool(view, "is_new", is_new);
	view_text(view, "old_until",
	    user->old_until == 0 ? "" : clock_long(rq->arena, user->old_until));
	respond_page(rq, 200, "apiusers/shown", view);
}

void
api_page_again(struct req *rq, bool is_mine, const char *id, const char *code)
{
	struct view *view = view_new(rq->arena);

	view_bool(view, "is_mine", is_mine);
	view_text(view, "id", id);
	view_text(view, "code", code);
	respond_page(rq, 200, "apiusers/shown_already", view);
}

static void
show_facts(struct req *rq, struct view *view, const struct api_user *user)
{
	struct arena *a = rq->arena;
	bool is_over = user->expires_at != 0 && user->expires_at <= rq->now;
	bool is_on = str_eq(user->state, "enabled");
	int64_t days = (rq->now - user->password_at) / DAY_US;

	view_text(view, "id", user->id);
	view_text(view, "username", user->username);
	view_text(view, "code", user->code);
	view_text(view, "client", user->client);
	view_text(view, "vendor", user->vendor);
	view_text(view, "integration", user->integration);
	view_text(view, "contact_name", user->contact_name);
	view_text(view, "contact_email", user->contact_email);
	view_bool(view, "has_contact",
	    *user->contact_name != '\0' || *user->contact_email != '\0');
	view_text(view, "note", user->note);
	view_bool(view, "is_active", is_on && !is_over);
	view_bool(view, "is_over", is_on && is_over);
	view_bool(view, "is_disabled", !is_on);
	view_bool(view, "is_by_staff", user->disabled_by_staff);
	view_text(view, "disabled_reason", user->disabled_reason);
	view_text(view, "disabled_at", clock_long(a, user->state_at));
	view_bool(view, "is_used", user->last_used_at != 0);
	view_text(view, "used",
	    user->last_used_at == 0 ? "" : clock_long(a, user->last_used_at));
	view_text(view, "used_ago", user->last_used_at == 0 ? "" :
	    clock_ago(a, user->last_used_at, rq->now));
	view_text(view, "address", user->last_address);
	view_text(view, "made", clock_date(a, user->created_at));
	view_text(view, "made_by", user->made_by);
	view_text(view, "ends", user->expires_at == 0 ? "" :
	    clock_date(a, user->expires_at - SECOND_US));
	view_bool(view, "has_password", user->password_at != 0);
	view_bool(view, "is_old", days >= setting->api_password_days);
	view_text(view, "age",
	    days < 1 ? "made today" :
		       arena_fmt(a, "%lld day%s old", (long long)days,
			   days == 1 ? "" : "s"));
	view_text(view, "old_until",
	    user->old_until == 0 ? "" : clock_long(a, user->old_until));
	view_text(view, "hand_over_until",
	    user->hand_over_until == 0 ? "" :
					 clock_long(a, user->hand_over_until));
}

static void
show_rights(struct req *rq, struct view *view, const struct api_user *user,
    bool is_mine)
{
	const struct session *s = rq->session;
	bool is_on = str_eq(user->state, "enabled");
	bool is_admin = !is_mine && s->kind == ACCOUNT_ADMIN;
	struct arena *a = rq->arena;

	view_bool(view, "is_mine", is_mine);
	view_bool(view, "can_edit", is_mine || is_admin);
	view_bool(view, "can_delete", is_mine || is_admin);
	view_bool(view, "can_disable",
	    is_on || (!is_mine && !user->disabled_by_staff));
	view_bool(view, "can_enable",
	    !is_on && (!is_mine || !user->disabled_by_staff));
	view_bool(view, "can_hand_over", (is_mine || is_admin) && is_on);
	view_bool(view, "can_give_key", is_mine && s->role == MEMBER_OWNER);
	view_text(view, "typed_reason", req_form(rq, "reason"));
	view_text(view, "rotate_nonce",
	    nonce_make(a, s->cookie, arena_fmt(a, "api-rotate:%s", user->id)));
	view_text(view, "hand_nonce",
	    nonce_make(a, s->cookie,
		arena_fmt(a, "api-hand-over:%s", user->id)));
}

WAITS static void
show_roles(struct req *rq, struct view *view, const struct api_user *user)
{
	const struct roles roles = role_db_list(rq->db, user->tenant_id);
	const char *has = arena_fmt(rq->arena, ", %s, ", user->roles);
	struct view *row;
	int i;

	view_int(view, "version", user->version);
	view_text(view, "role_names", user->roles);
	view_list(view, "roles");
	for (i = 0; i < roles.n; i++) {
		row = view_row(view, "roles");
		view_text(row, "id", roles.list[i].id);
		view_text(row, "name", roles.list[i].name);
		view_bool(row, "is_named", *roles.list[i].accounts != '\0');
		/* No name holds a comma: role_pages.c. */
		view_bool(row, "is_chosen",
		    strstr(has,
			arena_fmt(rq->arena, ", %s, ", roles.list[i].name)) !=
			NULL);
	}
}

/* What all its roles together allow, told by the very code that decides. */
WAITS static void
show_matrix(struct req *rq, struct view *view, const struct api_user *user)
{
	const struct api_resources all =
	    role_db_resources(rq->db, user->tenant_id, NULL);
	const struct role_matrices found = role_db_matrices(rq->db, user->id);
	const struct permission_set *set;
	int i, k;

	view_bool(view, "has_resources", all.n > 0);
	view_list(view, "resources");
	for (i = 0; i < all.n; i++) {
		set = NULL;
		for (k = 0; k < found.n; k++)
			if (str_eq(found.list[k].product_id,
				all.list[i].product_id))
				set = found.list[k].set;
		show_row(rq, view_row(view, "resources"), &all.list[i], set);
	}
	show_answer(rq, view, user, &found);
}

static void
show_row(struct req *rq, struct view *row, const struct api_resource *resource,
    const struct permission_set *set)
{
	struct permission_answer answer = { .verdict = PERMISSION_NOT_GRANTED };
	struct view *cell;
	int m;

	view_text(row, "name", resource->name);
	view_text(row, "path", resource->path);
	view_text(row, "product", resource->product);
	view_list(row, "cells");
	for (m = 0; m < PERMISSION_METHODS; m++) {
		if (set != NULL)
			answer = permission_decide(set, role_operation(m),
			    strlen(role_operation(m)), resource->path,
			    strlen(resource->path));
		cell = view_row(row, "cells");
		view_text(cell, "operation", role_operation(m));
		view_bool(cell, "is_offered", resource->offers[m]);
		view_bool(cell, "is_granted",
		    answer.verdict == PERMISSION_GRANTED);
		view_text(cell, "accounts",
		    answer.verdict != PERMISSION_GRANTED ||
			    str_eq(arena_strndup(rq->arena, answer.scope,
				       answer.scope_bytes),
				"all") ?
			"" :
			arena_strndup(rq->arena, answer.scope,
			    answer.scope_bytes));
	}
}

static void
show_answer(struct req *rq, struct view *view, const struct api_user *user,
    const struct role_matrices *found)
{
	const char *method = req_query(rq, "m"), *path = req_query(rq, "path");
	const char *why = "";
	struct view *row;
	int i;

	view_list(view, "methods");
	for (i = 0; i < PERMISSION_METHODS; i++) {
		row = view_row(view, "methods");
		view_text(row, "name", role_operation(i));
		view_bool(row, "is_chosen",
		    method != NULL && str_eq(method, role_operation(i)));
	}
	view_text(view, "path", path);
	view_bool(view, "is_asked", method != NULL && path != NULL);
	if (method == NULL || path == NULL)
		return;
	view_bool(view, "is_yes", may(rq, user, found, method, path, &why));
	view_text(view, "why", why);
}

WAITS bool
api_page_may(struct req *rq, const struct api_user *user, const char *method,
    const char *path, const char **ret_why)
{
	const struct role_matrices found = role_db_matrices(rq->db, user->id);

	return (may(rq, user, &found, method, path, ret_why));
}

static bool
may(struct req *rq, const struct api_user *user,
    const struct role_matrices *found, const char *method, const char *path,
    const char **ret_why)
{
	struct permission_answer answer = { .verdict = PERMISSION_NO_RESOURCE },
				 one;
	const char *scope;
	int i;

	for (i = 0; i < found->n; i++) {
		if (found->list[i].set == NULL)
			continue;
		one = permission_decide(found->list[i].set, method,
		    strlen(method), path, strlen(path));
		if (i == 0 || (answer.verdict == PERMISSION_NO_RESOURCE) ||
		    one.verdict == PERMISSION_GRANTED)
			answer = one;
	}
	scope = arena_strndup(rq->arena, answer.scope, answer.scope_bytes);
	if (!str_eq(user->state, "enabled"))
		*ret_why = arena_fmt(rq->arena,
		    "%s is disabled. The gateway "
		    "answers 403, api_user_disabled.",
		    user->username);
	else if (user->expires_at != 0 && user->expires_at <= rq->now)
		*ret_why = arena_fmt(rq->arena,
		    "%s has expired. The gateway "
		    "answers 403, api_user_disabled.",
		    user->username);
	else if (answer.verdict != PERMISSION_GRANTED)
		*ret_why = why_not(rq, method, &answer);
	else {
		*ret_why = str_eq(scope, "all") ?
		    "For the data of all accounts." :
		    arena_fmt(rq->arena,
			"For the data of these accounts only: %s.", scope);
		return (true);
	}
	return (false);
}

static const char *
why_not(struct req *rq, const char *method,
    const struct permission_answer *answer)
{
	const char *why = "";

	switch (answer->verdict) {
	case PERMISSION_GRANTED:
		break;
	case PERMISSION_ODD_PATH:
		why = "The path could be read in more than one way. It must "
		      "begin with one slash and hold no “..”, “//”, “;”, "
		      "encoded slash or the like.";
		break;
	case PERMISSION_ODD_METHOD:
		why = "Only GET, HEAD, POST, PUT, PATCH and DELETE are let "
		      "through.";
		break;
	case PERMISSION_NO_RESOURCE:
		why = "No resource of your products has this path. Capital "
		      "and small letters count.";
		break;
	case PERMISSION_NOT_GRANTED:
		why = arena_fmt(rq->arena, "No role of it allows %s on %s.",
		    method,
		    arena_strndup(rq->arena, answer->resource,
			answer->resource_bytes));
		break;
	}
	return (arena_fmt(rq->arena,
	    "%s The gateway answers 403, "
	    "not_permitted.",
	    why));
}

WAITS static void
set_state(struct req *rq, const char *state, const char *reason, bool is_mine)
{
	const struct api_user *user = api_page_find(rq, is_mine);

	api_page_changed(rq,
	    api_user_db_state(rq->db, rq->session->account_id, user->id, 0,
		state, reason),
	    user, is_mine,
	    arena_fmt(rq->arena, "%s?done=%s", back_to(rq, user, is_mine),
		state));
}

WAITS static void
save_roles(struct req *rq, bool is_mine)
{
	const struct api_user *user = api_page_find(rq, is_mine);
	struct view *view = view_new(rq->arena);
	const char *const *roles;
	int64_t version;
	size_t n;

	roles = api_page_ids(rq, "role", API_USER_ROLES_MAX + 1, &n);
	if (n == 0 || n > API_USER_ROLES_MAX)
		form_error(view, "roles",
		    "Choose one to five roles. To stop "
		    "the integration, disable the user.");
	if (!str_to_int(req_form(rq, "version"), 1, INT32_MAX, &version))
		form_error(view, "changed",
		    "The form was not whole. Look at "
		    "the roles and save them once more.");
	if (form_has_errors(view)) {
		api_page_user(rq, 422, view, user, is_mine);
		return;
	}
	api_page_changed(rq,
	    api_user_db_roles(rq->db, rq->session->account_id, user->id,
		version, roles, n),
	    user, is_mine,
	    arena_fmt(rq->arena, "%s?done=saved", back_to(rq, user, is_mine)));
}

static const char *
back_to(struct req *rq, const struct api_user *user, bool is_mine)
{
	return (arena_fmt(rq->arena, "/%sapi-users/%s", is_mine ? "" : "staff/",
	    user->id));
}
