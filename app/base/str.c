/*
 * Comparing, looking over and copying strings.  What is asked of a single
 * character is in unicode.c, buffers are in buf.c, numbers and encodings in
 * encode.c.
 */
#include "base/str.h"

static char	ascii_lower(char);

bool
str_eq(const char *a, const char *b)
{
	return (strcmp(a, b) == 0);
}

bool
str_eq_nocase(const char *a, const char *b)
{
	while (*a != '\0' && (*a == *b ||
	    ascii_lower(*a) == ascii_lower(*b))) {
		a++;
		b++;
	}
	return (ascii_lower(*a) == ascii_lower(*b));
}

bool
str_starts(const char *s, const char *prefix)
{
	return (strncmp(s, prefix, strlen(prefix)) == 0);
}

bool
str_ends(const char *s, const char *suffix)
{
	size_t	n = strlen(s), m = strlen(suffix);

	return (n >= m && memcmp(s + n - m, suffix, m) == 0);
}

bool
str_blank(const char *s)
{
	size_t	left, n;
	int32_t	c;

	if (s == NULL)
		return (true);
	for (left = strlen(s); left > 0; s += n, left -= n) {
		n = str_next(s, left, &c);
		if (n == 0 || !str_is_space(c))
			return (false);
	}
	return (true);
}

bool
str_utf8(const char *s, size_t bytes)
{
	size_t	n;
	int32_t	c;

	for (; bytes > 0; s += n, bytes -= n) {
		n = str_next(s, bytes, &c);
		if (n == 0)
			return (false);
	}
	return (true);
}

bool
str_has_control(const char *s)
{
	size_t	left = strlen(s), n;
	int32_t	c;

	for (; left > 0; s += n, left -= n) {
		n = str_next(s, left, &c);
		if (n == 0) {
			n = 1;
			continue;
		}
		if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
		    c == 0x2029)
			return (true);
	}
	return (false);
}

size_t
str_chars(const char *s)
{
	size_t	count = 0;

	/* Every byte but the continuations 10xxxxxx begins a character. */
	for (; *s != '\0'; s++)
		count += ((unsigned char)*s & 0xc0) != 0x80;
	return (count);
}

char *
str_squeeze(struct arena *a, const char *s)
{
	size_t	 left = strlen(s), n;
	char	*out = arena_alloc(a, left + 1), *p = out;
	bool	 gap = false;
	int32_t	 c;

	for (; left > 0; s += n, left -= n) {
		n = str_next(s, left, &c);
		if (n > 0 && str_is_space(c)) {
			gap = p > out;
			continue;
		}
		if (n == 0)
			n = 1;
		/* The space takes no more bytes than those it stands for. */
		if (gap)
			*p++ = ' ';
		gap = false;
		memcpy(p, s, n);
		p += n;
	}
	*p = '\0';
	return (out);
}

char *
str_lower(struct arena *a, const char *s)
{
	char	*out = arena_strdup(a, s), *p;

	for (p = out; *p != '\0'; p++)
		*p = ascii_lower(*p);
	return (out);
}

char *
str_upper(struct arena *a, const char *s)
{
	char	*out = arena_strdup(a, s), *p;

	for (p = out; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
	return (out);
}

static char
ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
}
