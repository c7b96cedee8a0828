/*
 * See limit.h.
 */
#include "gateway/limit.h"

#include <assert.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/token.h"

#define RATES		2u
#define LOCKS		1024u
#define LOCK_US		1000	/* then its holder was killed */
#define COUNT_BITS	48	/* of a quota; above them the day or month */
#define COUNT_MASK	((UINT64_C(1) << COUNT_BITS) - 1)
#define NS		INT64_C(1000)	/* in a microsecond */

/* A subscription has second and minute, day and month; a client minute and
 * day; an API user or address a minute. */
struct place {
	_Atomic uint64_t tag;		/* 0: free */
	_Atomic int64_t	 empty_at[RATES];	/* monotonic nanoseconds */
	_Atomic uint64_t counts[2];	/* day, month; 0: not loaded */
};

struct table {
	struct place	*places;
	uint32_t	 buckets;	/* a power of two */
};

struct shared {
	_Atomic int64_t	 locks[LOCKS];	/* monotonic; 0: free */
	_Atomic uint64_t pushed_out;
	unsigned char	 secret[16];
};

struct window {
	const char	*name;
	uint32_t	 quota, window_s;
	_Atomic int64_t	*empty_at;	/* a rate; or */
	_Atomic uint64_t *count;	/* a quota */
	uint64_t	 period;
	int64_t		 ends_at;	/* of the period, wall clock */
	int64_t		 step;		/* nanoseconds, rounded up */
};

struct windows {
	struct window	 list[LIMIT_ROWS];
	unsigned	 n;
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
static uint64_t	 word_of(int64_t period, uint64_t count);
static int64_t	 place_empty_at(const struct place *);
static uint64_t	 tag_of(const unsigned char id[LIMIT_ID]);
static void	 gather(struct windows *, const struct plan *,
		    const struct limit_ids *, int64_t now, int64_t monotonic);
static void	 add_rate(struct windows *, const char *name, uint32_t quota,
		    uint32_t window_s, _Atomic int64_t *);
static void	 add_quota(struct windows *, unsigned which, uint32_t quota,
		    struct place *, int64_t now);
static bool	 fits(const struct window *, int64_t now_ns);
static bool	 take(const struct window *, int64_t now_ns);
static void	 give_back(const struct window *);
static void	 tell(const struct window *, int64_t now, int64_t now_ns,
		    struct limit_row *);
static int64_t	 month_begin(int64_t month);

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

enum limit_verdict
limit_take(const struct plan *plan, const struct limit_ids *who, int64_t now,
    int64_t monotonic, bool known, struct limits *ret_limits)
{
	enum limit_verdict	 verdict = LIMIT_PASSED;
	struct windows		 all;
	struct window		*w;
	int64_t			 now_ns = monotonic * NS;
	unsigned		 i, taken;

	gather(&all, plan, who, now, monotonic);
	ret_limits->n = all.n;
	ret_limits->retry_s = 0;
	for (i = 0; i < all.n; i++) {
		w = &all.list[i];
		if (w->count != NULL && !known && atomic_load(w->count) == 0)
			return (LIMIT_UNKNOWN);
		ret_limits->rows[i].full = !fits(w, now_ns);
		if (ret_limits->rows[i].full && verdict != LIMIT_RATE)
			verdict = w->count != NULL ? LIMIT_QUOTA : LIMIT_RATE;
	}
	for (taken = 0; verdict == LIMIT_PASSED && taken < all.n; taken++) {
		w = &all.list[taken];
		if (take(w, now_ns))
			continue;
		ret_limits->rows[taken].full = true;
		verdict = w->count != NULL ? LIMIT_QUOTA : LIMIT_RATE;
		for (i = 0; i < taken; i++)
			give_back(&all.list[i]);
	}
	for (i = 0; i < all.n; i++) {
		struct limit_row *row = &ret_limits->rows[i];

		tell(&all.list[i], now, now_ns, row);
		if (row->full && row->reset_s > ret_limits->retry_s)
			ret_limits->retry_s = row->reset_s;
	}
	return (verdict);
}

void
limit_load(const unsigned char subscription[LIMIT_ID],
    const struct limit_counts *counts)
{
	(void)table_find(&ids, tag_of(subscription), clock_monotonic());
	limit_raise(subscription, counts);
}

void
limit_raise(const unsigned char subscription[LIMIT_ID],
    const struct limit_counts *counts)
{
	uint64_t	 tag = tag_of(subscription);
	struct place	*p = bucket_find(table_bucket(&ids, tag), tag);
	const uint64_t	 is[2] = {
		word_of(counts->day, counts->day_calls),
		word_of(counts->month, counts->month_calls) };
	uint64_t	 was;
	unsigned	 i;

	if (p == NULL)
		return;
	/* The period stands above the count, so the later one is larger. */
	for (i = 0; i < COUNT(is); i++) {
		was = atomic_load(&p->counts[i]);
		while (was < is[i] && !atomic_compare_exchange_weak(
		    &p->counts[i], &was, is[i]))
			continue;
	}
}

bool
limit_failure(const unsigned char network[LIMIT_ID], uint32_t a_minute,
    int64_t monotonic, uint32_t *ret_retry_s)
{
	unsigned char	 hash[SHA256_BYTES];
	struct windows	 one = { .n = 0 };
	struct limit_row row;
	struct place	*p;
	bool		 ok;

	/* Addresses are chosen by those who have them. */
	hmac_sha256(hash, shared->secret, sizeof(shared->secret), network,
	    LIMIT_ID);
	p = table_find(&addresses, tag_of(hash), monotonic);
	add_rate(&one, "address", a_minute, 60, &p->empty_at[0]);
	ok = take(&one.list[0], monotonic * NS);
	tell(&one.list[0], 0, monotonic * NS, &row);
	*ret_retry_s = row.reset_s;
	return (ok);
}

uint64_t
limit_pushed_out(void)
{
	return (atomic_load(&shared->pushed_out));
}

int64_t
limit_day(int64_t now)
{
	return (now / DAY_US);
}

int64_t
limit_month(int64_t now)
{
	static int64_t	 day = -1, month;
	struct tm	 tm;
	time_t		 at = now / SECOND_US;

	if (limit_day(now) != day) {
		(void)gmtime_r(&at, &tm);
		month = (tm.tm_year - 70) * 12 + tm.tm_mon;
		day = limit_day(now);
	}
	return (month);
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
		if (best == NULL || place_empty_at(p) < place_empty_at(best))
			best = p;
	}
	if (atomic_load(&best->tag) != 0 && place_empty_at(best) > now_ns)
		(void)atomic_fetch_add(&shared->pushed_out, 1);
	atomic_store(&best->tag, 0);
	for (i = 0; i < RATES; i++)
		atomic_store(&best->empty_at[i], 0);
	for (i = 0; i < COUNT(best->counts); i++)
		atomic_store(&best->counts[i], 0);
	atomic_store_explicit(&best->tag, tag, memory_order_release);
	return (best);
}

