/*
 * Secrets that say what they are: a prefix of 2 to 4 characters that ends in
 * "_", 30 characters of base62 (178 random bits), and 6 of checksum, CRC-32
 * (ISO 3309) of the 30 in base62, as GitHub's.  Junk is refused without a
 * look-up, and a scanner of secrets can tell one.
 */
#ifndef CRYPTO_CODED_H
#define CRYPTO_CODED_H

#include "base/base.h"

#define CODED_PREFIX_MAX 4u		/* "cal_" */
#define CODED_RANDOM	30u
#define CODED_CHECK	6u
#define CODED_TEXT	(CODED_PREFIX_MAX + CODED_RANDOM + CODED_CHECK + 1)

/* prefix: with its "_".  The caller wipes what he got. */
void	coded_make(char ret_text[CODED_TEXT], const char *prefix);
/* 2 or 3 lower-case letters, "_", 36 of base62, of which the last 6 are the
 * checksum of the 30 before.  Says nothing on who made it. */
bool	coded_shaped(const char *text);

#endif
