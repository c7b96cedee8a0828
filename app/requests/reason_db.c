/*
 * Reasons that are often given, in the database.
 */
#include "requests/reason.h"

#include "crypto/token.h"

struct reasons
reason_db_list(struct db *db)
{
	struct reasons		 reasons;
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(reason_list,
	    "SELECT id, title, text FROM canned_reason "
	    "ORDER BY lower(title) LIMIT 50");
	_Static_assert(REASONS_MAX == 50, "the limit above");

	rows = db_read(db, &reason_list, DB_NONE);
	reasons.n = rows->n;
	reasons.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*reasons.list));
	for (i = 0; i < rows->n; i++)
		reasons.list[i] = (struct reason){
			.id = db_text(rows, i, 0),
			.title = db_text(rows, i, 1),
			.text = db_text(rows, i, 2),
		};
	return (reasons);
}

enum reason_result
reason_db_save(struct db *db, const char *staff_id,
    const struct reason *reason)
{
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	DB_QUERY(reason_add,
	    "WITH made AS (INSERT INTO canned_reason (id, title, text)"
	    "  SELECT $2::uuid, $3::text, $4::text"
	    "  WHERE (SELECT count(*) FROM canned_reason) < 50 RETURNING id"
	    ") SELECT audit_write(NULL, 'account', $1::uuid, 'reason.added',"
	    "  'reason', id) FROM made");
	DB_QUERY(reason_change,
	    "WITH made AS (UPDATE canned_reason SET title = $3::text,"
	    "    text = $4::text, changed_at = now() WHERE id = $2::uuid"
	    "  RETURNING id"
	    ") SELECT audit_write(NULL, 'account', $1::uuid, 'reason.changed',"
	    "  'reason', id) FROM made");
	_Static_assert(REASONS_MAX == 50, "the limit above");

	if (reason->id == NULL)
		uuid_make(id);
	rows = db_write(db, reason->id == NULL ? &reason_add : &reason_change,
	    DB_ARGS(staff_id, reason->id == NULL ? id : reason->id,
	    reason->title, reason->text));
	if (rows->outcome == DB_CONFLICT)
		return (REASON_TAKEN);
	db_must(db, rows);
	if (rows->n == 1)
		return (REASON_DONE);
	return (reason->id == NULL ? REASON_FULL : REASON_NONE);
}

enum reason_result
reason_db_delete(struct db *db, const char *staff_id, const char *id)
{
	const struct db_rows	*rows;

	DB_QUERY(reason_delete,
	    "WITH gone AS (DELETE FROM canned_reason WHERE id = $2::uuid"
	    "  RETURNING id"
	    ") SELECT audit_write(NULL, 'account', $1::uuid, 'reason.deleted',"
	    "  'reason', id) FROM gone");

	rows = db_write(db, &reason_delete, DB_ARGS(staff_id, id));
	db_must(db, rows);
	return (rows->n == 1 ? REASON_DONE : REASON_NONE);
}

const char *
reason_db_compose(struct db *db, const char *id, const char *typed)
{
	const struct db_rows	*rows;

	DB_QUERY(reason_find, "SELECT text FROM canned_reason WHERE id = $1");

	if (str_blank(typed))
		typed = "";
	if (!uuid_shaped(id))
		return (*id == '\0' ? typed : "");
	rows = db_read(db, &reason_find, DB_ARGS(id));
	if (rows->n == 0)
		return ("");
	if (*typed == '\0')
		return (db_text(rows, 0, 0));
	return (arena_fmt(db_arena(db), "%s\n\n%s", db_text(rows, 0, 0),
	    typed));
}
