/*
 * Messages: headers that can't be broken, bodies that come back as they went
 * in, and the same bytes for the same row.
 */
#include "mail/mail.h"

#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/str.h"

#define ID	"0189aaaa-0000-4000-8000-000000000001"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(16u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static struct mail
message(void)
{
	return ((struct mail){ .id = ID, .kind = "verify",
	    .at = INT64_C(1795356300000000), .to = "ada@example.org",
	    .subject = "Confirm", .text = "Hello\n.\n", .html = "<p>Hi</p>" });
}

static const char *
made(const struct mail *mail, const char *from)
{
	const struct buf	*mime = mail_mime(arena, mail, from);

	if (mime == NULL)
		fail_msg("no message");
	return (mime->p);
}

static void
has(const char *text, const char *piece)
{
	if (strstr(text, piece) == NULL)
		fail_msg("no \"%s\" in:\n%s", piece, text);
}

static void
test_plain(void **state)
{
	struct mail	 mail = message();
	const char	*text = made(&mail,
			    "Latchkey <no-reply@latchkey.example>");

	(void)state;
	/* 1795356300 s is 22 November 2026, 14:05. */
	assert_string_equal(text,
	    "From: Latchkey <no-reply@latchkey.example>\r\n"
	    "To: ada@example.org\r\n"
	    "Subject: Confirm\r\n"
	    "Date: Sun, 22 Nov 2026 14:05:00 +0000\r\n"
	    "Message-ID: <" ID "@latchkey.example>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/alternative;\r\n"
	    " boundary=\"=_" ID "\"\r\n"
	    "\r\n"
	    "--=_" ID "\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "\r\n"
	    "SGVsbG8NCi4NCg==\r\n"	/* "Hello\r\n.\r\n" */
	    "--=_" ID "\r\n"
	    "Content-Type: text/html; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "\r\n"
	    "PHA+SGk8L3A+\r\n"
	    "--=_" ID "--\r\n");
	/* Once more: the same bytes. */
	assert_string_equal(text, made(&mail,
	    "Latchkey <no-reply@latchkey.example>"));
}

static void
test_unicode(void **state)
{
	struct mail	 mail = message();
	const char	*text, *line, *end;

	(void)state;
	mail.subject = "Bestätige Zażółć gęślą jaźń ✓ und noch sehr viel "
	    "länger, über zwei Zeilen";
	text = made(&mail, "Schlüssel & Co. <a@b.example>");
	has(text, "From: =?UTF-8?B?U2NobMO8c3NlbCAmIENvLg==?= "
	    "<a@b.example>\r\n");
	has(text, "Subject: =?UTF-8?B?");
	for (line = text; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		/* 78 is what RFC 5322 asks for. */
		assert_true(end - line <= 78);
		for (; line < end; line++)
			assert_true((unsigned char)*line < 0x80);
	}
	/* What looks like an encoded word is encoded itself. */
	mail.subject = "=?UTF-8?B?YQ==?=";
	has(made(&mail, "a@b.example"),
	    "Subject: =?UTF-8?B?PT9VVEYtOD9CP1lRPT0/PQ==?=\r\n");
	/* UTF-8 in an address stays (RFC 6532). */
	mail.to = "jürgen@example.org";
	has(made(&mail, "a@b.example"), "To: jürgen@example.org\r\n");
}

static void
test_refused(void **state)
{
	struct mail	mail = message();

	(void)state;
	mail.subject = "a\r\nBcc: eve@example.org";
	assert_null(mail_mime(arena, &mail, "a@b.example"));
	mail.subject = "a\nb";
	assert_null(mail_mime(arena, &mail, "a@b.example"));
	mail = message();
	mail.to = "a@b.example\nBcc: eve@example.org";
	assert_null(mail_mime(arena, &mail, "a@b.example"));
	mail = message();
	assert_null(mail_mime(arena, &mail, "nobody"));
	assert_null(mail_mime(arena, &mail, "a\r\nb: c <a@b.example>x"));
	/* 1 MiB is the most. */
	mail.html = memset(arena_alloc(arena, (1u << 20) + 1), 'x', 1u << 20);
	assert_null(mail_mime(arena, &mail, "a@b.example"));
}

static void
test_from(void **state)
{
	(void)state;
	assert_string_equal(mail_from_address(arena,
	    "\"Rev.io, Inc.\" <no-reply@Rev.io>"), "no-reply@rev.io");
	assert_string_equal(mail_from_address(arena, "a@bücher.example"),
	    "a@xn--bcher-kva.example");
	assert_null(mail_from_address(arena, "Latchkey"));
	assert_null(mail_from_address(arena, "Latchkey <a@>"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_unicode),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_from),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
