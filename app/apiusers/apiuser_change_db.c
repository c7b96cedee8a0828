/*
 * API users in the database: what is done with them, one statement each.  Who
 * asks is judged in the statement, by api_right(); the row of the user is
 * locked first, so that of two who change it at once the second sees what the
 * first did, or changes nothing.
 */
#include "apiusers/apiuser.h"

#include "base/str.h"

/* Joins the owners and managers of a tenant, who are told. */
#define LOOKED_AFTER_BY(tenant)						\
	"JOIN membership w ON w.tenant_id = " tenant " "		\
	"AND w.role IN ('owner', 'manager') "				\
	"JOIN account wa ON wa.id = w.account_id AND wa.state = 'active' "

/* The day whose end a time is, as text. */
#define LAST_DAY(time)							\
	"coalesce(to_char((" time " - interval '1 second') AT TIME ZONE "	\
	"'UTC', 'YYYY-MM-DD'), 'none')"

WAITS enum api_make_result
api_user_db_make(struct db *db, const char *who, const char *tenant_id,
    const struct api_user_form *form, const struct api_password *password,
    const char *nonce, const char **ret_twin)
{
	/* `twin` comes first in the alphabet; the index of live ones by vendor
	 * has few rows of one. */
	DB_QUERY(api_user_make,
	    "WITH me AS (SELECT t.id AS tenant_id, t.name, t.code FROM tenant t"
	    "  WHERE t.id = $2::uuid AND t.state = 'active'"
	    "  AND (api_right($1::uuid, t.id) IN ('owner', 'manager')"
	    "  OR (api_right($1::uuid, t.id) = 'admin'"
	    "  AND $15::bytea IS NULL))"
	    "), used AS (SELECT FROM reveal WHERE nonce_hash = $17::bytea"
	    "), twin AS (SELECT u.username FROM me JOIN api_user u"
	    "  ON u.tenant_id = me.tenant_id AND u.vendor_folded = $6::text"
	    "  AND u.state <> 'deleted' ORDER BY u.username LIMIT 1"
	    "), full_up AS (SELECT FROM me JOIN api_user u"
	    "  ON u.tenant_id = me.tenant_id AND u.state <> 'deleted'"
	    "  HAVING count(*) >= 2000"
	    "), roles AS (SELECT r.id FROM me JOIN api_role r"
	    "  ON r.tenant_id = me.tenant_id AND r.id = ANY ($12::uuid[])"
	    "  ORDER BY r.id FOR KEY SHARE OF r"
	    "), ok AS (SELECT me.* FROM me WHERE"
	    "  (SELECT count(*) FROM roles) = cardinality($12::uuid[])"
	    "  AND NOT EXISTS (SELECT FROM full_up)"
	    "  AND ($13::boolean OR NOT EXISTS (SELECT FROM twin))"
	    "), burn AS (INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $17::bytea, $1::uuid FROM ok"
	    "  ON CONFLICT (nonce_hash) DO NOTHING RETURNING nonce_hash"
	    "), made AS (INSERT INTO api_user (id, tenant_id, username,"
	    "    vendor, vendor_folded, integration, contact_name,"
	    "    contact_email, note, expires_at, created_by, state_by)"
	    "  SELECT $3::uuid, ok.tenant_id, $4::text, $5::text, $6::text,"
	    "  $7::text, $8::text, $9::text, $10::text, $11::timestamptz,"
	    "  $1::uuid, $1::uuid FROM ok, burn RETURNING id, tenant_id"
	    "), granted AS (INSERT INTO api_user_role (api_user_id, role_id,"
	    "    tenant_id) SELECT made.id, roles.id, made.tenant_id"
	    "  FROM made, roles RETURNING 1"
	    "), pass AS (INSERT INTO api_user_password (id, api_user_id, mac,"
	    "    mac_version, created_by) SELECT $14::uuid, made.id,"
	    "  $15::bytea, $16::integer, $1::uuid FROM made"
	    "  WHERE $15::bytea IS NOT NULL RETURNING 1"
	    "), told AS (SELECT mail_queue('api_user_made', w.account_id,"
	    "    NULL, jsonb_build_object('api_user', $4::text || '@' ||"
	    "    ok.code, 'client', ok.name, 'vendor', $5::text, 'integration', $7::text, 'by',"
	    "    b.name)) AS mail FROM made JOIN ok ON true"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid "
	    LOOKED_AFTER_BY("made.tenant_id")
	    ") SELECT EXISTS (SELECT FROM me), EXISTS (SELECT FROM used),"
	    "  EXISTS (SELECT FROM full_up), (SELECT username FROM twin),"
	    "  EXISTS (SELECT FROM ok), (SELECT audit_write(made.tenant_id,"
	    "    'account', $1::uuid, 'api_user.made', 'api_user', made.id,"
	    "    jsonb_build_object('user', $4::text)) FROM made),"
	    "  (SELECT count(told.mail) FROM told)");
	_Static_assert(API_USERS_MAX == 2000, "the maximum above");
	const struct db_rows *rows;
	unsigned char hash[SHA256_BYTES];
	const char *twin;

	sha256(hash, nonce, strlen(nonce));
	rows = db_write(db, &api_user_make,
	    DB_ARGS(who, tenant_id, form->id, form->username, form->vendor,
		form->vendor_folded, form->integration, form->contact_name,
		form->contact_email, form->note,
		form->expires_at == 0 ? NULL : db_time(db, form->expires_at),
		db_text_array(db, form->roles, form->roles_n),
		db_bool(form->again), password == NULL ? NULL : password->id,
		password == NULL ?
		    NULL :
		    db_bytes(db, password->mac, sizeof(password->mac)),
		password == NULL ? NULL : db_int(db, password->mac_version),
		db_bytes(db, hash, sizeof(hash))));
	if (rows->outcome == DB_CONFLICT)
		return (API_MAKE_TAKEN);
	db_must(db, rows);
	if (!db_truth(rows, 0, 0))
		return (API_MAKE_NONE);
	if (!db_is_null(rows, 0, 5))
		return (API_MADE);
	if (db_truth(rows, 0, 1))
		return (API_MAKE_AGAIN);
	if (db_truth(rows, 0, 2))
		return (API_MAKE_FULL);
	twin = db_text(rows, 0, 3);
	if (!form->again && twin != NULL) {
		*ret_twin = twin;
		return (API_MAKE_TWIN);
	}
	/* All was well, but somebody sent the nonce at the same moment. */
	return (db_truth(rows, 0, 4) ? API_MAKE_AGAIN : API_MAKE_ROLES);
}

