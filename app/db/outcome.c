/*
 * The table below is searched by prefix, first match wins.  SQLSTATE classes:
 * PostgreSQL manual, appendix A.  LK is ours: migrations raise LK001... where
 * a rule of the business refuses a statement.
 */
#include "db/outcome.h"

#include "base/str.h"

enum kind { KIND_CONFLICT, KIND_REFUSED, KIND_BUSY, KIND_DOWN, KIND_BUG };

static const struct {
	const char	*prefix;
	enum kind	 kind;
} kinds[] = {
	{ "23505", KIND_CONFLICT },	/* unique */
	{ "23P01", KIND_CONFLICT },	/* exclusion */
	{ "23514", KIND_REFUSED },	/* check */
	{ "23503", KIND_REFUSED },	/* foreign key */
	{ "23502", KIND_REFUSED },	/* not null */
	{ "LK", KIND_REFUSED },
	{ "55P03", KIND_BUSY },		/* lock_timeout */
	{ "57014", KIND_BUSY },		/* statement_timeout */
	{ "40P01", KIND_BUSY },		/* deadlock */
	{ "40001", KIND_BUSY },		/* serialization */
	{ "53", KIND_BUSY },		/* out of memory, disk, connections */
	{ "08", KIND_DOWN },		/* connection exceptions */
	{ "57P0", KIND_DOWN },		/* shutdown, crash, start-up */
	{ "25006", KIND_DOWN },		/* read only: became a standby */
};

static enum kind	 kind_of(const char *state);
static const char	*field(const PGresult *, int code);

enum outcome
outcome_of(PGresult *result, struct db_rows *ret_rows)
{
	struct db_rows	 rows = { .constraint = "", .result = result };
	ExecStatusType	 status = PQresultStatus(result);
	const char	*changed;

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		rows.n = PQntuples(result);
		changed = PQcmdTuples(result);
		if (*changed != '\0' &&
		    !str_to_int(changed, 0, INT64_MAX, &rows.changed))
			return (OUTCOME_BUG);
		*ret_rows = rows;
		return (OUTCOME_ROWS);
	}
	switch (kind_of(field(result, PG_DIAG_SQLSTATE))) {
	case KIND_CONFLICT:
		rows.outcome = DB_CONFLICT;
		break;
	case KIND_REFUSED:
		rows.outcome = DB_REFUSED;
		break;
	case KIND_BUSY:
		return (OUTCOME_BUSY);
	case KIND_DOWN:
		return (OUTCOME_DOWN);
	case KIND_BUG:
		return (OUTCOME_BUG);
	}
	rows.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
	if (*rows.constraint == '\0')
		rows.constraint = field(result, PG_DIAG_COLUMN_NAME);
	if (*rows.constraint == '\0')
		rows.constraint = field(result, PG_DIAG_MESSAGE_PRIMARY);
	*ret_rows = rows;
	return (OUTCOME_ROWS);
}

const char *
outcome_why(struct arena *arena, const char *query, const PGresult *result)
{
	const char	*state = field(result, PG_DIAG_SQLSTATE);

	if (query == NULL)
		query = "unnamed";
	if (*state == '\0')
		return (arena_fmt(arena, "%s: no answer that fits", query));
	/* 42: syntax, names and rights, of our own text.  Messages of other
	 * classes quote values: `invalid input syntax for type uuid: "..."`. */
	if (str_starts(state, "42") || str_starts(state, "0A"))
		return (arena_fmt(arena, "%s: %s %s", query, state,
		    field(result, PG_DIAG_MESSAGE_PRIMARY)));
	return (arena_fmt(arena, "%s: %s", query, state));
}

static enum kind
kind_of(const char *state)
{
	size_t	 i;

	for (i = 0; i < COUNT(kinds); i++)
		if (str_starts(state, kinds[i].prefix))
			return (kinds[i].kind);
	return (KIND_BUG);
}

/* Never NULL. */
static const char *
field(const PGresult *result, int code)
{
	const char	*text = PQresultErrorField(result, code);

	return (text != NULL ? text : "");
}
