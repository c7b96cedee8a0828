/*
 * The API users of a client: the list, and making one.
 */
#include "apiusers/apiuser.h"

#include "apiusers/role.h"
#include "base/clock.h"
#include "base/setting.h"
#include "mail/address.h"
#include "products/product.h"
#include "sessions/nonce.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "vault/vault.h"
#include "web/respond.h"

static const char *search_of(struct req *);
static void show_row(struct req *, struct view *, const struct api_user *);
static void show_form(struct req *, struct view *, const struct api_client *,
    const struct roles *);
static void show_search(struct req *, struct view *, const char *typed,
    bool can_search);
static void read_line(struct req *, struct view *, const char *field,
    const char *what, size_t max, bool must, const char **ret_text);

void
api_user_page_list(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	api_page_list(rq, 200, view_new(rq->arena), &client);
}

void
api_user_page_make(struct req *rq)
{
	const struct api_client client = api_page_client(rq);

	api_page_make(rq, &client);
}

struct api_client
api_page_client(struct req *rq)
{
	const struct session *s = rq->session;

	if (s->tenant_id == NULL ||
	    (s->role != MEMBER_OWNER && s->role != MEMBER_MANAGER))
		req_not_found(rq);
	return ((struct api_client){ .id = s->tenant_id,
	    .code = s->tenant_code,
	    .name = s->tenant_name,
	    .is_mine = true });
}

WAITS void
api_page_list(struct req *rq, int status, struct view *view,
    const struct api_client *client)
{
	const char *after = req_query(rq, "after"), *typed = search_of(rq);
	struct api_users users, unused;
	struct roles roles;
	struct view *row;
	int i;

	users = api_user_db_list(rq->db, client->id, typed,
	    after == NULL ? "" : str_upper(rq->arena, after));
	unused = *typed == '\0' ? api_user_db_unused(rq->db, client->id) :
				  (struct api_users){ .n = 0 };
	roles = role_db_list(rq->db, client->id);
	view_text(view, "client", client->name);
	view_text(view, "code", client->code);
	view_bool(view, "is_mine", client->is_mine);
	view_bool(view, "can_make",
	    client->is_mine || rq->session->kind == ACCOUNT_ADMIN);
	view_text(view, "count",
	    arena_fmt(rq->arena, "%lld API user%s%s", (long long)users.total,
		users.total == 1 ? "" : "s", *typed == '\0' ? "" : " found"));
	show_search(rq, view, typed,
	    *typed != '\0' || users.total > API_USER_PAGE_ROWS);
	view_bool(view, "has_users", users.n > 0);
	view_list(view, "users");
	for (i = 0; i < users.n; i++)
		show_row(rq, view_row(view, "users"), &users.list[i]);
	view_list(view, "unused");
	for (i = 0; i < unused.n; i++) {
		row = view_row(view, "unused");
		view_text(row, "id", unused.list[i].id);
		view_text(row, "username", unused.list[i].username);
		view_text(row, "integration", unused.list[i].integration);
		view_bool(row, "is_never", unused.list[i].last_used_at == 0);
		view_text(row, "days",
		    arena_fmt(rq->arena, "%lld",
			(long long)((rq->now -
					(unused.list[i].last_used_at == 0 ?
						unused.list[i].created_at :
						unused.list[i].last_used_at)) /
			    DAY_US)));
	}
	view_bool(view, "is_first", after == NULL || *after == '\0');
	view_text(view, "next_after", users.next_after);
	view_bool(view, "is_deleted",
	    req_query(rq, "done") != NULL &&
		str_eq(req_query(rq, "done"), "deleted"));
	show_form(rq, view, client, &roles);
	respond_page(rq, status, "apiusers/list", view);
}

/* What was typed, shortened to what a search may have. */
static const char *
search_of(struct req *rq)
{
	const char *typed = req_query(rq, "q");

	if (typed == NULL || strlen(typed) > 4 * API_SEARCH_MAX)
		return ("");
	return (str_squeeze(rq->arena, typed));
}

static void
show_search(struct req *rq, struct view *view, const char *typed,
    bool can_search)
{
	struct buf b;

	buf_init(&b, rq->arena, 12 * API_SEARCH_MAX + 1);
	buf_url(&b, typed);
	view_text(view, "q", typed);
	view_text(view, "q_url", buf_text(&b));
	view_bool(view, "can_search", can_search);
}

