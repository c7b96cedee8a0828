/*
 * GET /keys: the keys of a client, whatever the profiles of its products: each
 * subscription under the words of its own.
 */
#include "keys/issued_view.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "web/respond.h"

void
issued_page_all(struct req *rq)
{
	const struct session	*s = rq->session;
	struct view		*v = view_new(rq->arena), *row;
	const struct keys_place	*place;
	struct tenant_badge	 badge;
	struct keys_places	 places = { NULL, 0 };
	int			 i;

	if (s->tenant_id != NULL)
		places = keys_db_places(rq->db, s->account_id);
	view_bool(v, "has_places", places.n > 0);
	view_list(v, "places");
	for (i = 0; i < places.n; i++) {
		place = &places.list[i];
		badge = tenant_key_badge(place->state);
		row = view_row(v, "places");
		view_text(row, "subscription_id", place->subscription_id);
		view_text(row, "subscription", place->subscription);
		view_text(row, "product", place->product);
		environment_view(rq, row, place->environment);
		view_text(row, "tone", badge.tone);
		view_text(row, "icon", badge.icon);
		view_text(row, "state", badge.text);
		view_text(row, "menu_words", place->menu);
		view_text(row, "summary", place->summary);
		view_bool(row, "is_pair", place->is_pair);
		view_int(row, "living", place->living);
		view_bool(row, "is_one", place->living == 1);
	}
	respond_page(rq, 200, "keys/all", v);
}
