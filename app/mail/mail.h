/*
 * Mail: an outbox and its kinds.  A slice queues a mail in the statement whose
 * change it tells of, by the SQL function mail_queue(kind, account, address,
 * params); the courier makes the message from templates/mail/KIND.txt and
 * KIND.html and sends it.  A mail to an account goes to the address that the
 * account has when it is sent.
 *
 * params is a flat JSON object of texts, made by jsonb_build_object(); nested
 * values are refused.  A name that ends in _at holds a timestamptz and is
 * shown as "22 November 2026, 14:05 UTC".  Parameters hold no secret: links
 * are derived from ids when the message is made.  They may hold typed text
 * (names, reasons) only in mail to accounts, never in mail to an address: of a
 * client there only stands the name that staff decided on.
 * NULL parameters are left out and shown as empty.
 *
 * kind			to			params
 *
 * verify		address			signup_id
 * account_exists	account			-
 * staff_invite		address			signup_id
 * recovery		account, or the address	recovery_id
 *			of none (never sent)
 * password_reset	account			-
 * password_changed	account			-
 * email_confirm	new address		change_id
 * email_taken		account			-
 * email_changed	address from before	undo_id
 * email_undone		account			-
 * account_closed	address			-
 * signin_failed	account			failures (a number) since_at
 *						codes (how many of them were
 *						codes behind a right password,
 *						if any)
 * sessions_ended	account			-
 * ask_let_in		the contact		client
 * new_device		account			agent (as sent; shown in words
 *						as device) address signed_in_at
 * request_submitted_staff  each active staff	request_id request_name product
 *						person client due_at
 * request_submitted	the contact		request_id request_name product
 *						due_at
 * request_approved	the contact		request_id request_name product
 *						client menu (where keys are
 *						made; none: it has a pair)
 * request_shared	the contact		request_id request_name product
 *						client
 * request_rejected	the contact		request_id request_name product
 *						reason
 * request_withdrawn	the contact, when	request_id request_name product
 *			another person did it	by (that person's name; none:
 *						it ended by joining a client)
 * request_question	the contact		request_id request_name product
 *						by question
 * request_comment	the contact		request_id request_name product
 *						by comment
 * request_answer	who asked, who has	request_id request_name product
 *			taken it		person answer
 * consent_ask		each owner		consent_id person email client
 *						product
 * consent_answer	who asked, who has	request_id request_name person
 *			taken it		client by answer: yes or no
 * invitation		address			invitation_id client
 * domain_listed	each owner		client domains: "a.example, b.example"
 * owner_person_joined	each owner		person email client role by
 * owner_person_gone	each owner		person email client by (that
 *						person's name, unless left)
 * people_out		who left or was		person email client by
 *			removed
 * people_role		that person, owners	person email client by role
 * join_ask_staff	each active staff	person email client (typed)
 * account_disabled	account			reason
 * account_enabled	account			-
 * staff_role		that person, admins	person email role by
 * staff_gone		each admin		person email by
 * seat_planned		each owner, admin	person email client by reason
 *						due_at
 * seat_done		each owner, admin	person email client by reason
 * seat_cancelled	each owner, admin	person client by
 * tenant_closed	each owner		client by reason
 * tenant_reopened	each owner		client by
 * tenant_merged	each owner of both	client (that both are now) other by
 *						reason
 * owner_contact_joined	each owner		person email client
 *						rule: domain, owner or reason
 * subscription_expired	each contact, the	subscription_name product client
 *			client's address
 * subscription_expiring likewise		the same, expires_at days
 * subscription_suspended, subscription_reactivated, subscription_cancelled
 *			likewise		subscription_name product client
 *						reason by (not to the address)
 * subscription_expiry	likewise		the same, expires_at (none: it
 *						was taken away)
 * key_regenerated	each contact, the	subscription_id
 *			client's address	subscription_name client slot
 *						until_at (none: the old value
 *						has stopped) by (not to the
 *						address)
 * key_overlap_ended	likewise		the same without until_at
 * key_revoked		likewise		the same, reason in place of by
 * key_revoked_staff	each active staff	as key_revoked
 * issued_key		each owner, its maker	subscription_id
 *						subscription_name client product
 *						key_name done by reason until_at
 * subscription_given_up each active staff	subscription_id
 *						subscription_name client by
 *						reason
 * product_closing, product_closing_soon
 *			each contact, and the	subscription_name product client
 *			client's address	closes_at note (typed; not to
 *						the address)
 * product_kept		the same		subscription_name product client
 *						closes_at
 * product_closed	the same		subscription_name product client
 *						note
 * factor_added, factor_removed, factor_reset, recovery_renewed
 *			account			-
 * recovery_used	account			left (a number)
 * passkey_added, passkey_removed
 *			account			passkey (its name)
 * token_made	account			token (its name) scopes
 * api_user_made	owners, managers	api_user client vendor integration by
 * api_user_widened	owners, managers	api_user client roles by
 * api_role_widened	owners, managers	api_role client api_users by
 * api_changed	owners, managers	api_user or api_role, client by done
 * api_user_state	owners, managers	api_user client state reason
 * api_hand_over	address			hand_over_id client
 * api_hand_over_made	owners, managers	api_user client by sent_to
 *						open_until_at
 * api_hand_over_used	owners, managers	api_user client by used_at
 * request_reminder	each active staff	as request_submitted_staff
 * request_overdue	each active admin	as request_submitted_staff
 * digest		account that chose so	list (lines) count more
 * mail_failed		each active staff	failed_kind outbox_id queued_at
 *						why
 *
 * The last four are queued by the courier itself.  Every template also has
 * name (of the account's person, else ""), site_name, support_email,
 * public_url and link, which mail_render.c makes as the kind demands.
 */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H

