/*
 * Numbers, hexadecimal and base64url.  Decoding takes one form only: a text
 * that decodes is the text that encoding gives (but for upper case in
 * hexadecimal), since tokens are compared and looked up as text.
 */
#include "base/str.h"

static int	hex_value(char);
static int	base64url_value(char);

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

/* Of a hexadecimal digit, which the caller has made sure of; the bit 0x20 makes
 * lower case. */
static int
hex_value(char c)
{
	return (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
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
