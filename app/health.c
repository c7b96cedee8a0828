/*
 * Health: see health.h.
 */
#include "health.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api_pages.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "crypto/seal.h"
#include "db/pool.h"
#include "gen/schema_expect.h"
#include "run/co.h"
#include "sessions/session.h"
#include "vault/vault.h"
#include "web/respond.h"
#include "web/route.h"

/* The newest change of the schema and how many there are: an older schema and
 * a newer one are both not ours. */
DB_QUERY(schema_now,
	"SELECT change_id, count(*) OVER () FROM sqitch.changes"
	" WHERE project = 'latchkey' ORDER BY committed_at DESC, change_id"
	" LIMIT 1");

#define KEYS_ARENA_MAX	(256u * 1024)
#define KEYS_EVERY_US	(SECOND_US / 2)		/* between two tries */
/* Connections check the schema when they are made; someone may migrate while
 * they stand. */
#define SCHEMA_EVERY_US	(2 * SECOND_US)

static bool	opening, looking, beating;
static bool	told;
static int64_t	tried, looked, beaten;	/* monotonic */

WAITS static void check_that_it_fits(void);
_Noreturn static void nothing_to_fit(void *, enum db_failure, const char *);
static bool	schema_fits(const struct db_rows *);
static void	open_keys(void *);
static void	look_at_schema(void *);
static void	beat(void *);
static void	leave(void *);
_Noreturn static void beat_failed(void *, enum db_failure, const char *);
_Noreturn static void look_failed(void *, enum db_failure, const char *);
_Noreturn static void keys_failed(void *, enum db_failure, const char *);

WAITS void
health_check_master_key(void)
{
	struct arena	*a = arena_new(KEYS_ARENA_MAX, NULL, NULL);
	const char	*why = "";

	if (!vault_read_master(a, setting->master_key_file, &why)) {
		(void)fprintf(stderr, "latchkey: LATCHKEY_MASTER_KEY_FILE: "
		    "%s\n", why);
		exit(2);
	}
	arena_free(a);
	check_that_it_fits();
}

void
health_setup(void)
{
	pool_set_check(&schema_now, schema_fits);
}

WAITS void
health_tick(void)
{
	int64_t	now = clock_monotonic();

	if (!pool_up())
		return;
	if (vault == NULL && !opening && now - tried > KEYS_EVERY_US) {
		tried = now;
		opening = true;
		opening = co_start(open_keys, NULL) && opening;
	}
	if (now - looked > SCHEMA_EVERY_US && !looking) {
		looked = now;
		looking = true;
		looking = co_start(look_at_schema, NULL) && looking;
	}
	if (vault != NULL && !beating &&
	    now - beaten > VAULT_BEAT_S * SECOND_US) {
		beaten = now;
		beating = true;
		beating = co_start(beat, NULL) && beating;
	}
}

void
health_reread(void)
{
	vault_reread();
	beaten = 0;
}

void
health_leave(void)
{
	/* So that no beat comes behind it. */
	if (vault == NULL || beating || !pool_up())
		return;
	beating = co_start(leave, NULL);
}

WAITS bool
health_admit(struct req *rq, unsigned guard)
{
	if (pool_state() == POOL_MISMATCH)
		req_fail(rq, 503, "schema_mismatch");
	if (vault == NULL)
		req_fail(rq, 503, "keys_closed");
	return ((guard & API) != 0 ? api_admit(rq, guard) :
	    session_admit(rq, guard));
}

bool
health_ready(void)
{
	return (pool_up() && vault != NULL);
}

void
livez_page(struct req *rq)
{
	respond_text(rq, 200, "ok\n");
}

void
readyz_page(struct req *rq)
{
	bool	 database = pool_state() == POOL_UP;
	bool	 schema = pool_state() != POOL_MISMATCH;
	bool	 ready = health_ready();
	char	*text = arena_fmt(rq->arena, "%s\n", ready ? "ok" : "not ready");

	if (req_query(rq, "verbose") != NULL)
		text = arena_fmt(rq->arena, "%sdatabase %s\nschema %s\n"
		    "keys %s\n", text, database ? "up" : "down",
		    schema ? "fits" : "differs from the program's",
		    vault != NULL ? "open" : "closed");
	if (!ready)
		respond_header(rq, "retry-after", "2");
	respond_text(rq, ready ? 200 : 503, text);
}

