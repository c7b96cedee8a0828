/*
 * The route map of a product, read from its OpenAPI document (3.0 or 3.1, as
 * JSON): a resource for each path, its operations, and the scopes that they
 * need, by `security` or `x-scope`.
 *
 * What stands in the document is only taken where it can be said here as well,
 * and refused with its place otherwise, since what is left out might be let
 * through by a shorter path: a part that is text and parameter at once, two
 * scopes that are needed together, paths that differ by the names of their
 * parameters, servers of a single path, references in a circle.  Schemas,
 * parameters and answers are not looked at.
 */
#ifndef PRODUCTS_ROUTE_MAP_H
#define PRODUCTS_ROUTE_MAP_H

#include "products/product_scope.h"

/* What fits a form: REQ_BODY_MAX, less what encoding adds. */
#define ROUTE_MAP_BYTES_MAX	(64u * 1024)
#define ROUTE_MAP_DEPTH_MAX	40	/* of brackets */
#define ROUTE_MAP_REFS_MAX	8	/* from one to the next */

struct route_map {
	struct resource	*resources;	/* PRODUCT_RESOURCES_MAX of them */
	int		 n;
	struct product_scope *scopes;	/* PRODUCT_SCOPES_MAX of them */
	int		 scopes_n;
	struct product_scope_cells cells;
};

/* False, with a sentence that says where in ret_wrong. */
MUST_CHECK bool	 route_map_read(struct arena *, const char *text,
		    size_t bytes, struct route_map *, const char **ret_wrong);
/* A path that is there already, but for the names of parameters, keeps its id,
 * name and note. */
void		 route_map_keep(struct route_map *,
		    const struct product_resources *);
/* "added", "changed", "" for a resource of the map. */
const char	*route_map_does(const struct route_map *, int i,
		    const struct product_resources *);
/* "GET, POST" */
const char	*route_map_operations(struct arena *, const struct resource *);

/* The resources become those of the map; the scopes that it names stand for
 * what it says, others stay. */
WAITS MUST_CHECK enum catalogue_result route_map_db_set(struct db *,
		    const struct catalogue_change *, const struct route_map *);

/* GET and POST /staff/products/:id/routes */
WAITS void	 route_map_page_show(struct req *);
WAITS void	 route_map_page_set(struct req *);

#endif
