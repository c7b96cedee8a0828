/*
 * See meter.h.
 */
#include "gateway/meter.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/token.h"

#define BUCKET		8u
#define TRIES		20u		/* against others at one cell */
#define COUNT_MASK	UINT64_C(0x7fffffff)
#define BUSY		UINT64_C(0x80000000)
#define GENERATION	(UINT64_C(1) << 32)
#define PID_SHIFT	40		/* of a lease; below it milliseconds */

struct place {
	_Atomic uint64_t word;		/* generation, BUSY, count */
	_Atomic uint32_t taken;		/* into the batch under way */
	uint32_t	 told_s;	/* "last used"; 0: not yet, or not so */
	struct meter_cell cell;
};

_Static_assert(sizeof(struct place) <= 96, "what meter_setup() says");

enum state { IDLE, TAKING, TAKEN };

struct shared {
	char		 source[UUID_TEXT];
	_Atomic uint64_t lost, lease, batch;
	_Atomic int	 state;
	uint32_t	 n;		/* places */
};

static struct shared	*shared;
static struct place	*places;
/* A bit a place: has counts, may have; is of the batch. */
static _Atomic uint64_t	*dirty, *held;

static void	*map(size_t);
static uint32_t	 bucket_of(const struct meter_cell *);
static bool	 same(const struct meter_cell *, const struct meter_cell *);
static bool	 place_add(struct place *, const struct meter_cell *,
		    meter_address_fn, void *arg);
static bool	 place_claim(struct place *, const struct meter_cell *,
		    meter_address_fn, void *arg);
static void	 place_begin(struct place *, uint64_t word,
		    const struct meter_cell *, meter_address_fn, void *arg);
static bool	 is_due(const struct place *);
static void	 mark(_Atomic uint64_t *bits, uint32_t i);
static void	 take(void);
static bool	 place_take(uint32_t i);

void
meter_setup(uint32_t cells)
{
	uint32_t	 n = 64;	/* a word of bits */

	while (n < cells)
		n *= 2;
	shared = map(sizeof(*shared));
	shared->n = n;
	uuid_make(shared->source);
	places = map(n * sizeof(*places));
	dirty = map(n / 8);
	held = map(n / 8);
}

void
meter_end(void)
{
	(void)munmap(places, shared->n * sizeof(*places));
	(void)munmap(dirty, shared->n / 8);
	(void)munmap(held, shared->n / 8);
	(void)munmap(shared, sizeof(*shared));
	shared = NULL;
}

void
meter_add(const struct meter_cell *what, int64_t now,
    meter_address_fn address, void *arg)
{
	struct meter_cell	 cell = *what;
	struct place		*bucket;
	unsigned		 i, try;

	cell.hour = (uint32_t)(now / HOUR_US);
	cell.used_at = now;
	bucket = &places[bucket_of(&cell)];
	for (try = 0; try < TRIES; try++) {
		for (i = 0; i < BUCKET; i++)
			if (place_add(&bucket[i], &cell, address, arg))
				return;
		for (i = 0; i < BUCKET; i++)
			if (place_claim(&bucket[i], &cell, address, arg))
				return;
	}
	(void)atomic_fetch_add(&shared->lost, 1);
}

uint64_t
meter_lost(void)
{
	return (atomic_load(&shared->lost));
}

bool
meter_settled(void)
{
	uint32_t	 i;

	if (atomic_load(&shared->state) != IDLE)
		return (false);
	for (i = 0; i < shared->n / 64; i++)
		if (atomic_load(&dirty[i]) != 0)
			return (false);
	return (true);
}

bool
meter_lease(void)
{
	uint64_t	 now_ms = (uint64_t)clock_monotonic() / 1000;
	uint64_t	 mine, held_by = atomic_load(&shared->lease);
	pid_t		 pid = (pid_t)(held_by >> PID_SHIFT);
	uint64_t	 at_ms = held_by & ((UINT64_C(1) << PID_SHIFT) - 1);

	if (pid != 0 && pid != getpid() &&
	    now_ms - at_ms < METER_LEASE_US / 1000 &&
	    (kill(pid, 0) == 0 || errno != ESRCH))
		return (false);
	mine = (uint64_t)getpid() << PID_SHIFT | now_ms;
	return (atomic_compare_exchange_strong(&shared->lease, &held_by,
	    mine));
}

unsigned
meter_take(struct meter_cell *ret_cells, uint32_t *ret_calls,
    uint64_t *ret_batch)
{
	uint64_t	 bits;
	uint32_t	 i, at, calls;
	unsigned	 n = 0;

	/* One who died while taking has sent nothing yet. */
	if (atomic_load(&shared->state) == IDLE) {
		if (meter_settled())
			return (0);
		(void)atomic_fetch_add(&shared->batch, 1);
		atomic_store(&shared->state, TAKING);
	}
	if (atomic_load(&shared->state) == TAKING) {
		take();
		atomic_store(&shared->state, TAKEN);
	}
	*ret_batch = atomic_load(&shared->batch);
	for (i = 0; i < shared->n / 64; i++) {
		for (bits = atomic_load(&held[i]); bits != 0 &&
		    n < METER_BATCH; bits &= bits - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(bits);
			calls = atomic_load(&places[at].taken);
			if (calls == 0)
				continue;
			ret_cells[n] = places[at].cell;
			ret_cells[n].tells = is_due(&places[at]);
			ret_calls[n++] = calls;
		}
	}
	if (n == 0)
		meter_settle(*ret_batch);
	return (n);
}