#include "db/db.h"

struct mustache_set;

/* One message, ready for a sink.  Texts are UTF-8 without CR; they are
 * refused where a header would hold a line break. */
struct mail {
	const char	*id;		/* of the outbox row: Message-ID */
	const char	*kind;
	int64_t		 at;		/* Date: when it was queued */
	const char	*to;		/* address, domain in ASCII */
	const char	*subject;
	const char	*text, *html;
	const char	*unsubscribe;	/* address of one click, RFC 8058; NULL:
					 * this mail always comes */
};

/*
 * A row of the outbox that this courier has claimed: until next_at no other
 * takes it.
 */
struct outbox_mail {
	const char	*id, *kind;
	int64_t		 at;
	int64_t		 tries;		/* this one included */
	const char	*to;		/* NULL: the account has no address */
	const char	*name;		/* "" for an address */
	struct outbox_param {
		const char	*name, *value;
	}		*params;
	int		 n_params;
	bool		 has_link;	/* params named a row that exists */
	int64_t		 link_until;
	bool		 link_open;	/* not used, not over */
	const char	*invited_as;	/* "" for a contact */
	const char	*account_id;	/* NULL for an address */
	bool		 optional;	/* may be turned off */
};

enum mail_render {
	MAIL_RENDERED,
	MAIL_VOID,		/* nothing to send any more: link over, account
				 * closed */
	MAIL_BROKEN,		/* unknown kind, missing parameter, template */
};
/* ret_why says what is void or broken, without any address. */
MUST_CHECK enum mail_render mail_render(struct arena *,
		    const struct mustache_set *, const struct outbox_mail *,
		    struct mail *ret_mail, const char **ret_why);

/* RFC 5322 message, CRLF lines; NULL when a header would hold a line break or
 * the message is over 1 MiB. */
struct buf;
const struct buf *mail_mime(struct arena *, const struct mail *,
		    const char *from);
/* "no-reply@example.com" of "Latchkey <no-reply@example.com>", for SMTP; NULL
 * when it is no address. */
const char	*mail_from_address(struct arena *, const char *from);

/* ---- sinks ---- */

enum mail_sent {
	MAIL_SENT,
	MAIL_LATER,		/* try again: server or disk away, or unknown */
	MAIL_SETTINGS,		/* try again, but somebody must act: password,
				 * certificate, STARTTLS, sender refused */
	MAIL_REFUSED,		/* this message will never be taken: 5xx */
};

struct mail_limits {
	long	 connect_ms;	/* greeting, STARTTLS and sign-in included */
	long	 response_s;	/* silence of the server */
	long	 whole_ms;
};
/* Within the 2 minutes of a claim. */
#define MAIL_LIMITS	{ 10000, 20, 60000 }

/* smtp:// or smtps://; ca_file NULL is the system's.  ret_why has no address
 * in it. */
MUST_CHECK enum mail_sent mail_smtp(struct arena *, const char *url,
		    const char *ca_file, const struct mail_limits *,
		    const char *from, const char *to, const struct buf *mime,
		    const char **ret_why);
/* One .eml file in a folder, whole or not at all; the same row sent twice is
 * one file. */
MUST_CHECK enum mail_sent mail_dir(struct arena *, const char *folder,
		    const struct mail *, const struct buf *mime,
		    const char **ret_why);

/* ---- outbox ---- */

#define OUTBOX_LEASE_S	120
#define OUTBOX_GIVE_UP_S (3 * 24 * 3600)

/* Claims the row that is longest due; false when none is. */
WAITS MUST_CHECK bool outbox_claim(struct db *, const char *courier,
		    struct outbox_mail *ret_mail);
/* Microseconds until a queued row falls due; INT64_MAX: none is queued. */
WAITS int64_t	 outbox_due_in(struct db *);

/* How a claimed mail ended.  Each does nothing when the claim is no longer
 * ours, so it may be called again after a lost connection. */
enum outbox_end {
	OUTBOX_SENT,
	OUTBOX_RETRY,		/* 30 s, doubling up to an hour; given up after
				 * 3 days */
	OUTBOX_VOID,		/* failed without a word to anybody */
	OUTBOX_FAILED,		/* failed; staff are told once */
};
WAITS void	 outbox_end(struct db *, const char *courier, const char *id,
		    enum outbox_end, const char *why);

#endif
