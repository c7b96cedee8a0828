/*
 * E-mail addresses: RFC 5321 section 4.1.2 with UTF-8 local parts (RFC 6531)
 * and international domains (IDNA 2008).  What the syntax allows is taken, a
 * domain without a dot included: whether mail arrives is what the link in the
 * first mail shows.  Control characters never pass, so an address can't break
 * a header.
 *
 * Two addresses are one person's when their folded forms are equal: NFC,
 * lower case, domain in ASCII, quotes only where they are needed.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"

#define ADDRESS_MAX	254	/* bytes, RFC 3696 erratum 1690 */
#define ADDRESS_LOCAL_MAX 64	/* bytes before the @ */
#define DOMAIN_MAX	253

struct address {
	const char	*text;		/* as typed, without outer space, NFC */
	const char	*folded;	/* for comparing */
	const char	*wire;		/* for SMTP: local part as typed, domain
					 * in ASCII */
	const char	*domain;	/* ASCII, lower case */
};

enum address_verdict {
	ADDRESS_GOOD,
	ADDRESS_EMPTY,
	ADDRESS_TOO_LONG,
	ADDRESS_NO_AT,		/* no @, or nothing before or behind it */
	ADDRESS_LOCAL,		/* before the @ stands what can't */
	ADDRESS_DOMAIN,		/* behind the @ stands no domain */
};

/* What was typed; ret_address only when good, its texts in the arena. */
MUST_CHECK enum address_verdict address_parse(struct arena *,
		    const char *typed, struct address *ret_address);
/* A sentence for people that says the right form; "" when good. */
const char	*address_advice(enum address_verdict);

/* A domain as address_parse() has it: ASCII, lower case; NULL when it is
 * none.  No address literals. */
const char	*domain_parse(struct arena *, const char *typed);

#endif