/* Never 0: that is not loaded. */
static uint64_t
word_of(int64_t period, uint64_t count)
{
	return ((uint64_t)(period > 0 ? period : 1) << COUNT_BITS |
	    (count & COUNT_MASK));
}

static int64_t
place_empty_at(const struct place *p)
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

static void
gather(struct windows *all, const struct plan *plan,
    const struct limit_ids *who, int64_t now, int64_t monotonic)
{
	struct place	*p;

	all->n = 0;
	if (plan->second != 0 || plan->minute != 0 || plan->day != 0 ||
	    plan->month != 0) {
		p = table_find(&ids, tag_of(who->subscription), monotonic);
		add_rate(all, "second", plan->second, 1, &p->empty_at[0]);
		add_rate(all, "minute", plan->minute, 60, &p->empty_at[1]);
		add_quota(all, 0, plan->day, p, now);
		add_quota(all, 1, plan->month, p, now);
	}
	if (plan->user_minute != 0 && who->user != NULL) {
		p = table_find(&ids, tag_of(who->user), monotonic);
		add_rate(all, "api-user-minute", plan->user_minute, 60,
		    &p->empty_at[0]);
	}
	if (plan->tenant_minute != 0 || plan->tenant_day != 0) {
		p = table_find(&ids, tag_of(who->tenant), monotonic);
		add_rate(all, "client-minute", plan->tenant_minute, 60,
		    &p->empty_at[0]);
		add_rate(all, "client-day", plan->tenant_day, 86400,
		    &p->empty_at[1]);
	}
}

