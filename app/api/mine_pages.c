/*
 * What contacts read: who they are, products, subscriptions; and keys, which
 * they show, regenerate and end.
 */
#include "api/api_pages.h"
#include "api/openapi.h"
#include "base/clock.h"
#include "keys/rotate.h"
#include "products/product.h"
#include "subscriptions/change.h"
#include "vault/vault.h"
#include "web/scope.h"

static const char *kind_word(enum account_kind);
static const char *role_word(enum member_role);
static void	 put_tenant(struct out *, const struct session *);
static void	 put_product(struct out *, const char *name,
		    const struct product *);
static void	 put_subscription(struct out *, const struct subscription *);
static void	 put_value(struct out *, const struct subscription_value *);
WAITS static struct subscription *mine(struct req *);
WAITS static const char *slot_of(struct req *);
WAITS static void reveal(struct req *, const struct key_revealed *,
		    int64_t old_until);
WAITS _Noreturn static void late(struct req *);

/* Public, and without a person in it. */
void
api_openapi(struct req *rq)
{
	respond_json(rq, 200, api_openapi_json);
}

void
api_me(struct req *rq)
{
	const struct session	*s = rq->session;
	const struct access	*access = rq->api->access;
	struct out		 out;
	size_t			 i;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_text(&out, "id", s->account_id);
	out_text(&out, "name", s->name);
	out_text(&out, "email", s->email);
	out_text(&out, "kind", kind_word(s->kind));
	out_open(&out, "token", '{');
	out_text(&out, "id", access->id);
	out_text(&out, "name", access->name);
	out_time(&out, "expires_at", access->expires_at);
	out_open(&out, "scopes", '[');
	for (i = 0; i < COUNT(scope_words); i++) {
		if ((access->scopes & scope_words[i].bit) != 0)
			out_text(&out, NULL, scope_words[i].name);
	}
	out_close(&out, ']');
	out_close(&out, '}');
	out_close(&out, '}');
	api_answer(rq, 200, &out);
}

/* One at most: a contact is of one client, or of none yet. */
void
api_tenants(struct req *rq)
{
	struct out	out;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	if (rq->session->tenant_id != NULL)
		put_tenant(&out, rq->session);
	api_answer_page(rq, &out, NULL);
}

void
api_products(struct req *rq)
{
	const struct product_list	list = product_db_list(rq->db);
	struct out			out;
	int				i;

	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < list.n; i++)
		put_product(&out, NULL, &list.list[i]);
	api_answer_page(rq, &out, NULL);
}

void
api_product(struct req *rq)
{
	const struct product	*p = product_db_find(rq->db, req_param(rq,
				    "slug"), rq->session->account_id);
	struct out		 out;

	if (p == NULL)
		api_not_found(rq);
	out_begin(&out, rq->arena);
	put_product(&out, NULL, p);
	api_answer(rq, 200, &out);
}

void
api_subscriptions(struct req *rq)
{
	struct subscription_list	 list = { .n = 0 };
	struct out			 out;
	int				 i;

	if (rq->session->tenant_id != NULL)
		list = subscription_db_of_tenant(rq->db,
		    rq->session->tenant_id, api_query(rq, "after"));
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < list.n; i++)
		put_subscription(&out, &list.list[i]);
	api_answer_page(rq, &out, list.next_after);
}

void
api_subscription(struct req *rq)
{
	const struct subscription	*s = mine(rq);
	struct out			 out;

	out_begin(&out, rq->arena);
	put_subscription(&out, s);
	api_answer(rq, 200, &out);
}

void
api_keys(struct req *rq)
{
	const struct subscription	*s = mine(rq);
	struct subscription_values	 values;
	struct out			 out;
	int				 i;

	values = subscription_db_values(rq->db, s->id);
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	for (i = 0; i < values.n && s->is_live; i++)
		put_value(&out, &values.list[i]);
	api_answer_page(rq, &out, NULL);
}

void
api_key_show(struct req *rq)
{
	const char		*id = api_id(rq), *slot = slot_of(rq);
	struct key_revealed	 key;

	API_FIELDS(rq, { "", API_TEXT, false });
	switch (key_db_reveal(rq->db, rq->session->account_id, id, slot,
	    api_nonce(rq), &key)) {
	case KEY_REVEAL_NONE:
		api_not_found(rq);
	case KEY_REVEAL_AGAIN:
		api_fail(rq, 409, "already_revealed", "This was shown "
		    "already.");
	case KEY_REVEAL_SHOWN:
		reveal(rq, &key, 0);
		return;
	}
}

/* If-Match names the value that is replaced: of two at once one does. */
void
api_key_regenerate(struct req *rq)
{
	const struct subscription	*s = mine(rq);
	const char			*slot = slot_of(rq), *key, *wrong;
	struct key_revealed		 revealed;
	int64_t				 overlap_s = 0;

	API_FIELDS(rq, { "overlap_s", API_NUMBER, false });
	api_must_be_manager(rq);
	if (!s->is_live)
		api_not_found(rq);
	key = api_match(rq);
	if (!uuid_shaped(key))
		late(rq);
	wrong = rotate_overlap_wrong(req_form(rq, "overlap_s"), "", rq->now,
	    &overlap_s);
	if (wrong != NULL)
		api_invalid_field(rq, "overlap_s", wrong);
	switch (rotate_db_regenerate(rq->db, vault, rq->session->account_id,
	    s->id, slot, key, overlap_s, api_nonce(rq), &revealed)) {
	case ROTATE_DONE:
		reveal(rq, &revealed, overlap_s == 0 ? 0 : rq->now +
		    overlap_s * SECOND_US);
		return;
	case ROTATE_AGAIN:
		api_fail(rq, 409, "already_revealed", "This was done "
		    "already.");
	case ROTATE_LATE:
		late(rq);
	case ROTATE_NONE:
		break;
	}
	api_not_found(rq);
}

