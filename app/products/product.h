/*
 * Products: what one subscribes to, for example "Rev.io API".
 *
 *	draft -> published <-> hidden	no longer offered, keys go on
 *	published, hidden -> closing	no requests, keys go on until a date
 *			  -> closed	keys have stopped
 *
 * Closing can be stopped, and what is closed can be offered again.
 */
#ifndef PRODUCTS_PRODUCT_H
#define PRODUCTS_PRODUCT_H

#include "base/str.h"
#include "db/db.h"

struct req;
struct view;

#define PRODUCTS_MAX		200	/* in the catalogue */
/* With 9 fields each in the form of a product: REQ_FIELDS_MAX has room for 113
 * (web/req.h).  The decision itself takes 256 (apiusers/permission.h). */
#define PRODUCT_RESOURCES_MAX	100

enum product_state { PRODUCT_DRAFT, PRODUCT_PUBLISHED, PRODUCT_HIDDEN,
	PRODUCT_CLOSING, PRODUCT_CLOSED };
/* As the database and the API have it: "draft", "published" ... */
const char	*product_state_name(enum product_state);

struct product {
	const char	*id, *slug, *name, *summary;
	const char	*description;	/* Markdown */
	const char	*base_url, *example_path;
	enum product_state state;
	bool		 is_open;	/* published: takes requests */
	bool		 was_hidden;	/* before it was closed */
	int64_t		 version;	/* of the row, grows with each change */
	int64_t		 place;		/* in the catalogue */
	int64_t		 calls_a_minute;
	int64_t		 calls_a_second, calls_a_day, calls_a_month;
					/* 0: no limit */
	int64_t		 user_calls_a_minute;	/* of each API user; 0: as
					 * many as its client */
	bool		 needs_api_user, one_key_per_tenant;
	bool		 by_checks;	/* good checks alone approve */
	int64_t		 approval_delay_min;	/* then, after so long */
	int64_t		 terms_version;	/* 0: nothing to accept */
	int64_t		 closes_at;	/* 0: goes on */
	const char	*closing_note;	/* typed, "" for none */
};

struct product_list {
	struct product	*list;
	int		 n;
};

struct product_resource {
	const char	*id, *name, *note, *path;
	const char	*operations;	/* "GET, POST" */
};

struct product_resources {
	struct product_resource *list;
	int		 n;
};

/* Where a contact stands with a product; a key goes before a request. */
enum product_ask {
	PRODUCT_ASK_NEW,
	PRODUCT_ASK_HAS_KEY,	/* his tenant has a live key for it */
	PRODUCT_ASK_WAITING,	/* a request of his or of his tenant is open */
};

struct product_standing {
	enum product_ask ask;
	const char	*key_name;	/* of the key or of the request */
	int64_t		 due_at;	/* of the request */
};

/* "200 calls a minute", "600 calls a minute, 100,000 a day; each API user 60 a
 * minute"; 0: none. */
const char	*product_limits(struct arena *, int64_t calls_a_minute,
		    int64_t calls_a_day, int64_t user_calls_a_minute);
/* All limits of the plan: "10 calls a second, 600 a minute, 100,000 a day; each
 * API user 60 a minute" */
const char	*product_plan(struct arena *, const struct product *);
/* "100,000" */
const char	*product_number(struct arena *, int64_t);

/* What is offered, or was until it closes, in the catalogue's order. */
WAITS struct product_list product_db_list(struct db *);
/*
 * As an account (NULL: nobody) sees it; NULL for what it doesn't.  Drafts are
 * for staff, and hidden ones for staff and whose client has or had a key, or
 * who has asked for one.
 */
WAITS struct product *product_db_find(struct db *, const char *slug,
		    const char *account_id);
/* The text of a version of its terms, Markdown; NULL: there is none. */
WAITS const char *product_db_terms(struct db *, const char *product_id,
		    int64_t version);
struct product_accepted {
	const char	*product_id;	/* NULL: nothing was to be accepted */
	int64_t		 version, at;
};
/* Which terms were accepted with a request, and when. */
WAITS struct product_accepted product_db_accepted(struct db *,
		    const char *request_id);
WAITS struct product_resources product_db_resources(struct db *,
		    const char *product_id);
WAITS struct product_standing product_db_standing(struct db *,
		    const struct product *, const char *account_id,
		    const char *environment);
/* In all environments of the installation: he may ask while one is free. */
WAITS struct product_standing product_db_standing_any(struct db *,
		    const struct product *, const char *account_id);

/* Values of templates/partials/product_tile for the first `max` products, as
 * the list "products". */
void		 product_tiles(struct arena *, struct view *,
		    const struct product_list *, int max);

/* Pages: GET /products, /products/:slug, and /products/:slug/terms. */
WAITS void	 product_page_list(struct req *);
WAITS void	 product_page_show(struct req *);
WAITS void	 product_page_terms(struct req *);

#endif
