/*
 * API users of a client, for its owners and managers.
 */
#include "api/api_pages.h"
#include "apiusers/hand_over.h"
#include "apiusers/role.h"
#include "base/clock.h"
#include "mail/link.h"
#include "vault/vault.h"
#include "web/scope.h"

WAITS static const struct api_user *find(struct req *);
static void	 put_user(struct out *, const char *name,
		    const struct api_user *);
static void	 put_secret(struct out *, struct req *,
		    const struct api_user *, const struct api_password *);
static void	 put_cells(struct out *, struct req *,
		    const struct api_resource *,
		    const struct permission_set *);
WAITS static void set_state(struct req *, const char *state);
WAITS static void must_be_as_seen(struct req *, enum api_change_result);
WAITS static void changed(struct req *, enum api_change_result,
		    const struct api_user *);

void
api_users(struct req *rq)
{
	struct api_users	users;
	struct out		out;
	int			i;

	api_must_be_manager(rq);
	users = api_user_db_list(rq->db, rq->session->tenant_id, "",
	    str_upper(rq->arena, api_query(rq, "after")));
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < users.n; i++)
		put_user(&out, NULL, &users.list[i]);
	api_answer_page(rq, &out, users.next_after);
}

void
api_user_make(struct req *rq)
{
	struct api_client	 client;
	struct api_user_form	 form;
	struct api_password	 password;
	const struct api_user	*user;
	struct view		*view = view_new(rq->arena);
	const char		*twin = "";
	struct out		 out;

	api_must_be_manager(rq);
	client = api_page_client(rq);
	API_FIELDS(rq, { "username", API_TEXT, true },
	    { "vendor", API_TEXT, true }, { "integration", API_TEXT, true },
	    { "contact_name", API_TEXT, false },
	    { "contact_email", API_TEXT, false }, { "note", API_TEXT, false },
	    { "expires", API_TEXT, false }, { "roles", API_TEXTS, true },
	    { "again", API_BOOL, false });
	api_rename(rq, "roles", "role");
	if (!api_page_read(rq, view, &client, &form))
		api_invalid(rq, view);
	if (!api_password_make(vault, rq->arena, form.id, &password))
		req_fail(rq, 500, "no_api_user_key");
	switch (api_user_db_make(rq->db, rq->session->account_id, client.id,
	    &form, &password, api_nonce(rq), &twin)) {
	case API_MADE:
		user = api_user_db_find(rq->db, form.id, client.id);
		if (user == NULL)
			api_not_found(rq);
		out_begin(&out, rq->arena);
		put_secret(&out, rq, user, &password);
		api_location(rq, arena_fmt(rq->arena, "/api-users/%s",
		    user->id));
		api_etag_version(rq, user->version);
		api_answer_secret(rq, 201, &out);
		return;
	case API_MAKE_NONE:
		api_not_found(rq);
	case API_MAKE_AGAIN:
		api_fail(rq, 409, "already_revealed", "This was done "
		    "already.");
	case API_MAKE_TAKEN:
		api_fail(rq, 409, "taken", "This name is in use, or was until "
		    "less than 90 days ago.");
	case API_MAKE_TWIN:
		api_fail(rq, 409, "twin", arena_fmt(rq->arena, "%s has %s "
		    "already. Send \"again\": true if this is another "
		    "integration.", form.vendor, twin));
	case API_MAKE_ROLES:
		api_invalid_field(rq, "roles", "There is no such role.");
	case API_MAKE_FULL:
		api_fail(rq, 409, "full", "There are 2000 API users.");
	}
}

void
api_user(struct req *rq)
{
	const struct api_user	*user = find(rq);
	struct out		 out;

	out_begin(&out, rq->arena);
	put_user(&out, NULL, user);
	api_etag_version(rq, user->version);
	api_answer(rq, 200, &out);
}

void
api_user_rotate(struct req *rq)
{
	const struct api_user	*user = find(rq), *after;
	enum api_change_result	 result;
	struct api_password	 password;
	int64_t			 overlap_s = 0;
	struct out		 out;

	API_FIELDS(rq, { "overlap_s", API_NUMBER, false });
	if (!api_overlap_read(req_form(rq, "overlap_s"), &overlap_s))
		api_invalid_field(rq, "overlap_s", "It is 0, 3600, 86400 or "
		    "604800 seconds.");
	if (!api_password_make(vault, rq->arena, user->id, &password))
		req_fail(rq, 500, "no_api_user_key");
	result = api_user_db_rotate(rq->db, rq->session->account_id, user->id,
	    overlap_s, &password, api_nonce(rq));
	if (result != API_CHANGED) {
		changed(rq, result, user);
		return;
	}
	out_begin(&out, rq->arena);
	/* It may be deleted by now: what was done is told all the same. */
	after = api_user_db_find(rq->db, user->id, rq->session->tenant_id);
	put_secret(&out, rq, after == NULL ? user : after, &password);
	api_answer_secret(rq, 200, &out);
}

