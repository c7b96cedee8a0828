/*
 * Staff accounts and invitations, by the operator.
 */
#include "ctl/ctl_db.h"

#include "mail/address.h"

WAITS bool
ctl_db_staff_add(struct db *db, const struct ctl_staff *staff,
    const char *password_hash)
{
	DB_QUERY(ctl_staff_add,
	    "WITH fresh AS ("
	    " INSERT INTO account (id, kind, staff_role, password_hash)"
	    " VALUES ($1, 'staff', $6, $7) RETURNING id),"
	    " named AS ("
	    " INSERT INTO person (account_id, email, email_folded,"
	    "     email_domain, name)"
	    " SELECT id, $2, $3, $4, $5 FROM fresh RETURNING account_id),"
	    /* Links that lie around would ask for this account once more. */
	    " ended AS ("
	    " UPDATE signup SET replaced_at = now()"
	    " WHERE email_folded = $3 AND used_at IS NULL"
	    " AND replaced_at IS NULL RETURNING id)"
	    " SELECT audit_write(NULL, 'operator', NULL, 'staff.added',"
	    "     'account', named.account_id,"
	    "     jsonb_build_object('role', $6::text)),"
	    "     (SELECT count(*) FROM ended)"
	    " FROM named");
	const struct db_rows	*rows;

	rows = db_write(db, &ctl_staff_add, DB_ARGS(staff->id,
	    staff->address->text, staff->address->folded,
	    staff->address->domain, staff->name, staff->role, password_hash));
	return (rows->outcome == DB_OK && rows->n == 1);
}

WAITS bool
ctl_db_staff_invite(struct db *db, const struct ctl_staff *staff,
    const void *token_hash, size_t bytes)
{
	DB_QUERY(ctl_staff_invite,
	    "WITH ended AS ("
	    " UPDATE signup SET replaced_at = now()"
	    " WHERE email_folded = $3 AND used_at IS NULL"
	    " AND replaced_at IS NULL"
	    " AND NOT EXISTS (SELECT FROM person WHERE email_folded = $3)"
	    " RETURNING id),"
	    " fresh AS ("
	    " INSERT INTO signup (id, email, email_folded, email_domain, name,"
	    "     invited_as, token_hash, expires_at)"
	    " SELECT $1, $2, $3, $4, $5, $6, $7, now() + interval '24 hours'"
	    " WHERE NOT EXISTS (SELECT FROM person WHERE email_folded = $3)"
	    " RETURNING id)"
	    " SELECT audit_write(NULL, 'operator', NULL, 'staff.invited',"
	    "     'signup', fresh.id,"
	    "     jsonb_build_object('role', $6::text)),"
	    "     (SELECT count(*) FROM ended)"
	    " FROM fresh");
	const struct db_rows	*rows;

	rows = db_write(db, &ctl_staff_invite, DB_ARGS(staff->id,
	    staff->address->text, staff->address->folded,
	    staff->address->domain, staff->name, staff->role,
	    db_bytes(db, token_hash, bytes)));
	return (rows->outcome == DB_OK && rows->n == 1);
}

WAITS bool
ctl_db_has_admin(struct db *db)
{
	DB_QUERY(ctl_has_admin,
	    "SELECT EXISTS (SELECT FROM account WHERE kind = 'staff'"
	    " AND staff_role = 'admin' AND state = 'active')");

	return (db_truth(db_read(db, &ctl_has_admin, DB_NONE), 0, 0));
}

WAITS bool
ctl_db_has_account(struct db *db, const struct address *address)
{
	DB_QUERY(ctl_has_account,
	    "SELECT EXISTS (SELECT FROM person WHERE email_folded = $1)");

	return (db_truth(db_read(db, &ctl_has_account,
	    DB_ARGS(address->folded)), 0, 0));
}
