/*
 * Two rules keep this simple.  Coroutines are resumed from the event loop only
 * (pool_event, pool_due, pool_tick), after all states are settled: so a
 * coroutine that runs may use the pool in any way.  And what a coroutine finds
 * broken in pool_submit() is only marked, and taken down by a timer at once.
 */
#include "db/pool.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/handle.h"
#include "run/co.h"

struct slot {
	struct conn	 conn;
	unsigned	 index;
	bool		 due;		/* a timer runs for it */
	bool		 distrusted;	/* goes down as soon as it is idle */
	unsigned	 retry_ms;	/* the next wait before connecting */
	int		 watched_fd;	/* -1: none */
	bool		 watched_write;
};

static struct slot	 slots[POOL_CONNS];	/* readers, writers, the ear */
static struct op_list	 queue;		/* for a writer */
static struct op_list	 refused;	/* to be told; on no connection */
static const struct pool_loop *loop;
static const struct db_query *check;
static bool		(*check_ok)(const struct db_rows *);
static bool		 mismatch_told;
static const struct pool_ear *ear;		/* NULL: none */
static struct op	 ear_op;
static bool		 ear_asked, ear_hears;
static int64_t		 ear_lag_us;

static bool	 slot_usable(const struct slot *);
static struct slot *reader_free(void);
static struct slot *writer_free(void);
static bool	 writer_any(void);
static bool	 slot_submit(struct slot *, struct op *);
static void	 slot_settle(struct slot *);
static void	 slot_watch(struct slot *);
static void	 slot_retry(struct slot *);
static void	 queue_pump(void);
static void	 queue_refuse(enum op_end);
static void	 tell_mismatch(void);
static void	 ear_care(void);
static void	 ear_beat(int64_t now);
static void	 ear_submit(const struct db_query *);
static void	 turn_end(void);
static void	 deliver(struct op_list *);

void
pool_set_check(const struct db_query *query,
    bool (*ok)(const struct db_rows *))
{
	check = query;
	check_ok = ok;
}

void
pool_set_ear(const struct pool_ear *with)
{
	ear = with;
}

void
pool_start(const char *conninfo, const char *application,
    const struct pool_loop *with)
{
	unsigned	 i;

	assert(loop == NULL);
	loop = with;
	op_list_init(&queue);
	op_list_init(&refused);
	conninfo = strdup(conninfo);
	application = strdup(application);
	if (conninfo == NULL || application == NULL)
		abort();
	for (i = 0; i < POOL_CONNS; i++) {
		slots[i].index = i;
		slots[i].watched_fd = -1;
		slots[i].retry_ms = POOL_RETRY_MIN_MS;
		conn_init(&slots[i].conn, conninfo, application);
		slots[i].conn.batches = i < POOL_READERS;
		slots[i].conn.check = check;
		slots[i].conn.check_ok = check_ok;
		if (i == POOL_EAR && ear == NULL)
			continue;
		if (i == POOL_EAR)
			slots[i].conn.notified = ear->told;
		conn_connect(&slots[i].conn);
		slot_settle(&slots[i]);
	}
}

struct db *
pool_handle(struct arena *arena, db_fail_fn fail, void *arg)
{
	struct db	*db = arena_alloc(arena, sizeof(*db));

	*db = (struct db){ .arena = arena, .fail = fail, .arg = arg };
	return (db);
}

enum pool_state
pool_state(void)
{
	bool		 mismatch = false;
	unsigned	 i;

	if (writer_any())
		return (POOL_UP);
	for (i = 0; i < POOL_CONNS; i++)
		mismatch = mismatch || slots[i].conn.mismatch;
	return (mismatch ? POOL_MISMATCH : POOL_DOWN);
}

bool
pool_up(void)
{
	return (pool_state() == POOL_UP);
}

struct pool_count
pool_count(void)
{
	struct pool_count	 count = { .queued = queue.n,
				    .ear_lag_us = ear_lag_us };
	const struct op		*beat = slots[POOL_EAR].conn.sent.head;
	int64_t			 age;
	unsigned		 i;

	for (i = 0; i < POOL_CONNS; i++) {
		if (slots[i].conn.state == CONN_UP)
			count.connections++;
		if (i < POOL_READERS)
			count.reads += slots[i].conn.sent.n;
		else if (i < POOL_EAR)
			count.writes += slots[i].conn.sent.n;
	}
	age = beat == NULL ? 0 : clock_monotonic() - beat->since;
	if (age > count.ear_lag_us)
		count.ear_lag_us = age;
	return (count);
}

