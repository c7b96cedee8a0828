/*
 * The vault: the process's keyring (crypto/seal.h), filled at start from two
 * places: the master key file, and the table sealed_key, whose rows are sealed
 * under it.  Portal workers, courier and tool all read it here.
 *
 * Versions change while they run (README.md in this folder).  Who runs for long
 * calls vault_beat() every VAULT_BEAT_S: it says in key_holder what this process
 * has, and reads everything again when the file or the table has changed.
 *
 * Kinds that must be there: "data", and the HMAC purposes "subscription-key",
 * "subscription-key-prefix", "link", "api-user-password" and "access-token".
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
 * Whether the file opens all rows that sealed_key has, however few; false with
 * one line as below.  For a process that does nothing else.
 */
WAITS MUST_CHECK bool vault_fits(struct db *, const char **ret_why);

/*
 * Opens all rows of sealed_key, once; if the file has got newer keys since it
 * was read, by those.  False with one line in ret_why (static or in the handle's
 * arena) when the file is not the one that the rows were sealed under, or when
 * a kind is missing; the program must not start then.  Called again it does
 * nothing.
 */
WAITS MUST_CHECK bool vault_load(struct db *, const char **ret_why);

/*
 * Reads file and table again, in place of what was there: all or nothing, and
 * on false with one line in ret_why as above the process goes on with what it
 * has.  Pointers to the vault stay good.
 */
WAITS MUST_CHECK bool vault_refresh(struct db *, const char **ret_why);

#define VAULT_BEAT_S	2	/* seconds between two beats */
#define VAULT_LEASE_S	10	/* that one stands for, by default */

enum vault_beat {
	VAULT_SAME,
	VAULT_NEW,	/* other versions than before */
	VAULT_STUCK,	/* they can't be read: ret_why is set */
};
/*
 * program: "portal" or "courier".  The process counts as running for lease_s
 * seconds from now.  vault_load() has succeeded.
 */
WAITS MUST_CHECK enum vault_beat vault_beat(struct db *, const char *program,
		    int64_t lease_s, const char **ret_why);
/* The next beat reads everything again (SIGHUP); safe in a signal handler. */
void		 vault_reread(void);
/* Does not run any more: the process ends in order. */
WAITS void	 vault_leave(struct db *);

/*
 * seal_open() of a value of the database: one that stands on a version which
 * this process has not heard of yet makes it read everything again.
 */
WAITS MUST_CHECK enum seal_result vault_open(struct db *, const char *row,
		    const void *sealed, size_t bytes,
		    struct secret *ret_plain);

/* A new key of a kind, sealed under the newest master key, to be stored; see
 * keyring_make(). */
size_t		 vault_make(const char *kind, uint32_t version,
		    unsigned char ret_sealed[KEY_BYTES + SEAL_OVERHEAD]);

/*
 * Makes the first version of every kind that has none, in one statement;
 * safe to run twice and at the same time as another.  Number made.
 */
WAITS int64_t	 vault_init(struct db *);

#endif
