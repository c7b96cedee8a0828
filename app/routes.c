/*
 * THE table: every address, who may use it.  Read it from top to bottom.  A
 * row without a guard lets nobody in; every POST checks CSRF.
 */
#include "health.h"
#include "web/asset.h"
#include "web/route.h"

const struct route routes[] = {
	{ METHOD_GET,	"/livez",	livez_page,	ANYONE | NODB },
	{ METHOD_GET,	"/readyz",	readyz_page,	ANYONE | NODB },
	{ METHOD_GET,	"/assets/:name", asset_page,	ANYONE | NODB },
	{ 0, NULL, NULL, 0 }
};
