/*
 * The form of a product: what is said of it and its plan.  It is made of a
 * table of fields, so that each is shown, kept, refused and compared with
 * another admin's in the same way.  "Preview" shows the description as the
 * page will, and saves nothing.
 */
#include "products/catalogue.h"

#include "crypto/token.h"
#include "sessions/session.h"
#include "web/markdown.h"
#include "web/respond.h"

static const struct field_text {
	const char	*name, *label, *hint;
	bool		 is_long, is_number, is_mono;
} fields[DETAILS] = {
	[DETAIL_NAME] = { "name", "Name", NULL, false, false, false },
	[DETAIL_SLUG] = { "slug", "Address",
	    "The last part of the product’s address here, as in revio-api. It "
	    "can be changed until the product is published.",
	    false, false, true },
	[DETAIL_SUMMARY] = { "summary", "In one sentence",
	    "Stands below the name and in the catalogue.",
	    false, false, false },
	[DETAIL_DESCRIPTION] = { "description", "Description",
	    "Markdown: an empty line parts paragraphs, # begins a heading, - "
	    "an item of a list, [words](https://…) is a link.",
	    true, false, false },
	[DETAIL_BASE_URL] = { "base_url", "Base address of calls",
	    "As in https://api.revio.example.", false, false, true },
	[DETAIL_EXAMPLE_PATH] = { "example_path", "Path of the example call",
	    "As in /billing/api/v1/contacts/7.", false, false, true },
	[DETAIL_PLACE] = { "place", "Place in the catalogue",
	    "Lower numbers come first; the same ones by name.",
	    false, true, false },
	[DETAIL_SECOND] = { "calls_a_second", "Calls a second",
	    "The burst that is let through. Empty: no limit.",
	    false, true, false },
	[DETAIL_MINUTE] = { "calls_a_minute", "Calls a minute", "Of each client.",
	    false, true, false },
	[DETAIL_DAY] = { "calls_a_day", "Calls a day", "Empty: no limit.",
	    false, true, false },
	[DETAIL_MONTH] = { "calls_a_month", "Calls a month",
	    "The quota. Empty: none.", false, true, false },
	[DETAIL_USER_MINUTE] = { "user_calls_a_minute",
	    "Calls a minute, of each API user",
	    "So that one integration can’t use up its client’s. Empty: as "
	    "many as the client.", false, true, false },
	[DETAIL_DELAY] = { "approval_delay", "Minutes until checks approve",
	    "So long can staff stop it. Only for approval by checks; 60 if "
	    "empty.", false, true, false },
};

static struct details typed(struct req *);
static void	 show(struct req *, int status, struct view *,
		    const struct details *, const struct catalogue_product *,
		    const char *const wrong[DETAILS]);
static void	 show_field(struct view *, const char *list, enum detail,
		    const struct details *, const char *const wrong[DETAILS]);
static void	 preview(struct req *, struct view *, const struct details *);
static void	 differences(struct req *, struct view *,
		    const struct details *, const struct product *);
static void	 difference(struct view *, const char *label,
		    const char *value);
static bool	 numbers_same(const char *, const char *);

void
catalogue_page_new(struct req *rq)
{
	struct details	d = {
		.text = { "", "", "", "", "https://", "/", "0", "", "200", "",
		    "", "", "60" },
		.needs_api_user = true, .one_key_per_tenant = true,
	};

	show(rq, 200, view_new(rq->arena), &d, NULL, NULL);
}

void
catalogue_page_make(struct req *rq)
{
	const char	*wrong[DETAILS];
	struct details	 d = typed(rq), checked = d;
	struct view	*v = view_new(rq->arena);
	char		 id[UUID_TEXT];

	if (str_eq(req_form(rq, "do"), "preview")) {
		preview(rq, v, &d);
		show(rq, 200, v, &d, NULL, NULL);
		return;
	}
	if (!catalogue_check(rq->arena, &checked, true, wrong)) {
		show(rq, 422, v, &d, NULL, wrong);
		return;
	}
	uuid_make(id);
	switch (catalogue_db_make(rq->db, rq->session->account_id, id,
	    &checked)) {
	case CATALOGUE_DONE:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=made", id));
		return;
	case CATALOGUE_TAKEN:
		wrong[DETAIL_SLUG] = "Another product has this address. "
		    "Choose another one.";
		show(rq, 422, v, &d, NULL, wrong);
		return;
	case CATALOGUE_LATE:
	case CATALOGUE_RULE:
		break;
	}
	req_not_found(rq);	/* no admin any more */
}

void
catalogue_page_edit(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	struct details			 d;

	d = catalogue_details(rq->arena, &product->p);
	show(rq, 200, view_new(rq->arena), &d, product, NULL);
}

void
catalogue_page_change(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const char			*wrong[DETAILS];
	struct details			 d = typed(rq), checked = d;
	struct view			*v = view_new(rq->arena);
	const struct catalogue_change	 change = {
		.who = rq->session->account_id, .id = product->p.id,
		.version = catalogue_page_version(rq),
	};

	view_int(v, "version", change.version);
	if (str_eq(req_form(rq, "do"), "preview")) {
		preview(rq, v, &d);
		show(rq, 200, v, &d, product, NULL);
		return;
	}
	if (!catalogue_check(rq->arena, &checked,
	    product->p.state == PRODUCT_DRAFT, wrong)) {
		show(rq, 422, v, &d, product, wrong);
		return;
	}
	switch (catalogue_db_change(rq->db, &change, &checked)) {
	case CATALOGUE_DONE:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=saved", product->p.id));
		return;
	case CATALOGUE_TAKEN:
		wrong[DETAIL_SLUG] = "Another product has this address. "
		    "Choose another one.";
		show(rq, 422, v, &d, product, wrong);
		return;
	case CATALOGUE_RULE:
		form_error(v, "one_key", "Clients have keys for this product. "
		    "Its rule on how many stays as it is.");
		show(rq, 422, v, &d, product, wrong);
		return;
	case CATALOGUE_LATE:
		break;
	}
	/* Another one saved first: his beside ours, to be saved over it. */
	product = catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, product->p.id);
	differences(rq, v, &d, &product->p);
	show(rq, 409, v, &d, product, NULL);
}