void
pool_distrust(void)
{
	unsigned	 i;

	for (i = 0; i < POOL_CONNS; i++) {
		if (slots[i].conn.state != CONN_UP)
			continue;
		slots[i].distrusted = true;
		slots[i].conn.mismatch = true;
		slot_settle(&slots[i]);
	}
	tell_mismatch();
}

void
pool_event(unsigned index)
{
	conn_event(&slots[index].conn);
	slot_settle(&slots[index]);
	turn_end();
}

void
pool_due(unsigned index)
{
	struct slot	*s = &slots[index];

	s->due = false;
	if (s->conn.state == CONN_DOWN)
		conn_connect(&s->conn);
	else
		conn_event(&s->conn);
	slot_settle(s);
	turn_end();
}

void
pool_tick(void)
{
	int64_t		 now = clock_monotonic();
	struct op	*op;
	unsigned	 i;

	ear_beat(now);
	for (i = 0; i < POOL_CONNS; i++) {
		if (i == POOL_EAR && ear == NULL)
			continue;
		conn_expire(&slots[i].conn, now);
		slot_settle(&slots[i]);
	}
	while (queue.head != NULL && now - queue.head->since > POOL_WAIT_US) {
		op = op_list_take(&queue);
		op->end = OP_CROWDED;
		op_list_add(&refused, op);
	}
	turn_end();
}

void
pool_turn(void)
{
	unsigned	 i;

	for (i = 0; i < POOL_READERS; i++) {
		if (slots[i].conn.unsynced == NULL)
			continue;
		conn_sync(&slots[i].conn);
		slot_settle(&slots[i]);
	}
}

int
pool_submit(struct op *op)
{
	struct slot	*s;

	op->end = OP_OPEN;
	if (!op->write) {
		while ((s = reader_free()) != NULL) {
			if (s->conn.sent.n >= POOL_READS_MAX)
				return (SUBMIT_BUSY);
			if (slot_submit(s, op))
				return (SUBMIT_TAKEN);
		}
	}
	if (queue.head == NULL)
		while ((s = writer_free()) != NULL)
			if (slot_submit(s, op))
				return (SUBMIT_TAKEN);
	if (!writer_any())
		return (SUBMIT_DOWN);
	if (queue.n >= POOL_WRITES_MAX)
		return (SUBMIT_BUSY);
	op->since = clock_monotonic();
	op_list_add(&queue, op);
	return (SUBMIT_TAKEN);
}

static bool
slot_usable(const struct slot *s)
{
	return (s->conn.state == CONN_UP && !s->distrusted);
}

/* The reader with the fewest before us; NULL if none is up. */
static struct slot *
reader_free(void)
{
	struct slot	*best = NULL;
	unsigned	 i;

	for (i = 0; i < POOL_READERS; i++)
		if (slot_usable(&slots[i]) && (best == NULL ||
		    slots[i].conn.sent.n < best->conn.sent.n))
			best = &slots[i];
	return (best);
}

static struct slot *
writer_free(void)
{
	unsigned	 i;

	for (i = POOL_READERS; i < POOL_EAR; i++)
		if (slot_usable(&slots[i]) && slots[i].conn.sent.n == 0)
			return (&slots[i]);
	return (NULL);
}

static bool
writer_any(void)
{
	unsigned	 i;

	for (i = POOL_READERS; i < POOL_EAR; i++)
		if (slot_usable(&slots[i]))
			return (true);
	return (false);
}

/* From anywhere.  False: not sent, try another. */
static bool
slot_submit(struct slot *s, struct op *op)
{
	bool	 taken = conn_submit(&s->conn, op);

	slot_settle(s);
	return (taken);
}

/* Puts into effect what the connection's state asks of the event loop; tells
 * nobody, so it may be called from anywhere. */
