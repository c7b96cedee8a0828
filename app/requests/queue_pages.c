/*
 * The queue of staff: the list with its filters, what came in meanwhile, who
 * has taken what, saved filters, and whose key was pasted.  A whole key comes
 * in the body of a POST only: addresses stand in histories and logs.
 */
#include "requests/queue.h"

#include "base/clock.h"
#include "crypto/token.h"
#include "products/product.h"
#include "requests/reason.h"
#include "requests/request_view_pages.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "vault/vault.h"

/* What a page says of a state and an order. */
static const char *const state_texts[QUEUE_STATES] = { "Waits for us",
	"Waits for the contact", "Open", "Approved", "Shared", "Rejected",
	"Withdrawn", "Decided", "Any" };
static const char *const state_phrases[QUEUE_STATES] = { "waiting for us",
	"waiting for the contact", "open", "approved", "shared", "rejected",
	"withdrawn", "decided", "in all" };
static const char *const sort_texts[QUEUE_SORTS] = { "Oldest first",
	"Newest first", "Due first", "By name" };
static const char *const sort_phrases[QUEUE_SORTS] = { "the oldest first",
	"the newest first", "the most urgent first", "by name" };

static const char *number(struct arena *, int64_t);
static const char *caption(struct arena *, const struct queue_filter *,
		    const struct queue_counts *, int shown);
static void	show_tabs(struct req *, struct view *,
		    const struct queue_filter *, const struct queue_counts *);
WAITS static void show_products(struct req *, struct view *,
		    struct queue_filter *);
static void	show_choices(struct view *, const struct queue_filter *);
WAITS static void show_saved(struct req *, struct view *,
		    const struct queue_filter *);
static void	show_kept(struct view *, const struct queue_filter *);
static void	show_row(struct req *, struct view *, const struct queue_row *);
static void	show_standing(struct req *, struct view *,
		    const struct queue_row *);
static bool	is_ticked(struct req *, const char *id);
static const char *rest_of(struct arena *, const char *path);
WAITS static void take(struct req *, const char *to);

void
queue_page(struct req *rq)
{
	queue_page_respond(rq, 200, view_new(rq->arena), req_query);
}

void
queue_page_news(struct req *rq)
{
	const char		*since = req_query(rq, "since");
	struct queue_filter	 f;
	struct view		*unused = view_new(rq->arena);
	int64_t			 at;

	(void)queue_filter_read(rq->arena, rq, req_query, &f);
	show_products(rq, unused, &f);
	if (since == NULL || !str_to_int(since, 0, INT64_C(1) << 52, &at))
		req_fail(rq, 422, "since_is_no_instant");
	respond_json(rq, 200, arena_fmt(rq->arena, "{\"count\":%lld}",
	    (long long)queue_db_news(rq->db, &f, rq->session->account_id,
	    at)));
}

void
queue_page_key(struct req *rq)
{
	const char		*key = queue_key(rq->arena, req_form(rq, "key"));
	struct queue_key	*found;
	struct tenant_badge	 badge;
	struct view		*v = view_new(rq->arena);

	if (key == NULL) {
		form_error(v, "key", "A key has 32 characters, the digits 0 to "
		    "9 and the letters a to f. Paste the whole of it.");
		queue_page_respond(rq, 422, v, req_form);
		return;
	}
	found = queue_db_key(rq->db, vault, key);
	view_bool(v, "is_found", found != NULL);
	view_text(v, "last4", found == NULL ? "" : found->last4);
	if (found != NULL) {
		badge = tenant_key_badge(found->subscription_state);
		view_text(v, "slot", found->slot);
		view_bool(v, "is_current", str_eq(found->state, "current"));
		view_bool(v, "is_old", str_eq(found->state, "old"));
		view_text(v, "name", found->name);
		view_text(v, "product", found->product);
		view_text(v, "tone", badge.tone);
		view_text(v, "icon", badge.icon);
		view_text(v, "state", badge.text);
		view_text(v, "code", found->tenant_code);
		view_text(v, "client", found->tenant_name);
	}
	respond_page(rq, 200, "requests/queue_key", v);
}

