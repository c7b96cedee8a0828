/*
 * See metric.h.
 */
#include "base/metric.h"

#include <sys/mman.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct metric {
	enum metric_kind kind;
	const char	*name, *help, *labels;
	unsigned	 at;		/* its first value, or gauge */
};

/* Of a histogram: buckets, the rest, and the sum. */
#define CELLS		(METRIC_BUCKETS + 2)
#define VALUES_MAX	(METRICS_MAX + 64 * CELLS)
#define GAUGES_MAX	64u

struct memory {
	_Atomic uint64_t	 values[VALUES_MAX];
	struct {
		_Atomic bool	 is[GAUGES_MAX];
		_Atomic int64_t	 value[GAUGES_MAX];
	} workers[METRIC_WORKERS];
};

static const int64_t	 bounds[METRIC_BUCKETS] = { 100, 250, 500, 1000, 2500,
	5000, 10000, 25000, 100000, 250000, 1000000, 2500000, 10000000 };
static struct metric	 metrics[METRICS_MAX];
static unsigned		 metrics_n, values_n, gauges_n, self;
static struct memory	*memory;

static bool	 is_gauge(enum metric_kind);
static void	 write_one(struct buf *, const struct metric *);
static void	 write_gauge(struct buf *, const struct metric *);
static void	 write_histogram(struct buf *, const struct metric *);
static void	 write_name(struct buf *, const struct metric *);
static void	 write_number(struct buf *, const struct metric *, int64_t);

void
metric_setup(void)
{
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		abort();
	metrics_n = values_n = gauges_n = self = 0;
}

void
metric_end(void)
{
	(void)munmap(memory, sizeof(*memory));
	memory = NULL;
}

unsigned
metric_new(enum metric_kind kind, const char *name, const char *help,
    const char *labels)
{
	struct metric	*m = &metrics[metrics_n];

	assert(metrics_n < METRICS_MAX);
	*m = (struct metric){ .kind = kind, .name = name, .help = help,
	    .labels = labels };
	if (is_gauge(kind)) {
		assert(gauges_n < GAUGES_MAX);
		m->at = gauges_n++;
	} else {
		m->at = values_n;
		values_n += kind == METRIC_HISTOGRAM ? CELLS : 1;
		assert(values_n <= VALUES_MAX);
	}
	return (metrics_n++);
}

void
metric_worker(unsigned number)
{
	unsigned	 i;

	assert(number < METRIC_WORKERS);
	self = number;
	if (memory == NULL)
		return;
	for (i = 0; i < gauges_n; i++)
		atomic_store(&memory->workers[self].is[i], false);
}

void
metric_add(unsigned metric, uint64_t n)
{
	if (memory == NULL)
		return;
	assert(metrics[metric].kind == METRIC_COUNTER);
	atomic_fetch_add_explicit(&memory->values[metrics[metric].at], n,
	    memory_order_relaxed);
}

void
metric_set(unsigned metric, int64_t value)
{
	unsigned	 at = metrics[metric].at;

	if (memory == NULL)
		return;
	assert(is_gauge(metrics[metric].kind));
	atomic_store(&memory->workers[self].value[at], value);
	atomic_store(&memory->workers[self].is[at], true);
}

void
metric_observe(unsigned metric, int64_t us)
{
	_Atomic uint64_t	*cells;
	unsigned		 i = 0;

	if (memory == NULL)
		return;
	assert(metrics[metric].kind == METRIC_HISTOGRAM);
	if (us < 0)
		us = 0;
	cells = &memory->values[metrics[metric].at];
	while (i < METRIC_BUCKETS && us > bounds[i])
		i++;
	atomic_fetch_add_explicit(&cells[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&cells[METRIC_BUCKETS + 1], (uint64_t)us,
	    memory_order_relaxed);
}

void
metric_write(struct buf *b)
{
	static const char	*const kinds[] = {
		[METRIC_COUNTER] = "counter", [METRIC_KEPT] = "counter",
		[METRIC_SUM] = "gauge",
		[METRIC_LARGEST] = "gauge", [METRIC_SMALLEST] = "gauge",
		[METRIC_HISTOGRAM] = "histogram" };
	const struct metric	*m;
	unsigned		 i;

	if (memory == NULL)
		return;
	for (i = 0; i < metrics_n; i++) {
		m = &metrics[i];
		if (i == 0 || strcmp(m->name, m[-1].name) != 0)
			buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", m->name,
			    m->help, m->name, kinds[m->kind]);
		write_one(b, m);
	}
}