WAITS enum api_change_result
api_user_db_rotate(struct db *db, const char *who, const char *id,
    int64_t overlap_s, const struct api_password *password, const char *nonce)
{
	/* Each step reads the count of the one before, so that they are done
	 * in this order: old ones end, the current one ages, the new one
	 * comes. */
	DB_QUERY(api_user_rotate,
	    "WITH u AS (SELECT u.id, u.tenant_id FROM api_user u"
	    "  WHERE u.id = $2::uuid AND u.state <> 'deleted'"
	    "  AND api_right($1::uuid, u.tenant_id) IN ('owner', 'manager')"
	    "  FOR UPDATE"
	    "), burn AS (INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $7::bytea, $1::uuid FROM u"
	    "  ON CONFLICT (nonce_hash) DO NOTHING RETURNING nonce_hash"
	    "), ended AS (UPDATE api_user_password p SET state = 'ended',"
	    "    ends_at = least(coalesce(p.ends_at, now()), now())"
	    "  FROM u, burn WHERE p.api_user_id = u.id AND (p.state = 'old'"
	    "  OR (p.state = 'current' AND $6::integer = 0)) RETURNING 1"
	    "), aged AS (UPDATE api_user_password p SET state = 'old',"
	    "    ends_at = now() + make_interval(secs => $6::integer)"
	    "  FROM u, burn, (SELECT count(*) AS n FROM ended) AS e"
	    "  WHERE p.api_user_id = u.id AND p.state = 'current'"
	    "  AND $6::integer > 0 AND e.n >= 0 RETURNING 1"
	    "), made AS (INSERT INTO api_user_password (id, api_user_id, mac,"
	    "    mac_version, created_by) SELECT $3::uuid, u.id, $4::bytea,"
	    "  $5::integer, $1::uuid FROM u, burn,"
	    "  (SELECT count(*) AS n FROM ended) AS e,"
	    "  (SELECT count(*) AS n FROM aged) AS a WHERE e.n + a.n >= 0"
	    "  RETURNING id"
	    ") SELECT (SELECT audit_write(u.tenant_id, 'account', $1::uuid,"
	    "    'api_user.rotated', 'api_user', u.id, jsonb_build_object("
	    "    'overlap_s', $6::integer)) FROM made) FROM u");
	const struct db_rows *rows;
	unsigned char hash[SHA256_BYTES];

	sha256(hash, nonce, strlen(nonce));
	rows = db_write(db, &api_user_rotate,
	    DB_ARGS(who, id, password->id,
		db_bytes(db, password->mac, sizeof(password->mac)),
		db_int(db, password->mac_version), db_int(db, overlap_s),
		db_bytes(db, hash, sizeof(hash))));
	if (rows->outcome == DB_CONFLICT)
		return (API_CHANGE_FASTER);
	db_must(db, rows);
	if (rows->n == 0)
		return (API_CHANGE_NONE);
	return (db_is_null(rows, 0, 0) ? API_CHANGE_AGAIN : API_CHANGED);
}

