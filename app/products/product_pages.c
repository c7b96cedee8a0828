/*
 * The catalogue, and a page for each product that says what the reader can do
 * next: sign up, subscribe, wait, or look at the key.
 */
#include "base/clock.h"
#include "products/key_profile.h"
#include "products/product_scope.h"
#include "sessions/session.h"
#include "web/markdown.h"
#include "web/respond.h"

WAITS static struct product *find(struct req *);
WAITS static void show_standing(struct req *, struct view *,
		    const struct product *);
static void	show_plan(struct req *, struct view *, const struct product *);
static void	show_state(struct arena *, struct view *,
		    const struct product *);

void
product_page_list(struct req *rq)
{
	struct view		*v = view_new(rq->arena);
	struct product_list	 list = product_db_list(rq->db);

	view_bool(v, "has_products", list.n > 0);
	product_tiles(rq->arena, v, &list, list.n);
	respond_page(rq, 200, "products/list", v);
}

void
product_page_show(struct req *rq)
{
	struct view		*v = view_new(rq->arena), *row;
	struct product		*p;
	struct product_resources resources;
	struct product_scopes	 scopes;
	struct key_rule		 rule;
	int			 i;

	p = find(rq);
	resources = product_db_resources(rq->db, p->id);
	view_text(v, "slug", p->slug);
	view_text(v, "name", p->name);
	view_text(v, "summary", p->summary);
	view_text(v, "description_html", "");
	if (!markdown_empty(p->description))
		view_html(v, "description_html", markdown_html(rq->arena,
		    p->description, 2));
	view_text(v, "base_url", p->base_url);
	view_text(v, "example_path", p->example_path);
	view_text(v, "key_sample", "$KEY");
	view_text(v, "api_user", "FORTAPI@ALTWORX");
	rule = key_profile_db_of(rq->db, p->id);
	/* API users are for keys that don't say themselves what they may. */
	view_bool(v, "needs_api_user", p->needs_api_user &&
	    str_eq(rule.profile.scopes, "none"));
	key_profile_snippets(rq->arena, v, &rule.profile, p->base_url);
	key_profile_view(rq->arena, v, &rule);
	view_text(v, "key_title", rule.profile.title);
	view_bool(v, "is_pair", rule.profile.is_pair);
	show_plan(rq, v, p);
	show_state(rq->arena, v, p);
	view_bool(v, "has_resources", resources.n > 0);
	view_list(v, "resources");
	for (i = 0; i < resources.n; i++) {
		row = view_row(v, "resources");
		view_text(row, "name", resources.list[i].name);
		view_text(row, "note", resources.list[i].note);
		view_text(row, "path", resources.list[i].path);
		view_text(row, "operations", resources.list[i].operations);
	}
	scopes = product_scope_db_list(rq->db, p->id);
	product_scope_view(rq->arena, v, &scopes);
	show_standing(rq, v, p);
	respond_page(rq, 200, "products/product", v);
}

void
product_page_terms(struct req *rq)
{
	struct product	*p = find(rq);
	struct view	*v = view_new(rq->arena);
	const char	*text = NULL;

	if (p->terms_version != 0)
		text = product_db_terms(rq->db, p->id, p->terms_version);
	if (text == NULL)
		req_not_found(rq);
	view_text(v, "product", p->name);
	view_text(v, "slug", p->slug);
	view_text(v, "product_id", "");
	view_int(v, "terms_version", p->terms_version);
	view_bool(v, "is_current", true);
	view_html(v, "terms_html", markdown_html(rq->arena, text, 2));
	respond_page(rq, 200, "products/terms", v);
}

void
product_tiles(struct arena *a, struct view *v,
    const struct product_list *list, int max)
{
	struct view	*row;
	int		 i;

	view_list(v, "products");
	for (i = 0; i < list->n && i < max; i++) {
		row = view_row(v, "products");
		view_text(row, "slug", list->list[i].slug);
		view_text(row, "name", list->list[i].name);
		view_text(row, "summary", list->list[i].summary);
		show_state(a, row, &list->list[i]);
	}
}

/* As the reader may see it, or 404. */
static struct product *
find(struct req *rq)
{
	struct product	*p;

	p = product_db_find(rq->db, req_param(rq, "slug"),
	    rq->session == NULL ? NULL : rq->session->account_id);
	if (p == NULL)
		req_not_found(rq);
	return (p);
}

static void
show_standing(struct req *rq, struct view *v, const struct product *p)
{
	const struct session	*s = rq->session;
	struct product_standing	 standing = { PRODUCT_ASK_NEW, "", 0 };
	bool			 is_contact;

	is_contact = s != NULL && s->kind == ACCOUNT_CONTACT;
	if (is_contact)
		standing = product_db_standing_any(rq->db, p, s->account_id);
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
show_plan(struct req *rq, struct view *v, const struct product *p)
{
	const struct {
		const char	*name;
		int64_t		 calls;
	} limits[] = {
		{ "calls_a_second", p->calls_a_second },
		{ "calls_a_minute", p->calls_a_minute },
		{ "calls_a_day", p->calls_a_day },
		{ "calls_a_month", p->calls_a_month },
		{ "user_calls_a_minute", p->user_calls_a_minute },
	};
	size_t	i;

	for (i = 0; i < COUNT(limits); i++)
		view_text(v, limits[i].name, limits[i].calls == 0 ? "" :
		    product_number(rq->arena, limits[i].calls));
	view_bool(v, "one_key", p->one_key_per_tenant);
	view_bool(v, "by_checks", p->by_checks);
	view_bool(v, "has_terms", p->terms_version != 0);
	view_text(v, "closing_note", p->closing_note);
}

static void
show_state(struct arena *a, struct view *v, const struct product *p)
{
	const char	*text = "";

	switch (p->state) {
	case PRODUCT_DRAFT:
		text = "Draft, seen by staff only";
		break;
	case PRODUCT_PUBLISHED:
		break;
	case PRODUCT_HIDDEN:
		text = "No requests now";
		break;
	case PRODUCT_CLOSING:
		text = arena_fmt(a, "Closes on %s",
		    clock_date(a, p->closes_at));
		break;
	case PRODUCT_CLOSED:
		text = p->closes_at == 0 ? "Closed" : arena_fmt(a,
		    "Closed since %s", clock_date(a, p->closes_at));
		break;
	}
	view_bool(v, "is_open", p->is_open);
	view_bool(v, "is_closing", p->state == PRODUCT_CLOSING);
	view_bool(v, "is_closed", p->state == PRODUCT_CLOSED);
	view_text(v, "state_text", text);
	view_text(v, "closes_at", p->closes_at == 0 ? "" :
	    clock_long(a, p->closes_at));
}
