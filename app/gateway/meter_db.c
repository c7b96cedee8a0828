/*
 * SQL of what was called: one statement a batch, which a batch that was written
 * before leaves as it is.
 */
#include "gateway/meter.h"

#include <arpa/inet.h>
#include <assert.h>

#include "base/clock.h"
#include "crypto/token.h"
#include "gateway/limit.h"

#define NONE	"'00000000-0000-0000-0000-000000000000'::uuid"

struct texts {
	const char	*subscriptions, *keys, *users, *hours, *outcomes,
			*calls, *used, *addresses, *quotas;
};

static struct texts columns(struct db *, const struct meter_cell *,
		    const uint32_t *calls, unsigned n);
static const char *address_text(struct arena *, const struct meter_cell *);

unsigned
meter_db_flush(struct db *db)
{
	/*
	 * In one order for all portals.  "Last used" is written where the
	 * cell tells it, unless another portal just did.  Quotas are counted
	 * by the day and month of the batch's latest call: what came before is
	 * of neither any more.
	 */
	DB_QUERY(meter_flush,
	    "WITH first AS (INSERT INTO usage_flush (source, batch) "
	    "VALUES ($1::uuid, $2::bigint) ON CONFLICT (source) DO UPDATE "
	    "SET batch = excluded.batch, at = now() "
	    "WHERE usage_flush.batch < excluded.batch RETURNING 1), "
	    "cell AS MATERIALIZED (SELECT c.subscription_id, c.key_id, "
	    "c.user_id, to_timestamp(c.hour * 3600) AS hour, c.outcome, "
	    "c.calls, to_timestamp(c.used / 1e6) AS used_at, c.address, "
	    "c.has_quota "
	    "FROM first, unnest($3::uuid[], $4::uuid[], $5::uuid[], "
	    "$6::bigint[], $7::text[], $8::integer[], $9::bigint[], "
	    "$10::inet[], $11::boolean[]) AS c (subscription_id, key_id, "
	    "user_id, hour, outcome, calls, used, address, has_quota)), "
	    "hours AS (INSERT INTO usage_hour AS u (subscription_id, hour, "
	    "api_user_id, outcome, calls) "
	    "SELECT subscription_id, hour, user_id, outcome, sum(calls) "
	    "FROM cell GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 "
	    "ON CONFLICT (subscription_id, hour, api_user_id, outcome) "
	    "DO UPDATE SET calls = u.calls + excluded.calls), "
	    "days AS (INSERT INTO usage_day AS u (subscription_id, day, "
	    "api_user_id, outcome, calls) "
	    "SELECT subscription_id, (hour AT TIME ZONE 'UTC')::date, "
	    "user_id, outcome, sum(calls) "
	    "FROM cell GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 "
	    "ON CONFLICT (subscription_id, day, api_user_id, outcome) "
	    "DO UPDATE SET calls = u.calls + excluded.calls), "
	    "latest AS MATERIALIZED (SELECT date_trunc('day', max(hour), "
	    "'UTC') AS day, date_trunc('month', max(hour), 'UTC') AS month "
	    "FROM cell), "
	    "counts AS (INSERT INTO usage_count AS u (subscription_id, day, "
	    "day_calls, month, month_calls) "
	    "SELECT subscription_id, (l.day AT TIME ZONE 'UTC')::date, "
	    "coalesce(sum(calls) FILTER (WHERE hour >= l.day), 0), "
	    "(l.month AT TIME ZONE 'UTC')::date, "
	    "coalesce(sum(calls) FILTER (WHERE hour >= l.month), 0) "
	    "FROM cell, latest l WHERE outcome = 'allowed' "
	    "AND subscription_id <> " NONE " "
	    "GROUP BY subscription_id, l.day, l.month "
	    "ORDER BY subscription_id ON CONFLICT (subscription_id) DO UPDATE "
	    "SET day = greatest(u.day, excluded.day), "
	    "day_calls = CASE WHEN u.day > excluded.day THEN u.day_calls "
	    "WHEN u.day = excluded.day THEN u.day_calls + excluded.day_calls "
	    "ELSE excluded.day_calls END, "
	    "month = greatest(u.month, excluded.month), "
	    "month_calls = CASE WHEN u.month > excluded.month "
	    "THEN u.month_calls WHEN u.month = excluded.month "
	    "THEN u.month_calls + excluded.month_calls "
	    "ELSE excluded.month_calls END "
	    "RETURNING subscription_id, day, day_calls, month, month_calls), "
	    "keys AS (UPDATE subscription_key k SET last_used_at = c.used_at, "
	    "last_used_address = coalesce(c.address, k.last_used_address) "
	    "FROM (SELECT DISTINCT ON (key_id) key_id, used_at, address "
	    "FROM cell WHERE used_at IS NOT NULL "
	    "ORDER BY key_id, used_at DESC) AS c "
	    "WHERE k.id = c.key_id AND (k.last_used_at IS NULL "
	    "OR k.last_used_at < c.used_at - interval '5 seconds' "
	    "OR (k.last_used_at < c.used_at "
	    "AND k.last_used_address IS DISTINCT FROM c.address))), "
	    "issued AS (UPDATE issued_key i SET last_used_at = c.used_at, "
	    "last_used_address = coalesce(c.address, i.last_used_address) "
	    "FROM (SELECT DISTINCT ON (k.key_id) k.key_id, c.used_at, "
	    "c.address FROM cell c JOIN subscription_key k "
	    "ON k.id = c.key_id WHERE k.key_id IS NOT NULL "
	    "ORDER BY k.key_id, c.used_at DESC) AS c "
	    "WHERE i.id = c.key_id AND (i.last_used_at IS NULL "
	    "OR i.last_used_at < c.used_at - interval '10 seconds' "
	    "OR (i.last_used_at < c.used_at "
	    "AND i.last_used_address IS DISTINCT FROM c.address))), "
	    "users AS (UPDATE api_user a SET last_used_at = c.used_at, "
	    "last_used_address = coalesce(c.address, a.last_used_address) "
	    "FROM (SELECT DISTINCT ON (user_id) user_id, used_at, address "
	    "FROM cell WHERE used_at IS NOT NULL "
	    "ORDER BY user_id, used_at DESC) AS c "
	    "WHERE a.id = c.user_id AND (a.last_used_at IS NULL "
	    "OR a.last_used_at < c.used_at - interval '5 seconds' "
	    "OR (a.last_used_at < c.used_at "
	    "AND a.last_used_address IS DISTINCT FROM c.address))) "
	    "SELECT subscription_id, (day - '1970-01-01'::date)::bigint, "
	    "day_calls, ((extract(year FROM month) - 1970) * 12 + "
	    "extract(month FROM month) - 1)::bigint, month_calls FROM counts "
	    "WHERE subscription_id IN (SELECT subscription_id FROM cell "
	    "WHERE has_quota)");
	struct arena		*a = db_arena(db);
	struct meter_cell	*cells;
	struct texts		 t;
	const struct db_rows	*rows;
	unsigned char		 id[METER_ID];
	uint32_t		*calls;
	uint64_t		 batch;
	unsigned		 n;
	int			 i;
	bool			 ok;

	cells = arena_calloc(a, METER_BATCH, sizeof(*cells));
	calls = arena_calloc(a, METER_BATCH, sizeof(*calls));
	n = meter_take(cells, calls, &batch);
	if (n == 0)
		return (0);
	t = columns(db, cells, calls, n);
	rows = db_write(db, &meter_flush, DB_ARGS(meter_source(),
	    db_int(db, (int64_t)batch), t.subscriptions, t.keys, t.users,
	    t.hours, t.outcomes, t.calls, t.used, t.addresses, t.quotas));
	/* Nothing can refuse it; a batch that is refused all the same is tried
	 * for ever, in sight. */
	db_must(db, rows);
	meter_settle(batch);
	for (i = 0; i < rows->n; i++) {
		ok = uuid_read(id, db_text(rows, i, 0));
		assert(ok);
		limit_raise(id, &(struct limit_counts){
		    .day = db_number(rows, i, 1),
		    .day_calls = (uint64_t)db_number(rows, i, 2),
		    .month = db_number(rows, i, 3),
		    .month_calls = (uint64_t)db_number(rows, i, 4) });
	}
	return (n);
}

