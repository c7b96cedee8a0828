/*
 * A product's OpenAPI document, pasted by an admin: what it changes is shown
 * first, then saved.  The form comes back with the document in it, so that
 * what is saved is what was looked at, of the version that was looked at.
 */
#include "products/route_map.h"

#include "crypto/token.h"
#include "sessions/session.h"
#include "web/respond.h"

static void	 show(struct req *, int status, struct view *,
		    const struct catalogue_product *, const char *text);
static void	 show_changes(struct req *, struct view *,
		    const struct route_map *,
		    const struct product_resources *);
static void	 change(struct view *, const char *what, const char *name,
		    const char *text);
static void	 show_scopes(struct req *, struct view *,
		    const struct route_map *, const struct product_scopes *);
static const char *mark_of(struct req *, const char *text);
static int	 scopes_after(const struct route_map *,
		    const struct product_scopes *);

void
route_map_page_show(struct req *rq)
{
	show(rq, 200, view_new(rq->arena), catalogue_page_find(rq), "");
}

void
route_map_page_set(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const struct product_resources	 now = product_db_resources(rq->db,
	    product->p.id);
	const struct product_scopes	 scopes = product_scope_db_list(rq->db,
	    product->p.id);
	const struct catalogue_change	 change_to = {
		.who = rq->session->account_id, .id = product->p.id,
		.version = catalogue_page_version(rq),
	};
	const char			*text = req_form(rq, "document"), *bad;
	struct view			*v = view_new(rq->arena);
	struct route_map		 map;

	view_int(v, "version", change_to.version);
	if (!route_map_read(rq->arena, text, strlen(text), &map, &bad)) {
		form_error(v, "document", bad);
	} else if (scopes_after(&map, &scopes) > PRODUCT_SCOPES_MAX) {
		form_error(v, "document", "With those that are there, a "
		    "product would have more than 100 scopes.");
	}
	if (form_has_errors(v)) {
		show(rq, 422, v, product, text);
		return;
	}
	route_map_keep(&map, &now);
	if (!str_eq(req_form(rq, "do"), "save") ||
	    !str_eq(req_form(rq, "looked"), mark_of(rq, text))) {
		view_bool(v, "is_look", true);
		view_text(v, "looked", mark_of(rq, text));
		show_changes(rq, v, &map, &now);
		show_scopes(rq, v, &map, &scopes);
		show(rq, 200, v, product, text);
		return;
	}
	if (route_map_db_set(rq->db, &change_to, &map) == CATALOGUE_DONE) {
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=saved", product->p.id));
		return;
	}
	product = catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, product->p.id);
	show(rq, 409, v, product, text);
}

static void
show(struct req *rq, int status, struct view *v,
    const struct catalogue_product *product, const char *text)
{
	form_fields(v, "document", NULL);
	view_text(v, "product_id", product->p.id);
	view_text(v, "product", product->p.name);
	view_text(v, "document", text);
	if (!view_has(v, "version"))
		view_int(v, "version", product->p.version);
	if (!view_has(v, "is_late"))
		view_bool(v, "is_late", false);
	if (!view_has(v, "is_look")) {
		view_bool(v, "is_look", false);
		view_text(v, "looked", "");
	}
	view_list(v, "changes");
	if (!view_has(v, "same"))
		view_int(v, "same", 0);
	respond_page(rq, status, "products/staff_routes", v);
}

static void
show_changes(struct req *rq, struct view *v, const struct route_map *map,
    const struct product_resources *now)
{
	const struct resource	*r;
	const char		*what, *may;
	int			 i, k, same = 0;

	for (i = 0; i < map->n; i++) {
		r = &map->resources[i];
		what = route_map_does(map, i, now);
		may = route_map_operations(rq->arena, r);
		if (*what == '\0')
			same++;
		else
			change(v, str_eq(what, "added") ? "New resource" :
			    "Changed resource", r->path, may);
	}
	for (k = 0; k < now->n; k++) {
		for (i = 0; i < map->n; i++)
			if (str_eq(map->resources[i].id, now->list[k].id))
				break;
		if (i == map->n)
			change(v, "Taken away, with the permissions for it",
			    now->list[k].path, now->list[k].operations);
	}
	view_int(v, "same", same);
}

static void
change(struct view *v, const char *what, const char *name, const char *text)
{
	struct view	*row = view_row(v, "changes");

	view_text(row, "what", what);
	view_text(row, "name", name);
	view_text(row, "text", text);
}

static void
show_scopes(struct req *rq, struct view *v, const struct route_map *map,
    const struct product_scopes *scopes)
{
	const char	*word;
	struct buf	 b;
	size_t		 c;
	int		 i, k;

	for (i = 0; i < map->scopes_n; i++) {
		word = map->scopes[i].word;
		for (k = 0; k < scopes->n; k++)
			if (str_eq(scopes->list[k].word, word))
				break;
		buf_init(&b, rq->arena, ROUTE_MAP_BYTES_MAX);
		for (c = 0; c < map->cells.n; c++)
			if (map->cells.word[c] == word)
				buf_fmt(&b, "%s%s %s", b.n == 0 ? "" : ", ",
				    map->cells.operation[c],
				    map->cells.path[c]);
		change(v, k == scopes->n ? "New scope" :
		    "Scope, stands for this from then on", word, buf_text(&b));
	}
}

/* Of a document, to know it again: no secret. */
static const char *
mark_of(struct req *rq, const char *text)
{
	unsigned char	hash[SHA256_BYTES];
	char		hex[2 * SHA256_BYTES + 1];

	sha256(hash, text, strlen(text));
	hex_encode(hex, hash, sizeof(hash));
	return (arena_strdup(rq->arena, hex));
}

static int
scopes_after(const struct route_map *map, const struct product_scopes *scopes)
{
	int	i, k, n = scopes->n;

	for (i = 0; i < map->scopes_n; i++) {
		for (k = 0; k < scopes->n; k++)
			if (str_eq(scopes->list[k].word, map->scopes[i].word))
				break;
		n += k == scopes->n;
	}
	return (n);
}
