/*
 * What is said of a denied check beyond its verdict: the status that the key's
 * profile has, in which header a key is to be sent, which environment the key is
 * of, which scope it lacks.  About a key only to who has it.
 */
#include "gateway/gateway.h"

static void	 of_keyway(struct denial *, const struct check *, char *detail);
static void	 of_tenant(const struct check *, char *detail);

struct denial
check_denial(const struct check *c, char ret_detail[DENIAL_DETAIL])
{
	struct denial	 d = *verdict_denial(c->verdict);

	ret_detail[0] = '\0';
	switch ((int)c->verdict) {
	case VERDICT_MISSING_KEY:
	case VERDICT_UNKNOWN_KEY:
		if (c->keyway != NULL)
			of_keyway(&d, c, ret_detail);
		break;
	case VERDICT_MISSING_TENANT:
		of_tenant(c, ret_detail);
		break;
	case VERDICT_WRONG_ENVIRONMENT:
		(void)snprintf(ret_detail, DENIAL_DETAIL,
		    "This key is of the environment %s.",
		    c->key->product->environment);
		break;
	case VERDICT_NOT_PERMITTED:
		if (c->needs_bytes > 0)
			(void)snprintf(ret_detail, DENIAL_DETAIL,
			    "The call needs scope %.*s, which this key does "
			    "not have.", (int)c->needs_bytes, c->needs);
		break;
	}
	if (ret_detail[0] != '\0')
		d.detail = ret_detail;
	return (d);
}

static void
of_keyway(struct denial *d, const struct check *c, char *detail)
{
	const char	*header = keyway_name_text(c->keyway->key);
	bool		 missing = c->verdict == VERDICT_MISSING_KEY;

	d->status = missing ? c->keyway->missing_status :
	    c->keyway->unknown_status;
	if (c->keyway->is_pair)
		return;
	d->title = missing ? "The API key is missing" :
	    "The API key is not valid";
	d->detail = missing ? "Send it in the header that the page of the "
	    "product names." : "It may have been replaced or deleted: compare "
	    "its beginning with those in the portal.";
	if (missing && header[0] != '\0')
		(void)snprintf(detail, DENIAL_DETAIL,
		    "Send it in the header %s.", header);
}

static void
of_tenant(const struct check *c, char *detail)
{
	const char	*header =
	    keyway_name_text(c->key->product->tenant_name);

	(void)snprintf(detail, DENIAL_DETAIL, "Send the client's name in the "
	    "header %s beside the key.", header);
}
