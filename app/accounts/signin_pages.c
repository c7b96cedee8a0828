/*
 * Signing in and signing out.
 */
#include "accounts/account_pages.h"

#include "accounts/account.h"
#include "accounts/passkey_pages.h"
#include "crypto/token.h"
#include "run/work.h"
#include "web/respond.h"

struct verify_job {
	struct secret		 password;
	const char		*hash;		/* NULL: of nobody */
	enum password_match	 match;
	bool			 has_new;
	char			 new_hash[PASSWORD_HASH_BYTES];
};

static void	 signin_form(struct req *, int status, struct view *,
		    const char *next);
WAITS static struct verify_job *verify(struct req *, const struct credential *);
static void	 verify_work(void *);

void
signin_page(struct req *rq)
{
	const char	*next = session_next(rq->arena, req_query(rq, "next"));
	struct view	*view;

	if (rq->session != NULL) {
		respond_see_other(rq, account_next(rq->session->kind, next));
		return;
	}
	view = view_new(rq->arena);
	view_text(view, "email", "");
	signin_form(rq, 200, view, next);
}

void
signin_page_enter(struct req *rq)
{
	const char		*next = session_next(rq->arena, req_form(rq, "next"));
	const char		*email = req_form(rq, "email");
	struct view		*view = view_new(rq->arena);
	struct visitor		 visitor = session_visitor(rq);
	struct credential	 credential;
	struct verify_job	*job;
	struct session_start	 start;
	enum address_verdict	 verdict;
	const char		*new_hash;
	bool			 right;
	struct address		 address;

	view_text(view, "email", email);
	verdict = address_parse(rq->arena, email, &address);
	if (verdict != ADDRESS_GOOD)
		form_error(view, "email", address_advice(verdict));
	if (req_form(rq, "password")[0] == '\0')
		form_error(view, "password", "Type your password.");
	if (form_has_errors(view)) {
		signin_form(rq, 422, view, next);
		return;
	}
	credential = account_db_credential(rq->db, &address, &visitor);
	if (!account_page_try(rq, &credential.tries, "sign-ins"))
		return;
	job = verify(rq, &credential);
	new_hash = job->has_new ? job->new_hash : NULL;
	right = job->match != PASSWORD_WRONG && credential.is_active;
	if (right)
		tries_db_right(rq->db, &credential.tries);
	if (right && credential.has_second &&
	    second_begin(rq, &credential, new_hash, next))
		return;
	start = session_begin(rq);
	if (!right || !account_db_signin(rq->db, &credential, new_hash,
	    &start)) {
		account_db_failed(rq->db, &credential);
		form_error(view, "email", "No account has this e-mail and "
		    "this password. Look at both and try again.");
		signin_form(rq, 422, view, next);
		return;
	}
	session_set_cookies(rq, &start);
	respond_see_other(rq, account_next(credential.kind, next));
}

void
signin_page_leave(struct req *rq)
{
	session_db_end(rq->db, rq->session->cookie);
	session_end_cookie(rq);
	respond_see_other(rq, "/");
}

static void
signin_form(struct req *rq, int status, struct view *view, const char *next)
{
	view_text(view, "next", next);
	view_text(view, "where", "passkey");
	view_text(view, "body", "");
	view_text(view, "for", "");
	passkey_view(rq, view);
	account_page_done(rq, view);
	form_fields(view, "email", "password", NULL);
	respond_page(rq, status, "accounts/signin", view);
}

static struct verify_job *
verify(struct req *rq, const struct credential *credential)
{
	struct verify_job	*job = arena_alloc(rq->arena, sizeof(*job));

	job->password = password_normalise(rq->arena,
	    req_form(rq, "password"));
	job->hash = credential->hash;
	if (!work_run(verify_work, job, credential->is_known))
		req_fail(rq, 503, "busy");
	return (job);
}

/* On a work thread: sees the job only. */
static void
verify_work(void *arg)
{
	struct verify_job	*job = arg;

	job->match = password_verify(job->password, job->hash);
	if (job->match == PASSWORD_RIGHT_REHASH)
		job->has_new = password_hash(job->password, job->new_hash);
}
