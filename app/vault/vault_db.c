/*
 * The one keyring of the process and the table that fills it.
 */
#include "vault/vault.h"

#include <assert.h>

#include "base/str.h"

static const char *const kinds[] = {
	"data", "subscription-key", "subscription-key-prefix", "link",
	"api-user-password",
};

const struct keyring	*vault;
static struct keyring	*ring;

static const char	*why_closed(struct arena *, enum seal_result,
			    const char *kind, int64_t version);

bool
vault_read_master(struct arena *arena, const char *path, const char **ret_why)
{
	assert(vault == NULL);
	keyring_free(ring);
	ring = keyring_new();
	if (keyring_read_master(ring, arena, path, ret_why))
		return (true);
	keyring_free(ring);
	ring = NULL;
	return (false);
}

WAITS bool
vault_load(struct db *db, const char **ret_why)
{
	DB_QUERY(vault_rows,
	    "SELECT kind, version, sealed FROM sealed_key"
	    " ORDER BY kind, version");
	const struct db_rows	*rows;
	enum seal_result	 result;
	const void		*sealed;
	size_t			 bytes, k;
	int			 i;

	if (vault != NULL)
		return (true);
	assert(ring != NULL);
	rows = db_read(db, &vault_rows, DB_NONE);
	for (i = 0; i < rows->n; i++) {
		sealed = db_blob(db, rows, i, 2, &bytes);
		result = keyring_add(ring, db_text(rows, i, 0),
		    (uint32_t)db_number(rows, i, 1), sealed, bytes);
		if (result != SEAL_OK) {
			*ret_why = why_closed(db_arena(db), result,
			    db_text(rows, i, 0), db_number(rows, i, 1));
			return (false);
		}
	}
	for (k = 0; k < COUNT(kinds); k++)
		if (keyring_newest(ring, kinds[k]) == 0) {
			*ret_why = arena_fmt(db_arena(db), "the database has "
			    "no key of kind %s: run latchkeyctl init",
			    kinds[k]);
			return (false);
		}
	vault = ring;
	return (true);
}

WAITS int64_t
vault_init(struct db *db)
{
	DB_QUERY(vault_make,
	    "INSERT INTO sealed_key (kind, version, master_version, sealed)"
	    " SELECT fresh.kind, 1, $1::integer, fresh.sealed"
	    " FROM (VALUES ($2::text, $7::bytea), ($3, $8), ($4, $9),"
	    "     ($5, $10), ($6, $11))"
	    "     AS fresh (kind, sealed)"
	    " WHERE NOT EXISTS (SELECT FROM sealed_key AS old"
	    "     WHERE old.kind = fresh.kind)"
	    " ON CONFLICT DO NOTHING");
	unsigned char		 sealed[KEY_BYTES + SEAL_OVERHEAD];
	const char		*args[1 + 2 * COUNT(kinds)];
	const struct db_rows	*rows;
	size_t			 k, bytes;

	assert(ring != NULL);
	args[0] = db_int(db, keyring_master_newest(ring));
	for (k = 0; k < COUNT(kinds); k++) {
		bytes = keyring_make(ring, kinds[k], 1, sealed);
		args[1 + k] = kinds[k];
		args[1 + COUNT(kinds) + k] = db_bytes(db, sealed, bytes);
	}
	rows = db_write(db, &vault_make, (int)COUNT(args), args);
	db_must(db, rows);
	return (rows->changed);
}

static const char *
why_closed(struct arena *arena, enum seal_result result, const char *kind,
    int64_t version)
{
	switch (result) {
	case SEAL_UNKNOWN_VERSION:
		return (arena_fmt(arena, "the master key file lacks the key "
		    "that %s %lld in the database is sealed under", kind,
		    (long long)version));
	case SEAL_BROKEN:
		return (arena_fmt(arena, "the master key file does not open "
		    "%s %lld in the database: it is another installation's",
		    kind, (long long)version));
	case SEAL_OK:
		break;
	}
	assert(!"no reason");
	return ("");
}