void
queue_page_save(struct req *rq)
{
	const char		*name = req_form_line(rq, "name");
	struct view		*v = view_new(rq->arena);
	struct queue_filter	 f;

	(void)queue_filter_read(rq->arena, rq, req_form, &f);
	f.search = f.after = "";
	if (*name == '\0' || str_chars(name) > QUEUE_FILTER_NAME_MAX ||
	    str_has_control(name) || str_has_hidden(name, true))
		form_error(v, "name", "Write a name of up to 40 characters.");
	else if (!queue_db_save(rq->db, rq->session->account_id, name,
	    queue_filter_text(rq->arena, &f)))
		form_error(v, "name", "You have 20 saved filters. Remove one "
		    "first.");
	if (form_has_errors(v)) {
		view_text(v, "name", name);
		queue_page_respond(rq, 422, v, req_form);
		return;
	}
	respond_see_other(rq, queue_filter_path(rq->arena, &f));
}

void
queue_page_forget(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id) ||
	    !queue_db_forget(rq->db, rq->session->account_id, id))
		req_not_found(rq);
	respond_see_other(rq, "/staff/queue");
}

void
queue_page_take(struct req *rq)
{
	take(rq, rq->session->account_id);
}

void
queue_page_let_go(struct req *rq)
{
	take(rq, "");
}

void
queue_page_respond(struct req *rq, int status, struct view *v,
    queue_get_fn get)
{
	const char		*me = rq->session->account_id;
	struct arena		*a = rq->arena;
	struct queue_filter	 f, next;
	struct queue_counts	 counts;
	struct queue_list	 list;
	bool			 pasted, searched;
	int			 i;

	pasted = queue_filter_read(rq->arena, rq, get, &f);
	searched = *f.search != '\0';
	show_products(rq, v, &f);
	counts = queue_db_counts(rq->db, &f, me);
	list = searched ? queue_db_search(rq->db, &f, me) :
	    queue_db_list(rq->db, &f, me);
	next = f;
	next.after = list.next_after;
	form_fields(v, "key", "name", "reason", "rows", NULL);
	view_bool(v, "is_pasted", pasted);
	view_text(v, "q", f.search);
	view_bool(v, "is_search", searched);
	view_bool(v, "can_widen", searched && f.state != QUEUE_ANY);
	view_text(v, "caption", caption(a, &f, &counts, list.n));
	show_tabs(rq, v, &f, &counts);
	show_choices(v, &f);
	show_saved(rq, v, &f);
	show_kept(v, &f);
	view_bool(v, "has_rows", list.n > 0);
	view_list(v, "rows");
	for (i = 0; i < list.n; i++)
		show_row(rq, view_row(v, "rows"), &list.list[i]);
	view_bool(v, "is_first", *f.after == '\0');
	view_bool(v, "is_all", *f.after == '\0' && !searched &&
	    *queue_filter_text(a, &f) == '\0');
	view_bool(v, "has_pages", *f.after != '\0' ||
	    *list.next_after != '\0');
	view_text(v, "next_query", *list.next_after == '\0' ? "" :
	    rest_of(a, queue_filter_path(a, &next)));
	next.after = "";
	view_text(v, "first_query", rest_of(a, queue_filter_path(a, &next)));
	next.state = QUEUE_ANY;
	view_text(v, "widen_query", rest_of(a, queue_filter_path(a, &next)));
	/* Only what can come into this list is told of. */
	view_text(v, "news_query", searched || f.is_overdue || (f.state !=
	    QUEUE_US && f.state != QUEUE_OPEN && f.state != QUEUE_ANY) ? "" :
	    arena_fmt(a, "%s&since=%lld", queue_filter_text(a, &f),
	    (long long)counts.as_of));
	if (!view_has(v, "name"))
		view_text(v, "name", "");
	if (!view_has(v, "reason"))
		view_text(v, "reason", "");
	if (!view_has(v, "reasons"))
		reason_view(rq, v, NULL);
	respond_page(rq, status, "requests/queue", v);
}

