/*
 * The products as staff see them: the list, the page of one, and what admins
 * make of it: publish, hide, close.
 */
#include "products/key_profile.h"
#include "products/product_scope.h"

#include "crypto/token.h"
#include "sessions/session.h"
#include "web/markdown.h"
#include "web/respond.h"

static void	 show_row(struct req *, struct view *,
		    const struct catalogue_product *);
static const char *counted(struct arena *, int64_t n, const char *one,
		    const char *many);
WAITS static void show_resources(struct req *, struct view *, const char *id);
WAITS static void show_events(struct req *, struct view *, const char *id);
static void	 show_state(struct req *, struct view *,
		    const struct catalogue_product *);
static const char *done_says(const char *word);
WAITS static void answer(struct req *, enum catalogue_result,
		    const char *done);
static struct catalogue_change change_of(struct req *);

void
catalogue_page_list(struct req *rq)
{
	const char		*after = req_query(rq, "after");
	struct view		*v = view_new(rq->arena);
	struct catalogue_list	 list;
	int			 i;

	list = catalogue_db_list(rq->db, after == NULL ? "" : after);
	view_bool(v, "has_rows", list.n > 0);
	view_list(v, "rows");
	for (i = 0; i < list.n; i++)
		show_row(rq, view_row(v, "rows"), &list.list[i]);
	view_bool(v, "can_add", rq->session->kind == ACCOUNT_ADMIN);
	view_bool(v, "is_first", after == NULL || *after == '\0');
	view_text(v, "next_after", list.next_after);
	respond_page(rq, 200, "products/staff_list", v);
}

void
catalogue_page_show(struct req *rq)
{
	catalogue_page_product(rq, 200, view_new(rq->arena));
}

void
catalogue_page_publish(struct req *rq)
{
	const struct catalogue_change	change = change_of(rq);

	answer(rq, catalogue_db_publish(rq->db, &change), "published");
}

void
catalogue_page_hide(struct req *rq)
{
	const struct catalogue_change	change = change_of(rq);

	answer(rq, catalogue_db_hide(rq->db, &change), "hidden");
}

void
catalogue_page_close(struct req *rq)
{
	const struct catalogue_change	 change = change_of(rq);
	struct catalogue_product	*product = catalogue_page_find(rq);
	struct view			*v = view_new(rq->arena);
	const char			*day = req_form_line(rq, "day");
	const char			*note, *wrong;
	int64_t				 at = rq->now;

	note = catalogue_lines(rq->arena, req_form(rq, "note"));
	/* Nobody needs notice where nobody has a key. */
	wrong = product->keys == 0 ? NULL :
	    catalogue_day_wrong(day, rq->now, &at);
	if (wrong != NULL)
		form_error(v, "day", wrong);
	wrong = catalogue_lines_wrong(note, PRODUCT_NOTE_MAX);
	if (wrong != NULL)
		form_error(v, "note", wrong);
	if (form_has_errors(v)) {
		view_text(v, "typed_day", day);
		view_text(v, "typed_note", note);
		catalogue_page_product(rq, 422, v);
		return;
	}
	answer(rq, catalogue_db_close(rq->db, &change, at, note), "closing");
}

void
catalogue_page_keep(struct req *rq)
{
	const struct catalogue_change	change = change_of(rq);

	answer(rq, catalogue_db_keep(rq->db, &change), "kept");
}

struct catalogue_product *
catalogue_page_find(struct req *rq)
{
	const char			*id = req_param(rq, "id");
	struct catalogue_product	*product = NULL;

	if (uuid_shaped(id))
		product = catalogue_db_find(rq->db, id);
	if (product == NULL)
		req_not_found(rq);
	return (product);
}

int64_t
catalogue_page_version(struct req *rq)
{
	int64_t	version;

	return (str_to_int(req_form(rq, "version"), 1, INT32_MAX, &version) ?
	    version : 0);
}

void
catalogue_page_late(struct req *rq, struct view *v, const char *id)
{
	struct catalogue_events	events = catalogue_db_events(rq->db, id);

	view_bool(v, "is_late", true);
	view_text(v, "late_by", events.n == 0 || *events.list[0].person ==
	    '\0' ? "The system" : events.list[0].person);
	view_text(v, "late_did", events.n == 0 ? "changed it" :
	    catalogue_did(events.list[0].action));
	view_text(v, "late_at", events.n == 0 ? "" :
	    clock_long(rq->arena, events.list[0].at));
}

void
catalogue_page_product(struct req *rq, int status, struct view *v)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const struct product		*p = &product->p;
	const struct key_rule		 rule = key_profile_db_of(rq->db,
	    p->id);
	const struct product_scopes		 scopes = product_scope_db_list(rq->db, p->id);
	const char			*done = req_query(rq, "done");

	show_row(rq, v, product);
	view_text(v, "description_html", "");
	if (!markdown_empty(p->description))
		view_html(v, "description_html", markdown_html(rq->arena,
		    p->description, 3));
	view_text(v, "summary", p->summary);
	view_text(v, "base_url", p->base_url);
	view_text(v, "example_path", p->example_path);
	view_bool(v, "needs_api_user", p->needs_api_user);
	view_bool(v, "one_key", p->one_key_per_tenant);
	view_bool(v, "by_checks", p->by_checks);
	view_int(v, "approval_delay", p->approval_delay_min);
	view_int(v, "terms_version", p->terms_version);
	view_bool(v, "has_terms", p->terms_version != 0);
	view_int(v, "version", p->version);
	view_bool(v, "can_edit", rq->session->kind == ACCOUNT_ADMIN);
	show_state(rq, v, product);
	show_resources(rq, v, p->id);
	view_text(v, "key_profile", rule.profile.title);
	key_profile_view(rq->arena, v, &rule);
	product_scope_view(rq->arena, v, &scopes);
	show_events(rq, v, p->id);
	view_text(v, "done", done == NULL ? "" : done_says(done));
	if (!view_has(v, "is_late"))
		view_bool(v, "is_late", false);
	form_fields(v, "day", "note", NULL);
	if (!view_has(v, "typed_day")) {
		view_text(v, "typed_day", "");
		view_text(v, "typed_note", "");
	}
	respond_page(rq, status, "products/staff_product", v);
}

