/*
 * One connection to PostgreSQL as a state machine over libpq, never blocking.
 * It knows nothing of event loops and coroutines: its owner (the pool, or a
 * blocking handle) watches conn_fd() and calls conn_event() when that can be
 * read, or written while conn_wants_write(), and then takes the finished
 * operations with conn_take().
 *
 * It runs in libpq's pipeline mode: operations are sent one behind the other
 * and answered in the same order.  A query is prepared right before its first
 * use on the connection.
 *
 * Each operation has a sync of its own, so that an error ends only itself, and
 * counts as done only when its sync was answered, since the server commits
 * there.  A connection for reads alone (`batches`) gathers them until
 * conn_sync(), which saves the server a transaction and both sides a wake-up
 * for each; an error then aborts those behind it, and who waits for one sends
 * it again, alone.
 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include <libpq-fe.h>

#include "db/db.h"

/* Different queries in the program; a power of two, at most 3/4 full. */
#define CONN_QUERIES_MAX	512u
#define CONN_CONNECT_US		(5 * INT64_C(1000000))
/* Without any answer for so long the connection counts as dead; the server
 * ends a statement after 5 s (statement_timeout). */
#define CONN_SILENCE_US		(8 * INT64_C(1000000))
#define CONN_STATEMENT_MS	"5000"
#define CONN_LOCK_MS		"2000"

struct co;

enum op_end {
	OP_OPEN,	/* queued or sent */
	OP_ANSWERED,	/* result is there, good or bad */
	OP_LOST,	/* sent, and the connection died before the answer */
	OP_UNSENT,	/* never reached the server */
	OP_CROWDED,	/* waited too long for a connection, never sent */
};

/* One execution of a query; lies on the stack of who waits for it. */
struct op {
	const struct db_query *query;	/* without a name: not prepared */
	const char *const *values;
	int		 params;
	bool		 write;
	bool		 alone;		/* between syncs of its own */
	bool		 syncs;		/* the sync behind it is part of it */
	bool		 prepares;	/* its PREPARE goes before it */
	bool		 heard;		/* a result of the present part */
	bool		 aborted;	/* answer: one before it failed, so it was
					 * not run */
	unsigned	 parts;		/* PREPARE and query that are to end */
	bool		 stale;		/* answer: prepare again and send again */
	enum op_end	 end;		/* set when it is on no list any more */
	PGresult	*result;	/* of OP_ANSWERED, the taker's */
	struct co	*co;		/* who waits, NULL: it polls */
	int64_t		 since;		/* monotonic: queued, then sent */
	struct op	*next;
};

struct op_list {
	struct op	*head, **tail;
	unsigned	 n;
};

enum conn_state {
	CONN_DOWN,	/* no PGconn; sent is empty */
	CONN_CONNECTING,
	CONN_CHECKING,	/* connected, the check query is the only one sent */
	CONN_UP,
	CONN_BROKEN,	/* a send failed: the next conn_event() takes it down */
};

struct statement {
	const struct db_query *query;	/* NULL: a free place */
	unsigned	 version;	/* grows when it has to be prepared again */
	bool		 prepared;
};

struct conn {
	enum conn_state	 state;
	PGconn		*pg;
	const char	*conninfo, *application;
	char		*options;
	const struct db_query *check;	/* NULL: no check */
	bool		(*check_ok)(const struct db_rows *);
	bool		 mismatch;	/* the last check said no */
	bool		 told;		/* that it can't connect, in the log */
	bool		 batches;	/* reads only: see above */
	void		(*notified)(const char *payload);	/* NULL */
	bool		 wants_write;
	char		 why[256];	/* of the last loss, for the log */
	int64_t		 since;		/* monotonic: connecting from */
	int64_t		 heard;		/* monotonic: last news */
	int64_t		 silence_us;	/* CONN_SILENCE_US, or db_patience() */
	struct op	 check_op;
	struct op_list	 sent;		/* in the order of their answers */
	struct op	*unsynced;	/* the last one, if no sync is behind it */
	struct op_list	 done;		/* to be taken by conn_take() */
	struct statement statements[CONN_QUERIES_MAX];
	unsigned	 used;		/* of statements */
};

/* The texts must outlive the connection. */
void	 conn_init(struct conn *, const char *conninfo,
	    const char *application);
/* Closes and frees what conn_init made; sent operations are lost. */
void	 conn_end(struct conn *);

/* Starts to connect; only in CONN_DOWN.  May be CONN_DOWN again at once. */
void	 conn_connect(struct conn *);
/* Something happened on the descriptor (or was believed to). */
void	 conn_event(struct conn *);
/* Takes the connection down if it is silent for too long. */
void	 conn_expire(struct conn *, int64_t now);
/* Takes it down, for a reason; all that was sent is lost. */
void	 conn_lose(struct conn *, const char *why);
/* Takes it down in peace, since the check would say no: nothing was sent. */
void	 conn_retire(struct conn *);
/* -1 when there is none (any more). */
int	 conn_fd(const struct conn *);

/*
 * Sends; only in CONN_UP.  False: nothing of it reached the server and the
 * operation is the caller's again; the connection is CONN_BROKEN.  After true
 * the state may be CONN_BROKEN as well.
 */
MUST_CHECK bool	 conn_submit(struct conn *, struct op *);
/* The end of a batch: to be called before one waits for the descriptor.  As
 * after conn_submit(), the state may be CONN_BROKEN. */
void	 conn_sync(struct conn *);
/* The next operation that is done, in order; NULL if there is none. */
struct op *conn_take(struct conn *);

void	 op_list_init(struct op_list *);
void	 op_list_add(struct op_list *, struct op *);
struct op *op_list_take(struct op_list *);

#endif
