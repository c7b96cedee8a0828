/*
 * See conn.h for the idea.  Two traps shape this file.  When a send fails,
 * libpq may close its socket by itself and no event ever comes: so each send is
 * followed by a look at the status, and CONN_BROKEN is for the owner to act on.
 * And a coroutine may be the one that finds a connection broken, but must not
 * resume others: so nobody is told of anything from here, finished operations
 * are only put on a list.
 */
#include "db/conn.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/outcome.h"

/* "no result" is answered between any two; more in a row than this and we and
 * libpq differ about what is outstanding. */
#define EMPTY_MAX	4

static char	*conn_options(const char *conninfo);
static const char *conninfo_value(const PQconninfoOption *, const char *key);
static void	 conn_drop(struct conn *);
static void	 conn_connecting(struct conn *);
static void	 conn_connected(struct conn *);
static void	 conn_checked(struct conn *);
static void	 conn_read(struct conn *);
static bool	 conn_results(struct conn *);
static void	 conn_result(struct conn *, PGresult *);
static void	 conn_part_end(struct conn *);
static void	 conn_finish(struct conn *);
static bool	 conn_send(struct conn *, struct op *);
static bool	 conn_send_query(struct conn *, struct op *);
static bool	 conn_push(struct conn *);
static struct statement *conn_statement(struct conn *,
		    const struct db_query *);
static void	 conn_notice(void *, const char *);

void
conn_init(struct conn *c, const char *conninfo, const char *application)
{
	memset(c, 0, sizeof(*c));
	c->conninfo = conninfo;
	c->application = application;
	c->silence_us = CONN_SILENCE_US;
	c->options = conn_options(conninfo);
	op_list_init(&c->sent);
	op_list_init(&c->done);
}

void
conn_end(struct conn *c)
{
	if (c->state != CONN_DOWN)
		conn_drop(c);
	free(c->options);
	c->options = NULL;
}

void
conn_connect(struct conn *c)
{
	/* What stands behind "dbname" overrides what the text says, what
	 * stands before it is a default. */
	const char *const keys[] = { "target_session_attrs", "connect_timeout",
	    "keepalives_idle", "dbname", "application_name", "client_encoding",
	    "options", NULL };
	const char *const values[] = { "read-write", "5", "30", c->conninfo,
	    c->application, "UTF8", c->options, NULL };

	assert(c->state == CONN_DOWN && c->sent.head == NULL);
	c->since = c->heard = clock_monotonic();
	c->state = CONN_CONNECTING;
	c->wants_write = true;
	c->pg = PQconnectStartParams(keys, values, 1);
	if (c->pg == NULL || PQstatus(c->pg) == CONNECTION_BAD)
		conn_lose(c, NULL);
	else
		(void)PQsetNoticeProcessor(c->pg, conn_notice, c);
}

void
conn_event(struct conn *c)
{
	switch (c->state) {
	case CONN_DOWN:
		break;		/* news of a socket that is closed already */
	case CONN_BROKEN:
		conn_lose(c, NULL);
		break;
	case CONN_CONNECTING:
		conn_connecting(c);
		break;
	case CONN_CHECKING:
		conn_read(c);
		if (c->state == CONN_CHECKING &&
		    c->check_op.end != OP_OPEN)
			conn_checked(c);
		break;
	case CONN_UP:
		conn_read(c);
		break;
	}
}

void
conn_expire(struct conn *c, int64_t now)
{
	int64_t	 from;

	if (c->state == CONN_CONNECTING || c->state == CONN_CHECKING) {
		if (now - c->since > CONN_CONNECT_US)
			conn_lose(c, "no connection in time");
	} else if (c->state == CONN_UP && c->sent.head != NULL) {
		from = c->sent.head->since;
		if (from < c->heard)
			from = c->heard;
		if (now - from > c->silence_us)
			conn_lose(c, "no answer in time");
	}
}

