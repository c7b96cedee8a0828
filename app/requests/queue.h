/*
 * The queue: all requests as staff look through them.  A filter says which
 * and in what order; it stands in the address in one written form, so that a
 * page can be kept, sent to a colleague, and saved under a name.
 *
 * A request has one standing: it waits for us or for the contact, or it was
 * decided in one of four ways.  Every order of every standing is an index, so
 * a page costs the same wherever it is.  A page goes on behind a cursor that
 * holds the last row's key, not behind a number of rows: what comes in or is
 * decided meanwhile neither hides a request nor shows one twice.
 */
#ifndef REQUESTS_QUEUE_H
#define REQUESTS_QUEUE_H

#include "requests/request.h"

struct view;

#define QUEUE_PAGE_ROWS		50
#define QUEUE_COUNT_MAX		1000	/* exact up to here, then "1,000+" */
#define QUEUE_HITS_MAX		200	/* of a search */
#define QUEUE_SEARCH_MAX	100	/* characters */
#define QUEUE_CURSOR_MAX	512	/* bytes, as it stands in an address */
#define QUEUE_FILTERS_MAX	20	/* saved, a person */
#define QUEUE_FILTER_NAME_MAX	40	/* characters */
#define QUEUE_STANDINGS		6
#define QUEUE_KEY_HEX		32	/* characters of a subscription key */

enum queue_state { QUEUE_US, QUEUE_CONTACT, QUEUE_OPEN, QUEUE_APPROVED,
	QUEUE_SHARED, QUEUE_REJECTED, QUEUE_WITHDRAWN, QUEUE_DECIDED,
	QUEUE_ANY };
enum queue_sort { QUEUE_OLDEST, QUEUE_NEWEST, QUEUE_DUE, QUEUE_NAME };
#define QUEUE_STATES	9
#define QUEUE_SORTS	4

struct queue_filter {
	enum queue_state state;
	enum queue_sort	 sort;
	const char	*product;	/* slug, "" for all */
	const char	*product_id;	/* as queue_db_products() has it */
	bool		 is_mine;	/* taken by who asks */
	bool		 is_overdue;	/* waits for us, and is late */
	const char	*search;	/* squeezed, "" for none */
	const char	*after;		/* cursor of the page before, or "" */
};

/* ---- the written form, in queue.c ---- */

/* Value of a parameter, NULL when there is none. */
typedef const char *(*queue_get_fn)(struct req *, const char *name);
/* What is unknown or too long counts as not given.  A search that holds a
 * whole key is dropped, and true returned: it must not be repeated. */
bool		 queue_filter_read(struct arena *, struct req *, queue_get_fn,
		    struct queue_filter *ret_filter);
/* "state=open&product=revio-api": what differs from the first page of the
 * queue, without search and cursor; "" for that page. */
const char	*queue_filter_text(struct arena *, const struct queue_filter *);
/* The same with search and cursor: "/staff/queue?...". */
const char	*queue_filter_path(struct arena *, const struct queue_filter *);
const char	*queue_state_word(enum queue_state);	/* "open" */
const char	*queue_sort_word(enum queue_sort);
/* The standings that it lets through; how many. */
int		 queue_standings(const struct queue_filter *,
		    const char *ret_list[QUEUE_STANDINGS]);
/* Somewhere in it are 32 hexadecimal digits, white space aside. */
bool		 queue_holds_key(const char *);
/* Such digits alone, in lower case; NULL if it is something else. */
const char	*queue_key(struct arena *, const char *typed);

/* Where a page ended.  Opaque to the browser; read back only whole and for the
 * order that it was made for. */
struct queue_cursor {
	const char	*key;	/* microseconds, or the name in lower case */
	const char	*id;
};
const char	*queue_cursor_text(struct arena *, enum queue_sort,
		    const char *key, const char *id);
MUST_CHECK bool	 queue_cursor_read(struct arena *, enum queue_sort,
		    const char *text, struct queue_cursor *ret_cursor);

/* ---- in the database, queue_db.c ---- */

