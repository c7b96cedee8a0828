/*
 * Requests: a contact asks for a subscription, staff decide.
 *
 *	submitted -> approved	a key pair is issued to a tenant
 *		  -> shared	the tenant has a key: the contact may see it
 *		  -> rejected	with a reason
 *		  -> withdrawn	by the contact, or an owner of the tenant
 *
 * A decision is one statement: state, membership, subscription, keys, audit
 * rows and mails come together or not at all.  What may not happen stands in
 * its WHERE or is a constraint; the checks of request.c only explain it.
 * Letting somebody in to a tenant that exists needs the contact's mail domain
 * on the tenant's list, or the consent of one of its owners (consent.h), or a
 * reason typed by staff.
 */
#ifndef REQUESTS_REQUEST_H
#define REQUESTS_REQUEST_H

#include "base/str.h"
#include "crypto/seal.h"
#include "db/db.h"

struct req;

#define REQUEST_REASON_MAX	1000	/* characters */
#define REQUEST_FITTING_MAX	5	/* tenants that it may be */
#define REQUEST_NEAR_MAX	5	/* those of a similar name */
#define REQUEST_CANDIDATES_MAX	(REQUEST_FITTING_MAX + REQUEST_NEAR_MAX)
#define REQUEST_NEAR_LISTED	40	/* per cent: from here on a list tells */
#define REQUEST_WARN_US		(12 * INT64_C(3600000000))	/* until due */

enum request_state { REQUEST_SUBMITTED, REQUEST_APPROVED, REQUEST_SHARED,
	REQUEST_REJECTED, REQUEST_WITHDRAWN };

/* A tenant that the request may be of, and why we think so. */
struct request_candidate {
	const char	*tenant_id, *code, *name;
	bool		 is_own;	/* the contact is a member */
	bool		 by_code;	/* the client wrote its code */
	bool		 by_name;	/* or its name, folded */
	bool		 has_domain;	/* the contact's domain is on its list */
	int64_t		 similar;	/* per cent: nothing else points to it */
	int64_t		 designated;	/* who may ask for it, as it told us */
	bool		 is_designated;	/* the contact is one of them */
	int64_t		 domains;	/* length of that list */
	const char	*key_name;	/* of its live key, or NULL */
	int64_t		 key_since;
	const char	*owners;	/* names, "" for none */
	const char	*consent;	/* of an owner: "yes", "no", "asked" or
					 * "" */
};

/* What staff see of a request, and the facts for its checks. */
struct request {
	const char	*id, *name, *product, *product_slug, *client_folded;
	const char	*account_id, *person, *email, *email_domain;
	const char	*client;	/* as the contact wrote it at sign-up */
	const char	*environment;	/* "live" */
	enum request_state state;
	int64_t		 submitted_at, due_at, verified_at;
	int64_t		 decided_at;	/* 0 while submitted */
	int64_t		 read_at;	/* when all of this was so */
	const char	*decided_by;	/* name, "" if there is none */
	const char	*reason;
	bool		 waits_on_contact;	/* the clock stands still */
	int64_t		 waits_since;	/* 0: it does not */
	const char	*assigned_to;	/* name of who has taken it, or "" */
	/* When the checks alone approve it, 0 if never; when that was stopped,
	 * 0 if it was not, and by whom, "" for the checks themselves. */
	int64_t		 auto_at, auto_stopped_at;
	const char	*auto_stopped_by;
	bool		 one_key;	/* the product's rule */
	bool		 is_public_mail;
	int64_t		 others_open;	/* of the same client */
	/* An open client of a similar name when the request came in, and how
	 * similar, per cent; "" and 0 for none. */
	const char	*near_code, *near_name;
	int64_t		 near;
	struct request_candidate candidates[REQUEST_CANDIDATES_MAX];
	int		 candidates_n;
};

struct request_list {
	struct request	*list;
	int		 n;
};

/* ---- Checks, pure: facts in, sentences out ---------------------------- */

#define REQUEST_CHECKS	9

struct request_check {
	const char	*tone, *icon;	/* "is-good" "check-circle", ... */
	const char	*title, *text;
	const char	*badge;		/* two words for the queue, "" if good */
	const char	*tenant_code;	/* to look at, or "" */
};

