/*
 * Hand-overs: made on a user's page, used behind the link.
 */
#include "apiusers/hand_over.h"

#include "base/clock.h"
#include "mail/link.h"
#include "sessions/nonce.h"
#include "products/key_profile.h"
#include "sessions/session.h"
#include "vault/vault.h"
#include "web/respond.h"

WAITS static void make(struct req *, bool is_mine);
WAITS static void withdraw(struct req *, bool is_mine);
static void show_link(struct req *, const struct api_user *,
    const struct hand_over_form *);
static void gone(struct req *, int status);

void
hand_over_page_make(struct req *rq)
{
	make(rq, true);
}

void
hand_over_page_staff(struct req *rq)
{
	make(rq, false);
}

void
hand_over_page_withdraw(struct req *rq)
{
	withdraw(rq, true);
}

void
hand_over_page_staff_withdraw(struct req *rq)
{
	withdraw(rq, false);
}

void
hand_over_page(struct req *rq)
{
	struct view *view = view_new(rq->arena);
	struct hand_over h;

	if (!hand_over_db_find(rq->db, req_param(rq, "token"), &h)) {
		gone(rq, 410);
		return;
	}
	view_text(view, "token", req_param(rq, "token"));
	view_text(view, "username", h.username);
	view_text(view, "code", h.code);
	view_text(view, "client", h.client);
	view_bool(view, "with_key", h.with_key);
	view_text(view, "until", clock_long(rq->arena, h.until));
	respond_page(rq, 200, "apiusers/hand_over", view);
}

void
hand_over_page_use(struct req *rq)
{
	const char *token = req_param(rq, "token");
	struct view *view = view_new(rq->arena);
	struct api_password password;
	struct hand_over_key key;
	struct hand_over h;
	struct key_profile pair;
	struct secret secret;

	if (!hand_over_db_find(rq->db, token, &h)) {
		gone(rq, 410);
		return;
	}
	if (!api_password_make(vault, rq->arena, h.user_id, &password))
		req_fail(rq, 500, "no_api_user_key");
	if (!hand_over_db_use(rq->db, token, &password, &key)) {
		gone(rq, 409);
		return;
	}
	view_text(view, "username", h.username);
	view_text(view, "code", h.code);
	view_text(view, "client", h.client);
	view_text(view, "password", secret_reveal(rq->arena, password.text));
	view_text(view, "key", "");
	if (key.id != NULL) {
		/* The row's name is that of keys/key.c. */
		if (vault_open(rq->db,
			arena_fmt(rq->arena, "subscription_key:%s:primary",
			    key.id),
			key.sealed, key.bytes, &secret) != SEAL_OK)
			req_fail(rq, 500, "key_does_not_open");
		view_text(view, "key", secret_reveal(rq->arena, secret));
	}
	view_text(view, "base_url", h.base_url);
	pair = key_profile_db_pair(rq->db);
	key_profile_snippets(rq->arena, view, &pair, h.base_url);
	view_text(view, "example_path", h.example_path);
	view_text(view, "key_sample", "$API_KEY");
	view_text(view, "api_user",
	    arena_fmt(rq->arena, "%s@%s", h.username, h.code));
	view_bool(view, "needs_api_user", true);
	respond_page(rq, 200, "apiusers/handed_over", view);
}

WAITS static void
make(struct req *rq, bool is_mine)
{
	const struct session *s = rq->session;
	const struct api_user *user = api_page_find(rq, is_mine);
	const char *nonce = req_form(rq, "nonce");
	const char *days = req_form(rq, "days");
	struct view *view = view_new(rq->arena);
	char *id = arena_alloc(rq->arena, UUID_TEXT);
	struct hand_over_form form = {
		.with_key = str_eq(req_form(rq, "with_key"), "1")
	};
	enum api_change_result result;

	uuid_make(id);
	form.id = id;
	if (!str_to_int(*days == '\0' ? "3" : days, 1, HAND_OVER_DAYS_MAX,
		&form.days))
		form_error(view, "days", "Choose 1 to 7 days.");
	if (!api_overlap_read(req_form(rq, "overlap"), &form.overlap_s))
		form_error(view, "days",
		    "Choose how long the old password "
		    "goes on: not at all, 1 hour, 24 hours or 7 days.");
	if (form.with_key && (!is_mine || s->role != MEMBER_OWNER))
		form_error(view, "days",
		    "Only an owner can include the key.");
	if (!is_mine && *user->contact_email == '\0')
		form_error(view, "days",
		    "There is no technical contact whom "
		    "the link could be mailed to. Owners and managers can "
		    "make one that is shown to them.");
	if (!nonce_valid(rq->arena, nonce, s->form_cookie,
		arena_fmt(rq->arena, "api-hand-over:%s", user->id)))
		form_error(view, "days",
		    "The page was made before you last "
		    "signed in. Press the button once more.");
	if (form_has_errors(view)) {
		api_page_user(rq, 422, view, user, is_mine);
		return;
	}
	form.send_to = is_mine ? NULL : user->contact_email;
	result =
	    hand_over_db_make(rq->db, s->account_id, user->id, &form, nonce);
	if (result == API_CHANGED && is_mine)
		show_link(rq, user, &form);
	else
		api_page_changed(rq, result, user, is_mine,
		    arena_fmt(rq->arena, "/staff/api-users/%s?done=sent",
			user->id));
}

WAITS static void
withdraw(struct req *rq, bool is_mine)
{
	const struct api_user *user = api_page_find(rq, is_mine);

	if (!hand_over_db_withdraw(rq->db, rq->session->account_id, user->id))
		req_not_found(rq);
	respond_see_other(rq,
	    arena_fmt(rq->arena, "/%sapi-users/%s?done=withdrawn",
		is_mine ? "" : "staff/", user->id));
}

static void
show_link(struct req *rq, const struct api_user *user,
    const struct hand_over_form *form)
{
	struct view *view = view_new(rq->arena);

	view_text(view, "id", user->id);
	view_text(view, "username", user->username);
	view_text(view, "code", user->code);
	view_text(view, "vendor", user->vendor);
	view_text(view, "link", link_url(rq->arena, "hand-over", form->id));
	view_bool(view, "with_key", form->with_key);
	view_text(view, "until",
	    clock_long(rq->arena, rq->now + form->days * DAY_US));
	respond_page(rq, 200, "apiusers/hand_over_made", view);
}

/* Nothing but that: neither whose it was nor why it counts no more. */
static void
gone(struct req *rq, int status)
{
	respond_page(rq, status, "apiusers/hand_over_gone",
	    view_new(rq->arena));
}
