/*
 * The machine API: /api/v1, for scripts.  What it does is what the pages do,
 * by the same functions of the slices: same rights, same rules, same words.
 *
 * A call carries an access token as Bearer (RFC 6750); cookies mean nothing
 * here, so there is nothing to forge and no CSRF.  Bodies are JSON objects
 * (RFC 8259) of at most 64 kB, answers are JSON, errors are problems (RFC 9457)
 * with a `code`.  Lists come in pages: `items`, and `next`, which is sent back
 * as ?after=.  A POST may carry an Idempotency-Key: see replay.h.  What is
 * changed has an ETag, which If-Match must name.
 *
 * What can be called stands in openapi.py, which the build makes into the
 * document that /api/v1/openapi.json serves; a test holds it against the route
 * table.
 */
#ifndef API_API_PAGES_H
#define API_API_PAGES_H

#include "api/json.h"
#include "sessions/session.h"
#include "tokens/token.h"
#include "web/respond.h"

#define API_RATE_PER_S		10	/* calls, of a token */
#define API_RATE_BURST		120	/* at once */
#define API_FAILURES_PER_MIN	30	/* bad tokens, of a network */
#define API_FAILURES_BURST	30
#define API_KEY_MAX		255	/* characters of an Idempotency-Key */

struct api_call {
	struct access	*access;
	const char	*key;		/* Idempotency-Key; NULL: none */
	unsigned	 writes;	/* db_writes() when it was claimed */
	const struct api_json *body;	/* an object; NULL: none was sent */
};

/* Before the fork: memory that the workers share, the parser's seed. */
void		 api_setup(void);
/* The guard of routes with API, as web_hooks.admit. */
WAITS MUST_CHECK bool api_admit(struct req *, unsigned guard);

/* ---- reading ---- */

enum api_type {
	API_TEXT,		/* a string */
	API_NUMBER,		/* a whole number */
	API_BOOL,
	API_TEXTS,		/* an array of strings: fields of one name */
	API_LINES,		/* an array of strings: one field, a line each */
};
struct api_field {
	const char	*name;
	enum api_type	 type;
	bool		 must;
};
/*
 * Takes the body's members as the fields of a form, so that the slices' own
 * rules read them by req_form(): true is "1", false and null are not sent.
 * A member that is not listed, is of another type or missing is 422.
 */
WAITS void	 api_fields(struct req *, const struct api_field *, size_t n);
#define API_FIELDS(rq, ...)						\
	api_fields((rq), (const struct api_field[]){ __VA_ARGS__ },	\
	    sizeof((const struct api_field[]){ __VA_ARGS__ }) /		\
	    sizeof(struct api_field))
/* Afterwards: another name for a field, and one more. */
void		 api_rename(struct req *, const char *from, const char *to);
void		 api_add(struct req *, const char *name, const char *value);
/* The UUID in the path, else 404. */
WAITS const char *api_id(struct req *);
/* The query's value, "" for none. */
const char	*api_query(struct req *, const char *name);
/* The tag that If-Match names, without quotes, for a statement that compares it;
 * 428 without one. */
WAITS const char *api_match(struct req *);
/* The same of a tag that api_etag_version() made, 412 for others: above 0. */
WAITS int64_t	 api_match_version(struct req *);
/* For a statement that reveals: the same for a call that is sent again. */
const char	*api_nonce(struct req *);

/* ---- answering: each ends the work of a handler ---- */

WAITS void	 api_answer(struct req *, int status, struct out *);
/* Ends the array of a list, and says where it goes on: next "" or NULL: it does
 * not. */
WAITS void	 api_answer_page(struct req *, struct out *, const char *next);
/* As api_answer(), of an answer that holds a secret: it is not kept. */
WAITS void	 api_answer_secret(struct req *, int status, struct out *);
/* 204 */
WAITS void	 api_done(struct req *);
WAITS _Noreturn void api_fail(struct req *, int status, const char *code,
		    const char *detail);
WAITS _Noreturn void api_not_found(struct req *);
/* 422 with the errors of a view's form, as the slices' rules wrote them. */
WAITS _Noreturn void api_invalid(struct req *, struct view *);
WAITS _Noreturn void api_invalid_field(struct req *, const char *field,
		    const char *text);
void		 api_etag(struct req *, const char *tag);
void		 api_etag_version(struct req *, int64_t version);
void		 api_location(struct req *, const char *path);

/* ---- shared by the operations ---- */

/* Who may look after API users and keys: else 404. */
WAITS void	 api_must_be_manager(struct req *);
WAITS const char *api_tenant(struct req *);	/* id; 404 without one */

/* ---- operations ---- */

void		 api_openapi(struct req *);
WAITS void	 api_me(struct req *);
WAITS void	 api_tenants(struct req *);
WAITS void	 api_products(struct req *);
WAITS void	 api_product(struct req *);
WAITS void	 api_subscriptions(struct req *);
WAITS void	 api_subscription(struct req *);
WAITS void	 api_keys(struct req *);
WAITS void	 api_key_show(struct req *);
WAITS void	 api_key_regenerate(struct req *);
WAITS void	 api_key_end(struct req *);
WAITS void	 api_requests(struct req *);
WAITS void	 api_request_submit(struct req *);
WAITS void	 api_request(struct req *);
WAITS void	 api_request_withdraw(struct req *);
WAITS void	 api_users(struct req *);
WAITS void	 api_user_make(struct req *);
WAITS void	 api_user(struct req *);
WAITS void	 api_user_delete(struct req *);
WAITS void	 api_user_rotate(struct req *);
WAITS void	 api_user_enable(struct req *);
WAITS void	 api_user_disable(struct req *);
WAITS void	 api_user_roles(struct req *);
WAITS void	 api_user_permissions(struct req *);
WAITS void	 api_user_check(struct req *);
WAITS void	 api_user_hand_over(struct req *);
WAITS void	 api_roles(struct req *);
WAITS void	 api_role_make(struct req *);
WAITS void	 api_role(struct req *);
WAITS void	 api_role_save(struct req *);
WAITS void	 api_role_delete(struct req *);
WAITS void	 api_resources(struct req *);
WAITS void	 api_staff_queue(struct req *);
WAITS void	 api_staff_request(struct req *);
WAITS void	 api_staff_approve(struct req *);
WAITS void	 api_staff_share(struct req *);
WAITS void	 api_staff_reject(struct req *);
WAITS void	 api_staff_ask(struct req *);
WAITS void	 api_staff_tenants(struct req *);
WAITS void	 api_staff_tenant(struct req *);
WAITS void	 api_staff_tenant_make(struct req *);
WAITS void	 api_staff_subscriptions(struct req *);
WAITS void	 api_staff_key_find(struct req *);
WAITS void	 api_staff_key_revoke(struct req *);
WAITS void	 api_staff_audit(struct req *);

#endif
