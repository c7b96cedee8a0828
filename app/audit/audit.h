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

/* ---- for those who look ---- */

/* What an action is called; the action itself where nobody named it. */
struct audit_action {
	const char	*action, *words;
};
const struct audit_action *audit_actions(size_t *ret_n);
const char	*audit_words(const char *action);

/*
 * What is looked for; NULL: all.  `tenants` is a client's rows with those of
 * clients that were merged into it: their rows stay where they were.  An
 * address or a code that nobody has finds nothing.
 */
struct audit_filter {
	const char	*tenant_id;	/* a client by id, or */
	const char	*tenant_code;	/* by its code */
	const char	*actor_kind;	/* visitor, operator, system, or */
	const char	*actor_email;	/* folded, or */
	const char	*actor_id;
	const char	*action;
	int64_t		 from, until;	/* [from, until); 0: open */
};
struct audit_entry {
	int64_t		 at;
	const char	*id, *tenant_code, *tenant;	/* "": of no client */
	const char	*actor_kind, *actor_id;		/* "" unless account */
	const char	*actor;		/* the name, "" where it is erased */
	bool		 by_staff;
	const char	*action, *subject_kind, *subject_id;
	const char	*subject;	/* its name, "" where it has none */
	const char	*detail;	/* JSON */
};
struct audit_entries {
	struct audit_entry *list;	/* newest first */
	int		 n;
	bool		 more;
};
/* A place between two rows; {0} is before the newest. */
struct audit_place {
	int64_t		 at;
	const char	*id;
};
#define AUDIT_PAGE_ROWS		50
#define AUDIT_EXPORT_ROWS	500
WAITS struct audit_entries audit_db_page(struct db *,
		    const struct audit_filter *, const struct audit_place *);
WAITS struct audit_entries audit_db_batch(struct db *,
		    const struct audit_filter *, const struct audit_place *);

#endif
