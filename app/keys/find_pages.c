/*
 * "A key was found in public": staff paste it or its first 8 characters, see
 * whose it is, and revoke it by the form of the subscription's page.
 */
#include "base/clock.h"
#include "keys/find.h"
#include "vault/vault.h"
#include "web/respond.h"

static void	 show(struct req *, struct view *, const struct found_keys *);
static void	 respond(struct req *, int status, struct view *);

void
find_page(struct req *rq)
{
	respond(rq, 200, view_new(rq->arena));
}

void
find_page_look(struct req *rq)
{
	const char		*text;
	struct view		*v = view_new(rq->arena);
	struct found_keys	 found;
	enum find_by		 by = FIND_WHOLE;

	text = find_typed(rq->arena, req_form_line(rq, "key"), &by);
	if (text == NULL) {
		/* What was typed is not shown again: it may be a key. */
		form_error(v, "key", "Paste the whole key, which is 32 of 0-9 "
		    "and a-f or begins as ca_ does, or its first 8 "
		    "characters.");
		respond(rq, 422, v);
		return;
	}
	found = find_db(rq->db, vault, by, text);
	view_bool(v, "is_answer", true);
	view_bool(v, "by_whole", by == FIND_WHOLE);
	show(rq, v, &found);
	respond(rq, 200, v);
}

static void
show(struct req *rq, struct view *v, const struct found_keys *found)
{
	const struct found_key	*key;
	struct arena		*a = rq->arena;
	struct view		*row;
	bool			 lives;
	int			 i;

	view_list(v, "rows");
	for (i = 0; i < found->n; i++) {
		key = &found->list[i];
		lives = !str_eq(key->state, "ended") &&
		    (str_eq(key->subscription_state, "active") ||
		    str_eq(key->subscription_state, "suspended"));
		row = view_row(v, "rows");
		view_text(row, "key_id", key->id);
		view_text(row, "slot", key->slot);
		view_text(row, "last4", key->last4);
		view_text(row, "issued_id", key->issued_id);
		view_text(row, "key_name", key->name);
		view_text(row, "subscription_id", key->subscription_id);
		view_text(row, "subscription", key->subscription);
		view_text(row, "code", key->code);
		view_text(row, "client", key->client);
		view_bool(row, "lives", lives);
		view_bool(row, "is_old", str_eq(key->state, "old"));
		view_text(row, "made_at", clock_date(a, key->made_at));
		view_text(row, "ends_at", key->ends_at == 0 ? "" :
		    clock_long(a, key->ends_at));
		view_text(row, "used_at", key->used_at == 0 ? "" :
		    clock_long(a, key->used_at));
	}
	view_bool(v, "has_rows", found->n > 0);
}

static void
respond(struct req *rq, int status, struct view *v)
{
	if (!view_has(v, "is_answer")) {
		view_bool(v, "is_answer", false);
		view_bool(v, "by_whole", false);
		view_bool(v, "has_rows", false);
		view_list(v, "rows");
	}
	form_fields(v, "key", NULL);
	respond_page(rq, status, "keys/found", v);
}