void
api_key_end(struct req *rq)
{
	const struct subscription	*s = mine(rq);
	const char			*key = req_param(rq, "key");

	API_FIELDS(rq, { "", API_TEXT, false });
	api_must_be_manager(rq);
	if (!uuid_shaped(key))
		api_not_found(rq);
	switch (rotate_db_end(rq->db, rq->session->account_id, s->id, key)) {
	case ROTATE_DONE:
		api_done(rq);
		return;
	case ROTATE_AGAIN:
	case ROTATE_LATE:
		api_fail(rq, 409, "ended", "This value has ended by now.");
	case ROTATE_NONE:
		break;
	}
	api_not_found(rq);
}

static const char *
kind_word(enum account_kind kind)
{
	return (kind == ACCOUNT_CONTACT ? "contact" :
	    kind == ACCOUNT_ADMIN ? "admin" : "staff");
}

static const char *
role_word(enum member_role role)
{
	return (role == MEMBER_OWNER ? "owner" :
	    role == MEMBER_MANAGER ? "manager" : "member");
}

static void
put_tenant(struct out *out, const struct session *s)
{
	out_open(out, NULL, '{');
	out_text(out, "id", s->tenant_id);
	out_text(out, "code", s->tenant_code);
	out_text(out, "name", s->tenant_name);
	out_text(out, "role", role_word(s->role));
	out_close(out, '}');
}

static void
put_product(struct out *out, const char *name, const struct product *p)
{
	out_open(out, name, '{');
	out_text(out, "id", p->id);
	out_text(out, "slug", p->slug);
	out_text(out, "name", p->name);
	out_text(out, "summary", p->summary);
	out_text(out, "state", product_state_name(p->state));
	out_some(out, "base_url", p->base_url);
	out_bool(out, "is_open", p->is_open);
	out_bool(out, "needs_api_user", p->needs_api_user);
	out_number(out, "calls_a_minute", p->calls_a_minute);
	out_number(out, "user_calls_a_minute", p->user_calls_a_minute);
	out_number(out, "terms_version", p->terms_version);
	out_time(out, "closes_at", p->closes_at);
	out_close(out, '}');
}

static void
put_subscription(struct out *out, const struct subscription *s)
{
	out_open(out, NULL, '{');
	out_text(out, "id", s->id);
	out_text(out, "name", s->name);
	out_text(out, "product", s->product);
	out_text(out, "environment", s->environment);
	out_text(out, "tenant", s->tenant_code);
	out_text(out, "state", s->state);
	out_time(out, "created_at", s->created_at);
	out_time(out, "expires_at", s->expires_at);
	out_time(out, "ended_at", s->ended_at);
	out_close(out, '}');
}

static void
put_value(struct out *out, const struct subscription_value *value)
{
	out_open(out, NULL, '{');
	out_text(out, "id", value->id);
	out_text(out, "slot", value->slot);
	out_text(out, "last4", value->last4);
	out_bool(out, "is_old", value->is_old);
	out_time(out, "made_at", value->made_at);
	out_some(out, "made_by", value->made_by);
	out_time(out, "ends_at", value->ends_at);
	out_time(out, "used_at", value->used_at);
	out_some(out, "used_from", value->used_address);
	out_close(out, '}');
}

/* Of the client of who asks; else 404. */
WAITS static struct subscription *
mine(struct req *rq)
{
	const char		*id = api_id(rq), *tenant = api_tenant(rq);
	struct subscription	*s = subscription_db_find(rq->db, id);

	if (s == NULL || !str_eq(s->tenant_id, tenant))
		api_not_found(rq);
	return (s);
}

WAITS static const char *
slot_of(struct req *rq)
{
	const char	*slot = req_param(rq, "slot");

	if (!key_slot_valid(slot))
		api_not_found(rq);
	return (slot);
}

WAITS static void
reveal(struct req *rq, const struct key_revealed *key, int64_t old_until)
{
	struct secret	secret;
	struct out	out;

	if (key_open(vault, rq->arena, key->key_id, key->slot, key->sealed,
	    key->sealed_bytes, &secret) != SEAL_OK)
		req_fail(rq, 500, "key_does_not_open");
	out_begin(&out, rq->arena);
	out_open(&out, NULL, '{');
	out_text(&out, "id", key->key_id);
	out_text(&out, "slot", key->slot);
	out_text(&out, "key", secret_reveal(rq->arena, secret));
	out_time(&out, "old_until", old_until);
	out_close(&out, '}');
	api_etag(rq, key->key_id);
	api_answer_secret(rq, 200, &out);
}

WAITS _Noreturn static void
late(struct req *rq)
{
	api_fail(rq, 412, "changed_meanwhile", "Another value is current by "
	    "now. List the keys again: If-Match is the id of the one to "
	    "replace.");
}
