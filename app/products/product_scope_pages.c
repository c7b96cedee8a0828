/*
 * The form of a product's scopes: rows of fields, as that of its resources.
 * "Propose" adds what the resources suggest; nothing is saved by it.  Where
 * keys would lose a scope, the form comes back once with how many, and a box
 * to be ticked.
 */
#include "products/product_scope.h"

#include "sessions/session.h"
#include "web/respond.h"

#define BLANK_ROWS	2	/* at the end of a form, to be filled */

static int	 typed(struct req *, struct product_scope *rows);
static int	 without_empty(struct product_scope *rows, int n);
static void	 clear(struct product_scope *rows, int from, int to);
WAITS static void save(struct req *, struct view *,
		    const struct catalogue_product *, struct product_scope *rows,
		    int n, const struct product_scope_cells *);
static void	 show(struct req *, int status, struct view *,
		    const struct catalogue_product *, struct product_scope *rows,
		    int n);
static void	 show_row(struct req *, struct view *, const struct product_scope *,
		    int i);
static void	 show_error(struct req *, struct view *, struct view *row,
		    const char *field, int i, const char *wrong);

void
product_scope_page_show(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	struct product_scopes			 saved = product_scope_db_list(rq->db,
	    product->p.id);

	clear(saved.list, saved.n, PRODUCT_SCOPES_MAX);
	show(rq, 200, view_new(rq->arena), product, saved.list,
	    saved.n + BLANK_ROWS);
}

void
product_scope_page_set(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const struct product_resources	 resources = product_db_resources(
	    rq->db, product->p.id);
	struct product_scope			*rows;
	struct product_scope_cells		 cells;
	struct view			*v = view_new(rq->arena);
	const char			*what = req_form(rq, "do");
	int64_t				 row;
	int				 n;

	rows = arena_calloc(rq->arena, PRODUCT_SCOPES_MAX, sizeof(*rows));
	clear(rows, 0, PRODUCT_SCOPES_MAX);
	n = typed(rq, rows);
	view_int(v, "version", catalogue_page_version(rq));
	if (str_eq(what, "add")) {
		show(rq, 200, v, product, rows, n + 1);
		return;
	}
	if (str_starts(what, "remove_") && str_to_int(what + strlen("remove_"),
	    0, PRODUCT_SCOPES_MAX - 1, &row)) {
		clear(rows, (int)row, (int)row + 1);
		show(rq, 200, v, product, rows, without_empty(rows, n));
		return;
	}
	n = without_empty(rows, n);
	if (str_eq(what, "propose")) {
		n = product_scope_propose(rq->arena, rows, n, &resources);
		show(rq, 200, v, product, rows, n + 1);
		return;
	}
	if (!product_scope_check(rq->arena, rows, n, &resources, &cells)) {
		show(rq, 422, v, product, rows, n);
		return;
	}
	save(rq, v, product, rows, n, &cells);
}

void
product_scope_view(struct arena *a, struct view *v,
    const struct product_scopes *scopes)
{
	const char	*p;
	struct view	*row;
	size_t		 length;
	int		 i;

	view_bool(v, "has_scopes", scopes->n > 0);
	view_list(v, "scopes");
	for (i = 0; i < scopes->n; i++) {
		row = view_row(v, "scopes");
		view_text(row, "word", scopes->list[i].word);
		view_text(row, "description", scopes->list[i].description);
		view_bool(row, "has_grants", *scopes->list[i].grants != '\0');
		view_list(row, "grants");
		for (p = scopes->list[i].grants; *p != '\0';
		    p += length + (p[length] == '\n')) {
			length = strcspn(p, "\n");
			view_row_text(row, "grants", arena_strndup(a, p,
			    length));
		}
	}
}

static void
save(struct req *rq, struct view *v, const struct catalogue_product *product,
    struct product_scope *rows, int n, const struct product_scope_cells *cells)
{
	const struct catalogue_change	 change = {
		.who = rq->session->account_id, .id = product->p.id,
		.version = catalogue_page_version(rq),
	};
	int64_t				 losers, said;

