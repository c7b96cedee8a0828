/*
 * The pages of issued keys: a list with the form that makes one, and what is
 * done to one key.  What they say and offer comes from the profile's data.
 */
#include "base/clock.h"
#include "keys/issued_view.h"
#include "sessions/nonce.h"
#include "sessions/session.h"
#include "vault/vault.h"
#include "web/respond.h"

#define PLACE_MAKE	"issued-make"

WAITS static void list_page(struct req *, int status, struct view *,
		    const struct issued_place *);
WAITS static void key_page(struct req *, int status, struct view *,
		    const struct issued_key *);
WAITS static struct issued_key *key_of(struct req *,
		    struct issued_place **ret_place);
static bool	 read_form(struct req *, struct view *,
		    const struct issued_place *, struct issued_form *);
static void	 read_expiry(struct req *, struct view *,
		    struct issued_form *);
static bool	 refused(struct view *, enum issued_result);
static void	 value_of(struct req *, const struct issued_place *,
		    struct issued_value *);
static void	 shown(struct req *, const struct issued_place *,
		    const char *key_id, const char *name,
		    struct issued_value *, bool is_new, int64_t old_until);
WAITS static void state(struct req *, const char *deed);
static const char *regenerate_for(struct arena *, const struct issued_key *);
static void	 to_place(struct req *, const char *subscription_id,
		    const char *done);

WAITS void
issued_page(struct req *rq, const struct issued_place *place)
{
	list_page(rq, 200, view_new(rq->arena), place);
}

void
issued_page_make(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*id = req_param(rq, "id");
	const char		*nonce = req_form(rq, "nonce");
	struct view		*v = view_new(rq->arena);
	struct issued_place	*place = NULL;
	struct issued_form	 form;
	struct issued_value	 value;
	enum issued_result	 result;
	char			 key_id[UUID_TEXT];

	if (uuid_shaped(id) && s->tenant_id != NULL)
		place = issued_db_place(rq->db, s->account_id, id);
	if (place == NULL || !place->may_make || !place->is_live)
		req_not_found(rq);
	if (!read_form(rq, v, place, &form)) {
		list_page(rq, 422, v, place);
		return;
	}
	if (!nonce_valid(rq->arena, nonce, s->form_cookie, arena_fmt(rq->arena,
	    "%s:%s", PLACE_MAKE, id))) {
		to_place(rq, id, NULL);
		return;
	}
	uuid_make(key_id);
	value_of(rq, place, &value);
	result = issued_db_make(rq->db, s->account_id, id, key_id, &form,
	    &value, nonce);
	if (result == ISSUED_DONE) {
		shown(rq, place, arena_strdup(rq->arena, key_id), form.name,
		    &value, false, 0);
		return;
	}
	explicit_bzero(value.text, sizeof(value.text));
	if (result == ISSUED_AGAIN) {
		view_text(v, "subscription_id", id);
		respond_page(rq, 200, "keys/issued_already", v);
		return;
	}
	if (!refused(v, result))
		req_not_found(rq);
	list_page(rq, 422, v, place);
}

void
issued_page_key(struct req *rq)
{
	struct issued_place	*place;

	key_page(rq, 200, view_new(rq->arena), key_of(rq, &place));
}

void
issued_page_edit(struct req *rq)
{
	struct view		*v = view_new(rq->arena);
	struct issued_place	*place;
	struct issued_key	*key = key_of(rq, &place);
	struct issued_form	 form;
	enum issued_result	 result;

	if (!key->may_change)
		req_not_found(rq);
	if (!read_form(rq, v, place, &form)) {
		key_page(rq, 422, v, key);
		return;
	}
	result = issued_db_edit(rq->db, rq->session->account_id, key->id,
	    &form);
	if (result == ISSUED_DONE) {
		to_place(rq, key->subscription_id, "changed");
		return;
	}
	if (!refused(v, result))
		req_not_found(rq);
	key_page(rq, result == ISSUED_LATE ? 409 : 422, v, key);
}

void
issued_page_regenerate(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*nonce = req_form(rq, "nonce");
	struct view		*v = view_new(rq->arena);
	struct issued_place	*place;
	struct issued_key	*key = key_of(rq, &place);
	struct issued_value	 value;
	enum issued_result	 result;
	int64_t			 overlap_s = 0;

	if (!key->may_change || *place->overlaps == '\0')
		req_not_found(rq);
	if (!issued_overlap_parse(place, req_form(rq, "overlap"),
	    &overlap_s)) {
		form_error(v, "overlap", "Choose how long the value of today "
		    "goes on.");
		key_page(rq, 422, v, key);
		return;
	}
	/* The nonce is for the value that the form was made of. */
	if (!uuid_shaped(req_form(rq, "value")) || !nonce_valid(rq->arena,
	    nonce, s->form_cookie, arena_fmt(rq->arena, "issued:%s:%s",
	    key->id, req_form(rq, "value")))) {
		to_place(rq, key->subscription_id, NULL);
		return;
	}
	value_of(rq, place, &value);
	result = issued_db_regenerate(rq->db, s->account_id, key->id,
	    req_form(rq, "value"), overlap_s, &value, nonce);
	if (result == ISSUED_DONE) {
		shown(rq, place, key->id, key->name, &value, true,
		    overlap_s == 0 ? 0 : rq->now + overlap_s * SECOND_US);
		return;
	}
	explicit_bzero(value.text, sizeof(value.text));
	if (result == ISSUED_AGAIN) {
		view_text(v, "subscription_id", key->subscription_id);
		respond_page(rq, 200, "keys/issued_already", v);
		return;
	}
	if (!refused(v, result))
		req_not_found(rq);
	key_page(rq, 409, v, key);
}

