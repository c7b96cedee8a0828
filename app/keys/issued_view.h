/*
 * Issued keys and where they are made, as views.
 */
#ifndef KEYS_ISSUED_VIEW_H
#define KEYS_ISSUED_VIEW_H

#include "keys/issued.h"

struct view;

/* Words and rules of the place: see templates/keys/issued.html. */
void	issued_view_place(struct req *, struct view *,
	    const struct issued_place *);
/* What a form has just done, of ?done=. */
void	issued_view_done(struct req *, struct view *);
void	issued_view_key(struct req *, struct view *,
	    const struct issued_place *, const struct issued_key *);
void	issued_view_keys(struct req *, struct view *,
	    const struct issued_place *, const struct issued_keys *);
/* Those that are offered; is_typed: picked as the form was sent, else as the
 * key has them. */
void	issued_view_scopes(struct req *, struct view *,
	    const struct issued_scopes *, bool is_typed);
void	issued_view_overlaps(struct req *, struct view *,
	    const struct issued_place *);
/* "Live" in the colour of its own. */
void	environment_view(struct req *, struct view *, const char *environment);

/* A typed overlap that the profile offers. */
MUST_CHECK bool	issued_overlap_parse(const struct issued_place *,
	    const char *typed, int64_t *ret_seconds);

#endif
