/*
 * Show key: the answer to a POST, never kept by a browser, and hidden again
 * after a minute unless its reader asks for more (WCAG 2.2.1).
 */
#include <assert.h>

#include "base/clock.h"
#include "keys/rotate.h"
#include "products/key_profile.h"
#include "sessions/session.h"
#include "vault/vault.h"
#include "web/respond.h"

#define KEY_GROUP	8	/* characters shown together */

WAITS static void key_page_show(struct req *, const char *slot);
static const char *label_of(const char *slot);

void
key_page_show_primary(struct req *rq)
{
	key_page_show(rq, "primary");
}

void
key_page_show_secondary(struct req *rq)
{
	key_page_show(rq, "secondary");
}

static void
key_page_show(struct req *rq, const char *slot)
{
	const struct session	*s = rq->session;
	const char		*id = req_param(rq, "id");
	const char		*nonce = req_form(rq, "nonce");
	struct key_revealed	 key;
	struct view		*v;

	if (!uuid_shaped(id))
		req_not_found(rq);
	if (*nonce == '\0')
		req_fail(rq, 422, "nonce_missing");
	/* Made under a session that has ended since: the profile has fresh
	 * ones. */
	if (!key_nonce_valid(rq->arena, nonce, s->form_cookie, id, slot)) {
		respond_see_other(rq, "/profile");
		return;
	}
	switch (key_db_reveal(rq->db, s->account_id, id, slot, nonce, &key)) {
	case KEY_REVEAL_NONE:
		req_not_found(rq);
	case KEY_REVEAL_AGAIN:
		v = view_new(rq->arena);
		view_text(v, "slot", slot);
		view_text(v, "name", key.name);
		respond_page(rq, 200, "keys/shown_already", v);
		return;
	case KEY_REVEAL_SHOWN:
		key_page_shown(rq, id, &key, false, 0);
		return;
	}
}

WAITS void
key_page_shown(struct req *rq, const char *subscription_id,
    const struct key_revealed *key, bool is_new, int64_t old_until)
{
	struct view	*v = view_new(rq->arena);
	struct secret	 secret;
	struct key_profile pair;
	char		 row[KEY_ROW_MAX];
	const char	*text;
	bool		 is_kept = str_eq(req_form(rq, "keep"), "1");
	size_t		 i;

	key_row(row, key->key_id, key->slot);
	if (vault_open(rq->db, row, key->sealed, key->sealed_bytes,
	    &secret) != SEAL_OK)
		req_fail(rq, 500, "key_does_not_open");
	text = secret_reveal(rq->arena, secret);
	view_text(v, "subscription_id", subscription_id);
	view_text(v, "slot", key->slot);
	view_text(v, "label", label_of(key->slot));
	view_text(v, "name", key->name);
	view_text(v, "client", key->tenant_name);
	view_text(v, "key", text);
	view_list(v, "groups");
	for (i = 0; text[i] != '\0'; i += KEY_GROUP)
		view_row_text(v, "groups", arena_strndup(rq->arena, text + i,
		    KEY_GROUP));
	view_bool(v, "is_kept", is_kept);
	view_bool(v, "is_new", is_new);
	view_text(v, "old_until", old_until == 0 ? "" :
	    clock_long(rq->arena, old_until));
	view_text(v, "next_nonce", key_nonce_make(rq->arena,
	    rq->session->cookie, subscription_id, key->slot));
	view_text(v, "base_url", key->base_url);
	pair = key_profile_db_pair(rq->db);
	key_profile_snippets(rq->arena, v, &pair, key->base_url);
	view_text(v, "example_path", key->example_path);
	view_text(v, "key_sample", arena_fmt(rq->arena, "••••••••••••%s",
	    key->last4));
	view_text(v, "api_user", arena_fmt(rq->arena, "FORTAPI@%s",
	    key->tenant_code));
	view_bool(v, "needs_api_user", key->needs_api_user);
	if (!is_kept)
		respond_header(rq, "refresh", "60; url=/profile");
	respond_page(rq, 200, "keys/shown", v);
}

static const char *
label_of(const char *slot)
{
	return (str_eq(slot, "primary") ? "Primary" : "Secondary");
}