void
issued_page_end(struct req *rq)
{
	struct view		*v = view_new(rq->arena);
	struct issued_place	*place;
	struct issued_key	*key = key_of(rq, &place);
	const char		*value = req_form(rq, "value");
	enum issued_result	 result;

	if (!uuid_shaped(value))
		req_fail(rq, 422, "value_missing");
	result = issued_db_end(rq->db, rq->session->account_id, key->id,
	    value);
	if (result == ISSUED_DONE) {
		to_place(rq, key->subscription_id, "ended");
		return;
	}
	if (!refused(v, result))
		req_not_found(rq);
	key_page(rq, 409, v, key);
}

void
issued_page_deactivate(struct req *rq)
{
	state(rq, "deactivate");
}

void
issued_page_activate(struct req *rq)
{
	state(rq, "activate");
}

void
issued_page_revoke(struct req *rq)
{
	state(rq, "revoke");
}

void
issued_page_delete(struct req *rq)
{
	state(rq, "delete");
}

WAITS static void
state(struct req *rq, const char *deed)
{
	struct view		*v = view_new(rq->arena);
	struct issued_place	*place;
	struct issued_key	*key = key_of(rq, &place);
	enum issued_result	 result;

	result = issued_db_state(rq->db, rq->session->account_id, key->id,
	    deed);
	if (result == ISSUED_DONE) {
		to_place(rq, key->subscription_id, deed);
		return;
	}
	if (!refused(v, result))
		req_not_found(rq);
	key_page(rq, 409, v, key);
}

WAITS static void
list_page(struct req *rq, int status, struct view *v,
    const struct issued_place *place)
{
	const struct session	*s = rq->session;
	const char		*after = req_query(rq, "after");
	struct issued_keys	 keys;
	struct issued_scopes	 scopes;

	issued_view_place(rq, v, place);
	issued_view_done(rq, v);
	keys = issued_db_list(rq->db, s->account_id, place->subscription_id,
	    after == NULL ? "" : after);
	issued_view_keys(rq, v, place, &keys);
	view_bool(v, "is_first", after == NULL || *after == '\0');
	view_text(v, "nonce", nonce_make(rq->arena, s->cookie, arena_fmt(
	    rq->arena, "%s:%s", PLACE_MAKE, place->subscription_id)));
	view_text(v, "name", req_form_line(rq, "name"));
	view_text(v, "expires", req_form_line(rq, "expires"));
	scopes = issued_db_scopes(rq->db, s->account_id,
	    place->subscription_id, NULL);
	issued_view_scopes(rq, v, &scopes, status != 200);
	respond_page(rq, status, "keys/issued", v);
}

WAITS static void
key_page(struct req *rq, int status, struct view *v,
    const struct issued_key *key)
{
	const struct session	*s = rq->session;
	struct issued_place	*place;
	struct issued_scopes	 scopes;
	bool			 typed = status == 422 &&
				    req_form(rq, "name")[0] != '\0';

	place = issued_db_place(rq->db, s->account_id, key->subscription_id);
	if (place == NULL)
		req_not_found(rq);
	issued_view_place(rq, v, place);
	issued_view_key(rq, view_map(v, "key"), place, key);
	view_text(v, "title", key->name);
	view_bool(v, "can_regenerate", key->may_change && place->is_live &&
	    *place->overlaps != '\0' && (str_eq(key->state, "active") ||
	    str_eq(key->state, "inactive")));
	view_bool(v, "can_edit", key->may_change && place->is_live &&
	    !str_eq(key->state, "revoked"));
	view_text(v, "nonce", nonce_make(rq->arena, s->cookie,
	    regenerate_for(rq->arena, key)));
	issued_view_overlaps(rq, v, place);
	view_text(v, "name", typed ? req_form_line(rq, "name") : key->name);
	view_text(v, "expires", typed ? req_form_line(rq, "expires") :
	    key->expires_at == 0 ? "" : clock_input_date(rq->arena,
	    key->expires_at - DAY_US));
	scopes = issued_db_scopes(rq->db, s->account_id,
	    key->subscription_id, key->id);
	issued_view_scopes(rq, v, &scopes, typed);
	form_fields(v, "overlap", "key", NULL);
	respond_page(rq, status, "keys/issued_key", v);
}

