/*
 * SQL of the key profiles that a worker knows.
 */
#include "gateway/keyway.h"

void
keyway_db_read(struct db *db)
{
	DB_QUERY(gateway_profiles,
	    "SELECT p.slug, f.missing_status, f.unknown_status, f.key_header, "
	    "f.key_query, f.is_pair, f.letters, f.tenant_header "
	    "FROM product p JOIN key_profile f ON f.name = p.profile "
	    "ORDER BY p.id");
	const struct db_rows	*rows = db_read(db, &gateway_profiles, DB_NONE);
	struct keyway_row	 row;
	int			 i;

	keyway_begin();
	for (i = 0; i < rows->n; i++) {
		memset(&row, 0, sizeof(row));
		(void)snprintf(row.slug, sizeof(row.slug), "%s",
		    db_text(rows, i, 0));
		row.missing_status = (uint16_t)db_number(rows, i, 1);
		row.unknown_status = (uint16_t)db_number(rows, i, 2);
		row.key = keyway_name(KEYWAY_KEY, db_text(rows, i, 3));
		row.query = keyway_name(KEYWAY_QUERY, db_text(rows, i, 4));
		row.is_pair = db_truth(rows, i, 5);
		(void)snprintf(row.letters, sizeof(row.letters), "%s",
		    db_text(rows, i, 6));
		keyway_add(&row, db_text(rows, i, 7));
	}
	keyway_end();
}
