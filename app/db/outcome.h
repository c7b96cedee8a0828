/*
 * What an answer of the server means: its SQLSTATE sorted into the kinds that
 * db.h promises.
 */
#ifndef DB_OUTCOME_H
#define DB_OUTCOME_H

#include <libpq-fe.h>

#include "db/db.h"

enum outcome {
	OUTCOME_ROWS,	/* *ret_rows is filled in: done, conflict, refused */
	OUTCOME_DOWN,	/* the server goes down, or is no primary any more */
	OUTCOME_BUSY,	/* time-out, deadlock, out of room */
	OUTCOME_BUG,	/* anything else: our statement is wrong */
};

/* The rows borrow the result, which may be NULL (OUTCOME_BUG).  An error of
 * any kind means that the statement changed nothing. */
enum outcome	 outcome_of(PGresult *, struct db_rows *ret_rows);
/* One line for the log: SQLSTATE, and the message only where it can't hold a
 * parameter's value. */
const char	*outcome_why(struct arena *, const char *query,
		    const PGresult *);

#endif