/* "1,000+" for more than we count. */
static const char *
number(struct arena *a, int64_t n)
{
	return (n > QUEUE_COUNT_MAX ? "1,000+" : product_number(a, n));
}

static const char *
caption(struct arena *a, const struct queue_filter *f,
    const struct queue_counts *counts, int shown)
{
	if (*f->search != '\0')
		return (shown == 1 && *f->after == '\0' ? "1 request found" :
		    "Requests found, the likeliest first");
	return (arena_fmt(a, "%s %s %s%s%s%s%s", number(a, counts->here),
	    counts->here == 1 ? "request" : "requests",
	    state_phrases[f->state], f->is_overdue ? ", overdue" : "",
	    f->is_mine ? ", taken by you" : "",
	    counts->here == 1 ? "" : ", ",
	    counts->here == 1 ? "" : sort_phrases[f->sort]));
}

static void
show_tabs(struct req *rq, struct view *v, const struct queue_filter *f,
    const struct queue_counts *counts)
{
	const struct {
		const char	*query, *text;
		int64_t		 count;
		bool		 is_here;
	} tabs[] = {
		{ "state=us", "Waiting for us", counts->us,
		    f->state == QUEUE_US && !f->is_mine && !f->is_overdue },
		{ "overdue=1&sort=due", "Overdue", counts->overdue,
		    f->is_overdue && !f->is_mine },
		{ "state=open&mine=1", "Mine", counts->mine,
		    f->is_mine && f->state == QUEUE_OPEN },
		{ "state=contact", "Waiting for the contact", counts->contact,
		    f->state == QUEUE_CONTACT && !f->is_mine },
		{ "state=decided&sort=newest", "Decided", counts->decided,
		    f->state == QUEUE_DECIDED && !f->is_mine },
	};
	struct view	*row;
	size_t		 i;

	for (i = 0; i < COUNT(tabs); i++) {
		row = view_row(v, "tabs");
		view_text(row, "query", tabs[i].query);
		view_text(row, "text", tabs[i].text);
		view_text(row, "count", number(rq->arena, tabs[i].count));
		view_bool(row, "is_here", tabs[i].is_here &&
		    *f->search == '\0' && *f->product == '\0');
	}
}

/* For choosing, and its id into the filter; a slug of none is forgotten. */
WAITS static void
show_products(struct req *rq, struct view *v, struct queue_filter *f)
{
	struct queue_products	 products = queue_db_products(rq->db);
	struct view		*row;
	bool			 is_chosen;
	int			 i;

	view_list(v, "products");
	for (i = 0; i < products.n; i++) {
		is_chosen = str_eq(products.list[i].slug, f->product);
		row = view_row(v, "products");
		view_text(row, "slug", products.list[i].slug);
		view_text(row, "text", products.list[i].name);
		view_bool(row, "is_chosen", is_chosen);
		if (is_chosen)
			f->product_id = products.list[i].id;
	}
	if (f->product_id == NULL)
		f->product = "";
}

static void
show_choices(struct view *v, const struct queue_filter *f)
{
	struct view	*row;
	int		 i;

	for (i = 0; i < QUEUE_STATES; i++) {
		row = view_row(v, "states");
		view_text(row, "value", queue_state_word((enum queue_state)i));
		view_text(row, "text", state_texts[i]);
		view_bool(row, "is_chosen", (int)f->state == i);
	}
	for (i = 0; i < QUEUE_SORTS; i++) {
		row = view_row(v, "sorts");
		view_text(row, "value", queue_sort_word((enum queue_sort)i));
		view_text(row, "text", sort_texts[i]);
		view_bool(row, "is_chosen", (int)f->sort == i);
	}
	view_bool(v, "is_mine", f->is_mine);
	view_bool(v, "is_overdue", f->is_overdue);
}

