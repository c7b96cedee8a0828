/*
 * What goes to Redis and comes back: one Lua script, which decides as limit.c
 * does, by Redis' own clock, all or nothing over all limits of a call.  Redis
 * runs one script at a time, so that is exact however many portals ask.
 *
 * A limit is one key, which Redis forgets when it is empty or its day or month
 * is over:
 *
 *	latchkey:INSTALLATION:minute:ID		"SECONDS NANOSECONDS": when the
 *						bucket will be empty
 *	latchkey:INSTALLATION:day:ID		"PERIOD COUNT", days or months
 *						since 1970
 *
 * ID is that of the subscription, API user or client; nothing of it opens
 * anything.  Pure but for hiredis' structs.
 */
#ifndef GATEWAY_REDIS_WIRE_H
#define GATEWAY_REDIS_WIRE_H

#include "gateway/limit.h"

#define REDIS_INSTALLATION	17u	/* 16 of hexadecimal and the NUL */
#define REDIS_SHA		41u	/* of a script: 40 and the NUL */
/* "latchkey:", installation, the longest name (15), a UUID. */
#define REDIS_KEY_MAX		96u
/* EVALSHA, script, number of keys; a key and four numbers a limit. */
#define REDIS_ARGS_MAX		(3u + 5u * LIMIT_ROWS)

struct redis_args {
	int		 n;
	const char	*text[REDIS_ARGS_MAX];
	size_t		 bytes[REDIS_ARGS_MAX];
	char		 keys[LIMIT_ROWS][REDIS_KEY_MAX];
	char		 numbers[LIMIT_ROWS][3][24];
	char		 count[4];
};

struct redisReply;

/* Takes the time from Redis, and the rest; the test of the rest brings a time
 * of its own. */
extern const char redis_script_time[], redis_script_rest[];
/* Both, as one text that lives as long as the program. */
const char *redis_script(void);

/* Two installations that share a Redis have two addresses; so has a copy of
 * one, in which all ids are the same. */
void	 redis_installation(char ret_text[REDIS_INSTALLATION],
	    const char *public_url);
/* sha NULL: the whole script is sent. */
void	 redis_args(struct redis_args *ret_args, const char *installation,
	    const struct limit_ask *, const char *sha);
/* False: it is no answer of the script to so many limits. */
MUST_CHECK bool	 redis_answer(const struct redisReply *, unsigned limits,
	    struct limit_answer *ret_answer);
/* A limit of nobody's, to see that Redis does all that a check needs. */
void	 redis_trial(struct limit_ask *ret_ask);

#endif