void
conn_lose(struct conn *c, const char *why)
{
	bool	 was_up = c->state == CONN_UP || c->state == CONN_BROKEN;

	if (why == NULL)
		why = c->pg != NULL ? PQerrorMessage(c->pg) : "out of memory";
	(void)snprintf(c->why, sizeof(c->why), "%.*s",
	    (int)strcspn(why, "\n"), why);
	if (was_up || !c->told)
		log_event(LOG_LEVEL_WARN, was_up ? "db_lost" : "db_unreachable",
		    "why", c->why, NULL);
	c->told = true;
	conn_drop(c);
}

void
conn_retire(struct conn *c)
{
	assert(c->sent.head == NULL);
	c->mismatch = true;
	c->told = true;		/* the pool tells of it */
	conn_drop(c);
}

int
conn_fd(const struct conn *c)
{
	return (c->pg == NULL ? -1 : PQsocket(c->pg));
}

bool
conn_submit(struct conn *c, struct op *op)
{
	assert(c->state == CONN_UP);
	return (conn_send(c, op));
}

void
conn_sync(struct conn *c)
{
	if (c->unsynced == NULL)
		return;
	c->unsynced->syncs = true;
	c->unsynced = NULL;
	if (PQpipelineSync(c->pg) != 1 || !conn_push(c))
		c->state = CONN_BROKEN;
}

struct op *
conn_take(struct conn *c)
{
	return (op_list_take(&c->done));
}

const char *
db_conninfo_problem(struct arena *arena, const char *conninfo)
{
	PQconninfoOption	*parsed;
	char			*why = NULL;
	const char		*problem;

	parsed = PQconninfoParse(conninfo, &why);
	if (parsed != NULL) {
		PQconninfoFree(parsed);
		return (NULL);
	}
	/* What libpq quotes may be a piece of a password: kept to the part
	 * before the first quote. */
	problem = why == NULL ? "out of memory" :
	    arena_strndup(arena, why, strcspn(why, "\"\n"));
	PQfreemem(why);
	return (problem);
}

void
op_list_init(struct op_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
	list->n = 0;
}

void
op_list_add(struct op_list *list, struct op *op)
{
	op->next = NULL;
	*list->tail = op;
	list->tail = &op->next;
	list->n++;
}

struct op *
op_list_take(struct op_list *list)
{
	struct op	*op = list->head;

	if (op == NULL)
		return (NULL);
	list->head = op->next;
	if (list->head == NULL)
		list->tail = &list->head;
	list->n--;
	return (op);
}

/*
 * Our settings behind the options that the conninfo has itself.  Statements
 * are the same few all day and look up by index: one plan for each is enough,
 * where the planner would try out five before it keeps one, and compiling
 * costs more than it could save.
 */
static char *
conn_options(const char *conninfo)
{
	static const char	 ours[] = "-c jit=off -c plan_cache_mode="
				    "force_generic_plan -c statement_timeout="
				    CONN_STATEMENT_MS " -c lock_timeout="
				    CONN_LOCK_MS;
	PQconninfoOption	*parsed;
	const char		*theirs;
	char			*text;
	int			 n;

	parsed = PQconninfoParse(conninfo, NULL);
	theirs = conninfo_value(parsed, "options");
	n = asprintf(&text, "%s%s%s", theirs != NULL ? theirs : "",
	    theirs != NULL ? " " : "", ours);
	PQconninfoFree(parsed);
	if (n == -1)
		abort();
	return (text);
}

static const char *
conninfo_value(const PQconninfoOption *option, const char *key)
{
	for (; option != NULL && option->keyword != NULL; option++)
		if (strcmp(option->keyword, key) == 0)
			return (option->val);
	return (NULL);
}

static void
conn_drop(struct conn *c)
{
	struct op	*op;

	PQfinish(c->pg);
	c->pg = NULL;
	c->state = CONN_DOWN;
	c->wants_write = false;
	memset(c->statements, 0, sizeof(c->statements));
	c->used = 0;
	c->unsynced = NULL;
	while ((op = op_list_take(&c->sent)) != NULL) {
		PQclear(op->result);
		op->result = NULL;
		op->end = OP_LOST;
		if (op != &c->check_op)
			op_list_add(&c->done, op);
	}
}

