/*
 * Strings.  A string is `const char *`, NUL-terminated UTF-8; what comes from
 * outside and holds a NUL is refused where it is read.  A `struct buf` is text
 * that grows in an arena up to a maximum that its owner names.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

struct buf {
	struct arena	*arena;
	char		*p;		/* NUL-terminated once something is in */
	size_t		 n;		/* bytes without the NUL */
	size_t		 size, max;
	bool		 full;		/* something did not fit: all is void */
};

void	buf_init(struct buf *, struct arena *, size_t max_bytes);
/* Room for so many bytes at once, which spares copies while it grows. */
void	buf_expect(struct buf *, size_t bytes);
/* In memory of the caller's, which does not grow; one byte is for the NUL. */
void	buf_fixed(struct buf *, char *memory, size_t bytes);
void	buf_add(struct buf *, const void *, size_t bytes);
void	buf_str(struct buf *, const char *);
void	buf_chr(struct buf *, char);
void	buf_fmt(struct buf *, const char *fmt, ...) FORMAT(2, 3);
/* HTML text or double-quoted attribute value: & < > " ' as entities. */
void	buf_html(struct buf *, const char *);
/* The inside of a JSON string (RFC 8259), without the quotes; U+FFFD for what
 * is no UTF-8. */
void	buf_json(struct buf *, const char *);
/* Percent-encodes all but the unreserved characters of RFC 3986. */
void	buf_url(struct buf *, const char *);
/* Never NULL: "" while nothing is in, and when it is full. */
const char *buf_text(const struct buf *);

bool	str_eq(const char *, const char *);
/* ASCII only, as protocols compare. */
bool	str_eq_nocase(const char *, const char *);
bool	str_starts(const char *, const char *prefix);
bool	str_ends(const char *, const char *suffix);
/* NULL and "" and nothing but white space. */
bool	str_blank(const char *);
/* Bytes of the first character, which is put into *ret_point; 0 if nothing is
 * left or these are not UTF-8.  A NUL is a character like others. */
size_t	str_next(const char *, size_t left, int32_t *ret_point);
/* Unicode's White_Space. */
bool	str_is_space(int32_t point);
/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. */
bool	str_utf8(const char *, size_t bytes);
/* Holds a control character (U+0000–001F, U+007F–009F, U+2028, U+2029). */
bool	str_has_control(const char *);
/* Is not seen by itself, yet parts, joins or turns what stands around it: the
 * controls of direction, zero-width and filling characters, variation
 * selectors.  Names that differ by nothing else look the same. */
bool	str_is_hidden(int32_t point);
/* Holds such a character.  is_text: the two that some scripts join their
 * letters with (U+200C, U+200D) are let pass. */
bool	str_has_hidden(const char *, bool is_text);
/* Characters (code points), of well-formed UTF-8. */
size_t	str_chars(const char *);
/* A copy without white space at both ends and with each run inside as one
 * space. */
char	*str_squeeze(struct arena *, const char *);
/* ASCII lower and upper case copies. */
char	*str_lower(struct arena *, const char *);
char	*str_upper(struct arena *, const char *);
/*
 * Unicode NFC (UAX 15); NULL if the input is not well-formed UTF-8.
 * str_fold: NFKD, accents dropped, case folded, for comparing names: "Sønner",
 * "SØNNER" and "sonner" are equal, "Café" and "cafe", "Straße" and "STRASSE".
 * Marks that make another letter stay (the vowels of Devanagari and Thai, the
 * voicing of kana).  All apostrophes are "'", all hyphens and dashes "-".
 */
char	*str_nfc(struct arena *, const char *);
char	*str_fold(struct arena *, const char *);
/* A whole decimal number in [min, max], nothing around it; else false. */
MUST_CHECK bool	str_to_int(const char *, int64_t min, int64_t max,
		    int64_t *ret_number);

/* Hexadecimal, lower case.  out has 2 * bytes + 1. */
void	hex_encode(char *out, const void *, size_t bytes);
/* False unless s is exactly 2 * bytes hexadecimal digits. */
MUST_CHECK bool	hex_decode(void *ret_bytes, size_t bytes, const char *s);
/* base64url without padding (RFC 4648 section 5); out has
 * (bytes * 4 + 2) / 3 + 1. */
void	base64url_encode(char *out, const void *, size_t bytes);
/* False unless s decodes to exactly `bytes` bytes, canonically. */
MUST_CHECK bool	base64url_decode(void *ret_bytes, size_t bytes,
		    const char *s);

#endif
