/*
 * An import of clients: all of them in one statement.
 */
#include "ctl/ctl_db.h"

WAITS const struct db_rows *
ctl_db_tenants_taken(struct db *db, const struct ctl_tenants *t)
{
	DB_QUERY(ctl_tenants_taken,
	    "SELECT 'code', code FROM tenant WHERE code = ANY ($1::text[])"
	    " UNION ALL"
	    " SELECT 'slug', slug FROM tenant WHERE slug = ANY ($2::text[])"
	    " UNION ALL"
	    " SELECT 'public', domain FROM public_mail_domain"
	    " WHERE domain = ANY ($3::text[]) ORDER BY 1, 2");

	return (db_read(db, &ctl_tenants_taken, DB_ARGS(
	    db_text_array(db, t->code, t->n),
	    db_text_array(db, t->slug, t->n),
	    db_text_array(db, t->domain, t->n_domains))));
}

WAITS bool
ctl_db_tenants_add(struct db *db, const struct ctl_tenants *t)
{
	DB_QUERY(ctl_tenants_add,
	    "WITH fresh AS ("
	    " INSERT INTO tenant (id, code, name, name_folded, slug)"
	    " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[],"
	    "     $4::text[], $5::text[]) RETURNING id, code),"
	    " domains AS ("
	    " INSERT INTO tenant_domain (tenant_id, domain)"
	    " SELECT * FROM unnest($6::uuid[], $7::text[]) RETURNING 1)"
	    " SELECT count(audit_write(fresh.id, 'operator', NULL,"
	    "     'tenant.imported', 'tenant', fresh.id,"
	    "     jsonb_build_object('code', fresh.code))),"
	    "     (SELECT count(*) FROM domains) FROM fresh");
	const struct db_rows	*rows;

	rows = db_write(db, &ctl_tenants_add, DB_ARGS(
	    db_text_array(db, t->id, t->n),
	    db_text_array(db, t->code, t->n),
	    db_text_array(db, t->name, t->n),
	    db_text_array(db, t->folded, t->n),
	    db_text_array(db, t->slug, t->n),
	    db_text_array(db, t->domain_tenant, t->n_domains),
	    db_text_array(db, t->domain, t->n_domains)));
	return (rows->outcome == DB_OK);
}
