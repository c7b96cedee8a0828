/*
 * Passwords that were stolen somewhere and published (ASVS 6.2.12): a file of
 * SHA-1 hashes in hexadecimal, sorted, one a line, each followed by ":" and
 * whatever, as Have I Been Pwned gives it away ("ordered by hash").  It is as
 * large as 40 GB, so it is searched where it lies: about 35 short reads, on the
 * thread that judges the password.  Nobody is asked over the network.
 *
 * Only what was said by somebody else is SHA-1 here; passwords are kept by
 * crypto/password.h.
 */
#ifndef CRYPTO_BREACHED_H
#define CRYPTO_BREACHED_H

#include "crypto/secret.h"

/* Before threads and workers come to be, which share the open file.  False
 * with a sentence when it can't be read or is no such file. */
MUST_CHECK bool	breached_open(const char *path, const char **ret_why);
/* False without a file; also where reading fails, since people must be able to
 * choose a password. */
MUST_CHECK bool	breached_holds(struct secret password);

#endif
