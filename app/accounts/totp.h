/*
 * One-time codes by time (RFC 6238): six digits that an app makes every 30
 * seconds of a secret of 160 bits that it shares with us, with HMAC-SHA-1,
 * which is the one algorithm that every app knows.  The only user of liboath.
 *
 * A code is taken of the present step and its two neighbours (RFC 6238 section
 * 5.2), since clocks of phones are off.  Each step counts once: who accepts a
 * code stores its counter, and only later ones are right from then on.
 */
#ifndef ACCOUNTS_TOTP_H
#define ACCOUNTS_TOTP_H

#include "base/arena.h"

#define TOTP_SECRET_BYTES	20
#define TOTP_STEP_S		30
#define TOTP_DIGITS		6
#define TOTP_CODE		(TOTP_DIGITS + 1)	/* with the NUL */

void		 totp_make(unsigned char ret_secret[TOTP_SECRET_BYTES]);
/* The secret for typing: base32, in groups of four. */
const char	*totp_text(struct arena *,
		    const unsigned char secret[TOTP_SECRET_BYTES]);
/* otpauth://totp/SITE:EMAIL?..., what the QR code says. */
const char	*totp_uri(struct arena *,
		    const unsigned char secret[TOTP_SECRET_BYTES],
		    const char *site, const char *email);
/* Six digits, with spaces around and between them passed over; else false. */
MUST_CHECK bool	 totp_code(const char *typed, char ret_code[TOTP_CODE]);
/* Whether the code is right at `now` (microseconds) and of a step later than
 * `last`; all that could be right are compared, in constant time. */
MUST_CHECK bool	 totp_check(const unsigned char secret[TOTP_SECRET_BYTES],
		    const char code[TOTP_CODE], int64_t now, int64_t last,
		    int64_t *ret_counter);

#endif
