/*
 * New versions of master and data keys while portal and courier serve, a step a
 * statement; latchkeyctl puts them in order (README.md in this folder).  Each
 * refuses in its own WHERE while somebody who runs would be left behind.
 */
#ifndef VAULT_RENEW_H
#define VAULT_RENEW_H

#include "db/db.h"

/* Only one rotation at a time in a database: until this handle is closed or its
 * process is gone, whatever way.  False: another one runs. */
WAITS MUST_CHECK bool renew_lock(struct db *);

struct renew_state {
	int64_t	 keys;			/* rows of sealed_key */
	int64_t	 master_oldest;		/* that one of them stands on */
	int64_t	 master_newest;
	int64_t	 data_newest;		/* made */
	int64_t	 data_active;		/* sealed under */
	int64_t	 data_oldest;
};
WAITS struct renew_state renew_db_state(struct db *);

/* Who runs and has not what is asked for: (program, host, pid, master version,
 * data version, seals under, seconds that it counts as running). */
WAITS const struct db_rows *renew_db_behind(struct db *,
		    int64_t master_version, int64_t data_version,
		    int64_t seals_under);
/* The same of all who run, or did in the last day: then the seconds are
 * negative. */
WAITS const struct db_rows *renew_db_holders(struct db *);

enum renew_step {
	STEP_DONE,
	STEP_BEHIND,	/* somebody who runs has not the version before */
	STEP_AGAIN,	/* somebody changed the keys meanwhile: look again */
};
/* Seals every data and HMAC key under the newest master key of the vault, in
 * one statement.  ret_keys: how many. */
WAITS MUST_CHECK enum renew_step renew_db_master(struct db *,
		    int64_t *ret_keys);
/* Makes a data key that nobody seals under yet; who runs has to have the master
 * key that it stands on. */
WAITS MUST_CHECK enum renew_step renew_db_data_make(struct db *,
		    int64_t version);
/* From now on it is sealed under; who runs has to have it. */
WAITS MUST_CHECK enum renew_step renew_db_data_use(struct db *,
		    int64_t version);

enum renew_retired {
	RETIRE_DONE,
	RETIRE_IN_USE,	/* a row stands on it */
	RETIRE_EARLY,	/* the next is used for less than an hour, or somebody
			 * who runs still seals under it */
};
/* Takes a data key away for good. */
WAITS MUST_CHECK enum renew_retired renew_db_data_retire(struct db *,
		    int64_t version);

#endif