WAITS enum api_change_result
api_user_db_state(struct db *db, const char *who, const char *id,
    int64_t version, const char *state, const char *reason)
{
	DB_QUERY(api_user_state,
	    "WITH u AS (SELECT u.id, u.tenant_id, u.username, u.state, u.version,"
	    "    u.disabled_by_staff, t.code, t.name,"
	    "    api_right($1::uuid, u.tenant_id) AS may FROM api_user u"
	    "  JOIN tenant t ON t.id = u.tenant_id WHERE u.id = $2::uuid"
	    "  AND u.state <> 'deleted' FOR UPDATE OF u"
	    "), me AS (SELECT u.*, u.may IN ('staff', 'admin') AS is_staff"
	    "  FROM u WHERE u.may IN ('owner', 'manager')"
	    "  OR u.may = 'admin'"
	    "  OR (u.may = 'staff' AND $3::text <> 'deleted')"
	    "), ok AS (SELECT me.* FROM me WHERE (me.state <> $3::text"
	    "    OR (me.is_staff AND $3::text = 'disabled'"
	    "    AND NOT me.disabled_by_staff))"
	    "  AND (me.is_staff OR NOT me.disabled_by_staff"
	    "    OR $3::text = 'deleted')"
	    "  AND me.version = coalesce(nullif($5::integer, 0), me.version)"
	    "), done AS (UPDATE api_user x SET state = $3::text,"
	    "    state_at = now(), state_by = $1::uuid,"
	    "    disabled_by_staff = ok.is_staff AND $3::text = 'disabled',"
	    "    disabled_reason = CASE WHEN $3::text = 'disabled'"
	    "      THEN $4::text ELSE '' END"
	    "  FROM ok WHERE x.id = ok.id RETURNING x.id, x.tenant_id"
	    "), roleless AS (DELETE FROM api_user_role r USING done"
	    "  WHERE r.api_user_id = done.id AND $3::text = 'deleted'"
	    "), linkless AS (UPDATE api_hand_over h SET ended_at = now(),"
	    "    ending = 'withdrawn' FROM done WHERE h.api_user_id = done.id"
	    "  AND h.ended_at IS NULL AND $3::text = 'deleted'"
	    "), wordless AS (UPDATE api_user_password p SET state = 'ended',"
	    "    ends_at = least(coalesce(p.ends_at, now()), now())"
	    "  FROM done WHERE p.api_user_id = done.id"
	    "  AND p.state <> 'ended' AND $3::text = 'deleted'"
	    "), told AS (SELECT mail_queue('api_user_state', w.account_id,"
	    "    NULL, jsonb_build_object('api_user', ok.username || '@' ||"
	    "    ok.code, 'client', ok.name, 'state', $3::text, 'reason',"
	    "    nullif($4::text, ''))) AS mail FROM done JOIN ok"
	    "    ON ok.is_staff " LOOKED_AFTER_BY("done.tenant_id")
	    ") SELECT (SELECT audit_write(done.tenant_id, 'account',"
	    "    $1::uuid, 'api_user.' || $3::text, 'api_user', done.id)"
	    "    FROM done), me.disabled_by_staff AND NOT me.is_staff,"
	    "  (SELECT count(told.mail) FROM told) FROM me");
	const struct db_rows *rows;

	rows = db_write(db, &api_user_state, DB_ARGS(who, id, state, reason,
	    db_int(db, version)));
	db_must(db, rows);
	if (rows->n == 0)
		return (API_CHANGE_NONE);
	if (!db_is_null(rows, 0, 0))
		return (API_CHANGED);
	return (db_truth(rows, 0, 1) ? API_CHANGE_STAFF : API_CHANGE_FASTER);
}

