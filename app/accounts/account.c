/*
 * Rules of accounts: what names may be, and the words of the pages that depend
 * on who somebody is.
 */
#include "accounts/account.h"

#include <utf8proc.h>

static bool	has_letter(const char *);
static bool	client_character(utf8proc_int32_t, bool *ret_is_word);

const char *
account_name_wrong(const char *name)
{
	if (str_blank(name))
		return ("Type your name.");
	/* It stands in mails to others and on the pages of staff. */
	if (str_has_control(name) || str_has_hidden(name, true))
		return ("The name holds a character that can’t be shown. "
		    "Type it in one line.");
	if (!has_letter(name))
		return ("The name has no letter in it. Type the name that "
		    "you go by.");
	if (str_chars(name) > ACCOUNT_NAME_MAX)
		return ("The name has more than 100 characters. "
		    "Use a shorter form.");
	return (NULL);
}

const char *
client_name_wrong(const char *client)
{
	const utf8proc_uint8_t	*p = (const utf8proc_uint8_t *)client;
	utf8proc_int32_t	 c;
	utf8proc_ssize_t	 n;
	bool			 is_word = false;

	if (str_blank(client))
		return ("Type the name of your company, for example "
		    "Altaworx.");
	while (*p != '\0') {
		n = utf8proc_iterate(p, -1, &c);
		if (n <= 0 || !client_character(c, &is_word))
			return ("The company’s name may hold letters, digits, "
			    "spaces and & . ' - , ( ) / + ! only, as in "
			    "Smith & Sons.");
		p += n;
	}
	if (!is_word)
		return ("The company’s name has no letter or digit in it. "
		    "Write it as in Altaworx.");
	if (str_chars(client) < CLIENT_NAME_MIN)
		return ("The company’s name has one character; it needs at "
		    "least 2, as in HP.");
	if (str_chars(client) > CLIENT_NAME_MAX)
		return ("The company’s name has more than 64 characters. "
		    "Use the short form that we know you by.");
	return (NULL);
}

const char *
account_action(const char *word)
{
	/* With both words, or with the last one alone. */
	static const char	*const actions[][2] = {
		{ "show", "see a key" },
		{ "regenerate", "regenerate a key" },
		{ "approve", "approve a request" },
		{ "requests/share", "share a key with a contact" },
		{ "asks/share", "let a contact in to a client" },
		{ "reject", "reject a request" },
		{ "set-up", "set up a second factor" },
		{ "two-factor/remove", "turn two-factor sign-in off" },
		{ "passkeys/remove", "remove a passkey" },
		{ "recovery-codes", "make new recovery codes" },
		{ "passkeys", "add a passkey" },
		{ "tokens", "make an access token" },
		{ "sessions/end", "end sessions" },
		{ "account/close", "close your account" },
		{ "invite", "invite a colleague" },
		{ "role", "change somebody’s role" },
		{ "people/disable", "disable an account" },
		{ "people/enable", "enable an account" },
		{ "people/sign-out", "end somebody’s sessions" },
		{ "dismiss", "remove somebody from the staff" },
		{ "seat", "make somebody owner of a client" },
		{ "unseat", "remove somebody" },
		{ "leave", "leave your company here" },
		{ "email", "change your e-mail address" },
		{ "api-users", "make an API user" },
		{ "rotate", "make a new password of an API user" },
		{ "permissions", "change what an API user may do" },
		{ "hand-over", "hand an API user over" },
		{ "api-users/disable", "disable an API user" },
		{ "api-users/enable", "enable an API user" },
		{ "api-users/delete", "delete an API user for good" },
		{ "disable", "disable something" },
		{ "enable", "enable what was disabled" },
		{ "delete", "delete something for good" },
		{ "api-roles", "make a role" },
		{ "products/close", "close a product" },
		{ "tenants/close", "close a client" },
	};
	const char		*last = strrchr(word, '/');
	size_t			 i;

	last = last == NULL ? word : last + 1;
	for (i = 0; i < COUNT(actions); i++) {
		if (str_eq(word, actions[i][0]) || str_eq(last, actions[i][0]))
			return (actions[i][1]);
	}
	return ("do something that we protect twice");
}

const char *
account_home(enum account_kind kind)
{
	switch (kind) {
	case ACCOUNT_CONTACT:
		return ("/profile");
	case ACCOUNT_STAFF:
	case ACCOUNT_ADMIN:
		return ("/staff/queue");
	}
	abort();
}

const char *
account_next(enum account_kind kind, const char *next)
{
	bool	is_contact = kind == ACCOUNT_CONTACT;

	if (next == NULL || (is_contact ? str_starts(next, "/staff/") :
	    str_starts(next, "/profile")))
		return (account_home(kind));
	return (next);
}

const char *
account_role(enum account_kind kind, enum member_role role)
{
	if (kind == ACCOUNT_ADMIN)
		return ("Admin");
	if (kind == ACCOUNT_STAFF)
		return ("Staff");
	switch (role) {
	case MEMBER_NONE:
		return ("");
	case MEMBER_MEMBER:
		return ("Member");
	case MEMBER_MANAGER:
		return ("Manager");
	case MEMBER_OWNER:
		return ("Owner");
	}
	abort();
}

const char *
account_wait_words(struct arena *a, int64_t wait_s)
{
	int64_t	minutes = (wait_s + 59) / 60;

	if (wait_s <= 1)
		return ("in a second");
	if (wait_s < 60)
		return (arena_fmt(a, "in %lld seconds", (long long)wait_s));
	if (minutes == 1)
		return ("in a minute");
	return (arena_fmt(a, "in %lld minutes", (long long)minutes));
}

static bool
has_letter(const char *name)
{
	size_t	left = strlen(name), n;
	int32_t	c;

	for (; (n = str_next(name, left, &c)) > 0; name += n, left -= n) {
		if (utf8proc_category(c) >= UTF8PROC_CATEGORY_LU &&
		    utf8proc_category(c) <= UTF8PROC_CATEGORY_LO)
			return (true);
	}
	return (false);
}

static bool
client_character(utf8proc_int32_t c, bool *ret_is_word)
{
	/* Among them letters: the filling ones of Hangul. */
	if (str_is_hidden(c))
		return (false);
	/* More than a key's name may hold (subscriptions/): companies are
	 * called "Acme, Inc." and "Yahoo!"; the name that is proposed for the
	 * key leaves it out. */
	if ((c < 0x80 && strchr(" &.'-,()/+!", (int)c) != NULL) || c == 0x2019)
		return (true);
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
		*ret_is_word = true;
		return (true);
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
		/* Signs of vowels belong to the letters of many scripts. */
		return (true);
	default:
		return (false);
	}
}
