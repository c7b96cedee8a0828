/*
 * Subscription keys.  A subscription has a primary and a secondary key, each
 * 32 lowercase hexadecimal characters (128 random bits), as in Azure API
 * Management.  Both work at any time.
 *
 * At rest a key is sealed (crypto/seal.h) with its row's name as associated
 * data, so a value that was moved to another row does not open, and has two
 * HMACs for look-up: of the whole, and of its first 8 characters.  Lists show
 * the last 4.
 *
 * A key is never a part of a page until somebody posted Show after a fresh
 * sign-in.  That form carries a nonce, bound to session, subscription and
 * slot, which is burned in the statement that writes the audit row: sent again
 * (reload, back) nothing is shown or written.
 */
#ifndef KEYS_KEY_H
#define KEYS_KEY_H

#include "crypto/seal.h"
#include "db/db.h"

struct req;

#define KEY_TEXT	33	/* 16 bytes in hexadecimal and the NUL */
#define KEY_PREFIX	8	/* characters */
#define KEY_ROW_MAX	80	/* "subscription_key:<uuid>:secondary" */
#define KEY_SEALED	(KEY_TEXT - 1 + SEAL_OVERHEAD)
#define KEY_NONCE_MAX	128

/* What is stored of a new key. */
struct key_made {
	char		 id[UUID_TEXT];
	const char	*slot;			/* "primary", "secondary" */
	unsigned char	 sealed[KEY_SEALED];
	unsigned char	 mac[SHA256_BYTES], prefix_mac[SHA256_BYTES];
	uint32_t	 mac_version;
	char		 last4[5];
};

/* Makes a random key for a slot and what is stored of it; the key itself is
 * wiped.  False when the ring has no HMAC key. */
MUST_CHECK bool	 key_make(const struct keyring *, const char *slot,
		    struct key_made *ret_made);

/* The same of a key that exists elsewhere and is taken as it is: 32 lowercase
 * hexadecimal characters. */
MUST_CHECK bool	 key_take(const struct keyring *, const char *slot,
		    const char *text, struct key_made *ret_made);

bool		 key_slot_valid(const char *);
/* The associated data of a sealed key. */
void		 key_row(char ret_row[KEY_ROW_MAX], const char *key_id,
		    const char *slot);

/* One-use nonces of the forms that show a key or replace it: sessions/nonce.h
 * for a subscription and a slot. */
const char	*key_nonce_make(struct arena *, const char *cookie,
		    const char *subscription_id, const char *slot);
/* True if it was made for this session, subscription and slot. */
bool		 key_nonce_valid(struct arena *, const char *nonce,
		    const char *cookie, const char *subscription_id,
		    const char *slot);

enum key_reveal_result {
	KEY_REVEAL_NONE,	/* no such key for this account */
	KEY_REVEAL_AGAIN,	/* the nonce was used before: nothing written */
	KEY_REVEAL_SHOWN,
};

struct key_revealed {
	const char	*key_id, *slot;
	const char	*name;			/* of the subscription */
	const char	*tenant_code, *tenant_name, *last4;
	const char	*base_url, *example_path;
	bool		 needs_api_user;
	const void	*sealed;		/* only when shown */
	size_t		 sealed_bytes;
};

/*
 * For a member of the tenant that the subscription belongs to, while it is
 * active or suspended: burns the nonce, writes the audit row "key.shown" and
 * reads the sealed value, in one statement.
 */
WAITS MUST_CHECK enum key_reveal_result key_db_reveal(struct db *,
		    const char *account_id, const char *subscription_id,
		    const char *slot, const char *nonce,
		    struct key_revealed *ret_revealed);

/* Opens a sealed key into the arena. */
MUST_CHECK enum seal_result key_open(const struct keyring *, struct arena *,
		    const char *key_id, const char *slot, const void *sealed,
		    size_t bytes, struct secret *ret_key);

/* POST /subscriptions/:id/keys/primary/show and .../secondary/show */
WAITS void	 key_page_show_primary(struct req *);
WAITS void	 key_page_show_secondary(struct req *);

#endif
