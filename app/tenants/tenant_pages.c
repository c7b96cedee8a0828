/*
 * The clients, for staff: a list by code with its search, and a page for each.
 */
#include "base/clock.h"
#include "accounts/account.h"
#include "tenants/tenant_edit.h"
#include "web/respond.h"

static const char *count_text(struct arena *, const struct tenant_list *,
		    bool is_search);
static void	 show_facts(struct req *, struct view *,
		    const struct tenant_detail *);
static void	 show_lines(struct view *, const char *name, struct arena *,
		    const char *lines);
static void	 show_subscriptions(struct req *, struct view *,
		    const struct tenant_detail *);
static void	 show_requests(struct req *, struct view *,
		    const struct tenant_detail *);
static void	 show_contacts(struct req *, struct view *,
		    const struct tenant_detail *);
static void	 show_users(struct view *, struct req *,
		    const struct tenant_detail *);
static void	 show_events(struct req *, struct view *,
		    const struct tenant_detail *);

void
tenant_page_list(struct req *rq)
{
	const char		*after = req_query(rq, "after");
	const char		*typed = req_query(rq, "q");
	struct view		*v = view_new(rq->arena), *row;
	struct tenant_list	 list;
	const struct tenant	*t;
	struct tenant_badge	 badge;
	struct buf		 b;
	int			 i;

	typed = typed == NULL ? "" : str_squeeze(rq->arena, typed);
	if (str_chars(typed) > TENANT_QUERY_MAX || str_has_control(typed))
		typed = "";
	list = tenant_db_list(rq->db, typed, after == NULL ? "" : after);
	view_text(v, "q", typed);
	buf_init(&b, rq->arena, 12 * TENANT_QUERY_MAX + 1);
	buf_url(&b, typed);
	view_text(v, "q_url", buf_text(&b));
	view_bool(v, "is_short", *typed != '\0' && str_chars(typed) < 3);
	view_bool(v, "can_add", rq->session->kind == ACCOUNT_ADMIN);
	view_text(v, "count_text",
	    count_text(rq->arena, &list, *typed != '\0'));
	view_bool(v, "has_rows", list.n > 0);
	view_list(v, "rows");
	for (i = 0; i < list.n; i++) {
		t = &list.list[i];
		badge = tenant_key_badge(t->key_state);
		row = view_row(v, "rows");
		view_text(row, "code", t->code);
		view_text(row, "name", t->name);
		view_text(row, "aliases", t->aliases);
		view_text(row, "domains", t->domains);
		view_int(row, "contacts", t->contacts);
		view_bool(row, "is_closed", !t->is_active);
		view_text(row, "key_tone", badge.tone);
		view_text(row, "key_icon", badge.icon);
		view_text(row, "key_text", badge.text);
	}
	view_bool(v, "is_first", after == NULL || *after == '\0');
	view_text(v, "next_after", list.next_after);
	respond_page(rq, 200, "tenants/list", v);
}

void
tenant_page_show(struct req *rq)
{
	struct view	*view = view_new(rq->arena);
	struct tenant	*t = tenant_page_find(rq, "");

	if (t != NULL)
		tenant_page_respond(rq, 200, view, t->code);
}

WAITS struct tenant *
tenant_page_find(struct req *rq, const char *rest)
{
	const char	*code = req_param(rq, "code");
	const char	*upper = str_upper(rq->arena, code);
	struct tenant	*t;

	t = tenant_code_valid(upper) ? tenant_db_find(rq->db, upper) : NULL;
	if (t == NULL)
		req_not_found(rq);
	if (str_eq(t->code, code))
		return (t);
	respond_see_other(rq,
	    arena_fmt(rq->arena, "/staff/tenants/%s%s", t->code, rest));
	return (NULL);
}

WAITS void
tenant_page_respond(struct req *rq, int status, struct view *v,
    const char *code)
{
	struct tenant_detail	*d = tenant_db_detail(rq->db, code);
	bool			 is_admin = rq->session->kind == ACCOUNT_ADMIN;

	if (d == NULL)
		req_not_found(rq);
	show_facts(rq, v, d);
	show_subscriptions(rq, v, d);
	show_requests(rq, v, d);
	show_contacts(rq, v, d);
	show_users(v, rq, d);
	show_events(rq, v, d);
	view_bool(v, "can_edit", is_admin);
	view_bool(v, "can_close", is_admin && d->tenant.is_active);
	view_bool(v, "can_reopen", is_admin && !d->tenant.is_active);
	if (!view_has(v, "reason"))
		view_text(v, "reason", "");
	form_fields(v, "reason", "subscriptions", "requests", NULL);
	respond_page(rq, status, "tenants/tenant", v);
}

static const char *
count_text(struct arena *a, const struct tenant_list *list, bool is_search)
{
	const char	*found = is_search ? " found" : "";

	if (list->total > TENANT_TOTAL_MAX)
		return (arena_fmt(a, "1,000+ clients%s", found));
	return (arena_fmt(a, "%lld client%s%s", (long long)list->total,
	    list->total == 1 ? "" : "s", found));
}

