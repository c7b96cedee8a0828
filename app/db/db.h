/*
 * The database, for slices: a query is literal SQL with a name, its parameters
 * are texts, its rows are read by column number.
 *
 *	DB_QUERY(account_by_email,
 *	    "SELECT id, state FROM account WHERE email_folded = $1");
 *
 *	rows = db_read(db, &account_by_email, DB_ARGS(folded));
 *	if (rows->n == 0) ...
 *	account->id = db_text(rows, 0, 0);
 *
 * The same _db.c code runs in the portal, where a query suspends the request's
 * coroutine, and in the tools and tests, where it polls: only db/wait.c knows
 * which.  Every query is prepared once a connection.  Rows belong to the
 * handle's arena.
 *
 * Broken world (no connection, time-out, a statement that can't be prepared)
 * does not come back as a result: the handle's `fail` function is called and
 * does not return; in the portal it answers 503.  What a statement may refuse
 * by design comes back in rows->outcome.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/arena.h"

/* The most parameters that a statement may have. */
#define DB_PARAMS_MAX	40

struct db;			/* a caller's way to the database */

struct db_query {
	const char	*name;
	const char	*sql;
};
#define DB_QUERY(var, text)						\
	static const struct db_query var = { #var, text }

enum db_outcome {
	DB_OK,
	DB_CONFLICT,	/* a unique constraint: someone was faster */
	DB_REFUSED,	/* a check, foreign key or RAISE by design (LK...) */
};

struct db_rows {
	int		 n;		/* rows */
	int64_t		 changed;	/* rows that a data statement changed */
	enum db_outcome	 outcome;
	const char	*constraint;	/* its name when not DB_OK, else "" */
	const char	*query;		/* its name, for the log */
	void		*result;	/* PGresult */
};

/* NULL is SQL's NULL. */
#define DB_ARGS(...)							\
	(int)(sizeof((const char *const[]){ __VA_ARGS__ }) /		\
	    sizeof(const char *)),					\
	(const char *const[]){ __VA_ARGS__ }
#define DB_NONE	0, NULL

/*
 * db_read: a query that changes nothing; pipelined with those of other
 * requests.  db_write: one business action in one statement; it gets a
 * connection to itself until it is answered.  A write whose connection died is
 * not sent again, since nobody knows whether it was done: fail() is called
 * with DB_FAIL_UNKNOWN.
 */
WAITS const struct db_rows *db_read(struct db *, const struct db_query *,
	    int params, const char *const *);
WAITS MUST_CHECK const struct db_rows *db_write(struct db *,
	    const struct db_query *, int params, const char *const *);
/*
 * The rows of a write whose refusals were all looked at before, or that refuses
 * nothing by design.  Any other refusal, by a constraint that came later, is a
 * bug of ours that must not cost more than this request: fail() is called with
 * DB_FAIL_BUG and the names of query and constraint.  db_refused() is the same for
 * rows that are a refusal.
 */
const struct db_rows *db_must(struct db *, const struct db_rows *);
_Noreturn void db_refused(struct db *, const struct db_rows *);

/* Parameters; the texts live in the handle's arena. */
const char	*db_int(struct db *, int64_t);
const char	*db_bool(bool);				/* "t" or "f" */
const char	*db_bytes(struct db *, const void *, size_t);	/* bytea */
/* An instant in microseconds for timestamptz. */
const char	*db_time(struct db *, int64_t);
/* A text[] of n texts. */
const char	*db_text_array(struct db *, const char *const *, size_t n);

/* Columns.  db_text gives NULL for SQL's NULL; the others assert that the
 * column is not NULL and of its type.  Times are read from columns written
 * `(extract(epoch FROM x) * 1000000)::bigint`. */
const char	*db_text(const struct db_rows *, int row, int column);
bool		 db_is_null(const struct db_rows *, int row, int column);
int64_t		 db_number(const struct db_rows *, int row, int column);
bool		 db_truth(const struct db_rows *, int row, int column);
const void	*db_blob(struct db *, const struct db_rows *, int row,
		    int column, size_t *ret_bytes);

/* A copy that outlives the arena, until db_rows_free(); NULL if the answer is an
 * error or has more than max_bytes. */
struct db_rows	*db_rows_copy(const struct db_rows *, size_t max_bytes);
void		 db_rows_free(void *);

/* How many writes of this handle the server has done: neither those that it
 * refused nor one whose answer was lost. */
unsigned	 db_writes(const struct db *);

/* The arena that rows and parameters live in. */
struct arena	*db_arena(struct db *);

enum db_failure {
	DB_FAIL_DOWN,		/* not connected, or the connection died */
	DB_FAIL_BUSY,		/* queue full, lock or statement time-out */
	DB_FAIL_UNKNOWN,	/* a write whose answer was lost */
	DB_FAIL_BUG,		/* the server refused what we sent, or db_must() */
};
/* Must not return.  `why` is for the log. */
typedef void	(*db_fail_fn)(void *arg, enum db_failure, const char *why);

/* NULL if libpq understands the text of a connection (URI or conninfo), else
 * what is wrong with it, which holds no password; in the arena. */
const char	*db_conninfo_problem(struct arena *, const char *conninfo);

/*
 * A blocking handle for tools, courier and tests: connects at once (5 s), with
 * statement_timeout 5 s and lock_timeout 2 s, and connects again at the next
 * query after the connection died.  NULL with a sentence in ret_why if it
 * can't connect.  The arena may be changed between jobs.
 */
struct db	*db_open(const char *conninfo, const char *application,
		    struct arena *, db_fail_fn, void *arg,
		    const char **ret_why);
void		 db_set_arena(struct db *, struct arena *);
/* Tools only: from now on, until the connection dies, a statement may take so
 * long. */
WAITS void	 db_patience(struct db *, int64_t seconds);
void		 db_close(struct db *);
/*
 * Tools only: waits up to timeout_ms for a NOTIFY on a channel that db_listen
 * was called for.  True when one came; false at the time-out, when a signal
 * came, or when the connection died (it is opened again, with its LISTENs, at
 * the next call: what was told meanwhile is lost, so look for work then).
 */
bool		 db_listen(struct db *, const char *channel);
bool		 db_wait_notify(struct db *, int timeout_ms);

#endif
