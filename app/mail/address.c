/*
 * E-mail addresses, parsed by hand: the grammar is small, and a regular
 * expression for it is not.
 */
#include "mail/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <idn2.h>
#include <utf8proc.h>

#include "base/str.h"

#define LABEL_MAX	63

static bool	 local_ok(const char *, size_t, bool *ret_quoted);
static char	*local_folded(struct arena *, const char *, size_t, bool);
static char	*lower(struct arena *, const char *);
static const char *literal_parse(struct arena *, const char *);
static bool	 hostname_ok(const char *);
static bool	 atext(unsigned char);
static bool	 dot_atom(const char *, size_t);

enum address_verdict
address_parse(struct arena *arena, const char *typed,
    struct address *ret_address)
{
	const char	*text, *at, *domain;
	size_t		 start, n;
	bool		 quoted;

	start = strspn(typed, " \t\r\n");
	n = strlen(typed + start);
	while (n > 0 && strchr(" \t\r\n", typed[start + n - 1]) != NULL)
		n--;
	if (n == 0)
		return (ADDRESS_EMPTY);
	if (n > ADDRESS_MAX)
		return (ADDRESS_TOO_LONG);
	text = str_nfc(arena, arena_strndup(arena, typed + start, n));
	if (text == NULL || str_has_control(text) ||
	    str_has_hidden(text, false))
		return (ADDRESS_LOCAL);
	if (strlen(text) > ADDRESS_MAX)
		return (ADDRESS_TOO_LONG);

	/* A quoted local part may hold an @; a domain never does. */
	at = strrchr(text, '@');
	if (at == NULL || at == text || at[1] == '\0')
		return (ADDRESS_NO_AT);
	n = (size_t)(at - text);
	if (n > ADDRESS_LOCAL_MAX)
		return (ADDRESS_TOO_LONG);
	if (!local_ok(text, n, &quoted))
		return (ADDRESS_LOCAL);
	domain = at[1] == '[' ? literal_parse(arena, at + 1) :
	    domain_parse(arena, at + 1);
	if (domain == NULL)
		return (ADDRESS_DOMAIN);
	if (n + 1 + strlen(domain) > ADDRESS_MAX)
		return (ADDRESS_TOO_LONG);
	ret_address->text = text;
	ret_address->wire = arena_fmt(arena, "%.*s@%s", (int)n, text, domain);
	ret_address->folded = arena_fmt(arena, "%s@%s",
	    local_folded(arena, text, n, quoted), domain);
	ret_address->domain = domain;
	return (ADDRESS_GOOD);
}

const char *
address_advice(enum address_verdict verdict)
{
	switch (verdict) {
	case ADDRESS_GOOD:
		return ("");
	case ADDRESS_EMPTY:
		return ("Enter your e-mail address, as in maya@example.com.");
	case ADDRESS_TOO_LONG:
		return ("An e-mail address has at most 254 characters, 64 of "
		    "them before the @.");
	case ADDRESS_NO_AT:
		return ("An e-mail address has a name, an @ and a domain, as "
		    "in maya@example.com.");
	case ADDRESS_LOCAL:
		return ("Before the @ no spaces, commas or two dots in a row "
		    "can stand. Write it as in maya.dorsey@example.com.");
	case ADDRESS_DOMAIN:
		return ("Behind the @ stands a domain, as in "
		    "maya@example.com.");
	}
	assert(!"no such verdict");
	return ("");
}

/*
 * Labels are looked at afterwards: idn2's own STD3 flag drops an underscore
 * without a word, and "a..b" passes it.
 */