	losers = product_scope_db_losers(rq->db, product->p.id, rows, n);
	if (!str_to_int(req_form(rq, "losers"), 0, INT32_MAX, &said))
		said = 0;
	if (losers != said) {
		view_int(v, "losers", losers);
		if (losers > 0)
			form_error(v, "losers", "Keys that clients use would "
			    "lose a scope. Say that they may.");
		show(rq, losers > 0 ? 422 : 200, v, product, rows, n);
		return;
	}
	if (product_scope_db_set(rq->db, &change, rows, n, cells, losers) ==
	    CATALOGUE_DONE) {
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=saved", product->p.id));
		return;
	}
	product = catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, product->p.id);
	show(rq, 409, v, product, rows, n + 1);
}

/* Rows of the form up to the last one that was sent. */
static int
typed(struct req *rq, struct product_scope *rows)
{
	const char	*name, *value;
	int64_t		 row;
	size_t		 i;
	int		 n = 0;

	for (i = 0; i < rq->form.n; i++) {
		name = strchr(rq->form.list[i].name, '_');
		value = rq->form.list[i].value;
		if (name == NULL || !str_to_int(name + 1, 0, PRODUCT_SCOPES_MAX - 1,
		    &row))
			continue;
		if (str_starts(rq->form.list[i].name, "word_"))
			rows[row].word = str_squeeze(rq->arena, value);
		else if (str_starts(rq->form.list[i].name, "note_"))
			rows[row].description = str_squeeze(rq->arena, value);
		else if (str_starts(rq->form.list[i].name, "grants_"))
			rows[row].grants = catalogue_lines(rq->arena, value);
		else
			continue;
		if (row >= n)
			n = (int)row + 1;
	}
	return (n);
}

static int
without_empty(struct product_scope *rows, int n)
{
	int	i, kept = 0;

	for (i = 0; i < n; i++)
		if (*rows[i].word != '\0' || *rows[i].description != '\0' ||
		    *rows[i].grants != '\0')
			rows[kept++] = rows[i];
	clear(rows, kept, n);
	return (kept);
}

static void
clear(struct product_scope *rows, int from, int to)
{
	for (; from < to; from++)
		rows[from] = (struct product_scope){ .word = "", .description = "",
		    .grants = "" };
}

/* n: rows to be shown, if there is room for so many. */
static void
show(struct req *rq, int status, struct view *v,
    const struct catalogue_product *product, struct product_scope *rows, int n)
{
	int	i;

	if (n > PRODUCT_SCOPES_MAX)
		n = PRODUCT_SCOPES_MAX;
	view_list(v, "rows");
	for (i = 0; i < n; i++)
		show_row(rq, v, &rows[i], i);
	form_fields(v, "losers", NULL);
	view_text(v, "product_id", product->p.id);
	view_text(v, "product", product->p.name);
	view_bool(v, "can_add", n < PRODUCT_SCOPES_MAX);
	view_int(v, "rows_max", PRODUCT_SCOPES_MAX);
	if (!view_has(v, "losers"))
		view_int(v, "losers", 0);
	if (!view_has(v, "version"))
		view_int(v, "version", product->p.version);
	if (!view_has(v, "is_late"))
		view_bool(v, "is_late", false);
	respond_page(rq, status, "products/staff_scopes", v);
}

static void
show_row(struct req *rq, struct view *v, const struct product_scope *s, int i)
{
	struct view	*row = view_row(v, "rows");

	view_int(row, "n", i);
	view_int(row, "shown_n", i + 1);
	view_text(row, "word", s->word);
	view_text(row, "note", s->description);
	view_text(row, "grants", s->grants);
	show_error(rq, v, row, "word", i, s->word_wrong);
	show_error(rq, v, row, "note", i, s->description_wrong);
	show_error(rq, v, row, "grants", i, s->grants_wrong);
}

static void
show_error(struct req *rq, struct view *v, struct view *row,
    const char *field, int i, const char *wrong)
{
	view_text(row, arena_fmt(rq->arena, "%s_wrong", field), wrong);
	if (wrong != NULL)
		form_error(v, arena_fmt(rq->arena, "%s_%d", field, i), wrong);
}
