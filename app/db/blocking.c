/*
 * The blocking handle of tools, courier and tests: one connection of its own,
 * polled here.  It is opened again when it died, with its LISTENs.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/clock.h"
#include "db/handle.h"

#define CHANNELS_MAX	8
#define CHANNEL_BYTES	64	/* NAMEDATALEN */
#define PUMP_MS		500	/* between two looks at the time-outs */

struct blocking {
	struct conn	 conn;
	struct db	*db;
	char		*conninfo, *application;
	char		 channels[CHANNELS_MAX][CHANNEL_BYTES];
	unsigned	 n_channels;
	/* LISTENs stand on the server; false from connecting on. */
	bool		 listening;
};

static bool	 blocking_connect(struct blocking *);
static bool	 blocking_alive(struct blocking *);
static bool	 blocking_listen(struct blocking *);
static bool	 listen_one(struct blocking *, const char *channel);
static bool	 notified(struct blocking *);
static char	*copy(const char *);

struct db *
db_open(const char *conninfo, const char *application, struct arena *arena,
    db_fail_fn fail, void *arg, const char **ret_why)
{
	struct blocking	*b = calloc(1, sizeof(*b));
	struct db	*db = calloc(1, sizeof(*db));

	if (b == NULL || db == NULL)
		abort();
	*db = (struct db){ .arena = arena, .fail = fail, .arg = arg,
	    .blocking = b };
	b->db = db;
	b->conninfo = copy(conninfo);
	b->application = copy(application);
	conn_init(&b->conn, b->conninfo, b->application);
	if (!blocking_connect(b)) {
		*ret_why = arena_strdup(arena, b->conn.why);
		db_close(db);
		return (NULL);
	}
	return (db);
}

void
db_set_arena(struct db *db, struct arena *arena)
{
	db->arena = arena;
}

void
db_close(struct db *db)
{
	struct blocking	*b;

	if (db == NULL)
		return;
	b = db->blocking;
	conn_end(&b->conn);
	free(b->conninfo);
	free(b->application);
	free(b);
	free(db);
}

WAITS void
db_patience(struct db *db, int64_t seconds)
{
	struct blocking	*b = db->blocking;
	struct db_query	 query = { NULL, NULL };

	query.sql = arena_fmt(db->arena, "SELECT set_config("
	    "'statement_timeout', '%llds', false)", (long long)seconds);
	b->conn.silence_us = (seconds + 3) * SECOND_US;
	(void)db_read(db, &query, DB_NONE);
}

bool
db_listen(struct db *db, const char *channel)
{
	struct blocking	*b = db->blocking;

	assert(b->n_channels < CHANNELS_MAX);
	assert(strlen(channel) < CHANNEL_BYTES);
	(void)snprintf(b->channels[b->n_channels++], CHANNEL_BYTES, "%s",
	    channel);
	b->listening = false;
	return (blocking_alive(b) && blocking_listen(b));
}

bool
db_wait_notify(struct db *db, int timeout_ms)
{
	struct blocking	*b = db->blocking;
	int64_t		 until = clock_monotonic() +
			    (int64_t)timeout_ms * 1000;
	int64_t		 left;
	bool		 anew;

	/* A loss that is found here must be told at once too. */
	anew = !blocking_alive(b) || !b->listening;
	if (b->conn.state != CONN_UP || !blocking_listen(b)) {
		/* A caller that loops must not spin while there is no
		 * server. */
		(void)poll(NULL, 0, timeout_ms);
		return (false);
	}
	if (anew)
		return (false);
	for (;;) {
		if (notified(b))
			return (true);
		left = (until - clock_monotonic() + 999) / 1000;
		if (left <= 0 || b->conn.state != CONN_UP)
			return (false);
		if (!blocking_pump(b, left > INT_MAX ? INT_MAX : (int)left))
			return (false);
	}
}

enum submit
blocking_submit(struct blocking *b, struct op *op)
{
	if (!blocking_alive(b))
		return (SUBMIT_DOWN);
	if (!conn_submit(&b->conn, op))
		/* Nothing reached the server: a new connection may do. */
		if (!blocking_connect(b) || !conn_submit(&b->conn, op))
			return (SUBMIT_DOWN);
	return (SUBMIT_TAKEN);
}

bool
blocking_pump(struct blocking *b, int timeout_ms)
{
	struct conn	*c = &b->conn;
	struct pollfd	 fd = { .fd = conn_fd(c), .events = POLLIN };
	int		 n = 1;

	if (c->wants_write)
		fd.events |= POLLOUT;
	if (c->state != CONN_BROKEN && fd.fd != -1) {
		if (timeout_ms < 0 || timeout_ms > PUMP_MS)
			timeout_ms = PUMP_MS;
		n = poll(&fd, 1, timeout_ms);
		if (n == -1 && errno != EINTR)
			abort();
	}
	if (n > 0)
		conn_event(c);
	conn_expire(c, clock_monotonic());
	/* Who waits looks at op->end, so the list is of no use here. */
	while (conn_take(c) != NULL)
		continue;
	return (n != -1);
}

/* Up to 5 s; from any state. */
static bool
blocking_connect(struct blocking *b)
{
	struct conn	*c = &b->conn;

	if (c->state != CONN_DOWN)
		conn_event(c);
	if (c->state == CONN_UP)
		return (true);
	b->listening = false;
	conn_connect(c);
	while (c->state == CONN_CONNECTING)
		(void)blocking_pump(b, PUMP_MS);
	return (c->state == CONN_UP);
}

/* Up, as far as one can see without asking the server. */
static bool
blocking_alive(struct blocking *b)
{
	struct pollfd	 fd = { .events = POLLIN };

	/* Since the last query the server may have closed it: first its last
	 * words are read, then the end. */
	while (b->conn.state == CONN_UP) {
		fd.fd = conn_fd(&b->conn);
		if (poll(&fd, 1, 0) == 0)
			break;
		conn_event(&b->conn);
	}
	return (b->conn.state == CONN_UP || blocking_connect(b));
}

static bool
blocking_listen(struct blocking *b)
{
	unsigned	 i;

	if (b->listening)
		return (true);
	for (i = 0; i < b->n_channels; i++)
		if (!listen_one(b, b->channels[i]))
			return (false);
	b->listening = true;
	return (true);
}

static bool
listen_one(struct blocking *b, const char *channel)
{
	struct db_query	 query = { NULL, NULL };
	struct op	 op = { .query = &query };
	char		*name;
	bool		 ok;

	name = PQescapeIdentifier(b->conn.pg, channel, strlen(channel));
	if (name == NULL)
		return (false);
	query.sql = arena_fmt(b->db->arena, "LISTEN %s", name);
	PQfreemem(name);
	if (!conn_submit(&b->conn, &op))
		return (false);
	wait_for(b->db, &op);
	ok = op.end == OP_ANSWERED &&
	    PQresultStatus(op.result) == PGRES_COMMAND_OK;
	PQclear(op.result);
	return (ok);
}

/* True if there was one; all that are there count as one. */
static bool
notified(struct blocking *b)
{
	PGnotify	*notify;
	bool		 any = false;

	if (b->conn.state != CONN_UP)
		return (false);
	while ((notify = PQnotifies(b->conn.pg)) != NULL) {
		any = true;
		PQfreemem(notify);
	}
	return (any);
}

static char *
copy(const char *s)
{
	char	*p = strdup(s);

	if (p == NULL)
		abort();
	return (p);
}
