/*
 * Last use of sessions, written behind the answers.  A page notes its session
 * here and goes on; twice a second what was noted is written with one
 * statement, in a coroutine and with a database handle of its own, so that a
 * page never waits for it nor fails with it.  What is noted while the database
 * is away is dropped: the session's next request notes it again.
 */
#include "sessions/session.h"

#include "base/log.h"
#include "crypto/token.h"
#include "db/pool.h"
#include "run/co.h"

#define HASH_TEXT	(2 * SHA256_BYTES + 1)
/* 512 × (65 + 24 bytes) as an array parameter, copied once: 128 kB. */
#define TOUCH_ARENA_MAX	(512u * 1024)

static char		 noted[SESSION_TOUCHES_MAX][HASH_TEXT];
static unsigned		 noted_n;
static struct arena	*running;	/* of the coroutine that writes */

static void	touch_run(void *);
static void	touch_failed(void *, enum db_failure, const char *);
static void	touch_end(void);

void
session_touch(const char *token)
{
	unsigned char	hash[SHA256_BYTES];
	char		text[HASH_TEXT];
	unsigned	i;

	sha256(hash, token, strlen(token));
	hex_encode(text, hash, sizeof(hash));
	for (i = 0; i < noted_n; i++) {
		if (str_eq(noted[i], text))
			return;
	}
	if (noted_n < SESSION_TOUCHES_MAX)
		memcpy(noted[noted_n++], text, HASH_TEXT);
}

void
session_tick(void)
{
	if (noted_n == 0 || running != NULL)
		return;
	if (!pool_up()) {
		noted_n = 0;
		return;
	}
	running = arena_new(TOUCH_ARENA_MAX, NULL, NULL);
	if (!co_start(touch_run, NULL))
		touch_end();
}

static void
touch_run(void *arg)
{
	const char	**hashes;
	struct db	 *db;
	unsigned	  i, n = noted_n;

	(void)arg;
	hashes = arena_calloc(running, n, sizeof(*hashes));
	for (i = 0; i < n; i++)
		hashes[i] = arena_strdup(running, noted[i]);
	noted_n = 0;
	db = pool_handle(running, touch_failed, NULL);
	session_db_touch(db, hashes, n);
	touch_end();
}

static void
touch_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)failure;
	log_event(LOG_LEVEL_WARN, "session_touch", "why", why, NULL);
	touch_end();
	co_exit();
}

static void
touch_end(void)
{
	arena_free(running);
	running = NULL;
}