const char *
domain_parse(struct arena *arena, const char *typed)
{
	uint8_t	*ascii = NULL;
	char	*domain;

	if (typed[0] == '\0' || strlen(typed) > 4 * DOMAIN_MAX ||
	    !str_utf8(typed, strlen(typed)))
		return (NULL);
	/* What idn2 would map away is no part of a domain that was meant. */
	if (strpbrk(typed, " \t\r\n") != NULL || str_has_control(typed))
		return (NULL);
	if (idn2_lookup_u8((const uint8_t *)typed, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return (NULL);
	domain = str_lower(arena, (const char *)ascii);
	idn2_free(ascii);
	return (hostname_ok(domain) ? domain : NULL);
}

static bool
local_ok(const char *s, size_t n, bool *ret_quoted)
{
	size_t	i;

	*ret_quoted = s[0] == '"';
	if (!*ret_quoted)
		return (dot_atom(s, n));
	if (n < 3 || s[n - 1] != '"')
		return (false);
	for (i = 1; i < n - 1; i++) {
		if (s[i] == '"')
			return (false);
		/* The closing quote itself must not be an escaped one. */
		if (s[i] == '\\' && ++i == n - 1)
			return (false);
	}
	return (true);
}

/* Without quotes and backslashes that need not be there, in lower case. */
static char *
local_folded(struct arena *arena, const char *s, size_t n, bool quoted)
{
	struct buf	 plain, out;
	const char	*text;
	size_t		 i;

	buf_init(&plain, arena, ADDRESS_MAX);
	for (i = quoted ? 1 : 0; i < (quoted ? n - 1 : n); i++) {
		if (quoted && s[i] == '\\')
			i++;
		buf_chr(&plain, s[i]);
	}
	text = lower(arena, buf_text(&plain));
	if (dot_atom(text, strlen(text)))
		return (arena_strdup(arena, text));
	/* Each byte may get a backslash, and two quotes stand around. */
	buf_init(&out, arena, 4 * ADDRESS_MAX);
	buf_chr(&out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_chr(&out, '\\');
		buf_chr(&out, *text);
	}
	buf_chr(&out, '"');
	return (arena_strdup(arena, buf_text(&out)));
}

/* Unicode's simple lower case, character by character, and NFC again. */
static char *
lower(struct arena *arena, const char *s)
{
	utf8proc_int32_t	 c;
	utf8proc_uint8_t	 bytes[4];
	utf8proc_ssize_t	 n;
	struct buf		 out;
	char			*nfc;

	/* A character may grow from two bytes to three. */
	buf_init(&out, arena, 2 * ADDRESS_MAX);
	while (*s != '\0') {
		n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, &c);
		assert(n > 0);
		s += n;
		n = utf8proc_encode_char(utf8proc_tolower(c), bytes);
		buf_add(&out, bytes, (size_t)n);
	}
	nfc = str_nfc(arena, buf_text(&out));
	assert(nfc != NULL);
	return (nfc);
}

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3). */
static const char *
literal_parse(struct arena *arena, const char *s)
{
	unsigned char	 address[16];
	char		*inside;
	size_t		 n = strlen(s);

	if (n < 3 || s[n - 1] != ']')
		return (NULL);
	inside = arena_strndup(arena, s + 1, n - 2);
	if (strncasecmp(inside, "IPv6:", 5) == 0 ?
	    inet_pton(AF_INET6, inside + 5, address) != 1 :
	    inet_pton(AF_INET, inside, address) != 1)
		return (NULL);
	return (str_lower(arena, s));
}

static bool
hostname_ok(const char *domain)
{
	const char	*label = domain;
	size_t		 n, i;

	if (domain[0] == '\0' || strlen(domain) > DOMAIN_MAX)
		return (false);
	for (;;) {
		n = strcspn(label, ".");
		if (n == 0 || n > LABEL_MAX || label[0] == '-' ||
		    label[n - 1] == '-')
			return (false);
		for (i = 0; i < n; i++)
			if (!isalnum((unsigned char)label[i]) &&
			    label[i] != '-')
				return (false);
		if (label[n] == '\0')
			return (true);
		label += n + 1;
	}
}

/* RFC 5322 atext, and all of UTF-8 beyond ASCII (RFC 6532). */
static bool
atext(unsigned char c)
{
	return (c >= 0x80 || isalnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL));
}

/* atext with single dots inside. */
static bool
dot_atom(const char *s, size_t n)
{
	size_t	i;

	if (n == 0 || s[0] == '.' || s[n - 1] == '.')
		return (false);
	for (i = 0; i < n; i++)
		if (s[i] == '.' ? s[i + 1] == '.' :
		    !atext((unsigned char)s[i]))
			return (false);
	return (true);
}
