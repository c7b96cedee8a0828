/*
 * What a worker knows of key profiles (app/keys/README.md): in which headers a
 * call may carry a key or name its client, and what is answered to one without
 * a key.  Of the profiles that some product has; read at the start and when
 * something of them has changed.  Until then all are taken for possible that
 * the installation begins with.
 *
 * Names are known by small numbers that stay as long as the process, 0: none.
 * A name beyond KEYWAY_NAMES is no header of ours: its keys are unknown.
 */
#ifndef GATEWAY_KEYWAY_H
#define GATEWAY_KEYWAY_H

#include "db/db.h"

#define KEYWAY_NAMES	24u
#define KEYWAY_NAME	40u	/* bytes, as key_profile has it */
#define KEYWAY_PRODUCTS 512u	/* others have what all have in common */
#define KEYWAY_SLUG	64u	/* with the NUL */
#define KEYWAY_ANY	255u	/* a name that stands for each */

enum keyway_use { KEYWAY_KEY = 1, KEYWAY_QUERY, KEYWAY_TENANT };

struct keyway_row {
	char		 slug[KEYWAY_SLUG];	/* of the product */
	uint16_t	 missing_status, unknown_status;
	uint8_t		 key, query;		/* names */
	bool		 is_pair;
	char		 letters[3];
};

/* The number of a name, which is made for it where there is none; 0 for "". */
uint8_t	 keyway_name(enum keyway_use, const char *name);
const char *keyway_name_text(uint8_t);
/* Which of those in use is this header, whatever its case? */
uint8_t	 keyway_header(const char *name, enum keyway_use *ret_use);
/* The next name of a field of the query behind `after`; 0: no more. */
uint8_t	 keyway_query(uint8_t after);

/*
 * What a call without a right key is answered by: of the product that the
 * gateway names; else what all products have in common whose keys come in this
 * header (0: not known) and begin with the letters that the text does (NULL: no
 * text).  NULL: they differ, or there are none.  Where they have it in other
 * headers, key is 0.  Good until the next call.
 */
const struct keyway_row *keyway_of(const char *slug, uint8_t key,
	    const char *text);

/* What was read, in place of what was known. */
void	 keyway_begin(void);
void	 keyway_add(const struct keyway_row *, const char *tenant_header);
void	 keyway_end(void);
/* It may be different by now; and: it is to be read (which it then counts as
 * being). */
void	 keyway_told(void);
MUST_CHECK bool	 keyway_wanted(void);

/* Reads it. */
WAITS void keyway_db_read(struct db *);

#endif
