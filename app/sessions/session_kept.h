/*
 * What a worker keeps of sessions from one request to the next: who it is, and
 * what the profile read for it (migrations/stamps).  It is kept under the
 * session's stamp, which every request reads with the session's row, so that
 * only what is still true is used, in all workers and on all machines.
 *
 * A slice that shows more on a kept page adds a trigger for it; the test
 * tests/sessions/test_stamps.py holds the statements against the triggers.
 */
#ifndef SESSIONS_SESSION_KEPT_H
#define SESSIONS_SESSION_KEPT_H

#include "crypto/token.h"
#include "sessions/session.h"

#define SESSION_KEPT_MAX	512u	/* sessions a worker, in sets of
					 * SESSION_KEPT_WAYS; about 3 kB each */
#define SESSION_KEPT_WAYS	4u
#define SESSION_KEPT_S		60	/* at most, whatever the stamp says */
#define SESSION_KEPT_BYTES	(16u * 1024)	/* of a page's rows */

struct kept {
	unsigned char	 hash[SHA256_BYTES];	/* of the cookie */
	int64_t		 stamp;
	int64_t		 read_at;	/* monotonic */
	int64_t		 used_at;	/* monotonic: the oldest goes first */
	unsigned	 refs;		/* the table's, and those of requests */
	struct session	 session;	/* texts in `text`; no cookies */
	struct db_rows	*rows;		/* of session_keep(); NULL: none */
	char		 text[];
};

/* NULL: nothing that is young enough.  Held until the arena ends. */
struct kept	*kept_find(struct arena *, const unsigned char *hash);
/* Copies, in place of what was kept of the same session.  Held as above. */
struct kept	*kept_put(struct arena *, const unsigned char *hash,
		    int64_t stamp, const struct session *);
void		 kept_drop(const unsigned char *hash);

#endif
