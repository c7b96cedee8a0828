/*
 * What staff look up, and admins make: clients, subscriptions, keys that were
 * found somewhere, the audit.
 */
#include "api/api_pages.h"
#include "audit/audit_pages.h"
#include "base/clock.h"
#include "keys/find.h"
#include "keys/issued.h"
#include "keys/rotate.h"
#include "tenants/tenant_edit.h"
#include "vault/vault.h"

static void	 put_tenant(struct out *, const struct tenant *, int64_t version);
static bool	 place_read(struct req *, struct audit_place *);

void
api_staff_tenants(struct req *rq)
{
	const struct tenant_list list = tenant_db_list(rq->db,
				    str_squeeze(rq->arena, api_query(rq, "q")),
				    api_query(rq, "after"));
	struct out		 out;
	int			 i;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < list.n; i++)
		put_tenant(&out, &list.list[i], 0);
	api_answer_page(rq, &out, list.next_after);
}

void
api_staff_tenant(struct req *rq)
{
	const char		*code = str_upper(rq->arena,
				    req_param(rq, "code"));
	const struct tenant	*t = tenant_code_valid(code) ?
				    tenant_db_find(rq->db, code) : NULL;
	const struct tenant_facts *facts;
	struct out		 out;

	facts = t == NULL ? NULL : tenant_db_facts(rq->db, t->id);
	if (facts == NULL)
		api_not_found(rq);
	out_begin(&out, rq->arena);
	put_tenant(&out, t, facts->version);
	api_etag(rq, arena_fmt(rq->arena, "v%lld",
	    (long long)facts->version));
	api_answer(rq, 200, &out);
}

void
api_staff_tenant_make(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct tenant_change	 change;
	const struct tenant	*t;
	struct out		 out;

	API_FIELDS(rq, { "code", API_TEXT, true }, { "name", API_TEXT, true },
	    { "slug", API_TEXT, false }, { "hosts", API_LINES, false },
	    { "domains", API_LINES, false },
	    { "designated", API_LINES, false },
	    { "notices_to", API_TEXT, false }, { "notes", API_TEXT, false });
	tenant_form_read(rq, view, true, &change);
	if (!form_has_errors(view) &&
	    tenant_page_taken(rq, view, NULL, &change))
		api_fail(rq, 409, "taken", "Another client has this code, "
		    "slug or host.");
	if (form_has_errors(view))
		api_invalid(rq, view);
	switch (tenant_db_make(rq->db, rq->session->account_id, &change)) {
	case TENANT_DONE:
		break;
	case TENANT_TAKEN:
		api_fail(rq, 409, "taken", "Another client has this code, "
		    "slug or host.");
	case TENANT_NONE:
	case TENANT_STALE:
	case TENANT_HAS_KEY:
	case TENANT_HAS_REQUEST:
		api_not_found(rq);
	}
	t = tenant_db_find(rq->db, change.code);
	if (t == NULL)
		api_not_found(rq);
	out_begin(&out, rq->arena);
	put_tenant(&out, t, 0);
	api_location(rq, arena_fmt(rq->arena, "/staff/tenants/%s", t->code));
	api_answer(rq, 201, &out);
}

void
api_staff_subscriptions(struct req *rq)
{
	const char		*after = api_query(rq, "after");
	const struct subscription_list list = subscription_db_list(rq->db,
				    SUBSCRIPTION_ALL, after);
	const struct subscription *s;
	struct out		 out;
	int			 i;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < list.n; i++) {
		s = &list.list[i];
		out_open(&out, NULL, '{');
		out_text(&out, "id", s->id);
		out_text(&out, "name", s->name);
		out_text(&out, "product", s->product);
		out_text(&out, "environment", s->environment);
		out_text(&out, "tenant", s->tenant_code);
		out_text(&out, "state", s->state);
		out_time(&out, "created_at", s->created_at);
		out_time(&out, "expires_at", s->expires_at);
		out_time(&out, "ended_at", s->ended_at);
		out_close(&out, '}');
	}
	api_answer_page(rq, &out, list.next_after);
}

