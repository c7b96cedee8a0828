/*
 * API users for staff: of one client, without passwords.
 */
#include "apiusers/apiuser.h"
#include "tenants/tenant.h"
#include "web/respond.h"

WAITS static struct api_client client_of(struct req *);

void
api_user_page_staff_list(struct req *rq)
{
	const struct api_client client = client_of(rq);

	api_page_list(rq, 200, view_new(rq->arena), &client);
}

void
api_user_page_staff_make(struct req *rq)
{
	const struct api_client client = client_of(rq);

	api_page_make(rq, &client);
}

WAITS static struct api_client
client_of(struct req *rq)
{
	const char *code = req_param(rq, "code");
	struct tenant *tenant;

	tenant = tenant_code_valid(code) ? tenant_db_find(rq->db, code) : NULL;
	if (tenant == NULL)
		req_not_found(rq);
	return ((struct api_client){
	    .id = tenant->id, .code = tenant->code, .name = tenant->name });
}
