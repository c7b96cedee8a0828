/*
 * Passwords: Argon2id by libsodium (RFC 9106; OWASP: 19 MiB, 2 passes, 1
 * lane), about 20 ms of one core.  Hashing never runs on the event loop: the
 * portal calls these from a work thread (run/work.h), the tool directly.
 * Nothing here allocates from an arena or logs, so threads may call it.
 *
 * A password is 12 to 128 characters after NFC (ASVS 6.2.1, 6.2.9); any
 * character of any script is allowed but control characters.
 */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "crypto/secret.h"

#define PASSWORD_MIN_CHARS	12
#define PASSWORD_MAX_CHARS	128
#define PASSWORD_HASH_BYTES	128	/* with the NUL: crypto_pwhash_STRBYTES */

enum password_verdict {
	PASSWORD_GOOD,
	PASSWORD_TOO_SHORT,
	PASSWORD_TOO_LONG,
	PASSWORD_CONTROL,	/* not UTF-8, or a control character */
	PASSWORD_COMMON,	/* on the list of common passwords */
	PASSWORD_GUESSABLE,	/* within 10^8 tries, by zxcvbn */
	PASSWORD_BREACHED,	/* in the file of crypto/breached.h */
};

/*
 * Judges a new password that was NFC-normalised by password_normalise().
 * own_words are the words of the context (ASVS 6.1.2; NULL-terminated), the
 * person's name, address and client, the portal's name and its products'; words
 * of these are split at non-letters here.
 */
enum password_verdict password_judge(struct secret,
		    const char *const *own_words);
/* A sentence for people, that says what would be better; "" when good. */
const char	*password_advice(enum password_verdict);

/* NFC in the arena; bytes that are no UTF-8 come back as they are and are
 * refused by password_judge(). */
struct secret	 password_normalise(struct arena *, const char *typed);

/* False when memory is short. */
MUST_CHECK bool	 password_hash(struct secret,
		    char ret_hash[PASSWORD_HASH_BYTES]);
enum password_match { PASSWORD_WRONG, PASSWORD_RIGHT,
	PASSWORD_RIGHT_REHASH /* right, but hashed with older parameters */ };
/*
 * hash NULL: the same work against a hash that nothing matches, then WRONG, so
 * that time does not tell whether there is an account (ASVS 6.3.8).
 */
enum password_match password_verify(struct secret, const char *hash);

#endif