WAITS enum api_change_result
api_user_db_edit(struct db *db, const char *who, const char *id,
    int64_t version, const struct api_user_form *form)
{
	/* `news` names what is other than before, in codes: the audit keeps
	 * neither the text of a note nor who a technical contact was. */
	DB_QUERY(api_user_edit,
	    "WITH u AS (SELECT u.*, t.code, t.name,"
	    "    api_right($1::uuid, u.tenant_id) = 'admin' AS is_staff"
	    "  FROM api_user u JOIN tenant t ON t.id = u.tenant_id"
	    "  WHERE u.id = $2::uuid AND u.state <> 'deleted'"
	    "  AND api_right($1::uuid, u.tenant_id) IN"
	    "    ('owner', 'manager', 'admin') FOR UPDATE OF u"
	    "), news AS (SELECT u.id, concat_ws(' ',"
	    "    CASE WHEN u.vendor <> $4::text THEN 'vendor' END,"
	    "    CASE WHEN u.integration <> $6::text THEN 'integration' END,"
	    "    CASE WHEN u.contact_name <> $7::text"
	    "      OR u.contact_email <> $8::text THEN 'contact' END,"
	    "    CASE WHEN u.note <> $9::text THEN 'note' END,"
	    "    CASE WHEN u.expires_at IS DISTINCT FROM $10::timestamptz"
	    "      THEN 'last-day' END) AS what,"
	    "    u.expires_at IS NOT NULL AND u.expires_at <"
	    "      coalesce($10::timestamptz, 'infinity') AS is_longer"
	    "  FROM u WHERE u.version = $3::integer"
	    "), done AS (UPDATE api_user x SET vendor = $4::text,"
	    "    vendor_folded = $5::text, integration = $6::text,"
	    "    contact_name = $7::text, contact_email = $8::text,"
	    "    note = $9::text, expires_at = $10::timestamptz,"
	    "    version = x.version + 1 FROM news WHERE x.id = news.id"
	    "  AND news.what <> '' RETURNING x.id, x.tenant_id"
	    "), told AS (SELECT mail_queue('api_changed', w.account_id, NULL,"
	    "    jsonb_build_object('api_user', u.username || '@' || u.code,"
	    "    'client', u.name, 'by', " API_DOER("u.is_staff") ", 'done',"
	    "    'changed ' || replace(replace(news.what, ' ', ', '), '-',"
	    "    ' '))) AS mail FROM done JOIN u ON true JOIN news"
	    "    ON u.is_staff OR news.is_longer"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid "
	    LOOKED_AFTER_BY("done.tenant_id")
	    ") SELECT EXISTS (SELECT FROM news), (SELECT audit_write("
	    "    done.tenant_id, 'account', $1::uuid, 'api_user.changed',"
	    "    'api_user', done.id, coalesce((SELECT jsonb_object_agg("
	    "    w.name, 'changed') FROM"
	    "    unnest(string_to_array(news.what, ' ')) AS w (name)"
	    "    WHERE w.name <> 'last-day'), '{}')"
	    "    || CASE WHEN news.what LIKE '%last-day' THEN"
	    "    jsonb_build_object('last_day', " LAST_DAY("$10::timestamptz")
	    "    , 'before', " LAST_DAY("u.expires_at") ") ELSE '{}' END)"
	    "    FROM done, news),"
	    "  (SELECT count(told.mail) FROM told) FROM u");
	const struct db_rows *rows;

	rows = db_write(db, &api_user_edit,
	    DB_ARGS(who, id, db_int(db, version), form->vendor,
		form->vendor_folded, form->integration, form->contact_name,
		form->contact_email, form->note,
		form->expires_at == 0 ? NULL : db_time(db, form->expires_at)));
	db_must(db, rows);
	if (rows->n == 0)
		return (API_CHANGE_NONE);
	return (db_truth(rows, 0, 0) ? API_CHANGED : API_CHANGE_FASTER);
}

