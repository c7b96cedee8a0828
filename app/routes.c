/*
 * THE table: every address, who may use it.  Read it from top to bottom.  A
 * row without a guard lets nobody in; every POST checks CSRF.
 */
#include "accounts/account_pages.h"
#include "health.h"
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
	{ METHOD_GET,	"/signin/again", signin_page_again, ACCOUNT },
	{ METHOD_POST,	"/signin/again", signin_page_again_enter, ACCOUNT },
	{ METHOD_POST,	"/signout",	signin_page_leave, ACCOUNT },
	{ METHOD_GET,	"/account",	account_page,	ACCOUNT },

	{ 0, NULL, NULL, 0 }
};
