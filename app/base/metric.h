/*
 * Metrics: counters, gauges and histograms in memory that all workers share,
 * written as Prometheus reads them (text format 0.0.4).
 *
 * All are made before the fork, by name, help and labels; those of one name
 * one after the other.  No label holds a client, a person or a key.  Times are
 * given in microseconds and written in seconds, as their names say: what ends
 * in _seconds is one.  A gauge is each worker's own and written as the sum, the
 * largest or the smallest of all that have set one.
 *
 * Where nobody made the memory (tests, the other programs) nothing is counted.
 * Adding takes no lock and no system call.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/str.h"

#define METRICS_MAX	4096u
#define METRIC_WORKERS	65u	/* 64 is the setting's most, and the parent */
#define METRIC_BUCKETS	13u	/* 100 us to 10 s; and the rest */

enum metric_kind { METRIC_COUNTER,
	METRIC_KEPT,	/* a counter that is kept elsewhere: the largest set */
	METRIC_SUM, METRIC_LARGEST, METRIC_SMALLEST,
	METRIC_HISTOGRAM };

/* Once, before the fork and before metric_new(). */
void	 metric_setup(void);
void	 metric_end(void);
/* Texts are kept as they are.  labels: `a="b",c="d"`, or "". */
unsigned metric_new(enum metric_kind, const char *name, const char *help,
	    const char *labels);
/* In each worker: its number, whose gauges it sets; those of one that died
 * before it are void. */
void	 metric_worker(unsigned number);

void	 metric_add(unsigned metric, uint64_t n);
void	 metric_set(unsigned metric, int64_t value);
void	 metric_observe(unsigned metric, int64_t us);

/* All of them; counters with labels only once they have counted. */
void	 metric_write(struct buf *);

#endif
