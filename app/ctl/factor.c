/*
 * latchkeyctl staff reset-2fa: for the person whose phone is lost and whose
 * recovery codes are, too.  latchkeyctl session end: for the day on which nobody
 * knows who is signed in.
 */
#include "ctl/ctl.h"

#include "base/str.h"
#include "ctl/ctl_db.h"
#include "mail/address.h"

enum ctl_exit
ctl_staff_reset_2fa(struct ctl *ctl)
{
	enum address_verdict	verdict;
	struct address		address;

	if (!ctl_words(ctl, 1))
		return (CTL_USAGE);
	verdict = address_parse(ctl->arena, ctl->argv[0], &address);
	if (verdict != ADDRESS_GOOD)
		return (ctl_refuse("%s", address_advice(verdict)));
	switch (ctl_db_reset_2fa(ctl->db, &address)) {
	case CTL_RESET_NOBODY:
		return (ctl_refuse("%s has no account", address.text));
	case CTL_RESET_NOTHING:
		return (ctl_refuse("%s has no second factor", address.text));
	case CTL_RESET_DONE:
		break;
	}
	printf("%s signs in with the password alone now; the sessions have "
	       "ended, and a mail tells of it\n",
	    address.text);
	return (CTL_DONE);
}

enum ctl_exit
ctl_session_end(struct ctl *ctl)
{
	bool	all = ctl_flag(ctl, "--all");

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (!all)
		return (ctl_usage("--all must be there: one person's sessions "
		    "are ended on the person's page"));
	printf("%lld sessions have ended\n",
	    (long long)ctl_db_sessions_end(ctl->db));
	return (CTL_DONE);
}