/* Each as the text of an array. */
static struct texts
columns(struct db *db, const struct meter_cell *cells, const uint32_t *calls,
    unsigned n)
{
	struct arena	 *a = db_arena(db);
	const char	**text[9];
	char		 *id;
	unsigned	  i;

	for (i = 0; i < COUNT(text); i++)
		text[i] = arena_calloc(a, n, sizeof(*text[i]));
	for (i = 0; i < n; i++) {
		text[0][i] = id = arena_alloc(a, UUID_TEXT);
		uuid_write(id, cells[i].key);
		text[1][i] = id = arena_alloc(a, UUID_TEXT);
		uuid_write(id, cells[i].user);
		text[2][i] = db_int(db, cells[i].hour);
		text[3][i] = cells[i].outcome == VERDICT_ALLOWED ? "allowed" :
		    verdict_denial((enum verdict)cells[i].outcome)->code;
		text[4][i] = db_int(db, calls[i]);
		text[5][i] = cells[i].tells ? db_int(db, cells[i].used_at) :
		    NULL;
		text[6][i] = address_text(a, &cells[i]);
		text[7][i] = id = arena_alloc(a, UUID_TEXT);
		uuid_write(id, cells[i].subscription);
		text[8][i] = cells[i].has_quota ? "t" : "f";
	}
	return ((struct texts){
	    .keys = db_text_array(db, text[0], n),
	    .users = db_text_array(db, text[1], n),
	    .hours = db_text_array(db, text[2], n),
	    .outcomes = db_text_array(db, text[3], n),
	    .calls = db_text_array(db, text[4], n),
	    .used = db_text_array(db, text[5], n),
	    .addresses = db_text_array(db, text[6], n),
	    .subscriptions = db_text_array(db, text[7], n),
	    .quotas = db_text_array(db, text[8], n) });
}

/* NULL: not known. */
static const char *
address_text(struct arena *a, const struct meter_cell *c)
{
	char	*text = arena_alloc(a, INET6_ADDRSTRLEN);

	if (c->family == 0 ||
	    inet_ntop(c->family, c->address, text, INET6_ADDRSTRLEN) == NULL)
		return (NULL);
	return (text);
}