void
api_user_enable(struct req *rq)
{
	set_state(rq, "enabled");
}

void
api_user_disable(struct req *rq)
{
	set_state(rq, "disabled");
}

void
api_user_delete(struct req *rq)
{
	const struct api_user	*user = find(rq);
	enum api_change_result	 result;

	API_FIELDS(rq, { "", API_TEXT, false });
	result = api_user_db_state(rq->db, rq->session->account_id, user->id,
	    api_match_version(rq), "deleted", "");
	must_be_as_seen(rq, result);
	changed(rq, result, user);
}

void
api_user_roles(struct req *rq)
{
	const struct api_user	*user = find(rq);
	const char *const	*roles;
	int64_t			 version;
	enum api_change_result	 result;
	size_t			 n;

	API_FIELDS(rq, { "roles", API_TEXTS, true });
	api_rename(rq, "roles", "role");
	version = api_match_version(rq);
	roles = api_page_ids(rq, "role", API_USER_ROLES_MAX + 1, &n);
	if (n != rq->form.n || n == 0 || n > API_USER_ROLES_MAX)
		api_invalid_field(rq, "roles", "Send one to five ids of roles, "
		    "each once.");
	result = api_user_db_roles(rq->db, rq->session->account_id, user->id,
	    version, roles, n);
	must_be_as_seen(rq, result);
	if (result == API_CHANGED)
		api_etag_version(rq, version + 1);
	changed(rq, result, user);
}

void
api_user_permissions(struct req *rq)
{
	const struct api_user		*user = find(rq);
	const struct api_resources	 all = role_db_resources(rq->db,
					    user->tenant_id, NULL);
	const struct role_matrices	 found = role_db_matrices(rq->db,
					    user->id);
	const struct permission_set	*set;
	struct out			 out;
	int				 i, k;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < all.n; i++) {
		for (set = NULL, k = 0; k < found.n; k++)
			if (str_eq(found.list[k].product_id,
			    all.list[i].product_id))
				set = found.list[k].set;
		out_open(&out, NULL, '{');
		out_text(&out, "resource", all.list[i].id);
		out_text(&out, "name", all.list[i].name);
		out_text(&out, "product", all.list[i].product);
		out_text(&out, "path", all.list[i].path);
		put_cells(&out, rq, &all.list[i], set);
		out_close(&out, '}');
	}
	api_etag_version(rq, user->version);
	api_answer_page(rq, &out, NULL);
}

void
api_user_check(struct req *rq)
{
	const struct api_user	*user = find(rq);
	const char		*method = req_query(rq, "method");
	const char		*path = req_query(rq, "path"), *why = "";
	struct out		 out;
	bool			 may;

	if (method == NULL || path == NULL)
		api_invalid_field(rq, method == NULL ? "method" : "path",
		    "It is missing.");
	may = api_page_may(rq, user, method, path, &why);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_bool(&out, "may", may);
	out_text(&out, "why", why);
	out_close(&out, '}');
	api_answer(rq, 200, &out);
}

void
api_user_hand_over(struct req *rq)
{
	const struct api_user	*user = find(rq);
	char			*id = arena_alloc(rq->arena, UUID_TEXT);
	struct hand_over_form	 form = { .id = id };
	const char		*days;
	enum api_change_result	 result;
	struct out		 out;

	API_FIELDS(rq, { "days", API_NUMBER, false },
	    { "overlap_s", API_NUMBER, false },
	    { "with_key", API_BOOL, false });
	uuid_make(id);
	days = req_form(rq, "days");
	if (!str_to_int(*days == '\0' ? "3" : days, 1, HAND_OVER_DAYS_MAX,
	    &form.days))
		api_invalid_field(rq, "days", "Choose 1 to 7 days.");
	if (!api_overlap_read(req_form(rq, "overlap_s"), &form.overlap_s))
		api_invalid_field(rq, "overlap_s", "It is 0, 3600, 86400 or "
		    "604800 seconds.");
	form.with_key = *req_form(rq, "with_key") != '\0';
	/* Whoever follows the link sees a key, so the token must be one that
	 * may show keys. */
	if (form.with_key && (rq->session->role != MEMBER_OWNER ||
	    (rq->api->access->scopes & SCOPE_KEYS_REVEAL) == 0))
		api_invalid_field(rq, "with_key", "Only an owner can include "
		    "the key, with the scope keys:reveal.");
	result = hand_over_db_make(rq->db, rq->session->account_id, user->id,
	    &form, api_nonce(rq));
	if (result != API_CHANGED) {
		changed(rq, result, user);
		return;
	}
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_text(&out, "link", link_url(rq->arena, "hand-over", form.id));
	out_time(&out, "expires_at", rq->now + form.days * DAY_US);
	out_bool(&out, "with_key", form.with_key);
	out_close(&out, '}');
	api_answer_secret(rq, 201, &out);
}