/* What a list says of a product, and its page in its head. */
static void
show_row(struct req *rq, struct view *v, const struct catalogue_product *row)
{
	struct product_badge	badge = catalogue_badge(row->p.state);

	view_text(v, "id", row->p.id);
	view_text(v, "slug", row->p.slug);
	view_text(v, "product", row->p.name);
	view_text(v, "tone", badge.tone);
	view_text(v, "icon", badge.icon);
	view_text(v, "state", badge.text);
	view_text(v, "plan", product_plan(rq->arena, &row->p));
	view_text(v, "keys", counted(rq->arena, row->keys, "key", "keys"));
	view_text(v, "requests", counted(rq->arena, row->requests, "request",
	    "requests"));
	view_bool(v, "has_keys", row->keys > 0);
	view_bool(v, "has_requests", row->requests > 0);
}

static const char *
counted(struct arena *a, int64_t n, const char *one, const char *many)
{
	if (n > CATALOGUE_KEYS_MAX)
		return (arena_fmt(a, "1,000+ %s", many));
	return (arena_fmt(a, "%s %s", product_number(a, n),
	    n == 1 ? one : many));
}

static void
show_resources(struct req *rq, struct view *v, const char *id)
{
	struct product_resources	 list = product_db_resources(rq->db,
					    id);
	struct view			*row;
	int				 i;

	view_bool(v, "has_resources", list.n > 0);
	view_list(v, "resources");
	for (i = 0; i < list.n; i++) {
		row = view_row(v, "resources");
		view_text(row, "name", list.list[i].name);
		view_text(row, "note", list.list[i].note);
		view_text(row, "path", list.list[i].path);
		view_text(row, "operations", list.list[i].operations);
	}
}

static void
show_events(struct req *rq, struct view *v, const char *id)
{
	struct catalogue_events	 events = catalogue_db_events(rq->db, id);
	struct view		*row;
	int			 i;

	view_list(v, "events");
	for (i = 0; i < events.n; i++) {
		row = view_row(v, "events");
		view_text(row, "did", catalogue_did(events.list[i].action));
		view_text(row, "by", *events.list[i].person == '\0' ?
		    "The system" : events.list[i].person);
		view_text(row, "at", clock_long(rq->arena, events.list[i].at));
		view_text(row, "iso", clock_iso(rq->arena, events.list[i].at));
	}
}

static void
show_state(struct req *rq, struct view *v,
    const struct catalogue_product *product)
{
	const struct product	*p = &product->p;
	bool			 may = rq->session->kind == ACCOUNT_ADMIN;

	view_bool(v, "is_draft", p->state == PRODUCT_DRAFT);
	view_bool(v, "is_hidden", p->state == PRODUCT_HIDDEN);
	view_bool(v, "is_closing", p->state == PRODUCT_CLOSING);
	view_bool(v, "is_closed", p->state == PRODUCT_CLOSED);
	view_bool(v, "can_publish", may && (p->state == PRODUCT_DRAFT ||
	    p->state == PRODUCT_HIDDEN || p->state == PRODUCT_CLOSED));
	view_bool(v, "can_hide", may && p->state == PRODUCT_PUBLISHED);
	view_bool(v, "can_close", may && (p->state == PRODUCT_PUBLISHED ||
	    p->state == PRODUCT_HIDDEN));
	view_bool(v, "can_keep", may && p->state == PRODUCT_CLOSING);
	view_text(v, "closes_at", p->closes_at == 0 ? "" :
	    clock_long(rq->arena, p->closes_at));
	view_text(v, "closing_note", p->closing_note);
}

static const char *
done_says(const char *word)
{
	static const char *const	said[][2] = {
		{ "made", "The draft is saved. Only staff see it until it is "
		    "published." },
		{ "saved", "What you changed is saved." },
		{ "published", "It is published. Contacts see it in the "
		    "catalogue and can ask for a key." },
		{ "hidden", "It is hidden. Nobody new can ask for it; keys go "
		    "on." },
		{ "closing", "The closing is on its way." },
		{ "kept", "The closing is stopped. Those who were told of it "
		    "are told." },
	};
	size_t				i;

	for (i = 0; i < COUNT(said); i++)
		if (str_eq(word, said[i][0]))
			return (said[i][1]);
	return ("");
}

static void
answer(struct req *rq, enum catalogue_result result, const char *done)
{
	struct view	*v;

	if (result == CATALOGUE_DONE) {
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=%s", req_param(rq, "id"), done));
		return;
	}
	/* It changed since the page was made, or there is none. */
	(void)catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, req_param(rq, "id"));
	catalogue_page_product(rq, 409, v);
}

static struct catalogue_change
change_of(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id))
		req_not_found(rq);
	return ((struct catalogue_change){
		.who = rq->session->account_id, .id = id,
		.version = catalogue_page_version(rq),
	});
}
