/*
 * The list of notices, the choices of mail, and the way out of mail.
 */
#include "notices/notice_pages.h"

#include "base/clock.h"
#include "mail/link.h"
#include "sessions/session.h"
#include "web/respond.h"

#define FIELD_MAX	48		/* "mail_" and a kind of 40 */
#define FAR_US		(INT64_C(7258118400) * SECOND_US)	/* year 2200 */

static void	 read_place(struct req *, int64_t *ret_at, const char **ret_id);
static bool	 is_choice(const char *);
static const char *leaver(struct req *);
static void	 show_leave(struct req *, bool done);

void
notice_page(struct req *rq)
{
	struct view	*view = view_new(rq->arena), *row;
	struct notices	 n;
	const char	*id = NULL;
	int64_t		 at = 0;
	int		 i;

	read_place(rq, &at, &id);
	n = notice_db_page(rq->db, rq->session->account_id, at, id);
	view_bool(view, "is_first", id == NULL);
	view_bool(view, "has_rows", n.n > 0);
	view_bool(view, "has_unread", rq->session->unread > 0);
	/* What comes while the page is read is not marked with the rest. */
	view_text(view, "until", arena_fmt(rq->arena, "%lld",
	    (long long)(id == NULL && n.n > 0 ? n.list[0].at : rq->now)));
	view_list(view, "rows");
	for (i = 0; i < n.n; i++) {
		row = view_row(view, "rows");
		view_text(row, "id", n.list[i].id);
		view_text(row, "words", n.list[i].words);
		view_text(row, "at", clock_long(rq->arena, n.list[i].at));
		view_text(row, "iso", clock_iso(rq->arena, n.list[i].at));
		view_bool(row, "is_read", n.list[i].is_read);
	}
	view_text(view, "next_before", !n.more ? "" : arena_fmt(rq->arena,
	    "%lld.%s", (long long)n.list[n.n - 1].at, n.list[n.n - 1].id));
	respond_page(rq, 200, "notices/list", view);
}

void
notice_page_read(struct req *rq)
{
	int64_t	until;

	if (!str_to_int(req_form(rq, "until"), 1, FAR_US, &until))
		until = rq->now;
	notice_db_read_all(rq->db, rq->session->account_id, until);
	respond_see_other(rq, "/notices");
}

void
notice_page_open(struct req *rq)
{
	const char	*id = req_param(rq, "id"), *path = NULL;

	if (uuid_shaped(id))
		path = notice_db_open(rq->db, rq->session->account_id, id);
	if (path == NULL)
		req_not_found(rq);
	respond_see_other(rq, path);
}

void
notice_page_choices(struct req *rq)
{
	const struct session	*s = rq->session;
	struct view		*view = view_new(rq->arena), *row;
	struct notice_choices	 c;
	const char		*done = req_query(rq, "done");
	int			 i;

	c = notice_db_choices(rq->db, s->account_id,
	    s->kind != ACCOUNT_CONTACT);
	view_bool(view, "is_saved", done != NULL && str_eq(done, "saved"));
	view_list(view, "kinds");
	for (i = 0; i < c.n; i++) {
		row = view_row(view, "kinds");
		view_text(row, "kind", c.list[i].kind);
		view_text(row, "words", c.list[i].words);
		view_bool(row, "is_now", str_eq(c.list[i].choice, "now"));
		view_bool(row, "is_daily", str_eq(c.list[i].choice, "daily"));
		view_bool(row, "is_off", str_eq(c.list[i].choice, "off"));
	}
	respond_page(rq, 200, "notices/choices", view);
}

/* A kind that the form does not name stays as it is. */
void
notice_page_choose(struct req *rq)
{
	const struct session	 *s = rq->session;
	struct notice_choices	  c;
	const char		**kinds, **choices, *value;
	char			  field[FIELD_MAX];
	size_t			  n = 0;
	int			  i;

	c = notice_db_choices(rq->db, s->account_id,
	    s->kind != ACCOUNT_CONTACT);
	kinds = arena_calloc(rq->arena, (size_t)c.n, sizeof(*kinds));
	choices = arena_calloc(rq->arena, (size_t)c.n, sizeof(*choices));
	for (i = 0; i < c.n; i++) {
		(void)snprintf(field, sizeof(field), "mail_%s",
		    c.list[i].kind);
		value = req_form(rq, field);
		if (!is_choice(value))
			continue;
		kinds[n] = c.list[i].kind;
		choices[n++] = value;
	}
	notice_db_choose(rq->db, s->account_id, kinds, choices, n);
	respond_see_other(rq, "/account/notices?done=saved");
}

void
notice_page_leave_form(struct req *rq)
{
	(void)leaver(rq);
	show_leave(rq, false);
}

void
notice_page_leave(struct req *rq)
{
	const char	*account_id = leaver(rq);

	notice_db_unsubscribe(rq->db, account_id, req_param(rq, "kind"));
	show_leave(rq, true);
}

/* ?before=<microseconds>.<id>; what is none begins at the beginning. */
static void
read_place(struct req *rq, int64_t *ret_at, const char **ret_id)
{
	const char	*text = req_query(rq, "before");
	const char	*dot = text == NULL ? NULL : strchr(text, '.');
	int64_t		 at;

	if (dot == NULL || !uuid_shaped(dot + 1) ||
	    !str_to_int(arena_strndup(rq->arena, text, (size_t)(dot - text)),
	    1, FAR_US, &at))
		return;
	*ret_at = at;
	*ret_id = dot + 1;
}

static bool
is_choice(const char *text)
{
	return (str_eq(text, "now") || str_eq(text, "daily") ||
	    str_eq(text, "off"));
}

/* Whose link it is; 404 for one that we did not make. */
static const char *
leaver(struct req *rq)
{
	const char	*id = req_param(rq, "account");
	char		 token[TOKEN_TEXT];

	if (!uuid_shaped(id) || !link_unsubscribe(id, req_param(rq, "kind"),
	    token) || !token_eq(token, req_param(rq, "token")))
		req_not_found(rq);
	return (id);
}

static void
show_leave(struct req *rq, bool done)
{
	struct view	*view = view_new(rq->arena);

	view_bool(view, "is_done", done);
	view_bool(view, "is_digest",
	    str_eq(req_param(rq, "kind"), "digest"));
	view_text(view, "account_id", req_param(rq, "account"));
	view_text(view, "kind", req_param(rq, "kind"));
	view_text(view, "token", req_param(rq, "token"));
	respond_page(rq, 200, "notices/leave", view);
}
