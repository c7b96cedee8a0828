/*
 * Changes of a subscription, one statement each: the state, the note of who and
 * why, the audit row and the mails come together or not at all.  What may not
 * happen stands in the WHERE; that no other step exists is the database's own
 * rule (migrations/deploy/lifecycle.sql).
 */
#include "subscriptions/change.h"

#include <assert.h>

#include "base/str.h"

/* $1 who, $2 subscription, $3 reason in all of these. */
#define BY_STAFF							\
    "EXISTS (SELECT FROM account a WHERE a.id = $1::uuid"		\
    "  AND a.kind = 'staff' AND a.state = 'active')"
/* By the clock, too: what has come to its end is not brought back. */
#define LIVE								\
    "(s.expires_at IS NULL OR s.expires_at > now())"
#define RETURNS								\
    " RETURNING s.id, s.tenant_id, s.product_id, s.name, s.expires_at"
#define NOTED(what)							\
    "noted AS (INSERT INTO subscription_change (subscription_id,"	\
    "    account_id, what, reason, expires_at)"				\
    "  SELECT done.id, $1::uuid, '" what "', $3::text, done.expires_at"	\
    "  FROM done)"
/* Every contact with an account that works, and the client's address for
 * notices, where nothing typed goes. */
#define TOLD(kind)							\
    "told AS (SELECT mail_queue('" kind "', x.account_id, x.address,"	\
    "    jsonb_build_object('subscription_name', done.name,"		\
    "    'product', p.name, 'client', t.name,"				\
    "    'expires_at', done.expires_at)"				\
    "    || CASE WHEN x.account_id IS NULL THEN '{}'"			\
    "    ELSE jsonb_build_object('reason', $3::text,"			\
    "    'by', coalesce(b.name, '')) END) AS mail"			\
    "  FROM done JOIN tenant t ON t.id = done.tenant_id"		\
    "  JOIN product p ON p.id = done.product_id"			\
    "  LEFT JOIN person b ON b.account_id = $1::uuid"			\
    "  CROSS JOIN LATERAL (SELECT a.id AS account_id,"			\
    "      NULL::text AS address FROM membership m"			\
    "      JOIN account a ON a.id = m.account_id"			\
    "      AND a.state = 'active' WHERE m.tenant_id = t.id"		\
    "    UNION ALL SELECT NULL, t.notices_to"				\
    "      WHERE t.notices_to <> '') x)"
#define ANSWER(action, detail)						\
    " SELECT audit_write(done.tenant_id, 'account', $1::uuid,"		\
    "  '" action "', 'subscription', done.id, " detail "),"		\
    " (SELECT count(told.mail) FROM told) FROM done"

static enum subscription_result	result_of(struct db *, const struct db_rows *);

WAITS enum subscription_result
subscription_db_suspend(struct db *db, const char *who, const char *id,
    const char *reason)
{
	DB_QUERY(subscription_suspend,
	    "WITH done AS (UPDATE subscription s SET state = 'suspended'"
	    "  WHERE s.id = $2::uuid AND s.state = 'active' AND " LIVE
	    "  AND " BY_STAFF RETURNS "), " NOTED("suspended") ", "
	    TOLD("subscription_suspended")
	    ANSWER("subscription.suspended", "'{}'"));

	assert(!str_blank(reason));
	return (result_of(db, db_write(db, &subscription_suspend, DB_ARGS(who, id,
	    reason))));
}

WAITS enum subscription_result
subscription_db_reactivate(struct db *db, const char *who, const char *id,
    const char *reason)
{
	DB_QUERY(subscription_reactivate,
	    "WITH done AS (UPDATE subscription s SET state = 'active'"
	    "  WHERE s.id = $2::uuid AND s.state = 'suspended' AND " LIVE
	    "  AND " BY_STAFF RETURNS "), " NOTED("reactivated") ", "
	    TOLD("subscription_reactivated")
	    ANSWER("subscription.reactivated", "'{}'"));

	assert(!str_blank(reason));
	return (result_of(db, db_write(db, &subscription_reactivate, DB_ARGS(who,
	    id, reason))));
}

