/*
 * latchkeyctl staff: accounts of those who approve.  With a password on
 * standard input the account is there at once; without, a one-time link lets
 * the person choose one, as after a sign-up.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <unistd.h>

#include "accounts/recovery.h"
#include "base/setting.h"
#include "base/str.h"
#include "crypto/breached.h"
#include "crypto/password.h"
#include "ctl/ctl_db.h"
#include "mail/address.h"
#include "mail/link.h"

#define NAME_MAX_CHARS	100
#define FIRST_TRIES	100
#define INPUT_MAX	1024	/* bytes: 128 characters of UTF-8 and more */

static enum ctl_exit	 add(struct ctl *, struct ctl_staff *, const char *);
static enum ctl_exit	 invite(struct ctl *, struct ctl_staff *);
static MUST_CHECK bool	 read_password(struct ctl *, const char **);
static MUST_CHECK bool	 person_ok(struct ctl *, const char *, const char *,
			    struct address *, const char **);

enum ctl_exit
ctl_staff_add(struct ctl *ctl)
{
	const char		*name = ctl_option(ctl, "--name");
	const char		*role = ctl_option(ctl, "--role");
	const char		*password;
	struct address		 address;
	struct ctl_staff	 staff;

	if (!ctl_words(ctl, 1))
		return (CTL_USAGE);
	if (name == NULL || role == NULL)
		return (ctl_usage("--name and --role must be there"));
	if (!str_eq(role, "staff") && !str_eq(role, "admin"))
		return (ctl_usage("--role is staff or admin"));
	if (!person_ok(ctl, ctl->argv[0], name, &address, &name))
		return (CTL_REFUSED);
	staff = (struct ctl_staff){ .address = &address, .name = name,
	    .role = role };
	if (!read_password(ctl, &password))
		return (CTL_REFUSED);
	return (password != NULL ? add(ctl, &staff, password) :
	    invite(ctl, &staff));
}

enum ctl_exit
ctl_staff_first(struct ctl *ctl)
{
	const char		*email = ctl_option(ctl, "--email");
	const char		*name;
	struct address		 address;
	struct ctl_staff	 staff;
	int			 n;

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (ctl_db_has_admin(ctl->db))
		return (CTL_DONE);
	/* Where the account of that name is disabled, or of a contact, the
	 * next one is taken. */
	for (n = 1; n <= FIRST_TRIES; n++) {
		if (!person_ok(ctl, email != NULL ? email : n == 1 ?
		    "admin@localhost" : arena_fmt(ctl->arena,
		    "admin%d@localhost", n), "First admin", &address, &name))
			return (CTL_REFUSED);
		if (email != NULL || !ctl_db_has_account(ctl->db, &address))
			break;
	}
	staff = (struct ctl_staff){ .address = &address, .name = name,
	    .role = "admin" };
	return (invite(ctl, &staff));
}

static enum ctl_exit
add(struct ctl *ctl, struct ctl_staff *staff, const char *typed)
{
	enum password_verdict	 verdict;
	struct secret		 password;
	char			 hash[PASSWORD_HASH_BYTES];
	char			 id[UUID_TEXT];
	const char *const	 own_words[] = { staff->name,
				    staff->address->text, setting->site_name,
				    password_db_products(ctl->db), NULL };
	const char		*why;

	if (setting->breached_passwords_file != NULL &&
	    !breached_open(setting->breached_passwords_file, &why))
		return (ctl_refuse("LATCHKEY_BREACHED_PASSWORDS_FILE: %s",
		    why));
	password = password_normalise(ctl->arena, typed);
	verdict = password_judge(password, own_words);
	if (verdict != PASSWORD_GOOD)
		return (ctl_refuse("this password won't do: %s",
		    password_advice(verdict)));
	if (!password_hash(password, hash))
		return (ctl_refuse("not enough memory to hash the password"));
	uuid_make(id);
	staff->id = id;
	if (!ctl_db_staff_add(ctl->db, staff, hash))
		return (ctl_refuse("%s has an account already",
		    staff->address->text));
	printf("%s can sign in at %s/signin\n", staff->address->text,
	    setting->public_url);
	return (CTL_DONE);
}

static enum ctl_exit
invite(struct ctl *ctl, struct ctl_staff *staff)
{
	unsigned char	 hash[SHA256_BYTES];
	char		 id[UUID_TEXT], token[TOKEN_TEXT];

	if (!ctl_open_vault(ctl))
		return (CTL_REFUSED);
	uuid_make(id);
	staff->id = id;
	link_token("verify", id, token);
	link_token_hash(token, hash);
	if (!ctl_db_staff_invite(ctl->db, staff, hash, sizeof(hash)))
		return (ctl_refuse("%s has an account already",
		    staff->address->text));
	printf("%s\n", link_url(ctl->arena, "verify", id));
	return (CTL_DONE);
}

/* NULL: none was given.  A line break at its end is the shell's. */
static bool
read_password(struct ctl *ctl, const char **ret_password)
{
	char	*text;
	size_t	 n = 0;
	ssize_t	 got;

	*ret_password = NULL;
	if (isatty(STDIN_FILENO))
		return (true);
	text = arena_alloc(ctl->arena, INPUT_MAX + 2);
	while (n <= INPUT_MAX) {
		got = read(STDIN_FILENO, text + n, INPUT_MAX + 1 - n);
		if (got == 0 || (got == -1 && errno == EBADF))
			break;
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			(void)ctl_refuse("standard input: %s",
			    strerror(errno));
			return (false);
		}
		n += (size_t)got;
	}
	if (n > INPUT_MAX) {
		(void)ctl_refuse("the password on standard input is too long");
		return (false);
	}
	if (strlen(text) < n) {
		(void)ctl_refuse("the password on standard input holds a NUL");
		return (false);
	}
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > 0 && text[n - 1] == '\r')
		text[--n] = '\0';
	if (n > 0)
		*ret_password = text;
	return (true);
}

static bool
person_ok(struct ctl *ctl, const char *email, const char *typed_name,
    struct address *ret_address, const char **ret_name)
{
	enum address_verdict	 verdict;
	const char		*name;

	verdict = address_parse(ctl->arena, email, ret_address);
	if (verdict != ADDRESS_GOOD) {
		(void)ctl_refuse("%s", address_advice(verdict));
		return (false);
	}
	if (!str_utf8(typed_name, strlen(typed_name)) ||
	    str_has_control(typed_name) || str_blank(typed_name) ||
	    str_chars(typed_name) > NAME_MAX_CHARS) {
		(void)ctl_refuse("a name is one line of 1 to 100 characters");
		return (false);
	}
	name = str_squeeze(ctl->arena, typed_name);
	*ret_name = str_nfc(ctl->arena, name);
	return (true);
}
