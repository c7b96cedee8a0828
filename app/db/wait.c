/*
 * The one place that knows how to wait for the database: in the portal the
 * coroutine is suspended and the pool resumes it, in tools and tests the
 * handle's own connection is polled.
 */
#include <assert.h>

#include "db/handle.h"
#include "db/pool.h"
#include "run/co.h"

enum submit
wait_submit(struct db *db, struct op *op)
{
	if (db->blocking != NULL)
		return (blocking_submit(db->blocking, op));
	op->co = co_current();
	assert(op->co != NULL);
	return (pool_submit(op));
}

void
wait_for(struct db *db, struct op *op)
{
	while (op->end == OP_OPEN) {
		if (db->blocking != NULL)
			(void)blocking_pump(db->blocking, -1);
		else
			co_wait();
	}
}
