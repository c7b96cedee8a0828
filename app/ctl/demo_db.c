/*
 * The demo catalogue: one product with four resources, made once.
 */
#include "ctl/ctl_db.h"

#include "crypto/token.h"

WAITS int64_t
ctl_db_sealed_keys(struct db *db)
{
	DB_QUERY(ctl_sealed_keys, "SELECT count(*) FROM sealed_key");

	return (db_number(db_read(db, &ctl_sealed_keys, DB_NONE), 0, 0));
}

WAITS bool
ctl_db_demo(struct db *db)
{
	DB_QUERY(ctl_demo_product,
	    "WITH fresh AS ("
	    " INSERT INTO product (id, slug, name, summary, description,"
	    "     base_url, example_path, calls_a_minute, calls_a_day)"
	    " SELECT $1, 'revio-api', 'Rev.io API', $2, $3,"
	    "     'https://api.revio.example',"
	    "     '/billing/api/v1/contacts/7', 200, 100000"
	    " WHERE NOT EXISTS (SELECT FROM product)"
	    " ON CONFLICT DO NOTHING RETURNING id),"
	    " resources AS ("
	    " INSERT INTO product_resource (product_id, place, name, note,"
	    "     path, operations)"
	    " SELECT fresh.id, r.place, r.name, r.note, r.path,"
	    "     string_to_array(r.operations, ' ')"
	    " FROM fresh, (VALUES"
	    " (1, 'Contacts', 'People of your customers',"
	    "     '/billing/api/v1/contacts', 'GET POST PUT PATCH DELETE'),"
	    " (2, 'Customers', 'Accounts, addresses, services',"
	    "     '/billing/api/v1/customers', 'GET POST PUT PATCH'),"
	    " (3, 'Tickets', 'Cases and their replies',"
	    "     '/psa/api/v1/tickets', 'GET POST PUT PATCH DELETE'),"
	    " (4, 'Invoices', 'Issued invoices and payments',"
	    "     '/billing/api/v1/invoices', 'GET'))"
	    "     AS r (place, name, note, path, operations) RETURNING 1)"
	    " SELECT audit_write(NULL, 'operator', NULL, 'product.added',"
	    "     'product', fresh.id, jsonb_build_object('slug',"
	    "     'revio-api')), (SELECT count(*) FROM resources)"
	    " FROM fresh");
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &ctl_demo_product, DB_ARGS(id,
	    "Contacts, customers, tickets and invoices of your Rev.io tenant.",
	    "Read and change the contacts, customers, tickets and invoices of "
	    "your Rev.io tenant from your own software or a vendor\u2019s."));
	return (rows->outcome == DB_OK && rows->n == 1);
}