static void
conn_connecting(struct conn *c)
{
	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_OK:
		conn_connected(c);
		break;
	case PGRES_POLLING_READING:
		c->wants_write = false;
		break;
	case PGRES_POLLING_WRITING:
		c->wants_write = true;
		break;
	default:
		conn_lose(c, NULL);
		break;
	}
}

static void
conn_connected(struct conn *c)
{
	c->wants_write = false;
	c->heard = clock_monotonic();
	if (PQsetnonblocking(c->pg, 1) != 0 ||
	    PQenterPipelineMode(c->pg) != 1) {
		conn_lose(c, NULL);
		return;
	}
	if (c->check == NULL) {
		c->state = CONN_UP;
		c->told = false;
		return;
	}
	c->state = CONN_CHECKING;
	c->check_op = (struct op){ .query = c->check, .alone = true };
	if (!conn_send(c, &c->check_op) || c->state == CONN_BROKEN)
		conn_lose(c, NULL);
}

static void
conn_checked(struct conn *c)
{
	struct db_rows	 rows;
	bool		 ok;

	/* An answer of any kind is an answer: a table that is missing or that
	 * this role must not read is a wrong schema too. */
	ok = outcome_of(c->check_op.result, &rows) == OUTCOME_ROWS &&
	    rows.outcome == DB_OK && c->check_ok(&rows);
	PQclear(c->check_op.result);
	c->check_op.result = NULL;
	if (ok) {
		c->mismatch = false;
		c->told = false;
		c->state = CONN_UP;
	} else {
		c->mismatch = true;
		c->told = true;		/* the pool tells of it */
		conn_lose(c, "schema mismatch");
	}
}

static void
conn_read(struct conn *c)
{
	PGnotify	*notify;
	bool		 ok;

	/* What is answered has its sync, so the last before one is known. */
	conn_sync(c);
	ok = PQconsumeInput(c->pg) == 1;
	c->heard = clock_monotonic();
	if (!conn_results(c)) {
		conn_lose(c, "answers out of order");
		return;
	}
	while (c->notified != NULL && (notify = PQnotifies(c->pg)) != NULL) {
		c->notified(notify->extra);
		PQfreemem(notify);
	}
	if (!ok || c->state == CONN_BROKEN || !conn_push(c))
		conn_lose(c, NULL);
}

/* All answers that are there.  False if there are answers to nothing. */
static bool
conn_results(struct conn *c)
{
	PGresult	*result;
	int		 empty = 0;

	/* Asked first, since it also parses what comes unasked: notices. */
	while (!PQisBusy(c->pg) && c->sent.head != NULL) {
		result = PQgetResult(c->pg);
		if (result != NULL) {
			empty = 0;
			conn_result(c, result);
		} else if (PQstatus(c->pg) == CONNECTION_BAD) {
			return (true);
		} else if (c->sent.head->heard) {
			conn_part_end(c);
		} else if (++empty > EMPTY_MAX) {
			return (false);
		}
	}
	return (true);
}

static void
conn_result(struct conn *c, PGresult *result)
{
	struct op	*op = c->sent.head;
	ExecStatusType	 status = PQresultStatus(result);

	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		conn_finish(c);
		return;
	}
	op->heard = true;
	if (op->prepares && status == PGRES_COMMAND_OK) {
		op->prepares = false;
	} else if (status == PGRES_PIPELINE_ABORTED) {
		/* By its own PREPARE, or by another operation? */
		op->aborted = op->result == NULL;
	} else if (op->result == NULL || status == PGRES_FATAL_ERROR) {
		/* The first error says what happened, and an error at the sync
		 * undoes what was answered before. */
		PQclear(op->result);
		op->result = result;
		return;
	}
	PQclear(result);
}