WAITS static const struct api_user *
find(struct req *rq)
{
	const char		*id = api_id(rq);
	const struct api_user	*user;

	api_must_be_manager(rq);
	user = api_user_db_find(rq->db, id, rq->session->tenant_id);
	if (user == NULL)
		api_not_found(rq);
	return (user);
}

static void
put_user(struct out *out, const char *name, const struct api_user *user)
{
	out_open(out, name, '{');
	out_text(out, "id", user->id);
	out_text(out, "username", user->username);
	out_text(out, "vendor", user->vendor);
	out_text(out, "integration", user->integration);
	out_some(out, "contact_name", user->contact_name);
	out_some(out, "contact_email", user->contact_email);
	out_some(out, "note", user->note);
	out_text(out, "state", user->state);
	out_bool(out, "disabled_by_staff", user->disabled_by_staff);
	out_split(out, "roles", user->roles, ",");
	out_time(out, "created_at", user->created_at);
	out_time(out, "expires_at", user->expires_at);
	out_time(out, "password_at", user->password_at);
	out_time(out, "old_until", user->old_until);
	out_time(out, "used_at", user->last_used_at);
	out_some(out, "used_from", user->last_address);
	out_close(out, '}');
}

static void
put_secret(struct out *out, struct req *rq, const struct api_user *user,
    const struct api_password *password)
{
	out_open(out, NULL, '{');
	put_user(out, "user", user);
	out_text(out, "login", arena_fmt(rq->arena, "%s@%s", user->username,
	    user->code));
	out_text(out, "password", secret_reveal(rq->arena, password->text));
	out_close(out, '}');
}

/* What is granted, told by the very code that decides: {"GET": ["all"]} */
static void
put_cells(struct out *out, struct req *rq, const struct api_resource *resource,
    const struct permission_set *set)
{
	struct permission_answer	answer;
	int				m;

	out_open(out, "granted", '{');
	for (m = 0; m < PERMISSION_METHODS && set != NULL; m++) {
		answer = permission_decide(set, role_operation(m),
		    strlen(role_operation(m)), resource->path,
		    strlen(resource->path));
		if (answer.verdict == PERMISSION_GRANTED)
			out_split(out, role_operation(m), arena_strndup(
			    rq->arena, answer.scope, answer.scope_bytes),
			    ",");
	}
	out_close(out, '}');
}

WAITS static void
set_state(struct req *rq, const char *state)
{
	const struct api_user	*user = find(rq);

	API_FIELDS(rq, { "", API_TEXT, false });
	changed(rq, api_user_db_state(rq->db, rq->session->account_id,
	    user->id, 0, state, ""), user);
}

/* 412, where the statement compared the version. */
WAITS static void
must_be_as_seen(struct req *rq, enum api_change_result result)
{
	if (result == API_CHANGE_FASTER)
		api_fail(rq, 412, "changed_meanwhile", "It has changed since "
		    "you read it. Read it again.");
}

WAITS static void
changed(struct req *rq, enum api_change_result result,
    const struct api_user *user)
{
	switch (result) {
	case API_CHANGED:
		api_done(rq);
		return;
	case API_CHANGE_NONE:
		api_not_found(rq);
	case API_CHANGE_AGAIN:
		api_fail(rq, 409, "already_revealed", "This was done "
		    "already.");
	case API_CHANGE_FASTER:
		api_fail(rq, 409, "no_change", arena_fmt(rq->arena, "%s is in "
		    "that state already.", user->username));
	case API_CHANGE_STAFF:
		api_fail(rq, 409, "disabled_by_staff", "Staff disabled it, "
		    "and only they can enable it.");
	case API_CHANGE_ROLES:
		api_invalid_field(rq, "roles", "There is no such role.");
	}
}
