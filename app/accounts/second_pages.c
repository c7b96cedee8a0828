/*
 * The second step of signing in: the page that asks for a one-time code or a
 * recovery code after the right password.  Until then the browser holds the
 * token of a pending sign-in, which opens this page and nothing else.
 */
#include "accounts/account_pages.h"

#include "accounts/passkey_pages.h"
#include "accounts/recovery_pages.h"
#include "accounts/second.h"
#include "crypto/token.h"
#include "vault/vault.h"
#include "web/respond.h"

static const char	*pending_cookie(struct req *);
static const char	*address_of(struct req *, const char *next);
static void		 second_form(struct req *, int status, struct view *,
			    const struct challenge *, const char *next);

bool
second_begin(struct req *rq, const struct credential *credential,
    const char *new_hash, const char *next)
{
	char	*token = arena_alloc(rq->arena, TOKEN_TEXT);

	token_make(token);
	if (!factor_db_pend(rq->db, credential, new_hash, token))
		return (false);
	respond_cookie(rq, session_cookie_name(rq, "second"), token, PENDING_S);
	respond_see_other(rq, address_of(rq, next));
	return (true);
}

void
second_page(struct req *rq)
{
	const char *next = session_next(rq->arena, req_query(rq, "next"));
	const char		*token = pending_cookie(rq);
	struct visitor		 visitor = session_visitor(rq);
	struct challenge	 challenge;

	if (rq->session != NULL) {
		respond_see_other(rq, account_next(rq->session->kind, next));
		return;
	}
	if (token == NULL ||
	    !factor_db_pending(rq->db, token, &visitor, &challenge)) {
		respond_see_other(rq, "/signin");
		return;
	}
	second_form(rq, 200, view_new(rq->arena), &challenge, next);
}

void
second_page_enter(struct req *rq)
{
	const char *next = session_next(rq->arena, req_form(rq, "next"));
	const char		*token = pending_cookie(rq);
	struct visitor		 visitor = session_visitor(rq);
	struct view		*view = view_new(rq->arena);
	struct challenge	 challenge;
	struct session_start	 start;
	struct proof		 proof;

	/* Over, or never begun in this browser: from the start. */
	if (token == NULL ||
	    !factor_db_pending(rq->db, token, &visitor, &challenge)) {
		respond_see_other(rq, "/signin");
		return;
	}
	switch (second_check(rq, view, &challenge, false, &proof)) {
	case SECOND_RIGHT:
		break;
	case SECOND_WRONG:
		second_form(rq, 422, view, &challenge, next);
		return;
	case SECOND_WAIT:
		return;
	}
	start = session_begin(rq);
	if (!factor_db_enter(rq->db, token, &proof, &start)) {
		second_wrong(rq, view, &challenge, &proof);
		second_form(rq, 422, view, &challenge, next);
		return;
	}
	tries_db_right(rq->db, &proof.tries);
	session_set_cookies(rq, &start);
	respond_cookie(rq, session_cookie_name(rq, "second"), "", 0);
	respond_see_other(rq, account_next(challenge.kind, next));
}

bool
recovery_page_asks(struct req *rq, struct view *view, const char *account_id)
{
	struct visitor		 visitor = session_visitor(rq);
	const struct challenge challenge =
	    factor_db_challenge(rq->db, account_id, &visitor);
	bool asks = challenge.has_totp || challenge.has_passkey;

	/* A passkey signs in by itself, so its owner needs no new password:
	 * here a recovery code is asked for. */
	view_bool(view, "asks_factor", asks);
	return (asks);
}

enum second_result
recovery_page_factor(struct req *rq, struct view *view, const char *account_id)
{
	struct visitor		 visitor = session_visitor(rq);
	const struct challenge challenge =
	    factor_db_challenge(rq->db, account_id, &visitor);
	enum second_result	 result;
	struct proof		 proof;

	result = second_check(rq, view, &challenge, true, &proof);
	if (result != SECOND_RIGHT)
		return (result);
	if (!factor_db_use(rq->db, account_id, &proof)) {
		second_wrong(rq, view, &challenge, &proof);
		return (SECOND_WRONG);
	}
	tries_db_right(rq->db, &proof.tries);
	return (SECOND_RIGHT);
}

enum second_result
second_check(struct req *rq, struct view *view,
    const struct challenge *challenge, bool has_link, struct proof *ret_proof)
{
	const char	*typed = req_form(rq, "code");
	unsigned char	 hash[SHA256_BYTES];
	char		 code[TOTP_CODE];
	const char	*why;
	struct tries	 tries;
	enum factor_verdict verdict;

	/* What is no code at all is no try. */
	if (!recovery_code_hash(challenge->account_id, typed, hash) &&
	    !totp_code(typed, code)) {
		form_error(view, "code",
		    "Type the 6 digits that your app "
		    "shows, or a recovery code such as " RECOVERY_EXAMPLE ".");
		return (SECOND_WRONG);
	}
	tries = tries_of(rq->arena,
	    recovery_code_hash(challenge->account_id, typed, hash) ?
		TRY_RECOVERY_CODE :
		has_link ? TRY_LINK_CODE :
			   TRY_CODE,
	    challenge->account_id, challenge->visitor.network,
	    challenge->visitor.browser);
	if (!account_page_try(rq, &tries, "codes"))
		return (SECOND_WAIT);
	verdict = factor_check(vault, rq->arena, challenge, rq->now, typed,
	    ret_proof);
	/* Sealed by somebody who has newer keys, perhaps. */
	if (verdict == FACTOR_CLOSED && vault_refresh(rq->db, &why))
		verdict = factor_check(vault, rq->arena, challenge, rq->now,
		    typed, ret_proof);
	switch (verdict) {
	case FACTOR_RIGHT:
		ret_proof->tries = tries;
		return (SECOND_RIGHT);
	case FACTOR_WRONG:
	case FACTOR_UNREADABLE:
		second_wrong(rq, view, challenge, NULL);
		return (SECOND_WRONG);
	case FACTOR_CLOSED:
		req_fail(rq, 500, "totp_does_not_open");
	}
	abort();
}

void
second_wrong(struct req *rq, struct view *view,
    const struct challenge *challenge, const struct proof *proof)
{
	factor_db_failed(rq->db, challenge->account_id);
	form_error(view, "code",
	    proof != NULL && proof->is_recovery ?
		"This is none of your recovery codes, or it was used before. "
		"Each is taken once." :
		"This code is not right, or it was used before. Type the one "
		"that the app shows now.");
}

static const char *
pending_cookie(struct req *rq)
{
	const char *token = req_cookie(rq, session_cookie_name(rq, "second"));

	return (token != NULL && token_shaped(token) ? token : NULL);
}

static const char *
address_of(struct req *rq, const char *next)
{
	struct buf	b;

	if (next == NULL)
		return ("/signin/second");
	buf_init(&b, rq->arena, 10 * SESSION_NEXT_MAX);
	buf_str(&b, "/signin/second?next=");
	buf_url(&b, next);
	return (buf_text(&b));
}

static void
second_form(struct req *rq, int status, struct view *view,
    const struct challenge *challenge, const char *next)
{
	view_text(view, "next", next);
	view_text(view, "where", "passkey");
	view_text(view, "body", "");
	view_text(view, "for", "");
	view_bool(view, "has_passkey", challenge->has_passkey);
	passkey_view(rq, view);
	view_bool(view, "has_totp", challenge->has_totp);
	view_int(view, "recovery_left", challenge->recovery_left);
	view_bool(view, "has_recovery", challenge->recovery_left > 0);
	form_fields(view, "code", NULL);
	respond_page(rq, status, "accounts/second", view);
}
