/*
 * Names that deceive the eye, by ICU's spoof checker (UTS 39): letters of
 * several scripts in one word, characters that can't be seen, digits of
 * several kinds, and letters that all look like others, as Cyrillic "Асе" does
 * like "Ace".
 */
#ifndef BASE_SPOOF_H
#define BASE_SPOOF_H

#include "base/arena.h"

enum spoof {
	SPOOF_NONE,
	SPOOF_MIXED,	/* scripts that nobody mixes */
	SPOOF_HIDDEN,	/* what can't be seen, a mark twice */
	SPOOF_DIGITS,
	SPOOF_LATIN,	/* reads like Latin letters, and is not */
};

/* Opens ICU's tables; before a sandbox is entered.  Aborts without them. */
void		 spoof_setup(void);
enum spoof	 spoof_check(struct arena *, const char *utf8);
/* What the eye reads: equal for two texts that look alike. */
const char	*spoof_skeleton(struct arena *, const char *utf8);

#endif
