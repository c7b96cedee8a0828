/*
 * One static page of text that waits to be written, and one for the line at
 * work.  A value is cut at VALUE_MAX bytes, and a field that does not fit into
 * the line any more is left out; either shows as "cut":true, since a line
 * that is too long must not hide what happened.  Text that waits is written
 * before a fork, or the child would write it again.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define PAGE		4096u	/* PIPE_BUF: a write of so many is whole */
#define VALUE_MAX	1000u
#define LINE_END	",\"cut\":true}\n"

static const char	*const level_names[] = { "debug", "info", "warn",
			    "error" };
static const char	*program = "latchkey";
static enum log_level	 lowest = LOG_LEVEL_INFO;
static bool		 atfork_set;
static char		 page[PAGE];
static size_t		 page_used;

static bool		 line_field(struct buf *, const char *, const char *);

void
log_setup(const char *name, enum log_level level)
{
	int	rc;

	program = name;
	lowest = level;
	if (!atfork_set) {
		rc = pthread_atfork(log_flush, NULL, NULL);
		assert(rc == 0);
		atfork_set = true;
	}
}

bool
log_level_parse(const char *word, enum log_level *ret_level)
{
	size_t	i;

	for (i = 0; i < COUNT(level_names); i++) {
		if (str_eq(word, level_names[i])) {
			*ret_level = (enum log_level)i;
			return (true);
		}
	}
	return (false);
}

void
log_event(enum log_level level, const char *event, ...)
{
	static char	 line[PAGE];
	char		 stamp[CLOCK_STAMP];
	const char	*name;
	struct buf	 b;
	va_list		 ap;
	bool		 whole = true;

	if (level < lowest)
		return;
	clock_stamp(stamp, clock_now());
	/* What is left out of the maximum is kept for the end of the line. */
	buf_fixed(&b, line, sizeof(line));
	b.max -= sizeof(LINE_END) - 1;
	buf_fmt(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\","
	    "\"pid\":%d", stamp, level_names[level], program, (int)getpid());
	whole &= line_field(&b, "event", event);
	va_start(ap, event);
	while ((name = va_arg(ap, const char *)) != NULL)
		whole &= line_field(&b, name, va_arg(ap, const char *));
	va_end(ap);
	b.max += sizeof(LINE_END) - 1;
	buf_str(&b, whole ? "}\n" : LINE_END);
	assert(!b.full);

	if (b.n > sizeof(page) - page_used)
		log_flush();
	memcpy(page + page_used, b.p, b.n);
	page_used += b.n;
	if (level >= LOG_LEVEL_WARN)
		log_flush();
}

const char *
log_num(char out[24], int64_t n)
{
	(void)snprintf(out, 24, "%lld", (long long)n);
	return (out);
}

void
log_flush(void)
{
	const char	*p = page;
	ssize_t		 n;
	int		 saved = errno;

	while (page_used > 0) {
		n = write(STDOUT_FILENO, p, page_used);
		if (n == -1 && errno == EINTR)
			continue;
		/* Nobody reads the log, or its disk is full, or its pipe is
		 * full and does not block: there is no other place to say so,
		 * and the service goes on. */
		if (n <= 0)
			break;
		p += n;
		page_used -= (size_t)n;
	}
	page_used = 0;
	errno = saved;
}

/* False if the value was cut or left out.  NULL is written as null. */
static bool
line_field(struct buf *b, const char *name, const char *value)
{
	char	cut[VALUE_MAX + 1];
	size_t	before = b->n, n;
	bool	whole = true;

	if (value != NULL && strnlen(value, VALUE_MAX + 1) > VALUE_MAX) {
		/* Not within a character: step back over its tail. */
		for (n = VALUE_MAX; n > 0 &&
		    ((unsigned char)value[n] & 0xc0) == 0x80; n--)
			;
		memcpy(cut, value, n);
		cut[n] = '\0';
		value = cut;
		whole = false;
	}
	buf_str(b, ",\"");
	buf_json(b, name);
	if (value == NULL) {
		buf_str(b, "\":null");
	} else {
		buf_str(b, "\":\"");
		buf_json(b, value);
		buf_chr(b, '"');
	}
	if (b->full) {
		b->full = false;
		b->n = before;
		b->p[before] = '\0';
		return (false);
	}
	return (whole);
}
