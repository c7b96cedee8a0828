/*
 * API users: machine accounts of a client, one for each integration, shown as
 * FORTAPI@ALTWORX.  The name has 2 to 32 of A-Z, 0-9, ".", "_" and "-"; it is
 * stored in capitals, so compared without case, and held for 90 days after its
 * user was deleted.
 *
 * The password is generated, shown once, and stored as an HMAC that is bound
 * to the user.  One is current; after a rotation the old one goes on for as
 * long as was chosen.  Whoever may look after API users (owner, manager; an
 * admin in their place) is asked in each statement, by api_right().  An admin
 * never sees a password: what they make goes to the vendor by a hand-over.
 *
 * What a user may do is the union of its roles: role.h.
 */
#ifndef APIUSERS_APIUSER_H
#define APIUSERS_APIUSER_H

#include "crypto/seal.h"
#include "db/db.h"

struct req;
struct view;

/* SQL: who is named in a mail, person `b`. */
#define API_DOER(is_staff)						\
	"CASE WHEN " is_staff " THEN coalesce(b.name || ' of our staff',"	\
	" 'Our staff') ELSE b.name END"

#define API_USERS_MAX		2000	/* of a client, the deleted not counted */
#define API_USER_PAGE_ROWS	50
#define API_USER_ROLES_MAX	5	/* of a user: see api_accounts_plain() */
#define API_USER_UNUSED_DAYS	60
#define API_VENDOR_MAX		64	/* characters */
#define API_INTEGRATION_MAX	80
#define API_CONTACT_MAX		64
#define API_NOTE_MAX		1000
#define API_REASON_MAX		1000
#define API_SEARCH_MAX		100	/* characters */
#define API_OVERLAP_MAX_S	(7 * 24 * 3600)
#define API_LIFE_MAX_DAYS	3660	/* ten years */
#define API_PASSWORD_TEXT	33	/* 24 random bytes in base64url, NUL */

/* ---- rules ---- */

/* In capitals; NULL, with a sentence in ret_wrong, for what is no name.  code
 * is the client's. */
const char	*api_username_read(struct arena *, const char *typed,
		    const char *code, const char **ret_wrong);
/* A sentence, or NULL for one line of at most max characters that can be seen;
 * "" is good. */
const char	*api_line_wrong(struct arena *, const char *what,
		    const char *typed, size_t max);
/* "2027-03-31", "" for no end: the end of that day, UTC, in microseconds; 0
 * for none.  False for no such day, one that is over, or one in more than ten
 * years. */
MUST_CHECK bool	 api_expiry_read(const char *typed, int64_t now,
		    int64_t *ret_at);
/* 0, 3600, 86400 or 604800 seconds, "" being 0. */
MUST_CHECK bool	 api_overlap_read(const char *typed, int64_t *ret_s);

/* A new password for a user, and what is stored of it.  False when the ring
 * has no key "api-user-password". */
struct api_password {
	char		 id[UUID_TEXT];
	struct secret	 text;			/* in the arena */
	unsigned char	 mac[SHA256_BYTES];
	uint32_t	 mac_version;
};
MUST_CHECK bool	 api_password_make(const struct keyring *, struct arena *,
		    const char *user_id, struct api_password *ret_password);
/* HMAC of "<user_id>:<password>"; version 0 is the newest. */
MUST_CHECK bool	 api_password_mac(const struct keyring *, uint32_t version,
		    const char *user_id, const char *password, size_t bytes,
		    unsigned char ret_mac[SHA256_BYTES]);

/* ---- who there is ---- */

struct api_user {
	const char	*id, *username, *vendor, *integration;
	const char	*contact_name, *contact_email, *note, *state;
	const char	*disabled_reason;
	const char	*made_by;		/* "" when erased */
	const char	*last_address;
	const char	*roles;			/* names, parted by commas */
	const char	*tenant_id, *code, *client;
	bool		 disabled_by_staff;
	int64_t		 created_at, state_at, version;
	/* 0: none, never */
	int64_t		 calls;		/* in 30 days, refused ones too */
	int64_t		 expires_at, last_used_at, password_at, old_until;
	int64_t		 hand_over_until;
};
struct api_users {
	struct api_user	*list;
	int		 n;
	int64_t		 total;
	const char	*next_after;		/* "" at the end */
};
/* Those that are not deleted, by name, API_USER_PAGE_ROWS at a time; search is
 * a part of name, vendor, integration or technical contact, "" for all. */
WAITS struct api_users api_user_db_list(struct db *, const char *tenant_id,
		    const char *search, const char *after);
/* Enabled ones that have not been used for API_USER_UNUSED_DAYS, the longest
 * first; three at most. */
WAITS struct api_users api_user_db_unused(struct db *, const char *tenant_id);
/* NULL: none such of that tenant; tenant_id NULL is of any. */
WAITS struct api_user *api_user_db_find(struct db *, const char *id,
		    const char *tenant_id);

/* ---- what may be done ---- */

struct api_user_form {
	const char	*id;			/* made by the caller */
	const char	*username, *vendor, *vendor_folded, *integration;
	const char	*contact_name, *contact_email, *note;
	int64_t		 expires_at;		/* 0: none */
	const char	*const *roles;		/* ids */
	size_t		 roles_n;
	bool		 again;			/* a second one of the vendor */
};
enum api_make_result {
	API_MADE,
	API_MAKE_NONE,		/* no such tenant, or no right */
	API_MAKE_AGAIN,		/* the nonce was used before */
	API_MAKE_TAKEN,		/* the name is */
	API_MAKE_TWIN,		/* the vendor has one; ret_twin names it */
	API_MAKE_ROLES,		/* a role is gone, or another tenant's */
	API_MAKE_FULL,		/* API_USERS_MAX */
};
/* password NULL: none yet, a hand-over makes it. */
WAITS MUST_CHECK enum api_make_result api_user_db_make(struct db *,
		    const char *who, const char *tenant_id,
		    const struct api_user_form *, const struct api_password *,
		    const char *nonce, const char **ret_twin);

