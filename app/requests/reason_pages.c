/*
 * The page where staff keep the reasons that are often given.
 */
#include "crypto/token.h"
#include "requests/reason.h"
#include "sessions/session.h"
#include "web/respond.h"

static const char *wrong(const struct reason *, const char **ret_field);
WAITS static void save(struct req *, const struct reason *);
WAITS static void show(struct req *, int status, const struct reason *typed,
		    const char *field, const char *error);

void
reason_view(struct req *rq, struct view *v, const char *id)
{
	struct reasons	 reasons = reason_db_list(rq->db);
	struct view	*row;
	int		 i;

	view_list(v, "reasons");
	view_bool(v, "has_reasons", reasons.n > 0);
	for (i = 0; i < reasons.n; i++) {
		row = view_row(v, "reasons");
		view_text(row, "reason_id", reasons.list[i].id);
		view_text(row, "title", reasons.list[i].title);
		view_text(row, "text", reasons.list[i].text);
		view_bool(row, "is_chosen", id != NULL &&
		    str_eq(reasons.list[i].id, id));
	}
}

void
reason_page_list(struct req *rq)
{
	show(rq, 200, NULL, NULL, NULL);
}

void
reason_page_add(struct req *rq)
{
	save(rq, &(struct reason){ NULL, req_form_line(rq, "title"),
	    req_form(rq, "text") });
}

void
reason_page_change(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id))
		req_not_found(rq);
	save(rq, &(struct reason){ id, req_form_line(rq, "title"),
	    req_form(rq, "text") });
}

void
reason_page_delete(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id) || reason_db_delete(rq->db,
	    rq->session->account_id, id) != REASON_DONE)
		req_not_found(rq);
	respond_see_other(rq, "/staff/reasons");
}

static void
save(struct req *rq, const struct reason *typed)
{
	const char	*field = "title", *error = wrong(typed, &field);

	if (error != NULL) {
		show(rq, 422, typed, field, error);
		return;
	}
	switch (reason_db_save(rq->db, rq->session->account_id, typed)) {
	case REASON_DONE:
		respond_see_other(rq, "/staff/reasons");
		return;
	case REASON_TAKEN:
		show(rq, 422, typed, "title", "Another reason has this title. "
		    "Choose one that tells them apart.");
		return;
	case REASON_FULL:
		show(rq, 422, typed, "title", "There are 50 reasons, which is "
		    "as many as there may be. Delete one first.");
		return;
	case REASON_NONE:
		req_not_found(rq);
	}
}

static const char *
wrong(const struct reason *r, const char **ret_field)
{
	*ret_field = "title";
	if (*r->title == '\0')
		return ("Write a title. Staff choose the reason by it.");
	if (str_chars(r->title) > REASON_TITLE_MAX)
		return ("The title may have up to 80 characters. Shorten it.");
	*ret_field = "text";
	if (str_blank(r->text))
		return ("Write what the contact is to read.");
	if (str_chars(r->text) > REASON_TEXT_MAX)
		return ("The reason may have up to 1000 characters. Shorten "
		    "it.");
	return (NULL);
}

/* What was refused is shown in the form of its own: the first, or the one of
 * the reason that was to be changed. */
static void
show(struct req *rq, int status, const struct reason *typed,
    const char *field, const char *error)
{
	struct reasons	 reasons = reason_db_list(rq->db);
	struct view	*v = view_new(rq->arena), *row;
	bool		 is_new = typed == NULL || typed->id == NULL;
	bool		 mine, found = is_new;
	int		 i;

	form_fields(v, "title", "text", NULL);
	view_bool(v, "is_add", is_new);
	view_text(v, "typed_title", typed == NULL ? "" : typed->title);
	view_text(v, "typed_text", typed == NULL ? "" : typed->text);
	view_list(v, "rows");
	for (i = 0; i < reasons.n; i++) {
		mine = !is_new && str_eq(typed->id, reasons.list[i].id);
		found = found || mine;
		row = view_row(v, "rows");
		view_text(row, "reason_id", reasons.list[i].id);
		view_text(row, "title", reasons.list[i].title);
		view_text(row, "text", reasons.list[i].text);
		view_bool(row, "is_refused", mine);
	}
	if (!found)
		req_not_found(rq);
	if (error != NULL)
		form_error(v, field, error);
	respond_page(rq, status, "requests/reasons", v);
}
