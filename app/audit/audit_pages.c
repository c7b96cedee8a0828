/*
 * Pages of the audit: filters in, rows out.
 */
#include "audit/audit_pages.h"

#include <time.h>

#include "base/clock.h"
#include "crypto/token.h"
#include "mail/address.h"
#include "sessions/session.h"
#include "web/respond.h"

#define QUERY_MAX	1024	/* bytes of the filters in a link */
#define CODE_MAX	32
#define DETAIL_MAX	2048	/* bytes shown of a detail */

WAITS static void show(struct req *);
static void	 read_actor(struct req *, struct view *, const char *typed,
		    struct audit_filter *);
static int64_t	 read_day(struct view *, const char *name, const char *typed);
static bool	 read_place(struct req *, struct audit_place *);
static const char *typed(struct req *, const char *name);
static void	 add_query(struct buf *, const char *name, const char *value);
static void	 show_filters(struct req *, struct view *);
static void	 show_row(struct req *, struct view *,
		    const struct audit_entry *);
static const char *detail_words(struct arena *, const char *json);

void
audit_page(struct req *rq)
{
	show(rq);
}

void
audit_page_staff(struct req *rq)
{
	show(rq);
}

struct audit_filter
audit_filter_read(struct req *rq, struct view *view)
{
	const struct session	*s = rq->session;
	struct audit_filter	 f = { .tenant_id = NULL };
	const char		*code = typed(rq, "tenant");
	const char		*action = typed(rq, "action");

	if (s->kind == ACCOUNT_CONTACT) {
		if (s->role != MEMBER_OWNER || s->tenant_id == NULL)
			req_not_found(rq);
		f.tenant_id = s->tenant_id;
	} else if (*code != '\0') {
		f.tenant_code = str_upper(rq->arena, code);
		if (strlen(code) > CODE_MAX)
			form_error(view, "tenant", "A code has up to 32 "
			    "characters, as ALTWORX.");
	}
	read_actor(rq, view, typed(rq, "actor"), &f);
	if (*action != '\0')
		f.action = action;
	f.from = read_day(view, "from", typed(rq, "from"));
	f.until = read_day(view, "to", typed(rq, "to"));
	if (f.until != 0) {
		f.until += DAY_US;
		if (f.until <= f.from)
			form_error(view, "to", "The last day is before the "
			    "first one.");
	}
	return (f);
}

const char *
audit_actor(const struct req *rq, const struct audit_entry *e)
{
	if (str_eq(e->actor_kind, "visitor"))
		return ("Somebody not signed in");
	if (str_eq(e->actor_kind, "operator"))
		return ("An operator, on the server");
	if (str_eq(e->actor_kind, "system"))
		return ("The portal");
	if (e->by_staff && rq->session->kind == ACCOUNT_CONTACT)
		return ("Staff");
	if (*e->actor == '\0')
		return ("Somebody whose account is closed");
	return (e->actor);
}

WAITS static void
show(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct audit_filter	 filter;
	struct audit_place	 place = { .at = 0 };
	struct audit_entries	 e = { .n = 0 };
	struct audit_entry	*last;
	bool			 behind;
	int			 i;

	filter = audit_filter_read(rq, view);
	behind = read_place(rq, &place);
	if (!form_has_errors(view))
		e = audit_db_page(rq->db, &filter, &place);
	show_filters(rq, view);
	form_fields(view, "tenant", "actor", "from", "to", NULL);
	view_bool(view, "is_first", !behind);
	view_bool(view, "has_rows", e.n > 0);
	view_list(view, "rows");
	for (i = 0; i < e.n; i++)
		show_row(rq, view_row(view, "rows"), &e.list[i]);
	last = e.n > 0 ? &e.list[e.n - 1] : NULL;
	view_text(view, "next_before", !e.more ? "" : arena_fmt(rq->arena,
	    "%lld.%s", (long long)last->at, last->id));
	respond_page(rq, form_has_errors(view) ? 422 : 200, "audit/audit",
	    view);
}

/* An address, an id, or the kind of those who have no account. */
static void
read_actor(struct req *rq, struct view *view, const char *text,
    struct audit_filter *f)
{
	static const char	*const kinds[] = { "visitor", "operator",
		"system" };
	struct address		 address;
	size_t			 i;

	if (*text == '\0')
		return;
	for (i = 0; i < COUNT(kinds); i++)
		if (str_eq_nocase(text, kinds[i])) {
			f->actor_kind = kinds[i];
			return;
		}
	if (uuid_shaped(text))
		f->actor_id = text;
	else if (address_parse(rq->arena, text, &address) == ADDRESS_GOOD)
		f->actor_email = address.folded;
	else
		form_error(view, "actor", "Write an e-mail address, or "
		    "visitor, operator or system.");
}

