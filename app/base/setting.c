/*
 * Settings from the environment: read, checked, copied.  Each is looked at in
 * a function that says what it must be; refuse() ends the program with that
 * sentence.  Values are never repeated in it, since some hold a password.
 */
#include "base/setting.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <unistd.h>

#include "base/str.h"

#define PREFIX		"LATCHKEY_"
#define VALUE_MAX	4096	/* bytes of one value */
#define HOST_MAX	255	/* a DNS name has at most 253 */

/* What a program can't go without; the others check what is set. */
enum need { OPTIONAL, REQUIRED };

const struct setting	*setting;
static struct setting	 loaded;

static const char	*read_text(const char *, enum need, const char *);
static const char	*read_path(const char *, enum need, const char *);
static int64_t		 read_number(const char *, int64_t, int64_t, int64_t);
static void		 read_mode(void);
static void		 read_database(void);
static const char	*read_origin(const char *, enum need, bool *);
static void		 read_tokens(void);
static bool		 read_listen(const char *, const char *,
			    const char **, const char **, const char **);
static void		 read_gateway(void);
static void		 read_redis(void);
static void		 read_proxies(void);
static void		 read_tls(enum setting_program);
static void		 read_mail(enum need);
static void		 read_log_level(void);
static void		 read_key_letters(void);
static void		 read_environments(void);
static bool		 host_port(const char *, char **, char **);
static bool		 host_ok(const char *);
static bool		 network_ok(const char *);
static bool		 mailbox_ok(const char *);
static char		*copy(const char *, size_t);
static void		 refuse(const char *, const char *)
			    __attribute__((noreturn));

void
setting_load(enum setting_program program)
{
	enum need	serve, mail;

	/* The tool neither shows pages nor sends mail. */
	serve = program == SETTING_TOOL ? OPTIONAL : REQUIRED;
	mail = program == SETTING_COURIER ? REQUIRED : OPTIONAL;

	memset(&loaded, 0, sizeof(loaded));
	read_mode();
	read_database();
	loaded.public_origin = read_origin("PUBLIC_URL", REQUIRED,
	    &loaded.public_https);
	loaded.public_url = loaded.public_origin;
	(void)read_listen("LISTEN", "127.0.0.1:8080", &loaded.listen_host,
	    &loaded.listen_port, &loaded.listen_unix);
	read_gateway();
	read_tokens();
	read_redis();
	read_proxies();
	read_tls(program);
	read_mail(mail);
	read_log_level();
	read_key_letters();
	loaded.master_key_file = read_path("MASTER_KEY_FILE", REQUIRED, NULL);
	loaded.breached_passwords_file = read_path("BREACHED_PASSWORDS_FILE",
	    OPTIONAL, NULL);
	read_environments();
	/* 8760 hours are a year. */
	loaded.sla_hours = read_number("SLA_HOURS", 48, 1, 8760);
	loaded.api_password_days = read_number("API_PASSWORD_DAYS", 90, 1,
	    3650);
	loaded.workers = read_number("WORKERS", 2, 1, 64);
	loaded.hash_threads = read_number("HASH_THREADS", 1, 1, 16);
	loaded.site_name = read_text("SITE_NAME", OPTIONAL, "Latchkey");
	if (str_chars(loaded.site_name) > 60)
		refuse("SITE_NAME", "1 to 60 characters");
	loaded.support_email = read_text("SUPPORT_EMAIL", serve, "");
	if (loaded.support_email[0] != '\0' &&
	    !mailbox_ok(loaded.support_email))
		refuse("SUPPORT_EMAIL",
		    "an e-mail address, as in support@example.com");
	loaded.templates = read_path("TEMPLATES", OPTIONAL,
	    "/usr/share/latchkey/templates");
	loaded.assets = read_path("ASSETS", OPTIONAL,
	    "/usr/share/latchkey/assets");
	setting = &loaded;
}

/* A set but empty variable counts as missing, as an operator who blanks a
 * line of a file means it. */
