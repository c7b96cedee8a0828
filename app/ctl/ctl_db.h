/*
 * The SQL of latchkeyctl's commands.  Everything that an operator does is
 * written to the audit as such, in the statement that does it.
 */
#ifndef CTL_CTL_DB_H
#define CTL_CTL_DB_H

#include "crypto/token.h"
#include "db/db.h"

struct address;
struct keyring;

/* Keys in the database, of whatever version. */
WAITS int64_t	 ctl_db_sealed_keys(struct db *);
/* False when there are products already. */
WAITS MUST_CHECK bool ctl_db_demo(struct db *);

struct ctl_staff {
	const char		*id;		/* of the account or sign-up */
	const struct address	*address;
	const char		*name;
	const char		*role;		/* staff or admin */
};
/* False when somebody has an account with this address. */
WAITS MUST_CHECK bool ctl_db_staff_add(struct db *, const struct ctl_staff *,
		    const char *password_hash);
/* A sign-up with a role, for 24 hours; earlier ones of the address end. */
WAITS MUST_CHECK bool ctl_db_staff_invite(struct db *,
		    const struct ctl_staff *, const void *token_hash,
		    size_t bytes);
WAITS bool	 ctl_db_has_admin(struct db *);
WAITS bool	 ctl_db_has_account(struct db *, const struct address *);

enum ctl_reset { CTL_RESET_DONE, CTL_RESET_NOBODY, CTL_RESET_NOTHING };
/* Takes away second factors and recovery codes and ends all sessions; the
 * account is told by mail. */
WAITS MUST_CHECK enum ctl_reset ctl_db_reset_2fa(struct db *,
		    const struct address *);

/* Ends all sessions and half sign-ins; how many sessions there were. */
WAITS int64_t	 ctl_db_sessions_end(struct db *);

WAITS const struct db_rows *ctl_db_tenants(struct db *);
WAITS const struct db_rows *ctl_db_subscriptions(struct db *);

/* Rows of an import, in columns. */
struct ctl_tenants {
	size_t		 n;
	const char	**id, **code, **name, **folded, **slug;
	size_t		 n_domains;
	const char	**domain_tenant, **domain;	/* id and domain */
};
/* Clients whose name changes, in columns. */
struct ctl_renames {
	size_t		 n;
	const char	**id, **name, **folded;
};
/* (place from 1, id, name, code, domains parted by ";") of the clients that have
 * these codes, or had them: then the code is another. */
WAITS const struct db_rows *ctl_db_tenants_there(struct db *,
		    const char *const *codes, size_t n);
/* Those of them that belong to public mail, and those that are taken. */
WAITS const struct db_rows *ctl_db_public_domains(struct db *,
		    const char *const *domains, size_t n);
WAITS const struct db_rows *ctl_db_slugs_taken(struct db *,
		    const char *const *slugs, size_t n);
/* New clients, domains for them and for others, and new names: all or none;
 * false when somebody was faster. */
WAITS MUST_CHECK bool ctl_db_tenants_import(struct db *,
		    const struct ctl_tenants *, const struct ctl_renames *);

/* Subscriptions of an import, in columns; each has two keys, one behind the
 * other. */
struct ctl_subscriptions {
	size_t		 n;
	const char	**id, **tenant, **product, **name, **state;
	const char	**key_id, **key_subscription, **key_slot;
	const char	**key_sealed, **key_mac, **key_prefix_mac, **key_last4;
	int64_t		 mac_version;
};
/* For each row, in order: (row, is there such a client, such a product, the
 * client's id, the product's one-key rule, has the client a live key). */
WAITS const struct db_rows *ctl_db_subscriptions_known(struct db *,
		    const struct ctl_subscriptions *);
/* The places, from 1, of those that are there already. */
WAITS const struct db_rows *ctl_db_keys_known(struct db *,
		    const char *const *macs, size_t n);
/* All or none; false when something changed in between. */
WAITS MUST_CHECK bool ctl_db_subscriptions_add(struct db *,
		    const struct ctl_subscriptions *);

/* For doctor. */
WAITS const struct db_rows *ctl_db_server(struct db *);	/* version, role */
/* (change id, name, changes); no row: never deployed or not readable. */
WAITS const struct db_rows *ctl_db_schema(struct db *);
/* (queued, failed, seconds that the oldest due one has waited, dropped) */
WAITS const struct db_rows *ctl_db_outbox(struct db *);
/* (kind, version, master version, rows sealed or hashed under it, is it used
 * for new ones) */
WAITS const struct db_rows *ctl_db_keys(struct db *);

/* Tables with sealed values, up to one without a name. */
struct ctl_sealed {
	const char		*name;
	const struct db_query	*read, *put;
	const char		*(*row)(struct arena *, const char *id,
				    const char *slot);
};
extern const struct ctl_sealed ctl_sealed[];
/* Rows of all of them that stand on an older data key than this. */
WAITS int64_t	 ctl_db_sealed_before(struct db *, int64_t version);

/* How far it is. */
struct ctl_reseal {
	int64_t	 began;			/* monotonic */
	int64_t	 total, done;
	int64_t	 skipped;		/* held by somebody, or changed */
	int64_t	 broken;		/* did not open */
	char	 broken_row[128];
};
/* Memory for a row, several times over. */
#define CTL_RESEAL_BYTES	4096u
/*
 * Seals up to `batch` rows of a table whose id is behind `after` anew under
 * `version`, which the ring seals under, and moves `after` on.  False when
 * there are no more.
 */
WAITS bool	 ctl_db_reseal(struct db *, const struct keyring *,
		    const struct ctl_sealed *, int64_t version, int batch,
		    char after[UUID_TEXT], struct ctl_reseal *);

#endif
