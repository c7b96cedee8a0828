/*
 * Attributes that every header uses.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller must look at what it returns: a refusal is an answer. */
#define MUST_CHECK	__attribute__((warn_unused_result))

/*
 * May suspend the coroutine that calls it (run/co.h).  Who calls a WAITS
 * function is WAITS itself; tests/lint keeps it so.
 */
#define WAITS

#define FORMAT(f, a)	__attribute__((format(printf, f, a)))
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#endif
