/*
 * The page of a request for its contact, what both sides say there, and how a
 * thread is shown to either.
 */
#include "requests/thread.h"

#include "base/clock.h"
#include "base/setting.h"
#include "crypto/token.h"
#include "requests/request_view_pages.h"
#include "sessions/session.h"

static const char	*event_words(const char *action, bool is_system,
			    const char **ret_icon);
WAITS static struct thread_request *find(struct req *);
WAITS static void	 show(struct req *, int status,
			    const struct thread_request *, const char *typed,
			    const char *error);

void
thread_view(struct req *rq, struct view *v, const struct thread *thread)
{
	const struct thread_entry	*e;
	struct view			*row;
	const char			*icon = "", *words = "";
	int				 i;

	view_list(v, "thread");
	for (i = 0; i < thread->n; i++) {
		e = &thread->list[i];
		if (e->kind == THREAD_EVENT)
			words = event_words(e->action, *e->person == '\0',
			    &icon);
		row = view_row(v, "thread");
		view_bool(row, "is_event", e->kind == THREAD_EVENT);
		view_text(row, "icon", icon);
		view_text(row, "words", words);
		view_text(row, "who", *e->person == '\0' ?
		    e->kind == THREAD_EVENT ? "The portal" : "Somebody" :
		    e->person);
		view_text(row, "what", e->kind == THREAD_QUESTION ? "asks" :
		    e->kind == THREAD_ANSWER ? "answers" : "writes");
		view_bool(row, "is_from_us", e->is_staff);
		view_text(row, "text", e->text);
		view_text(row, "at", clock_long(rq->arena, e->at));
	}
}

void
thread_page_show(struct req *rq)
{
	show(rq, 200, find(rq), "", NULL);
}

void
thread_page_say(struct req *rq)
{
	struct thread_request	*r = find(rq);
	const char		*text = req_form(rq, "text");

	if (str_blank(text) || str_chars(text) > THREAD_TEXT_MAX) {
		show(rq, 422, r, text, "Write an answer of up to 1000 "
		    "characters.");
		return;
	}
	switch (thread_db_say(rq->db, rq->session->account_id, r->id, text)) {
	case THREAD_DONE:
		respond_see_other(rq, arena_fmt(rq->arena, "/requests/%s",
		    r->id));
		return;
	case THREAD_LATE:
		show(rq, 409, find(rq), text, "The request has been decided, "
		    "so what you wrote was not added. See what was said.");
		return;
	case THREAD_FULL:
		show(rq, 409, r, text, arena_fmt(rq->arena, "This thread is "
		    "full. Write to %s.", setting->support_email));
		return;
	case THREAD_NONE:
		req_not_found(rq);
	}
}

void
thread_page_ask(struct req *rq)
{
	const char		*id = req_param(rq, "id");
	struct request		*r = uuid_shaped(id) ? request_db_find(rq->db,
				    id) : NULL;
	struct request_typed	 typed = { .question = req_form(rq,
				    "question"), .bad_field = "question" };
	struct request_decision	 question = { id, rq->session->account_id,
		typed.question };

	if (r == NULL)
		req_not_found(rq);
	if (r->state == REQUEST_SUBMITTED && (str_blank(typed.question) ||
	    str_chars(typed.question) > THREAD_TEXT_MAX)) {
		typed.error = "Ask something, in up to 1000 characters. The "
		    "contact reads it in a mail.";
		request_view_respond(rq, 422, r, &typed);
		return;
	}
	if (r->state == REQUEST_SUBMITTED) {
		switch (thread_db_ask(rq->db, &question)) {
		case THREAD_DONE:
			respond_see_other(rq, arena_fmt(rq->arena,
			    "/staff/requests/%s", r->id));
			return;
		case THREAD_FULL:
			typed.error = "This thread is full. Decide, or write "
			    "to the contact.";
			break;
		case THREAD_LATE:
		case THREAD_NONE:
			typed.error = "Somebody was faster: see what was said "
			    "below. Nothing was sent.";
			break;
		}
		r = request_db_find(rq->db, id);
		if (r == NULL)
			req_not_found(rq);
	}
	if (r->state != REQUEST_SUBMITTED)
		request_view_decided(rq, r);
	else
		request_view_respond(rq, 409, r, &typed);
}

