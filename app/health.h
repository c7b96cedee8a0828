/*
 * Whether this process can serve: the database answers, its schema is the one
 * that the program was built for, and the keys opened.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "web/req.h"

/* In the parent: stops the program when the master key file is unusable, or is
 * not the one of this database.  A database that is away, or not yet prepared,
 * stops nothing: workers look again. */
WAITS void health_check_master_key(void);
/* In each worker, before pool_setup(). */
void	health_setup(void);
/* Every 100 ms: opens the keys as soon as the database is there, looks now and
 * then whether the schema is still ours, and says which keys are here. */
void	health_tick(void);
/* SIGHUP: keys are read again with the next tick. */
void	health_reread(void);
/* Once, when the worker ends: it is waited for no more. */
void	health_leave(void);
/* Database, schema and keys are there. */
bool	health_ready(void);

/* The router's guard: session_admit(), once the keys are open and while the
 * schema is ours; else 503. */
WAITS bool health_admit(struct req *, unsigned guard);

void	livez_page(struct req *);	/* GET /livez */
void	readyz_page(struct req *);	/* GET /readyz */

#endif
