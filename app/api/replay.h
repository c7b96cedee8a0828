/*
 * Calls that are sent again.  A POST with an Idempotency-Key is written down
 * before it is done, under its token and the key, with a hash of what was sent:
 *
 *	the same again, answered	the same answer
 *	the same again, a secret	409 already_revealed
 *	the same again, still running	409 in_progress
 *	something else			422 key_reused
 *
 * for 24 hours.  A call that broke (5xx) before it wrote anything frees its key.
 * One that broke later, or whose write's answer was lost, stays as running: it was
 * done, or nobody knows, so it is not done again under this key.  So does one
 * whose key could not be freed, since the database was away, or its worker died.
 */
#ifndef API_REPLAY_H
#define API_REPLAY_H

#include "crypto/token.h"
#include "db/db.h"

enum replay_result {
	REPLAY_NEW,		/* written down: do it */
	REPLAY_DONE,		/* give the answer again */
	REPLAY_REVEALED,
	REPLAY_RUNNING,
	REPLAY_OTHER,
};
struct replay {
	int		 status;
	const char	*body;
};
WAITS MUST_CHECK enum replay_result replay_db_claim(struct db *,
		    const char *token_id, const char *key,
		    const unsigned char request[SHA256_BYTES],
		    struct replay *ret_replay);
/* It was not done: the next claim is new. */
WAITS void	 replay_db_free(struct db *, const char *token_id,
		    const char *key);
/* body NULL: it revealed a secret. */
WAITS void	 replay_db_end(struct db *, const char *token_id,
		    const char *key, int status, const char *body);

#endif