enum api_change_result {
	API_CHANGED,
	API_CHANGE_NONE,	/* no such user, or no right */
	API_CHANGE_AGAIN,	/* the nonce was used before */
	API_CHANGE_FASTER,	/* somebody else just did */
	API_CHANGE_STAFF,	/* disabled by staff, who alone enable it */
	API_CHANGE_ROLES,	/* a role is gone, or another tenant's */
};
/* Owners and managers only. */
WAITS MUST_CHECK enum api_change_result api_user_db_rotate(struct db *,
		    const char *who, const char *id, int64_t overlap_s,
		    const struct api_password *, const char *nonce);
/* state: "enabled", "disabled", "deleted"; staff give a reason to disable, and
 * only admins among them delete.  Owners and managers are told of what staff
 * do.  version: as what was seen had it, or 0 for any. */
WAITS MUST_CHECK enum api_change_result api_user_db_state(struct db *,
		    const char *who, const char *id, int64_t version,
		    const char *state, const char *reason);
/* What is written down about it: vendor to expires_at of the form.  Version: as
 * the form was made with.  The audit says what changed; owners and managers
 * are told when it goes on for longer, and of whatever an admin does. */
WAITS MUST_CHECK enum api_change_result api_user_db_edit(struct db *,
		    const char *who, const char *id, int64_t version,
		    const struct api_user_form *);
/* version: as the form was made with. */
WAITS MUST_CHECK enum api_change_result api_user_db_roles(struct db *,
		    const char *who, const char *id, int64_t version,
		    const char *const *roles, size_t n);

/* ---- pages ---- */

WAITS void	 api_user_page_list(struct req *);	/* GET /api-users */
WAITS void	 api_user_page_make(struct req *);	/* POST */
WAITS void	 api_user_page(struct req *);		/* GET .../:id */
WAITS void	 api_user_page_rotate(struct req *);	/* POST .../rotate */
WAITS void	 api_user_page_disable(struct req *);
WAITS void	 api_user_page_enable(struct req *);
WAITS void	 api_user_page_delete(struct req *);
WAITS void	 api_user_page_permissions(struct req *);
WAITS void	 api_user_page_details(struct req *);	/* GET .../details */
WAITS void	 api_user_page_edit(struct req *);	/* POST .../details */

/* Staff: /staff/tenants/:code/api-users, /staff/api-users/:id and below. */
WAITS void	 api_user_page_staff_list(struct req *);
WAITS void	 api_user_page_staff_make(struct req *);
WAITS void	 api_user_page_staff(struct req *);
WAITS void	 api_user_page_staff_disable(struct req *);
WAITS void	 api_user_page_staff_enable(struct req *);
WAITS void	 api_user_page_staff_permissions(struct req *);
WAITS void	 api_user_page_staff_delete(struct req *);
WAITS void	 api_user_page_staff_details(struct req *);
WAITS void	 api_user_page_staff_edit(struct req *);

/* ---- shared by the pages ---- */

/* Whose users a page is about: the contact's client, or one of staff's. */
struct api_client {
	const char	*id, *code, *name;
	bool		 is_mine;
};
/* Of the session; 404 for members and for who has no client. */
struct api_client api_page_client(struct req *);
/* Of the code in the path, for staff; 404 for none. */
WAITS struct api_client api_page_client_staff(struct req *);
/* Reads vendor to expires_at of a form; kept_until is an end that may stay
 * although it is over, 0 for none. */
void		 api_page_read_details(struct req *, struct view *,
		    int64_t kept_until, struct api_user_form *);
/* "2027-03-31": the day whose end that is; "" for none. */
const char	*api_page_last_day(struct arena *, int64_t ends_at);
/* The list, with the form, as filled in and with what was wrong with it. */
WAITS void	 api_page_list(struct req *, int status, struct view *,
		    const struct api_client *);
/* Reads the form and makes the user; an admin makes it without a password. */
WAITS void	 api_page_make(struct req *, const struct api_client *);
/* Reads the form of a new user, with a fresh id; false, with what is wrong in
 * the view. */
bool		 api_page_read(struct req *, struct view *,
		    const struct api_client *, struct api_user_form *);
/* May this user make this call?  Why, or why not, in a sentence. */
WAITS bool	 api_page_may(struct req *, const struct api_user *,
		    const char *method, const char *path,
		    const char **ret_why);
/* A user, with what was wrong with one of its forms. */
WAITS void	 api_page_user(struct req *, int status, struct view *,
		    const struct api_user *, bool is_mine);
/* The user in the path: of the contact's client, or any for staff.  Else
 * 404. */
WAITS struct api_user *api_page_find(struct req *, bool is_mine);
/* Says how a change ended: 303 to `to`, 404, or the page with a sentence. */
WAITS void	 api_page_changed(struct req *, enum api_change_result,
		    const struct api_user *, bool is_mine, const char *to);
/* The ids among the form's fields of that name, each once, and no more than
 * max; others are left out. */
const char	*const *api_page_ids(struct req *, const char *name, size_t max,
		    size_t *ret_n);
/* A password that was just made: 200, once. */
void		 api_page_shown(struct req *, const struct api_user *,
		    const struct api_password *, bool is_new);
/* Answers that the form's secret was shown already; id "" leads to the list. */
void api_page_again(struct req *, bool is_mine, const char *id,
    const char *code);

#endif
