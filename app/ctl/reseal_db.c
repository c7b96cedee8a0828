/*
 * Sealing rows anew under another data key, a batch a statement.
 *
 * A row is replaced only while it is what was read, and one that somebody else
 * holds is left for the next pass: so nobody waits for more than a batch, and
 * none waits for another in a circle.  HMACs are not touched.
 */
#include "ctl/ctl_db.h"

#include <assert.h>

#include "accounts/factor.h"
#include "base/str.h"
#include "crypto/seal.h"
#include "keys/key.h"
#include "vault/signing.h"

DB_QUERY(reseal_keys,
    "SELECT id, slot, sealed FROM subscription_key WHERE id > $1::uuid"
    " AND data_version < $2::int ORDER BY id LIMIT $3::int");
DB_QUERY(reseal_keys_put,
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[],"
    "    $3::bytea[]) AS g (id, old, new)"
    "), held AS (SELECT k.id, g.new FROM subscription_key k"
    "  JOIN given g ON g.id = k.id AND g.old = k.sealed"
    "  FOR NO KEY UPDATE OF k SKIP LOCKED)"
    " UPDATE subscription_key k SET sealed = held.new FROM held"
    " WHERE k.id = held.id");
DB_QUERY(reseal_totp,
    "SELECT account_id, '', sealed FROM totp WHERE account_id > $1::uuid"
    " AND data_version < $2::int ORDER BY account_id LIMIT $3::int");
DB_QUERY(reseal_totp_put,
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[],"
    "    $3::bytea[]) AS g (id, old, new)"
    "), held AS (SELECT t.account_id, g.new FROM totp t"
    "  JOIN given g ON g.id = t.account_id AND g.old = t.sealed"
    "  FOR NO KEY UPDATE OF t SKIP LOCKED)"
    " UPDATE totp t SET sealed = held.new FROM held"
    " WHERE t.account_id = held.account_id");
DB_QUERY(reseal_signing,
    "SELECT id, '', sealed FROM signing_key WHERE id > $1::uuid"
    " AND data_version < $2::int ORDER BY id LIMIT $3::int");
DB_QUERY(reseal_signing_put,
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[],"
    "    $3::bytea[]) AS g (id, old, new)"
    "), held AS (SELECT k.id, g.new FROM signing_key k"
    "  JOIN given g ON g.id = k.id AND g.old = k.sealed"
    "  FOR NO KEY UPDATE OF k SKIP LOCKED)"
    " UPDATE signing_key k SET sealed = held.new FROM held"
    " WHERE k.id = held.id");

static const char *key_name(struct arena *, const char *id, const char *slot);
static const char *totp_name(struct arena *, const char *id, const char *slot);
static const char *signing_name(struct arena *, const char *id,
		    const char *slot);

const struct ctl_sealed ctl_sealed[] = {
	{ "subscription_key", &reseal_keys, &reseal_keys_put, key_name },
	{ "totp", &reseal_totp, &reseal_totp_put, totp_name },
	{ "signing_key", &reseal_signing, &reseal_signing_put, signing_name },
	{ NULL, NULL, NULL, NULL },
};

WAITS int64_t
ctl_db_sealed_before(struct db *db, int64_t version)
{
	DB_QUERY(ctl_sealed_before,
	    "SELECT (SELECT count(*) FROM subscription_key"
	    "  WHERE data_version < $1::int)"
	    " + (SELECT count(*) FROM totp WHERE data_version < $1::int)"
	    " + (SELECT count(*) FROM signing_key"
	    "  WHERE data_version < $1::int)");

	return (db_number(db_read(db, &ctl_sealed_before,
	    DB_ARGS(db_int(db, version))), 0, 0));
}

WAITS bool
ctl_db_reseal(struct db *db, const struct keyring *ring,
    const struct ctl_sealed *table, int64_t version, int batch,
    char after[UUID_TEXT], struct ctl_reseal *all)
{
	struct arena		*a = db_arena(db);
	const struct db_rows	*rows;
	const char		**ids, **old, **new, *row;
	const void		*sealed;
	unsigned char		*fresh;
	struct secret		 plain;
	size_t			 bytes, n = 0;
	int			 i, read;

	assert((int64_t)keyring_seals_under(ring) == version);
	rows = db_read(db, table->read, DB_ARGS(after, db_int(db, version),
	    db_int(db, batch)));
	read = rows->n;
	if (read == 0)
		return (false);
	ids = arena_calloc(a, (size_t)read, sizeof(*ids));
	old = arena_calloc(a, (size_t)read, sizeof(*old));
	new = arena_calloc(a, (size_t)read, sizeof(*new));
	for (i = 0; i < read; i++) {
		row = table->row(a, db_text(rows, i, 0), db_text(rows, i, 1));
		sealed = db_blob(db, rows, i, 2, &bytes);
		if (seal_open(ring, a, row, sealed, bytes, &plain) != SEAL_OK) {
			if (all->broken++ == 0)
				(void)snprintf(all->broken_row,
				    sizeof(all->broken_row), "%s", row);
			continue;
		}
		fresh = arena_alloc(a, bytes);
		seal(ring, row, plain.p, plain.n, fresh);
		secret_wipe(&plain);
		ids[n] = db_text(rows, i, 0);
		old[n] = db_bytes(db, sealed, bytes);
		new[n++] = db_bytes(db, fresh, bytes);
	}
	(void)snprintf(after, UUID_TEXT, "%s", db_text(rows, read - 1, 0));
	if (n > 0) {
		rows = db_write(db, table->put, DB_ARGS(
		    db_text_array(db, ids, n), db_text_array(db, old, n),
		    db_text_array(db, new, n)));
		db_must(db, rows);
		all->done += rows->changed;
		all->skipped += (int64_t)n - rows->changed;
	}
	return (read == batch);
}

static const char *
key_name(struct arena *a, const char *id, const char *slot)
{
	char	*row = arena_alloc(a, KEY_ROW_MAX);

	key_row(row, id, slot);
	return (row);
}

static const char *
totp_name(struct arena *a, const char *id, const char *slot)
{
	(void)slot;
	return (totp_row(a, id));
}

static const char *
signing_name(struct arena *a, const char *id, const char *slot)
{
	(void)slot;
	return (signing_row(a, id));
}
