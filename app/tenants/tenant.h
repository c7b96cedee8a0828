/*
 * Tenants: the clients.  A tenant owns its key; people come and go as its
 * members.  It has a code that never changes (ALTWORX), a name (Altaworx), and
 * a slug, which is a DNS label and stands in addresses.
 *
 * Whether two people write of the same client is decided by tenant_fold():
 * "Altaworx, Inc." and "ALTAWORX" are one.  It is a hint for staff, not a
 * proof; what holds is the code.
 */
#ifndef TENANTS_TENANT_H
#define TENANTS_TENANT_H

#include "base/str.h"
#include "db/db.h"

struct req;

#define TENANT_CODE_MIN		2	/* characters */
#define TENANT_CODE_MAX		32
#define TENANT_NAME_MIN		2
#define TENANT_NAME_MAX		64
#define TENANT_SLUG_MAX		63	/* RFC 1035: a DNS label */
#define TENANT_PAGE_ROWS	50
#define TENANT_QUERY_MAX	100	/* characters of a search */
#define TENANT_TOTAL_MAX	1000	/* counted; beyond it is "1,000+" */
#define TENANT_CONTACTS_MAX	200	/* shown on a tenant's page */
#define TENANT_SUBSCRIPTIONS_MAX 50
#define TENANT_REQUESTS_MAX	20
#define TENANT_EVENTS_MAX	20
#define TENANT_USERS_MAX	20	/* then its own page has them */

/*
 * The name for comparing: without case, spaces, accents, punctuation and
 * trailing legal suffixes (Inc, LLC, GmbH, S.p.A. ...), as long as a word
 * remains.  Never NULL; "" for a name without any letter or digit.
 */
const char	*tenant_fold(struct arena *, const char *name);

/* 2 to 32 of A-Z, 0-9 and "-", with a letter or digit at both ends. */
bool		 tenant_code_valid(const char *);
/* A code made of the name, or "" when it has too few Latin characters. */
const char	*tenant_code_propose(struct arena *, const char *name);
/* A slug made of the name, else of the code, which must be valid. */
const char	*tenant_slug(struct arena *, const char *name,
		    const char *code);

/* A sentence that says what is wrong, or NULL for a good name: one line of 2
 * to 64 characters with a letter or digit. */
const char	*tenant_name_advice(const char *name);

struct tenant {
	const char	*id, *code, *name, *slug;
	const char	*domains;	/* "altaworx.com, altaworx.co.uk" or "" */
	int64_t		 created_at;
	int64_t		 contacts;
	const char	*key_state;	/* of the live subscription, or NULL */
	const char	*key_name;
	bool		 is_active;	/* else it was closed */
	const char	*aliases;	/* former codes, "ALTA, WORX", or "" */
};

struct tenant_list {
	struct tenant	*list;
	int		 n;
	int64_t		 total;		/* up to TENANT_TOTAL_MAX + 1 */
	const char	*next_after;	/* code to go on after; "" at the end */
};

/* What staff keep of a client.  The lists are one a line. */
struct tenant_facts {
	const char	*hosts, *domains, *designated;
	const char	*notices_to, *notes;
	int64_t		 version;	/* grows with each edit */
	const char	*ended_by, *ended_why;	/* "" while active */
	int64_t		 ended_at;	/* 0 while active */
};

struct tenant_contact {
	const char	*account_id, *person, *email, *role;
	int64_t		 joined_at;
};

struct tenant_subscription {
	const char	*id, *name, *product, *state, *last4s;
	const char	*approved_by;	/* "" when it was imported */
	int64_t		 created_at;
};

struct tenant_request {
	const char	*id, *name, *product, *person, *state;
	int64_t		 submitted_at;
};

struct tenant_user {			/* API user */
	const char	*username, *integration, *state;
	int64_t		 used_at;	/* 0: never */
};

struct tenant_event {
	const char	*action;	/* "tenant.created" */
	const char	*actor_kind;	/* "account", "visitor", "operator",
					 * "system" */
	const char	*person;	/* "" where nobody, or an erased one */
	const char	*subject;	/* name of an account, or "" */
	int64_t		 at;
};

struct tenant_detail {
	struct tenant	 tenant;
	struct tenant_facts facts;
	struct tenant_contact *contacts;
	int		 contacts_n;
	struct tenant_subscription *subscriptions;
	int		 subscriptions_n;
	struct tenant_request *requests;	/* newest first */
	int		 requests_n;
	struct tenant_user *users;
	int		 users_n;
	struct tenant_event *events;		/* newest first */
	int		 events_n;
};

/* How the state of a subscription is shown, NULL being no subscription: class,
 * icon and words of a badge. */
struct tenant_badge {
	const char	*tone, *icon, *text;
};
struct tenant_badge tenant_key_badge(const char *state);
struct tenant_badge tenant_request_badge(const char *state);
/* "Owner", "Manager", "Member" */
const char	*tenant_role_word(const char *role);

/*
 * NULL: no such code.  A former code finds the client that it was merged into,
 * whose own code is in the answer; everybody who looks a client up by a code
 * does it by this, or in SQL by tenant_by_code().
 */
WAITS struct tenant *tenant_db_find(struct db *, const char *code);
/*
 * By code, TENANT_PAGE_ROWS at a time; after "" is the beginning.  typed "" is
 * all of them, one or two characters are the beginning of a name, code, former
 * code or mail domain, three or more stand anywhere in one.
 */
WAITS struct tenant_list tenant_db_list(struct db *, const char *typed,
		    const char *after);
/* With contacts, owners first, and subscriptions, newest first; NULL: no such
 * code. */
WAITS struct tenant_detail *tenant_db_detail(struct db *, const char *code);
/* NULL: no such id. */
WAITS struct tenant_facts *tenant_db_facts(struct db *, const char *id);

/* "Request approved", and who did it: a name, "The system". */
const char	*tenant_event_words(struct arena *, const char *action);
const char	*tenant_event_actor(const struct tenant_event *);

/* Pages of staff. */
WAITS void	 tenant_page_list(struct req *);	/* GET /staff/tenants */
WAITS void	 tenant_page_show(struct req *);	/* ... /:code */
/*
 * The client in the address.  A former code, or one in small letters, is
 * answered by the way to the same page of the code as it is now, below it
 * `rest` ("/edit"), and NULL; no such client is 404.
 */
WAITS struct tenant *tenant_page_find(struct req *, const char *rest);

#endif