WAITS enum api_change_result
api_user_db_roles(struct db *db, const char *who, const char *id,
    int64_t version, const char *const *roles, size_t n)
{
	DB_QUERY(api_user_roles,
	    "WITH u AS (SELECT u.id, u.tenant_id, u.username, t.code, t.name,"
	    "    api_right($1::uuid, u.tenant_id) = 'admin' AS is_staff"
	    "  FROM api_user u JOIN tenant t ON t.id = u.tenant_id"
	    "  WHERE u.id = $2::uuid AND u.state <> 'deleted'"
	    "  AND api_right($1::uuid, u.tenant_id) IN"
	    "    ('owner', 'manager', 'admin')"
	    "), roles AS (SELECT r.id, r.name FROM u JOIN api_role r"
	    "  ON r.tenant_id = u.tenant_id AND r.id = ANY ($4::uuid[])"
	    "  ORDER BY r.id FOR KEY SHARE OF r"
	    "), ok AS (SELECT u.* FROM u WHERE"
	    "  (SELECT count(*) FROM roles) = cardinality($4::uuid[])"
	    "), done AS (UPDATE api_user x SET version = x.version + 1"
	    "  FROM ok WHERE x.id = ok.id AND x.version = $3::integer"
	    "  AND x.state <> 'deleted' RETURNING x.id, x.tenant_id,"
	    "  api_wider(ARRAY(SELECT role_id FROM api_user_role"
	    "    WHERE api_user_id = x.id), $4::uuid[]) AS is_wider"
	    "), gone AS (DELETE FROM api_user_role r USING done"
	    "  WHERE r.api_user_id = done.id"
	    "  AND r.role_id <> ALL ($4::uuid[])"
	    "), came AS (INSERT INTO api_user_role (api_user_id, role_id,"
	    "    tenant_id) SELECT done.id, roles.id, done.tenant_id"
	    "  FROM done, roles ON CONFLICT DO NOTHING"
	    "), told AS (SELECT mail_queue(CASE WHEN done.is_wider THEN"
	    "    'api_user_widened' ELSE 'api_changed' END, w.account_id,"
	    "    NULL, jsonb_build_object('api_user', ok.username || '@' ||"
	    "    ok.code, 'client', ok.name, 'roles', (SELECT string_agg("
	    "    name, ', ' ORDER BY name) FROM roles), 'by', "
	    API_DOER("ok.is_staff") ", 'done', 'changed its roles')) AS mail"
	    "  FROM done JOIN ok ON done.is_wider OR ok.is_staff"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid "
	    LOOKED_AFTER_BY("done.tenant_id")
	    ") SELECT EXISTS (SELECT FROM ok), (SELECT audit_write("
	    "    done.tenant_id, 'account', $1::uuid, 'api_user.permissions',"
	    "    'api_user', done.id, jsonb_build_object('wider',"
	    "    done.is_wider)) FROM done),"
	    "  (SELECT count(told.mail) FROM told) FROM u");
	const struct db_rows *rows;

	rows = db_write(db, &api_user_roles,
	    DB_ARGS(who, id, db_int(db, version), db_text_array(db, roles, n)));
	db_must(db, rows);
	if (rows->n == 0)
		return (API_CHANGE_NONE);
	if (!db_truth(rows, 0, 0))
		return (API_CHANGE_ROLES);
	return (db_is_null(rows, 0, 1) ? API_CHANGE_FASTER : API_CHANGED);
}