static void
conn_part_end(struct conn *c)
{
	struct op	*op = c->sent.head;

	op->heard = false;
	op->parts--;
	if (op->parts == 0 && !op->syncs)
		conn_finish(c);
}

static void
conn_finish(struct conn *c)
{
	struct op		*op = op_list_take(&c->sent);
	struct statement	*s;
	const char		*state;

	op->end = OP_ANSWERED;
	state = PQresultErrorField(op->result, PG_DIAG_SQLSTATE);
	if ((state != NULL || op->aborted) && op->query->name != NULL) {
		s = conn_statement(c, op->query);
		if (op->prepares) {
			s->prepared = false;
		} else if (state != NULL && (strcmp(state, "0A000") == 0 ||
		    strcmp(state, "26000") == 0)) {
			/* "cached plan must not change result type" after a
			 * migration, or someone dropped the statement. */
			s->prepared = false;
			s->version++;
			op->stale = true;
		}
	}
	if (op != &c->check_op)
		op_list_add(&c->done, op);
}

static bool
conn_send(struct conn *c, struct op *op)
{
	op->end = OP_OPEN;
	op->stale = op->prepares = op->aborted = op->heard = false;
	op->syncs = false;
	op->since = clock_monotonic();
	if (op->alone)
		conn_sync(c);
	if (c->state == CONN_BROKEN || !conn_send_query(c, op)) {
		/* Without a sync the server commits nothing. */
		c->state = CONN_BROKEN;
		return (false);
	}
	op->parts = op->prepares ? 2 : 1;
	op_list_add(&c->sent, op);
	c->unsynced = op;
	if (op->alone || !c->batches)
		conn_sync(c);
	return (true);
}

static bool
conn_send_query(struct conn *c, struct op *op)
{
	struct statement	*s;
	char			 name[24];

	assert(op->params <= DB_PARAMS_MAX);
	if (op->query->name == NULL)
		return (PQsendQueryParams(c->pg, op->query->sql, op->params,
		    NULL, op->values, NULL, NULL, 0) == 1);
	s = conn_statement(c, op->query);
	(void)snprintf(name, sizeof(name), "q%u.%u",
	    (unsigned)(s - c->statements), s->version);
	op->prepares = !s->prepared;
	if (op->prepares &&
	    PQsendPrepare(c->pg, name, op->query->sql, 0, NULL) != 1)
		return (false);
	s->prepared = true;
	return (PQsendQueryPrepared(c->pg, name, op->params, op->values, NULL,
	    NULL, 0) == 1);
}

/* Hands what libpq holds back to the socket.  False if it is dead. */
static bool
conn_push(struct conn *c)
{
	int	 more = PQflush(c->pg);

	c->wants_write = more == 1;
	return (more != -1 && PQstatus(c->pg) == CONNECTION_OK &&
	    PQsocket(c->pg) != -1);
}

/* Found by the address of the query; never NULL. */
static struct statement *
conn_statement(struct conn *c, const struct db_query *query)
{
	uint64_t	 hash;
	unsigned	 i;

	/* Fibonacci hashing: 2^64 divided by the golden ratio. */
	hash = (uint64_t)(uintptr_t)query * UINT64_C(11400714819323198485);
	for (i = (unsigned)(hash >> 32) % CONN_QUERIES_MAX;;
	    i = (i + 1) % CONN_QUERIES_MAX) {
		if (c->statements[i].query == query)
			return (&c->statements[i]);
		if (c->statements[i].query == NULL)
			break;
	}
	assert(c->used < CONN_QUERIES_MAX * 3 / 4);
	c->used++;
	c->statements[i].query = query;
	return (&c->statements[i]);
}

static void
conn_notice(void *arg, const char *message)
{
	char	 line[256];

	(void)arg;
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(message, "\n"),
	    message);
	log_event(LOG_LEVEL_INFO, "db_notice", "message", line, NULL);
}
