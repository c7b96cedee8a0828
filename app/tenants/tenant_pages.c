/*
 * The clients, for staff: a list by code, and a page for each.
 */
#include "base/clock.h"
#include "tenants/tenant.h"
#include "web/respond.h"

void
tenant_page_list(struct req *rq)
{
	const char		*after = req_query(rq, "after");
	struct view		*v = view_new(rq->arena), *row;
	struct tenant_list	 list;
	const struct tenant	*t;
	struct tenant_badge	 badge;
	int			 i;

	list = tenant_db_list(rq->db, after == NULL ? "" : after);
	view_text(v, "count_text", list.total == 1 ? "1 client" :
	    arena_fmt(rq->arena, "%lld clients", (long long)list.total));
	view_bool(v, "has_rows", list.n > 0);
	view_list(v, "rows");
	for (i = 0; i < list.n; i++) {
		t = &list.list[i];
		badge = tenant_key_badge(t->key_state);
		row = view_row(v, "rows");
		view_text(row, "code", t->code);
		view_text(row, "name", t->name);
		view_text(row, "domains", t->domains);
		view_int(row, "contacts", t->contacts);
		view_text(row, "key_tone", badge.tone);
		view_text(row, "key_icon", badge.icon);
		view_text(row, "key_text", badge.text);
	}
	view_bool(v, "is_first", after == NULL || *after == '\0');
	view_text(v, "next_after", list.next_after);
	respond_page(rq, 200, "tenants/list", v);
}

void
tenant_page_show(struct req *rq)
{
	const char		*code = req_param(rq, "code");
	struct tenant_detail	*d;
	struct view		*v = view_new(rq->arena), *row;
	struct tenant_badge	 badge;
	int			 i;

	d = tenant_code_valid(code) ? tenant_db_detail(rq->db, code) : NULL;
	if (d == NULL)
		req_not_found(rq);
	view_text(v, "name", d->tenant.name);
	view_text(v, "code", d->tenant.code);
	view_text(v, "since", clock_date(rq->arena, d->tenant.created_at));
	view_text(v, "domains", d->tenant.domains);
	view_bool(v, "has_subscriptions", d->subscriptions_n > 0);
	view_list(v, "subscriptions");
	for (i = 0; i < d->subscriptions_n; i++) {
		badge = tenant_key_badge(d->subscriptions[i].state);
		row = view_row(v, "subscriptions");
		view_text(row, "id", d->subscriptions[i].id);
		view_text(row, "title", d->subscriptions[i].name);
		view_text(row, "product", d->subscriptions[i].product);
		view_text(row, "tone", badge.tone);
		view_text(row, "icon", badge.icon);
		view_text(row, "state", badge.text);
		view_text(row, "approved_at", clock_date(rq->arena,
		    d->subscriptions[i].created_at));
		view_text(row, "approved_by", d->subscriptions[i].approved_by);
		view_text(row, "last4s", d->subscriptions[i].last4s);
	}
	view_bool(v, "has_contacts", d->contacts_n > 0);
	view_list(v, "contacts");
	for (i = 0; i < d->contacts_n; i++) {
		row = view_row(v, "contacts");
		view_text(row, "person", d->contacts[i].person);
		view_text(row, "email", d->contacts[i].email);
		view_text(row, "role",
		    tenant_role_word(d->contacts[i].role));
		view_text(row, "joined", clock_date(rq->arena,
		    d->contacts[i].joined_at));
	}
	respond_page(rq, 200, "tenants/tenant", v);
}
