/*
 * API users for staff: of one client, without passwords.
 */
#include "apiusers/apiuser.h"
#include "tenants/tenant.h"
#include "web/respond.h"

void
api_user_page_staff_list(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	api_page_list(rq, 200, view_new(rq->arena), &client);
}

void
api_user_page_staff_make(struct req *rq)
{
	const struct api_client client = api_page_client_staff(rq);

	api_page_make(rq, &client);
}

WAITS struct api_client
api_page_client_staff(struct req *rq)
{
	const char *code = req_param(rq, "code");
	struct tenant *tenant;

	tenant = tenant_code_valid(code) ? tenant_db_find(rq->db, code) : NULL;
	if (tenant == NULL)
		req_not_found(rq);
	return ((struct api_client){
	    .id = tenant->id, .code = tenant->code, .name = tenant->name });
}