void
meter_settle(uint64_t batch)
{
	uint64_t	 bits;
	uint32_t	 i, at;

	if (atomic_load(&shared->batch) != batch ||
	    atomic_load(&shared->state) != TAKEN)
		return;
	for (i = 0; i < shared->n / 64; i++) {
		for (bits = atomic_load(&held[i]); bits != 0;
		    bits &= bits - 1) {
			at = i * 64 + (uint32_t)__builtin_ctzll(bits);
			if (is_due(&places[at]))
				places[at].told_s = (uint32_t)
				    (places[at].cell.used_at / SECOND_US);
			atomic_store(&places[at].taken, 0);
		}
		atomic_store(&held[i], 0);
	}
	atomic_store(&shared->state, IDLE);
}

const char *
meter_source(void)
{
	return (shared->source);
}

/* Pages that nobody touches cost nothing. */
static void *
map(size_t bytes)
{
	void	*p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return (p);
}

/* The index of its first.  The ends of UUIDv7 are random. */
static uint32_t
bucket_of(const struct meter_cell *c)
{
	uint64_t	 one, two;

	memcpy(&one, c->key + 8, sizeof(one));
	memcpy(&two, c->user + 8, sizeof(two));
	one = (one ^ (two << 17 | two >> 47) ^
	    ((uint64_t)c->hour << 8 | c->outcome)) *
	    UINT64_C(0x9e3779b97f4a7c15);
	return ((uint32_t)(one >> 32) & (shared->n - 1) & ~(BUCKET - 1));
}

static bool
same(const struct meter_cell *one, const struct meter_cell *two)
{
	return (one->hour == two->hour && one->outcome == two->outcome &&
	    memcmp(one->key, two->key, METER_ID) == 0 &&
	    memcmp(one->user, two->user, METER_ID) == 0);
}

/* False: it is not its cell, or somebody is busy with it. */
static bool
place_add(struct place *p, const struct meter_cell *c,
    meter_address_fn address, void *arg)
{
	uint64_t	 word = atomic_load(&p->word);

	while ((word & BUSY) == 0 && word != 0 && same(&p->cell, c)) {
		if ((word & COUNT_MASK) == COUNT_MASK)
			return (false);
		if ((word & COUNT_MASK) > 0) {
			if (atomic_compare_exchange_weak(&p->word, &word,
			    word + 1))
				return (true);
			continue;
		}
		if (!atomic_compare_exchange_weak(&p->word, &word,
		    word | BUSY))
			continue;
		place_begin(p, word, c, address, arg);
		return (true);
	}
	return (false);
}

static bool
place_claim(struct place *p, const struct meter_cell *c,
    meter_address_fn address, void *arg)
{
	uint64_t	 word = atomic_load(&p->word);

	if ((word & (BUSY | COUNT_MASK)) != 0 || atomic_load(&p->taken) != 0 ||
	    !atomic_compare_exchange_strong(&p->word, &word,
	    (word + GENERATION) | BUSY))
		return (false);
	/* Counted and taken since we looked? */
	if (atomic_load(&p->taken) != 0) {
		atomic_store(&p->word, word);
		return (false);
	}
	place_begin(p, word + GENERATION, c, address, arg);
	return (true);
}

/* It is the caller's alone, and gets its first call.  The bit comes before the
 * count: who dies in between leaves a bit too many. */
static void
place_begin(struct place *p, uint64_t word, const struct meter_cell *c,
    meter_address_fn address, void *arg)
{
	struct meter_cell	 was = p->cell;

	/* Of a batch it may be read just now. */
	if (atomic_load(&p->taken) == 0) {
		p->cell = *c;
		address(arg, &p->cell);
		if (!same(&was, c) || was.family != p->cell.family ||
		    memcmp(was.address, p->cell.address, METER_ADDRESS) != 0)
			p->told_s = 0;
	}
	mark(dirty, (uint32_t)(p - places));
	atomic_store(&p->word, word + 1);
}

/* Of a place in a batch: is its "last used" to be told? */
static bool
is_due(const struct place *p)
{
	return (p->cell.used_at - p->told_s * SECOND_US >= METER_TELL_US);
}

static void
mark(_Atomic uint64_t *bits, uint32_t i)
{
	(void)atomic_fetch_or(&bits[i / 64], UINT64_C(1) << i % 64);
}

/* Up to METER_BATCH cells into the batch; the others keep their bits. */
static void
take(void)
{
	uint64_t	 bits, bit;
	uint32_t	 i, at;
	unsigned	 n = 0;

	for (i = 0; i < shared->n / 64; i++)
		n += (unsigned)__builtin_popcountll(atomic_load(&held[i]));
	for (i = 0; i < shared->n / 64; i++) {
		for (bits = atomic_load(&dirty[i]); bits != 0 &&
		    n < METER_BATCH; bits &= bits - 1) {
			bit = bits & -bits;
			at = i * 64 + (uint32_t)__builtin_ctzll(bits);
			(void)atomic_fetch_and(&dirty[i], ~bit);
			if (place_take(at))
				n++;
		}
	}
}

/* In this order, so that a cell is never free in between.  Added to what one
 * who died while taking has taken. */
static bool
place_take(uint32_t i)
{
	struct place	*p = &places[i];
	uint64_t	 word = atomic_load(&p->word);
	uint32_t	 before = atomic_load(&p->taken);

	for (;;) {
		if ((word & BUSY) != 0) {
			mark(dirty, i);
			return (false);
		}
		if ((word & COUNT_MASK) == 0)
			return (false);
		mark(held, i);
		atomic_store(&p->taken, before + (uint32_t)(word & COUNT_MASK));
		if (atomic_compare_exchange_strong(&p->word, &word,
		    word & ~COUNT_MASK))
			return (true);
	}
}
