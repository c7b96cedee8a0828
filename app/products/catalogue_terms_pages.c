/*
 * The terms of a product: a new text is a new version, which who asks from now
 * on has to accept.  Who accepted one before has accepted that one, and each
 * version stays to be read.
 */
#include "products/catalogue.h"

#include "sessions/session.h"
#include "web/markdown.h"
#include "web/respond.h"

WAITS static void show(struct req *, int status, struct view *,
		    const struct catalogue_product *, const char *text);

void
catalogue_page_terms(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const char			*text = "";

	if (product->p.terms_version != 0)
		text = product_db_terms(rq->db, product->p.id,
		    product->p.terms_version);
	show(rq, 200, view_new(rq->arena), product, text);
}

void
catalogue_page_set_terms(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const char			*text, *wrong, *now = "";
	struct view			*v = view_new(rq->arena);
	const struct catalogue_change	 change = {
		.who = rq->session->account_id, .id = product->p.id,
		.version = catalogue_page_version(rq),
	};

	text = catalogue_lines(rq->arena, req_form(rq, "terms"));
	wrong = catalogue_lines_wrong(text, PRODUCT_TERMS_MAX);
	view_int(v, "version", change.version);
	if (str_eq(req_form(rq, "do"), "preview")) {
		view_bool(v, "is_preview", true);
		if (markdown_empty(text))
			view_text(v, "preview_html", "");
		else
			view_html(v, "preview_html",
			    markdown_html(rq->arena, text, 3));
		show(rq, 200, v, product, text);
		return;
	}
	if (product->p.terms_version != 0)
		now = product_db_terms(rq->db, product->p.id,
		    product->p.terms_version);
	if (wrong == NULL && *text != '\0' && markdown_empty(text))
		wrong = "Nothing of this text would be seen. Write a sentence.";
	if (wrong == NULL && product->p.version == change.version &&
	    str_eq(text, now))
		wrong = "These are the terms as they stand. Nothing was "
		    "changed.";
	if (wrong != NULL) {
		form_error(v, "terms", wrong);
		show(rq, 422, v, product, text);
		return;
	}
	if (catalogue_db_set_terms(rq->db, &change, text) == CATALOGUE_DONE) {
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=saved", product->p.id));
		return;
	}
	product = catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, product->p.id);
	show(rq, 409, v, product, text);
}

/* GET /staff/products/:id/terms/:version */
void
catalogue_page_terms_of(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	struct view			*v = view_new(rq->arena);
	const char			*text = NULL;
	int64_t				 version;

	if (str_to_int(req_param(rq, "version"), 1, INT32_MAX, &version))
		text = product_db_terms(rq->db, product->p.id, version);
	if (text == NULL)
		req_not_found(rq);
	view_text(v, "product", product->p.name);
	view_text(v, "slug", "");
	view_text(v, "product_id", product->p.id);
	view_int(v, "terms_version", version);
	view_bool(v, "is_current", version == product->p.terms_version);
	view_html(v, "terms_html", markdown_html(rq->arena, text, 2));
	respond_page(rq, 200, "products/terms", v);
}

static void
show(struct req *rq, int status, struct view *v,
    const struct catalogue_product *product, const char *text)
{
	const char	*now;
	bool		 late = view_has(v, "is_late");

	form_fields(v, "terms", NULL);
	view_text(v, "product_id", product->p.id);
	view_text(v, "product", product->p.name);
	view_text(v, "text", text);
	view_int(v, "terms_version", product->p.terms_version);
	view_bool(v, "has_terms", product->p.terms_version != 0);
	if (!view_has(v, "version"))
		view_int(v, "version", product->p.version);
	if (!view_has(v, "is_preview")) {
		view_bool(v, "is_preview", false);
		view_text(v, "preview_html", "");
	}
	view_text(v, "theirs_html", "");
	if (!late) {
		view_bool(v, "is_late", false);
	} else if (product->p.terms_version != 0) {
		now = product_db_terms(rq->db, product->p.id,
		    product->p.terms_version);
		view_html(v, "theirs_html", markdown_html(rq->arena, now, 3));
	}
	respond_page(rq, status, "products/staff_terms", v);
}