WAITS static void
show_saved(struct req *rq, struct view *v, const struct queue_filter *f)
{
	const char		*here = queue_filter_text(rq->arena, f);
	struct queue_saved_list	 saved;
	struct view		*row;
	bool			 is_here, any = false;
	int			 i;

	saved = queue_db_saved(rq->db, rq->session->account_id);
	view_list(v, "saved");
	for (i = 0; i < saved.n; i++) {
		is_here = str_eq(saved.list[i].filter, here) &&
		    *f->search == '\0';
		any = any || is_here;
		row = view_row(v, "saved");
		view_text(row, "id", saved.list[i].id);
		view_text(row, "text", saved.list[i].name);
		view_text(row, "query", saved.list[i].filter);
		view_bool(row, "is_here", is_here);
	}
	view_bool(v, "has_saved", saved.n > 0);
	view_bool(v, "can_save", form_has_errors(v) || (*f->search == '\0' &&
	    *here != '\0' && !any));
}

/* Hidden fields, so that an answer leads back to the same page. */
static void
show_kept(struct view *v, const struct queue_filter *f)
{
	const struct {
		const char	*name, *value;
	} kept[] = {
		{ "state", queue_state_word(f->state) },
		{ "product", f->product },
		{ "mine", f->is_mine ? "1" : "" },
		{ "overdue", f->is_overdue ? "1" : "" },
		{ "sort", queue_sort_word(f->sort) },
		{ "q", f->search },
		{ "after", f->after },
	};
	struct view	*row;
	size_t		 i;

	view_list(v, "kept");
	for (i = 0; i < COUNT(kept); i++) {
		if (*kept[i].value == '\0')
			continue;
		row = view_row(v, "kept");
		view_text(row, "field", kept[i].name);
		view_text(row, "value", kept[i].value);
	}
}

static void
show_row(struct req *rq, struct view *row, const struct queue_row *q)
{
	const struct request		*r = q->request;
	struct request_checks		 checks = request_check(rq->arena, r);
	const struct request_candidate	*c = &r->candidates[0];
	const char			*me = rq->session->account_id;
	struct view			*badge;
	bool				 known, open;
	int				 i;

	known = r->candidates_n > 0 && (c->is_own || c->by_name || c->by_code);
	open = r->state == REQUEST_SUBMITTED;
	view_text(row, "id", r->id);
	view_text(row, "request", r->name);
	view_text(row, "person", r->person);
	view_text(row, "email", r->email);
	view_text(row, "client_name", known ? c->name : open ?
	    "Not known" : r->client);
	view_text(row, "client_note", known ? c->code :
	    open ? "Would be a new client" : "");
	view_bool(row, "is_open", open);
	view_bool(row, "is_ticked", is_ticked(rq, r->id));
	view_list(row, "checks");
	if (open && !known && r->near >= REQUEST_NEAR_LISTED) {
		badge = view_row(row, "checks");
		view_text(badge, "tone", "is-warn");
		view_text(badge, "icon", "search");
		view_text(badge, "text", arena_fmt(rq->arena,
		    "Like %s, %lld per cent", r->near_code,
		    (long long)r->near));
	}
	for (i = 0; open && i < checks.n; i++) {
		if (*checks.list[i].badge == '\0')
			continue;
		badge = view_row(row, "checks");
		view_text(badge, "tone", checks.list[i].tone);
		view_text(badge, "icon", checks.list[i].icon);
		view_text(badge, "text", checks.list[i].badge);
	}
	if (open && checks.warnings == 0) {
		badge = view_row(row, "checks");
		view_text(badge, "tone", "is-good");
		view_text(badge, "icon", "check-circle");
		view_text(badge, "text", "All fit");
	}
	show_standing(rq, row, q);
	view_text(row, "sent_ago", clock_ago(rq->arena, r->submitted_at,
	    rq->now));
	view_text(row, "taken_by", q->taken_by);
	view_text(row, "taken_name", str_eq(q->taken_by, me) ? "You" :
	    *q->taken_by != '\0' && *q->taken_name == '\0' ? "Somebody" :
	    q->taken_name);
	view_bool(row, "is_taken", *q->taken_by != '\0');
	view_bool(row, "can_take", open && !str_eq(q->taken_by, me));
	view_bool(row, "can_let_go", open && str_eq(q->taken_by, me));
}

