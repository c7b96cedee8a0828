/*
 * The chains of audit rows (migrations/deploy/audit_chain.sql), checked from
 * outside of the database: what it says of itself is not believed, each hash
 * is made again here.
 *
 * A chain ("lane") is a tenant's, or one of 16 for rows without tenant; its
 * links are numbered from 1, and a link's hash covers the row and the hash
 * before.  So a row that was changed, moved, put in between or taken out shows;
 * that rows are missing from the end shows only by anchors: heads of chains
 * that the courier wrote to its log each minute.
 *
 * An anchor line is one of the log with "event":"audit_heads", a number, and
 * up to ANCHOR_HEADS heads as "lane:n:hash", parted by spaces.  The lines are
 * a chain, too: `digest` covers the line and the digest before it, so that the
 * absence of a line is noticed.
 */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include "base/str.h"
#include "crypto/token.h"

#define HASH_TEXT	(2 * SHA256_BYTES + 1)
/* 36 + 1 + 19 + 1 + 64 + 1 = 122 bytes each, within the 1000 that a value of
 * the log has. */
#define ANCHOR_HEADS	8

/* A row and its link, as texts of the database; NULL for SQL's NULL. */
struct chain_row {
	const char	*lane, *n;
	const char	*id;		/* NULL: the link's row is gone */
	const char	*at_us, *tenant, *actor_kind, *actor, *action,
			*subject_kind, *subject, *detail;
	const char	*hash;		/* as stored, hexadecimal */
};

/* The hash that the row has behind `before` ("" for the first). */
void	 chain_hash(struct arena *, const struct chain_row *,
	    const char *before, char ret_hash[HASH_TEXT]);
/* The lane that a row belongs to. */
void	 chain_lane(const struct chain_row *, char ret_lane[UUID_TEXT]);

struct anchor_line {
	int64_t		 number, lanes, rows;
	const char	*heads, *previous, *digest;
};
void	 anchor_digest(struct arena *, const struct anchor_line *,
	    char ret_digest[HASH_TEXT]);
/* Reads a line of a log; false when it is no anchor line. */
MUST_CHECK bool	 anchor_read(struct arena *, const char *line,
		    struct anchor_line *ret_line);

struct head {
	char		 lane[UUID_TEXT];
	int64_t		 n;
	char		 hash[HASH_TEXT];
};
/* The next head of a line's text, which *at moves along; false at its end or
 * where it is none. */
MUST_CHECK bool	 anchor_head(struct arena *, const char **at,
		    struct head *ret_head);
/* For qsort(): by lane, then by n. */
int	 head_compare(const void *, const void *);

#endif