/* That the person sees; else 404. */
WAITS static struct issued_key *
key_of(struct req *rq, struct issued_place **ret_place)
{
	const struct session	*s = rq->session;
	const char		*id = req_param(rq, "id");
	struct issued_key	*key = NULL;

	if (uuid_shaped(id) && s->tenant_id != NULL)
		key = issued_db_find(rq->db, s->account_id, id);
	if (key == NULL)
		req_not_found(rq);
	*ret_place = issued_db_place(rq->db, s->account_id,
	    key->subscription_id);
	if (*ret_place == NULL)
		req_not_found(rq);
	return (key);
}

static bool
read_form(struct req *rq, struct view *v, const struct issued_place *place,
    struct issued_form *form)
{
	size_t	i;

	memset(form, 0, sizeof(*form));
	form->name = req_form_line(rq, "name");
	form->name_folded = str_lower(rq->arena, form->name);
	if (str_blank(form->name) || str_has_control(form->name) ||
	    str_has_hidden(form->name, true) ||
	    str_chars(form->name) > ISSUED_NAME_MAX)
		form_error(v, "name", "Name it in 1 to 60 characters, for "
		    "example My Integration.");
	for (i = 0; i < rq->form.n && form->scopes_n < ISSUED_SCOPES_MAX; i++)
		if (str_eq(rq->form.list[i].name, "scope"))
			form->scopes[form->scopes_n++] =
			    rq->form.list[i].value;
	if (str_eq(place->scopes, "picked") && form->scopes_n == 0)
		form_error(v, "scopes", "Choose what the key may do.");
	if (!str_eq(place->scopes, "picked"))
		form->scopes_n = 0;
	if (place->can_expire)
		read_expiry(rq, v, form);
	return (!form_has_errors(v));
}

/* That day is the key's last, to its end; "" is never. */
static void
read_expiry(struct req *rq, struct view *v, struct issued_form *form)
{
	const char	*typed = req_form_line(rq, "expires");
	int64_t		 day = 0;

	if (*typed == '\0')
		return;
	if (strlen(typed) != strlen("2026-11-22") ||
	    !clock_parse(typed, &day) || day + DAY_US <= rq->now ||
	    day > rq->now + ISSUED_EXPIRY_MAX_DAYS * DAY_US)
		form_error(v, "expires", "Choose its last day, from today to "
		    "ten years ahead, or leave it empty.");
	form->expires_at = day + DAY_US;
}

/* False: it is as if it were not there. */
static bool
refused(struct view *v, enum issued_result result)
{
	switch (result) {
	case ISSUED_SCOPES:
		form_error(v, "scopes", "Choose among what is offered here: "
		    "a key never gets more than you may do yourself.");
		return (true);
	case ISSUED_FULL:
		form_error(v, "name", "There are 100 keys. End one that "
		    "nothing uses any more.");
		return (true);
	case ISSUED_NAME:
		form_error(v, "name", "Another key has this name. Choose one "
		    "that tells them apart.");
		return (true);
	case ISSUED_LATE:
		form_error(v, "key", "The key has changed since you opened "
		    "this page. Nothing was done; look again.");
		return (true);
	case ISSUED_DONE:
	case ISSUED_AGAIN:
	case ISSUED_NONE:
		break;
	}
	return (false);
}

static void
value_of(struct req *rq, const struct issued_place *place,
    struct issued_value *value)
{
	struct arena	*a = rq->arena;

	issued_value_make(vault, issued_letters(a, place->profile,
	    place->letters), place->env_letter ? issued_env_letter(a,
	    place->environment) : "", place->shows_first, value);
}

/* The only page that ever has the value. */
static void
shown(struct req *rq, const struct issued_place *place, const char *key_id,
    const char *name, struct issued_value *value, bool is_new,
    int64_t old_until)
{
	struct view	*v = view_new(rq->arena);

	issued_view_place(rq, v, place);
	view_text(v, "key_id", key_id);
	view_text(v, "name", name);
	view_text(v, "value", arena_strdup(rq->arena, value->text));
	view_text(v, "shown", arena_fmt(rq->arena, "%s…%s", value->first,
	    value->last4));
	explicit_bzero(value->text, sizeof(value->text));
	view_bool(v, "is_new", is_new);
	view_text(v, "old_until", old_until == 0 ? "" :
	    clock_long(rq->arena, old_until));
	respond_page(rq, 200, "keys/issued_shown", v);
}

static const char *
regenerate_for(struct arena *a, const struct issued_key *key)
{
	return (arena_fmt(a, "issued:%s:%s", key->id, key->value_id));
}

static void
to_place(struct req *rq, const char *subscription_id, const char *done)
{
	const char	*path = arena_fmt(rq->arena, "/subscriptions/%s",
			    subscription_id);

	respond_see_other(rq, done == NULL ? path : arena_fmt(rq->arena,
	    "%s?done=%s", path, done));
}
