/*
 * What a worker remembers of keys and API users, so that a call of a known one
 * asks nobody.  Two tables of fixed size, filled on demand; when one is full
 * goes what was not used for longest (as CLOCK finds it).
 *
 * An entry is good as long as nothing of its tenant has changed.  Notifications
 * are numbered; each leaves its number at its tenant's place in a table, and an
 * entry carries the number of the last one before it was read.  So nobody needs
 * a list of what belongs to whom, and what changes while an entry is being read
 * makes it stale before it is used again.  Tenants that share a place only read
 * once more.
 *
 * While nobody hears notifications, no entry is good; those from before may
 * serve for the grace time where the database can't be asked.
 */
#ifndef GATEWAY_CACHE_H
#define GATEWAY_CACHE_H

#include "apiusers/permission.h"
#include "crypto/token.h"
#include "gateway/call.h"
#include "gateway/verdict.h"

#define CACHE_UUID	16u
#define CACHE_NAME	(CALL_USER_MAX + 1 + CALL_CODE_MAX + 1)
#define CACHE_SLUG	64u
#define CACHE_PLACES	32768u	/* for tenants; 256 kB a worker */
#define CACHE_ABSENT	4096u	/* of what is not there; 160 kB a worker */
#define CACHE_ABSENT_US	(2 * INT64_C(1000000))

/* In both kinds of entry, first. */
struct entry {
	uint32_t	 next;		/* in the bucket: index + 1 */
	bool		 live, used;
	uint64_t	 number;	/* of the last notification before */
	int64_t		 read_at;	/* monotonic */
	unsigned char	 tenant[CACHE_UUID];
};

struct key_entry {
	struct entry	 entry;
	unsigned char	 mac[SHA256_BYTES];	/* what it is found by */
	unsigned char	 subscription[CACHE_UUID];
	unsigned char	 product[CACHE_UUID];
	char		 slug[CACHE_SLUG];	/* of the product */
	char		 code[CALL_CODE_MAX + 1];	/* of the tenant */
	enum fact_subscription state;
	bool		 needs_user;
	int64_t		 key_ends_at, ends_at;
};

/* Who calls, as found: tenant, product, and the name as it was given. */
struct user_key {
	unsigned char	 tenant[CACHE_UUID], product[CACHE_UUID];
	char		 name[CACHE_NAME];	/* padded with NUL */
};

struct shared_set;	/* a permission set that entries share */

struct user_entry {
	struct entry	 entry;
	struct user_key	 key;
	char		 id[UUID_TEXT];
	char		 name[CACHE_NAME];	/* with the code of today */
	bool		 enabled;
	int64_t		 ends_at;
	unsigned char	 macs[2][SHA256_BYTES];	/* current, old */
	uint32_t	 versions[2];		/* 0: none */
	int64_t		 old_ends_at;
	struct shared_set *set;
};

/* max: entries of either kind, made when they are first needed. */
void	 cache_setup(uint32_t max);
void	 cache_end(void);

/* NULL: not there. */
struct key_entry *cache_key(const unsigned char mac[SHA256_BYTES]);
struct user_entry *cache_user(const struct user_key *);
/* Still as the database has it; or read since then (monotonic), for one who
 * has asked since then. */
bool	 cache_good(const struct entry *, int64_t since);
/* May it serve although it can't be read again?  Not if it is known to be
 * stale, and at most grace_us after it was last known to be good. */
bool	 cache_grace(const struct entry *, int64_t grace_us);

/* Before reading: the number that what is read will carry. */
uint64_t cache_begin(void);
/* A place for what was read, in place of what stood there: zeroed but for what
 * it is found by and struct entry.  Never NULL; good until the next put. */
struct key_entry *cache_put_key(const unsigned char mac[SHA256_BYTES],
	    const unsigned char tenant[CACHE_UUID], uint64_t number);
struct user_entry *cache_put_user(const struct user_key *, uint64_t number);
void	 cache_drop_key(const unsigned char mac[SHA256_BYTES]);
void	 cache_drop_user(const struct user_key *);

/* What is known not to be there, for CACHE_ABSENT_US or until anything
 * changes; or was found so since then, for one who has asked since then. */
bool	 cache_absent(const unsigned char what[SHA256_BYTES], int64_t since);
void	 cache_put_absent(const unsigned char what[SHA256_BYTES],
	    uint64_t number);

/*
 * A set of permissions, once for all who have it: equal hashes are equal sets.
 * NULL when the text is not canonical.  For an entry, which gives it back when
 * it goes.
 */
struct shared_set *cache_set(const unsigned char hash[SHA256_BYTES],
	    const char *text, size_t bytes);
const struct permission_set *shared_set(const struct shared_set *);

/* A notification: a tenant's id as text, or "*". */
void	 cache_told(const char *what);
/* Notifications are heard again, so everything begins anew; or not any more. */
void	 cache_hears(void);
void	 cache_deaf(void);

struct cache_count {
	uint32_t	 keys, users, sets;
};
struct cache_count cache_count(void);

#endif
