/*
 * Plans of the slices' own statements, for tests that have accounts/people.h:
 * that a list is found by an index, and by which.
 */
#ifndef TESTS_DB_PLAN_H
#define TESTS_DB_PLAN_H

#include "accounts/people.h"

/* The plan of the statement that holds this text, on the portal's own
 * connection, where it was prepared. */
static inline const char *
plan(const char *holds, const char *arguments)
{
	const struct db_rows	*rows;
	struct db_query		*query;
	struct buf		 b;
	int			 i;

	DB_QUERY(plan_name, "SELECT name FROM pg_prepared_statements "
	    "WHERE strpos(statement, $1) > 0 "
	    "AND strpos(statement, 'pg_prepared_statements') = 0");
	rows = db_read(db, &plan_name, DB_ARGS(holds));
	assert_int_equal(rows->n, 1);
	query = arena_calloc(arena, 1, sizeof(*query));
	query->name = arena_fmt(arena, "plan_%s", db_text(rows, 0, 0));
	query->sql = arena_fmt(arena, "EXPLAIN EXECUTE \"%s\" %s",
	    db_text(rows, 0, 0), arguments);
	rows = db_read(db, query, DB_NONE);
	buf_init(&b, arena, 1u << 16);
	for (i = 0; i < rows->n; i++)
		buf_fmt(&b, "%s\n", db_text(rows, i, 0));
	return (buf_text(&b));
}

static inline void
need(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no %s in:\n%s", part, text);
}

static inline void
need_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("%s in:\n%s", part, text);
}

#endif