static struct details
typed(struct req *rq)
{
	struct details	d = {
		.needs_api_user = *req_form(rq, "needs_api_user") != '\0',
		.one_key_per_tenant = *req_form(rq, "one_key") != '\0',
		.by_checks = str_eq(req_form(rq, "approval"), "checks"),
	};
	int		i;

	for (i = 0; i < DETAILS; i++)
		d.text[i] = fields[i].is_long ? catalogue_lines(rq->arena,
		    req_form(rq, fields[i].name)) :
		    req_form_line(rq, fields[i].name);
	return (d);
}

/* product NULL: of a new one.  wrong NULL: all is right. */
static void
show(struct req *rq, int status, struct view *v, const struct details *d,
    const struct catalogue_product *product, const char *const wrong[DETAILS])
{
	bool	has_slug = product == NULL ||
		    product->p.state == PRODUCT_DRAFT;
	int	i;

	view_list(v, "about");
	view_list(v, "plan");
	for (i = 0; i < DETAILS; i++) {
		if (i == DETAIL_SLUG && !has_slug)
			continue;
		show_field(v, i < DETAIL_SECOND ? "about" : i == DETAIL_DELAY ?
		    "delay" : "plan", (enum detail)i, d, wrong);
	}
	form_fields(v, "one_key", NULL);
	view_bool(v, "is_new", product == NULL);
	view_text(v, "product_id", product == NULL ? "" : product->p.id);
	view_text(v, "product", product == NULL ? "" : product->p.name);
	view_text(v, "fixed_slug", has_slug ? "" : product->p.slug);
	view_bool(v, "needs_api_user", d->needs_api_user);
	view_bool(v, "one_key", d->one_key_per_tenant);
	view_bool(v, "by_checks", d->by_checks);
	if (!view_has(v, "version"))
		view_int(v, "version", product == NULL ? 0 :
		    product->p.version);
	if (!view_has(v, "is_late")) {
		view_bool(v, "is_late", false);
		view_list(v, "theirs");
	}
	if (!view_has(v, "is_preview")) {
		view_bool(v, "is_preview", false);
		view_text(v, "preview_html", "");
	}
	respond_page(rq, status, "products/staff_edit", v);
}

static void
show_field(struct view *v, const char *list, enum detail which,
    const struct details *d, const char *const wrong[DETAILS])
{
	const struct field_text	*f = &fields[which];
	struct view		*row = view_row(v, list);
	const char		*error = wrong == NULL ? NULL : wrong[which];

	if (error != NULL)
		form_error(v, f->name, error);
	view_text(row, "id", f->name);
	view_text(row, "label", f->label);
	view_text(row, "hint", f->hint);
	view_text(row, "value", d->text[which]);
	view_text(row, "wrong", error);
	view_bool(row, "is_long", f->is_long);
	view_bool(row, "is_number", f->is_number);
	view_bool(row, "is_mono", f->is_mono);
}

/* As the product's page shows it, below a heading of its own. */
static void
preview(struct req *rq, struct view *v, const struct details *d)
{
	const char	*text = d->text[DETAIL_DESCRIPTION];

	view_bool(v, "is_preview", true);
	if (markdown_empty(text))
		view_text(v, "preview_html", "");
	else
		view_html(v, "preview_html", markdown_html(rq->arena, text, 3));
}

/* What the other one saved, where it differs from what was typed here. */
static void
differences(struct req *rq, struct view *v, const struct details *mine,
    const struct product *p)
{
	struct details	theirs = catalogue_details(rq->arena, p);
	int		i;

	view_list(v, "theirs");
	for (i = 0; i < DETAILS; i++) {
		if (i == DETAIL_SLUG && p->state != PRODUCT_DRAFT)
			continue;
		if (!str_eq(mine->text[i], theirs.text[i]) &&
		    !(fields[i].is_number &&
		    numbers_same(mine->text[i], theirs.text[i])))
			difference(v, fields[i].label, theirs.text[i]);
	}
	if (mine->needs_api_user != theirs.needs_api_user)
		difference(v, "Calls name an API user",
		    theirs.needs_api_user ? "Yes" : "No");
	if (mine->one_key_per_tenant != theirs.one_key_per_tenant)
		difference(v, "One key for each company",
		    theirs.one_key_per_tenant ? "Yes" : "No");
	if (mine->by_checks != theirs.by_checks)
		difference(v, "Who approves",
		    theirs.by_checks ? "Good checks alone" : "A person");
}

static void
difference(struct view *v, const char *label, const char *value)
{
	struct view	*row = view_row(v, "theirs");

	view_text(row, "label", label);
	view_text(row, "value", *value == '\0' ? "Nothing" : value);
}

/* "100,000" and "100000" are one. */
static bool
numbers_same(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0') {
		if (*a == ',' || *a == ' ')
			a++;
		else if (*b == ',' || *b == ' ')
			b++;
		else if (*a != *b)
			return (false);
		else
			a++, b++;
	}
	return (true);
}
