/*
 * See limit_table.h.
 */
#include "gateway/limit_table.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "crypto/token.h"

#define LOCKS		1024u
#define LOCK_US		1000	/* then its holder was killed */
#define NS		INT64_C(1000)	/* in a microsecond */

struct table {
	struct place	*places;
	uint32_t	 buckets;	/* a power of two */
};

struct shared {
	_Atomic int64_t	 locks[LOCKS];	/* monotonic; 0: free */
	_Atomic uint64_t pushed_out;
	unsigned char	 secret[16];
};

static struct shared	*shared;
static struct table	 ids, addresses;

static void	 table_map(struct table *, uint32_t places);
static void	 table_unmap(struct table *);
static struct place *table_find(const struct table *, uint64_t tag,
		    int64_t monotonic);
static struct place *table_bucket(const struct table *, uint64_t tag);
static struct place *bucket_find(struct place *, uint64_t tag);
static struct place *bucket_claim(struct place *, uint64_t tag,
		    int64_t now_ns);
static int64_t	 empty_at_last(const struct place *);
static uint64_t	 tag_of(const unsigned char id[LIMIT_ID]);

void
limit_setup(uint32_t places)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	random_bytes(shared->secret, sizeof(shared->secret));
	table_map(&ids, places);
	table_map(&addresses, LIMIT_ADDRESSES);
}

void
limit_end(void)
{
	(void)munmap(shared, sizeof(*shared));
	shared = NULL;
	table_unmap(&ids);
	table_unmap(&addresses);
}

uint64_t
limit_pushed_out(void)
{
	return (atomic_load(&shared->pushed_out));
}

struct place *
place_of(const unsigned char id[LIMIT_ID], int64_t monotonic)
{
	return (table_find(&ids, tag_of(id), monotonic));
}

struct place *
place_of_address(const unsigned char network[LIMIT_ID], int64_t monotonic)
{
	unsigned char	 hash[SHA256_BYTES];

	/* Addresses are chosen by those who have them. */
	hmac_sha256(hash, shared->secret, sizeof(shared->secret), network,
	    LIMIT_ID);
	return (table_find(&addresses, tag_of(hash), monotonic));
}

struct place *
place_if_any(const unsigned char id[LIMIT_ID])
{
	uint64_t	 tag = tag_of(id);

	return (bucket_find(table_bucket(&ids, tag), tag));
}

static void
table_map(struct table *t, uint32_t places)
{
	t->buckets = 1;
	while (t->buckets < places / LIMIT_PLACES)
		t->buckets *= 2;
	/* Pages that nobody touches cost nothing. */
	t->places = mmap(NULL,
	    (size_t)t->buckets * LIMIT_PLACES * sizeof(*t->places),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->places == MAP_FAILED)
		abort();
}

static void
table_unmap(struct table *t)
{
	(void)munmap(t->places,
	    (size_t)t->buckets * LIMIT_PLACES * sizeof(*t->places));
	t->places = NULL;
}

/*
 * Finding takes no lock.  Making does, so that nobody gets two places; who was
 * killed while he held it holds up the others for LOCK_US.
 */
static struct place *
table_find(const struct table *t, uint64_t tag, int64_t monotonic)
{
	struct place	*bucket = table_bucket(t, tag);
	struct place	*p = bucket_find(bucket, tag);
	_Atomic int64_t	*lock = &shared->locks[(tag >> 20) % LOCKS];
	int64_t		 held, mine = monotonic;

	if (p != NULL)
		return (p);
	for (;;) {
		held = 0;
		if (atomic_compare_exchange_strong(lock, &held, mine))
			break;
		mine = clock_monotonic();
		if (mine - held > LOCK_US &&
		    atomic_compare_exchange_strong(lock, &held, mine))
			break;
	}
	p = bucket_find(bucket, tag);
	if (p == NULL)
		p = bucket_claim(bucket, tag, monotonic * NS);
	(void)atomic_compare_exchange_strong(lock, &mine, 0);
	return (p);
}

static struct place *
table_bucket(const struct table *t, uint64_t tag)
{
	return (t->places + ((tag >> 20) & (t->buckets - 1)) * LIMIT_PLACES);
}

static struct place *
bucket_find(struct place *bucket, uint64_t tag)
{
	unsigned	 i;

	for (i = 0; i < LIMIT_PLACES; i++)
		if (atomic_load_explicit(&bucket[i].tag,
		    memory_order_acquire) == tag)
			return (&bucket[i]);
	return (NULL);
}

static struct place *
bucket_claim(struct place *bucket, uint64_t tag, int64_t now_ns)
{
	struct place	*best = NULL, *p;
	unsigned	 i;

	for (i = 0; i < LIMIT_PLACES; i++) {
		p = &bucket[i];
		if (atomic_load(&p->tag) == 0) {
			best = p;
			break;
		}
		if (best == NULL || empty_at_last(p) < empty_at_last(best))
			best = p;
	}
	if (atomic_load(&best->tag) != 0 && empty_at_last(best) > now_ns)
		(void)atomic_fetch_add(&shared->pushed_out, 1);
	atomic_store(&best->tag, 0);
	for (i = 0; i < PLACE_RATES; i++)
		atomic_store(&best->empty_at[i], 0);
	for (i = 0; i < COUNT(best->counts); i++)
		atomic_store(&best->counts[i], 0);
	atomic_store_explicit(&best->tag, tag, memory_order_release);
	return (best);
}

static int64_t
empty_at_last(const struct place *p)
{
	int64_t	 one = atomic_load(&p->empty_at[0]);
	int64_t	 two = atomic_load(&p->empty_at[1]);

	return (one > two ? one : two);
}

static uint64_t
tag_of(const unsigned char id[LIMIT_ID])
{
	uint64_t	 tag;

	memcpy(&tag, id + LIMIT_ID - sizeof(tag), sizeof(tag));
	return (tag == 0 ? 1 : tag);
}
