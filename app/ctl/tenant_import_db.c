/*
 * An import of clients: all of them in one statement.
 */
#include "ctl/ctl_db.h"

#include "base/str.h"

WAITS const struct db_rows *
ctl_db_tenants_there(struct db *db, const char *const *codes, size_t n)
{
	DB_QUERY(ctl_tenants_there,
	    "SELECT v.place, t.id, t.name, t.code,"
	    "  coalesce((SELECT string_agg(d.domain, ';') FROM tenant_domain d"
	    "    WHERE d.tenant_id = t.id), '')"
	    " FROM unnest($1::text[]) WITH ORDINALITY v (code, place)"
	    " JOIN tenant x ON x.code = v.code"
	    " JOIN tenant t ON t.id = coalesce(x.merged_into, x.id)"
	    " ORDER BY v.place");

	return (db_read(db, &ctl_tenants_there, DB_ARGS(
	    db_text_array(db, codes, n))));
}

WAITS const struct db_rows *
ctl_db_public_domains(struct db *db, const char *const *domains, size_t n)
{
	DB_QUERY(ctl_public_domains,
	    "SELECT domain FROM public_mail_domain"
	    " WHERE domain = ANY ($1::text[]) ORDER BY 1");

	return (db_read(db, &ctl_public_domains, DB_ARGS(
	    db_text_array(db, domains, n))));
}

WAITS const struct db_rows *
ctl_db_slugs_taken(struct db *db, const char *const *slugs, size_t n)
{
	DB_QUERY(ctl_slugs_taken,
	    "SELECT slug FROM tenant WHERE slug = ANY ($1::text[])");

	return (db_read(db, &ctl_slugs_taken, DB_ARGS(
	    db_text_array(db, slugs, n))));
}

WAITS bool
ctl_db_tenants_import(struct db *db, const struct ctl_tenants *t,
    const struct ctl_renames *r)
{
	DB_QUERY(ctl_tenants_import,
	    "WITH fresh AS ("
	    " INSERT INTO tenant (id, code, name, name_folded, slug)"
	    " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[],"
	    "     $4::text[], $5::text[]) RETURNING id, code),"
	    " renamed AS ("
	    " UPDATE tenant t SET name = v.name, name_folded = v.folded,"
	    "     version = t.version + 1"
	    " FROM unnest($8::uuid[], $9::text[], $10::text[])"
	    "     v (id, name, folded)"
	    " WHERE t.id = v.id AND t.state <> 'merged' RETURNING t.id),"
	    " domains AS ("
	    " INSERT INTO tenant_domain (tenant_id, domain)"
	    " SELECT * FROM unnest($6::uuid[], $7::text[])"
	    " ON CONFLICT DO NOTHING RETURNING tenant_id),"
	    " changed AS (SELECT id, max(named) AS named, sum(domains) AS"
	    "     domains FROM (SELECT id, 1 AS named, 0 AS domains"
	    "     FROM renamed UNION ALL SELECT tenant_id, 0, 1 FROM domains"
	    "     WHERE tenant_id NOT IN (SELECT id FROM fresh)) c GROUP BY id"
	    " ) SELECT (SELECT count(audit_write(fresh.id, 'operator', NULL,"
	    "     'tenant.imported', 'tenant', fresh.id,"
	    "     jsonb_build_object('code', fresh.code))) FROM fresh),"
	    " (SELECT count(audit_write(changed.id, 'operator', NULL,"
	    "     'tenant.import_changed', 'tenant', changed.id,"
	    "     jsonb_build_object('name', nullif(changed.named, 0),"
	    "     'domains_added', nullif(changed.domains, 0))))"
	    "     FROM changed)");
	const struct db_rows	*rows;

	rows = db_write(db, &ctl_tenants_import, DB_ARGS(
	    db_text_array(db, t->id, t->n),
	    db_text_array(db, t->code, t->n),
	    db_text_array(db, t->name, t->n),
	    db_text_array(db, t->folded, t->n),
	    db_text_array(db, t->slug, t->n),
	    db_text_array(db, t->domain_tenant, t->n_domains),
	    db_text_array(db, t->domain, t->n_domains),
	    db_text_array(db, r->id, r->n),
	    db_text_array(db, r->name, r->n),
	    db_text_array(db, r->folded, r->n)));
	return (rows->outcome == DB_OK);
}
