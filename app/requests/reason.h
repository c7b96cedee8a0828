/*
 * Reasons that are often given when a request is rejected.  Staff write and
 * change them; what was chosen is copied into the request, so a change says
 * nothing about the past.
 */
#ifndef REQUESTS_REASON_H
#define REQUESTS_REASON_H

#include "requests/request.h"

struct view;

#define REASON_TITLE_MAX	80	/* characters */
#define REASON_TEXT_MAX		REQUEST_REASON_MAX
#define REASONS_MAX		50	/* there may be */

struct reason {
	const char	*id, *title, *text;
};
struct reasons {
	struct reason	*list;		/* by title */
	int		 n;
};

WAITS struct reasons reason_db_list(struct db *);

enum reason_result {
	REASON_DONE,
	REASON_TAKEN,	/* another has that title */
	REASON_FULL,	/* REASONS_MAX reached */
	REASON_NONE,	/* no such reason */
};
/* id NULL: a new one. */
WAITS MUST_CHECK enum reason_result reason_db_save(struct db *,
		    const char *staff_id, const struct reason *);
WAITS MUST_CHECK enum reason_result reason_db_delete(struct db *,
		    const char *staff_id, const char *id);

/*
 * The reason of a rejection: the chosen one's text and what was typed, with an
 * empty line in between; id "" chose none.  "" when there is neither, or the
 * chosen one is gone.
 */
WAITS const char *reason_db_compose(struct db *, const char *id,
		    const char *typed);
/* Fills the list "reasons", with the one of that id chosen, for
 * templates/requests/reject.html. */
WAITS void	 reason_view(struct req *, struct view *, const char *id);

WAITS void	 reason_page_list(struct req *);	/* GET /staff/reasons */
WAITS void	 reason_page_add(struct req *);		/* POST */
WAITS void	 reason_page_change(struct req *);	/* POST .../:id */
WAITS void	 reason_page_delete(struct req *);	/* POST .../:id/delete */

#endif
