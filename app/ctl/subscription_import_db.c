/*
 * An import of subscriptions with their keys: all of them in one statement.
 */
#include "ctl/ctl_db.h"

WAITS const struct db_rows *
ctl_db_subscriptions_known(struct db *db, const struct ctl_subscriptions *s)
{
	DB_QUERY(ctl_subscriptions_known,
	    "SELECT g.row, t.id IS NOT NULL, p.id IS NOT NULL,"
	    " coalesce(t.id::text, ''), coalesce(p.one_key_per_tenant, false),"
	    " EXISTS (SELECT FROM subscription s WHERE s.tenant_id = t.id"
	    "  AND s.environment = 'live'"
	    "  AND s.state IN ('active', 'suspended')"
	    "  AND (s.product_id = p.id"
	    "  OR (s.one_key AND p.one_key_per_tenant))),"
	    " coalesce(f.is_pair, true)"
	    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY"
	    "  AS g (tenant, product, row)"
	    " LEFT JOIN tenant t ON t.id = tenant_by_code(g.tenant)"
	    "  AND t.state = 'active'"
	    " LEFT JOIN product p ON p.slug = g.product"
	    "  AND p.state IN ('published', 'hidden')"
	    " LEFT JOIN key_profile f ON f.name = p.profile ORDER BY g.row");

	return (db_read(db, &ctl_subscriptions_known, DB_ARGS(
	    db_text_array(db, s->tenant, s->n),
	    db_text_array(db, s->product, s->n))));
}

WAITS const struct db_rows *
ctl_db_keys_known(struct db *db, const char *const *macs, size_t n)
{
	DB_QUERY(ctl_keys_known,
	    "SELECT g.row FROM unnest($1::bytea[]) WITH ORDINALITY"
	    "  AS g (mac, row) JOIN subscription_key k ON k.mac = g.mac"
	    " ORDER BY g.row");

	return (db_read(db, &ctl_keys_known, DB_ARGS(db_text_array(db, macs,
	    n))));
}

WAITS bool
ctl_db_subscriptions_add(struct db *db, const struct ctl_subscriptions *s)
{
	/* Nothing at all unless every row has its client and its product;
	 * whoever closes one of these waits, or was first and is seen. */
	DB_QUERY(ctl_subscriptions_add,
	    "WITH given AS (SELECT g.id, t.id AS tenant_id, p.id AS product_id,"
	    "  p.one_key_per_tenant, g.name, g.state"
	    "  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],"
	    "    $5::text[]) AS g (id, tenant, product, name, state)"
	    "  JOIN tenant t ON t.id = tenant_by_code(g.tenant)"
	    "  AND t.state = 'active' JOIN product p ON p.slug = g.product"
	    "  AND p.state IN ('published', 'hidden')"
	    "  JOIN key_profile f ON f.name = p.profile AND f.is_pair"
	    "  FOR SHARE OF p"
	    "), sub AS (INSERT INTO subscription (id, tenant_id, product_id,"
	    "    one_key, name, state) SELECT * FROM given"
	    "  WHERE (SELECT count(*) FROM given) = cardinality($1::uuid[])"
	    "  RETURNING id, tenant_id"
	    "), pair AS (INSERT INTO subscription_key (id, subscription_id,"
	    "    slot, sealed, mac, prefix_mac, last4, mac_version)"
	    "  SELECT k.*, $13::int FROM unnest($6::uuid[], $7::uuid[],"
	    "    $8::text[], $9::bytea[], $10::bytea[], $11::bytea[],"
	    "    $12::text[]) AS k (id, subscription_id, slot, sealed, mac,"
	    "    prefix_mac, last4) WHERE EXISTS (SELECT FROM sub)"
	    "  RETURNING id"
	    "), noted AS (INSERT INTO subscription_change (subscription_id,"
	    "    what) SELECT id, 'imported' FROM sub)"
	    " SELECT count(audit_write(sub.tenant_id, 'operator', NULL,"
	    "  'subscription.imported', 'subscription', sub.id)),"
	    " (SELECT count(*) FROM pair) FROM sub");
	const struct db_rows	*rows;

	rows = db_write(db, &ctl_subscriptions_add, DB_ARGS(
	    db_text_array(db, s->id, s->n),
	    db_text_array(db, s->tenant, s->n),
	    db_text_array(db, s->product, s->n),
	    db_text_array(db, s->name, s->n),
	    db_text_array(db, s->state, s->n),
	    db_text_array(db, s->key_id, 2 * s->n),
	    db_text_array(db, s->key_subscription, 2 * s->n),
	    db_text_array(db, s->key_slot, 2 * s->n),
	    db_text_array(db, s->key_sealed, 2 * s->n),
	    db_text_array(db, s->key_mac, 2 * s->n),
	    db_text_array(db, s->key_prefix_mac, 2 * s->n),
	    db_text_array(db, s->key_last4, 2 * s->n),
	    db_int(db, s->mac_version)));
	return (rows->outcome == DB_OK && rows->n == 1 &&
	    db_number(rows, 0, 0) == (int64_t)s->n);
}
