/*
 * What needs Unicode's tables, which are utf8proc's (Unicode 15).  It is handed
 * buffers of the arena, so nothing here calls malloc().
 */
#include <assert.h>
#include <utf8proc.h>

#include "base/str.h"

static int32_t		*decompose(struct arena *, const char *,
			    utf8proc_option_t, size_t *);
static bool		 is_accent(int32_t);
static const char	*letter_base(int32_t);

size_t
str_next(const char *s, size_t left, int32_t *ret_point)
{
	utf8proc_ssize_t	n;

	if (left == 0)
		return (0);
	if ((unsigned char)*s < 0x80) {
		*ret_point = *s;
		return (1);
	}
	n = utf8proc_iterate((const unsigned char *)s, (utf8proc_ssize_t)left,
	    ret_point);
	return (n > 0 ? (size_t)n : 0);
}

bool
str_is_space(int32_t c)
{
	return (c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 ||
	    c == 0x2028 || c == 0x2029 || (c >= 0x80 &&
	    utf8proc_category(c) == UTF8PROC_CATEGORY_ZS));
}

char *
str_nfc(struct arena *a, const char *s)
{
	size_t		 count;
	utf8proc_ssize_t bytes;
	int32_t		*points;

	points = decompose(a, s, UTF8PROC_STABLE | UTF8PROC_COMPOSE, &count);
	if (points == NULL)
		return (NULL);
	/* In place: UTF-8 is never longer than UTF-32.  There is room for the
	 * NUL in the last element. */
	bytes = utf8proc_reencode(points, (utf8proc_ssize_t)count,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	assert(bytes >= 0);
	return ((char *)points);
}

char *
str_fold(struct arena *a, const char *s)
{
	struct buf	 b;
	unsigned char	 text[4];
	const char	*base;
	size_t		 count, i;
	int32_t		*points;

	points = decompose(a, s, UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
	    UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &count);
	if (points == NULL)
		return (NULL);
	buf_init(&b, a, count * sizeof(text));
	for (i = 0; i < count; i++) {
		if (is_accent(points[i]))
			continue;
		base = letter_base(points[i]);
		if (base != NULL)
			buf_str(&b, base);
		else
			buf_add(&b, text, (size_t)utf8proc_encode_char(
			    points[i], text));
	}
	assert(!b.full);
	return (b.p == NULL ? arena_strdup(a, "") : b.p);
}

/* NULL if s is not UTF-8.  There is room for one element behind the last. */
static int32_t *
decompose(struct arena *a, const char *s, utf8proc_option_t options,
    size_t *ret_count)
{
	const unsigned char	*u = (const unsigned char *)s;
	utf8proc_ssize_t	 bytes = (utf8proc_ssize_t)strlen(s), n, again;
	int32_t			*points;

	n = utf8proc_decompose(u, bytes, NULL, 0, options);
	if (n < 0)
		return (NULL);
	points = arena_calloc(a, (size_t)n + 1, sizeof(*points));
	again = utf8proc_decompose(u, bytes, points, n, options);
	assert(again == n);
	*ret_count = (size_t)n;
	return (points);
}

/*
 * Accents and vowel points, by their canonical combining class: 10 to 35 are
 * the points of Hebrew, Arabic and Syriac, 200 and above the accents.  Not so
 * the marks that make another letter: nukta (7), the voicing of kana (8),
 * virama (9), the vowels of Thai, Lao and Tibetan (84 to 132), and all those
 * of class 0, for example the vowel signs of Devanagari.
 */
static bool
is_accent(int32_t c)
{
	int	ccc = utf8proc_get_property(c)->combining_class;

	return ((ccc >= 10 && ccc <= 35) || ccc >= 200);
}

/* What people type for a letter that Unicode does not take apart, and for the
 * several apostrophes and hyphens; NULL for all others. */
static const char *
letter_base(int32_t c)
{
	static const struct {
		int32_t		 from;
		const char	*to;
	} table[] = {
		{ 0xe6, "ae" },	{ 0xf0, "d" },	{ 0xf8, "o" },
		{ 0xfe, "th" },	{ 0x111, "d" },	{ 0x127, "h" },
		{ 0x131, "i" },	{ 0x138, "k" },	{ 0x142, "l" },
		{ 0x14b, "n" },	{ 0x153, "oe" }, { 0x167, "t" },
		{ 0x180, "b" },	{ 0x19a, "l" },	{ 0x1b6, "z" },
		{ 0x1e5, "g" },	{ 0x237, "j" },	{ 0x23c, "c" },
		{ 0x247, "e" },	{ 0x249, "j" },	{ 0x24d, "r" },
		{ 0x24f, "y" },	{ 0x268, "i" },	{ 0x289, "u" },
		{ 0x2bc, "'" },	{ 0x2010, "-" }, { 0x2011, "-" },
		{ 0x2012, "-" }, { 0x2013, "-" }, { 0x2014, "-" },
		{ 0x2015, "-" }, { 0x2018, "'" }, { 0x2019, "'" },
		{ 0x2212, "-" }, { 0x2c65, "a" }, { 0x2c66, "t" },
	};
	size_t	i;

	if (c < 0x80)
		return (NULL);
	for (i = 0; i < COUNT(table); i++) {
		if (table[i].from == c)
			return (table[i].to);
	}
	return (NULL);
}