static void
add_rate(struct windows *all, const char *name, uint32_t quota,
    uint32_t window_s, _Atomic int64_t *empty_at)
{
	int64_t	 window = (int64_t)window_s * SECOND_US * NS;

	if (quota == 0)
		return;
	all->list[all->n++] = (struct window){ .name = name, .quota = quota,
	    .window_s = window_s, .empty_at = empty_at,
	    .step = (window + quota - 1) / quota };
}

static void
add_quota(struct windows *all, unsigned which, uint32_t quota,
    struct place *p, int64_t now)
{
	int64_t	 begin, end;

	if (quota == 0)
		return;
	begin = which == 0 ? limit_day(now) * DAY_US :
	    month_begin(limit_month(now));
	end = which == 0 ? begin + DAY_US : month_begin(limit_month(now) + 1);
	all->list[all->n++] = (struct window){
	    .name = which == 0 ? "day" : "month", .quota = quota,
	    .window_s = (uint32_t)((end - begin) / SECOND_US),
	    .count = &p->counts[which], .ends_at = end,
	    .period = (uint64_t)(which == 0 ? limit_day(now) :
	    limit_month(now)) };
}

/* Of the period, or 0 where that is over. */
static uint64_t
count_now(const struct window *w, uint64_t word)
{
	return (word >> COUNT_BITS >= w->period ? word & COUNT_MASK : 0);
}

static bool
fits(const struct window *w, int64_t now_ns)
{
	int64_t	 at;

	if (w->count != NULL)
		return (count_now(w, atomic_load(w->count)) < w->quota);
	at = atomic_load(w->empty_at);
	return ((at > now_ns ? at : now_ns) + w->step - now_ns <=
	    w->step * w->quota);
}

static bool
take(const struct window *w, int64_t now_ns)
{
	uint64_t	 word, counted;
	int64_t		 at, then;

	if (w->count != NULL) {
		word = atomic_load(w->count);
		do {
			counted = count_now(w, word);
			if (counted >= w->quota)
				return (false);
		} while (!atomic_compare_exchange_weak(w->count, &word,
		    word >> COUNT_BITS >= w->period ? word + 1 :
		    w->period << COUNT_BITS | 1));
		return (true);
	}
	at = atomic_load(w->empty_at);
	do {
		then = (at > now_ns ? at : now_ns) + w->step;
		if (then - now_ns > w->step * w->quota)
			return (false);
	} while (!atomic_compare_exchange_weak(w->empty_at, &at, then));
	return (true);
}

static void
give_back(const struct window *w)
{
	uint64_t	 word;

	if (w->count == NULL) {
		(void)atomic_fetch_sub(w->empty_at, w->step);
		return;
	}
	word = atomic_load(w->count);
	while (word >> COUNT_BITS == w->period && (word & COUNT_MASK) > 0 &&
	    !atomic_compare_exchange_weak(w->count, &word, word - 1))
		continue;
}

static void
tell(const struct window *w, int64_t now, int64_t now_ns,
    struct limit_row *row)
{
	uint64_t	 counted;
	int64_t		 at, wait;

	row->name = w->name;
	row->quota = w->quota;
	row->window_s = w->window_s;
	if (w->count != NULL) {
		counted = count_now(w, atomic_load(w->count));
		row->left = counted >= w->quota ? 0 :
		    (uint32_t)(w->quota - counted);
		row->reset_s = (uint32_t)((w->ends_at - now + SECOND_US - 1) /
		    SECOND_US);
		return;
	}
	at = atomic_load(w->empty_at);
	wait = at > now_ns ? at - now_ns : 0;
	at = w->step * w->quota - wait;
	row->left = at > 0 ? (uint32_t)(at / w->step) : 0;
	if (row->left == 0)
		wait += w->step * (1 - (int64_t)w->quota);
	row->reset_s = wait <= 0 ? 1 : (uint32_t)((wait +
	    SECOND_US * NS - 1) / (SECOND_US * NS));
}

static int64_t
month_begin(int64_t month)
{
	static int64_t	 known[2] = { -1, -1 }, begins[2];
	struct tm	 tm = { .tm_mday = 1 };
	unsigned	 i = (unsigned)month & 1;

	if (known[i] != month) {
		tm.tm_year = (int)(month / 12 + 70);
		tm.tm_mon = (int)(month % 12);
		begins[i] = (int64_t)timegm(&tm) * SECOND_US;
		known[i] = month;
	}
	return (begins[i]);
}
