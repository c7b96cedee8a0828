/*
 * The form of a product's resources: rows of fields.  Buttons add and take
 * away a row by posting the whole form, so nothing needs script; a row that is
 * left empty is not saved.  Field names end in the row's number, "path_3".
 */
#include "products/catalogue.h"

#include "sessions/session.h"
#include "web/respond.h"

#define BLANK_ROWS	3	/* at the end of a form, to be filled */

static int	 typed(struct req *, struct resource *rows);
static struct resource *row_of(struct resource *rows, const char *name,
		    const char *prefix, int *n);
WAITS static int saved(struct req *, const char *id, struct resource *rows);
static int	 without_empty(struct resource *rows, int n);
static void	 show(struct req *, int status, struct view *,
		    const struct catalogue_product *, struct resource *rows,
		    int n);
static void	 show_row(struct req *, struct view *, const struct resource *,
		    int i);
static void	 show_error(struct req *, struct view *, struct view *row,
		    const char *field, int i, const char *wrong);
WAITS static void show_theirs(struct req *, struct view *, const char *id);

void
catalogue_page_resources(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	struct resource			*rows;
	int				 n;

	rows = arena_calloc(rq->arena, PRODUCT_RESOURCES_MAX, sizeof(*rows));
	n = saved(rq, product->p.id, rows);
	show(rq, 200, view_new(rq->arena), product, rows, n + BLANK_ROWS);
}

void
catalogue_page_set_resources(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	struct resource			*rows;
	struct view			*v = view_new(rq->arena);
	const char			*what = req_form(rq, "do");
	const struct catalogue_change	 change = {
		.who = rq->session->account_id, .id = product->p.id,
		.version = catalogue_page_version(rq),
	};
	int64_t				 row;
	int				 n;

	rows = arena_calloc(rq->arena, PRODUCT_RESOURCES_MAX, sizeof(*rows));
	n = typed(rq, rows);
	view_int(v, "version", change.version);
	if (str_eq(what, "add")) {
		show(rq, 200, v, product, rows, n + 1);
		return;
	}
	if (str_starts(what, "remove_") && str_to_int(what + strlen("remove_"),
	    0, PRODUCT_RESOURCES_MAX - 1, &row)) {
		rows[row] = (struct resource){ "", "", "", "", { false },
		    NULL, NULL, NULL, NULL };
		n = without_empty(rows, n);
		show(rq, 200, v, product, rows, n + 1);
		return;
	}
	n = without_empty(rows, n);
	if (!catalogue_check_resources(rq->arena, rows, n)) {
		show(rq, 422, v, product, rows, n);
		return;
	}
	if (catalogue_db_set_resources(rq->db, &change, rows, n) ==
	    CATALOGUE_DONE) {
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=saved", product->p.id));
		return;
	}
	product = catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, product->p.id);
	show_theirs(rq, v, product->p.id);
	show(rq, 409, v, product, rows, n + 1);
}

/* Rows of the form up to the last one that was sent. */
static int
typed(struct req *rq, struct resource *rows)
{
	const char	*name, *value;
	struct resource	*r;
	size_t		 i;
	int		 n = 0, op;

	for (op = 0; op < PRODUCT_RESOURCES_MAX; op++)
		rows[op].id = rows[op].name = rows[op].note = rows[op].path =
		    "";
	for (i = 0; i < rq->form.n; i++) {
		name = rq->form.list[i].name;
		value = rq->form.list[i].value;
		if ((r = row_of(rows, name, "id_", &n)) != NULL)
			r->id = value;
		else if ((r = row_of(rows, name, "name_", &n)) != NULL)
			r->name = str_squeeze(rq->arena, value);
		else if ((r = row_of(rows, name, "note_", &n)) != NULL)
			r->note = str_squeeze(rq->arena, value);
		else if ((r = row_of(rows, name, "path_", &n)) != NULL)
			r->path = str_squeeze(rq->arena, value);
		else if ((r = row_of(rows, name, "may_", &n)) != NULL) {
			for (op = 0; op < RESOURCE_OPERATIONS &&
			    !str_eq(value, catalogue_operations[op]); op++)
				continue;
			if (op < RESOURCE_OPERATIONS)
				r->may[op] = true;
			else
				r->may_wrong = "There is no such operation.";
		}
	}
	return (n);
}

