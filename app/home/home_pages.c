/*
 * Home, how it works, terms.
 */
#include "base/setting.h"
#include "home/home.h"
#include "products/product.h"
#include "web/respond.h"

#define HOME_PRODUCTS	3	/* one row of tiles */

void
home_page(struct req *rq)
{
	struct view		*v = view_new(rq->arena);
	struct product_list	 list = product_db_list(rq->db);

	product_tiles(rq->arena, v, &list, HOME_PRODUCTS);
	respond_page(rq, 200, "home/home", v);
}

void
home_page_how(struct req *rq)
{
	struct view	*v = view_new(rq->arena);

	view_int(v, "sla_hours", setting->sla_hours);
	respond_page(rq, 200, "home/how", v);
}

void
home_page_terms(struct req *rq)
{
	respond_page(rq, 200, "home/terms", view_new(rq->arena));
}
