/*
 * What admins do with clients: make one, edit it, close and reopen it.
 *
 *	active <-> closed	no live key and no open request left; a closed
 *				client asks for nothing and lets nobody in; its
 *				people keep their accounts
 *	active, closed -> merged	see tenant_merge.h
 *
 * The code never changes.  Mail domains let people in, so everything here asks
 * for a fresh sign-in and is audited; who edits says which version he has seen.
 */
#ifndef TENANTS_TENANT_EDIT_H
#define TENANTS_TENANT_EDIT_H

#include "tenants/tenant.h"

struct view;

#define TENANT_HOSTS_MAX	50
#define TENANT_DOMAINS_MAX	50
#define TENANT_DESIGNATED_MAX	200
#define TENANT_NOTES_MAX	4000	/* characters */
#define TENANT_REASON_MAX	1000

struct tenant_strings {
	const char	**list;
	size_t		 n;
};

/* What is to be kept, checked: tenant_form_read() makes it. */
struct tenant_change {
	const char	*code;		/* of a new one, or of the one edited */
	const char	*name, *slug;	/* slug "": made of the name */
	struct tenant_strings hosts, domains;
	struct tenant_strings designated, designated_folded;	/* of a length */
	const char	*notices_to, *notes;
	int64_t		 version;	/* that was seen */
};

/*
 * Reads the form of a new client or an edited one, says in the view what is
 * wrong with its fields (code, name, slug, hosts, domains, designated,
 * notices_to, notes), and keeps what was typed there.
 */
void		 tenant_form_read(struct req *, struct view *, bool is_new,
		    struct tenant_change *ret_change);

/* The sentence for a slug, or NULL: a DNS label (RFC 1035) in small letters. */
const char	*tenant_slug_advice(const char *slug);
/* A host name of two labels or more in ASCII and small letters, or NULL. */
const char	*tenant_host_parse(struct arena *, const char *typed);

/* Something that another client has, or that nobody may have. */
struct tenant_taken {
	const char	*what;		/* "code", "slug", "host", "public" */
	const char	*value;
	const char	*code, *name;	/* of the client that has it, or "" */
	bool		 is_former;	/* it is a former code of that client */
};
struct tenant_takens {
	struct tenant_taken *list;
	int		 n;
};
/* id is that of the client edited, NULL for a new one. */
WAITS struct tenant_takens tenant_db_taken(struct db *, const char *id,
		    const struct tenant_change *);

enum tenant_result {
	TENANT_DONE,
	TENANT_NONE,		/* no such client, or may not */
	TENANT_TAKEN,		/* somebody was faster: ask tenant_db_taken() */
	TENANT_STALE,		/* it was edited meanwhile */
	TENANT_HAS_KEY,		/* cancel the live subscription first */
	TENANT_HAS_REQUEST,	/* decide on the open request first */
};
WAITS MUST_CHECK enum tenant_result tenant_db_make(struct db *,
		    const char *who, const struct tenant_change *);
WAITS MUST_CHECK enum tenant_result tenant_db_edit(struct db *,
		    const char *who, const char *id,
		    const struct tenant_change *);
/* Ends invitations and planned seats; owners are told, with the reason. */
WAITS MUST_CHECK enum tenant_result tenant_db_close(struct db *,
		    const char *who, const char *id, const char *reason);
/* False: it is not closed. */
WAITS bool	 tenant_db_reopen(struct db *, const char *who,
		    const char *id);

/* Pages of admins. */
WAITS void	 tenant_page_new(struct req *);	/* GET /staff/tenants/new */
WAITS void	 tenant_page_make(struct req *);	/* POST /staff/tenants */
WAITS void	 tenant_page_edit_form(struct req *);	/* .../:code/edit */
WAITS void	 tenant_page_edit(struct req *);
WAITS void	 tenant_page_close(struct req *);	/* .../:code/close */
WAITS void	 tenant_page_reopen(struct req *);	/* .../:code/reopen */

/* Says in the view what another client has; true if there is anything. */
WAITS bool	 tenant_page_taken(struct req *, struct view *, const char *id,
		    const struct tenant_change *);
/* The client's page, with a form that was refused. */
WAITS void	 tenant_page_respond(struct req *, int status, struct view *,
		    const char *code);

#endif
