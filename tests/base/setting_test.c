/*
 * setting_load() in a child of its own, since a refusal ends the program: what
 * each setting takes, what it becomes, and the one line of a refusal.
 */
#include "base/setting.h"

#include <stdarg.h>
#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#define CLEAR	((const char *)1)	/* unset what the base set */

struct outcome {
	int	status;
	char	said[1024];
};

/* Enough for every program; cases change it. */
/* Ours only: cmocka reads its own from the environment, too. */
static void
forget_settings(void)
{
	char	 name[64];
	size_t	 i, n;

	for (i = 0; environ[i] != NULL;) {
		n = strcspn(environ[i], "=");
		if (strncmp(environ[i], "LATCHKEY_", 9) != 0 ||
		    n >= sizeof(name)) {
			i++;
			continue;
		}
		memcpy(name, environ[i], n);
		name[n] = '\0';
		(void)unsetenv(name);	/* moves the rest up */
	}
}

static void
base_settings(void)
{
	forget_settings();
	setenv("LATCHKEY_DATABASE_URL", "postgresql://a:pw@/latchkey", 1);
	setenv("LATCHKEY_PUBLIC_URL", "https://portal.example", 1);
	setenv("LATCHKEY_MASTER_KEY_FILE", "/etc/latchkey/master.key", 1);
	setenv("LATCHKEY_SUPPORT_EMAIL", "support@example.com", 1);
	setenv("LATCHKEY_SMTP_URL", "maildir:/var/mail/latchkey", 1);
	setenv("LATCHKEY_MAIL_FROM", "Latchkey <no-reply@example.com>", 1);
}

static struct outcome
load(enum setting_program program, const char *name, const char *value)
{
	struct outcome	o;
	char		variable[64];
	pid_t		child;
	int		p[2], wstatus;
	ssize_t		n;

	memset(&o, 0, sizeof(o));
	assert_int_equal(pipe(p), 0);
	child = child_fork();
	if (child == 0) {
		dup2(p[1], STDERR_FILENO);
		base_settings();
		(void)snprintf(variable, sizeof(variable), "LATCHKEY_%s",
		    name);
		if (value == CLEAR)
			unsetenv(variable);
		else
			setenv(variable, value, 1);
		setting_load(program);
		_exit(0);
	}
	close(p[1]);
	n = read(p[0], o.said, sizeof(o.said) - 1);
	assert_true(n >= 0);
	close(p[0]);
	assert_int_equal(waitpid(child, &wstatus, 0), child);
	assert_true(WIFEXITED(wstatus));
	o.status = WEXITSTATUS(wstatus);
	return (o);
}

static void
takes(const char *name, const char *value)
{
	struct outcome	o = load(SETTING_PORTAL, name, value);

	if (o.status != 0)
		fail_msg("%s=%s refused: %s", name, value, o.said);
}

static void
refuses(const char *name, const char *value)
{
	struct outcome	o = load(SETTING_PORTAL, name, value);
	char		start[64];

	if (o.status != 2)
		fail_msg("%s=%s taken", name, value);
	(void)snprintf(start, sizeof(start), "LATCHKEY_%s ", name);
	assert_memory_equal(o.said, start, strlen(start));
	/* One line, and never the value itself. */
	assert_ptr_equal(strchr(o.said, '\n'), o.said + strlen(o.said) - 1);
	assert_null(strstr(o.said, "hunter2"));
}

static void
test_missing(void **state)
{
	(void)state;
	refuses("DATABASE_URL", CLEAR);
	refuses("DATABASE_URL", "");
	refuses("PUBLIC_URL", CLEAR);
	refuses("MASTER_KEY_FILE", CLEAR);
	refuses("SUPPORT_EMAIL", CLEAR);
	takes("SMTP_URL", CLEAR);
	takes("MAIL_FROM", CLEAR);
	assert_int_equal(load(SETTING_COURIER, "SMTP_URL", CLEAR).status, 2);
	assert_int_equal(load(SETTING_COURIER, "MAIL_FROM", CLEAR).status, 2);
	assert_int_equal(load(SETTING_TOOL, "SUPPORT_EMAIL", CLEAR).status, 0);
}

