/*
 * Issued keys: what products have whose profile is not a pair.  A key has a
 * name, a maker, scopes where the profile has them picked, and one value; the
 * value is shown once, in the answer to the form that made it, and stands here
 * as HMACs with how it begins and ends.  What may be done with a key is the
 * profile's data (key_profile), never a branch on its name.
 *
 * Who may what, asked in each statement:
 *   makes:   whom the profile lets (people, administrators, granted)
 *   sees, stops:  owners and managers all keys of the client; others their
 *            own, and, of keys that are the client's (not within_maker), all
 *            if they may make them
 *   changes, regenerates:  who may make keys; of keys that carry their maker's
 *            permissions (within_maker), the maker alone
 * What somebody else has deactivated, only owners and managers activate.
 *
 * Of two who make the hundredth key at once one does, and one of two who give
 * one name: a trigger counts behind the subscription's lock, and an index has
 * the names.
 */
#ifndef KEYS_ISSUED_H
#define KEYS_ISSUED_H

#include "crypto/coded.h"
#include "crypto/token.h"
#include "db/db.h"

struct keyring;
struct req;

#define ISSUED_NAME_MAX		60	/* characters */
#define ISSUED_SCOPES_MAX	200	/* of a product, offered */
#define ISSUED_LIVING_MAX	100	/* of a subscription */
#define ISSUED_PAGE_ROWS	50
#define ISSUED_OVERLAPS_MAX	4
#define ISSUED_EXPIRY_MAX_DAYS	3660	/* ten years ahead */
#define ISSUED_REASON_MAX	1000	/* characters */

/* ---- values ---- */

struct issued_value {
	char		 id[UUID_TEXT];
	char		 text[CODED_TEXT];	/* the caller wipes it */
	unsigned char	 mac[SHA256_BYTES], prefix_mac[SHA256_BYTES];
	uint32_t	 mac_version;
	char		 first[13], last4[5];
};

/* A random value that begins with the letters, the letter of the environment
 * ("" for none) and "_"; shows_first (12 at most) characters of it are kept. */
void		 issued_value_make(const struct keyring *, const char *letters,
		    const char *env_letter, int64_t shows_first,
		    struct issued_value *ret_value);
/* By LATCHKEY_KEY_LETTERS, else the profile's; else the first letter of the
 * environment. */
const char	*issued_letters(struct arena *, const char *profile,
		    const char *otherwise);
const char	*issued_env_letter(struct arena *, const char *environment);

/* ---- where keys are made ---- */

/* A subscription whose keys are issued, with the words and rules of its
 * profile, as one person sees it. */
struct issued_place {
	const char	*subscription_id, *subscription, *environment;
	const char	*product, *product_id, *client, *tenant_slug;
	const char	*state;			/* by the clock */
	bool		 is_live;
	const char	*profile, *title, *summary;
	const char	*menu;			/* "Settings\nDeveloper" */
	const char	*makers, *scopes, *letters;
	const char	*key_header, *tenant_header, *tenant_by;
	const char	*base_url, *example_path;
	const char	*overlaps;		/* "0,86400" */
	int64_t		 shows_first, calls_a_minute;	/* 0: no limit */
	int64_t		 living;
	bool		 within_maker, env_letter, takes_token;
	bool		 can_pause, can_delete, can_revoke, can_expire;
	bool		 may_make;		/* who asks, now */
	bool		 sees_all;
};
/* NULL: no such subscription of the person's client, or it has a pair. */
WAITS struct issued_place *issued_db_place(struct db *, const char *who,
		    const char *subscription_id);

struct issued_scope {
	const char	*word, *description;
	bool		 may;	/* the person has all that it stands for, or
				 * the profile does not ask */
	bool		 is_picked;	/* of a key that is given */
};
struct issued_scopes {
	struct issued_scope *list;
	int		 n;
};
/* Of a product, in its order; key_id may be NULL. */
WAITS struct issued_scopes issued_db_scopes(struct db *, const char *who,
		    const char *subscription_id, const char *key_id);

/* ---- keys ---- */

