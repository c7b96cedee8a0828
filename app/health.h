/*
 * Whether this process can serve: the database answers, its schema is the one
 * that the program was built for, and the keys opened.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "web/req.h"

/* In the parent: stops the program when the master key file is unusable. */
void	health_check_master_key(void);
/* In each worker, before pool_setup(). */
void	health_setup(void);
/* Every half second: opens the keys as soon as the database is there. */
void	health_tick(void);

/* The router's guard: session_admit(), once the keys are open; 503 before. */
WAITS bool health_admit(struct req *, unsigned guard);

void	livez_page(struct req *);	/* GET /livez */
void	readyz_page(struct req *);	/* GET /readyz */

#endif
