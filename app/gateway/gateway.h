/*
 * The gateway check: nginx, Envoy, Caddy, Traefik or HAProxy ask on every call
 * whether it may pass (section 5 of the contract), on a listener of their own.
 *
 * A check needs a key, and mostly an API user.  Both come from the worker's
 * cache (gateway/cache.h); what isn't there is read by a coroutine, once for
 * all who wait for it.  On a hit nothing waits, allocates or asks anybody.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "db/db.h"
#include "gateway/cache.h"
#include "gateway/keyway.h"

/* What a check needs and what became of it. */
struct check {
	/* in */
	struct call	*call;
	enum call_verdict read;		/* of call_read() */
	int64_t		 since;		/* monotonic: when it was asked */
	bool		 unreadable;	/* the database can't be asked */
	/* Who counts: this portal for all there are, or its share; or Redis,
	 * which is to be asked, or has answered. */
	enum check_by { CHECK_BY_US, CHECK_BY_SHARE, CHECK_BY_REDIS,
	    CHECK_TOLD } by;
	uint32_t	 portals;	/* CHECK_BY_SHARE */
	struct limit_ask *asked;	/* CHECK_BY_REDIS: room for what is to
					 * be; CHECK_TOLD: what was */
	const struct limit_answer *answer;	/* CHECK_TOLD */
	/* out: what is to be read or asked first, or the verdict */
	enum check_need { CHECK_DONE, CHECK_KEY, CHECK_TOKEN, CHECK_USER,
	    CHECK_LIMITS }
			 need;
	enum verdict	 verdict;
	unsigned char	 hash[HASH_SHORT_BYTES];	/* of the key; and */
	unsigned char	 mac[SHA256_BYTES];	/* for CHECK_KEY */
	struct user_key	 user_key;		/* CHECK_USER */
	/* Valid until anything is put into the cache; NULL where unknown. */
	const struct key_entry *key;
	const struct user_entry *user;
	const char	*scope;		/* whose data, when allowed */
	size_t		 scope_bytes;
	const char	*needs;		/* scope that an issued key lacks */
	size_t		 needs_bytes;	/* 0: none is known */
	/* Of a call without a right key; NULL: none, or nothing is known. */
	const struct keyway_row *keyway;
	struct limits	 limits;	/* n 0: none were asked */
	struct facts	 facts;
};

/* A call that may pass is counted, once: when it is done, or by Redis.  What
 * Redis has answered is in force even when the plan has changed meanwhile; and
 * so is what else has changed: who may not call any more is denied, though
 * counted. */
void		 check_run(struct check *, int64_t now, int64_t grace_us);
/* Of one who did not know the key or the password: counts that for his network
 * (limit_failure()) and decides again. */
void		 check_failure(struct check *,
		    const unsigned char network[LIMIT_ID], uint32_t a_minute);

/* What is said of a denied check: as verdict_denial(), but by what is known of
 * the key's profile.  Texts that were made for it are in ret_detail. */
#define DENIAL_DETAIL	192u
struct denial	 check_denial(const struct check *,
		    char ret_detail[DENIAL_DETAIL]);

/* Reads into the cache; what isn't there becomes absent. */
WAITS void	 gateway_db_key(struct db *,
		    const unsigned char hash[HASH_SHORT_BYTES],
		    const unsigned char mac[SHA256_BYTES]);
/* The same of a token (CHECK_TOKEN). */
WAITS void	 gateway_db_token(struct db *,
		    const unsigned char hash[HASH_SHORT_BYTES],
		    const char *token);
WAITS void	 gateway_db_user(struct db *, const struct user_key *);

/* Under which a user counts as absent. */
void		 user_absent_hash(const struct user_key *,
		    unsigned char ret_hash[HASH_SHORT_BYTES]);

/* gateway_kore.c: before the configuration is read, and in each worker. */
void		 gateway_setup(void);
void		 gateway_start(void);
/* At the end of each turn of the event loop: what Redis is asked goes out. */
void		 gateway_turn(void);
/* A notification (cache_told()). */
void		 gateway_told(const char *);
/* Every 100 ms: reads key profiles, when they are wanted, and writes what was
 * called, when it is time, or at once when the worker is to leave. */
void		 gateway_tick(bool leaves);
/* What was called is written. */
bool		 gateway_settled(void);

#endif
