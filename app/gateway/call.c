/*
 * See call.h.
 */
#include "gateway/call.h"

#include "base/str.h"
#include "crypto/coded.h"
#include "crypto/jwt.h"
#include "crypto/token.h"
#include "gateway/keyway.h"

#define KEY_OF_PAIR	32u	/* hexadecimal digits, in small letters */
/* USER@CODE:password in base64, four characters for three bytes */
#define BASIC_MAX	((CALL_USER_MAX + 1 + CALL_CODE_MAX + 1 +	\
			    CALL_PASSWORD_MAX + 2) / 3 * 4)

static void	 take(struct call *, const char **, const char *);
static void	 take_named(struct call *, const char *name, const char *value);
static enum call_verdict read_key(struct call *);
static const char *bearer_of(const char *authorization);
static uint8_t	 query_key(const char *, size_t, const char **, size_t *);
static bool	 key_shaped(const char *, size_t);
static size_t	 decode(char *, size_t, const char *, size_t);
static enum call_user read_user(struct call *);
static enum call_user read_login(struct call *, const char *name,
		    const char *end, const char *password);
static bool	 read_name(char **, const char *, const char *, size_t max,
		    const char *more);
static int	 hex_of(char);

void
call_begin(struct call *c, enum call_way way)
{
	memset(c, 0, sizeof(*c));
	c->way = way;
}

void
call_header(struct call *c, const char *name, const char *value)
{
	/* Told apart by their lengths first: most headers are others. */
	switch (strlen(name)) {
	case sizeof("authorization") - 1:
		if (str_eq_nocase(name, "authorization")) {
			take(c, &c->authorization, value);
			return;
		}
		break;
	case sizeof("x-original-uri") - 1:
		if (str_eq_nocase(name, "x-original-uri"))
			take(c, &c->original_uri, value);
		break;
	case sizeof("x-forwarded-uri") - 1:
		if (str_eq_nocase(name, "x-forwarded-uri"))
			take(c, &c->forwarded_uri, value);
		else if (str_eq_nocase(name, "x-forwarded-for"))
			c->forwarded_for = value;
		break;
	case sizeof("x-original-method") - 1:
		if (str_eq_nocase(name, "x-original-method"))
			take(c, &c->original_method, value);
		else if (str_eq_nocase(name, "x-latchkey-secret"))
			take(c, &c->secret, value);
		break;
	case sizeof("x-forwarded-method") - 1:
		if (str_eq_nocase(name, "x-forwarded-method"))
			take(c, &c->forwarded_method, value);
		else if (str_eq_nocase(name, "x-latchkey-product"))
			take(c, &c->product, value);
		break;
	case sizeof("x-latchkey-environment") - 1:
		if (str_eq_nocase(name, "x-latchkey-environment"))
			take(c, &c->environment, value);
		break;
	}
	take_named(c, name, value);
}

enum call_verdict
call_read(struct call *c, const char *method, const char *target)
{
	enum call_verdict verdict;
	bool	 forwarded, original;

	forwarded = c->forwarded_method != NULL || c->forwarded_uri != NULL;
	original = c->original_method != NULL || c->original_uri != NULL;
	switch (c->way) {
	case CALL_PLAIN:
		c->method = c->forwarded_method;
		c->target = c->forwarded_uri;
		forwarded = false;
		break;
	case CALL_NGINX:
		c->method = c->original_method;
		c->target = c->original_uri;
		original = false;
		break;
	case CALL_LINE:
		c->method = method;
		c->target = target;
		break;
	}
	if (c->twice || forwarded || original || c->method == NULL ||
	    c->target == NULL || c->method[0] == '\0' ||
	    c->target[0] == '\0')
		return (CALL_ODD);
	c->user_kind = read_user(c);
	verdict = read_key(c);
	if (verdict != CALL_NO_KEY)
		c->token = NULL;
	else if (c->token == NULL)
		c->token = bearer_of(c->authorization);
	return (c->token != NULL ? CALL_GOOD : verdict);
}

void
call_end(struct call *c)
{
	explicit_bzero(c->key, sizeof(c->key));
	explicit_bzero(c->password, sizeof(c->password));
}

static void
take(struct call *c, const char **place, const char *value)
{
	if (*place != NULL)
		c->twice = true;
	*place = value;
}

/* Of a key profile. */
static void
take_named(struct call *c, const char *name, const char *value)
{
	enum keyway_use	 use;
	uint8_t			 which = keyway_header(name, &use);

	if (which == 0)
		return;
	if (use == KEYWAY_KEY) {
		take(c, &c->key_header, value);
		c->key_name = which;
	} else {
		take(c, &c->tenant, value);
		c->tenant_name = which;
	}
}

static enum call_verdict
read_key(struct call *c)
{
	const char	*query = strchr(c->target, '?'), *end, *next, *value;
	size_t		 n, length = 0;
	uint8_t		 name;
	bool		 found = c->key_header != NULL;

	if (found) {
		n = strlen(c->key_header);
		if (n <= CALL_KEY_MAX)
			memcpy(c->key, c->key_header, n);
		length = n;
	}
	for (; query != NULL && *query != '\0'; query = next) {
		query++;
		end = strchrnul(query, '&');
		next = end;
		name = query_key(query, (size_t)(end - query), &value, &n);
		if (name == 0)
			continue;
		if (found)
			return (CALL_ODD);
		found = true;
		c->key_name = name;
		length = n > 3 * CALL_KEY_MAX ? n :
		    decode(c->key, CALL_KEY_MAX, value, n);
	}
	if (!found || length == 0)
		return (CALL_NO_KEY);
	return (key_shaped(c->key, length) ? CALL_GOOD : CALL_BAD_KEY);
}