/* When it is due, whom it waits for, or how it ended. */
static void
show_standing(struct req *rq, struct view *row, const struct queue_row *q)
{
	static const struct {
		const char	*standing;
		struct request_due due;
	} ends[] = {
		{ "contact", { "is-warn", "chat", "Waits for the contact" } },
		{ "approved", { "is-good", "check-circle", "Approved" } },
		{ "shared", { "is-good", "share", "Shared" } },
		{ "rejected", { "is-bad", "x-circle", "Rejected" } },
		{ "withdrawn", { "is-calm", "ban", "Withdrawn" } },
	};
	struct request_due	due;
	size_t			i;

	due = request_due(rq->arena, q->request->due_at, rq->now);
	for (i = 0; i < COUNT(ends); i++) {
		if (str_eq(ends[i].standing, q->standing))
			due = ends[i].due;
	}
	view_text(row, "due_tone", due.tone);
	view_text(row, "due_icon", due.icon);
	view_text(row, "due_text", due.text);
}

/* In the form that is answered. */
static bool
is_ticked(struct req *rq, const char *id)
{
	size_t	i;

	for (i = 0; i < rq->form.n; i++) {
		if (str_eq(rq->form.list[i].name, "id") &&
		    str_eq(rq->form.list[i].value, id))
			return (true);
	}
	return (false);
}

/* What stands behind "/staff/queue?". */
static const char *
rest_of(struct arena *a, const char *path)
{
	const char	*mark = strchr(path, '?');

	return (mark == NULL ? "" : arena_strdup(a, mark + 1));
}

/* 303 back to the list; 409 when somebody was faster. */
WAITS static void
take(struct req *rq, const char *to)
{
	const char		*id = req_param(rq, "id");
	const char		*from = req_form(rq, "from");
	struct request		*r;
	struct queue_filter	 f;
	struct queue_list	 list;
	struct view		*v;

	if (!uuid_shaped(id))
		req_not_found(rq);
	/* Only one's own can be let go. */
	if (*to == '\0')
		from = rq->session->account_id;
	if (*from != '\0' && !uuid_shaped(from))
		req_fail(rq, 422, "from_is_no_id");
	switch (queue_db_take(rq->db, rq->session->account_id, id, from, to)) {
	case QUEUE_TAKE_DONE:
		(void)queue_filter_read(rq->arena, rq, req_form, &f);
		respond_see_other(rq, arena_fmt(rq->arena, "%s#r-%s",
		    queue_filter_path(rq->arena, &f), id));
		return;
	case QUEUE_TAKE_NONE:
		req_not_found(rq);
	case QUEUE_TAKE_LATE:
		break;
	}
	r = request_db_find(rq->db, id);
	if (r == NULL)
		req_not_found(rq);
	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	list = queue_db_one(rq->db, id);
	v = view_new(rq->arena);
	view_text(v, "id", r->id);
	view_text(v, "request", r->name);
	view_text(v, "person", r->person);
	view_text(v, "taken_name", list.n == 0 || *list.list[0].taken_by ==
	    '\0' ? "" : *list.list[0].taken_name == '\0' ? "Somebody" :
	    list.list[0].taken_name);
	view_bool(v, "is_mine", list.n > 0 && str_eq(list.list[0].taken_by,
	    rq->session->account_id));
	respond_page(rq, 409, "requests/queue_taken", v);
}
