/*
 * See limit.h.
 */
#include "gateway/limit.h"

#include <time.h>

#include "base/clock.h"
#include "gateway/limit_table.h"

#define COUNT_BITS	48	/* of a quota; above them the day or month */
#define COUNT_MASK	((UINT64_C(1) << COUNT_BITS) - 1)
#define NS		INT64_C(1000)	/* in a microsecond */

struct window {
	const char	*name;
	const unsigned char *id;
	unsigned	 slot;		/* of the id's place */
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

static uint64_t	 word_of(int64_t period, uint64_t count);
static void	 gather(struct windows *, const struct plan *,
		    const struct limit_ids *, int64_t now, int64_t monotonic);
static void	 belong(struct windows *, unsigned from,
		    const unsigned char *id);
static void	 add_rate(struct windows *, const char *name, uint32_t quota,
		    uint32_t window_s, struct place *, unsigned slot);
static void	 add_quota(struct windows *, unsigned which, uint32_t quota,
		    struct place *, int64_t now);
static struct window quota_of(unsigned which, uint32_t quota, int64_t now);
static uint64_t	 count_now(const struct window *, uint64_t word);
static void	 keep(const struct limit_want *, const struct limit_answer *,
		    int64_t is, int64_t monotonic);
static void	 raise_word(_Atomic uint64_t *, uint64_t word);
static bool	 fits(const struct window *, int64_t now_ns);
static bool	 take(const struct window *, int64_t now_ns);
static void	 give_back(const struct window *);
static void	 tell(const struct window *, int64_t now, int64_t now_ns,
		    struct limit_row *);
static int64_t	 month_begin(int64_t month);

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

enum limit_verdict
limit_prepare(const struct plan *plan, const struct limit_ids *who,
    int64_t now, int64_t monotonic, bool known, struct limit_ask *ret_ask)
{
	struct windows		 all;
	const struct window	*w;
	struct limit_want	*want;
	uint64_t		 word;
	unsigned		 i;

	gather(&all, plan, who, now, monotonic);
	for (i = 0; i < all.n; i++) {
		w = &all.list[i];
		want = &ret_ask->list[i];
		*want = (struct limit_want){ .name = w->name,
		    .kind = LIMIT_WINDOW, .quota = w->quota,
		    .window_s = w->window_s, .step = w->step,
		    .slot = w->slot };
		memcpy(want->id, w->id, LIMIT_ID);
		if (w->count == NULL)
			continue;
		word = atomic_load(w->count);
		if (word == 0 && !known)
			return (LIMIT_UNKNOWN);
		want->kind = w->slot == 0 ? LIMIT_DAY : LIMIT_MONTH;
		want->period = word >> COUNT_BITS;
		want->known = word & COUNT_MASK;
	}
	ret_ask->n = all.n;
	return (LIMIT_PASSED);
}

enum limit_verdict
limit_told(const struct limit_ask *ask, const struct limit_answer *answer,
    int64_t monotonic, struct limits *ret_limits)
{
	enum limit_verdict	 verdict = LIMIT_PASSED;
	const struct limit_want	*want;
	struct limit_row	*row;
	struct window		 w;
	_Atomic int64_t		 empty_at;
	_Atomic uint64_t	 count;
	unsigned		 i;

	ret_limits->n = ask->n;
	ret_limits->retry_s = 0;
	for (i = 0; i < ask->n; i++) {
		want = &ask->list[i];
		row = &ret_limits->rows[i];
		row->full = (answer->full >> i & 1) != 0;
		if (row->full && verdict != LIMIT_RATE)
			verdict = want->kind == LIMIT_WINDOW ? LIMIT_RATE :
			    LIMIT_QUOTA;
		if (want->kind == LIMIT_WINDOW) {
			w = (struct window){ .name = want->name,
			    .quota = want->quota, .window_s = want->window_s,
			    .step = want->step, .empty_at = &empty_at };
			atomic_init(&empty_at, answer->is[i]);
		} else {
			w = quota_of(want->slot, want->quota, answer->now);
			w.count = &count;
			atomic_init(&count, w.period << COUNT_BITS |
			    ((uint64_t)answer->is[i] & COUNT_MASK));
		}
		/* It is 0 on the clock of a rate. */
		tell(&w, answer->now, 0, row);
		if (row->full && row->reset_s > ret_limits->retry_s)
			ret_limits->retry_s = row->reset_s;
		keep(want, answer, answer->is[i], monotonic);
	}
	return (verdict);
}

struct plan
limit_share(const struct plan *plan, uint32_t portals)
{
	struct plan	 share = *plan;
	uint32_t	*const rates[] = { &share.second, &share.minute,
		&share.user_minute, &share.key_minute, &share.tenant_minute,
		&share.tenant_day };
	unsigned	 i;

	for (i = 0; i < COUNT(rates); i++)
		if (*rates[i] != 0)
			*rates[i] = *rates[i] > portals ?
			    *rates[i] / portals : 1;
	return (share);
}

void
limit_load(const unsigned char subscription[LIMIT_ID],
    const struct limit_counts *counts)
{
	(void)place_of(subscription, clock_monotonic());
	limit_raise(subscription, counts);
}

void
limit_raise(const unsigned char subscription[LIMIT_ID],
    const struct limit_counts *counts)
{
	struct place	*p = place_if_any(subscription);
	const uint64_t	 is[2] = {
		word_of(counts->day, counts->day_calls),
		word_of(counts->month, counts->month_calls) };
	unsigned	 i;

	for (i = 0; p != NULL && i < COUNT(is); i++)
		raise_word(&p->counts[i], is[i]);
}

bool
limit_failure(const unsigned char network[LIMIT_ID], uint32_t a_minute,
    int64_t monotonic, uint32_t *ret_retry_s)
{
	struct windows	 one = { .n = 0 };
	struct limit_row row;
	struct place	*p;
	bool		 ok;

	p = place_of_address(network, monotonic);
	add_rate(&one, "address", a_minute, 60, p, 0);
	ok = take(&one.list[0], monotonic * NS);
	tell(&one.list[0], 0, monotonic * NS, &row);
	*ret_retry_s = row.reset_s;
	return (ok);
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

/* Never 0: that is not loaded. */
static uint64_t
word_of(int64_t period, uint64_t count)
{
	return ((uint64_t)(period > 0 ? period : 1) << COUNT_BITS |
	    (count & COUNT_MASK));
}

static void
gather(struct windows *all, const struct plan *plan,
    const struct limit_ids *who, int64_t now, int64_t monotonic)
{
	struct place	*p;
	unsigned	 n;

	all->n = 0;
	if (plan->second != 0 || plan->minute != 0 || plan->day != 0 ||
	    plan->month != 0) {
		p = place_of(who->subscription, monotonic);
		add_rate(all, "second", plan->second, 1, p, 0);
		add_rate(all, "minute", plan->minute, 60, p, 1);
		add_quota(all, 0, plan->day, p, now);
		add_quota(all, 1, plan->month, p, now);
		belong(all, 0, who->subscription);
	}
	n = all->n;
	if (plan->user_minute != 0 && who->user != NULL) {
		p = place_of(who->user, monotonic);
		add_rate(all, "api-user-minute", plan->user_minute, 60, p, 0);
		belong(all, n, who->user);
	}
	n = all->n;
	if (plan->key_minute != 0 && who->key != NULL) {
		p = place_of(who->key, monotonic);
		add_rate(all, "key-minute", plan->key_minute, 60, p, 0);
		belong(all, n, who->key);
	}
	n = all->n;
	if (plan->tenant_minute != 0 || plan->tenant_day != 0) {
		p = place_of(who->tenant, monotonic);
		add_rate(all, "client-minute", plan->tenant_minute, 60, p, 0);
		add_rate(all, "client-day", plan->tenant_day, 86400, p, 1);
		belong(all, n, who->tenant);
	}
}

static void
belong(struct windows *all, unsigned from, const unsigned char *id)
{
	for (; from < all->n; from++)
		all->list[from].id = id;
}

static void
add_rate(struct windows *all, const char *name, uint32_t quota,
    uint32_t window_s, struct place *p, unsigned slot)
{
	int64_t	 window = (int64_t)window_s * SECOND_US * NS;

	if (quota == 0)
		return;
	all->list[all->n++] = (struct window){ .name = name, .quota = quota,
	    .window_s = window_s, .empty_at = &p->empty_at[slot],
	    .slot = slot,
	    .step = (window + quota - 1) / quota };
}

static void
add_quota(struct windows *all, unsigned which, uint32_t quota,
    struct place *p, int64_t now)
{
	if (quota == 0)
		return;
	all->list[all->n] = quota_of(which, quota, now);
	all->list[all->n++].count = &p->counts[which];
}

/* Of the day or the month at an instant; where it is counted is still to be
 * said. */
static struct window
quota_of(unsigned which, uint32_t quota, int64_t now)
{
	int64_t	 begin, end;

	begin = which == 0 ? limit_day(now) * DAY_US :
	    month_begin(limit_month(now));
	end = which == 0 ? begin + DAY_US : month_begin(limit_month(now) + 1);
	return ((struct window){
	    .name = which == 0 ? "day" : "month", .slot = which,
	    .quota = quota,
	    .window_s = (uint32_t)((end - begin) / SECOND_US),
	    .ends_at = end,
	    .period = (uint64_t)(which == 0 ? limit_day(now) :
	    limit_month(now)) });
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

/*
 * A bucket has its window's size in time, whatever its quota is: so a share of
 * a rate is as full as the whole was said to be, and when whoever counts for
 * all goes away, all shares together have what was left.
 */
static void
keep(const struct limit_want *want, const struct limit_answer *answer,
    int64_t is, int64_t monotonic)
{
	struct place	*p = place_of(want->id, monotonic);
	_Atomic int64_t	*empty_at;
	int64_t		 was, then = monotonic * NS + is;

	if (want->kind != LIMIT_WINDOW) {
		raise_word(&p->counts[want->slot], word_of(want->slot == 0 ?
		    limit_day(answer->now) : limit_month(answer->now),
		    (uint64_t)is));
		return;
	}
	empty_at = &p->empty_at[want->slot];
	was = atomic_load(empty_at);
	while (was < then && !atomic_compare_exchange_weak(empty_at, &was,
	    then))
		continue;
}

/* The period stands above the count, so the later one is larger. */
static void
raise_word(_Atomic uint64_t *to, uint64_t word)
{
	uint64_t	 was = atomic_load(to);

	while (was < word && !atomic_compare_exchange_weak(to, &was, word))
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
