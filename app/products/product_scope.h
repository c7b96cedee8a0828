/*
 * The scopes of a product: its words for permissions, which keys are given
 * ("read:customer", "conversation:read").  Each stands for operations of
 * resources, the same cells that roles of API users are made of.
 *
 * A word is what a scope is: a key keeps it as long as the word stays, whatever
 * it stands for.  Taking a word away takes it from every key that has it, and
 * is done only by an admin who has said how many keys that are.
 */
#ifndef PRODUCTS_PRODUCT_SCOPE_H
#define PRODUCTS_PRODUCT_SCOPE_H

#include "products/catalogue.h"

#define PRODUCT_SCOPES_MAX		100	/* of a product */
#define SCOPE_WORD_MIN		3	/* characters, here and below */
#define SCOPE_WORD_MAX		64
#define SCOPE_DESCRIPTION_MAX	200
/* Lines of a scope: each resource has one. */
#define SCOPE_LINES_MAX		PRODUCT_RESOURCES_MAX

struct product_scope {
	const char	*word, *description;
	/* A line for each resource: "GET POST /billing/api/v1/contacts" */
	const char	*grants;
	const char	*word_wrong, *description_wrong, *grants_wrong;
};
struct product_scopes {
	struct product_scope	*list;
	int		 n;
};

/* Three texts of the same place are a cell of a scope. */
struct product_scope_cells {
	const char	**word, **path, **operation;
	size_t		 n, max;
};

/* [a-z0-9:._-]{3,64}; NULL is good, else a sentence. */
const char	*product_scope_word_wrong(const char *);
/* False, with sentences in the rows; else ret_cells is what they stand for. */
MUST_CHECK bool	 product_scope_check(struct arena *,
		    struct product_scope *, int n,
		    const struct product_resources *,
		    struct product_scope_cells *ret_cells);
/*
 * Adds read:x (GET) and write:x (all others) for the resources, x being the
 * last word of the path, to what is there; what has the word already stays as
 * it is.  rows has room for PRODUCT_SCOPES_MAX; returns how many there are
 * then.
 */
int		 product_scope_propose(struct arena *, struct product_scope *rows, int n,
		    const struct product_resources *);

WAITS struct product_scopes product_scope_db_list(struct db *,
		    const char *product_id);
/* Keys, not at an end, that have a scope of the product which is none of these
 * words. */
WAITS int64_t	 product_scope_db_losers(struct db *, const char *product_id,
		    const struct product_scope *, int n);
/* losers: how many keys may lose a scope by it; CATALOGUE_LATE if others do. */
WAITS MUST_CHECK enum catalogue_result product_scope_db_set(struct db *,
		    const struct catalogue_change *, const struct product_scope *,
		    int n, const struct product_scope_cells *, int64_t losers);

/* Values of partials/scopes. */
void		 product_scope_view(struct arena *, struct view *,
		    const struct product_scopes *);

/* GET and POST /staff/products/:id/scopes */
WAITS void	 product_scope_page_show(struct req *);
WAITS void	 product_scope_page_set(struct req *);

#endif
