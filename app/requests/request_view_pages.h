/*
 * What the pages of staff share: the view of a request with its checks and
 * the forms to decide, as templates/requests/request.html takes it.
 */
#ifndef REQUESTS_REQUEST_VIEW_PAGES_H
#define REQUESTS_REQUEST_VIEW_PAGES_H

#include "requests/request.h"
#include "web/respond.h"

/* The choice "a client under another name"; no code has a question mark. */
#define REQUEST_ANOTHER	"?"

/* What was typed into one of the forms, and what is wrong with it; NULL
 * for what was not. */
struct request_typed {
	const char	*tenant, *code, *client;	/* approve */
	const char	*existing;	/* code, with REQUEST_ANOTHER as tenant */
	const char	*approve_reason, *share_reason, *reject_reason;
	const char	*question, *comment, *canned, *consent_tenant;
	bool		 no_domain;	/* not to be listed */
	/* A control's id and a sentence. */
	const char	*bad_field, *error;
	/* A tenant to offer beside the candidates. */
	const struct request_candidate *also;
};

/*
 * What was typed to approve or share has to change: true, with bad_field and
 * error set.  The statement asks the same again.
 */
WAITS bool	 request_approve_wrong(struct req *, const struct request *,
		    struct request_typed *, const struct request_tenant *);
WAITS bool	 request_share_wrong(struct req *, const struct request *,
		    struct request_typed *, const char *code);

/* "29 hours", "1 hour", "40 minutes", "12 seconds" between two instants. */
const char	*request_span(struct arena *, int64_t length_us);
/* "Due in 29 h", "3 h overdue", with the tone and icon of a badge. */
struct request_due {
	const char	*tone, *icon, *text;
};
struct request_due request_due(struct arena *, int64_t due_at, int64_t now);

/* The page of a request; typed is NULL on GET. */
WAITS void	 request_view_respond(struct req *, int status,
		    const struct request *, const struct request_typed *);
/* is_submitted, is_approved ...: one of them is true. */
void		 request_view_state(struct view *, enum request_state);
/* 409: who was faster. */
void		 request_view_decided(struct req *, const struct request *);

#endif