/* The row that "path_3" is of, if the name begins so; n grows with it. */
static struct resource *
row_of(struct resource *rows, const char *name, const char *prefix, int *n)
{
	int64_t	row;

	if (!str_starts(name, prefix) || !str_to_int(name + strlen(prefix), 0,
	    PRODUCT_RESOURCES_MAX - 1, &row))
		return (NULL);
	if (row >= *n)
		*n = (int)row + 1;
	return (&rows[row]);
}

static int
saved(struct req *rq, const char *id, struct resource *rows)
{
	struct product_resources	 list;
	const char			*p;
	size_t				 length;
	int				 i, op;

	list = product_db_resources(rq->db, id);
	for (i = 0; i < list.n; i++) {
		rows[i].id = list.list[i].id;
		rows[i].name = list.list[i].name;
		rows[i].note = list.list[i].note;
		rows[i].path = list.list[i].path;
		for (op = 0; op < RESOURCE_OPERATIONS; op++) {
			length = strlen(catalogue_operations[op]);
			for (p = list.list[i].operations; p != NULL;
			    p = strstr(p, ", "), p = p == NULL ? p : p + 2)
				if (strncmp(p, catalogue_operations[op],
				    length) == 0 &&
				    (p[length] == ',' || p[length] == '\0'))
					rows[i].may[op] = true;
		}
	}
	for (; i < PRODUCT_RESOURCES_MAX; i++)
		rows[i].id = rows[i].name = rows[i].note = rows[i].path = "";
	return (list.n);
}

static int
without_empty(struct resource *rows, int n)
{
	int	i, kept = 0;

	for (i = 0; i < n; i++)
		if (!catalogue_row_empty(&rows[i]) || rows[i].may_wrong != NULL)
			rows[kept++] = rows[i];
	for (i = kept; i < n; i++)
		rows[i] = (struct resource){ "", "", "", "", { false }, NULL,
		    NULL, NULL, NULL };
	return (kept);
}

/* n: rows to be shown, if there is room for so many. */
static void
show(struct req *rq, int status, struct view *v,
    const struct catalogue_product *product, struct resource *rows, int n)
{
	int	i;

	if (n > PRODUCT_RESOURCES_MAX)
		n = PRODUCT_RESOURCES_MAX;
	view_list(v, "rows");
	for (i = 0; i < n; i++)
		show_row(rq, v, &rows[i], i);
	form_fields(v, NULL);
	view_text(v, "product_id", product->p.id);
	view_text(v, "product", product->p.name);
	view_bool(v, "can_add", n < PRODUCT_RESOURCES_MAX);
	view_int(v, "rows_max", PRODUCT_RESOURCES_MAX);
	if (!view_has(v, "version"))
		view_int(v, "version", product->p.version);
	if (!view_has(v, "is_late")) {
		view_bool(v, "is_late", false);
		view_list(v, "theirs");
	}
	respond_page(rq, status, "products/staff_resources", v);
}

static void
show_row(struct req *rq, struct view *v, const struct resource *r, int i)
{
	struct view	*row = view_row(v, "rows"), *cell;
	int		 op;

	view_int(row, "n", i);
	view_int(row, "shown_n", i + 1);
	view_text(row, "id", r->id);
	view_text(row, "name", r->name);
	view_text(row, "note", r->note);
	view_text(row, "path", r->path);
	show_error(rq, v, row, "name", i, r->name_wrong);
	show_error(rq, v, row, "note", i, r->note_wrong);
	show_error(rq, v, row, "path", i, r->path_wrong);
	show_error(rq, v, row, "may", i, r->may_wrong);
	view_list(row, "operations");
	for (op = 0; op < RESOURCE_OPERATIONS; op++) {
		cell = view_row(row, "operations");
		view_text(cell, "operation", catalogue_operations[op]);
		view_bool(cell, "is_on", r->may[op]);
	}
}

static void
show_error(struct req *rq, struct view *v, struct view *row,
    const char *field, int i, const char *wrong)
{
	view_text(row, arena_fmt(rq->arena, "%s_wrong", field), wrong);
	if (wrong != NULL)
		form_error(v, arena_fmt(rq->arena, "%s_%d", field, i), wrong);
}

/* As it is saved now, beside what was typed. */
static void
show_theirs(struct req *rq, struct view *v, const char *id)
{
	struct product_resources	 list;
	struct view			*row;
	int				 i;

	list = product_db_resources(rq->db, id);
	view_list(v, "theirs");
	for (i = 0; i < list.n; i++) {
		row = view_row(v, "theirs");
		view_text(row, "label", list.list[i].name);
		view_text(row, "value", arena_fmt(rq->arena, "%s: %s",
		    list.list[i].path, list.list[i].operations));
	}
}
