/*
 * The page that asks for a fresh sign-in: /signin/again, to which a GET of
 * something protected is sent, and in place of the answer to a POST.
 */
#include "accounts/account_pages.h"

#include "accounts/again.h"
#include "accounts/passkey_pages.h"
#include "accounts/recovery.h"
#include "accounts/second.h"
#include "run/work.h"
#include "vault/vault.h"
#include "web/form.h"
#include "web/respond.h"
#include "web/route.h"

/* What the page is shown with. */
struct ask {
	const char	*where;		/* path that its form goes to, without
					 * the first slash */
	const char	*action;	/* "You want to ..." */
	const char	*body;		/* sealed form, "" for none */
	const char	*next, *word;	/* of /signin/again */
};
enum proven { PROVEN, NOT_PROVEN /* and answered */ };

WAITS static void	 ask_page(struct req *, int status, struct view *,
			    const struct ask *);
WAITS static enum proven prove(struct req *, const struct ask *,
			    const unsigned char *nonce);
WAITS static enum second_result prove_password(struct req *, struct view *,
			    struct again *, struct tries *ret_tries);
WAITS static enum second_result prove_passkey(struct req *, struct view *,
			    struct again *);
WAITS static void	 refused(struct req *, struct view *,
			    const struct ask *);
static const char	*form_text(struct req *);
static const char	*where_of(struct req *);
static const char	*action_of(struct req *);

void
signin_page_again(struct req *rq)
{
	const char	*next = session_next(rq->arena, req_query(rq, "next"));
	const char	*word = req_query(rq, "for");

	if (word == NULL)
		word = "";
	ask_page(rq, 200, view_new(rq->arena), &(struct ask){ .where =
	    "signin/again", .action = account_action(word), .body = "",
	    .next = next, .word = word });
}

void
signin_page_again_enter(struct req *rq)
{
	const char	*next = session_next(rq->arena, req_form(rq, "next"));
	const char	*word = req_form(rq, "for");
	const struct ask ask = { .where = "signin/again", .action =
			    account_action(word), .body = "", .next = next,
			    .word = word };

	if (prove(rq, &ask, NULL) == PROVEN)
		respond_see_other(rq, account_next(rq->session->kind, next));
}

enum session_again
again_page_carry_on(struct req *rq)
{
	struct session	*s = rq->session;
	struct ask	 ask = { .where = where_of(rq), .next = "",
			    .word = "", .action = action_of(rq),
			    .body = req_form(rq, "again_body") };
	unsigned char	 nonce[AGAIN_NONCE];
	const char	*text;

	if (ask.body[0] == '\0') {
		text = form_text(rq);
		if (text != NULL)
			ask.body = again_seal(vault, rq->arena, s->cookie,
			    rq->path, rq->now, text);
		if (text == NULL || ask.body == NULL)
			return (SESSION_AGAIN_REDIRECT);
		ask_page(rq, 200, view_new(rq->arena), &ask);
		return (SESSION_AGAIN_ANSWERED);
	}
	text = again_open(vault, rq->arena, s->cookie, rq->path, rq->now,
	    ask.body, nonce);
	if (text == NULL)
		return (SESSION_AGAIN_REDIRECT);
	if (prove(rq, &ask, nonce) != PROVEN)
		return (SESSION_AGAIN_ANSWERED);
	rq->form = (struct fields){ 0 };
	if (form_parse(rq->arena, text, strlen(text), &rq->form) != FORM_OK)
		req_fail(rq, 400, "again_form");
	return (SESSION_AGAIN_GO_ON);
}

static void
ask_page(struct req *rq, int status, struct view *view, const struct ask *ask)
{
	const struct factors	 factors = factor_db_of(rq->db,
				    rq->session->account_id);

	view_text(view, "where", ask->where);
	view_text(view, "action", ask->action);
	view_text(view, "body", ask->body);
	view_text(view, "next", ask->next);
	view_text(view, "for", ask->word);
	view_bool(view, "asks_code", factors.has_totp || factors.has_passkey);
	view_bool(view, "has_totp", factors.has_totp);
	view_bool(view, "has_passkey", factors.has_passkey);
	passkey_view(rq, view);
	form_fields(view, "password", "code", NULL);
	respond_page(rq, status, "accounts/signin_again", view);
}

/*
 * Looks at the field `code` or `password`.  Where it is right, the session has
 * a new token and is fresh, and nonces of forms are still held against the old
 * one; where it is not, this has answered.
 */