struct issued_key {
	const char	*id, *subscription_id, *name;
	const char	*state;		/* pending active inactive revoked, or by
					 * the clock: expired */
	const char	*first, *last4, *value_id;	/* "" while pending */
	const char	*old_id, *old_last4;	/* "": none works */
	int64_t		 old_ends_at;
	const char	*maker, *scopes;	/* scopes: "a, b" */
	const char	*state_by, *state_reason, *address;
	int64_t		 made_at, expires_at, used_at, state_at;	/* 0 */
	bool		 is_own, may_change, may_activate;
	bool		 maker_gone;	/* not active, or of another client */
	bool		 maker_lost;	/* has less than the key was given */
};
struct issued_keys {
	struct issued_key *list;	/* newest first */
	int		 n;
	const char	*next_after;	/* "" at the end */
};
/* Those that the person sees, but what was deleted. */
WAITS struct issued_keys issued_db_list(struct db *, const char *who,
		    const char *subscription_id, const char *after);
WAITS struct issued_key *issued_db_find(struct db *, const char *who,
		    const char *key_id);
/* All of a subscription, for staff. */
WAITS struct issued_keys issued_db_staff(struct db *,
		    const char *subscription_id, const char *after);

/* Of which subscription a key is; NULL: none such. */
WAITS const char *issued_db_of(struct db *, const char *key_id);

enum issued_result {
	ISSUED_DONE,
	ISSUED_NONE,	/* no such thing for this person, or no right */
	ISSUED_AGAIN,	/* the nonce was used before: nothing done */
	ISSUED_LATE,	/* it is not as it was */
	ISSUED_SCOPES,	/* none, of another product, or beyond the maker */
	ISSUED_FULL,	/* ISSUED_LIVING_MAX */
	ISSUED_NAME,	/* taken */
};

struct issued_form {
	const char	*name, *name_folded;
	const char	*scopes[ISSUED_SCOPES_MAX];	/* words */
	size_t		 scopes_n;
	int64_t		 expires_at;	/* 0: never */
};
/* Writes what the form says with the value that was made, and tells the
 * owners.  The nonce is burned. */
WAITS MUST_CHECK enum issued_result issued_db_make(struct db *,
		    const char *who, const char *subscription_id,
		    const char *key_id, const struct issued_form *,
		    const struct issued_value *, const char *nonce);
/* Name, scopes and expiry of the form in place of those before. */
WAITS MUST_CHECK enum issued_result issued_db_edit(struct db *,
		    const char *who, const char *key_id,
		    const struct issued_form *);
/* was: the value that is replaced.  overlap_s: one of the profile's. */
WAITS MUST_CHECK enum issued_result issued_db_regenerate(struct db *,
		    const char *who, const char *key_id, const char *was,
		    int64_t overlap_s, const struct issued_value *,
		    const char *nonce);
WAITS MUST_CHECK enum issued_result issued_db_end(struct db *,
		    const char *who, const char *key_id, const char *value_id);
/* deed: "deactivate", "activate", "revoke", "delete". */
WAITS MUST_CHECK enum issued_result issued_db_state(struct db *,
		    const char *who, const char *key_id, const char *deed);
/* By staff, or, with who NULL, an operator; for any profile. */
WAITS MUST_CHECK enum issued_result issued_db_revoke(struct db *,
		    const char *who, const char *key_id, const char *reason);

/* Where a client has keys: its live subscriptions, newest first. */
#define KEYS_PLACES_MAX		50
struct keys_place {
	const char	*subscription_id, *subscription, *product, *environment;
	const char	*state, *menu, *summary;	/* menu: "A → B" */
	bool		 is_pair;
	int64_t		 living;	/* issued keys that have not ended */
};
struct keys_places {
	struct keys_place *list;
	int		 n;
};
WAITS struct keys_places keys_db_places(struct db *, const char *who);

/* ---- pages ---- */

/* GET /keys */
WAITS void	 issued_page_all(struct req *);
/* GET /subscriptions/:id where its keys are issued; of rotate_page() */
WAITS void	 issued_page(struct req *, const struct issued_place *);
/* POST /subscriptions/:id/issued */
WAITS void	 issued_page_make(struct req *);
/* GET, POST /issued-keys/:id, and below */
WAITS void	 issued_page_key(struct req *);
WAITS void	 issued_page_edit(struct req *);
WAITS void	 issued_page_regenerate(struct req *);
WAITS void	 issued_page_end(struct req *);
WAITS void	 issued_page_deactivate(struct req *);
WAITS void	 issued_page_activate(struct req *);
WAITS void	 issued_page_revoke(struct req *);
WAITS void	 issued_page_delete(struct req *);
/* GET /staff/subscriptions/:id/issued */
WAITS void	 issued_page_staff(struct req *);
/* POST /staff/issued-keys/:id/revoke */
WAITS void	 issued_page_staff_revoke(struct req *);

#endif
