/*
 * Key profiles: how the keys of a product are handed out (migrations,
 * key_profiles; app/keys/README.md).  A profile is data, and so is all that is
 * said of it here: no function asks for one by its name.
 *
 * An admin chooses a product's profile after a look at its effect.  Between
 * pairs and issued keys a product changes only while nobody has a live
 * subscription; between issued keys the keys go on, and the page says what
 * becomes of them.
 */
#ifndef PRODUCTS_KEY_PROFILE_H
#define PRODUCTS_KEY_PROFILE_H

#include "products/catalogue.h"

#define KEY_PROFILES_MAX	20
#define KEY_FACTS_MAX		12
#define KEY_CHANGES_MAX		12
#define KEY_CALLS_MAX		INT64_C(1000000)	/* a minute, of a key */

/* Columns of key_profile, of the same names. */
struct key_profile {
	const char	*name, *title, *summary;
	const char	*key_header, *key_query;	/* "": not at all */
	const char	*tenant_header, *tenant_by;
	const char	*makers, *scopes, *reveal, *letters;
	const char	*menu;			/* "Settings → Developer" */
	const char	*overlaps;		/* "0, 86400" in seconds, "" */
	bool		 is_pair, takes_token, within_maker, env_letter;
	bool		 can_pause, can_delete, can_revoke, can_expire;
	int64_t		 missing_status, unknown_status, shows_first;
	int64_t		 calls_a_minute;	/* of a key; 0: none */
};
struct key_profiles {
	struct key_profile *list;
	int		 n;
};

/* How a product's keys are handed out. */
struct key_rule {
	struct key_profile profile;
	/* The product's own, or 0: the profile's. */
	int64_t		 calls_a_minute;
};

/* A sentence under a label. */
struct key_fact {
	const char	*label, *text;
};
/* What a profile means, the same labels in the same order for each; returns
 * how many, at most KEY_FACTS_MAX.  calls: as in struct key_rule. */
int		 key_profile_facts(struct arena *, const struct key_profile *,
		    int64_t calls, struct key_fact[KEY_FACTS_MAX]);

/* What stands under a product, for what becomes of it. */
struct key_counts {
	int64_t		 subscriptions;	/* live */
	int64_t		 keys;		/* issued, not at an end */
	int64_t		 inactive, pending;
	int64_t		 with_scopes;	/* of keys */
	int64_t		 beyond;	/* whose scopes say more than the
					 * maker may */
	int64_t		 own_limit;	/* with a number of their own */
};
/* May the product go from one to the other? */
bool		 key_profile_can_follow(const struct key_profile *from,
		    const struct key_profile *to, const struct key_counts *);
/* What becomes of each key; returns how many sentences. */
int		 key_profile_changes(struct arena *, const struct key_rule *from,
		    const struct key_rule *to, const struct key_counts *,
		    const char *ret_text[KEY_CHANGES_MAX]);

/* In the order of place. */
WAITS struct key_profiles key_profile_db_list(struct db *);
/* Of a product that exists. */
WAITS struct key_rule key_profile_db_of(struct db *, const char *product_id);
/* That of pairs, for pages that are about one. */
WAITS struct key_profile key_profile_db_pair(struct db *);
WAITS struct key_counts key_profile_db_counts(struct db *,
		    const char *product_id);
/* CATALOGUE_RULE: between pairs and issued keys, with live subscriptions.
 * calls: 0 for the profile's. */
WAITS MUST_CHECK enum catalogue_result key_profile_db_set(struct db *,
		    const struct catalogue_change *, const char *name,
		    int64_t calls);

/* GET and POST /staff/products/:id/keys */
WAITS void	 key_profile_page_show(struct req *);
WAITS void	 key_profile_page_set(struct req *);
/* Values of partials/snippets that depend on the profile. */
void		 key_profile_snippets(struct arena *, struct view *,
		    const struct key_profile *, const char *base_url);
/* The list "key_facts" of label and text. */
void		 key_profile_view(struct arena *, struct view *,
		    const struct key_rule *);

#endif
