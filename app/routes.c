/*
 * THE table: every address, who may use it.  Read it from top to bottom.  A
 * row without a guard lets nobody in; every POST checks CSRF.
 */
#include "accounts/account_pages.h"
#include "accounts/close_pages.h"
#include "accounts/email_change_pages.h"
#include "accounts/passkey_pages.h"
#include "accounts/recovery_pages.h"
#include "apiusers/apiuser.h"
#include "audit/audit_pages.h"
#include "health.h"
#include "home/home.h"
#include "keys/key.h"
#include "people/ask.h"
#include "people/people.h"
#include "people/seat.h"
#include "people/staff.h"
#include "products/product.h"
#include "profile/profile.h"
#include "requests/consent.h"
#include "requests/queue.h"
#include "requests/reason.h"
#include "requests/request.h"
#include "requests/thread.h"
#include "sessions/session_list.h"
#include "subscriptions/change.h"
#include "tenants/tenant_edit.h"
#include "web/asset.h"
#include "web/route.h"

const struct route routes[] = {
	{ METHOD_GET,	"/livez",	livez_page,	ANYONE | NODB },
	{ METHOD_GET,	"/readyz",	readyz_page,	ANYONE | NODB },
	{ METHOD_GET,	"/assets/:name", asset_page,	ANYONE | NODB },

	/* accounts */
	{ METHOD_GET,	"/signup",	signup_page,	ANYONE },
	{ METHOD_POST,	"/signup",	signup_page_ask, ANYONE },
	{ METHOD_GET,	"/signup/sent",	signup_page_sent, ANYONE },
	{ METHOD_POST,	"/verify/resend", signup_page_resend, ANYONE },
	{ METHOD_GET,	"/verify/:token", signup_page_verify, ANYONE },
	{ METHOD_POST,	"/verify/:token", signup_page_create, ANYONE },
	{ METHOD_GET,	"/signin",	signin_page,	ANYONE },
	{ METHOD_POST,	"/signin",	signin_page_enter, ANYONE },
	{ METHOD_GET,	"/signin/second", second_page,	ANYONE },
	{ METHOD_POST,	"/signin/second", second_page_enter, ANYONE },
	{ METHOD_POST,	"/passkey", passkey_page_enter, ANYONE },
	{ METHOD_GET,	"/signin/again", signin_page_again, ACCOUNT | SETUP },
	{ METHOD_POST,	"/signin/again", signin_page_again_enter,
			ACCOUNT | SETUP },
	{ METHOD_POST,	"/signout",	signin_page_leave, ACCOUNT | SETUP },
	{ METHOD_GET,	"/forgot",	recovery_page,	ANYONE },
	{ METHOD_POST,	"/forgot",	recovery_page_ask, ANYONE },
	{ METHOD_GET,	"/forgot/sent",	recovery_page_sent, ANYONE },
	{ METHOD_GET,	"/reset/:token", recovery_page_form, ANYONE },
	{ METHOD_POST,	"/reset/:token", recovery_page_reset, ANYONE },
	{ METHOD_GET,	"/.well-known/change-password",
			password_page_well_known, ANYONE | NODB },

	/* one's own account */
	{ METHOD_GET,	"/account",	account_page,	ACCOUNT },
	{ METHOD_GET,	"/account/password", password_page, ACCOUNT },
	{ METHOD_POST,	"/account/password", password_page_change, ACCOUNT },
	{ METHOD_GET,	"/account/two-factor", factor_page, ACCOUNT | SETUP },
	{ METHOD_GET,	"/account/two-factor/set-up",
			factor_page_set_up,	ACCOUNT | FRESH | SETUP },
	{ METHOD_POST,	"/account/two-factor/set-up",
			factor_page_turn_on,	ACCOUNT | FRESH | SETUP },
	{ METHOD_POST,	"/account/two-factor/recovery-codes",
			factor_page_recovery,	ACCOUNT | FRESH },
	{ METHOD_POST,	"/account/two-factor/remove",
			factor_page_remove,	ACCOUNT | FRESH },
	{ METHOD_GET,	"/account/email", email_change_page, ACCOUNT },
	{ METHOD_POST,	"/account/email", email_change_page_ask,
			ACCOUNT | FRESH },
	{ METHOD_GET,	"/account/sessions", session_page_list, ACCOUNT },
	{ METHOD_POST,	"/account/sessions/end",
			session_page_end_others, ACCOUNT },
	{ METHOD_POST,	"/account/sessions/:id/end",
			session_page_end,	ACCOUNT },
	{ METHOD_GET,	"/account/data", close_page_data, ACCOUNT },
	{ METHOD_GET,	"/account/close", close_page,	ACCOUNT },
	{ METHOD_POST,	"/account/close", close_page_close, ACCOUNT },
	{ METHOD_GET,	"/email-confirm/:token",
			email_change_page_form, ACCOUNT },
	{ METHOD_POST,	"/email-confirm/:token",
			email_change_page_confirm, ACCOUNT },
	{ METHOD_GET,	"/email-undo/:token",
			email_change_page_undo_form, ANYONE },
	{ METHOD_POST,	"/email-undo/:token",
			email_change_page_undo,	ANYONE },
	{ METHOD_GET,	"/account/passkeys", passkey_page, ACCOUNT | SETUP },
	{ METHOD_POST,	"/account/passkeys", passkey_page_add,
			ACCOUNT | FRESH | SETUP },
	{ METHOD_POST,	"/account/passkeys/:id/remove",
			passkey_page_remove,	ACCOUNT | FRESH },

	/* what there is */
	{ METHOD_GET,	"/",		home_page,	ANYONE },
	{ METHOD_GET,	"/how-it-works", home_page_how,	ANYONE },
	{ METHOD_GET,	"/terms",	home_page_terms, ANYONE },
	{ METHOD_GET,	"/products",	product_page_list, ANYONE },
	{ METHOD_GET,	"/products/:slug", product_page_show, ANYONE },

	/* contacts: ask, wait, look at the key */
	{ METHOD_GET,	"/products/:slug/subscribe",
			request_page_subscribe_form, CONTACT },
	{ METHOD_POST,	"/products/:slug/subscribe",
			request_page_subscribe, CONTACT },
	{ METHOD_GET,	"/requests/:id", thread_page_show, CONTACT },
	{ METHOD_POST,	"/requests/:id/answer", thread_page_say, CONTACT },
	{ METHOD_POST,	"/requests/:id/withdraw",
			request_page_withdraw,	CONTACT },
	{ METHOD_GET,	"/consents/:id", consent_page_show, CONTACT | FRESH },
	{ METHOD_POST,	"/consents/:id", consent_page_answer, CONTACT | FRESH },
	{ METHOD_GET,	"/profile",	profile_page,	ACCOUNT },
	{ METHOD_POST,	"/subscriptions/:id/keys/primary/show",
			key_page_show_primary,	CONTACT | FRESH },
	{ METHOD_POST,	"/subscriptions/:id/keys/secondary/show",
			key_page_show_secondary, CONTACT | FRESH },
	{ METHOD_GET,	"/subscriptions/:id/cancel",
			subscription_page_give_up, CONTACT },
	{ METHOD_POST,	"/subscriptions/:id/cancel",
			subscription_page_give_up_done, CONTACT | FRESH },

	/* API users: owners and managers */
	{ METHOD_GET,	"/api-users",	api_user_page_list, CONTACT },
	{ METHOD_POST,	"/api-users",	api_user_page_make, CONTACT | FRESH },
	{ METHOD_GET,	"/api-users/:id", api_user_page, CONTACT },
	{ METHOD_POST,	"/api-users/:id/rotate",
			api_user_page_rotate,	CONTACT | FRESH },
	{ METHOD_POST,	"/api-users/:id/disable",
			api_user_page_disable,	CONTACT },
	{ METHOD_POST,	"/api-users/:id/enable",
			api_user_page_enable,	CONTACT | FRESH },
	{ METHOD_POST,	"/api-users/:id/delete",
			api_user_page_delete,	CONTACT | FRESH },
	{ METHOD_POST,	"/api-users/:id/permissions",
			api_user_page_permissions, CONTACT | FRESH },

	/* the people of a client */
	{ METHOD_GET,	"/people",	people_page,	CONTACT },
	{ METHOD_POST,	"/people/invite", people_page_invite, CONTACT | FRESH },
	{ METHOD_POST,	"/people/invitations/:id/withdraw",
			people_page_withdraw,	CONTACT },
	{ METHOD_POST,	"/people/leave", people_page_leave, CONTACT | FRESH },
	{ METHOD_POST,	"/people/:id/role", people_page_change,
			CONTACT | FRESH },
	{ METHOD_POST,	"/people/:id/unseat", people_page_remove,
			CONTACT | FRESH },
	{ METHOD_GET,	"/people/:id/keys", people_page_looks, CONTACT },
	{ METHOD_POST,	"/people/seats/:id/cancel", seat_page_cancel, CONTACT },
	{ METHOD_POST,	"/people/ask",	ask_page_make,	CONTACT },
	{ METHOD_GET,	"/audit",	audit_page,	CONTACT },
	{ METHOD_GET,	"/audit/export", audit_page_export, CONTACT },
	{ METHOD_GET,	"/invite/:token", invite_page,	ANYONE },
	{ METHOD_POST,	"/invite/:token", invite_page_accept, ANYONE },

	/* staff: decide, look up */
	{ METHOD_GET,	"/staff/queue",	queue_page,	STAFF },
	{ METHOD_GET,	"/staff/queue/news", queue_page_news, STAFF },
	{ METHOD_POST,	"/staff/queue/key", queue_page_key, STAFF },
	{ METHOD_POST,	"/staff/queue/filters", queue_page_save, STAFF },
	{ METHOD_POST,	"/staff/queue/filters/:id/delete",
			queue_page_forget,	STAFF },
	{ METHOD_POST,	"/staff/queue/decide", queue_page_decide,
			STAFF | FRESH },
	{ METHOD_POST,	"/staff/requests/:id/take", queue_page_take, STAFF },
	{ METHOD_POST,	"/staff/requests/:id/let-go",
			queue_page_let_go,	STAFF },
	{ METHOD_GET,	"/staff/requests/:id", request_page_show, STAFF },
	{ METHOD_POST,	"/staff/requests/:id/approve",
			request_page_approve,	STAFF | FRESH },
	{ METHOD_POST,	"/staff/requests/:id/share",
			request_page_share,	STAFF | FRESH },
	{ METHOD_POST,	"/staff/requests/:id/reject",
			request_page_reject,	STAFF },
	{ METHOD_POST,	"/staff/requests/:id/ask", thread_page_ask, STAFF },
	{ METHOD_GET,	"/staff/subscriptions",
			subscription_page_list,	STAFF },
	{ METHOD_GET,	"/staff/subscriptions/:id",
			subscription_page_show,	STAFF },
	{ METHOD_POST,	"/staff/subscriptions/:id/suspend",
			subscription_page_suspend, STAFF | FRESH },
	{ METHOD_POST,	"/staff/subscriptions/:id/reactivate",
			subscription_page_reactivate, STAFF | FRESH },
	{ METHOD_POST,	"/staff/subscriptions/:id/cancel",
			subscription_page_cancel, STAFF | FRESH },
	{ METHOD_POST,	"/staff/subscriptions/:id/expiry",
			subscription_page_expiry, STAFF | FRESH },
	{ METHOD_POST,	"/staff/requests/:id/consent",
			consent_page_ask,	STAFF },
	{ METHOD_GET,	"/staff/reasons", reason_page_list, STAFF },
	{ METHOD_POST,	"/staff/reasons", reason_page_add, STAFF },
	{ METHOD_POST,	"/staff/reasons/:id", reason_page_change, STAFF },
	{ METHOD_POST,	"/staff/reasons/:id/delete",
			reason_page_delete,	STAFF },
	{ METHOD_GET,	"/staff/people", staff_page_list, STAFF },
	{ METHOD_POST,	"/staff/people/invite",
			staff_page_invite,	ADMIN | FRESH },
	{ METHOD_GET,	"/staff/people/:id", staff_page_show, STAFF },
	{ METHOD_POST,	"/staff/people/:id/disable",
			staff_page_disable,	STAFF | FRESH },
	{ METHOD_POST,	"/staff/people/:id/enable",
			staff_page_enable,	STAFF | FRESH },
	{ METHOD_POST,	"/staff/people/:id/seat",
			seat_page_plan,		STAFF | FRESH },
	{ METHOD_POST,	"/staff/people/:id/seats/:seat/cancel",
			seat_page_cancel_staff,	ADMIN },
	{ METHOD_POST,	"/staff/people/:id/role",
			staff_page_change,	ADMIN | FRESH },
	{ METHOD_POST,	"/staff/people/:id/dismiss",
			staff_page_dismiss,	ADMIN | FRESH },
	/* staff: the API users of a client, without passwords */
	{ METHOD_GET,	"/staff/tenants/:code/api-users",
			api_user_page_staff_list, STAFF },
	{ METHOD_POST,	"/staff/tenants/:code/api-users",
			api_user_page_staff_make, ADMIN | FRESH },
	{ METHOD_GET,	"/staff/api-users/:id", api_user_page_staff, STAFF },
	{ METHOD_POST,	"/staff/api-users/:id/disable",
			api_user_page_staff_disable, STAFF | FRESH },
	{ METHOD_POST,	"/staff/api-users/:id/enable",
			api_user_page_staff_enable, STAFF | FRESH },
	{ METHOD_POST,	"/staff/api-users/:id/permissions",
			api_user_page_staff_permissions, ADMIN | FRESH },
	{ METHOD_GET,	"/staff/asks",	ask_page_list,	STAFF },
	{ METHOD_POST,	"/staff/asks/:id/end", ask_page_end, STAFF },
	{ METHOD_GET,	"/staff/tenants", tenant_page_list, STAFF },
	{ METHOD_POST,	"/staff/tenants", tenant_page_make, ADMIN | FRESH },
	{ METHOD_GET,	"/staff/tenants/new", tenant_page_new, ADMIN },
	{ METHOD_GET,	"/staff/tenants/:code", tenant_page_show, STAFF },
	{ METHOD_GET,	"/staff/tenants/:code/edit",
			tenant_page_edit_form,	ADMIN },
	{ METHOD_POST,	"/staff/tenants/:code/edit",
			tenant_page_edit,	ADMIN | FRESH },
	{ METHOD_POST,	"/staff/tenants/:code/close",
			tenant_page_close,	ADMIN | FRESH },
	{ METHOD_POST,	"/staff/tenants/:code/reopen",
			tenant_page_reopen,	ADMIN | FRESH },
	{ METHOD_GET,	"/staff/audit",	audit_page_staff, STAFF },
	{ METHOD_GET,	"/staff/audit/export",
			audit_page_export_staff, STAFF },

	{ 0, NULL, NULL, 0 }
};