/* The day's beginning in UTC; 0 when none is typed. */
static int64_t
read_day(struct view *view, const char *name, const char *text)
{
	struct tm	 tm = { .tm_year = 0 };
	const char	*end;

	if (*text == '\0')
		return (0);
	end = strptime(text, "%Y-%m-%d", &tm);
	if (end == NULL || *end != '\0' || strlen(text) != 10 ||
	    tm.tm_year < 100) {
		form_error(view, name, "Write the day as in 2026-11-22.");
		return (0);
	}
	return ((int64_t)timegm(&tm) * SECOND_US);
}

/* ?before=<microseconds>.<id>; what is none begins at the beginning. */
static bool
read_place(struct req *rq, struct audit_place *place)
{
	const char	*text = req_query(rq, "before");
	const char	*dot = text == NULL ? NULL : strchr(text, '.');
	int64_t		 at, id;

	if (dot == NULL || !str_to_int(arena_strndup(rq->arena, text,
	    (size_t)(dot - text)), 1, 7258118400 * SECOND_US, &at) ||
	    !str_to_int(dot + 1, 1, INT64_MAX, &id))
		return (false);
	*place = (struct audit_place){ .at = at, .id = dot + 1 };
	return (true);
}

/* Of the query, squeezed; "" for what is too long to be any. */
static const char *
typed(struct req *rq, const char *name)
{
	const char	*text = req_query(rq, name);

	if (text == NULL || strlen(text) > ADDRESS_MAX ||
	    str_has_control(text))
		return ("");
	return (str_squeeze(rq->arena, text));
}

static void
add_query(struct buf *b, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	buf_fmt(b, "%s%s=", b->n > 0 ? "&" : "", name);
	buf_url(b, value);
}

static void
show_filters(struct req *rq, struct view *view)
{
	static const char	*const names[] = { "tenant", "actor", "action",
		"from", "to" };
	const struct audit_action *list;
	struct view		*row;
	struct buf		 b;
	size_t			 i, n;

	buf_init(&b, rq->arena, 4 * QUERY_MAX);
	for (i = 0; i < COUNT(names); i++) {
		view_text(view, names[i], typed(rq, names[i]));
		add_query(&b, names[i], typed(rq, names[i]));
	}
	view_text(view, "filters", buf_text(&b));
	list = audit_actions(&n);
	for (i = 0; i < n; i++) {
		row = view_row(view, "actions");
		view_text(row, "code", list[i].action);
		view_text(row, "words", list[i].words);
		view_bool(row, "is_chosen",
		    str_eq(list[i].action, typed(rq, "action")));
	}
}

static void
show_row(struct req *rq, struct view *v, const struct audit_entry *e)
{
	bool	staff = rq->session->kind != ACCOUNT_CONTACT;
	bool	hidden = e->by_staff && !staff;

	view_text(v, "at", clock_long(rq->arena, e->at));
	view_text(v, "iso", clock_iso(rq->arena, e->at));
	view_text(v, "who", audit_actor(rq, e));
	view_text(v, "who_id", hidden ? "" : e->actor_id);
	view_text(v, "what", audit_words(e->action));
	view_text(v, "detail", detail_words(rq->arena, e->detail));
	view_text(v, "code", e->tenant_code);
	view_text(v, "client", e->tenant);
	/* A row on oneself names nobody twice. */
	view_text(v, "subject", str_eq(e->subject_id, e->actor_id) ? "" :
	    e->subject);
	view_text(v, "subject_id", e->subject_id);
	view_bool(v, "to_person", staff &&
	    str_eq(e->subject_kind, "account"));
	view_bool(v, "to_request", staff &&
	    str_eq(e->subject_kind, "request"));
}

/*
 * {"slot": "primary", "key": "0189..."} as "slot primary".  Details hold codes
 * and ids only (audit_write), so quotes and braces are marks; ids tell people
 * nothing.
 */
static const char *
detail_words(struct arena *a, const char *json)
{
	struct buf	 b;
	const char	*name, *value;
	size_t		 n_name, n_value;

	buf_init(&b, a, DETAIL_MAX);
	for (json += strspn(json, "{}\", "); *json != '\0';
	    json += strspn(json, "{}\", ")) {
		name = json;
		n_name = strcspn(json, "\"");
		json += n_name;
		json += strspn(json, "\": ");
		value = json;
		n_value = strcspn(json, "\",}");
		json += n_value;
		if (uuid_shaped(arena_strndup(a, value, n_value)))
			continue;
		buf_fmt(&b, "%s%.*s %.*s", b.n > 0 ? ", " : "", (int)n_name,
		    name, (int)n_value, value);
	}
	return (buf_text(&b));
}
