/*
 * Second factors that an operator takes away.
 */
#include "ctl/ctl_db.h"

#include "mail/address.h"

WAITS enum ctl_reset
ctl_db_reset_2fa(struct db *db, const struct address *address)
{
	/* Who holds the lost phone may be signed in: sessions end as well. */
	DB_QUERY(ctl_reset_2fa,
	    "WITH who AS (SELECT account_id AS id FROM person"
	    " WHERE email_folded = $1),"
	    " app AS (DELETE FROM totp WHERE account_id IN"
	    " (SELECT id FROM who) RETURNING account_id AS id),"
	    " keys AS (DELETE FROM passkey WHERE account_id IN"
	    " (SELECT id FROM who) RETURNING account_id AS id),"
	    " gone AS (SELECT id FROM app UNION SELECT id FROM keys),"
	    " codes AS (DELETE FROM recovery_code WHERE account_id IN"
	    " (SELECT id FROM gone)),"
	    " halves AS (DELETE FROM pending_signin WHERE account_id IN"
	    " (SELECT id FROM gone)),"
	    " ended AS (DELETE FROM session WHERE account_id IN"
	    " (SELECT id FROM gone)),"
	    " told AS (SELECT audit_write(m.tenant_id, 'operator', NULL,"
	    "     'factor.reset', 'account', gone.id) AS n,"
	    "     mail_queue('factor_reset', gone.id, NULL) AS mail"
	    " FROM gone LEFT JOIN membership m ON m.account_id = gone.id)"
	    " SELECT (SELECT count(*) FROM who),"
	    " (SELECT count(n) + count(mail) FROM told)");
	const struct db_rows	*rows;

	rows = db_write(db, &ctl_reset_2fa, DB_ARGS(address->folded));
	db_must(db, rows);
	if (db_number(rows, 0, 0) == 0)
		return (CTL_RESET_NOBODY);
	return (db_number(rows, 0, 1) > 0 ? CTL_RESET_DONE : CTL_RESET_NOTHING);
}

WAITS int64_t
ctl_db_sessions_end(struct db *db)
{
	DB_QUERY(ctl_sessions_end,
	    "WITH ended AS (DELETE FROM session RETURNING account_id),"
	    " halves AS (DELETE FROM pending_signin),"
	    " told AS (SELECT audit_write(m.tenant_id, 'operator', NULL,"
	    "     'session.all_ended', 'account', who.id) AS n"
	    " FROM (SELECT DISTINCT account_id AS id FROM ended) AS who"
	    " LEFT JOIN membership m ON m.account_id = who.id)"
	    " SELECT (SELECT count(*) FROM ended),"
	    " (SELECT count(n) FROM told)");

	return (db_number(db_must(db, db_write(db, &ctl_sessions_end,
	    DB_NONE)), 0, 0));
}
