/*
 * Settings: environment variables with the prefix LATCHKEY_, documented in
 * conf/latchkey.env.example.  Read once at start; a missing or malformed one
 * stops the program with one line that names it and says what it must be.
 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include "base/base.h"
#include "base/log.h"
#include "base/redis_url.h"

enum setting_program { SETTING_PORTAL, SETTING_TOOL, SETTING_COURIER };

#define SETTING_ENVIRONMENTS_MAX	8

struct setting {
	bool		 production;		/* MODE */
	const char	*database_url;		/* DATABASE_URL */
	const char	*public_url;		/* without a slash at its end */
	const char	*public_origin;		/* "https://portal.example" */
	bool		 public_https;
	const char	*listen_host;		/* LISTEN: host:port, or */
	const char	*listen_port;
	const char	*listen_unix;		/* unix:/path; else NULL */
	bool		 gateway;		/* GATEWAY_LISTEN is set */
	const char	*gateway_host;		/* as listen_* */
	const char	*gateway_port;
	const char	*gateway_unix;
	const char	*gateway_secret_file;	/* NULL: none is asked */
	int64_t		 gateway_cache;		/* keys a worker, 100000 */
	int64_t		 gateway_limits;	/* places to count in, 131072 */
	int64_t		 gateway_usage;		/* cells of calls, 65536 */
	int64_t		 gateway_failures;	/* a minute and address, 60 */
	bool		 gateway_x_ratelimit;	/* the old headers, too */
	bool		 gateway_apim;		/* GATEWAY_COMPAT=apim */
	int64_t		 grace_s;		/* 60 */
	const char	*gateway_url;		/* where clients call; issuer */
	bool		 token_rs256;		/* TOKEN_ALG is RS256 */
	int64_t		 token_s;		/* 900 */
	bool		 redis;			/* REDIS_URL is set */
	struct redis_url redis_url;
	int64_t		 redis_wait_ms;		/* a check for it, 50 */
	int64_t		 gateway_portals;	/* that share a limit, 2; without
						 * Redis 1 */
	const char	*trusted_proxies;	/* addresses and networks, spaces
						 * or commas between; "" none */
	const char	*tls_cert, *tls_key;	/* files; NULL for plain HTTP */
	const char	*smtp_url;		/* smtp:// smtps:// maildir:/path */
	const char	*smtp_ca_file;		/* SMTP_CA_FILE, NULL: system's */
	const char	*mail_from;		/* "Latchkey <no-reply@...>" */
	const char	*master_key_file;
	const char	*breached_passwords_file; /* NULL: none */
	const char	*key_letters;		/* "user-key=ca,live=l"; "" */
	int64_t		 sla_hours;		/* 48 */
	/* What a subscription may belong to; the first is proposed. */
	const char	*environments[SETTING_ENVIRONMENTS_MAX];
	size_t		 environments_n;	/* 1: nobody is asked */
	int64_t		 api_password_days;	/* 90: then it looks old */
	int64_t		 workers;		/* processes, 2 */
	int64_t		 hash_threads;		/* a worker, 1 */
	enum log_level	 log_level;
	const char	*site_name;		/* "Latchkey" */
	const char	*support_email;
	const char	*templates;		/* folders */
	const char	*assets;
};

/* Valid after setting_load(). */
/* Is it one of them? */
bool		 setting_environment(const char *);
extern const struct setting *setting;

/* Exits with status 2 and one line on standard error on a bad setting. */
void	setting_load(enum setting_program);

#endif
