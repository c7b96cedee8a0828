/*
 * The catalogue, as admins keep it: what is said of a product, its plan, the
 * resources that API users may be granted, its terms, and its way from a draft
 * to the end (product.h).
 *
 * Every change names the version of the row that its admin has seen.  Where
 * another was faster, nothing is changed, and the page shows both.
 *
 * Closing has notice: every contact of a client with a live subscription is
 * told when it is planned, 7 days before, and when it happens, all by jobs
 * (jobs/product_jobs_db.c).
 */
#ifndef PRODUCTS_CATALOGUE_H
#define PRODUCTS_CATALOGUE_H

#include "base/clock.h"
#include "products/product.h"

#define CATALOGUE_PAGE_ROWS	50
#define CATALOGUE_EVENTS_MAX	20
#define CATALOGUE_KEYS_MAX	1000	/* counted; more are "1,000+" */

#define PRODUCT_NAME_MAX	80	/* characters, here and below */
#define PRODUCT_SLUG_MAX	63
#define PRODUCT_SUMMARY_MAX	200
#define PRODUCT_DESCRIPTION_MAX	10000
#define PRODUCT_URL_MAX		200
#define PRODUCT_PATH_MAX	200
#define PRODUCT_TERMS_MAX	20000
#define PRODUCT_NOTE_MAX	1000	/* of closing */
#define PRODUCT_CALLS_MAX	INT64_C(1000000000)
#define PRODUCT_PLACE_MAX	9999
#define PRODUCT_DELAY_MAX	10080	/* minutes: a week */
#define PRODUCT_CLOSING_DAYS	730	/* until it closes, at the most */
#define RESOURCE_NAME_MAX	60
#define RESOURCE_PARAMETER_MAX	40	/* its name */
#define RESOURCE_NOTE_MAX	120
#define RESOURCE_OPERATIONS	5

/* ---- what is typed ------------------------------------------------------ */

enum detail { DETAIL_NAME, DETAIL_SLUG, DETAIL_SUMMARY, DETAIL_DESCRIPTION,
	DETAIL_BASE_URL, DETAIL_EXAMPLE_PATH, DETAIL_PLACE, DETAIL_SECOND,
	DETAIL_MINUTE, DETAIL_DAY, DETAIL_MONTH, DETAIL_USER_MINUTE,
	DETAIL_DELAY };
#define DETAILS	13

/* All texts as typed; catalogue_check() makes them what is stored: numbers
 * without commas, "" for no limit. */
struct details {
	const char	*text[DETAILS];
	bool		 needs_api_user, one_key_per_tenant, by_checks;
};

/* False, with a sentence for each wrong one in ret_wrong, NULL for the right
 * ones.  A slug is not asked for when has_slug is false. */
MUST_CHECK bool	 catalogue_check(struct arena *, struct details *,
		    bool has_slug, const char *ret_wrong[DETAILS]);
/* As the form shows a product. */
struct details	 catalogue_details(struct arena *, const struct product *);

/* A row of the form of resources. */
struct resource {
	const char	*id;		/* "" for a new one */
	const char	*name, *note, *path;
	bool		 may[RESOURCE_OPERATIONS];
	const char	*name_wrong, *note_wrong, *path_wrong, *may_wrong;
};
extern const char *const	 catalogue_operations[RESOURCE_OPERATIONS];
/* Nothing was typed into it. */
bool		 catalogue_row_empty(const struct resource *);
/* False, with sentences in the rows. */
MUST_CHECK bool	 catalogue_check_resources(struct arena *, struct resource *,
		    int n);

/* Of a resource; NULL is good, else a sentence. */
const char	*catalogue_path_wrong(const char *);
/* One path, but for the names of its parameters. */
bool		 catalogue_path_same(const char *, const char *);
/* Markdown with line feeds and without blank lines at its ends; NULL is good,
 * else a sentence. */
const char	*catalogue_lines(struct arena *, const char *typed);
const char	*catalogue_lines_wrong(const char *text, size_t max_chars);
/* "2026-12-01" from tomorrow on; NULL is good, else a sentence. */
const char	*catalogue_day_wrong(const char *typed, int64_t now,
		    int64_t *ret_at);

/* "published", and how a badge shows it. */
struct product_badge {
	const char	*tone, *icon, *text;
};
struct product_badge catalogue_badge(enum product_state);
/* "published it", of an action of the audit. */
const char	*catalogue_did(const char *action);

/* ---- the database ------------------------------------------------------- */

