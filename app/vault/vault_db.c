/*
 * The one keyring of the process and the table that fills it.
 */
#include "vault/vault.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define HOST_MAX	65	/* HOST_NAME_MAX and the NUL */
#define STATE_TEXT	(2 * SHA256_BYTES + 1)

/* Another text when any row is added, sealed anew, comes into use or goes. */
#define STATE								\
    "(SELECT encode(sha256(convert_to(string_agg(concat_ws(' ', kind,"	\
    " version, master_version, active_at IS NULL), ',' ORDER BY kind,"	\
    " version), 'UTF8')), 'hex') FROM sealed_key)"

static const char *const kinds[] = {
	"data", "subscription-key", "subscription-key-prefix", "link",
	"api-user-password", "access-token",
};

const struct keyring	*vault;
static struct keyring	*ring;
static char		 path[PATH_MAX];	/* of the master key file */
static struct stat	 file;			/* when it was last looked at */
static char		 state[STATE_TEXT];	/* of the table, when read */
static char		 me[UUID_TEXT];		/* "": not yet made */
static pid_t		 my_pid;		/* whose me that is */
static volatile sig_atomic_t rereads;

WAITS static bool open_rows(struct db *, struct keyring *,
		    const char **ret_why);
WAITS static bool fill(struct db *, struct keyring *, const char **ret_why);
static bool	 file_changed(void);
WAITS static const char *report(struct db *, const char *program,
		    int64_t lease_s);
static const char	*why_closed(struct arena *, enum seal_result,
			    const char *kind, int64_t version);

bool
vault_read_master(struct arena *arena, const char *from, const char **ret_why)
{
	assert(vault == NULL);
	(void)snprintf(path, sizeof(path), "%s", from);
	(void)file_changed();
	keyring_free(ring);
	ring = keyring_new();
	if (keyring_read_master(ring, arena, path, ret_why))
		return (true);
	keyring_free(ring);
	ring = NULL;
	return (false);
}

WAITS bool
vault_fits(struct db *db, const char **ret_why)
{
	assert(ring != NULL && vault == NULL);
	return (open_rows(db, ring, ret_why));
}

WAITS bool
vault_load(struct db *db, const char **ret_why)
{
	const char	*why;

	if (vault != NULL)
		return (true);
	assert(ring != NULL);
	/* A worker has the file as it was when the portal started. */
	if (!fill(db, ring, ret_why) && (!file_changed() ||
	    !keyring_read_master(ring, db_arena(db), path, &why) ||
	    !fill(db, ring, ret_why)))
		return (false);
	vault = ring;
	return (true);
}

WAITS bool
vault_refresh(struct db *db, const char **ret_why)
{
	struct keyring	*fresh = keyring_new();

	assert(vault != NULL);
	(void)file_changed();
	if (!keyring_read_master(fresh, db_arena(db), path, ret_why) ||
	    !fill(db, fresh, ret_why)) {
		keyring_free(fresh);
		return (false);
	}
	keyring_replace(ring, fresh);
	return (true);
}

WAITS enum vault_beat
vault_beat(struct db *db, const char *program, int64_t lease_s,
    const char **ret_why)
{
	static bool	stuck;
	bool		changed = file_changed() || rereads > 0 || stuck;

	rereads = 0;
	changed = !str_eq(report(db, program, lease_s), state) || changed;
	if (!changed)
		return (VAULT_SAME);
	stuck = !vault_refresh(db, ret_why);
	if (stuck)
		return (VAULT_STUCK);
	(void)report(db, program, lease_s);
	return (VAULT_NEW);
}

void
vault_reread(void)
{
	rereads = 1;
}

WAITS void
vault_leave(struct db *db)
{
	DB_QUERY(vault_gone, "DELETE FROM key_holder WHERE id = $1::uuid");
	const struct db_rows	*rows;

	if (my_pid != getpid())
		return;
	rows = db_write(db, &vault_gone, DB_ARGS(me));
	db_must(db, rows);
}

WAITS enum seal_result
vault_open(struct db *db, const char *row, const void *sealed, size_t bytes,
    struct secret *ret_plain)
{
	enum seal_result	 result;
	const char		*why;

	result = seal_open(vault, db_arena(db), row, sealed, bytes, ret_plain);
	if (result != SEAL_UNKNOWN_VERSION || !vault_refresh(db, &why))
		return (result);
	return (seal_open(vault, db_arena(db), row, sealed, bytes, ret_plain));
}

