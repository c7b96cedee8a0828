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
#define PRODUCT_RESOURCES_MAX	100

struct product {
	const char	*id, *slug, *name, *summary, *description;
	const char	*base_url, *example_path;
	bool		 is_open;	/* published: takes requests */
	int64_t		 calls_a_minute;
	int64_t		 calls_a_day;	/* 0: no limit */
	bool		 needs_api_user, one_key_per_tenant;
};

struct product_list {
	struct product	*list;
	int		 n;
};

struct product_resource {
	const char	*name, *note, *path;
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

/* "200 calls a minute", "600 calls a minute, 100,000 a day" */
const char	*product_limits(struct arena *, int64_t calls_a_minute,
		    int64_t calls_a_day);
/* "100,000" */
const char	*product_number(struct arena *, int64_t);

/* What is offered, or was until it closes, in the catalogue's order. */
WAITS struct product_list product_db_list(struct db *);
/* NULL: no such slug, a draft, or hidden. */
WAITS struct product *product_db_find(struct db *, const char *slug);
WAITS struct product_resources product_db_resources(struct db *,
		    const char *product_id);
WAITS struct product_standing product_db_standing(struct db *,
		    const struct product *, const char *account_id);

/* Values of templates/partials/product_tile for the first `max` products, as
 * the list "products". */
void		 product_tiles(struct view *, const struct product_list *,
		    int max);

/* Pages: GET /products and /products/:slug. */
WAITS void	 product_page_list(struct req *);
WAITS void	 product_page_show(struct req *);

#endif