/* RFC 6750 section 2.1. */
static const char *
bearer_of(const char *authorization)
{
	if (authorization == NULL ||
	    strncasecmp(authorization, "Bearer ", 7) != 0)
		return (NULL);
	authorization += 7 + strspn(authorization + 7, " ");
	return (jwt_shaped(authorization) ? authorization : NULL);
}

/* Is this field of the query a key, and by which name?  In any case, since
 * servers differ; encoded, it is another's. */
static uint8_t
query_key(const char *field, size_t n, const char **ret_value, size_t *ret_n)
{
	const char	*text;
	size_t		 length;
	uint8_t		 name = 0;

	while ((name = keyway_query(name)) != 0) {
		text = keyway_name_text(name);
		length = strlen(text);
		if (n < length || strncasecmp(field, text, length) != 0 ||
		    (n > length && field[length] != '='))
			continue;
		*ret_value = field + (n > length ? length + 1 : length);
		*ret_n = n > length ? n - length - 1 : 0;
		return (name);
	}
	return (0);
}

/* Of a pair, or of letters with a checksum. */
static bool
key_shaped(const char *key, size_t n)
{
	size_t	 i;

	if (n > CALL_KEY_MAX)
		return (false);
	if (n != KEY_OF_PAIR)
		return (coded_shaped(key));
	for (i = 0; i < n; i++)
		if (!((key[i] >= '0' && key[i] <= '9') ||
		    (key[i] >= 'a' && key[i] <= 'f')))
			return (false);
	return (true);
}

/* Percent-decodes at most max bytes; what it would be long in all. */
static size_t
decode(char *to, size_t max, const char *from, size_t n)
{
	size_t	 i, length = 0;
	char	 ch;

	for (i = 0; i < n; i++) {
		ch = from[i];
		if (ch == '%' && i + 2 < n && hex_of(from[i + 1]) != -1 &&
		    hex_of(from[i + 2]) != -1) {
			ch = (char)(hex_of(from[i + 1]) * 16 +
			    hex_of(from[i + 2]));
			i += 2;
		}
		/* No key holds a NUL. */
		if (ch == '\0')
			return (max + 1);
		if (length < max)
			to[length] = ch;
		length++;
	}
	return (length);
}

/* RFC 7617. */
static enum call_user
read_user(struct call *c)
{
	static const char	 basic[] = "Basic";
	unsigned char		 text[BASIC_MAX / 4 * 3 + 1];
	const char		*p = c->authorization, *colon;
	size_t			 n;
	enum call_user		 kind = CALL_USER_BAD;

	if (c->user_name != NULL)
		return (read_login(c, c->user_name, c->user_name +
		    strlen(c->user_name), c->user_password));
	if (p == NULL || strncasecmp(p, basic, sizeof(basic) - 1) != 0 ||
	    (p[sizeof(basic) - 1] != ' ' && p[sizeof(basic) - 1] != '\0'))
		return (CALL_USER_NONE);
	p += sizeof(basic) - 1;
	p += strspn(p, " ");
	if (strlen(p) > BASIC_MAX ||
	    !base64_decode(text, sizeof(text) - 1, p, &n))
		return (CALL_USER_BAD);
	text[n] = '\0';
	p = (const char *)text;
	colon = strchr(p, ':');
	if (colon != NULL && strlen(p) == n)
		kind = read_login(c, p, colon, colon + 1);
	explicit_bzero(text, sizeof(text));
	return (kind);
}

/* The name ends at `end`. */
static enum call_user
read_login(struct call *c, const char *name, const char *end,
    const char *password)
{
	const char	*at = memchr(name, '@', (size_t)(end - name));
	char		*user = c->user;
	size_t		 n = strlen(password);

	if (at == NULL || n == 0 || n > CALL_PASSWORD_MAX ||
	    !read_name(&user, name, at, CALL_USER_MAX, "-._"))
		return (CALL_USER_BAD);
	*user++ = '@';
	if (!read_name(&user, at + 1, end, CALL_CODE_MAX, "-"))
		return (CALL_USER_BAD);
	memcpy(c->password, password, n + 1);
	return (CALL_USER_GIVEN);
}

/* Letters, digits and `more`, in capitals; *to moves behind them. */
static bool
read_name(char **to, const char *p, const char *end, size_t max,
    const char *more)
{
	if (end - p < 2 || (size_t)(end - p) > max)
		return (false);
	for (; p < end; p++) {
		if (*p >= 'a' && *p <= 'z')
			*(*to)++ = (char)(*p - 'a' + 'A');
		else if ((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    strchr(more, *p) != NULL)
			*(*to)++ = *p;
		else
			return (false);
	}
	return (true);
}

static int
hex_of(char ch)
{
	if (ch >= '0' && ch <= '9')
		return (ch - '0');
	if (ch >= 'a' && ch <= 'f')
		return (ch - 'a' + 10);
	return (ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1);
}
