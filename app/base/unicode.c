/*
 * What needs Unicode's tables, which are utf8proc's (Unicode 15).  It is handed
 * buffers of the arena, so nothing here calls malloc().
 *
 * Characters are taken apart one by one and their marks put in order here, not
 * by utf8proc_decompose(): that one sorts by swapping neighbours, so a form of
 * 64 kB of marks in the wrong order would hold up a worker for three seconds.
 */
#include <assert.h>
#include <utf8proc.h>

#include "base/str.h"

/* Longer runs of marks than any writing has are sorted by counting. */
#define FEW_MARKS	16u

static int32_t		*decompose(struct arena *, const char *,
			    utf8proc_option_t, size_t *);
static bool		 decompose_into(const char *, utf8proc_option_t,
			    int32_t *, size_t, size_t *);
static void		 order_marks(struct arena *, int32_t *, size_t);
static void		 sort_few(int32_t *, size_t);
static void		 sort_many(struct arena *, int32_t *, size_t);
static unsigned		 class_of(int32_t);
static bool		 is_accent(int32_t);
static const char	*letter_base(int32_t);

size_t
str_next(const char *s, size_t left, int32_t *ret_point)
{
	utf8proc_ssize_t	n;

	if (left == 0)
		return (0);
	if ((unsigned char)*s < 0x80) {
		*ret_point = (unsigned char)*s;
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

bool
str_is_hidden(int32_t c)
{
	/* Default_Ignorable_Code_Point, and what else is of format. */
	return (c >= 0x80 && (utf8proc_get_property(c)->ignorable ||
	    utf8proc_category(c) == UTF8PROC_CATEGORY_CF));
}

bool
str_has_hidden(const char *s, bool is_text)
{
	size_t	left = strlen(s), n;
	int32_t	c;

	for (; left > 0; s += n, left -= n) {
		n = str_next(s, left, &c);
		if (n == 0)
			n = 1;
		else if (str_is_hidden(c) &&
		    !(is_text && (c == 0x200c || c == 0x200d)))
			return (true);
	}
	return (false);
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
	int32_t	*points;
	size_t	 n, again;
	bool	 ok;

	if (!decompose_into(s, options, NULL, 0, &n))
		return (NULL);
	points = arena_calloc(a, n + 1, sizeof(*points));
	ok = decompose_into(s, options, points, n, &again);
	assert(ok && again == n);
	order_marks(a, points, n);
	*ret_count = n;
	return (points);
}

/* With NULL for the points it only counts them.  False if s is not UTF-8. */
static bool
decompose_into(const char *s, utf8proc_option_t options, int32_t *points,
    size_t room, size_t *ret_count)
{
	size_t			 left = strlen(s), used = 0, n;
	utf8proc_ssize_t	 more;
	int32_t			 c;
	int			 last = 0;

	for (; left > 0; s += n, left -= n) {
		n = str_next(s, left, &c);
		if (n == 0)
			return (false);
		more = utf8proc_decompose_char(c,
		    points == NULL ? NULL : points + used,
		    (utf8proc_ssize_t)(room - used), options, &last);
		assert(more >= 0);
		used += (size_t)more;
		if (points == NULL)
			room = used;
	}
	*ret_count = used;
	return (true);
}

/* The canonical order (Unicode, D109): each run of marks by their class, and
 * those of one class as they came. */
static void
order_marks(struct arena *a, int32_t *points, size_t n)
{
	size_t	i, run;

	for (i = 0; i < n; i += run > 0 ? run : 1) {
		for (run = 0; i + run < n && class_of(points[i + run]) != 0; )
			run++;
		if (run > FEW_MARKS)
			sort_many(a, points + i, run);
		else if (run > 1)
			sort_few(points + i, run);
	}
}

static void
sort_few(int32_t *points, size_t n)
{
	size_t	i, j;
	int32_t	c;

	for (i = 1; i < n; i++) {
		c = points[i];
		for (j = i; j > 0 && class_of(points[j - 1]) > class_of(c); j--)
			points[j] = points[j - 1];
		points[j] = c;
	}
}

static void
sort_many(struct arena *a, int32_t *points, size_t n)
{
	int32_t	*sorted = arena_calloc(a, n, sizeof(*sorted));
	size_t	 place[256] = { 0 };	/* where the next of a class goes */
	size_t	 i, before = 0, count;

	for (i = 0; i < n; i++)
		place[class_of(points[i])]++;
	for (i = 0; i < COUNT(place); i++) {
		count = place[i];
		place[i] = before;
		before += count;
	}
	for (i = 0; i < n; i++)
		sorted[place[class_of(points[i])]++] = points[i];
	memcpy(points, sorted, n * sizeof(*sorted));
}

/* The canonical combining class, 0 to 254. */
static unsigned
class_of(int32_t c)
{
	return ((unsigned)utf8proc_get_property(c)->combining_class & 0xff);
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