void
thread_page_remark(struct req *rq)
{
	const char		*id = req_param(rq, "id");
	struct request		*r = uuid_shaped(id) ? request_db_find(rq->db,
				    id) : NULL;
	struct request_typed	 typed = { .comment = req_form(rq, "comment"),
		.bad_field = "comment" };
	struct request_decision	 remark = { id, rq->session->account_id,
		typed.comment };

	if (r == NULL)
		req_not_found(rq);
	if (r->state != REQUEST_SUBMITTED) {
		request_view_decided(rq, r);
		return;
	}
	if (str_blank(typed.comment) ||
	    str_chars(typed.comment) > THREAD_TEXT_MAX) {
		typed.error = "Write something, in up to 1000 characters. The "
		    "contact reads it in a mail.";
		request_view_respond(rq, 422, r, &typed);
		return;
	}
	switch (thread_db_remark(rq->db, &remark)) {
	case THREAD_DONE:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/requests/%s", r->id));
		return;
	case THREAD_FULL:
		typed.error = "This thread is full. Decide, or write to the "
		    "contact.";
		request_view_respond(rq, 409, r, &typed);
		return;
	case THREAD_LATE:
	case THREAD_NONE:
		break;
	}
	r = request_db_find(rq->db, id);
	if (r == NULL)
		req_not_found(rq);
	if (r->state == REQUEST_SUBMITTED)
		req_fail(rq, 409, "staff_ended_meanwhile");
	request_view_decided(rq, r);
}

static const char *
event_words(const char *action, bool is_system, const char **ret_icon)
{
	static const struct {
		const char	*action, *icon, *words, *alone;
	} known[] = {
		{ "request.submitted", "arrow-right", "sent the request",
		    NULL },
		{ "request.withdrawn", "ban", "withdrew the request",
		    "ended the request, since this client has another" },
		{ "request.approved", "check",
		    "approved the request and issued the key",
		    "approved the request by its checks and issued the key" },
		{ "request.shared", "share", "shared the existing key", NULL },
		{ "request.rejected", "x", "rejected the request", NULL },
		{ "request.taken", "user", "took the request", NULL },
		{ "request.released", "user", "gave the request back", NULL },
		{ "request.consent_asked", "users",
		    "asked the owners for their consent", NULL },
		{ "request.consent_yes", "check", "agreed, as an owner",
		    NULL },
		{ "request.consent_no", "x", "did not agree, as an owner",
		    NULL },
		{ "request.auto_stopped", "pause",
		    "stopped the approval by checks",
		    "left the request to staff, since a check does not fit" },
	};
	size_t	i;

	for (i = 0; i < COUNT(known); i++) {
		if (str_eq(known[i].action, action)) {
			*ret_icon = known[i].icon;
			return (is_system && known[i].alone != NULL ?
			    known[i].alone : known[i].words);
		}
	}
	*ret_icon = "info";
	return (action);
}

/* 404 when it is neither his nor of a tenant that he owns. */
static struct thread_request *
find(struct req *rq)
{
	const char		*id = req_param(rq, "id");
	struct thread_request	*r = NULL;

	if (uuid_shaped(id))
		r = thread_db_find(rq->db, rq->session->account_id, id);
	if (r == NULL)
		req_not_found(rq);
	return (r);
}

static void
show(struct req *rq, int status, const struct thread_request *r,
    const char *typed, const char *error)
{
	struct arena	*a = rq->arena;
	struct view	*v = view_new(a);
	struct thread	 thread = thread_db_read(rq->db, r->id, true);
	bool		 is_open = r->state == REQUEST_SUBMITTED;
	int64_t		 left = clock_left(r->due_at, rq->now);

	form_fields(v, "text", NULL);
	view_text(v, "id", r->id);
	view_text(v, "name", r->name);
	view_text(v, "product", r->product);
	view_text(v, "slug", r->product_slug);
	view_text(v, "person", r->person);
	view_text(v, "client", r->client);
	view_bool(v, "is_own", r->is_own);
	request_view_state(v, r->state);
	view_bool(v, "is_waiting", is_open && r->waits_on_contact);
	view_bool(v, "is_late", left < 0);
	view_text(v, "left_text", clock_span(a, left < 0 ? -left : left));
	view_text(v, "due_at", clock_day(a, r->due_at));
	view_text(v, "due_iso", clock_iso(a, r->due_at));
	view_text(v, "sent_at", clock_long(a, r->submitted_at));
	view_text(v, "sent_iso", clock_iso(a, r->submitted_at));
	view_text(v, "decided_at", r->decided_at == 0 ? "" :
	    clock_long(a, r->decided_at));
	view_text(v, "decided_by", r->state == REQUEST_WITHDRAWN ? "" :
	    r->is_auto ? "The portal" : r->decided_by);
	view_text(v, "reason", r->reason);
	view_int(v, "sla_hours", setting->sla_hours);
	view_text(v, "typed", typed);
	thread_view(rq, v, &thread);
	/* Without the form the summary leads to the thread. */
	if (error != NULL)
		form_error(v, is_open ? "text" : "th-h", error);
	respond_page(rq, status, "requests/mine", v);
}
