/*
 * Jobs: what falls due by the clock.  The courier runs all of them at its
 * start and every 30 seconds.  A job that must happen once a subject writes
 * its row of (kind, subject, due) into the table job in the same statement;
 * who finds that row there already does nothing, so couriers need not know of
 * each other.
 */
#ifndef JOBS_JOB_H
#define JOBS_JOB_H

#include "db/db.h"

#define JOBS_EVERY_S	30

/* Runs all; logs those that did something, with how much. */
WAITS void	 jobs_run(struct db *);

#endif