static void
show_facts(struct req *rq, struct view *v, const struct tenant_detail *d)
{
	const struct tenant_facts	*f = &d->facts;

	view_text(v, "name", d->tenant.name);
	view_text(v, "code", d->tenant.code);
	view_text(v, "slug", d->tenant.slug);
	view_text(v, "aliases", d->tenant.aliases);
	view_text(v, "since", clock_date(rq->arena, d->tenant.created_at));
	view_text(v, "notices_to", f->notices_to);
	view_text(v, "notes", f->notes);
	show_lines(v, "hosts", rq->arena, f->hosts);
	show_lines(v, "domains", rq->arena, f->domains);
	show_lines(v, "designated", rq->arena, f->designated);
	view_bool(v, "has_hosts", *f->hosts != '\0');
	view_bool(v, "has_domains", *f->domains != '\0');
	view_bool(v, "has_designated", *f->designated != '\0');
	view_bool(v, "is_closed", !d->tenant.is_active);
	view_text(v, "closed_at",
	    f->ended_at == 0 ? "" : clock_long(rq->arena, f->ended_at));
	view_text(v, "closed_by",
	    *f->ended_by == '\0' ? "Somebody" : f->ended_by);
	view_text(v, "closed_why", f->ended_why);
}

/* A list of texts, of what is one a line. */
static void
show_lines(struct view *v, const char *name, struct arena *a, const char *lines)
{
	size_t	n;

	view_list(v, name);
	for (; *lines != '\0'; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		view_row_text(v, name, arena_strndup(a, lines, n));
	}
}

static void
show_subscriptions(struct req *rq, struct view *v,
    const struct tenant_detail *d)
{
	struct tenant_badge	 badge;
	struct view		*row;
	int			 i;

	view_bool(v, "has_subscriptions", d->subscriptions_n > 0);
	view_list(v, "subscriptions");
	for (i = 0; i < d->subscriptions_n; i++) {
		badge = tenant_key_badge(d->subscriptions[i].state);
		row = view_row(v, "subscriptions");
		view_text(row, "id", d->subscriptions[i].id);
		view_text(row, "title", d->subscriptions[i].name);
		view_text(row, "product", d->subscriptions[i].product);
		view_text(row, "tone", badge.tone);
		view_text(row, "icon", badge.icon);
		view_text(row, "state", badge.text);
		view_text(row, "approved_at",
		    clock_date(rq->arena, d->subscriptions[i].created_at));
		view_text(row, "approved_by", d->subscriptions[i].approved_by);
		view_text(row, "last4s", d->subscriptions[i].last4s);
	}
}

static void
show_requests(struct req *rq, struct view *v, const struct tenant_detail *d)
{
	struct tenant_badge	 badge;
	struct view		*row;
	int			 i;

	view_bool(v, "has_requests", d->requests_n > 0);
	view_list(v, "request_rows");
	for (i = 0; i < d->requests_n; i++) {
		badge = tenant_request_badge(d->requests[i].state);
		row = view_row(v, "request_rows");
		view_text(row, "id", d->requests[i].id);
		view_text(row, "title", d->requests[i].name);
		view_text(row, "product", d->requests[i].product);
		view_text(row, "person",
		    *d->requests[i].person == '\0' ?
			"Somebody whose account is closed" :
			d->requests[i].person);
		view_text(row, "tone", badge.tone);
		view_text(row, "icon", badge.icon);
		view_text(row, "state", badge.text);
		view_text(row, "sent",
		    clock_date(rq->arena, d->requests[i].submitted_at));
	}
}

static void
show_contacts(struct req *rq, struct view *v, const struct tenant_detail *d)
{
	struct view	*row;
	int		 i;

	view_bool(v, "has_contacts", d->contacts_n > 0);
	view_list(v, "contacts");
	for (i = 0; i < d->contacts_n; i++) {
		row = view_row(v, "contacts");
		view_text(row, "id", d->contacts[i].account_id);
		view_text(row, "person", d->contacts[i].person);
		view_text(row, "email", d->contacts[i].email);
		view_text(row, "role", tenant_role_word(d->contacts[i].role));
		view_text(row, "joined",
		    clock_date(rq->arena, d->contacts[i].joined_at));
	}
}

static void
show_users(struct view *v, struct req *rq, const struct tenant_detail *d)
{
	struct view	*row;
	int		 i;

	view_bool(v, "has_users", d->users_n > 0);
	view_list(v, "users");
	for (i = 0; i < d->users_n; i++) {
		row = view_row(v, "users");
		view_text(row, "username", arena_fmt(rq->arena, "%s@%s",
		    d->users[i].username, d->tenant.code));
		view_text(row, "integration", d->users[i].integration);
		view_bool(row, "is_enabled", str_eq(d->users[i].state,
		    "enabled"));
		view_text(row, "used", d->users[i].used_at == 0 ? "Never" :
		    clock_long(rq->arena, d->users[i].used_at));
	}
}

static void
show_events(struct req *rq, struct view *v, const struct tenant_detail *d)
{
	const struct tenant_event	*e;
	struct view			*row;
	int				 i;

	view_bool(v, "has_events", d->events_n > 0);
	view_list(v, "events");
	for (i = 0; i < d->events_n; i++) {
		e = &d->events[i];
		row = view_row(v, "events");
		view_text(row, "what",
		    tenant_event_words(rq->arena, e->action));
		view_text(row, "whom", e->subject);
		view_text(row, "who", tenant_event_actor(e));
		view_text(row, "at", clock_long(rq->arena, e->at));
		view_text(row, "iso", clock_iso(rq->arena, e->at));
	}
}