WAITS void
api_page_make(struct req *rq, const struct api_client *client)
{
	const struct session *s = rq->session;
	const char *nonce = req_form(rq, "nonce"), *twin = "";
	struct view *view = view_new(rq->arena);
	struct api_password password;
	struct api_user_form form;
	struct api_user *user;

	if (!api_page_read(rq, view, client, &form)) {
		api_page_list(rq, 422, view, client);
		return;
	}
	if (!nonce_valid(rq->arena, nonce, s->form_cookie, "api-user")) {
		form_error(view, "username",
		    "The page was made before you "
		    "last signed in. Look at it once more and press the "
		    "button again.");
		api_page_list(rq, 422, view, client);
		return;
	}
	if (client->is_mine &&
	    !api_password_make(vault, rq->arena, form.id, &password))
		req_fail(rq, 500, "no_api_user_key");
	switch (api_user_db_make(rq->db, s->account_id, client->id, &form,
	    client->is_mine ? &password : NULL, nonce, &twin)) {
	case API_MADE:
		if (!client->is_mine) {
			respond_see_other(rq,
			    arena_fmt(rq->arena,
				"/staff/api-users/%s?done=made", form.id));
			return;
		}
		user = api_user_db_find(rq->db, form.id, client->id);
		if (user == NULL)	/* deleted since */
			req_not_found(rq);
		api_page_shown(rq, user, &password, true);
		return;
	case API_MAKE_NONE:
		req_not_found(rq);
	case API_MAKE_AGAIN:
		api_page_again(rq, client->is_mine, "", client->code);
		return;
	case API_MAKE_TAKEN:
		form_error(view, "username",
		    arena_fmt(rq->arena,
			"%s is in "
			"use, or was until less than 90 days ago. Choose another "
			"name.",
			form.username));
		break;
	case API_MAKE_TWIN:
		form_error(view, "again",
		    arena_fmt(rq->arena,
			"%s has %s "
			"already. One integration should have one user; tick the "
			"box if this is another integration.",
			form.vendor, twin));
		view_bool(view, "asks_again", true);
		break;
	case API_MAKE_ROLES:
		form_error(view, "roles",
		    "A role that you chose is gone. "
		    "Choose from those below.");
		break;
	case API_MAKE_FULL:
		form_error(view, "username",
		    "There are 2000 API users. "
		    "Delete those that nobody needs.");
		break;
	}
	api_page_list(rq, 422, view, client);
}

const char *const *
api_page_ids(struct req *rq, const char *name, size_t max, size_t *ret_n)
{
	const char **ids = arena_calloc(rq->arena, max, sizeof(*ids));
	size_t i, k, n = 0;

	for (i = 0; i < rq->form.n && n < max; i++) {
		if (!str_eq(rq->form.list[i].name, name) ||
		    strlen(rq->form.list[i].value) != UUID_TEXT - 1 ||
		    !uuid_shaped(rq->form.list[i].value))
			continue;
		for (k = 0; k < n && !str_eq(ids[k], rq->form.list[i].value);)
			k++;
		if (k == n)
			ids[n++] = rq->form.list[i].value;
	}
	*ret_n = n;
	return (ids);
}

static void
show_row(struct req *rq, struct view *row, const struct api_user *user)
{
	bool is_over = user->expires_at != 0 && user->expires_at <= rq->now;
	int64_t days = (rq->now - user->password_at) / DAY_US;

	view_text(row, "id", user->id);
	view_text(row, "username", user->username);
	view_text(row, "vendor", user->vendor);
	view_text(row, "integration", user->integration);
	view_text(row, "roles", user->roles);
	view_bool(row, "is_used", user->last_used_at != 0);
	view_text(row, "used",
	    user->last_used_at == 0 ?
		"" :
		clock_ago(rq->arena, user->last_used_at, rq->now));
	view_text(row, "address", user->last_address);
	view_text(row, "calls", user->calls == 0 ? "" :
	    product_number(rq->arena, user->calls));
	view_bool(row, "has_password", user->password_at != 0);
	view_bool(row, "is_old", days >= setting->api_password_days);
	view_text(row, "age",
	    days < 1 ? "Made today" :
		       arena_fmt(rq->arena, "%lld day%s old", (long long)days,
			   days == 1 ? "" : "s"));
	view_bool(row, "is_handed", user->hand_over_until != 0);
	view_bool(row, "is_disabled", str_eq(user->state, "disabled"));
	view_bool(row, "is_over", is_over && str_eq(user->state, "enabled"));
	view_bool(row, "is_active", !is_over && str_eq(user->state, "enabled"));
}

