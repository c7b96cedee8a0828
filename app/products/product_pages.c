/*
 * The catalogue, and a page for each product that says what the reader can do
 * next: sign up, subscribe, wait, or look at the key.
 */
#include "base/clock.h"
#include "products/product.h"
#include "sessions/session.h"
#include "web/respond.h"

WAITS static void show_standing(struct req *, struct view *,
		    const struct product *);
static void	show_state(struct view *, const struct product *);

void
product_page_list(struct req *rq)
{
	struct view		*v = view_new(rq->arena);
	struct product_list	 list = product_db_list(rq->db);

	view_bool(v, "has_products", list.n > 0);
	product_tiles(v, &list, list.n);
	respond_page(rq, 200, "products/list", v);
}

void
product_page_show(struct req *rq)
{
	struct view		*v = view_new(rq->arena), *row;
	struct product		*p;
	struct product_resources resources;
	int			 i;

	p = product_db_find(rq->db, req_param(rq, "slug"));
	if (p == NULL)
		req_not_found(rq);
	resources = product_db_resources(rq->db, p->id);
	view_text(v, "slug", p->slug);
	view_text(v, "name", p->name);
	view_text(v, "summary", p->summary);
	view_text(v, "description", p->description);
	view_text(v, "base_url", p->base_url);
	view_text(v, "example_path", p->example_path);
	view_text(v, "key_sample", "$KEY");
	view_text(v, "api_user", "FORTAPI@ALTWORX");
	view_bool(v, "needs_api_user", p->needs_api_user);
	view_text(v, "calls_a_minute",
	    product_number(rq->arena, p->calls_a_minute));
	view_text(v, "calls_a_day", p->calls_a_day == 0 ? "" :
	    product_number(rq->arena, p->calls_a_day));
	show_state(v, p);
	view_list(v, "resources");
	for (i = 0; i < resources.n; i++) {
		row = view_row(v, "resources");
		view_text(row, "name", resources.list[i].name);
		view_text(row, "note", resources.list[i].note);
		view_text(row, "path", resources.list[i].path);
		view_text(row, "operations", resources.list[i].operations);
	}
	show_standing(rq, v, p);
	respond_page(rq, 200, "products/product", v);
}

void
product_tiles(struct view *v, const struct product_list *list, int max)
{
	struct view	*row;
	int		 i;

	view_list(v, "products");
	for (i = 0; i < list->n && i < max; i++) {
		row = view_row(v, "products");
		view_text(row, "slug", list->list[i].slug);
		view_text(row, "name", list->list[i].name);
		view_text(row, "summary", list->list[i].summary);
		show_state(row, &list->list[i]);
	}
}

static void
show_standing(struct req *rq, struct view *v, const struct product *p)
{
	const struct session	*s = rq->session;
	struct product_standing	 standing = { PRODUCT_ASK_NEW, "", 0 };
	bool			 is_contact;

	is_contact = s != NULL && s->kind == ACCOUNT_CONTACT;
	if (is_contact)
		standing = product_db_standing(rq->db, p, s->account_id);
	view_bool(v, "ask_anonymous", s == NULL);
	view_bool(v, "ask_staff", s != NULL && !is_contact);
	view_bool(v, "ask_new", is_contact && standing.ask == PRODUCT_ASK_NEW);
	view_bool(v, "ask_waiting",
	    is_contact && standing.ask == PRODUCT_ASK_WAITING);
	view_bool(v, "ask_has_key",
	    is_contact && standing.ask == PRODUCT_ASK_HAS_KEY);
	view_text(v, "client", !is_contact ? "" :
	    s->tenant_name != NULL ? s->tenant_name : s->client);
	view_text(v, "key_name", standing.key_name);
	view_text(v, "due_at", standing.ask == PRODUCT_ASK_WAITING ?
	    clock_day(rq->arena, standing.due_at) : "");
}

static void
show_state(struct view *v, const struct product *p)
{
	view_bool(v, "is_open", p->is_open);
	view_text(v, "state_text", p->is_open ? "" : "No requests now");
}
