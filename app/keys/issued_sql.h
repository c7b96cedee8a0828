/*
 * Parts of the statements on issued keys: who may what (issued.h), and who is
 * told.  m is the membership of who asks, f the profile, k the key.
 */
#ifndef KEYS_ISSUED_SQL_H
#define KEYS_ISSUED_SQL_H

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

#define MAY_MAKE							\
    "(CASE f.makers WHEN 'people' THEN true"				\
    "  WHEN 'administrators' THEN m.role IN ('owner', 'manager')"	\
    "  WHEN 'granted' THEN m.role = 'owner' OR m.makes_keys"		\
    "  ELSE false END)"
#define LEADS	"(m.role IN ('owner', 'manager'))"
#define SEES								\
    "(" LEADS " OR k.maker_id = m.account_id"				\
    "  OR (NOT f.within_maker AND " MAY_MAKE "))"
#define CHANGES								\
    "(" MAY_MAKE " AND (NOT f.within_maker OR k.maker_id = m.account_id))"
#define ACTIVATES							\
    "(" LEADS " OR (" CHANGES " AND k.state_by IS NOT DISTINCT FROM"	\
    "  m.account_id))"
/* $1: who asks, with an account that works, at a client that is open. */
#define ASKER								\
    " FROM membership m JOIN account a ON a.id = m.account_id"		\
    "  AND a.state = 'active'"						\
    " CROSS JOIN LATERAL (SELECT ti.* FROM tenant ti"			\
    "  WHERE ti.id = m.tenant_id AND ti.state = 'active' LIMIT 1) t"	\
    " JOIN subscription s ON s.tenant_id = m.tenant_id"			\
    " JOIN product p ON p.id = s.product_id"				\
    " JOIN key_profile f ON f.name = p.profile AND NOT f.is_pair "
#define LIVES								\
    "(s.state IN ('active', 'suspended')"				\
    "  AND (s.expires_at IS NULL OR s.expires_at > now()))"

/* `seen` is the key with its client, `told` mails to its owners and its maker;
 * done, reason and until are expressions. */
#define TOLD(from, done, reason, until)					\
    "told AS (SELECT mail_queue('issued_key', x.account_id, NULL,"	\
    "    jsonb_build_object('subscription_id', seen.subscription_id,"	\
    "    'subscription_name', seen.subscription, 'client', seen.client," \
    "    'key_name', seen.name, 'product', seen.product,"		\
    "    'by', b.name, 'done', " done ", 'reason', " reason ","		\
    "    'until_at', " until ")) AS mail"				\
    "  FROM " from " CROSS JOIN seen"					\
    "  LEFT JOIN person b ON b.account_id = $1::uuid"			\
    "  CROSS JOIN LATERAL (SELECT w.account_id FROM membership w"	\
    "    JOIN account wa ON wa.id = w.account_id"			\
    "    AND wa.state = 'active' WHERE w.tenant_id = seen.tenant_id"	\
    "    AND (w.role = 'owner' OR w.account_id = seen.maker_id)) x)"

#endif
