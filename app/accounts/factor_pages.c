/*
 * /account/two-factor: what is set, turning the app with one-time codes on and
 * off, and recovery codes, which are shown once.
 */
#include "accounts/account_pages.h"

#include "accounts/factor.h"
#include "accounts/qr.h"
#include "base/setting.h"
#include "sessions/nonce.h"
#include "vault/vault.h"
#include "web/respond.h"

static void	set_up_form(struct req *, int status, struct view *,
		    const unsigned char secret[TOTP_SECRET_BYTES],
		    const char *setup);
static void	set_up_anew(struct req *, int status, struct view *);
static void	codes_shown_already(struct req *);

void
factor_page(struct req *rq)
{
	const struct session	*s = rq->session;
	const struct factors factors = factor_db_of(rq->db, s->account_id);
	struct view		*view = view_new(rq->arena);

	view_bool(view, "has_totp", factors.has_totp);
	view_text(view, "totp_since",
	    factors.has_totp ? clock_date(rq->arena, factors.totp_since) : "");
	view_int(view, "recovery_left", factors.recovery_left);
	view_bool(view, "has_passkey", factors.has_passkey);
	view_bool(view, "has_any", factors.has_totp || factors.has_passkey);
	view_bool(view, "has_few", factors.recovery_left < 3);
	view_bool(view, "must_set_up", s->must_set_up);
	view_bool(view, "is_required",
	    setting->production && s->kind != ACCOUNT_CONTACT);
	view_text(view, "nonce", nonce_make(rq->arena, s->cookie,
	    RECOVERY_NONCE));
	respond_page(rq, 200, "accounts/two_factor", view);
}

void
factor_page_set_up(struct req *rq)
{
	if (factor_db_of(rq->db, rq->session->account_id).has_totp) {
		respond_see_other(rq, "/account/two-factor");
		return;
	}
	set_up_anew(rq, 200, view_new(rq->arena));
}

void
factor_page_turn_on(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*setup = req_form(rq, "setup");
	struct view		*view = view_new(rq->arena);
	unsigned char		 secret[TOTP_SECRET_BYTES];
	unsigned char		 sealed[TOTP_SECRET_BYTES + SEAL_OVERHEAD];
	struct recovery_codes		*recovery;
	char			 code[TOTP_CODE];
	int64_t			 counter;

	if (!setup_open(vault, rq->arena, s->form_cookie, rq->now, setup,
	    secret)) {
		form_error(view, "code",
		    "This took longer than half an hour, "
		    "or you signed in again meanwhile. Scan the new code "
		    "below; the old one is void.");
		set_up_anew(rq, 422, view);
		return;
	}
	if (!totp_code(req_form(rq, "code"), code) ||
	    !totp_check(secret, code, rq->now, -1, &counter)) {
		form_error(view, "code",
		    "This is not the code that the app "
		    "shows now. Type its 6 digits; if they stay wrong, look "
		    "at the clock of your phone.");
		set_up_form(rq, 422, view, secret, setup);
		return;
	}
	recovery = arena_alloc(rq->arena, sizeof(*recovery));
	recovery_codes_make(s->account_id, recovery);
	seal(vault, totp_row(rq->arena, s->account_id), secret, sizeof(secret),
	    sealed);
	explicit_bzero(secret, sizeof(secret));
	switch (factor_db_set_up(rq->db, s, sealed, sizeof(sealed), counter,
	    setup, recovery)) {
	case FACTOR_DONE:
		factor_codes_page(rq, recovery, true);
		return;
	case FACTOR_AGAIN:
		codes_shown_already(rq);
		return;
	case FACTOR_CONFLICT:
		req_fail(rq, 409, "has_totp");
	}
}

void
factor_page_remove(struct req *rq)
{
	/* Off already: what was wanted is so. */
	switch (factor_db_remove(rq->db, rq->session)) {
	case FACTOR_DONE:
	case FACTOR_AGAIN:
	case FACTOR_CONFLICT:
		respond_see_other(rq, "/account/two-factor");
		return;
	}
}

void
factor_page_recovery(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*nonce = req_form(rq, "nonce");
	struct recovery_codes		*recovery;

	/* Made under a session that has ended since. */
	if (!nonce_valid(rq->arena, nonce, s->form_cookie,
		RECOVERY_NONCE)) {
		respond_see_other(rq, "/account/two-factor");
		return;
	}
	recovery = arena_alloc(rq->arena, sizeof(*recovery));
	recovery_codes_make(s->account_id, recovery);
	switch (factor_db_recovery_new(rq->db, s, nonce, recovery)) {
	case FACTOR_DONE:
		factor_codes_page(rq, recovery, false);
		return;
	case FACTOR_AGAIN:
		codes_shown_already(rq);
		return;
	case FACTOR_CONFLICT:
		respond_see_other(rq, "/account/two-factor");
		return;
	}
}

static void
set_up_anew(struct req *rq, int status, struct view *view)
{
	unsigned char	 secret[TOTP_SECRET_BYTES];
	char		*setup = arena_alloc(rq->arena, SETUP_TEXT);

	totp_make(secret);
	setup_seal(vault, rq->arena, rq->session->cookie, rq->now, secret,
	    setup);
	set_up_form(rq, status, view, secret, setup);
	explicit_bzero(secret, sizeof(secret));
}

static void
set_up_form(struct req *rq, int status, struct view *view,
    const unsigned char secret[TOTP_SECRET_BYTES], const char *setup)
{
	const char *uri =
	    totp_uri(rq->arena, secret, setting->site_name, rq->session->email);
	struct qr	 qr;

	/* An address may be too long for one; the text beside it serves. */
	if (!qr_draw(rq->arena, uri, &qr))
		qr = (struct qr){ 0, "" };
	view_int(view, "qr_size", qr.size);
	view_text(view, "qr_path", qr.path);
	view_text(view, "secret", totp_text(rq->arena, secret));
	view_text(view, "setup", setup);
	form_fields(view, "code", NULL);
	respond_page(rq, status, "accounts/two_factor_set_up", view);
}

void
factor_codes_page(struct req *rq, const struct recovery_codes *recovery,
    bool is_set_up)
{
	struct view	*view = view_new(rq->arena);
	size_t		 i;

	view_list(view, "codes");
	for (i = 0; i < RECOVERY_CODES; i++)
		view_row_text(view, "codes",
		    arena_strdup(rq->arena, recovery->text[i]));
	view_bool(view, "is_set_up", is_set_up);
	respond_page(rq, 200, "accounts/recovery_codes", view);
}

static void
codes_shown_already(struct req *rq)
{
	respond_page(rq, 200, "accounts/recovery_shown", view_new(rq->arena));
}
