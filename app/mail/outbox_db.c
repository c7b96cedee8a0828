/*
 * The courier's side of the outbox.  A claim is a lease: claimed_by names the
 * courier and next_at is when it ends, so a row whose courier died is taken by
 * another after two minutes, and a row whose courier is only slow is not.
 */
#include "mail/mail.h"

#include "base/str.h"
#include "crypto/token.h"

#define LEASE		"interval '120 seconds'"	/* OUTBOX_LEASE_S */
#define GIVE_UP		"interval '3 days'"		/* OUTBOX_GIVE_UP_S */
#define ERROR_MAX	200	/* bytes of last_error */

static WAITS void read_params(struct db *, struct outbox_mail *);
static WAITS void read_link(struct db *, struct outbox_mail *);
static WAITS void end_sent(struct db *, const char *, const char *);
static WAITS void end_failed(struct db *, const char *, const char *,
		    const char *why, bool tell, bool only_old);

WAITS bool
outbox_claim(struct db *db, const char *courier, struct outbox_mail *ret_mail)
{
	DB_QUERY(outbox_claim_row,
	    "WITH due AS ("
	    " SELECT id FROM outbox"
	    " WHERE state = 'queued' AND next_at <= now()"
	    " ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),"
	    " mine AS ("
	    " UPDATE outbox AS o SET claimed_by = $1,"
	    "     next_at = now() + " LEASE ", tries = o.tries + 1"
	    " FROM due WHERE o.id = due.id"
	    " RETURNING o.id, o.kind, o.created_at, o.tries, o.address,"
	    "     o.account_id)"
	    " SELECT mine.id, mine.kind,"
	    " (extract(epoch FROM mine.created_at) * 1000000)::bigint,"
	    " mine.tries, coalesce(mine.address, p.email),"
	    " coalesce(p.name, ''), mine.account_id,"
	    " mine.kind = 'digest' OR EXISTS (SELECT FROM mail_kind AS k"
	    "     WHERE k.kind = mine.kind AND k.optional)"
	    " FROM mine LEFT JOIN (person AS p JOIN account AS a"
	    "     ON a.id = p.account_id AND a.state <> 'closed')"
	    "     ON p.account_id = mine.account_id");
	const struct db_rows	*rows;

	rows = db_write(db, &outbox_claim_row, DB_ARGS(courier));
	db_must(db, rows);
	if (rows->n == 0)
		return (false);
	*ret_mail = (struct outbox_mail){
		.id = db_text(rows, 0, 0),
		.kind = db_text(rows, 0, 1),
		.at = db_number(rows, 0, 2),
		.tries = db_number(rows, 0, 3),
		.to = db_text(rows, 0, 4),
		.name = db_text(rows, 0, 5),
		.invited_as = "",
		.account_id = db_text(rows, 0, 6),
		.optional = db_truth(rows, 0, 7),
	};
	read_params(db, ret_mail);
	read_link(db, ret_mail);
	return (true);
}

WAITS int64_t
outbox_due_in(struct db *db)
{
	DB_QUERY(outbox_next,
	    "SELECT (greatest(0, extract(epoch FROM next_at"
	    "     - clock_timestamp())) * 1000000)::bigint"
	    " FROM outbox WHERE state = 'queued'"
	    " ORDER BY next_at, id LIMIT 1");
	const struct db_rows	*rows;

	rows = db_read(db, &outbox_next, DB_NONE);
	return (rows->n == 0 ? INT64_MAX : db_number(rows, 0, 0));
}

WAITS void
outbox_end(struct db *db, const char *courier, const char *id,
    enum outbox_end end, const char *why)
{
	DB_QUERY(outbox_retry,
	    "UPDATE outbox SET claimed_by = NULL, last_error = $3,"
	    /* 2^7 × 30 s is over an hour: greater powers are of no use. */
	    " next_at = now() + least(interval '1 hour',"
	    "     interval '30 seconds' * 2 ^ least(tries - 1, 7))"
	    " WHERE id = $1 AND claimed_by = $2 AND state = 'queued'");
	const struct db_rows	*rows;
	const char		*error;
	size_t			 n;

	/* Cut between characters. */
	n = strlen(why);
	if (n > ERROR_MAX)
		for (n = ERROR_MAX; ((unsigned char)why[n] & 0xc0) == 0x80; )
			n--;
	error = arena_strndup(db_arena(db), why, n);
	switch (end) {
	case OUTBOX_SENT:
		end_sent(db, courier, id);
		break;
	case OUTBOX_RETRY:
		end_failed(db, courier, id, error, true, true);
		rows = db_write(db, &outbox_retry,
		    DB_ARGS(id, courier, error));
		db_must(db, rows);
		break;
	case OUTBOX_VOID:
		end_failed(db, courier, id, error, false, false);
		break;
	case OUTBOX_FAILED:
		end_failed(db, courier, id, error, true, false);
		break;
	}
}

/* Who it went to and what it said is nobody's business afterwards. */
static WAITS void
end_sent(struct db *db, const char *courier, const char *id)
{
	DB_QUERY(outbox_sent,
	    "UPDATE outbox SET state = 'sent', ended_at = now(),"
	    " claimed_by = NULL, address = NULL, params = '{}',"
	    " last_error = ''"
	    " WHERE id = $1 AND claimed_by = $2 AND state = 'queued'");
	const struct db_rows	*rows;

	rows = db_write(db, &outbox_sent, DB_ARGS(id, courier));
	db_must(db, rows);
}