static enum proven
prove(struct req *rq, const struct ask *ask, const unsigned char *nonce)
{
	struct session		*s = rq->session;
	struct view		*view = view_new(rq->arena);
	struct visitor		 visitor = session_visitor(rq);
	const struct challenge challenge =
	    factor_db_challenge(rq->db, s->account_id, &visitor);
	struct again again = { .account_id = s->account_id, .nonce = nonce };
	enum second_result	 result;
	char			*token;

	if (challenge.has_passkey && req_form(rq, "signature")[0] != '\0')
		result = prove_passkey(rq, view, &again);
	else if (challenge.has_totp || challenge.has_passkey)
		result =
		    second_check(rq, view, &challenge, false, &again.proof);
	else
		result = prove_password(rq, view, &again, &again.proof.tries);
	switch (result) {
	case SECOND_WAIT:
		return (NOT_PROVEN);
	case SECOND_WRONG:
		refused(rq, view, ask);
		return (NOT_PROVEN);
	case SECOND_RIGHT:
		break;
	}
	token = arena_alloc(rq->arena, TOKEN_TEXT);
	token_make(token);
	switch (again_db_refresh(rq->db, &again, s->cookie, token)) {
	case AGAIN_FRESH:
		break;
	case AGAIN_USED:
		second_wrong(rq, view, &challenge, &again.proof);
		refused(rq, view, ask);
		return (NOT_PROVEN);
	case AGAIN_GONE:
		req_fail(rq, 409, "again");
	}
	if (again.proof.tries.n > 0)
		tries_db_right(rq->db, &again.proof.tries);
	session_set_cookie(rq, token);
	s->form_cookie = s->cookie;
	s->cookie = token;
	s->fresh = true;
	rq->csrf_base = token;
	return (PROVEN);
}

static enum second_result
prove_password(struct req *rq, struct view *view, struct again *again,
    struct tries *ret_tries)
{
	struct visitor		 visitor = session_visitor(rq);
	struct password_job	*job;
	struct credential	 credential;

	if (req_form(rq, "password")[0] == '\0') {
		form_error(view, "password", "Type your password.");
		return (SECOND_WRONG);
	}
	credential =
	    account_db_credential_of(rq->db, again->account_id, &visitor);
	if (!account_page_try(rq, &credential.tries, "tries"))
		return (SECOND_WAIT);
	job = arena_calloc(rq->arena, 1, sizeof(*job));
	job->present = password_normalise(rq->arena,
	    req_form(rq, "password"));
	job->present_hash = credential.hash;
	if (!work_run(password_job_run, job, credential.is_known))
		req_fail(rq, 503, "busy");
	if (!job->is_right || !credential.is_active) {
		account_db_failed(rq->db, &credential);
		form_error(view, "password", "This is not your password. Look "
		    "at it and try again.");
		return (SECOND_WRONG);
	}
	again->password_hash = credential.hash;
	*ret_tries = credential.tries;
	return (SECOND_RIGHT);
}

static enum second_result
prove_passkey(struct req *rq, struct view *view, struct again *again)
{
	struct passkey_proof	proof;

	if (passkey_check(rq, &proof) &&
	    str_eq(proof.account_id, again->account_id) &&
	    passkey_db_use(rq->db, again->account_id, proof.id, proof.count,
	    proof.nonce)) {
		again->is_passkey = true;
		return (SECOND_RIGHT);
	}
	form_error(view, "code", "This passkey was not taken. Try again, or "
	    "type a code.");
	return (SECOND_WRONG);
}

/* An empty field is no try. */
static void
refused(struct req *rq, struct view *view, const struct ask *ask)
{
	if ((req_form(rq, "password")[0] != '\0' ||
	    req_form(rq, "code")[0] != '\0' ||
	    req_form(rq, "signature")[0] != '\0') &&
	    again_db_failed(rq->db, rq->session->cookie)) {
		session_end_cookie(rq);
		respond_see_other(rq, "/signin");
		return;
	}
	ask_page(rq, 422, view, ask);
}

/* NULL: too long to travel. */
static const char *
form_text(struct req *rq)
{
	struct buf	b;
	size_t		i;

	buf_init(&b, rq->arena, AGAIN_TEXT_MAX);
	for (i = 0; i < rq->form.n; i++) {
		if (!again_travels(rq->form.list[i].name))
			continue;
		if (b.n > 0)
			buf_chr(&b, '&');
		buf_url(&b, rq->form.list[i].name);
		buf_chr(&b, '=');
		buf_url(&b, rq->form.list[i].value);
	}
	return (b.full ? NULL : buf_text(&b));
}

/* The path as an address has it, without its first slash. */
static const char *
where_of(struct req *rq)
{
	const char	*p;
	struct buf	 b;

	buf_init(&b, rq->arena, 3 * REQ_PATH_MAX + 1);
	for (p = rq->path + 1; *p != '\0'; p++) {
		if (*p == '/')
			buf_chr(&b, '/');
		else
			buf_url(&b, (char[2]){ *p, '\0' });
	}
	return (buf_text(&b));
}

static const char *
action_of(struct req *rq)
{
	return (account_action(route_word(rq->arena, rq->route)));
}