#define PRODUCT_COLUMNS							\
	"p.id, p.slug, p.name, p.summary, p.description, p.base_url, "	\
	"p.example_path, p.state, p.calls_a_minute, "			\
	"coalesce(p.calls_a_day, 0), p.needs_api_user, "		\
	"p.one_key_per_tenant, p.version, p.place, "			\
	"coalesce(p.calls_a_second, 0), coalesce(p.calls_a_month, 0), "	\
	"p.approval = 'checks', p.approval_delay_min, "			\
	"coalesce(p.terms_version, 0), "				\
	"coalesce((extract(epoch FROM p.closes_at) * 1000000)::bigint, 0), " \
	"p.was_hidden, p.closing_note, "				\
	"coalesce(p.user_calls_a_minute, 0) "
#define PRODUCT_COLUMNS_N	23
struct product	 product_read(const struct db_rows *, int row);

struct catalogue_product {
	struct product	 p;
	int64_t		 keys;		/* live, up to CATALOGUE_KEYS_MAX + 1 */
	int64_t		 requests;	/* open, the same */
};
struct catalogue_list {
	struct catalogue_product *list;
	int		 n;
	const char	*next_after;	/* "" at the end */
};
/* All of them, by name. */
WAITS struct catalogue_list catalogue_db_list(struct db *,
		    const char *after);
/* NULL: no such product. */
WAITS struct catalogue_product *catalogue_db_find(struct db *,
		    const char *id);

struct catalogue_event {
	const char	*action;	/* "product.published" */
	const char	*person;	/* "" for nobody */
	int64_t		 at;
};
struct catalogue_events {
	struct catalogue_event *list;	/* newest first */
	int		 n;
};
WAITS struct catalogue_events catalogue_db_events(struct db *,
		    const char *id);

enum catalogue_result {
	CATALOGUE_DONE,
	CATALOGUE_LATE,		/* another version, or not in a state for it */
	CATALOGUE_TAKEN,	/* the slug, or a path */
	CATALOGUE_RULE,		/* has subscriptions: keeps its one-key rule */
};
/* Who changes what, and the version that he has seen. */
struct catalogue_change {
	const char	*who, *id;
	int64_t		 version;
};
/* A draft; `id` is the new one's. */
WAITS MUST_CHECK enum catalogue_result catalogue_db_make(struct db *,
		    const char *who, const char *id, const struct details *);
WAITS MUST_CHECK enum catalogue_result catalogue_db_change(struct db *,
		    const struct catalogue_change *, const struct details *);
WAITS MUST_CHECK enum catalogue_result catalogue_db_set_resources(
		    struct db *, const struct catalogue_change *,
		    const struct resource *, int n);
/* A new version of its terms; "" is none to accept from now on. */
WAITS MUST_CHECK enum catalogue_result catalogue_db_set_terms(struct db *,
		    const struct catalogue_change *, const char *text);
WAITS MUST_CHECK enum catalogue_result catalogue_db_publish(struct db *,
		    const struct catalogue_change *);
WAITS MUST_CHECK enum catalogue_result catalogue_db_hide(struct db *,
		    const struct catalogue_change *);
/* At once where nobody has a key. */
WAITS MUST_CHECK enum catalogue_result catalogue_db_close(struct db *,
		    const struct catalogue_change *, int64_t at,
		    const char *note);
/* Stops the closing; those who were told of it are told. */
WAITS MUST_CHECK enum catalogue_result catalogue_db_keep(struct db *,
		    const struct catalogue_change *);

/* ---- pages -------------------------------------------------------------- */

/* A product of the path by its id, or 404. */
WAITS struct catalogue_product *catalogue_page_find(struct req *);
/* The page of a product, with a view that may hold errors of its forms. */
WAITS void	 catalogue_page_product(struct req *, int status,
		    struct view *);
/* Where somebody else was faster: says who, and keeps the rest to the form. */
WAITS void	 catalogue_page_late(struct req *, struct view *,
		    const char *id);
/* The version that a form was made of; 0 for none. */
int64_t		 catalogue_page_version(struct req *);

WAITS void	 catalogue_page_list(struct req *);
WAITS void	 catalogue_page_show(struct req *);
WAITS void	 catalogue_page_new(struct req *);
WAITS void	 catalogue_page_make(struct req *);
WAITS void	 catalogue_page_edit(struct req *);
WAITS void	 catalogue_page_change(struct req *);
WAITS void	 catalogue_page_resources(struct req *);
WAITS void	 catalogue_page_set_resources(struct req *);
WAITS void	 catalogue_page_terms(struct req *);
WAITS void	 catalogue_page_set_terms(struct req *);
WAITS void	 catalogue_page_terms_of(struct req *);
WAITS void	 catalogue_page_publish(struct req *);
WAITS void	 catalogue_page_hide(struct req *);
WAITS void	 catalogue_page_close(struct req *);
WAITS void	 catalogue_page_keep(struct req *);

#endif
