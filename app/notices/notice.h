/*
 * Notices: what mails tell, in the portal as well (migrations/notices), with a
 * bell in the frame of every page whose number session_db_find() brings.  Each
 * person chooses for each kind of mail whether it comes at once, once a day
 * with all else of the day, or not at all; mail about sign-in and about who is
 * let in always comes.
 *
 * Every mail that may be turned off has a link that does so without sign-in,
 * by one click of the mail program (RFC 8058): its token is derived from
 * account and kind, so it opens nothing else and needs no row.
 */
#ifndef NOTICES_NOTICE_H
#define NOTICES_NOTICE_H

#include "db/db.h"

#define NOTICE_PAGE_ROWS	30

struct notice {
	const char	*id, *words;
	int64_t		 at;
	bool		 is_read;
};
struct notices {
	struct notice	*list;		/* newest first */
	int		 n;
	bool		 more;
};
/* Behind the place of another, (0, NULL) from the newest on. */
WAITS struct notices notice_db_page(struct db *, const char *account_id,
		    int64_t at, const char *id);
/* Marks it read.  Where it leads, a path of our own; NULL: no such notice. */
WAITS const char *notice_db_open(struct db *, const char *account_id,
		    const char *id);
/* All that are there up to a time. */
WAITS void	 notice_db_read_all(struct db *, const char *account_id,
		    int64_t until);

struct notice_choice {
	const char	*kind, *words;
	const char	*choice;	/* "now", "daily", "off" */
};
struct notice_choices {
	struct notice_choice *list;
	int		 n;
};
WAITS struct notice_choices notice_db_choices(struct db *,
		    const char *account_id, bool is_staff);
/* Kinds that nobody may turn off are left alone. */
WAITS void	 notice_db_choose(struct db *, const char *account_id,
		    const char *const *kinds, const char *const *choices,
		    size_t n);
WAITS void	 notice_db_unsubscribe(struct db *, const char *account_id,
		    const char *kind);

#endif
