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
#pragma GCC poison tmpnam mktemp
#pragma GCC poison gmtime localtime ctime asctime

/* Headers of OpenSSL and libsodium use these words as names of their own. */
#define BANNED(way)	__attribute__((deprecated("use " way)))
int	 rand(void) BANNED("random_bytes()");
void	 srand(unsigned) BANNED("random_bytes()");
long	 random(void) BANNED("random_bytes()");
void	 srandom(unsigned) BANNED("random_bytes()");
double	 drand48(void) BANNED("random_bytes()");

#endif