/*
 * A refused mail to an address that nobody has confirmed is told to nobody:
 * whoever signs up with invented addresses would fill the mailboxes of staff.
 * Nor does a member of staff get a second one while the first still waits.
 */
static WAITS void
end_failed(struct db *db, const char *courier, const char *id,
    const char *why, bool tell, bool only_old)
{
	DB_QUERY(outbox_failed,
	    "WITH lost AS ("
	    " UPDATE outbox SET state = CASE WHEN $4::boolean THEN 'failed'"
	    "     ELSE 'dropped' END, ended_at = now(),"
	    "     claimed_by = NULL, address = NULL, params = '{}',"
	    "     last_error = $3"
	    " WHERE id = $1 AND claimed_by = $2 AND state = 'queued'"
	    " AND (NOT $5::boolean OR created_at < now() - " GIVE_UP ")"
	    " RETURNING id, kind, created_at, tries, account_id),"
	    " told AS ("
	    " SELECT mail_queue('mail_failed', a.id, NULL,"
	    "     jsonb_build_object('failed_kind', lost.kind,"
	    "     'outbox_id', lost.id, 'queued_at', lost.created_at,"
	    "     'why', $3::text)) AS id"
	    " FROM lost, account AS a"
	    " WHERE $4::boolean AND lost.kind <> 'mail_failed'"
	    " AND ($5::boolean OR lost.kind NOT IN ('verify', 'recovery',"
	    "     'invitation', 'email_confirm', 'email_changed',"
	    "     'api_hand_over'))"
	    " AND a.kind = 'staff' AND a.state = 'active'"
	    " AND NOT EXISTS (SELECT FROM outbox AS o WHERE"
	    "     o.kind = 'mail_failed' AND o.state = 'queued'"
	    "     AND o.account_id = a.id))"
	    " SELECT audit_write(NULL, 'system', NULL, 'mail.failed',"
	    "     'outbox', lost.id, jsonb_build_object('kind', lost.kind,"
	    "     'tries', lost.tries)),"
	    "     (SELECT count(told.id) FROM told)"
	    " FROM lost");
	const struct db_rows	*rows;

	rows = db_write(db, &outbox_failed, DB_ARGS(id, courier, why,
	    db_bool(tell), db_bool(only_old)));
	db_must(db, rows);
}

/* Names that end in _at come back as microseconds. */
static WAITS void
read_params(struct db *db, struct outbox_mail *mail)
{
	DB_QUERY(outbox_params,
	    "SELECT p.key, CASE WHEN p.key LIKE '%\\_at'"
	    "     AND p.value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' THEN"
	    "     (extract(epoch FROM p.value::timestamptz)"
	    "     * 1000000)::bigint::text ELSE p.value END"
	    " FROM outbox AS o, jsonb_each_text(o.params) AS p"
	    " WHERE o.id = $1 ORDER BY p.key");
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &outbox_params, DB_ARGS(mail->id));
	mail->n_params = rows->n;
	mail->params = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*mail->params));
	for (i = 0; i < rows->n; i++) {
		mail->params[i].name = db_text(rows, i, 0);
		mail->params[i].value = db_text(rows, i, 1);
	}
}

static WAITS void
read_link(struct db *db, struct outbox_mail *mail)
{
	/* A row that says "open" may still lose against a newer one of the
	 * same address: then its page says so. */
	DB_QUERY(outbox_link,
	    "SELECT (extract(epoch FROM l.until) * 1000000)::bigint,"
	    " l.is_open AND l.until > now(), l.invited_as FROM ("
	    "SELECT expires_at AS until, used_at IS NULL AS is_open,"
	    " coalesce(invited_as, '') AS invited_as FROM signup"
	    " WHERE $1 = 'signup_id' AND id = $2::uuid"
	    " UNION ALL SELECT expires_at, used_at IS NULL"
	    " AND replaced_at IS NULL AND account_id IS NOT NULL, ''"
	    " FROM recovery WHERE $1 = 'recovery_id' AND id = $2::uuid"
	    " UNION ALL SELECT expires_at, ended_at IS NULL, ''"
	    " FROM invitation WHERE $1 = 'invitation_id' AND id = $2::uuid"
	    " UNION ALL SELECT expires_at, ended_at IS NULL, ''"
	    " FROM api_hand_over WHERE $1 = 'hand_over_id' AND id = $2::uuid"
	    " UNION ALL SELECT expires_at, used_at IS NULL"
	    " AND replaced_at IS NULL, ''"
	    " FROM email_change WHERE $1 = 'change_id' AND id = $2::uuid"
	    " UNION ALL SELECT undo_until, undone_at IS NULL, ''"
	    " FROM email_change WHERE $1 = 'undo_id' AND id = $2::uuid"
	    ") AS l");
	static const char	*const names[] = { "signup_id", "recovery_id",
				    "invitation_id", "change_id", "undo_id",
				    "hand_over_id" };
	const struct db_rows	*rows;
	const char		*name = NULL, *id = NULL;
	size_t			 n;
	int			 i;

	for (i = 0; i < mail->n_params; i++) {
		for (n = 0; n < COUNT(names); n++) {
			if (str_eq(mail->params[i].name, names[n])) {
				name = names[n];
				id = mail->params[i].value;
			}
		}
	}
	if (name == NULL || !uuid_shaped(id))
		return;
	rows = db_read(db, &outbox_link, DB_ARGS(name, id));
	if (rows->n == 0)
		return;
	mail->has_link = true;
	mail->link_until = db_number(rows, 0, 0);
	mail->link_open = db_truth(rows, 0, 1);
	mail->invited_as = db_text(rows, 0, 2);
}
