/*
 * Every way in which a mail server can answer, played by a child process that
 * reads lines and says what it was told to, and what mail_smtp() makes of it.
 * TLS and a real server are in test_courier.py.
 */
#include "mail/mail.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"

#define DIES	"(dies)"	/* closes the connection */
#define HANGS	"(hangs)"	/* says nothing any more */

/* What the server says: at the start, to EHLO, MAIL, RCPT, DATA, and to the
 * end of the message. */
struct script {
	const char	*greeting, *ehlo, *mail, *rcpt, *data, *end;
};
static const struct script	good = { "220 hello", "250 hello", "250 ok",
				    "250 ok", "354 go on", "250 taken" };

static struct arena	*arena;
static struct buf	 mime;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 20, NULL, NULL);
	buf_init(&mime, arena, 1000);
	buf_str(&mime, "Subject: x\r\n\r\nbody\r\n.\r\n");
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static void
say(int fd, const char *what)
{
	if (str_eq(what, DIES))
		_exit(0);
	if (str_eq(what, HANGS)) {
		sleep(30);
		_exit(0);
	}
	if (dprintf(fd, "%s\r\n", what) < 0)
		_exit(1);
}

static void
serve(int listener, const struct script *script)
{
	char	 line[1024];
	FILE	*in;
	int	 fd = accept(listener, NULL, NULL);
	bool	 in_data = false;

	in = fdopen(fd, "r");
	say(fd, script->greeting);
	while (fgets(line, sizeof(line), in) != NULL) {
		if (in_data) {
			/* A dot of the message comes doubled. */
			if (strcmp(line, ".\r\n") == 0) {
				in_data = false;
				say(fd, script->end);
			}
		} else if (strncmp(line, "EHLO", 4) == 0) {
			say(fd, script->ehlo);
		} else if (strncmp(line, "HELO", 4) == 0) {
			say(fd, "250 hello");
		} else if (strncmp(line, "MAIL", 4) == 0) {
			say(fd, script->mail);
		} else if (strncmp(line, "RCPT", 4) == 0) {
			say(fd, script->rcpt);
		} else if (strncmp(line, "DATA", 4) == 0) {
			in_data = str_starts(script->data, "354");
			say(fd, script->data);
		} else {
			say(fd, "221 bye");
			_exit(0);
		}
	}
	_exit(0);
}

static enum mail_sent
talk(const struct script *script, const char **ret_why)
{
	const struct mail_limits	 limits = { 1000, 1, 3000 };
	struct sockaddr_in		 address = { .sin_family = AF_INET };
	socklen_t			 n = sizeof(address);
	enum mail_sent			 sent;
	pid_t				 child;
	int				 listener, status;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, n), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address,
	    &n), 0);
	child = child_fork();
	if (child == 0) {
		serve(listener, script);
	}
	close(listener);
	sent = mail_smtp(arena, arena_fmt(arena, "smtp://127.0.0.1:%d",
	    ntohs(address.sin_port)), NULL, &limits, "no-reply@a.example",
	    "ada@b.example", &mime, ret_why);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Staff read it, so it names nobody. */
	assert_null(strstr(*ret_why, "ada"));
	return (sent);
}

static void
expect(struct script script, enum mail_sent expected)
{
	const char	*why = NULL;
	enum mail_sent	 sent = talk(&script, &why);

	if (sent != expected)
		fail_msg("%d (%s), not %d", (int)sent, why, (int)expected);
	assert_true((sent == MAIL_SENT) == (why[0] == '\0'));
}

/* The good script with one answer changed. */
#define WITH(field, answer)						\
	({ struct script s_ = good; s_.field = (answer); s_; })

static void
test_taken(void **state)
{
	(void)state;
	expect(good, MAIL_SENT);
	expect(WITH(ehlo, "250-hello\r\n250-8BITMIME\r\n250 SIZE 99999"),
	    MAIL_SENT);
}

/* What the server says of this recipient or message is final. */
static void
test_refused(void **state)
{
	(void)state;
	expect(WITH(rcpt, "550 no such ada@b.example"), MAIL_REFUSED);
	expect(WITH(rcpt, "553 no"), MAIL_REFUSED);
	expect(WITH(data, "554 no"), MAIL_REFUSED);
	expect(WITH(end, "552 too large"), MAIL_REFUSED);
	expect(WITH(end, "554 spam"), MAIL_REFUSED);
}

static void
test_later(void **state)
{
	(void)state;
	expect(WITH(greeting, "421 busy"), MAIL_LATER);
	expect(WITH(greeting, "554 go away"), MAIL_LATER);
	expect(WITH(mail, "451 later"), MAIL_LATER);
	expect(WITH(rcpt, "451 greylisted"), MAIL_LATER);
	expect(WITH(rcpt, "452 too many"), MAIL_LATER);
	expect(WITH(data, "451 later"), MAIL_LATER);
	expect(WITH(end, "451 later"), MAIL_LATER);
}

/* Whether it was taken is not known: it goes again, as the same message. */
static void
test_lost(void **state)
{
	(void)state;
	expect(WITH(greeting, DIES), MAIL_LATER);
	expect(WITH(rcpt, DIES), MAIL_LATER);
	expect(WITH(data, DIES), MAIL_LATER);
	expect(WITH(end, DIES), MAIL_LATER);
}

static void
test_silent(void **state)
{
	int64_t	began;

	(void)state;
	began = clock_monotonic();
	expect(WITH(greeting, HANGS), MAIL_LATER);
	expect(WITH(data, HANGS), MAIL_LATER);
	expect(WITH(end, HANGS), MAIL_LATER);
	/* Three times at most 3 s. */
	assert_true(clock_monotonic() - began < 10 * SECOND_US);
}

/* Somebody must act, and the mail waits for that. */
static void
test_settings(void **state)
{
	const struct mail_limits	 limits = { 1000, 1, 2000 };
	const char			*why;

	(void)state;
	expect(WITH(mail, "553 not this sender"), MAIL_SETTINGS);
	assert_int_equal(mail_smtp(arena, "smtp://[bad", NULL, &limits,
	    "a@a.example", "b@b.example", &mime, &why), MAIL_SETTINGS);
	/* Nobody listens on port 1. */
	assert_int_equal(mail_smtp(arena, "smtp://127.0.0.1:1", NULL, &limits,
	    "a@a.example", "b@b.example", &mime, &why), MAIL_LATER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_settings),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
