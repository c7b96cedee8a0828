/*
 * /account/passkeys: which there are, adding and removing one; and signing in
 * with one.  The forms are filled by assets/passkey.js.
 */
#include "accounts/account_pages.h"

#include "accounts/passkey_pages.h"
#include "base/setting.h"
#include "vault/vault.h"
#include "web/respond.h"

#define GET_PURPOSE	"passkey:get"
#define CREATE_PURPOSE	"passkey:create"

static void	challenge_view(struct req *, struct view *, const char *purpose,
		    const char *cookie);
WAITS static void list_page(struct req *, int status, struct view *);
static void	refused(struct req *);

void
passkey_page(struct req *rq)
{
	list_page(rq, 200, view_new(rq->arena));
}

void
passkey_page_add(struct req *rq)
{
	const struct session	*s = rq->session;
	const struct passkey_site site = passkey_site(rq->arena);
	const char		*name = req_form_line(rq, "name");
	const char		*sealed = req_form(rq, "passkey");
	struct recovery_codes	*recovery;
	struct view		*view = view_new(rq->arena);
	struct passkey_new	 new;
	struct bytes		 client_data, attestation;
	unsigned char		 challenge[SHA256_BYTES], nonce[AGAIN_NONCE];
	bool			 has_codes = false;

	if (str_blank(name) || str_has_control(name) ||
	    str_chars(name) > PASSKEY_NAME_MAX) {
		form_error(view, "name", "Name it in 1 to 60 characters, for "
		    "example Laptop.");
		list_page(rq, 422, view);
		return;
	}
	passkey_challenge(sealed, challenge);
	if (again_open(vault, rq->arena, s->form_cookie, CREATE_PURPOSE,
	    rq->now, sealed, nonce) == NULL ||
	    !passkey_field(rq->arena, req_form(rq, "client_data"),
	    &client_data) || !passkey_field(rq->arena,
	    req_form(rq, "attestation"), &attestation) ||
	    passkey_register(rq->arena, &site, challenge, client_data,
	    attestation, &new) != PASSKEY_GOOD) {
		form_error(view, "name", "The passkey did not come to be: it "
		    "took longer than 5 minutes, or the browser answered with "
		    "something that we can’t take. Try again.");
		list_page(rq, 422, view);
		return;
	}
	recovery = arena_alloc(rq->arena, sizeof(*recovery));
	recovery_codes_make(s->account_id, recovery);
	switch (passkey_db_add(rq->db, s, name, &new, nonce, recovery,
	    &has_codes)) {
	case FACTOR_DONE:
		if (has_codes)
			factor_codes_page(rq, recovery, true);
		else
			respond_see_other(rq, "/account/passkeys");
		return;
	case FACTOR_AGAIN:
		respond_see_other(rq, "/account/passkeys");
		return;
	case FACTOR_CONFLICT:
		form_error(view, "name", "You have this passkey already, or "
		    "ten of them. Remove one that you don’t use.");
		list_page(rq, 422, view);
		return;
	}
}

void
passkey_page_remove(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id) || !passkey_db_remove(rq->db, rq->session, id))
		req_not_found(rq);
	respond_see_other(rq, "/account/passkeys");
}

void
passkey_page_enter(struct req *rq)
{
	const char		*next = session_next(rq->arena,
				    req_form(rq, "next"));
	struct passkey_proof	 proof;
	struct session_start	 start;

	if (!passkey_check(rq, &proof)) {
		refused(rq);
		return;
	}
	start = session_begin(rq);
	if (!passkey_db_enter(rq->db, proof.id, proof.count, proof.nonce,
	    &start)) {
		refused(rq);
		return;
	}
	session_set_cookies(rq, &start);
	if (req_cookie(rq, session_cookie_name(rq, "second")) != NULL)
		respond_cookie(rq, session_cookie_name(rq, "second"), "", 0);
	respond_see_other(rq, account_next(proof.kind, next));
}

void
passkey_view(struct req *rq, struct view *view)
{
	/* Also makes the cookie that the challenge is bound to. */
	(void)respond_csrf(rq);
	challenge_view(rq, view, GET_PURPOSE, rq->csrf_base);
}

bool
passkey_check(struct req *rq, struct passkey_proof *ret_proof)
{
	const struct passkey_site site = passkey_site(rq->arena);
	const char		*sealed = req_form(rq, "passkey");
	struct passkey_answer	 answer;
	struct passkey_proof	 proof;
	struct passkey		 passkey;
	unsigned char		 challenge[SHA256_BYTES];

	passkey_challenge(sealed, challenge);
	if (again_open(vault, rq->arena, rq->csrf_base, GET_PURPOSE, rq->now,
	    sealed, proof.nonce) == NULL ||
	    !passkey_field(rq->arena, req_form(rq, "credential"),
	    &answer.id) || !passkey_field(rq->arena,
	    req_form(rq, "client_data"), &answer.client_data) ||
	    !passkey_field(rq->arena, req_form(rq, "authenticator_data"),
	    &answer.authenticator_data) || !passkey_field(rq->arena,
	    req_form(rq, "signature"), &answer.signature) ||
	    !passkey_db_find(rq->db, answer.id, &passkey))
		return (false);
	if (passkey_verify(&site, challenge, &answer, &passkey, &proof.count) !=
	    PASSKEY_GOOD) {
		/* No try at anything: nobody guesses a signature. */
		factor_db_failed(rq->db, passkey.account_id);
		return (false);
	}
	proof.id = answer.id;
	proof.account_id = passkey.account_id;
	proof.kind = passkey.kind;
	*ret_proof = proof;
	return (true);
}

static void
challenge_view(struct req *rq, struct view *view, const char *purpose,
    const char *cookie)
{
	unsigned char	 challenge[SHA256_BYTES];
	const char	*sealed;
	char		*text = arena_alloc(rq->arena, TOKEN_TEXT);

	sealed = again_seal(vault, rq->arena, cookie, purpose, rq->now, "");
	passkey_challenge(sealed, challenge);
	base64url_encode(text, challenge, sizeof(challenge));
	view_text(view, "passkey_sealed", sealed);
	view_text(view, "passkey_challenge", text);
	view_text(view, "passkey_rp", passkey_site(rq->arena).rp_id);
}

static void
list_page(struct req *rq, int status, struct view *view)
{
	const struct session		*s = rq->session;
	const struct passkey_row	*rows;
	struct view			*row;
	size_t				 i, n;

	n = passkey_db_list(rq->db, s->account_id, &rows);
	view_list(view, "passkeys");
	for (i = 0; i < n; i++) {
		row = view_row(view, "passkeys");
		view_text(row, "id", rows[i].id);
		view_text(row, "name", rows[i].name);
		view_text(row, "added", clock_date(rq->arena,
		    rows[i].created_at));
		view_text(row, "used", rows[i].used_at == 0 ? "Not yet" :
		    clock_ago(rq->arena, rows[i].used_at, rq->now));
	}
	view_bool(view, "has_passkeys", n > 0);
	view_text(view, "name", status == 200 ? "" :
	    req_form_line(rq, "name"));
	view_text(view, "account_id", s->account_id);
	challenge_view(rq, view, CREATE_PURPOSE, s->cookie);
	form_fields(view, "name", NULL);
	respond_page(rq, status, "accounts/passkeys", view);
}

static void
refused(struct req *rq)
{
	respond_page(rq, 422, "accounts/passkey_refused",
	    view_new(rq->arena));
}
