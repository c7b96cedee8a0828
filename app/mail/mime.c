/*
 * One message (RFC 5322, RFC 2045): a text and an HTML part, both in base64,
 * which settles long lines, lone dots and 8-bit servers at once.  The same row
 * gives the same bytes whenever it is made, so a message that is sent twice,
 * because an answer was lost, is seen as one by its Message-ID.
 */
#include "mail/mail.h"

#include "base/clock.h"
#include "base/str.h"
#include "mail/address.h"

#define MESSAGE_MAX	(1024u * 1024)
/* A line with an encoded word has at most 76 characters (RFC 2047 section 2):
 * 9 of "Subject: ", 12 of "=?UTF-8?B??=", and 52 of base64, which are 39
 * bytes. */
#define WORD_BYTES	39
/* 76 characters of base64 a line (RFC 2045 section 6.8). */
#define LINE_BYTES	57
/* A header line has at most 998 characters (RFC 5322 section 2.1.1). */
#define PLAIN_MAX	900

static bool	 header(struct buf *, const char *name, const char *value);
static void	 words(struct buf *, const char *);
static bool	 plain(const char *);
static bool	 split_from(struct arena *, const char *, const char **,
		    const char **);
static void	 part(struct buf *, const char *boundary, const char *type,
		    const char *text);
static void	 base64(struct buf *, const void *, size_t);

const struct buf *
mail_mime(struct arena *arena, const struct mail *mail, const char *from)
{
	struct buf	*out = arena_alloc(arena, sizeof(*out));
	const char	*name, *address, *domain, *boundary;

	if (!split_from(arena, from, &name, &address))
		return (NULL);
	domain = strrchr(address, '@') + 1;
	/* "=_" is in no base64 and no quoted-printable text. */
	boundary = arena_fmt(arena, "=_%s", mail->id);

	buf_init(out, arena, MESSAGE_MAX);
	if (strpbrk(name, "\r\n") != NULL)
		return (NULL);
	buf_str(out, "From: ");
	if (name[0] != '\0') {
		words(out, name);
		buf_fmt(out, " <%s>\r\n", address);
	} else {
		buf_fmt(out, "%s\r\n", address);
	}
	/* An address is never encoded: UTF-8 in it is RFC 6532's. */
	if (strpbrk(mail->to, "\r\n") != NULL)
		return (NULL);
	buf_fmt(out, "To: %s\r\n", mail->to);
	if (!header(out, "Subject", mail->subject) ||
	    !header(out, "Date", clock_mail(arena, mail->at)))
		return (NULL);
	buf_fmt(out, "Message-ID: <%s@%s>\r\n", mail->id, domain);
	/* RFC 3834: nobody's holiday reply is wanted. */
	buf_str(out, "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n");
	/* On one line each: signatures of mail break on folded ones. */
	if (mail->unsubscribe != NULL) {
		if (strpbrk(mail->unsubscribe, "\r\n<>") != NULL)
			return (NULL);
		buf_fmt(out, "List-Unsubscribe: <%s>\r\n"
		    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
		    mail->unsubscribe);
	}
	buf_fmt(out, "Content-Type: multipart/alternative;\r\n"
	    " boundary=\"%s\"\r\n\r\n", boundary);
	part(out, boundary, "text/plain", mail->text);
	part(out, boundary, "text/html", mail->html);
	buf_fmt(out, "--%s--\r\n", boundary);
	return (out->full ? NULL : out);
}

const char *
mail_from_address(struct arena *arena, const char *from)
{
	const char	*name, *address;

	return (split_from(arena, from, &name, &address) ? address : NULL);
}

static bool
header(struct buf *out, const char *name, const char *value)
{
	if (strpbrk(value, "\r\n") != NULL)
		return (false);
	buf_fmt(out, "%s: ", name);
	if (plain(value) && strlen(value) < PLAIN_MAX)
		buf_str(out, value);
	else
		words(out, value);
	buf_str(out, "\r\n");
	return (true);
}

/* Encoded words, never splitting a character; plain text of atoms as it is. */
static void
words(struct buf *out, const char *text)
{
	size_t	left = strlen(text), n;

	if (plain(text) && strpbrk(text, "\"(),.:;<>@[\\]") == NULL &&
	    left < PLAIN_MAX) {
		buf_str(out, text);
		return;
	}
	while (left > 0) {
		n = left > WORD_BYTES ? WORD_BYTES : left;
		while (n < left && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		buf_str(out, "=?UTF-8?B?");
		base64(out, text, n);
		buf_str(out, "?=");
		text += n;
		left -= n;
		if (left > 0)
			buf_str(out, "\r\n ");
	}
}

/* Printable ASCII that no reader takes for an encoded word. */
static bool
plain(const char *text)
{
	const char	*p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return (false);
	return (strstr(text, "=?") == NULL);
}

/* "Name <a@b>", "\"Na.me\" <a@b>" or "a@b". */
static bool
split_from(struct arena *arena, const char *from, const char **ret_name,
    const char **ret_address)
{
	const char	*open = strrchr(from, '<');
	size_t		 n = strlen(from);
	struct address	 address;
	char		*name;

	if (open == NULL) {
		*ret_name = "";
		if (address_parse(arena, from, &address) != ADDRESS_GOOD)
			return (false);
	} else {
		if (from[n - 1] != '>')
			return (false);
		if (address_parse(arena, arena_strndup(arena, open + 1,
		    (size_t)(from + n - 1 - (open + 1))), &address) !=
		    ADDRESS_GOOD)
			return (false);
		name = str_squeeze(arena, arena_strndup(arena, from,
		    (size_t)(open - from)));
		n = strlen(name);
		if (n >= 2 && name[0] == '"' && name[n - 1] == '"')
			name = arena_strndup(arena, name + 1, n - 2);
		*ret_name = name;
	}
	*ret_address = address.wire;
	return (true);
}

/* A text's lines end in CRLF, inside of base64 too (RFC 2045 section 6.8). */
static void
part(struct buf *out, const char *boundary, const char *type,
    const char *text)
{
	struct buf	lines;
	size_t		left, n;

	buf_init(&lines, out->arena, MESSAGE_MAX);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_chr(&lines, '\r');
		buf_chr(&lines, *text);
	}
	out->full |= lines.full;
	text = buf_text(&lines);
	left = lines.n;
	buf_fmt(out, "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", boundary, type);
	while (left > 0) {
		n = left > LINE_BYTES ? LINE_BYTES : left;
		base64(out, text, n);
		buf_str(out, "\r\n");
		text += n;
		left -= n;
	}
}

/* RFC 4648 section 4, with padding. */
static void
base64(struct buf *out, const void *bytes, size_t n)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char	*p = bytes;
	uint32_t		 group;

	for (; n > 0; p += 3) {
		group = (uint32_t)p[0] << 16;
		if (n > 1)
			group |= (uint32_t)p[1] << 8;
		if (n > 2)
			group |= p[2];
		buf_chr(out, digits[group >> 18]);
		buf_chr(out, digits[group >> 12 & 63]);
		buf_chr(out, n > 1 ? digits[group >> 6 & 63] : '=');
		buf_chr(out, n > 2 ? digits[group & 63] : '=');
		n -= n > 3 ? 3 : n;
	}
}
