/*
 * Approval by checks in the database.
 */
#include "requests/auto.h"

#include <assert.h>

#include "base/log.h"
#include "crypto/token.h"
#include "keys/key.h"

WAITS static bool approve(struct db *, const struct keyring *,
		    const char *request_id);
WAITS static void leave(struct db *, const char *request_id);

int64_t
auto_db_run(struct db *db, const struct keyring *ring)
{
	const struct db_rows	*rows;
	struct request		*r;
	int64_t			 done = 0;
	int			 i;

	DB_QUERY(auto_due,
	    "SELECT id FROM request WHERE state = 'submitted' "
	    "AND auto_stopped_at IS NULL AND auto_at <= now() "
	    "AND waiting_on = 'staff' ORDER BY auto_at LIMIT 20");
	_Static_assert(AUTO_EACH_MAX == 20, "the limit above");

	rows = db_read(db, &auto_due, DB_NONE);
	for (i = 0; i < rows->n; i++) {
		r = request_db_find(db, db_text(rows, i, 0));
		if (r == NULL || r->state != REQUEST_SUBMITTED)
			continue;
		if (request_check(db_arena(db), r).warnings == 0 &&
		    approve(db, ring, r->id))
			done++;
		else
			leave(db, r->id);
	}
	if (done > 0)
		log_event(LOG_LEVEL_INFO, "job_done", "job", "request_auto",
		    "count", LOG_NUM(done), NULL);
	return (done);
}

bool
auto_db_stop(struct db *db, const char *staff_id, const char *request_id)
{
	const struct db_rows	*rows;

	DB_QUERY(auto_stop,
	    "WITH done AS (UPDATE request r SET auto_stopped_at = now(),"
	    "    auto_stopped_by = s.id FROM account s"
	    "  WHERE s.id = $1::uuid AND s.kind = 'staff'"
	    "  AND s.state = 'active' AND r.id = $2::uuid"
	    "  AND r.state = 'submitted' AND r.auto_at IS NOT NULL"
	    "  AND r.auto_stopped_at IS NULL RETURNING r.id, r.tenant_id"
	    ") SELECT audit_write(tenant_id, 'account', $1::uuid,"
	    "  'request.auto_stopped', 'request', id) FROM done");

	rows = db_write(db, &auto_stop, DB_ARGS(staff_id, request_id));
	db_must(db, rows);
	return (rows->n == 1);
}

static bool
approve(struct db *db, const struct keyring *ring, const char *request_id)
{
	const struct db_rows	*rows;
	struct key_made		 one, two;
	char			 subscription[UUID_TEXT];
	bool			 made;

	DB_QUERY(auto_approve,
	    "SELECT request_approve_by_checks($1::uuid, $2::uuid, $3::int,"
	    " $4::uuid, $5::bytea, $6::bytea, $7::bytea, $8::text,"
	    " $9::uuid, $10::bytea, $11::bytea, $12::bytea, $13::text)");

	uuid_make(subscription);
	made = key_make(ring, "primary", &one) &&
	    key_make(ring, "secondary", &two);
	assert(made);		/* vault_load() saw that all kinds are there */
	rows = db_write(db, &auto_approve, DB_ARGS(request_id, subscription,
	    db_int(db, one.mac_version), one.id,
	    db_bytes(db, one.sealed, sizeof(one.sealed)),
	    db_bytes(db, one.mac, sizeof(one.mac)),
	    db_bytes(db, one.prefix_mac, sizeof(one.prefix_mac)), one.last4,
	    two.id, db_bytes(db, two.sealed, sizeof(two.sealed)),
	    db_bytes(db, two.mac, sizeof(two.mac)),
	    db_bytes(db, two.prefix_mac, sizeof(two.prefix_mac)), two.last4));
	/* A key that came to be at the same moment is a conflict. */
	return (rows->outcome == DB_OK && db_truth(rows, 0, 0));
}

static void
leave(struct db *db, const char *request_id)
{
	const struct db_rows	*rows;

	DB_QUERY(auto_leave,
	    "WITH done AS (UPDATE request SET auto_stopped_at = now()"
	    "  WHERE id = $1::uuid AND state = 'submitted'"
	    "  AND auto_stopped_at IS NULL RETURNING id, tenant_id"
	    ") SELECT audit_write(tenant_id, 'system', NULL,"
	    "  'request.auto_stopped', 'request', id) FROM done");

	rows = db_write(db, &auto_leave, DB_ARGS(request_id));
	db_must(db, rows);
}
