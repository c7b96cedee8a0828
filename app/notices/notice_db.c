/*
 * SQL of notices and of choices.
 */
#include "notices/notice.h"

WAITS struct notices
notice_db_page(struct db *db, const char *account_id, int64_t at,
    const char *id)
{
	DB_QUERY(notice_list,
	    "SELECT n.id, notice_words(k, n.params), "
	    "(extract(epoch FROM n.at) * 1000000)::bigint, "
	    "n.read_at IS NOT NULL "
	    "FROM notice n JOIN mail_kind k ON k.kind = n.kind "
	    "WHERE n.account_id = $1::uuid "
	    "AND (n.at, n.id) < ($2::timestamptz, $3::uuid) "
	    "ORDER BY n.at DESC, n.id DESC LIMIT 31");
	_Static_assert(NOTICE_PAGE_ROWS == 30, "the limit is one more");
	const struct db_rows	*rows;
	struct notices		 notices;
	int			 i;

	rows = db_read(db, &notice_list, DB_ARGS(account_id,
	    id != NULL ? db_time(db, at) : "infinity",
	    id != NULL ? id : "00000000-0000-0000-0000-000000000000"));
	notices.more = rows->n > NOTICE_PAGE_ROWS;
	notices.n = notices.more ? NOTICE_PAGE_ROWS : rows->n;
	notices.list = arena_calloc(db_arena(db), (size_t)notices.n,
	    sizeof(*notices.list));
	for (i = 0; i < notices.n; i++)
		notices.list[i] = (struct notice){
			.id = db_text(rows, i, 0),
			.words = db_text(rows, i, 1),
			.at = db_number(rows, i, 2),
			.is_read = db_truth(rows, i, 3),
		};
	return (notices);
}

WAITS const char *
notice_db_open(struct db *db, const char *account_id, const char *id)
{
	DB_QUERY(notice_open,
	    "UPDATE notice AS n SET read_at = coalesce(n.read_at, now()) "
	    "FROM mail_kind k WHERE n.id = $2::uuid "
	    "AND n.account_id = $1::uuid AND k.kind = n.kind "
	    "RETURNING notice_path(k, n.params)");
	const struct db_rows	*rows;

	rows = db_write(db, &notice_open, DB_ARGS(account_id, id));
	db_must(db, rows);
	return (rows->n == 0 ? NULL : db_text(rows, 0, 0));
}

WAITS void
notice_db_read_all(struct db *db, const char *account_id, int64_t until)
{
	DB_QUERY(notice_read_all,
	    "UPDATE notice SET read_at = now() WHERE account_id = $1::uuid "
	    "AND read_at IS NULL AND at <= $2::timestamptz");
	const struct db_rows	*rows;

	rows = db_write(db, &notice_read_all, DB_ARGS(account_id,
	    db_time(db, until)));
	db_must(db, rows);
}

WAITS struct notice_choices
notice_db_choices(struct db *db, const char *account_id, bool is_staff)
{
	DB_QUERY(notice_choices,
	    "SELECT k.kind, k.words, coalesce(c.choice, 'now') "
	    "FROM mail_kind k LEFT JOIN mail_choice c "
	    "ON c.kind = k.kind AND c.account_id = $1::uuid "
	    "WHERE k.optional AND k.reader IN ('all', "
	    "CASE WHEN $2::boolean THEN 'staff' ELSE 'contact' END) "
	    "ORDER BY k.kind");
	const struct db_rows	*rows;
	struct notice_choices	 choices;
	int			 i;

	rows = db_read(db, &notice_choices, DB_ARGS(account_id,
	    db_bool(is_staff)));
	choices.n = rows->n;
	choices.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*choices.list));
	for (i = 0; i < rows->n; i++)
		choices.list[i] = (struct notice_choice){
			.kind = db_text(rows, i, 0),
			.words = db_text(rows, i, 1),
			.choice = db_text(rows, i, 2),
		};
	return (choices);
}

WAITS void
notice_db_choose(struct db *db, const char *account_id,
    const char *const *kinds, const char *const *choices, size_t n)
{
	DB_QUERY(notice_choose,
	    "WITH new AS (SELECT k.kind, x.choice "
	    "FROM unnest($2::text[], $3::text[]) AS x (kind, choice) "
	    "JOIN mail_kind k ON k.kind = x.kind AND k.optional), "
	    "gone AS (DELETE FROM mail_choice AS c USING new "
	    "WHERE c.account_id = $1::uuid AND c.kind = new.kind "
	    "AND new.choice = 'now') "
	    "INSERT INTO mail_choice AS c (account_id, kind, choice) "
	    "SELECT $1::uuid, kind, choice FROM new WHERE choice <> 'now' "
	    "ON CONFLICT (account_id, kind) DO UPDATE "
	    "SET choice = excluded.choice");
	const struct db_rows	*rows;

	rows = db_write(db, &notice_choose, DB_ARGS(account_id,
	    db_text_array(db, kinds, n), db_text_array(db, choices, n)));
	db_must(db, rows);
}

WAITS void
notice_db_unsubscribe(struct db *db, const char *account_id,
    const char *kind)
{
	DB_QUERY(notice_unsubscribe,
	    "SELECT mail_unsubscribe($1::uuid, $2::text)");
	const struct db_rows	*rows;

	rows = db_write(db, &notice_unsubscribe, DB_ARGS(account_id, kind));
	db_must(db, rows);
}