struct queue_row {
	struct request	*request;	/* with the facts for its checks */
	const char	*standing;
	const char	*taken_by;	/* account, "" for nobody */
	const char	*taken_name;
};
struct queue_list {
	struct queue_row *list;
	int		 n;
	const char	*next_after;	/* "" at the end */
};
/* Reads the requests of rows that begin with id, any text, standing, and id
 * and name of who has taken it; up to max of them. */
WAITS struct queue_list queue_db_rows(struct db *, const struct db_rows *,
		    int max);
/* One request, by its id; none if there is no such. */
WAITS struct queue_list queue_db_one(struct db *, const char *id);
/* A cursor that can't be read gives an empty list. */
WAITS struct queue_list queue_db_list(struct db *, const struct queue_filter *,
		    const char *me);
/*
 * Searched: at most QUEUE_HITS_MAX by rank, a page of them.  One or two
 * characters are the beginning of a request's name, a code or an address;
 * three or more stand anywhere in these or in a person's or client's name; the
 * last 4 of a key find the requests of its client.
 */
WAITS struct queue_list queue_db_search(struct db *,
		    const struct queue_filter *, const char *me);

/* Each up to QUEUE_COUNT_MAX + 1. */
struct queue_counts {
	int64_t		 here;		/* by the filter */
	int64_t		 us, overdue, mine, contact, decided;
	int64_t		 as_of;		/* the database's clock */
};
WAITS struct queue_counts queue_db_counts(struct db *,
		    const struct queue_filter *, const char *me);
/* How many came in after an instant and wait for us by this filter; up to 100
 * are counted. */
WAITS int64_t	 queue_db_news(struct db *, const struct queue_filter *,
		    const char *me, int64_t after);

enum queue_take_result {
	QUEUE_TAKE_DONE,
	QUEUE_TAKE_LATE,	/* it is decided, or taken by another */
	QUEUE_TAKE_NONE,	/* no such request */
};
/* from: who had it when the page was made, "" for nobody.  to: "" lets go. */
WAITS MUST_CHECK enum queue_take_result queue_db_take(struct db *,
		    const char *who, const char *request_id, const char *from,
		    const char *to);

struct queue_saved {
	const char	*id, *name, *filter;	/* as queue_filter_text() */
};
struct queue_saved_list {
	struct queue_saved *list;
	int		 n;
};
WAITS struct queue_saved_list queue_db_saved(struct db *, const char *me);
/* In place of one of that name.  False: there are QUEUE_FILTERS_MAX. */
WAITS MUST_CHECK bool queue_db_save(struct db *, const char *me,
		    const char *name, const char *filter);
/* False: none of that person's. */
WAITS MUST_CHECK bool queue_db_forget(struct db *, const char *me,
		    const char *id);

struct queue_product {
	const char	*id, *slug, *name;
};
struct queue_products {
	struct queue_product *list;
	int		 n;
};
/* All, also those that are closed or hidden. */
WAITS struct queue_products queue_db_products(struct db *);

struct queue_key {
	const char	*slot, *state, *last4;
	const char	*name, *subscription_state, *product;
	const char	*tenant_code, *tenant_name;
};
/* Whose key it is, by its HMAC; NULL for nobody's. */
WAITS struct queue_key *queue_db_key(struct db *, const struct keyring *,
		    const char *key);

/* ---- pages ---- */

/* The list with a view that may hold errors of its forms. */
WAITS void	 queue_page_respond(struct req *, int status, struct view *,
		    queue_get_fn);

WAITS void	 queue_page(struct req *);		/* GET /staff/queue */
WAITS void	 queue_page_news(struct req *);		/* GET .../news */
WAITS void	 queue_page_key(struct req *);		/* POST .../key */
WAITS void	 queue_page_save(struct req *);		/* POST .../filters */
WAITS void	 queue_page_forget(struct req *);
WAITS void	 queue_page_decide(struct req *);	/* POST .../decide */
WAITS void	 queue_page_take(struct req *);	/* POST /staff/requests/:id/take */
WAITS void	 queue_page_let_go(struct req *);

#endif
