/*
 * SQL of closing an account, most of which is account_close() of the
 * migrations, and of one's own data.
 */
#include "accounts/close.h"

enum close_result
close_db_account(struct db *db, const struct credential *credential)
{
	DB_QUERY(account_close_one, "SELECT account_close($1::uuid, $2)");
	const struct db_rows	*rows;
	const char		*said;

	rows = db_write(db, &account_close_one, DB_ARGS(credential->account_id,
	    credential->hash));
	db_must(db, rows);
	said = db_text(rows, 0, 0);
	if (str_eq(said, "closed"))
		return (CLOSE_DONE);
	if (str_eq(said, "owner"))
		return (CLOSE_LAST_OWNER);
	return (str_eq(said, "admin") ? CLOSE_LAST_ADMIN : CLOSE_CHANGED);
}

const char *
close_db_data(struct db *db, const char *account_id)
{
	/* The limit is DATA_AUDIT_MAX. */
	DB_QUERY(account_data,
	    "SELECT jsonb_pretty(jsonb_build_object("
	    "'account', (SELECT jsonb_build_object('id', id, 'kind', kind, "
	    "'staff_role', staff_role, 'state', state, "
	    "'created_at', created_at, 'verified_at', verified_at, "
	    "'password_changed_at', password_at, "
	    "'signed_in_at', signed_in_at) FROM account WHERE id = $1::uuid), "
	    "'person', (SELECT jsonb_build_object('name', name, "
	    "'email', email, 'company_as_typed', client) FROM person "
	    "WHERE account_id = $1::uuid), "
	    "'membership', (SELECT jsonb_build_object('client', t.name, "
	    "'code', t.code, 'role', m.role, 'let_in_by', m.let_in_by, "
	    "'since', m.created_at) FROM membership m "
	    "JOIN tenant t ON t.id = m.tenant_id "
	    "WHERE m.account_id = $1::uuid), "
	    "'second_factor', (SELECT jsonb_build_object('since', created_at) "
	    "FROM totp WHERE account_id = $1::uuid), "
	    "'passkeys', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'name', name, 'since', created_at, 'used_at', used_at) "
	    "ORDER BY id), '[]') FROM passkey WHERE account_id = $1::uuid), "
	    "'access_tokens', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'name', name, 'may', scopes, 'since', created_at, "
	    "'expires_at', expires_at, 'ended_at', ended_at, "
	    "'used_at', last_used_at, 'used_from', host(last_used_address)) "
	    "ORDER BY id), '[]') FROM access_token "
	    "WHERE account_id = $1::uuid), "
	    "'email_changes', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'new', email, 'old', old_email, 'asked_at', created_at, "
	    "'confirmed_at', used_at, 'undone_at', undone_at) ORDER BY id), "
	    "'[]') FROM email_change WHERE account_id = $1::uuid), "
	    "'requests', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'id', r.id, 'name', r.name, 'product', p.name, 'state', r.state, "
	    "'submitted_at', r.submitted_at, 'decided_at', r.decided_at, "
	    "'reason', r.reason) ORDER BY r.id), '[]') FROM request r "
	    "JOIN product p ON p.id = r.product_id "
	    "WHERE r.account_id = $1::uuid), "
	    "'written_about_requests', (SELECT coalesce(jsonb_agg("
	    "jsonb_build_object('request', request_id, 'kind', kind, "
	    "'at', at, 'text', text) ORDER BY id), '[]') FROM request_note "
	    "WHERE author_id = $1::uuid AND kind <> 'decision'), "
	    "'terms_accepted', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'request', ta.request_id, 'product', p.name, "
	    "'version', ta.version, 'at', ta.at) ORDER BY ta.at), '[]') "
	    "FROM terms_acceptance ta JOIN product p ON p.id = ta.product_id "
	    "WHERE ta.account_id = $1::uuid), "
	    "'asks_to_join', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'client_as_typed', client, 'asked_at', asked_at, "
	    "'ended_at', ended_at) ORDER BY asked_at), '[]') FROM join_ask "
	    "WHERE account_id = $1::uuid), "
	    "'consents_about_you', (SELECT coalesce(jsonb_agg("
	    "jsonb_build_object('request', c.request_id, "
	    "'asked_at', c.asked_at, 'answer', c.answer, "
	    "'answered_at', c.answered_at) ORDER BY c.asked_at), '[]') "
	    "FROM request r JOIN request_consent c ON c.request_id = r.id "
	    "WHERE r.account_id = $1::uuid), "
	    "'consents_by_you', (SELECT coalesce(jsonb_agg("
	    "jsonb_build_object('request', c.request_id, "
	    "'answer', c.answer, 'answered_at', c.answered_at) "
	    "ORDER BY c.answered_at), '[]') FROM request_consent c "
	    "WHERE c.answered_by = $1::uuid), "
	    "'notices', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'kind', kind, 'about', params, 'at', at, 'read_at', read_at) "
	    "ORDER BY at, id), '[]') FROM notice "
	    "WHERE account_id = $1::uuid), "
	    "'mail_choices', (SELECT coalesce(jsonb_object_agg(kind, choice), "
	    "'{}') FROM mail_choice WHERE account_id = $1::uuid), "
	    "'failed_signins', (SELECT jsonb_build_object('since', since, "
	    "'wrong_passwords', passwords, 'wrong_codes', codes, "
	    "'told_at', told_at) FROM failed_signin WHERE who = $1::text), "
	    "'saved_filters', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'name', name, 'filter', filter, 'saved_at', created_at) "
	    "ORDER BY created_at), '[]') FROM queue_filter "
	    "WHERE account_id = $1::uuid), "
	    "'sessions', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'id', id, 'began_at', created_at, 'last_used_at', last_used_at, "
	    "'expires_at', expires_at, 'address', host(address), "
	    "'browser', agent) ORDER BY created_at), '[]') FROM session "
	    "WHERE account_id = $1::uuid), "
	    "'known_devices', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'last_seen_at', last_at) ORDER BY last_at), '[]') "
	    "FROM known_device WHERE account_id = $1::uuid), "
	    "'known_browsers', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'last_signed_in_at', last_at) ORDER BY last_at), '[]') "
	    "FROM known_browser WHERE account_id = $1::uuid), "
	    "'actions', (SELECT coalesce(jsonb_agg(jsonb_build_object("
	    "'at', at, 'action', action, 'subject', subject_kind, "
	    "'subject_id', subject_id, 'detail', detail) ORDER BY id), '[]') "
	    "FROM (SELECT * FROM audit WHERE actor_id = $1::uuid "
	    "ORDER BY id DESC LIMIT 5000) AS newest)))");

	return (db_text(db_read(db, &account_data, DB_ARGS(account_id)), 0,
	    0));
}