bool
setting_environment(const char *word)
{
	size_t	i;

	for (i = 0; i < loaded.environments_n; i++)
		if (str_eq(loaded.environments[i], word))
			return (true);
	return (false);
}

static const char *
read_text(const char *name, enum need need, const char *otherwise)
{
	char		 variable[64];
	const char	*value;

	(void)snprintf(variable, sizeof(variable), PREFIX "%s", name);
	value = getenv(variable);
	if (value == NULL || value[0] == '\0') {
		if (need == REQUIRED)
			refuse(name, NULL);
		return (otherwise);
	}
	if (strlen(value) > VALUE_MAX || !str_utf8(value, strlen(value)) ||
	    str_has_control(value))
		refuse(name, "one line of at most 4096 bytes of UTF-8");
	return (copy(value, strlen(value)));
}

static const char *
read_path(const char *name, enum need need, const char *otherwise)
{
	const char	*path = read_text(name, need, otherwise);

	if (path != NULL && path[0] != '/')
		refuse(name, "a path that begins with /");
	return (path);
}

static int64_t
read_number(const char *name, int64_t otherwise, int64_t min, int64_t max)
{
	char		 must[64];
	const char	*text = read_text(name, OPTIONAL, NULL);
	int64_t		 number;

	if (text == NULL)
		return (otherwise);
	if (!str_to_int(text, min, max, &number)) {
		(void)snprintf(must, sizeof(must),
		    "a whole number from %lld to %lld", (long long)min,
		    (long long)max);
		refuse(name, must);
	}
	return (number);
}

static void
read_mode(void)
{
	const char	*mode = read_text("MODE", OPTIONAL, "production");

	if (!str_eq(mode, "production") && !str_eq(mode, "development"))
		refuse("MODE", "production or development");
	loaded.production = str_eq(mode, "production");
}

/* The shape alone: libpq says the rest when it connects. */
static void
read_database(void)
{
	const char	*url = read_text("DATABASE_URL", REQUIRED, NULL);

	if (!str_starts(url, "postgresql://") &&
	    !str_starts(url, "postgres://") && strchr(url, '=') == NULL)
		refuse("DATABASE_URL", "a PostgreSQL address, as in "
		    "postgresql://latchkey_app@/latchkey?host=/run/postgresql");
	loaded.database_url = url;
}

/*
 * Scheme, host and port only: pages, cookies and the content security policy
 * all stand at the root of an origin.
 */