static void
slot_settle(struct slot *s)
{
	if (s->distrusted && s->conn.state == CONN_UP && s->conn.sent.n == 0)
		conn_retire(&s->conn);
	switch (s->conn.state) {
	case CONN_DOWN:
		s->watched_fd = -1;
		s->distrusted = false;
		if (!s->due)
			slot_retry(s);
		break;
	case CONN_BROKEN:
		if (!s->due) {
			s->due = true;
			loop->call_in(s->index, 1);
		}
		break;
	case CONN_CONNECTING:
		/* libpq may close one socket and open another with the same
		 * number (the next host): so nothing known is trusted. */
		s->watched_fd = -1;
		slot_watch(s);
		break;
	case CONN_UP:
		s->retry_ms = POOL_RETRY_MIN_MS;
		slot_watch(s);
		break;
	case CONN_CHECKING:
		slot_watch(s);
		break;
	}
}

static void
slot_watch(struct slot *s)
{
	int	 fd = conn_fd(&s->conn);
	bool	 write = s->conn.wants_write;

	if (fd == -1 || (fd == s->watched_fd && write == s->watched_write))
		return;
	s->watched_fd = fd;
	s->watched_write = write;
	loop->watch(s->index, fd, write);
}

static void
slot_retry(struct slot *s)
{
	unsigned	 half = s->retry_ms / 2;

	s->due = true;
	loop->call_in(s->index, half + arc4random_uniform(half + 1));
	s->retry_ms *= 2;
	if (s->retry_ms > POOL_RETRY_MAX_MS)
		s->retry_ms = POOL_RETRY_MAX_MS;
}

/* The end of what the event loop called us for: first the queue moves on, so
 * that the order of writes stays, then the waiting are told. */
static void
turn_end(void)
{
	unsigned	 i;

	ear_care();
	queue_pump();
	tell_mismatch();
	for (i = 0; i < POOL_CONNS; i++)
		deliver(&slots[i].conn.done);
	deliver(&refused);
}

/* What the ear's connection has come to. */
static void
ear_care(void)
{
	static struct db_query	 listen = { NULL, NULL };
	static char		 text[80];
	struct slot		*s = &slots[POOL_EAR];
	struct op		*op;
	bool			 answered = false;

	if (ear == NULL)
		return;
	while ((op = conn_take(&s->conn)) != NULL) {
		ear_lag_us = clock_monotonic() - op->since;
		answered = op->end == OP_ANSWERED &&
		    PQresultStatus(op->result) == PGRES_COMMAND_OK;
		PQclear(op->result);
		op->result = NULL;
	}
	if (s->conn.state != CONN_UP) {
		if (ear_hears)
			ear->deaf();
		ear_hears = ear_asked = false;
	} else if (!ear_asked) {
		ear_asked = true;
		(void)snprintf(text, sizeof(text), "LISTEN %s", ear->channel);
		listen.sql = text;
		ear_submit(&listen);
	} else if (!ear_hears && answered) {
		ear_hears = true;
		ear->hears();
	}
}

static void
ear_beat(int64_t now)
{
	static const struct db_query	 beat = { NULL, "SELECT 1" };
	struct conn			*c = &slots[POOL_EAR].conn;

	if (ear == NULL || c->state != CONN_UP)
		return;
	if (c->sent.head == NULL)
		ear_submit(&beat);
	else if (now - c->sent.head->since > POOL_EAR_US)
		conn_lose(c, "no sign of life");
}

static void
ear_submit(const struct db_query *query)
{
	struct slot	*s = &slots[POOL_EAR];

	ear_op = (struct op){ .query = query };
	(void)slot_submit(s, &ear_op);
}

static void
queue_pump(void)
{
	struct slot	*s;
	struct op	*op;

	while (queue.head != NULL && (s = writer_free()) != NULL) {
		op = op_list_take(&queue);
		if (!slot_submit(s, op)) {
			op->end = OP_UNSENT;
			op_list_add(&refused, op);
		}
	}
	if (!writer_any())
		queue_refuse(OP_UNSENT);
}

static void
queue_refuse(enum op_end end)
{
	struct op	*op;

	while ((op = op_list_take(&queue)) != NULL) {
		op->end = end;
		op_list_add(&refused, op);
	}
}

static void
tell_mismatch(void)
{
	enum pool_state	 state = pool_state();

	if (state == POOL_UP)
		mismatch_told = false;
	if (mismatch_told || state != POOL_MISMATCH)
		return;
	mismatch_told = true;
	log_event(LOG_LEVEL_ERROR, "schema_mismatch", "why", "the database's "
	    "schema is not the one that this program was built for", NULL);
}

static void
deliver(struct op_list *list)
{
	struct op	*op;

	while ((op = op_list_take(list)) != NULL)
		co_resume(op->co);
}
