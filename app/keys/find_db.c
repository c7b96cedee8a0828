/*
 * Looking keys up: see find.h.
 */
#include "keys/find.h"

#include "base/str.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"
#define FOUND								\
    "SELECT k.id, coalesce(k.slot, ''), k.last4, CASE WHEN k.state = 'old'"		\
    "  AND k.ends_at <= now() THEN 'ended' ELSE k.state END, s.id,"	\
    " s.name, CASE WHEN s.state IN ('active', 'suspended')"		\
    "  AND s.expires_at <= now() THEN 'expired' ELSE s.state END,"	\
    " t.code, t.name, " MICROS("k.created_at") ", coalesce("		\
    MICROS("k.ends_at") ", 0), coalesce(" MICROS("k.last_used_at")	\
    ", 0), coalesce(i.id::text, ''), coalesce(i.name, '')"		\
    " FROM subscription_key k LEFT JOIN issued_key i ON i.id = k.key_id" \
    " JOIN subscription s ON s.id = k.subscription_id"			\
    " JOIN tenant t ON t.id = s.tenant_id WHERE "
#define NEWEST	" ORDER BY k.id DESC LIMIT 100"

WAITS static const struct db_rows *by_mac(struct db *, const struct keyring *,
		    const struct db_query *, const char *purpose,
		    const char *text);

WAITS struct found_keys
find_db(struct db *db, const struct keyring *ring, enum find_by by,
    const char *text)
{
	DB_QUERY(find_whole, FOUND "k.mac = $1::bytea" NEWEST);
	DB_QUERY(find_first8, FOUND "k.prefix_mac = $1::bytea" NEWEST);
	DB_QUERY(find_last4, FOUND "k.last4 = $1::text" NEWEST);
	_Static_assert(FIND_MAX == 100, "the limit above");
	const struct db_rows	*rows = NULL;
	struct found_keys	 found;
	int			 i;

	switch (by) {
	case FIND_WHOLE:
		rows = by_mac(db, ring, &find_whole, "subscription-key", text);
		break;
	case FIND_FIRST8:
		rows = by_mac(db, ring, &find_first8,
		    "subscription-key-prefix", text);
		break;
	case FIND_LAST4:
		rows = db_read(db, &find_last4, DB_ARGS(text));
		break;
	}
	found.n = rows == NULL ? 0 : rows->n;
	found.list = arena_calloc(db_arena(db), (size_t)found.n,
	    sizeof(*found.list));
	for (i = 0; i < found.n; i++)
		found.list[i] = (struct found_key){
			.id = db_text(rows, i, 0),
			.slot = db_text(rows, i, 1),
			.last4 = db_text(rows, i, 2),
			.state = db_text(rows, i, 3),
			.subscription_id = db_text(rows, i, 4),
			.subscription = db_text(rows, i, 5),
			.subscription_state = db_text(rows, i, 6),
			.code = db_text(rows, i, 7),
			.client = db_text(rows, i, 8),
			.made_at = db_number(rows, i, 9),
			.ends_at = db_number(rows, i, 10),
			.used_at = db_number(rows, i, 11),
			.issued_id = db_text(rows, i, 12),
			.name = db_text(rows, i, 13),
		};
	return (found);
}

/* Under each version of the purpose's key, newest first; NULL: nowhere. */
WAITS static const struct db_rows *
by_mac(struct db *db, const struct keyring *ring, const struct db_query *query,
    const char *purpose, const char *text)
{
	const struct db_rows	*rows;
	unsigned char		 mac[SHA256_BYTES];
	uint32_t		 version;

	for (version = keyring_newest(ring, purpose); version > 0; version--) {
		if (!keyring_hmac(ring, purpose, version, text, strlen(text),
		    mac))
			continue;
		rows = db_read(db, query, DB_ARGS(db_bytes(db, mac,
		    sizeof(mac))));
		if (rows->n > 0)
			return (rows);
	}
	return (NULL);
}