void
api_staff_key_find(struct req *rq)
{
	static const char *const names[] = { "key", "first8", "last4" };
	struct found_keys	 found;
	const struct found_key	*key;
	const char		*text = NULL;
	enum find_by		 by = FIND_WHOLE, typed = FIND_WHOLE;
	struct out		 out;
	size_t			 i, n = 0;
	int			 k;

	API_FIELDS(rq, { "key", API_TEXT, false },
	    { "first8", API_TEXT, false }, { "last4", API_TEXT, false });
	for (i = 0; i < COUNT(names); i++) {
		if (*req_form(rq, names[i]) == '\0')
			continue;
		by = (enum find_by)i;
		text = by == FIND_LAST4 ? str_lower(rq->arena,
		    req_form_line(rq, names[i])) : find_typed(rq->arena,
		    req_form_line(rq, names[i]), &typed);
		if (text == NULL || (by != FIND_LAST4 && typed != by))
			text = "";
		n++;
	}
	if (n != 1 || *text == '\0' || (by == FIND_LAST4 &&
	    !find_shaped(by, text)))
		api_invalid_field(rq, n == 0 ? "key" : names[by], "Send one "
		    "of key (32 of 0-9 and a-f), first8 and last4.");
	found = find_db(rq->db, vault, by, text);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (k = 0; k < found.n; k++) {
		key = &found.list[k];
		out_open(&out, NULL, '{');
		out_text(&out, "id", find_id(key));
		out_text(&out, "slot", key->slot);
		out_text(&out, "last4", key->last4);
		out_text(&out, "state", key->state);
		out_text(&out, "subscription_id", key->subscription_id);
		out_text(&out, "subscription", key->subscription);
		out_text(&out, "subscription_state",
		    key->subscription_state);
		out_text(&out, "tenant", key->code);
		out_text(&out, "client", key->client);
		out_time(&out, "made_at", key->made_at);
		out_time(&out, "ends_at", key->ends_at);
		out_time(&out, "used_at", key->used_at);
		out_close(&out, '}');
	}
	api_answer_page(rq, &out, NULL);
}

void
api_staff_key_revoke(struct req *rq)
{
	const char	*id = api_id(rq), *reason, *wrong;
	int64_t		 overlap_s = 0;

	API_FIELDS(rq, { "reason", API_TEXT, true },
	    { "overlap_s", API_NUMBER, false });
	reason = req_form(rq, "reason");
	if (str_blank(reason) || str_chars(reason) > SUBSCRIPTION_REASON_MAX)
		api_invalid_field(rq, "reason", "Say why, in up to 1000 "
		    "characters. The contacts of the client read it.");
	wrong = rotate_overlap_wrong(req_form(rq, "overlap_s"), "", rq->now,
	    &overlap_s);
	if (wrong != NULL)
		api_invalid_field(rq, "overlap_s", wrong);
	if (rotate_db_revoke(rq->db, vault, rq->session->account_id, id,
	    overlap_s, reason) != ROTATE_DONE && issued_db_revoke(rq->db,
	    rq->session->account_id, id, reason) != ISSUED_DONE)
		api_not_found(rq);
	api_done(rq);
}

/* Filters as the page's address has them. */
void
api_staff_audit(struct req *rq)
{
	struct view			*view = view_new(rq->arena);
	const struct audit_filter	 filter = audit_filter_read(rq, view);
	const struct audit_entry	*e;
	struct audit_entries		 entries;
	struct audit_place		 place = { .at = 0 };
	struct out			 out;
	int				 i;

	if (form_has_errors(view))
		api_invalid(rq, view);
	if (*api_query(rq, "after") != '\0' && !place_read(rq, &place))
		api_invalid_field(rq, "after", "Send back what `next` was.");
	entries = audit_db_page(rq->db, &filter, &place);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < entries.n; i++) {
		e = &entries.list[i];
		out_open(&out, NULL, '{');
		out_text(&out, "id", e->id);
		out_time(&out, "at", e->at);
		out_some(&out, "tenant", e->tenant_code);
		out_text(&out, "actor_kind", e->actor_kind);
		out_some(&out, "actor_id", e->actor_id);
		out_text(&out, "actor", audit_actor(rq, e));
		out_text(&out, "action", e->action);
		out_text(&out, "subject_kind", e->subject_kind);
		out_text(&out, "subject_id", e->subject_id);
		out_some(&out, "subject", e->subject);
		out_text(&out, "detail", e->detail);
		out_close(&out, '}');
	}
	out_close(&out, ']');
	e = entries.n > 0 ? &entries.list[entries.n - 1] : NULL;
	out_text(&out, "next", !entries.more ? NULL : arena_fmt(rq->arena,
	    "%lld.%s", (long long)e->at, e->id));
	out_close(&out, '}');
	api_answer(rq, 200, &out);
}

static void
put_tenant(struct out *out, const struct tenant *t, int64_t version)
{
	out_open(out, NULL, '{');
	out_text(out, "id", t->id);
	out_text(out, "code", t->code);
	out_text(out, "name", t->name);
	out_text(out, "slug", t->slug);
	out_split(out, "domains", t->domains, ",");
	out_split(out, "former_codes", t->aliases, ",");
	out_text(out, "state", t->is_active ? "active" : "closed");
	out_number(out, "contacts", t->contacts);
	out_some(out, "key_name", t->key_name);
	out_some(out, "key_state", t->key_state);
	out_time(out, "created_at", t->created_at);
	if (version != 0)
		out_number(out, "version", version);
	out_close(out, '}');
}

/* "microseconds.id", as `next` has it. */
static bool
place_read(struct req *rq, struct audit_place *ret_place)
{
	const char	*text = api_query(rq, "after"), *dot;
	int64_t		 id;

	dot = strchr(text, '.');
	if (dot == NULL || !str_to_int(arena_strndup(rq->arena, text,
	    (size_t)(dot - text)), 1, 7258118400 * SECOND_US, &ret_place->at) ||
	    !str_to_int(dot + 1, 1, INT64_MAX, &id))
		return (false);
	ret_place->id = dot + 1;
	return (true);
}