/*
 * In a process of its own: neither a data key nor a connection may be in the
 * memory that workers are forked from.
 */
WAITS static void
check_that_it_fits(void)
{
	struct arena	*a;
	struct db	*db;
	const char	*why = "";
	pid_t		 pid;
	int		 status;

	pid = fork();
	if (pid == 0) {
		a = arena_new(KEYS_ARENA_MAX, NULL, NULL);
		db = db_open(setting->database_url, "latchkey", a,
		    nothing_to_fit, NULL, &why);
		if (db == NULL || vault_fits(db, &why))
			_exit(0);
		(void)fprintf(stderr, "latchkey: LATCHKEY_MASTER_KEY_FILE: "
		    "%s\n", why);
		_exit(2);
	}
	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			pid = -1;
	/* What could not be looked at the workers find out. */
	if (pid != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 2)
		exit(2);
}

/* The database is away, or has no tables yet. */
_Noreturn static void
nothing_to_fit(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)failure;
	(void)why;
	_exit(0);
}

static bool
schema_fits(const struct db_rows *rows)
{
	return (rows->n == 1 &&
	    str_eq(db_text(rows, 0, 0), SCHEMA_CHANGE_ID) &&
	    db_number(rows, 0, 1) == SCHEMA_CHANGES);
}

static WAITS void
open_keys(void *arg)
{
	struct arena	*a = arena_new(KEYS_ARENA_MAX, NULL, NULL);
	const char	*why = "";

	(void)arg;
	if (!vault_load(pool_handle(a, keys_failed, a), &why) && !told) {
		log_event(LOG_LEVEL_ERROR, "keys_closed", "why", why, NULL);
		told = true;
	}
	arena_free(a);
	opening = false;
}

/* Tried again at the next tick. */
_Noreturn static void
keys_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)failure;
	log_event(LOG_LEVEL_WARN, "keys_wait", "why", why, NULL);
	opening = false;
	arena_free(arg);
	co_exit();
}

static WAITS void
look_at_schema(void *arg)
{
	struct arena		*a = arena_new(KEYS_ARENA_MAX, NULL, NULL);
	const struct db_rows	*rows;

	(void)arg;
	rows = db_read(pool_handle(a, look_failed, a), &schema_now, DB_NONE);
	if (!schema_fits(rows))
		pool_distrust();
	arena_free(a);
	looking = false;
}

_Noreturn static void
look_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)why;
	/* The registry is gone or may not be read any more. */
	if (failure == DB_FAIL_BUG)
		pool_distrust();
	looking = false;
	arena_free(arg);
	co_exit();
}

/* Says which keys this worker has, and reads those that changed. */
static WAITS void
beat(void *arg)
{
	static bool	 told_stuck;
	struct arena	*a = arena_new(KEYS_ARENA_MAX, NULL, NULL);
	const char	*why = "";

	(void)arg;
	switch (vault_beat(pool_handle(a, beat_failed, a), "portal",
	    VAULT_LEASE_S, &why)) {
	case VAULT_SAME:
		break;
	case VAULT_NEW:
		told_stuck = false;
		log_event(LOG_LEVEL_INFO, "keys_read", "master",
		    LOG_NUM(keyring_master_newest(vault)), "data",
		    LOG_NUM(keyring_seals_under(vault)), NULL);
		break;
	case VAULT_STUCK:
		if (!told_stuck)
			log_event(LOG_LEVEL_ERROR, "keys_stuck", "why", why,
			    NULL);
		told_stuck = true;
		break;
	}
	arena_free(a);
	beating = false;
}

static WAITS void
leave(void *arg)
{
	struct arena	*a = arena_new(KEYS_ARENA_MAX, NULL, NULL);

	(void)arg;
	vault_leave(pool_handle(a, beat_failed, a));
	arena_free(a);
}

/* Tried again when it is time. */
_Noreturn static void
beat_failed(void *arg, enum db_failure failure, const char *why)
{
	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "keys_beat", "why", why, NULL);
	beating = false;
	arena_free(arg);
	co_exit();
}