static bool
is_gauge(enum metric_kind kind)
{
	return (kind == METRIC_KEPT || kind == METRIC_SUM ||
	    kind == METRIC_LARGEST || kind == METRIC_SMALLEST);
}

static void
write_one(struct buf *b, const struct metric *m)
{
	uint64_t	 n;

	switch (m->kind) {
	case METRIC_COUNTER:
		n = atomic_load(&memory->values[m->at]);
		if (n == 0 && m->labels[0] != '\0')
			return;
		write_name(b, m);
		buf_fmt(b, " %llu\n", (unsigned long long)n);
		return;
	case METRIC_KEPT:
	case METRIC_SUM:
	case METRIC_LARGEST:
	case METRIC_SMALLEST:
		write_gauge(b, m);
		return;
	case METRIC_HISTOGRAM:
		write_histogram(b, m);
		return;
	}
}

static void
write_gauge(struct buf *b, const struct metric *m)
{
	int64_t		 value, all = 0;
	bool		 any = false;
	unsigned	 i;

	for (i = 0; i < METRIC_WORKERS; i++) {
		if (!atomic_load(&memory->workers[i].is[m->at]))
			continue;
		value = atomic_load(&memory->workers[i].value[m->at]);
		if (!any)
			all = value;
		else if (m->kind == METRIC_SUM)
			all += value;
		else if ((m->kind != METRIC_SMALLEST) == (value > all))
			all = value;
		any = true;
	}
	if (!any)
		return;
	write_name(b, m);
	buf_chr(b, ' ');
	write_number(b, m, all);
}

static void
write_histogram(struct buf *b, const struct metric *m)
{
	_Atomic uint64_t	*cells = &memory->values[m->at];
	unsigned long long	 n = 0;
	unsigned		 i;

	for (i = 0; i <= METRIC_BUCKETS; i++) {
		n += atomic_load(&cells[i]);
		buf_fmt(b, "%s_bucket{%s%sle=\"", m->name, m->labels,
		    m->labels[0] != '\0' ? "," : "");
		if (i < METRIC_BUCKETS)
			buf_fmt(b, "%g", (double)bounds[i] / 1e6);
		else
			buf_str(b, "+Inf");
		buf_fmt(b, "\"} %llu\n", n);
	}
	buf_fmt(b, "%s_sum%s%s%s %.6f\n%s_count%s%s%s %llu\n", m->name,
	    m->labels[0] != '\0' ? "{" : "", m->labels,
	    m->labels[0] != '\0' ? "}" : "",
	    (double)atomic_load(&cells[METRIC_BUCKETS + 1]) / 1e6, m->name,
	    m->labels[0] != '\0' ? "{" : "", m->labels,
	    m->labels[0] != '\0' ? "}" : "", n);
}

static void
write_name(struct buf *b, const struct metric *m)
{
	buf_str(b, m->name);
	if (m->labels[0] != '\0')
		buf_fmt(b, "{%s}", m->labels);
}

static void
write_number(struct buf *b, const struct metric *m, int64_t value)
{
	size_t	 n = strlen(m->name);

	if (n > 8 && strcmp(m->name + n - 8, "_seconds") == 0)
		buf_fmt(b, "%.6f\n", (double)value / 1e6);
	else
		buf_fmt(b, "%lld\n", (long long)value);
}