static void
show_form(struct req *rq, struct view *view, const struct api_client *client,
    const struct roles *roles)
{
	static const char *const fields[] = { "username", "vendor",
		"integration", "contact_name", "contact_email", "note",
		"expires" };
	const char *const *chosen;
	struct view *row;
	size_t i, n;
	int r;

	for (i = 0; i < COUNT(fields); i++)
		view_text(view, fields[i], req_form(rq, fields[i]));
	chosen = api_page_ids(rq, "role", ROLES_MAX, &n);
	view_list(view, "roles");
	for (r = 0; r < roles->n; r++) {
		row = view_row(view, "roles");
		view_text(row, "id", roles->list[r].id);
		view_text(row, "name", roles->list[r].name);
		view_bool(row, "is_named", *roles->list[r].accounts != '\0');
		for (i = 0; i < n && !str_eq(chosen[i], roles->list[r].id);)
			i++;
		view_bool(row, "is_chosen", i < n);
	}
	view_bool(view, "again_chosen", str_eq(req_form(rq, "again"), "1"));
	if (!view_has(view, "asks_again"))
		view_bool(view, "asks_again",
		    str_eq(req_form(rq, "again"), "1"));
	view_text(view, "today",
	    arena_strndup(rq->arena, clock_iso(rq->arena, rq->now), 10));
	view_text(view, "nonce",
	    nonce_make(rq->arena, rq->session->cookie, "api-user"));
	(void)client;
	form_fields(view, "username", "vendor", "integration", "contact_name",
	    "contact_email", "note", "expires", "roles", "again", NULL);
}

bool
api_page_read(struct req *rq, struct view *view,
    const struct api_client *client, struct api_user_form *ret_form)
{
	struct api_user_form form = { .again =
					  str_eq(req_form(rq, "again"), "1") };
	const char *wrong = NULL;
	char *id = arena_alloc(rq->arena, UUID_TEXT);

	uuid_make(id);
	form.id = id;
	form.username = api_username_read(rq->arena, req_form(rq, "username"),
	    client->code, &wrong);
	if (form.username == NULL)
		form_error(view, "username", wrong);
	api_page_read_details(rq, view, 0, &form);
	if (!client->is_mine && str_blank(req_form(rq, "contact_email")))
		form_error(view, "contact_email",
		    "Write where the link for "
		    "the vendor goes: you do not see the password.");
	form.roles =
	    api_page_ids(rq, "role", API_USER_ROLES_MAX + 1, &form.roles_n);
	if (form.roles_n == 0 || form.roles_n > API_USER_ROLES_MAX)
		form_error(view, "roles",
		    "Choose one to five roles: they say "
		    "what the integration may do.");
	*ret_form = form;
	return (!form_has_errors(view));
}

void
api_page_read_details(struct req *rq, struct view *view, int64_t kept_until,
    struct api_user_form *form)
{
	const char *email = req_form_line(rq, "contact_email");
	const char *expires = req_form(rq, "expires");
	struct address address = { .text = "" };
	enum address_verdict verdict;

	read_line(rq, view, "vendor", "The vendor’s name", API_VENDOR_MAX, true,
	    &form->vendor);
	form->vendor_folded = tenant_fold(rq->arena, form->vendor);
	if (*form->vendor_folded == '\0')
		form->vendor_folded = form->vendor;
	read_line(rq, view, "integration", "What it is for",
	    API_INTEGRATION_MAX, true, &form->integration);
	read_line(rq, view, "contact_name", "The contact’s name",
	    API_CONTACT_MAX, false, &form->contact_name);
	if (*email != '\0') {
		verdict = address_parse(rq->arena, email, &address);
		if (verdict != ADDRESS_GOOD)
			form_error(view, "contact_email",
			    address_advice(verdict));
	}
	form->contact_email = address.text;
	form->note = req_form(rq, "note");
	if (str_chars(form->note) > API_NOTE_MAX)
		form_error(view, "note",
		    "The note may have up to 1000 "
		    "characters. Shorten it.");
	if (kept_until != 0 &&
	    str_eq(expires, api_page_last_day(rq->arena, kept_until)))
		form->expires_at = kept_until;
	else if (!api_expiry_read(expires, rq->now, &form->expires_at))
		form_error(view, "expires",
		    "Write a day to come within ten "
		    "years, as in 2027-03-31, or leave it empty.");
}

const char *
api_page_last_day(struct arena *a, int64_t ends_at)
{
	return (ends_at == 0 ?
		"" :
		arena_strndup(a, clock_iso(a, ends_at - SECOND_US), 10));
}

static void
read_line(struct req *rq, struct view *view, const char *field,
    const char *what, size_t max, bool must, const char **ret_text)
{
	const char *text = req_form_line(rq, field);
	const char *wrong = api_line_wrong(rq->arena, what, text, max);

	if (wrong != NULL)
		form_error(view, field, wrong);
	else if (must && *text == '\0')
		form_error(view, field,
		    arena_fmt(rq->arena,
			"%s is missing. "
			"Write it, so that everybody knows what this user is.",
			what));
	*ret_text = text;
}
