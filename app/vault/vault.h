/*
 * The vault: the process's keyring (crypto/seal.h), filled once at start from
 * two places: the master key file, and the table sealed_key, whose rows are
 * sealed under it.  Portal workers, courier and tool all read it here; nobody
 * changes it after the start.
 *
 * Kinds that must be there: "data", and the HMAC purposes "subscription-key",
 * "subscription-key-prefix", "link" and "api-user-password".
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "crypto/seal.h"
#include "db/db.h"

/* NULL until vault_load() has succeeded. */
extern const struct keyring *vault;

/*
 * Reads the master key file; in the portal before privileges are dropped and
 * workers are forked.  False with one line in ret_why.
 */
MUST_CHECK bool	 vault_read_master(struct arena *, const char *path,
		    const char **ret_why);

/*
 * Opens all rows of sealed_key.  False with one line in ret_why (static or in
 * the handle's arena) when the file is not the one that the rows were sealed
 * under, or when a kind is missing; the program must not start then.  Called
 * again it does nothing.
 */
WAITS MUST_CHECK bool vault_load(struct db *, const char **ret_why);

/*
 * Makes the first version of every kind that has none, in one statement;
 * safe to run twice and at the same time as another.  Number made.
 */
WAITS int64_t	 vault_init(struct db *);

#endif
