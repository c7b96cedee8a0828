/*
 * latchkeyctl doctor: looks at all that an installation stands on and says of
 * each whether it is well.  Exit status 1 when something is not.  With --json
 * the same as a list of objects.
 */
#include "ctl/ctl.h"

#include <signal.h>

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "ctl/ctl_db.h"
#include "gateway/redis.h"
#include "gen/schema_expect.h"
#include "vault/renew.h"
#include "vault/signing.h"
#include "vault/vault.h"

/* A mail that has been due for longer than this says that no courier runs. */
#define STUCK_S		(5 * 60)

static bool	 check_server(struct ctl *);
static bool	 check_schema(struct ctl *);
static bool	 check_keys(struct ctl *);
static bool	 check_signing(struct ctl *);
static bool	 check_holders(struct ctl *);
static bool	 check_outbox(struct ctl *);
static bool	 check_redis(void);
static void	 done(struct ctl *);
static bool	 well(const char *, const char *, ...) FORMAT(2, 3);
static bool	 ill(const char *, const char *, ...) FORMAT(2, 3);
static void	 more(struct ctl *, const char *, ...) FORMAT(2, 3);
static void	 say(bool, const char *, const char *, va_list);

#define FINDINGS_MAX	256
#define FINDING_BYTES	512

/* What was found, printed at the end. */
static struct {
	bool		 json;
	size_t		 n;
	struct {
		bool	 is_well;
		char	 what[32], text[FINDING_BYTES];
		const char *more;	/* members for JSON, or NULL */
	}		 list[FINDINGS_MAX];
} findings;

enum ctl_exit
ctl_doctor(struct ctl *ctl)
{
	bool	all = true;

	findings.json = ctl_flag(ctl, "--json");
	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	all &= check_server(ctl);
	/* The rest needs the tables to be there. */
	if (!check_schema(ctl)) {
		all = false;
	} else {
		all &= check_keys(ctl);
		all &= check_outbox(ctl);
	}
	if (setting->redis)
		all &= check_redis();
	done(ctl);
	return (all ? CTL_DONE : CTL_REFUSED);
}

static bool
check_server(struct ctl *ctl)
{
	const struct db_rows	*rows = ctl_db_server(ctl->db);

	return (well("database", "PostgreSQL %s, as %s",
	    db_text(rows, 0, 0), db_text(rows, 0, 1)));
}

static bool
check_schema(struct ctl *ctl)
{
	const struct db_rows	*rows = ctl_db_schema(ctl->db);

	if (rows->n == 0)
		return (ill("schema", "not there, or not for this role to "
		    "see: deploy the migrations"));
	if (!str_eq(db_text(rows, 0, 0), SCHEMA_CHANGE_ID) ||
	    db_number(rows, 0, 2) != SCHEMA_CHANGES)
		return (ill("schema", "%lld changes, the last is %s; this "
		    "program was built for %d: deploy the migrations, or "
		    "install the program that fits",
		    (long long)db_number(rows, 0, 2), db_text(rows, 0, 1),
		    SCHEMA_CHANGES));
	return (well("schema", "%s, as built for", db_text(rows, 0, 1)));
}

static bool
check_keys(struct ctl *ctl)
{
	const struct db_rows	*rows;
	const char		*why;
	int			 i;

	if (!vault_read_master(ctl->arena, setting->master_key_file, &why))
		return (ill("master key", "%s", why));
	if (!vault_load(ctl->db, &why))
		return (ill("master key", "%s", why));
	(void)well("master key", "%s opens every key in the database",
	    setting->master_key_file);
	rows = ctl_db_keys(ctl->db);
	for (i = 0; i < rows->n; i++) {
		(void)well("key", "%s %s%s under master key %s: %s rows",
		    db_text(rows, i, 0), db_text(rows, i, 1),
		    db_truth(rows, i, 4) ? "" : " (not for new rows)",
		    db_text(rows, i, 2), db_text(rows, i, 3));
		more(ctl, "\"kind\": \"%s\", \"version\": %s, "
		    "\"master_version\": %s, \"rows\": %s",
		    db_text(rows, i, 0), db_text(rows, i, 1),
		    db_text(rows, i, 2), db_text(rows, i, 3));
	}
	return (check_signing(ctl) & check_holders(ctl));
}

/* One signs, and all open. */
static bool
check_signing(struct ctl *ctl)
{
	struct signing_keys	 keys = { 0 };
	const char		*wanted = setting->token_rs256 ? "RS256" :
				    "ES256";
	const struct db_rows	*rows;
	bool			 signs = false;
	int			 i, broken;

	signing_db_read(ctl->db, &keys, &broken);
	signing_free(&keys);
	rows = signing_db_list(ctl->db);
	for (i = 0; i < rows->n; i++) {
		signs |= str_eq(db_text(rows, i, 2), "signs");
		(void)well("signing", "%s %s %s, from %s%s%s UTC",
		    db_text(rows, i, 1), db_text(rows, i, 0),
		    db_text(rows, i, 2), db_text(rows, i, 3),
		    db_is_null(rows, i, 4) ? "" : " to ",
		    db_is_null(rows, i, 4) ? "" : db_text(rows, i, 4));
		more(ctl, "\"kid\": \"%s\", \"alg\": \"%s\", "
		    "\"state\": \"%s\"", db_text(rows, i, 0),
		    db_text(rows, i, 1), db_text(rows, i, 2));
	}
	if (broken > 0)
		return (ill("signing", "%d keys do not open: they were changed "
		    "or moved", broken));
	if (!signs)
		return (ill("signing", "no key signs tokens: run latchkeyctl "
		    "init"));
	if (!str_eq(db_text(rows, 0, 1), wanted))
		return (well("signing", "the newest key is for %s, "
		    "LATCHKEY_TOKEN_ALG says %s: run latchkeyctl signing-key "
		    "rotate", db_text(rows, 0, 1), wanted));
	return (true);
}

