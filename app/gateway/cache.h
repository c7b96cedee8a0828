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
#include "gateway/limit.h"
#include "gateway/verdict.h"

#define CACHE_UUID	16u
#define CACHE_NAME	(CALL_USER_MAX + 1 + CALL_CODE_MAX + 1)
#define CACHE_SLUG	64u	/* bytes, with the NUL */
#define CACHE_ENVIRONMENT 17u	/* with the NUL */
#define CACHE_PLACES	32768u	/* for tenants; 256 kB a worker */
#define CACHE_ABSENT	4096u	/* of what is not there; 128 kB a worker */
#define CACHE_ABSENT_US	(2 * INT64_C(1000000))

/*
 * In both kinds of entry, first.  Entries are small, since there are many: a
 * key with its API user, buckets included, stays below CACHE_PAIR_MAX bytes
 * (cache_test.c).  What many share is kept once, beside them.
 */
#define CACHE_PAIR_MAX	400u
struct entry {
	uint32_t	 next;		/* in the bucket: index + 1 */
	uint16_t	 place;		/* of the tenant */
	bool		 live, used;
	uint64_t	 number;	/* of the last notification before */
	int64_t		 read_at;	/* monotonic */
};

struct shared_product {	/* that keys share, in one environment */
	struct shared_product *next;
	uint32_t	 refs;
	bool		 needs_user;
	/* Names (keyway.h): in what its keys come, and in what a call must
	 * name the client; 0: in none. */
	uint8_t		 key_name, query_name, tenant_name;
	struct plan	 plan;		/* with what the client has instead */
	unsigned char	 id[CACHE_UUID];
	char		 slug[CACHE_SLUG];
	char		 environment[CACHE_ENVIRONMENT];
	/* Lines "PATH OPERATION SCOPE", of which scope stands for what; "" of
	 * pairs.  Its own memory. */
	char		*scopes;
};

/* What only an issued key has.  Texts are in its own memory. */
struct issued_key {
	unsigned char	 id[CACHE_UUID];
	int64_t		 ends_at;
	uint32_t	 calls_a_minute;	/* 0: no limit of its own */
	uint8_t		 state;			/* enum fact_issued */
	int64_t		 token_ends_at;		/* of a token for it; 0: it is
						 * the key itself */
	struct shared_set *set;			/* NULL: nothing allowed */
	/* Parted by blanks: what a call may name the client by, and the scopes
	 * that it has. */
	const char	*tenants, *words;
	char		 text[];
};

struct key_entry {
	struct entry	 entry;
	unsigned char	 hash[HASH_SHORT_BYTES];	/* of its text */
	unsigned char	 id[CACHE_UUID];
	unsigned char	 subscription[CACHE_UUID], tenant[CACHE_UUID];
	struct shared_product *product;		/* never NULL once filled */
	struct issued_key *issued;		/* NULL: one of a pair */
	int64_t		 key_ends_at, ends_at;
	char		 code[CALL_CODE_MAX + 1];	/* of the tenant */
	uint8_t		 state;			/* enum fact_subscription */
};

/* Who calls, as found: tenant, product, and the name as it was given. */
struct user_key {
	unsigned char	 tenant[CACHE_UUID], product[CACHE_UUID];
	char		 name[CACHE_NAME];	/* padded with NUL */
};

struct shared_set;	/* a permission set that entries share */

struct password_mac {
	unsigned char	 mac[SHA256_BYTES];
	uint32_t	 version;		/* 0: none */
};

struct old_password {	/* that few have, and not for long */
	struct password_mac password;
	int64_t		 ends_at;
};

struct user_entry {
	struct entry	 entry;
	unsigned char	 hash[HASH_SHORT_BYTES];	/* of its user_key */
	unsigned char	 id[CACHE_UUID];
	struct password_mac password;
	unsigned char	 proven[HASH_SHORT_BYTES];	/* of id, password */
	char		 name[CALL_USER_MAX + 1];	/* without "@CODE" */
	bool		 enabled, is_proven;	/* found right before */
	int64_t		 ends_at;
	struct old_password *old;		/* NULL: none */
	struct shared_set *set;			/* NULL: nothing allowed */
};

/* max: entries of either kind, made when they are first needed. */
void	 cache_setup(uint32_t max);
void	 cache_end(void);

/* By hash_short() of a key's text: an HMAC of it is made for the database only,
 * which nobody asks on a hit.  NULL: not there. */
struct key_entry *cache_key(const unsigned char hash[HASH_SHORT_BYTES]);
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
struct key_entry *cache_put_key(const unsigned char hash[HASH_SHORT_BYTES],
	    const unsigned char tenant[CACHE_UUID], uint64_t number);
struct user_entry *cache_put_user(const struct user_key *, uint64_t number);
/* A product as it was read, once for all who have it; for an entry, which gives
 * it back when it goes.  It is copied, scopes too; next and refs are not. */
struct shared_product *cache_product(const struct shared_product *);
/* Room for what only an issued key has, zeroed but for its texts, which are
 * copied; it goes with its entry, and so does its set. */
struct issued_key *cache_issued(struct key_entry *, const char *tenants,
	    const char *words);
/* Of a token: these of the key's words, and this set in place of the key's. */
void	 cache_narrow(struct issued_key *, const char *words,
	    const char *matrix);
/* Room for an old password, zeroed; it goes with its entry. */
struct old_password *cache_old(struct user_entry *);
void	 cache_drop_key(const unsigned char hash[HASH_SHORT_BYTES]);
void	 cache_drop_user(const struct user_key *);

/* What is known not to be there, for CACHE_ABSENT_US or until anything
 * changes; or was found so since then, for one who has asked since then. */
bool	 cache_absent(const unsigned char what[HASH_SHORT_BYTES],
	    int64_t since);
void	 cache_put_absent(const unsigned char what[HASH_SHORT_BYTES],
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
/* Notifications are heard again, so everything is to be read again (what can't be
 * has its grace, from when they were lost); or not any more. */
void	 cache_hears(void);
void	 cache_deaf(void);

struct cache_count {
	uint32_t	 keys, users, sets, products;
};
struct cache_count cache_count(void);

#endif