size_t
vault_make(const char *kind, uint32_t version,
    unsigned char ret_sealed[KEY_BYTES + SEAL_OVERHEAD])
{
	assert(ring != NULL);
	return (keyring_make(ring, kind, version, ret_sealed));
}

WAITS int64_t
vault_init(struct db *db)
{
	DB_QUERY(vault_make,
	    "INSERT INTO sealed_key (kind, version, master_version, sealed)"
	    " SELECT fresh.kind, 1, $1::integer, fresh.sealed"
	    " FROM (VALUES ($2::text, $8::bytea), ($3, $9), ($4, $10),"
	    "     ($5, $11), ($6, $12), ($7, $13))"
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

/* Every row of the table into a ring that has the master keys. */
WAITS static bool
open_rows(struct db *db, struct keyring *into, const char **ret_why)
{
	DB_QUERY(vault_rows,
	    "SELECT kind, version, sealed, kind = 'data' AND active_at IS NOT"
	    " NULL, " STATE " FROM sealed_key ORDER BY kind, version");
	const struct db_rows	*rows;
	enum seal_result	 result;
	const void		*sealed;
	uint32_t		 version, under = 0;
	size_t			 bytes;
	int			 i;

	rows = db_read(db, &vault_rows, DB_NONE);
	for (i = 0; i < rows->n; i++) {
		version = (uint32_t)db_number(rows, i, 1);
		sealed = db_blob(db, rows, i, 2, &bytes);
		result = keyring_add(into, db_text(rows, i, 0), version,
		    sealed, bytes);
		if (result != SEAL_OK) {
			*ret_why = why_closed(db_arena(db), result,
			    db_text(rows, i, 0), db_number(rows, i, 1));
			return (false);
		}
		if (db_truth(rows, i, 3))
			under = version;
	}
	keyring_seal_under(into, under);
	(void)snprintf(state, sizeof(state), "%s",
	    rows->n > 0 ? db_text(rows, 0, 4) : "");
	return (true);
}

/* The same, and every kind has to be there. */
WAITS static bool
fill(struct db *db, struct keyring *into, const char **ret_why)
{
	size_t	k;

	if (!open_rows(db, into, ret_why))
		return (false);
	for (k = 0; k < COUNT(kinds); k++)
		if (keyring_newest(into, kinds[k]) == 0) {
			*ret_why = arena_fmt(db_arena(db), "the database has "
			    "no key of kind %s: run latchkeyctl init",
			    kinds[k]);
			return (false);
		}
	return (true);
}

/* Since it was last asked.  A file that is not there has not changed. */
static bool
file_changed(void)
{
	struct stat	st;
	bool		changed;

	if (stat(path, &st) == -1)
		return (false);
	changed = st.st_dev != file.st_dev || st.st_ino != file.st_ino ||
	    st.st_size != file.st_size ||
	    st.st_mtim.tv_sec != file.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != file.st_mtim.tv_nsec;
	file = st;
	return (changed);
}

/* The state of the table. */
WAITS static const char *
report(struct db *db, const char *program, int64_t lease_s)
{
	/* Rows of those that died are of use to nobody after a day. */
	DB_QUERY(vault_report,
	    "WITH gone AS (DELETE FROM key_holder"
	    "  WHERE alive_until < now() - interval '1 day')"
	    " INSERT INTO key_holder (id, program, host, pid, master_version,"
	    "  data_version, seals_under, alive_until)"
	    " VALUES ($1::uuid, $2::text, $3::text, $4::int, $5::int, $6::int,"
	    "  $7::int, now() + make_interval(secs => $8::int))"
	    " ON CONFLICT (id) DO UPDATE SET"
	    "  master_version = excluded.master_version,"
	    "  data_version = excluded.data_version,"
	    "  seals_under = excluded.seals_under,"
	    "  alive_until = excluded.alive_until"
	    " RETURNING " STATE);
	const struct db_rows	*rows;
	char			 host[HOST_MAX] = "";

	/* Workers are forks of one process. */
	if (my_pid != getpid()) {
		uuid_make(me);
		my_pid = getpid();
	}
	(void)gethostname(host, sizeof(host) - 1);
	rows = db_write(db, &vault_report, DB_ARGS(me, program, host,
	    db_int(db, my_pid), db_int(db, keyring_master_newest(vault)),
	    db_int(db, keyring_newest(vault, "data")),
	    db_int(db, keyring_seals_under(vault)), db_int(db, lease_s)));
	db_must(db, rows);
	assert(rows->n == 1);
	return (db_text(rows, 0, 0));
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
