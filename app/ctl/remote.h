/*
 * latchkeyctl from another machine: commands go through the API of a portal
 * (/api/v1, described by app/api/openapi.py) with an access token, in place of
 * database and master key.  TLS is verified, redirects are not followed, and
 * nothing goes unencrypted but to this machine itself.  The token stands in no
 * line that is printed.
 */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include "api/json.h"
#include "ctl/ctl.h"
#include "keys/find.h"

#define REMOTE_CONNECT_S	5L
#define REMOTE_WHOLE_S		30L		/* of one call */
#define REMOTE_ANSWER_MAX	(1024u * 1024)	/* bytes */

/*
 * Takes --url, --token, --token-file and --ca-file out of the words; the value
 * of --token is wiped from the list of processes at once.  ctl->remote stays
 * NULL without --url.  CTL_DONE, or it has said what is wrong.
 */
enum ctl_exit	 remote_open(struct ctl *);
void		 remote_close(struct ctl *);

/*
 * One call: a POST when there is a body.  404 is answered with `missing`.
 * False when it was refused or failed, with the line said.  ret_answer is the
 * JSON that came, in the arena; NULL for an empty answer.
 */
MUST_CHECK bool	 remote_call(struct ctl *, const char *path, const char *body,
		    const char *missing, const struct api_json **ret_answer);
/* False: what came is not what the description says; the line is said. */
bool		 remote_refuse_answer(struct ctl *);

/* ---- what the commands ask, in the form in which they print it ---- */

MUST_CHECK bool	 remote_tenants(struct ctl *, struct ctl_table *);
MUST_CHECK bool	 remote_subscriptions(struct ctl *, struct ctl_table *);
MUST_CHECK bool	 remote_key_find(struct ctl *, enum find_by, const char *text,
		    struct found_keys *);
MUST_CHECK bool	 remote_key_revoke(struct ctl *, const char *id,
		    int64_t overlap_s, const char *reason);

#endif
