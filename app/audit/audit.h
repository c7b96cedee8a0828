/*
 * Audit: who did what to what, for people who look (audit_pages.c), for those
 * who check that nothing was tampered with (chain.h, latchkeyctl audit verify),
 * and for the log, where heads of chains are kept safe (audit_export).
 * Rows are written by audit_write() in the statement whose change they tell of.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "db/db.h"

#define AUDIT_EXPORT_EVERY_S	60

#define AUDIT_EXPORT_EVERY_S	60
/*
 * The courier's: writes heads that changed since the last time to the log, 512
 * a call; true when there may be more.  Among all couriers it is a line a
 * minute at least.  A line is in the log before the database is told so: after
 * a crash in between it comes again, under the same number.
 */
WAITS bool	 audit_export(struct db *);

/*
 * For verification: the next links behind (lane, n), the next heads behind a
 * lane, and ids of rows in (after, until] that stand in no chain.  AUDIT_START
 * is before all lanes.  Columns as audit_chain_db.c has them.
 */
#define AUDIT_START	"00000000-0000-0000-0000-000000000000"
WAITS const struct db_rows *audit_db_links(struct db *, const char *lane,
		    int64_t n);
WAITS const struct db_rows *audit_db_heads(struct db *, const char *lane);
WAITS int64_t	 audit_db_last_id(struct db *);
WAITS const struct db_rows *audit_db_outside(struct db *, int64_t after,
		    int64_t until);

#endif
