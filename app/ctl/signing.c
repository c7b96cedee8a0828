/*
 * latchkeyctl signing-key: a new key that signs access tokens.  Portals hear of
 * it by a notification, others by the JWK Set, which they may keep for five
 * minutes: so it is published for a while before it signs.
 */
#include "ctl/ctl.h"

#include "base/setting.h"
#include "base/str.h"
#include "vault/signing.h"

#define PUBLISH_S	600	/* twice what the JWK Set may be kept */
#define PUBLISH_MAX_S	86400

enum ctl_exit
ctl_signing_rotate(struct ctl *ctl)
{
	const char	*text = ctl_option(ctl, "--publish");
	bool		 at_once = ctl_flag(ctl, "--now");
	int64_t		 publish_s = PUBLISH_S;
	char		 kid[JWK_KID];

	if (text != NULL && (at_once || !str_to_int(text, 0, PUBLISH_MAX_S,
	    &publish_s)))
		return (ctl_usage("--publish is in seconds, up to %d, and not "
		    "with --now", PUBLISH_MAX_S));
	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (!ctl_open_vault(ctl))
		return (CTL_REFUSED);
	if (!signing_db_rotate(ctl->db, setting->token_rs256 ? JWT_RS256 :
	    JWT_ES256, publish_s, setting->token_s, at_once, kid))
		return (ctl_refuse("nothing was done: somebody else rotates, or "
		    "%d keys are good at once", SIGNING_MAX));
	if (at_once)
		printf("key %s signs from now on; all tokens of before have "
		    "ended, programs exchange their keys anew\n", kid);
	else
		printf("key %s is published, and signs in %lld seconds; the "
		    "one before verifies until its last token is over\n", kid,
		    (long long)publish_s);
	return (CTL_DONE);
}
