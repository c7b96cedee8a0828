/*
 * Functions that have no safe use, force-included into every file of ours by
 * the Makefile (-include), after the system headers that declare them, so
 * that a call is a compile error that names the way out.  git does the same.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With clang, _FORTIFY_SOURCE makes macros of some. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf
#pragma GCC poison strtok strtok_r gets atoi atol atoll atof
/* A poisoned `rand` would stop OpenSSL's headers, which name parameters so: a
 * macro bites only where it is called. */
#undef rand
#define rand(...)	rand_is_banned_use_crypto_token_h()
#pragma GCC poison srand random srandom drand48 tmpnam mktemp
#pragma GCC poison gmtime localtime ctime asctime

#endif
