/*
 * The rules of sessions that need neither database nor HTTP: what a guard says
 * to whom, and which paths one may be sent on to after signing in.
 */
#include "sessions/session.h"

#include "web/route.h"

#define PERSONS	(CONTACT | STAFF | ADMIN | ACCOUNT)

static unsigned	rights_of(enum account_kind);

enum session_right
session_right(const struct session *s, unsigned guard)
{
	/* A row whose guard names nobody lets nobody in. */
	if ((guard & (ANYONE | PERSONS)) == 0)
		return (SESSION_MAY_NOT);
	if (s == NULL) {
		return ((guard & ANYONE) != 0 && (guard & FRESH) == 0 ?
		    SESSION_MAY : SESSION_SIGN_IN);
	}
	if (s->must_set_up && (guard & SETUP) == 0)
		return (SESSION_SET_UP);
	if (((rights_of(s->kind) | ANYONE) & guard) == 0)
		return (SESSION_MAY_NOT);
	if ((guard & FRESH) != 0 && !s->fresh)
		return (SESSION_SIGN_IN_AGAIN);
	return (SESSION_MAY);
}

const char *
session_next(struct arena *a, const char *typed)
{
	static const char	 plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~/?&=%+:@!$'()*,;";
	struct buf		 b;
	const char		*p;

	if (typed == NULL || typed[0] != '/' || typed[1] == '/' ||
	    strlen(typed) > SESSION_NEXT_MAX || strchr(typed, '\\') != NULL ||
	    !str_utf8(typed, strlen(typed)) || str_has_control(typed))
		return (NULL);
	/* Each byte becomes three at the most. */
	buf_init(&b, a, 3 * SESSION_NEXT_MAX + 1);
	for (p = typed; *p != '\0'; p++) {
		if (strchr(plain, *p) != NULL)
			buf_chr(&b, *p);
		else
			buf_fmt(&b, "%%%02X", (unsigned char)*p);
	}
	return (buf_text(&b));
}

const char *
session_referer(struct arena *a, const char *referer, const char *origin)
{
	if (referer == NULL || !str_starts(referer, origin))
		return (NULL);
	return (session_next(a, referer + strlen(origin)));
}

static unsigned
rights_of(enum account_kind kind)
{
	switch (kind) {
	case ACCOUNT_CONTACT:
		return (ACCOUNT | CONTACT);
	case ACCOUNT_STAFF:
		return (ACCOUNT | STAFF);
	case ACCOUNT_ADMIN:
		return (ACCOUNT | STAFF | ADMIN);
	}
	abort();
}