static const char *
read_origin(const char *name, enum need need, bool *ret_https)
{
	static const char must[] = "http:// or https:// with a host and perhaps"
	    " a port and no path, as in https://portal.example.com";
	const char	*url = read_text(name, need, NULL);
	const char	*rest;
	char		*host, *port, *given, *origin, *p;
	size_t		 n, size;
	int64_t		 unused;
	bool		 https;

	if (url == NULL)
		return (NULL);
	https = strncasecmp(url, "https://", 8) == 0;
	if (!https && strncasecmp(url, "http://", 7) != 0)
		refuse(name, must);
	if (loaded.production && !https)
		refuse(name, "an https:// address while "
		    PREFIX "MODE is production");
	rest = url + (https ? 8 : 7);
	n = strlen(rest);
	if (n > 0 && rest[n - 1] == '/')
		n--;
	if (n == 0 || n > HOST_MAX)
		refuse(name, must);
	given = copy(rest, n);
	for (p = given; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (!host_port(given, &host, &port)) {
		host = given;
		port = NULL;
		/* "[::1]" without a port keeps its brackets. */
		if (given[0] == '[') {
			if (given[n - 1] != ']')
				refuse(name, must);
			host = copy(given + 1, n - 2);
		} else if (strchr(given, ':') != NULL) {
			refuse(name, must);
		}
	}
	if (!host_ok(host) ||
	    (port != NULL && !str_to_int(port, 1, 65535, &unused)))
		refuse(name, must);
	/* A browser leaves the scheme's own port out of Origin. */
	if (port != NULL && str_eq(port, https ? "443" : "80"))
		port = NULL;
	size = n + sizeof("https://[]:");
	origin = copy("", size);
	(void)snprintf(origin, size, "%s://%s%s%s%s%s",
	    https ? "https" : "http",
	    strchr(host, ':') != NULL ? "[" : "", host,
	    strchr(host, ':') != NULL ? "]" : "",
	    port != NULL ? ":" : "", port != NULL ? port : "");
	*ret_https = https;
	return (origin);
}

/* False: not set, and nothing stands for it. */
static bool
read_listen(const char *name, const char *otherwise, const char **ret_host,
    const char **ret_port, const char **ret_unix)
{
	const char	*listen = read_text(name, OPTIONAL, otherwise);
	char		*host, *port;
	int64_t		 unused;

	if (listen == NULL)
		return (false);
	if (str_starts(listen, "unix:")) {
		/* sun_path has 108 bytes with the NUL. */
		if (listen[5] != '/' || strlen(listen + 5) > 107)
			refuse(name, "unix: and a path that begins with /, "
			    "of at most 107 bytes");
		*ret_unix = listen + 5;
		return (true);
	}
	if (!host_port(listen, &host, &port) || !host_ok(host) ||
	    !str_to_int(port, 1, 65535, &unused))
		refuse(name, "host:port, as in 127.0.0.1:8080, or unix:/path");
	*ret_host = host;
	*ret_port = port;
	return (true);
}

static void
read_gateway(void)
{
	const char	*old, *compat;

	loaded.gateway = read_listen("GATEWAY_LISTEN", NULL,
	    &loaded.gateway_host, &loaded.gateway_port, &loaded.gateway_unix);
	loaded.gateway_secret_file = read_path("GATEWAY_SECRET_FILE", OPTIONAL,
	    NULL);
	loaded.gateway_cache = read_number("GATEWAY_CACHE", 100000, 64,
	    10000000);
	loaded.gateway_limits = read_number("GATEWAY_LIMITS", 131072, 64,
	    100000000);
	loaded.gateway_usage = read_number("GATEWAY_USAGE", 65536, 64,
	    100000000);
	loaded.gateway_failures = read_number("GATEWAY_FAILURES", 60, 1,
	    1000000);
	old = read_text("GATEWAY_X_RATELIMIT", OPTIONAL, "off");
	if (!str_eq(old, "on") && !str_eq(old, "off"))
		refuse("GATEWAY_X_RATELIMIT", "on or off");
	loaded.gateway_x_ratelimit = str_eq(old, "on");
	compat = read_text("GATEWAY_COMPAT", OPTIONAL, "none");
	if (!str_eq(compat, "apim") && !str_eq(compat, "none"))
		refuse("GATEWAY_COMPAT", "apim or none");
	loaded.gateway_apim = str_eq(compat, "apim");
	/* A day at most: a key that was revoked would pass as long. */
	loaded.grace_s = read_number("GRACE_S", 60, 0, 86400);
}

/* Who signs tokens calls himself by the address that clients reach him at
 * (RFC 8414 section 2). */
static void
read_tokens(void)
{
	const char	*alg = read_text("TOKEN_ALG", OPTIONAL, "ES256");
	bool		 unused;

	loaded.gateway_url = read_origin("GATEWAY_URL", OPTIONAL, &unused);
	if (loaded.gateway_url == NULL)
		loaded.gateway_url = loaded.public_origin;
	if (!str_eq(alg, "ES256") && !str_eq(alg, "RS256"))
		refuse("TOKEN_ALG", "ES256 or RS256");
	loaded.token_rs256 = str_eq(alg, "RS256");
	loaded.token_s = read_number("TOKEN_S", 900, 60, 86400);
}

static void
read_redis(void)
{
	const char	*url = read_text("REDIS_URL", OPTIONAL, NULL);
	const char	*must;

	loaded.redis = url != NULL;
	if (url != NULL) {
		must = redis_url_read(&loaded.redis_url, url);
		if (must != NULL)
			refuse("REDIS_URL", must);
	}
	loaded.redis_wait_ms = read_number("REDIS_WAIT_MS", 50, 1, 10000);
	loaded.gateway_portals = read_number("GATEWAY_PORTALS",
	    loaded.redis ? 2 : 1, 1, 1000);
}

static void
read_proxies(void)
{
	const char	*list = read_text("TRUSTED_PROXIES", OPTIONAL, "");
	const char	*p = list;
	size_t		 n;
	char		*one;

	loaded.trusted_proxies = list;
	while (*(p += strspn(p, " ,")) != '\0') {
		n = strcspn(p, " ,");
		one = copy(p, n);
		if (!network_ok(one))
			refuse("TRUSTED_PROXIES", "addresses and networks with "
			    "commas between, as in 127.0.0.1, 10.0.0.0/8");
		free(one);
		p += n;
	}
}

static void
read_tls(enum setting_program program)
{
	loaded.tls_cert = read_path("TLS_CERT", OPTIONAL, NULL);
	loaded.tls_key = read_path("TLS_KEY", OPTIONAL, NULL);
	if (loaded.tls_cert != NULL && loaded.tls_key == NULL)
		refuse("TLS_KEY", "set together with " PREFIX "TLS_CERT");
	if (loaded.tls_key != NULL && loaded.tls_cert == NULL)
		refuse("TLS_CERT", "set together with " PREFIX "TLS_KEY");
	/* The others may run as users who can't and need not read them. */
	if (program != SETTING_PORTAL || loaded.tls_cert == NULL)
		return;
	if (access(loaded.tls_cert, R_OK) == -1)
		refuse("TLS_CERT", "a file that this user can read");
	if (access(loaded.tls_key, R_OK) == -1)
		refuse("TLS_KEY", "a file that this user can read");
}

static void
read_mail(enum need need)
{
	const char	*url = read_text("SMTP_URL", need, NULL);
	const char	*from = read_text("MAIL_FROM", need, NULL);
	const char	*host = NULL;

	if (url != NULL) {
		if (str_starts(url, "smtp://"))
			host = url + 7;
		else if (str_starts(url, "smtps://"))
			host = url + 8;
		if (host != NULL ? host[0] == '\0' || host[0] == '/' :
		    !str_starts(url, "maildir:/"))
			refuse("SMTP_URL", "smtp://host, smtps://host or "
			    "maildir:/path");
	}
	if (from != NULL && !mailbox_ok(from))
		refuse("MAIL_FROM", "an e-mail address, as in "
		    "no-reply@example.com or Latchkey <no-reply@example.com>");
	loaded.smtp_url = url;
	loaded.mail_from = from;
	loaded.smtp_ca_file = read_path("SMTP_CA_FILE", OPTIONAL, NULL);
}

/* Names of key profiles with two letters, names of environments with one. */
static void
read_key_letters(void)
{
	static const char must[] = "names of key profiles with two letters, of "
	    "environments with one, as in user-key=ca,partner-key=pk,test=t";
	const char	*text = read_text("KEY_LETTERS", OPTIONAL, ""), *p;
	size_t		 name, letters;

	for (p = text; *p != '\0';) {
		name = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
		letters = p[name] != '=' ? 0 : strspn(p + name + 1,
		    "abcdefghijklmnopqrstuvwxyz");
		if (name == 0 || letters < 1 || letters > 2)
			refuse("KEY_LETTERS", must);
		p += name + 1 + letters;
		if (*p == ',' && p[1] != '\0')
			p++;
		else if (*p != '\0')
			refuse("KEY_LETTERS", must);
	}
	loaded.key_letters = text;
}

/* Words as the database has them: see subscription.environment. */
static void
read_environments(void)
{
	static const char must[] = "up to 8 different words of 2 to 16 letters "
	    "a-z with commas between, as in live or test,live";
	const char	*p = read_text("ENVIRONMENTS", OPTIONAL, "live");
	size_t		 n, i;

	loaded.environments_n = 0;
	for (;; p += n + 1) {
		n = strspn(p, "abcdefghijklmnopqrstuvwxyz");
		if (n < 2 || n > 16 || (p[n] != ',' && p[n] != '\0') ||
		    loaded.environments_n == SETTING_ENVIRONMENTS_MAX)
			refuse("ENVIRONMENTS", must);
		loaded.environments[loaded.environments_n++] = copy(p, n);
		for (i = 0; i + 1 < loaded.environments_n; i++)
			if (str_eq(loaded.environments[i],
			    loaded.environments[loaded.environments_n - 1]))
				refuse("ENVIRONMENTS", must);
		if (p[n] == '\0')
			return;
	}
}

static void
read_log_level(void)
{
	if (!log_level_parse(read_text("LOG_LEVEL", OPTIONAL, "info"),
	    &loaded.log_level))
		refuse("LOG_LEVEL", "debug, info, warn or error");
}

/* "host:port" or "[v6 address]:port"; brackets are taken off. */
static bool
host_port(const char *text, char **ret_host, char **ret_port)
{
	const char	*colon = strrchr(text, ':');
	size_t		 n;

	if (colon == NULL || colon == text || colon[1] == '\0')
		return (false);
	n = (size_t)(colon - text);
	if (text[0] == '[') {
		if (n < 3 || text[n - 1] != ']')
			return (false);
		*ret_host = copy(text + 1, n - 2);
	} else {
		if (memchr(text, ':', n) != NULL)
			return (false);
		*ret_host = copy(text, n);
	}
	*ret_port = copy(colon + 1, strlen(colon + 1));
	return (true);
}

static bool
host_ok(const char *host)
{
	unsigned char	address[16];
	const char	*p;

	if (strchr(host, ':') != NULL)
		return (inet_pton(AF_INET6, host, address) == 1);
	for (p = host; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.')
			return (false);
	return (host[0] != '\0' && host[0] != '.' && host[0] != '-');
}

static bool
network_ok(const char *text)
{
	unsigned char	 address[16];
	char		 host[INET6_ADDRSTRLEN];
	const char	*slash = strchrnul(text, '/');
	size_t		 n = (size_t)(slash - text);
	int64_t		 unused, bits;

	if (n >= sizeof(host))
		return (false);
	memcpy(host, text, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, address) == 1)
		bits = 32;
	else if (inet_pton(AF_INET6, host, address) == 1)
		bits = 128;
	else
		return (false);
	return (*slash == '\0' || str_to_int(slash + 1, 0, bits, &unused));
}

/* "a@b" or "Name <a@b>"; the mail slice reads it closer. */
static bool
mailbox_ok(const char *text)
{
	const char	*open = strrchr(text, '<'), *at, *end;

	end = text + strlen(text);
	if (open != NULL) {
		if (end[-1] != '>')
			return (false);
		end--;
		text = open + 1;
	}
	at = memchr(text, '@', (size_t)(end - text));
	return (at != NULL && at > text && at + 1 < end &&
	    memchr(text, ' ', (size_t)(end - text)) == NULL);
}

/* Settings live as long as the program. */
static char *
copy(const char *text, size_t n)
{
	char	*p = calloc(1, n + 1);

	if (p == NULL)
		abort();
	memcpy(p, text, strnlen(text, n));
	return (p);
}

/* must NULL: it is missing. */
static void
refuse(const char *name, const char *must)
{
	if (must == NULL)
		fprintf(stderr, PREFIX "%s is missing: it must be set, see "
		    "conf/latchkey.env.example\n", name);
	else
		fprintf(stderr, PREFIX "%s must be %s\n", name, must);
	exit(2);
}
