/*
 * Chains and their heads: what verification reads, and the export to the log.
 */
#include "audit/audit.h"

#include "audit/chain.h"
#include "base/log.h"

/* Heads of one round of an export: 64 lines, 70 kB of log. */
#define EXPORT_BATCH	512

static void	 export_lines(struct arena *, const struct db_rows *heads,
		    struct anchor_line *);

WAITS const struct db_rows *
audit_db_links(struct db *db, const char *lane, int64_t n)
{
	DB_QUERY(audit_links,
	    "SELECT l.lane, l.n, encode(l.hash, 'hex'), l.audit_id, a.id,"
	    " (extract(epoch FROM a.at) * 1000000)::bigint, a.tenant_id,"
	    " a.actor_kind, a.actor_id, a.action, a.subject_kind,"
	    " a.subject_id, a.detail"
	    " FROM audit_link AS l LEFT JOIN audit AS a ON a.id = l.audit_id"
	    " WHERE (l.lane, l.n) > ($1::uuid, $2::bigint)"
	    " ORDER BY l.lane, l.n LIMIT 2000");

	return (db_read(db, &audit_links, DB_ARGS(lane, db_int(db, n))));
}

WAITS const struct db_rows *
audit_db_heads(struct db *db, const char *lane)
{
	DB_QUERY(audit_heads,
	    "SELECT lane, n, encode(hash, 'hex') FROM audit_head"
	    " WHERE lane > $1::uuid"
	    " ORDER BY lane LIMIT 2000");

	return (db_read(db, &audit_heads, DB_ARGS(lane)));
}

WAITS int64_t
audit_db_last_id(struct db *db)
{
	DB_QUERY(audit_last_id, "SELECT coalesce(max(id), 0) FROM audit");

	return (db_number(db_read(db, &audit_last_id, DB_NONE), 0, 0));
}

WAITS const struct db_rows *
audit_db_outside(struct db *db, int64_t after, int64_t until)
{
	DB_QUERY(audit_outside,
	    "SELECT a.id FROM audit AS a"
	    " WHERE a.id > $1::bigint AND a.id <= $2::bigint"
	    " AND NOT EXISTS (SELECT FROM audit_link AS l"
	    "     WHERE l.audit_id = a.id) ORDER BY a.id");

	return (db_read(db, &audit_outside, DB_ARGS(db_int(db, after),
	    db_int(db, until))));
}

WAITS bool
audit_export(struct db *db)
{
	/* A little less than a minute: who calls is not exact. */
	DB_QUERY(audit_export_state,
	    "SELECT e.lines, e.digest, count(h.lane),"
	    " coalesce(sum(h.n), 0)::bigint"
	    " FROM audit_export AS e LEFT JOIN audit_head AS h ON true"
	    " WHERE e.at <= now() - interval '55 seconds'"
	    " GROUP BY e.lines, e.digest");
	DB_QUERY(audit_export_changed,
	    "SELECT h.lane, h.n, encode(h.hash, 'hex')"
	    " FROM audit_head AS h"
	    " LEFT JOIN audit_exported AS e ON e.lane = h.lane"
	    " WHERE e.n IS DISTINCT FROM h.n ORDER BY h.lane LIMIT 512");
	/* Nothing when another courier was faster. */
	DB_QUERY(audit_export_done,
	    "WITH was AS ("
	    " UPDATE audit_export SET lines = $2::bigint, digest = $3,"
	    "     at = CASE WHEN $4::boolean THEN at ELSE now() END"
	    " WHERE lines = $1::bigint RETURNING 1)"
	    " INSERT INTO audit_exported AS e (lane, n)"
	    " SELECT x.lane, x.n FROM was, unnest($5::uuid[], $6::bigint[])"
	    "     AS x (lane, n)"
	    " ON CONFLICT (lane) DO UPDATE SET n = excluded.n");
	const struct db_rows	*state, *heads, *done;
	struct anchor_line	 line;
	const char		**lanes, **ns;
	int64_t			 before;
	int			 i;
	bool			 more;

	state = db_read(db, &audit_export_state, DB_NONE);
	if (state->n == 0)
		return (false);
	before = db_number(state, 0, 0);
	line = (struct anchor_line){ .number = before,
	    .digest = db_text(state, 0, 1), .lanes = db_number(state, 0, 2),
	    .rows = db_number(state, 0, 3) };
	heads = db_read(db, &audit_export_changed, DB_NONE);
	more = heads->n == EXPORT_BATCH;
	export_lines(db_arena(db), heads, &line);
	lanes = arena_calloc(db_arena(db), EXPORT_BATCH, sizeof(*lanes));
	ns = arena_calloc(db_arena(db), EXPORT_BATCH, sizeof(*ns));
	for (i = 0; i < heads->n; i++) {
		lanes[i] = db_text(heads, i, 0);
		ns[i] = db_text(heads, i, 1);
	}
	done = db_write(db, &audit_export_done, DB_ARGS(db_int(db, before),
	    db_int(db, line.number), line.digest, db_bool(more),
	    db_text_array(db, lanes, (size_t)heads->n),
	    db_text_array(db, ns, (size_t)heads->n)));
	db_must(db, done);
	return (more);
}

/* At least one line, in the log when it returns. */
static void
export_lines(struct arena *arena, const struct db_rows *heads,
    struct anchor_line *line)
{
	struct buf	 text;
	char		*digest;
	int		 i = 0, end;

	do {
		end = i + ANCHOR_HEADS < heads->n ? i + ANCHOR_HEADS :
		    heads->n;
		buf_init(&text, arena, 1000);
		for (; i < end; i++)
			buf_fmt(&text, "%s%s:%s:%s", text.n > 0 ? " " : "",
			    db_text(heads, i, 0), db_text(heads, i, 1),
			    db_text(heads, i, 2));
		line->number++;
		line->heads = buf_text(&text);
		line->previous = line->digest;
		digest = arena_alloc(arena, HASH_TEXT);
		anchor_digest(arena, line, digest);
		line->digest = digest;
		log_event(LOG_LEVEL_INFO, "audit_heads",
		    "number", LOG_NUM(line->number),
		    "lanes", LOG_NUM(line->lanes),
		    "rows", LOG_NUM(line->rows), "heads", line->heads,
		    "previous", line->previous, "digest", digest, NULL);
	} while (i < heads->n);
	log_flush();
}
