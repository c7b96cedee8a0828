/*
 * Changing the password while signed in.  The present one is asked for, and
 * tries count as those of signing in do.
 */
#include "accounts/account_pages.h"
#include "accounts/recovery.h"
#include "accounts/recovery_pages.h"
#include "base/setting.h"
#include "crypto/token.h"
#include "run/work.h"
#include "web/respond.h"

WAITS static struct password_job *judge(struct req *,
		    const struct credential *, struct view *);
static void	 password_form(struct req *, int status, struct view *);

void
password_page(struct req *rq)
{
	password_form(rq, 200, view_new(rq->arena));
}

void
password_page_change(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct visitor		 visitor = session_visitor(rq);
	struct credential	 credential;
	struct password_job	*job;
	char			*token;

	if (req_form(rq, "password")[0] == '\0')
		form_error(view, "password", "Type your present password.");
	if (req_form(rq, "new_password")[0] == '\0')
		form_error(view, "new_password",
		    password_advice(PASSWORD_TOO_SHORT));
	if (form_has_errors(view)) {
		password_form(rq, 422, view);
		return;
	}
	credential =
	    account_db_credential_of(rq->db, rq->session->account_id, &visitor);
	if (!account_page_try(rq, &credential.tries, "tries"))
		return;
	job = judge(rq, &credential, view);
	if (form_has_errors(view)) {
		password_form(rq, 422, view);
		return;
	}
	token = arena_alloc(rq->arena, TOKEN_TEXT);
	token_make(token);
	if (!password_db_change(rq->db, &credential, job->hash,
	    rq->session->cookie, token))
		req_fail(rq, 409, "password_changed");
	session_set_cookie(rq, token);
	respond_see_other(rq, "/account?done=password");
}

/* W3C, A Well-Known URL for Changing Passwords. */
void
password_page_well_known(struct req *rq)
{
	respond_see_other(rq, "/account/password");
}

struct password_job *
password_page_job(struct req *rq, const char *wanted, const char *name,
    const char *email, const char *client)
{
	struct password_job	*job = arena_calloc(rq->arena, 1, sizeof(*job));
	size_t			 n = 0;

	job->wanted = password_normalise(rq->arena, wanted);
	/* What is empty is not judged. */
	job->verdict = PASSWORD_TOO_SHORT;
	job->own_words[n++] = name;
	job->own_words[n++] = email;
	job->own_words[n++] = client;
	job->own_words[n++] = setting->site_name;
	job->own_words[n++] = password_db_products(rq->db);
	return (job);
}

/* A wrong present password is all that is told then. */
static struct password_job *
judge(struct req *rq, const struct credential *credential, struct view *view)
{
	const struct session	*s = rq->session;
	struct password_job	*job;

	job = password_page_job(rq, req_form(rq, "new_password"), s->name,
	    s->email, s->tenant_name != NULL ? s->tenant_name : s->client);
	job->present = password_normalise(rq->arena, req_form(rq, "password"));
	job->present_hash = credential->hash;
	if (!work_run(password_job_run, job, true))
		req_fail(rq, 503, "busy");
	if (job->is_right)
		tries_db_right(rq->db, &credential->tries);
	if (!job->is_right) {
		account_db_failed(rq->db, credential);
		form_error(view, "password", "This is not your present "
		    "password. Look at it and try again.");
	} else if (job->verdict != PASSWORD_GOOD) {
		form_error(view, "new_password",
		    password_advice(job->verdict));
	} else if (secret_eq(job->present, job->wanted)) {
		form_error(view, "new_password", "This is the password that "
		    "you have. Choose another one.");
	} else if (!job->done) {
		req_fail(rq, 503, "hash_memory");
	}
	return (job);
}

static void
password_form(struct req *rq, int status, struct view *view)
{
	form_fields(view, "password", "new_password", NULL);
	respond_page(rq, status, "accounts/password", view);
}
