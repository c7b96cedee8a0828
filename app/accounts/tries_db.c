/*
 * SQL of tries: try_begin() and try_right() of the migrations.
 */
#include "accounts/tries.h"

int64_t
tries_db_begin(struct db *db, const struct tries *tries)
{
	DB_QUERY(tries_begin, "SELECT ceil(try_begin($1::text[], $2::text[], "
	    "$3::integer[]))::bigint");

	return (db_number(db_must(db, db_write(db, &tries_begin,
	    DB_ARGS(db_text_array(db, tries->lanes, tries->n),
		db_text_array(db, tries->keys, tries->n),
		db_text_array(db, tries->free, tries->n)))), 0, 0));
}

void
tries_db_right(struct db *db, const struct tries *tries)
{
	DB_QUERY(tries_right,
	    "SELECT try_right($1::text[], $2::text[])");
	const struct db_rows	*rows;

	rows = db_write(db, &tries_right,
	    DB_ARGS(db_text_array(db, tries->lanes, tries->n),
		db_text_array(db, tries->keys, tries->n)));
	db_must(db, rows);
}
