/*
 * What was said and done about a request: the thread, which staff and the
 * contact read alike.  Staff ask back, and the request waits on the contact;
 * whatever the contact answers puts it back into the queue.  Meanwhile the
 * clock stands still: see request_clock() in migrations/deploy/request_desk.sql.
 * Nothing of a thread is ever changed or deleted.
 */
#ifndef REQUESTS_THREAD_H
#define REQUESTS_THREAD_H

#include "requests/request.h"

struct view;

#define THREAD_TEXT_MAX		1000	/* characters of a question, answer */
#define THREAD_NOTES_MAX	100	/* that people write, of a request */
/* Shown: notes, what was done, and what the checks of others leave us. */
#define THREAD_SHOWN_MAX	200

enum thread_kind { THREAD_EVENT, THREAD_QUESTION, THREAD_ANSWER,
	THREAD_COMMENT };

struct thread_entry {
	enum thread_kind kind;
	const char	*action;	/* of an event: "request.submitted" */
	const char	*person;	/* name of who did it, or "" */
	const char	*text;		/* of an event: the reason, or "" */
	bool		 is_staff;
	int64_t		 at;
};
struct thread {
	struct thread_entry *list;	/* oldest first */
	int		 n;
};

/* The contact is not shown what staff do among themselves, nor their reasons
 * for letting somebody in. */
WAITS struct thread thread_db_read(struct db *, const char *request_id,
		    bool is_for_contact);

enum thread_result {
	THREAD_DONE,
	THREAD_LATE,	/* decided, or somebody asked already */
	THREAD_FULL,	/* THREAD_NOTES_MAX reached */
	THREAD_NONE,	/* no such request of his */
};
/* A question of staff: it waits on the contact now, who gets a mail. */
WAITS MUST_CHECK enum thread_result thread_db_ask(struct db *,
		    const struct request_decision *);
/* A remark of staff, as long as the request is open: it waits on whom it waited
 * on before, and the clock goes on.  The contact gets a mail. */
WAITS MUST_CHECK enum thread_result thread_db_remark(struct db *,
		    const struct request_decision *);
/* By the contact, or an owner of the tenant: an answer where staff asked, else
 * a comment.  Who asked, and who has taken the request, get a mail. */
WAITS MUST_CHECK enum thread_result thread_db_say(struct db *,
		    const char *account_id, const char *request_id,
		    const char *text);

/* A request as its contact sees it, or an owner of its tenant. */
struct thread_request {
	const char	*id, *name, *product, *product_slug, *person, *client;
	const char	*reason, *decided_by;	/* "" */
	enum request_state state;
	bool		 is_own, waits_on_contact, is_auto;
	int64_t		 submitted_at, due_at, decided_at;
};
/* NULL: none that this account may see. */
WAITS struct thread_request *thread_db_find(struct db *,
		    const char *account_id, const char *request_id);

#define THREAD_PAGE_ROWS	50
struct thread_requests {
	struct thread_request *list;	/* newest first */
	int		 n;
	const char	*next_after;	/* "" at the end */
};
/* All that the account sent, and what of its client (NULL: none) is open; after
 * is next_after of the page before, or "". */
WAITS struct thread_requests thread_db_list(struct db *,
		    const char *account_id, const char *tenant_id,
		    const char *after);

/* Fills the list "thread" for templates/requests/thread.html. */
void		 thread_view(struct req *, struct view *,
		    const struct thread *);

WAITS void	 thread_page_show(struct req *);  /* GET /requests/:id */
WAITS void	 thread_page_say(struct req *);	  /* POST /requests/:id/answer */
WAITS void	 thread_page_ask(struct req *);
					/* POST /staff/requests/:id/ask */
WAITS void	 thread_page_remark(struct req *);
					/* POST /staff/requests/:id/comment */

#endif