WAITS enum subscription_result
subscription_db_cancel(struct db *db, const char *who, const char *id,
    const char *reason)
{
	DB_QUERY(subscription_cancel,
	    "WITH done AS (UPDATE subscription s SET state = 'cancelled'"
	    "  WHERE s.id = $2::uuid AND s.state IN ('active', 'suspended')"
	    "  AND " LIVE " AND " BY_STAFF RETURNS "), "
	    NOTED("cancelled") ", " TOLD("subscription_cancelled")
	    ANSWER("subscription.cancelled",
	    "jsonb_build_object('by', 'staff')"));

	assert(!str_blank(reason));
	return (result_of(db, db_write(db, &subscription_cancel, DB_ARGS(who, id,
	    reason))));
}

WAITS enum subscription_result
subscription_db_set_expiry(struct db *db, const char *who, const char *id,
    const char *reason, int64_t was, int64_t expires_at)
{
	/* Two who change it at once: the second one has read another date. */
	DB_QUERY(subscription_set_expiry,
	    "WITH done AS (UPDATE subscription s"
	    "  SET expires_at = $5::timestamptz, expiry_set_at = now()"
	    "  WHERE s.id = $2::uuid AND s.state IN ('active', 'suspended')"
	    "  AND " LIVE " AND " BY_STAFF
	    "  AND s.expires_at IS NOT DISTINCT FROM $4::timestamptz"
	    "  AND ($5::timestamptz IS NULL OR $5::timestamptz > now())"
	    RETURNS "), " NOTED("expiry") ", " TOLD("subscription_expiry")
	    ANSWER("subscription.expiry_set", "jsonb_build_object("
	    "  'to', coalesce(to_char(done.expires_at AT TIME ZONE 'UTC',"
	    "  'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'never'))"));

	assert(!str_blank(reason));
	return (result_of(db, db_write(db, &subscription_set_expiry, DB_ARGS(who,
	    id, reason, was == 0 ? NULL : db_time(db, was),
	    expires_at == 0 ? NULL : db_time(db, expires_at)))));
}

WAITS enum subscription_result
subscription_db_give_up(struct db *db, const char *who, const char *id,
    const char *typed_name, const char *reason)
{
	DB_QUERY(subscription_give_up,
	    "WITH done AS (UPDATE subscription s SET state = 'cancelled'"
	    "  FROM membership m WHERE s.id = $2::uuid AND s.name = $4::text"
	    "  AND s.state IN ('active', 'suspended') AND " LIVE
	    "  AND m.account_id = $1::uuid AND m.tenant_id = s.tenant_id"
	    "  AND m.role = 'owner'" RETURNS "), "
	    NOTED("cancelled") ", " TOLD("subscription_cancelled") ", "
	    "staff AS (SELECT mail_queue('subscription_given_up', a.id, NULL,"
	    "    jsonb_build_object('subscription_name', done.name,"
	    "    'subscription_id', done.id, 'client', t.name,"
	    "    'by', coalesce(b.name, ''), 'reason', $3::text)) AS mail"
	    "  FROM done JOIN tenant t ON t.id = done.tenant_id"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid"
	    "  JOIN account a ON a.kind = 'staff' AND a.state = 'active')"
	    " SELECT audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  'subscription.cancelled', 'subscription', done.id,"
	    "  jsonb_build_object('by', 'owner')),"
	    " (SELECT count(told.mail) FROM told),"
	    " (SELECT count(staff.mail) FROM staff) FROM done");

	return (result_of(db, db_write(db, &subscription_give_up, DB_ARGS(who, id,
	    reason, typed_name))));
}

static enum subscription_result
result_of(struct db *db, const struct db_rows *rows)
{
	db_must(db, rows);
	return (rows->n == 1 ? SUBSCRIPTION_DONE : SUBSCRIPTION_NOT);
}