static void
test_malformed(void **state)
{
	static const char *const bad[][2] = {
		{ "MODE", "prod" },
		{ "DATABASE_URL", "mysql://u:hunter2@x" },
		{ "PUBLIC_URL", "portal.example" },
		{ "PUBLIC_URL", "http://portal.example" },
		{ "PUBLIC_URL", "https://" },
		{ "PUBLIC_URL", "https://portal.example/path" },
		{ "PUBLIC_URL", "https://u:hunter2@portal.example" },
		{ "PUBLIC_URL", "https://portal.example:0" },
		{ "PUBLIC_URL", "https://portal.example:99999" },
		{ "PUBLIC_URL", "https://a b" },
		{ "GATEWAY_URL", "api.example" },
		{ "GATEWAY_URL", "http://api.example" },
		{ "GATEWAY_URL", "https://api.example/psa" },
		{ "TOKEN_ALG", "HS256" },
		{ "TOKEN_ALG", "none" },
		{ "TOKEN_S", "59" },
		{ "TOKEN_S", "86401" },
		{ "PUBLIC_URL", "https://::1" },
		{ "LISTEN", "8080" },
		{ "LISTEN", ":8080" },
		{ "LISTEN", "127.0.0.1:0" },
		{ "LISTEN", "127.0.0.1:http" },
		{ "LISTEN", "::1:8080" },
		{ "LISTEN", "unix:relative" },
		{ "GATEWAY_LISTEN", "8081" },
		{ "GATEWAY_LISTEN", "unix:relative" },
		{ "GATEWAY_SECRET_FILE", "relative" },
		{ "GATEWAY_CACHE", "0" },
		{ "GATEWAY_COMPAT", "azure" },
		{ "GRACE_S", "-1" },
		{ "GRACE_S", "86401" },
		{ "REDIS_URL", "localhost:6379" },
		{ "REDIS_URL", "rediss://redis.example" },
		{ "REDIS_WAIT_MS", "0" },
		{ "GATEWAY_PORTALS", "0" },
		{ "TRUSTED_PROXIES", "10.0.0.0/33" },
		{ "TRUSTED_PROXIES", "127.0.0.1, proxy" },
		{ "TLS_CERT", "/only/one" },
		{ "SMTP_URL", "mail.example.com" },
		{ "SMTP_URL", "smtp://" },
		{ "SMTP_URL", "maildir:here" },
		{ "MAIL_FROM", "nobody" },
		{ "MAIL_FROM", "Name <a@b" },
		{ "MAIL_FROM", "a@b\r\nBcc: c@d" },
		{ "SUPPORT_EMAIL", "a b@c" },
		{ "ENVIRONMENTS", "live,live" },
		{ "ENVIRONMENTS", "live," },
		{ "ENVIRONMENTS", ",live" },
		{ "ENVIRONMENTS", "live test" },
		{ "ENVIRONMENTS", "Live" },
		{ "ENVIRONMENTS", "l" },
		{ "ENVIRONMENTS", "abcdefghijklmnopq" },
		{ "ENVIRONMENTS", "aa,bb,cc,dd,ee,ff,gg,hh,ii" },
		{ "SLA_HOURS", "0" },
		{ "SLA_HOURS", "48h" },
		{ "WORKERS", "-1" },
		{ "WORKERS", "65" },
		{ "HASH_THREADS", "17" },
		{ "LOG_LEVEL", "loud" },
		{ "SITE_NAME", "line\nbreak" },
		{ "SITE_NAME", "bad \xff utf-8" },
		{ "MASTER_KEY_FILE", "master.key" },
		{ "TEMPLATES", "templates" },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		if (strcmp(bad[i][0], "TLS_CERT") != 0)
			refuses(bad[i][0], bad[i][1]);
	/* A certificate without its key: the key is what is missing. */
	assert_int_equal(load(SETTING_PORTAL, "TLS_CERT", "/x").status, 2);
}

static void
test_good(void **state)
{
	(void)state;
	takes("DATABASE_URL", "host=a,b dbname=latchkey");
	takes("PUBLIC_URL", "https://[2001:db8::1]:8443/");
	takes("LISTEN", "unix:/run/latchkey/portal.sock");
	takes("LISTEN", "[::1]:8080");
	takes("GATEWAY_LISTEN", "unix:/run/latchkey/gateway.sock");
	takes("REDIS_URL", "redis://user:pw@redis.example:6380/1");
	takes("REDIS_URL", "unix:/run/redis/redis-server.sock");
	takes("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8 2001:db8::/32");
	takes("SMTP_URL", "smtps://u:p@mail.example.com:465");
	takes("SITE_NAME", "Портал");
}

/* Values, in this process. */
static void
test_values(void **state)
{
	(void)state;
	base_settings();
	setting_load(SETTING_PORTAL);
	assert_true(setting->production);
	assert_string_equal(setting->listen_host, "127.0.0.1");
	assert_string_equal(setting->listen_port, "8080");
	assert_null(setting->listen_unix);
	assert_int_equal(setting->sla_hours, 48);
	assert_int_equal(setting->environments_n, 1);
	assert_string_equal(setting->environments[0], "live");
	assert_false(setting_environment("test"));
	assert_int_equal(setting->workers, 2);
	assert_int_equal(setting->hash_threads, 1);
	assert_int_equal(setting->log_level, LOG_LEVEL_INFO);
	assert_string_equal(setting->site_name, "Latchkey");
	assert_string_equal(setting->trusted_proxies, "");
	assert_null(setting->tls_cert);
	assert_string_equal(setting->templates,
	    "/usr/share/latchkey/templates");

	setenv("LATCHKEY_ENVIRONMENTS", "test,live", 1);
	setenv("LATCHKEY_PUBLIC_URL", "HTTPS://Portal.Example:443/", 1);
	setenv("LATCHKEY_LISTEN", "[::1]:81", 1);
	setting_load(SETTING_PORTAL);
	assert_int_equal(setting->environments_n, 2);
	assert_string_equal(setting->environments[0], "test");
	assert_true(setting_environment("live"));
	assert_false(setting_environment("liv"));
	assert_true(setting->public_https);
	assert_string_equal(setting->public_url, "https://portal.example");
	assert_string_equal(setting->public_origin, "https://portal.example");
	assert_string_equal(setting->listen_host, "::1");
	assert_string_equal(setting->listen_port, "81");

	setenv("LATCHKEY_MODE", "development", 1);
	setenv("LATCHKEY_PUBLIC_URL", "http://[::1]:8080", 1);
	setenv("LATCHKEY_LISTEN", "unix:/run/portal.sock", 1);
	setting_load(SETTING_PORTAL);
	assert_false(setting->production);
	assert_false(setting->public_https);
	assert_string_equal(setting->public_url, "http://[::1]:8080");
	assert_string_equal(setting->listen_unix, "/run/portal.sock");
	assert_null(setting->listen_host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_values),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
