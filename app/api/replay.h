/*
 * Calls that are sent again.  A POST with an Idempotency-Key is written down
 * before it is done, under its token and the key, with a hash of what was sent:
 *
 *	the same again, answered	the same answer
 *	the same again, a secret	409 already_revealed
 *	the same again, still running	409 in_progress
 *	something else			422 key_reused
 *
 * for 24 hours.  A call that broke (5xx) stays as running: nobody knows whether
 * it was done, so it is not done again under this key.
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
/* body NULL: it revealed a secret. */
WAITS void	 replay_db_end(struct db *, const char *token_id,
		    const char *key, int status, const char *body);

#endif
