/*
 * See redis_url.h.
 */
#include "base/redis_url.h"

#include "base/str.h"

#define MUST	"redis://[[user]:password@]host[:port][/database] or unix:/path"

static bool	 read_host(struct redis_url *, const char *text);
static bool	 read_path(struct redis_url *, const char *text);
static const char *read_login(struct redis_url *, const char *text);
static bool	 read_database(struct redis_url *, const char *text);
static bool	 decode(char *to, size_t room, const char *text, size_t n);
static int	 hex(char);

const char *
redis_url_read(struct redis_url *ret_url, const char *text)
{
	bool	 ok = false;

	memset(ret_url, 0, sizeof(*ret_url));
	ret_url->port = 6379;
	if (str_starts(text, "rediss://"))
		return (MUST ": Debian's hiredis knows no TLS, so put a tunnel "
		    "such as stunnel between");
	if (str_starts(text, "redis://")) {
		text = read_login(ret_url, text + 8);
		ok = text != NULL && read_host(ret_url, text);
	} else if (str_starts(text, "unix://")) {
		text = read_login(ret_url, text + 7);
		ok = text != NULL && read_path(ret_url, text);
	} else if (str_starts(text, "unix:")) {
		ok = read_path(ret_url, text + 5);
	}
	return (ok ? NULL : MUST);
}

/* "host", "host:6380/2", "[::1]:6380". */
static bool
read_host(struct redis_url *url, const char *text)
{
	bool		 v6 = text[0] == '[';
	const char	*host = v6 ? text + 1 : text, *p;
	size_t		 n = strcspn(host, v6 ? "]" : ":/?#");
	char		 port[6];
	int64_t		 number;

	if (n == 0 || n >= sizeof(url->host) || (v6 && host[n] != ']'))
		return (false);
	memcpy(url->host, host, n);
	if (url->host[strspn(url->host, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")] != '\0' ||
	    url->host[0] == '-')
		return (false);
	p = host + n + (v6 ? 1 : 0);
	if (*p == ':') {
		n = strcspn(++p, "/");
		if (n == 0 || n >= sizeof(port))
			return (false);
		memcpy(port, p, n);
		port[n] = '\0';
		if (!str_to_int(port, 1, 65535, &number))
			return (false);
		url->port = (uint16_t)number;
		p += n;
	}
	(void)snprintf(url->where, sizeof(url->where), v6 ? "[%s]:%u" :
	    "%s:%u", url->host, url->port);
	return (*p == '\0' || (*p == '/' && (p[1] == '\0' ||
	    read_database(url, p + 1))));
}

static bool
read_path(struct redis_url *url, const char *text)
{
	size_t	 n = strcspn(text, "?");

	if (text[0] != '/' || n >= sizeof(url->path))
		return (false);
	memcpy(url->path, text, n);
	(void)snprintf(url->where, sizeof(url->where), "unix:%s", url->path);
	return (text[n] == '\0' || (str_starts(text + n, "?db=") &&
	    read_database(url, text + n + 4)));
}

/* What stands behind "user:password@", or all of it; NULL: it is wrong. */
static const char *
read_login(struct redis_url *url, const char *text)
{
	size_t		 n = strcspn(text, "/@"), user;

	if (text[n] != '@')
		return (text);
	user = strcspn(text, ":@");
	if (text[user] != ':' || user + 1 == n ||
	    !decode(url->user, sizeof(url->user), text, user) ||
	    !decode(url->password, sizeof(url->password), text + user + 1,
	    n - user - 1))
		return (NULL);
	return (text + n + 1);
}

static bool
read_database(struct redis_url *url, const char *text)
{
	int64_t	 number;

	if (!str_to_int(text, 0, REDIS_DATABASES, &number))
		return (false);
	url->database = (uint32_t)number;
	return (true);
}

/* False: too long, or not percent-encoded rightly, or with a NUL. */
static bool
decode(char *to, size_t room, const char *text, size_t n)
{
	size_t	 i, used = 0;
	int	 one, two;
	char	 c;

	for (i = 0; i < n; i++) {
		c = text[i];
		if (c == '%') {
			one = i + 2 < n ? hex(text[i + 1]) : -1;
			two = one >= 0 ? hex(text[i + 2]) : -1;
			if (two < 0)
				return (false);
			c = (char)(one * 16 + two);
			i += 2;
		}
		if (c == '\0' || used + 1 >= room)
			return (false);
		to[used++] = c;
	}
	to[used] = '\0';
	return (true);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1);
}