struct request_checks {
	struct request_check list[REQUEST_CHECKS];
	int		 n;
	int		 warnings;
};

enum request_state request_state_parse(const char *);
struct request_checks request_check(struct arena *, const struct request *);
/* The tenant of the contact, or that has the client's name or code: NULL when
 * only a mail domain or a similar name points to one. */
const struct request_candidate *request_named(const struct request *);
/* The tenant whose key can be shared, or NULL; not by similarity alone. */
const struct request_candidate *request_shareable(const struct request *);
/* May a tenant get a new key by this request: not the tenant of the contact's
 * or of that name, when it has one already. */
bool		 request_approvable(const struct request *);
/* Letting the contact in to this tenant needs a reason. */
bool		 request_needs_reason(const struct request_candidate *);

/* ---- By the contact --------------------------------------------------- */

enum request_submit_result {
	REQUEST_SUBMIT_DONE,
	REQUEST_SUBMIT_OPEN,	/* one is open already, his or his tenant's */
	REQUEST_SUBMIT_HAS_KEY,	/* his tenant has a live key */
	REQUEST_SUBMIT_CLOSED,	/* the product takes no requests, or not under
				 * these terms */
	REQUEST_SUBMIT_CLIENT,	/* the contact's client is closed */
};
/* terms_version: what was accepted, 0 for nothing; kept with the request. */
WAITS MUST_CHECK enum request_submit_result request_db_submit(struct db *,
		    const char *account_id, const char *product_id,
		    const char *name, const char *client, int64_t sla_hours,
		    int64_t terms_version, const char *environment);

enum request_withdraw_result {
	REQUEST_WITHDRAW_DONE,
	REQUEST_WITHDRAW_LATE,	/* it is not open any more */
	REQUEST_WITHDRAW_NONE,	/* no such request of his */
};
/* His own; an owner's also any of the tenant. */
WAITS MUST_CHECK enum request_withdraw_result request_db_withdraw(struct db *,
		    const char *account_id, const char *request_id);

/* ---- By staff --------------------------------------------------------- */

/* Those of n ids that there are, in no order of note, with the facts for their
 * checks, in one statement. */
WAITS struct request_list request_db_list(struct db *, const char *const *ids,
		    int n);
/* NULL: no such request.  With tenants of a similar name, which a list is
 * without: they cost a search each. */
WAITS struct request *request_db_find(struct db *, const char *request_id);

/* Who decides, on what, and with which reason ("" for none). */
struct request_decision {
	const char	*request_id;
	const char	*staff_id;	/* account */
	const char	*reason;
};

enum request_decide_result {
	REQUEST_DECIDE_DONE,
	REQUEST_DECIDE_NOT,	/* the WHERE did not hold: read again why */
	REQUEST_DECIDE_HAS_KEY,	/* the tenant has a live key */
	REQUEST_DECIDE_CODE,	/* the new tenant's code is taken */
	REQUEST_DECIDE_SEATED,	/* the contact got a tenant in between */
	REQUEST_DECIDE_CLOSED,	/* the product: no key of it works any more */
};

/* Approve: into the tenant with that code, or into a new one. */
struct request_tenant {
	const char	*code;		/* of one that exists; NULL for a new */
	const char	*new_code, *new_name;
	bool		 list_domain;	/* of the contact, on the new one's
					 * list; never a public one */
};
WAITS MUST_CHECK enum request_decide_result request_db_approve(struct db *,
		    const struct keyring *, const struct request_decision *,
		    const struct request_tenant *);
/* Share the key of the tenant with that code. */
WAITS MUST_CHECK enum request_decide_result request_db_share(struct db *,
		    const struct request_decision *, const char *tenant_code);
/* The reason must not be empty. */
WAITS MUST_CHECK enum request_decide_result request_db_reject(struct db *,
		    const struct request_decision *);

/* ---- Pages ------------------------------------------------------------ */

WAITS void	 request_page_subscribe_form(struct req *);
WAITS void	 request_page_subscribe(struct req *);
WAITS void	 request_page_withdraw(struct req *);
WAITS void	 request_page_show(struct req *);
WAITS void	 request_page_approve(struct req *);
WAITS void	 request_page_share(struct req *);
WAITS void	 request_page_reject(struct req *);

#endif
