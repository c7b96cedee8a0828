/*
 * See ratelimit.h.  Written without printf, since it is written on each call.
 */
#include "gateway/ratelimit.h"

static size_t	 add_name(char *, size_t, const char *name);
static size_t	 add_number(char *, size_t, const char *what, uint32_t);
static bool	 refused(const struct limits *);

size_t
ratelimit_policy(char ret_text[RATELIMIT_MAX], const struct limits *limits)
{
	size_t		 n = 0;
	unsigned	 i;

	for (i = 0; i < limits->n; i++) {
		n = add_name(ret_text, n, limits->rows[i].name);
		n = add_number(ret_text, n, ";q=", limits->rows[i].quota);
		n = add_number(ret_text, n, ";w=", limits->rows[i].window_s);
	}
	ret_text[n] = '\0';
	return (n);
}

size_t
ratelimit_state(char ret_text[RATELIMIT_MAX], const struct limits *limits)
{
	bool		 full = refused(limits);
	size_t		 n = 0;
	unsigned	 i;

	for (i = 0; i < limits->n; i++) {
		if (full && !limits->rows[i].full)
			continue;
		n = add_name(ret_text, n, limits->rows[i].name);
		n = add_number(ret_text, n, ";r=", limits->rows[i].left);
		n = add_number(ret_text, n, ";t=", limits->rows[i].reset_s);
	}
	ret_text[n] = '\0';
	return (n);
}

size_t
ratelimit_full(char ret_text[RATELIMIT_MAX], const struct limits *limits)
{
	size_t		 n = 0;
	unsigned	 i;

	for (i = 0; i < limits->n; i++)
		if (limits->rows[i].full)
			n = add_name(ret_text, n, limits->rows[i].name);
	ret_text[n] = '\0';
	return (n);
}

const struct limit_row *
ratelimit_nearest(const struct limits *limits)
{
	const struct limit_row	*row, *nearest = NULL;
	unsigned		 i;

	for (i = 0; i < limits->n; i++) {
		row = &limits->rows[i];
		if (nearest == NULL || (row->full && !nearest->full) ||
		    (row->full == nearest->full && row->left < nearest->left))
			nearest = row;
	}
	return (nearest);
}

static size_t
add_name(char *to, size_t n, const char *name)
{
	size_t	 length = strlen(name);

	if (n > 0) {
		to[n++] = ',';
		to[n++] = ' ';
	}
	to[n++] = '"';
	memcpy(to + n, name, length);
	n += length;
	to[n++] = '"';
	return (n);
}

static size_t
add_number(char *to, size_t n, const char *what, uint32_t number)
{
	char	 digits[10];
	size_t	 length = strlen(what), i = 0;

	memcpy(to + n, what, length);
	n += length;
	do {
		digits[i++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (i > 0)
		to[n++] = digits[--i];
	return (n);
}

static bool
refused(const struct limits *limits)
{
	unsigned	 i;

	for (i = 0; i < limits->n; i++)
		if (limits->rows[i].full)
			return (true);
	return (false);
}