/* Who runs has the newest versions, or will in a moment. */
static bool
check_holders(struct ctl *ctl)
{
	const struct db_rows	*rows = renew_db_holders(ctl->db);
	struct renew_state	 newest = renew_db_state(ctl->db);
	bool			 all = true, has;
	int			 i;

	if (keyring_master_newest(vault) > newest.master_newest)
		newest.master_newest = keyring_master_newest(vault);
	for (i = 0; i < rows->n; i++) {
		if (db_number(rows, i, 6) < 0)
			continue;
		has = db_number(rows, i, 3) >= newest.master_newest &&
		    db_number(rows, i, 5) >= newest.data_active;
		all &= (has ? well : ill)(db_text(rows, i, 0), "%s on %s has "
		    "master key %s and seals under data key %s%s",
		    db_text(rows, i, 2), db_text(rows, i, 1),
		    db_text(rows, i, 3), db_text(rows, i, 5),
		    has ? "" : ": not the newest; if that stays, copy the "
		    "master key file there");
		more(ctl, "\"pid\": %s, \"master_version\": %s, "
		    "\"data_version\": %s", db_text(rows, i, 2),
		    db_text(rows, i, 3), db_text(rows, i, 5));
	}
	return (all);
}

static bool
check_outbox(struct ctl *ctl)
{
	const struct db_rows	*rows = ctl_db_outbox(ctl->db);
	long long		 queued = db_number(rows, 0, 0);
	long long		 failed = db_number(rows, 0, 1);
	int64_t			 waits = db_number(rows, 0, 2);
	long long		 dropped = db_number(rows, 0, 3);

	if (waits > STUCK_S)
		return (ill("mail", "%lld queued, %lld failed; the oldest has "
		    "been due for %s: is a courier running?", queued, failed,
		    clock_span(ctl->arena, waits * SECOND_US)));
	return (well("mail", "%lld queued, %lld failed, %lld dropped that "
	    "nobody needed any more", queued, failed, dropped));
}

/* It may close the connection as we write. */
static bool
check_redis(void)
{
	char	 said[REDIS_WHY_MAX];

	(void)signal(SIGPIPE, SIG_IGN);
	if (redis_look(&setting->redis_url, setting->public_url, said))
		return (well("redis", "%s at %s: portals share their limits",
		    said, setting->redis_url.where));
	return (ill("redis", "%s: %s; portals go on, each by its share of the "
	    "limits", setting->redis_url.where, said));
}

static void
done(struct ctl *ctl)
{
	struct buf	b;
	size_t		i;

	if (!findings.json) {
		for (i = 0; i < findings.n; i++)
			printf("%s  %-10s  %s\n", findings.list[i].is_well ?
			    "ok  " : "BAD ", findings.list[i].what,
			    findings.list[i].text);
		return;
	}
	/* A byte of text may take six in JSON. */
	buf_init(&b, ctl->arena, FINDINGS_MAX * (FINDING_BYTES * 7 + 256));
	for (i = 0; i < findings.n; i++) {
		buf_fmt(&b, "%s\n{\"ok\": %s, \"what\": \"%s\", \"text\": \"",
		    i == 0 ? "[" : ",",
		    findings.list[i].is_well ? "true" : "false",
		    findings.list[i].what);
		buf_json(&b, findings.list[i].text);
		buf_str(&b, "\"");
		if (findings.list[i].more != NULL)
			buf_fmt(&b, ", %s", findings.list[i].more);
		buf_str(&b, "}");
	}
	buf_str(&b, "\n]\n");
	(void)fputs(buf_text(&b), stdout);
}

static bool
well(const char *what, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	say(true, what, fmt, ap);
	va_end(ap);
	return (true);
}

static bool
ill(const char *what, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	say(false, what, fmt, ap);
	va_end(ap);
	return (false);
}

/* Of the last finding, for programs. */
static void
more(struct ctl *ctl, const char *fmt, ...)
{
	char	text[FINDING_BYTES];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings.list[findings.n - 1].more = arena_strdup(ctl->arena, text);
}

static void
say(bool is_well, const char *what, const char *fmt, va_list ap)
{
	size_t	i = findings.n;

	if (i == FINDINGS_MAX)
		return;
	findings.list[i].is_well = is_well;
	(void)snprintf(findings.list[i].what, sizeof(findings.list[i].what),
	    "%s", what);
	(void)vsnprintf(findings.list[i].text, sizeof(findings.list[i].text),
	    fmt, ap);
	findings.n++;
}
