/*
 * The growing buffer, comparing, Unicode and the three encodings.  Unicode is
 * utf8proc's (Unicode 15); it is handed buffers of the arena, so nothing here
 * calls malloc().  A buffer that overflows its maximum stays `full` and reads
 * as "", so that half a page or half a statement is never sent by mistake.
 */
#include "base/str.h"

#include <assert.h>
#include <utf8proc.h>

#define BUF_FIRST	256u

static bool		 buf_room(struct buf *, size_t);
static size_t		 utf8_next(const char *, size_t, int32_t *);
static bool		 is_space(int32_t);
static char		 ascii_lower(char);
static int32_t		*decompose(struct arena *, const char *,
			    utf8proc_option_t, size_t *);
static bool		 is_accent(int32_t);
static const char	*letter_base(int32_t);
static int		 hex_value(char);
static int		 base64url_value(char);

void
buf_init(struct buf *b, struct arena *a, size_t max_bytes)
{
	memset(b, 0, sizeof(*b));
	b->arena = a;
	b->max = max_bytes;
}

void
buf_fixed(struct buf *b, char *memory, size_t bytes)
{
	assert(bytes > 0);
	memset(b, 0, sizeof(*b));
	b->p = memory;
	b->p[0] = '\0';
	b->size = bytes;
	b->max = bytes - 1;
}

