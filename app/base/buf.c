/*
 * Text that grows in an arena, and escaping into it.  A buffer that overflows
 * its maximum stays `full` and reads as "", so that half a page or half a
 * statement is never sent by mistake.  Growing doubles; what was outgrown stays
 * in the arena, at most as much again as the text itself.
 */
#include <assert.h>

#include "base/str.h"

#define BUF_FIRST	256u

static bool	buf_room(struct buf *, size_t);

void
buf_init(struct buf *b, struct arena *a, size_t max_bytes)
{
	memset(b, 0, sizeof(*b));
	b->arena = a;
	b->max = max_bytes;
}

void
buf_expect(struct buf *b, size_t bytes)
{
	if (bytes > b->max)
		bytes = b->max;
	if (bytes > b->n)
		(void)buf_room(b, bytes - b->n);
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
		n = str_next(s, left, &c);
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
