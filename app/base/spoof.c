/*
 * Look-alikes: see spoof.h.
 */
#include "base/spoof.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uspoof.h>
#include <utf8proc.h>

#include "base/str.h"

/* A skeleton is at most so much longer: one letter becomes up to 18 (a whole
 * phrase in one Arabic character), of up to 4 bytes. */
#define GROWTH	(18 * 4)

static USpoofChecker	*checker;

static bool	has_foreign_letter(const char *);

void
spoof_setup(void)
{
	UErrorCode	status = U_ZERO_ERROR;

	if (checker != NULL)
		return;
	checker = uspoof_open(&status);
	uspoof_setChecks(checker, USPOOF_RESTRICTION_LEVEL | USPOOF_INVISIBLE |
	    USPOOF_MIXED_NUMBERS, &status);
	/* Latin beside one other script is common in names of companies; but
	 * not beside Cyrillic or Greek, which look alike. */
	uspoof_setRestrictionLevel(checker, USPOOF_MODERATELY_RESTRICTIVE);
	if (U_FAILURE(status))
		abort();
}

enum spoof
spoof_check(struct arena *a, const char *s)
{
	UErrorCode	 status = U_ZERO_ERROR;
	const char	*p;
	int32_t		 found;

	spoof_setup();
	found = uspoof_check2UTF8(checker, s, (int32_t)strlen(s), NULL,
	    &status);
	if (U_FAILURE(status))
		return (SPOOF_HIDDEN);
	if ((found & USPOOF_INVISIBLE) != 0)
		return (SPOOF_HIDDEN);
	if ((found & USPOOF_RESTRICTION_LEVEL) != 0)
		return (SPOOF_MIXED);
	if ((found & USPOOF_MIXED_NUMBERS) != 0)
		return (SPOOF_DIGITS);
	if (!has_foreign_letter(s))
		return (SPOOF_NONE);
	for (p = spoof_skeleton(a, s); *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80)
			return (SPOOF_NONE);
	}
	return (SPOOF_LATIN);
}

const char *
spoof_skeleton(struct arena *a, const char *s)
{
	UErrorCode	 status = U_ZERO_ERROR;
	size_t		 length = strlen(s), most = length * GROWTH + 1;
	char		*to;
	int32_t		 n;

	/* Names have up to 70 characters; whatever else comes is cut. */
	if (length > 1024)
		return (s);
	spoof_setup();
	to = arena_alloc(a, most);
	n = uspoof_getSkeletonUTF8(checker, 0, s, (int32_t)length, to,
	    (int32_t)most, &status);
	if (U_FAILURE(status) || n < 0 || (size_t)n >= most)
		return (s);
	to[n] = '\0';
	return (to);
}

static bool
has_foreign_letter(const char *s)
{
	size_t		left = strlen(s), n;
	int32_t		c;

	for (; (n = str_next(s, left, &c)) > 0; s += n, left -= n) {
		if (c >= 0x80 && utf8proc_category(c) >=
		    UTF8PROC_CATEGORY_LU && utf8proc_category(c) <=
		    UTF8PROC_CATEGORY_LO)
			return (true);
	}
	return (false);
}
