/*
 * Running a query: send, wait, sort the answer, and what to do when there is
 * none.  A read is sent a second time when its connection died; a write only
 * when it is certain that nothing of it was done.
 */
#include "db/db.h"

#include <assert.h>

#include "db/handle.h"
#include "db/outcome.h"

/* A read behind one that failed was not run; then its statement may turn out
 * to be stale. */
#define RUN_TRIES_MAX	3

WAITS static const struct db_rows *run(struct db *, struct op *);
WAITS static bool run_once(struct db *, struct op *, bool may_repeat);
static void	 result_free(void *);

const struct db_rows *
db_read(struct db *db, const struct db_query *query, int params,
    const char *const *values)
{
	struct op	 op = { .query = query, .params = params,
			    .values = values };

	return (run(db, &op));
}

const struct db_rows *
db_write(struct db *db, const struct db_query *query, int params,
    const char *const *values)
{
	struct op	 op = { .query = query, .params = params,
			    .values = values, .write = true };

	return (run(db, &op));
}

const struct db_rows *
db_must(struct db *db, const struct db_rows *rows)
{
	if (rows->outcome != DB_OK)
		db_refused(db, rows);
	return (rows);
}

void
db_refused(struct db *db, const struct db_rows *rows)
{
	assert(rows->outcome != DB_OK);
	handle_fail(db, DB_FAIL_BUG, arena_fmt(db->arena,
	    "%s: not expected: %s", rows->query, rows->constraint));
}

unsigned
db_writes(const struct db *db)
{
	return (db->writes);
}

struct arena *
db_arena(struct db *db)
{
	return (db->arena);
}

void
handle_fail(struct db *db, enum db_failure failure, const char *why)
{
	db->fail(db->arg, failure, why);
	abort();
}

static const struct db_rows *
run(struct db *db, struct op *op)
{
	struct db_rows	*rows;
	const char	*why;
	enum outcome	 outcome;
	int		 tries;

	/* Sent again it goes alone; what it was sent with may have failed. */
	for (tries = 1; !run_once(db, op, tries < RUN_TRIES_MAX); tries++)
		op->alone = true;
	/* From here on the arena owns it, also if fail() unwinds. */
	arena_at_end(db->arena, result_free, op->result);
	rows = arena_alloc(db->arena, sizeof(*rows));
	outcome = outcome_of(op->result, rows);
	if (outcome == OUTCOME_ROWS) {
		if (op->write && rows->outcome == DB_OK)
			db->writes++;
		rows->query = op->query->name != NULL ? op->query->name :
		    "unnamed";
		return (rows);
	}
	why = outcome_why(db->arena, op->query->name, op->result);
	switch (outcome) {
	case OUTCOME_ROWS:
		break;
	case OUTCOME_DOWN:
		handle_fail(db, DB_FAIL_DOWN, why);
	case OUTCOME_BUSY:
		handle_fail(db, DB_FAIL_BUSY, why);
	case OUTCOME_BUG:
		handle_fail(db, DB_FAIL_BUG, why);
	}
	abort();
}

/* True when op->result is the answer; false if it is to be sent again. */
static bool
run_once(struct db *db, struct op *op, bool may_repeat)
{
	const char	*name = op->query->name;

	if (name == NULL)
		name = "unnamed";
	switch (wait_submit(db, op)) {
	case SUBMIT_TAKEN:
		break;
	case SUBMIT_DOWN:
		handle_fail(db, DB_FAIL_DOWN, "no connection");
	case SUBMIT_BUSY:
		handle_fail(db, DB_FAIL_BUSY, "queue full");
	}
	wait_for(db, op);
	switch (op->end) {
	case OP_OPEN:
		break;
	case OP_ANSWERED:
		/* An error was answered, so nothing was done: even a write
		 * may be sent again. */
		if ((!op->stale && !op->aborted) || !may_repeat)
			return (true);
		PQclear(op->result);
		op->result = NULL;
		return (false);
	case OP_LOST:
		if (op->write)
			handle_fail(db, DB_FAIL_UNKNOWN, arena_fmt(db->arena,
			    "%s: connection lost before the answer", name));
		/* FALLTHROUGH */
	case OP_UNSENT:
		if (may_repeat)
			return (false);
		handle_fail(db, DB_FAIL_DOWN, arena_fmt(db->arena,
		    "%s: connection lost", name));
	case OP_CROWDED:
		handle_fail(db, DB_FAIL_BUSY, arena_fmt(db->arena,
		    "%s: waited too long for a connection", name));
	}
	abort();
}

static void
result_free(void *result)
{
	PQclear(result);
}