void
buf_add(struct buf *b, const void *from, size_t bytes)
{
	if (!buf_room(b, bytes))
		return;
	if (bytes > 0)
		memcpy(b->p + b->n, from, bytes);
	b->n += bytes;
	b->p[b->n] = '\0';
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_chr(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (!buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_html(struct buf *b, const char *s)
{
	size_t	n;

	while (*s != '\0') {
		n = strcspn(s, "&<>\"'");
		buf_add(b, s, n);
		s += n;
		switch (*s) {
		case '&':
			buf_str(b, "&amp;");
			break;
		case '<':
			buf_str(b, "&lt;");
			break;
		case '>':
			buf_str(b, "&gt;");
			break;
		case '"':
			buf_str(b, "&quot;");
			break;
		case '\'':
			buf_str(b, "&#39;");
			break;
		default:
			return;
		}
		s++;
	}
}

/*
 * Bytes that are no UTF-8 become U+FFFD: the outcome is JSON whatever came in.
 * U+2028 and U+2029 end a line in older JavaScript.
 */
void
buf_json(struct buf *b, const char *s)
{
	size_t	left = strlen(s), n;
	int32_t	c;

	for (; left > 0; s += n, left -= n) {
		n = utf8_next(s, left, &c);
		if (n == 0) {
			buf_str(b, "\xef\xbf\xbd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_chr(b, '\\');
			buf_chr(b, (char)c);
		} else if (c == '\n') {
			buf_str(b, "\\n");
		} else if (c < 0x20 || c == 0x7f || c == 0x2028 ||
		    c == 0x2029) {
			buf_fmt(b, "\\u%04x", (unsigned)c);
		} else {
			buf_add(b, s, n);
		}
	}
}

void
buf_url(struct buf *b, const char *s)
{
	static const char	hex[] = "0123456789ABCDEF";
	unsigned char		c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL) {
			buf_chr(b, *s);
		} else {
			buf_chr(b, '%');
			buf_chr(b, hex[c >> 4]);
			buf_chr(b, hex[c & 15]);
		}
	}
}

const char *
buf_text(const struct buf *b)
{
	return (b->p == NULL || b->full ? "" : b->p);
}

bool
str_eq(const char *a, const char *b)
{
	return (strcmp(a, b) == 0);
}

bool
str_eq_nocase(const char *a, const char *b)
{
	while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
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
		n = utf8_next(s, left, &c);
		if (n == 0 || !is_space(c))
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
		n = utf8_next(s, bytes, &c);
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
		n = utf8_next(s, left, &c);
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
		n = utf8_next(s, left, &c);
		if (n > 0 && is_space(c)) {
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

bool
str_to_int(const char *s, int64_t min, int64_t max, int64_t *ret_number)
{
	bool	minus = *s == '-';
	int64_t	n = 0;
	int	digit;

	if (minus)
		s++;
	if (*s == '\0')
		return (false);
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return (false);
		/* Counted downwards, since INT64_MIN has no positive twin. */
		digit = *s - '0';
		if (__builtin_mul_overflow(n, INT64_C(10), &n) ||
		    __builtin_sub_overflow(n, (int64_t)digit, &n))
			return (false);
	}
	if (!minus && __builtin_sub_overflow(INT64_C(0), n, &n))
		return (false);
	if (n < min || n > max)
		return (false);
	*ret_number = n;
	return (true);
}

void
hex_encode(char *out, const void *bytes, size_t n)
{
	static const char	 hex[] = "0123456789abcdef";
	const unsigned char	*p = bytes;

	for (; n > 0; n--, p++) {
		*out++ = hex[*p >> 4];
		*out++ = hex[*p & 15];
	}
	*out = '\0';
}

bool
hex_decode(void *ret_bytes, size_t bytes, const char *s)
{
	unsigned char	*out = ret_bytes;
	size_t		 i;

	if (strlen(s) != bytes * 2 || strspn(s, "0123456789abcdefABCDEF") !=
	    bytes * 2)
		return (false);
	for (i = 0; i < bytes; i++)
		out[i] = (unsigned char)(hex_value(s[2 * i]) << 4 |
		    hex_value(s[2 * i + 1]));
	return (true);
}

void
base64url_encode(char *out, const void *bytes, size_t n)
{
	static const char	 set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char	*p = bytes;
	uint32_t		 bits = 0;
	unsigned		 have = 0;

	for (; n > 0; n--) {
		bits = bits << 8 | *p++;
		for (have += 8; have >= 6; have -= 6)
			*out++ = set[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = set[bits << (6 - have) & 63];
	*out = '\0';
}

bool
base64url_decode(void *ret_bytes, size_t bytes, const char *s)
{
	unsigned char	*out = ret_bytes;
	size_t		 n = (bytes * 4 + 2) / 3, i;
	uint32_t	 bits = 0;
	unsigned	 have = 0;

	if (strlen(s) != n)
		return (false);
	for (i = 0; i < n; i++) {
		if (base64url_value(s[i]) < 0)
			return (false);
	}
	/* The bits behind the last byte must be 0, or two texts would stand
	 * for the same bytes. */
	if (n > 0 && (base64url_value(s[n - 1]) &
	    ((1 << (n * 6 - bytes * 8)) - 1)) != 0)
		return (false);
	for (i = 0; i < n; i++) {
		bits = bits << 6 | (uint32_t)base64url_value(s[i]);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (unsigned char)(bits >> have);
		}
	}
	return (true);
}

/* Makes room for so many bytes and a NUL behind them. */
static bool
buf_room(struct buf *b, size_t bytes)
{
	size_t	 size;
	char	*p;

	if (b->full || bytes > b->max - b->n) {
		b->full = true;
		return (false);
	}
	if (b->size - b->n > bytes)
		return (true);
	assert(b->arena != NULL);
	size = b->size == 0 ? BUF_FIRST : b->size * 2;
	if (size < b->n + bytes + 1)
		size = b->n + bytes + 1;
	if (size > b->max + 1)
		size = b->max + 1;
	p = arena_alloc(b->arena, size);
	if (b->n > 0)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->size = size;
	return (true);
}

/* Bytes of the first character, which is put into *ret_point; 0 if these are
 * not UTF-8.  A NUL is a character like others. */
static size_t
utf8_next(const char *s, size_t left, int32_t *ret_point)
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

/* Unicode's White_Space. */
static bool
is_space(int32_t c)
{
	return (c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 ||
	    c == 0x2028 || c == 0x2029 || (c >= 0x80 &&
	    utf8proc_category(c) == UTF8PROC_CATEGORY_ZS));
}

static char
ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
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

/* Of a hexadecimal digit, which the caller has made sure of. */
static int
hex_value(char c)
{
	return (c <= '9' ? c - '0' : ascii_lower(c) - 'a' + 10);
}

static int
base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	return (c == '-' ? 62 : c == '_' ? 63 : -1);
}
