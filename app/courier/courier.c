/*
 * latchkey-courier: sends what stands in the outbox and runs the jobs that are
 * due.  One process, one connection, one mail at a time; several couriers may
 * run side by side, since each claims the rows that it sends.
 *
 * A round: note how the last mail ended, if that could not be written yet; run
 * the jobs, and write heads of the audit to the log, when it is time; send all
 * that is due; wait for a NOTIFY, for the next mail to fall due, or for the
 * next jobs.  When the database is lost, busy or refuses what it should not,
 * the round ends there and begins again, 50 ms to 1 s later.  SIGTERM and SIGINT end it after the mail that is
 * under way.
 */
#include <curl/curl.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "crypto/secret.h"
#include "crypto/token.h"
#include "db/db.h"
#include "jobs/job.h"
#include "mail/mail.h"
#include "requests/auto.h"
#include "vault/vault.h"
#include "web/mustache.h"

#define ROUND_MAX	(64u * 1024 * 1024)	/* memory of one round */
#define LOST		"database_lost"
#define BACKOFF_MIN_MS	50
#define BACKOFF_MAX_MS	1000
/* A signal that comes just before the wait is seen this much later. */
#define WAIT_MAX_MS	500
#define WAIT_EARLY_MS	10
/* Seconds: what a mail may take (MAIL_LIMITS), and more.  So long it counts as
 * running that sends one. */
#define SEND_LEASE_S	150

struct courier {
	char			 id[UUID_TEXT];
	struct arena		*arena;		/* of the round */
	struct db		*db;
	struct mustache_set	*templates;
	const char		*from;		/* for SMTP: address alone */
	int64_t			 jobs_at;	/* monotonic */
	int64_t			 heads_at;	/* of the audit, monotonic */
	int64_t			 beat_at;	/* monotonic */
	int64_t			 leased_until;	/* monotonic, about */
	bool			 stuck_told;
	int			 backoff_ms;	/* 0: all is well */
	const char		*trouble;	/* as told in the log, or NULL */
	bool			 reopen;	/* the connection was lost */

	/* How a mail ended, until the outbox knows. */
	bool			 pending;
	char			 pending_id[UUID_TEXT];
	enum outbox_end		 pending_end;
	char			 pending_why[256];
};

static volatile sig_atomic_t	stopping, hung_up;
static jmp_buf			lost;

static void	 start(struct courier *);
static void	 round_run(struct courier *);
static void	 connect_db(struct courier *);
static void	 beat(struct courier *, int64_t lease_s);
static bool	 send_one(struct courier *);
static void	 send_mail(struct courier *, const struct outbox_mail *);
static void	 ended(struct courier *, const struct outbox_mail *,
		    enum outbox_end, const char *event, const char *why,
		    int64_t began);
static void	 settle(struct courier *);
static void	 wait_for_work(struct courier *);
static void	 rest(int);
static void	 db_lost(void *, enum db_failure, const char *)
		    __attribute__((noreturn));
static void	 stop(int);
static void	 hang_up(int);

int
main(void)
{
	static struct courier	courier;

	secret_guard_process();
	setting_load(SETTING_COURIER);
	log_setup("courier", setting->log_level);
	start(&courier);
	log_event(LOG_LEVEL_INFO, "start", "courier", courier.id, NULL);
	log_flush();
	while (!stopping) {
		courier.arena = arena_new(ROUND_MAX, NULL, NULL);
		if (setjmp(lost) == 0)
			round_run(&courier);
		if (courier.db != NULL)
			db_set_arena(courier.db, NULL);
		arena_free(courier.arena);
		log_flush();
		if (courier.backoff_ms > 0 && !stopping)
			rest(courier.backoff_ms);
	}
	/* What is known is written down; without a database the next courier
	 * sends that one mail again, under the same Message-ID. */
	if (courier.db != NULL && (courier.pending || !courier.reopen)) {
		courier.arena = arena_new(ROUND_MAX, NULL, NULL);
		db_set_arena(courier.db, courier.arena);
		if (setjmp(lost) == 0) {
			settle(&courier);
			if (vault != NULL && !courier.reopen)
				vault_leave(courier.db);
		}
	}
	db_close(courier.db);
	log_event(LOG_LEVEL_INFO, "stop", "courier", courier.id, NULL);
	log_flush();
	return (0);
}

static void
start(struct courier *c)
{
	struct sigaction		 action = { .sa_handler = stop };
	const struct mustache_options	 options = {
					    .strict = !setting->production };
	struct arena			*arena;
	const char			*why;
	char				*error;

	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	action.sa_handler = hang_up;
	(void)sigaction(SIGHUP, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	/* A file-size limit is an error of write(), as a full disk is. */
	(void)sigaction(SIGXFSZ, &action, NULL);
	crypto_init();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	uuid_make(c->id);

	/* For the life of the program. */
	arena = arena_new(ROUND_MAX, NULL, NULL);
	if (!vault_read_master(arena, setting->master_key_file, &why)) {
		fprintf(stderr, "latchkey-courier: LATCHKEY_MASTER_KEY_FILE: "
		    "%s\n", why);
		exit(2);
	}
	c->templates = mustache_load(setting->templates, &options, &error);
	if (c->templates == NULL) {
		fprintf(stderr, "latchkey-courier: template %s\n", error);
		exit(1);
	}
	c->from = mail_from_address(arena, setting->mail_from);
	if (c->from == NULL) {
		fprintf(stderr, "LATCHKEY_MAIL_FROM must be an e-mail address, "
		    "as in Latchkey <no-reply@example.com>\n");
		exit(2);
	}
}

static void
round_run(struct courier *c)
{
	bool	was_due;

	connect_db(c);
	if (clock_monotonic() >= c->beat_at || hung_up)
		beat(c, VAULT_LEASE_S);
	settle(c);
	if (clock_monotonic() >= c->jobs_at) {
		jobs_run(c->db);
		(void)auto_db_run(c->db, vault);
		c->jobs_at = clock_monotonic() + JOBS_EVERY_S * SECOND_US;
	}
	if (clock_monotonic() >= c->heads_at && !audit_export(c->db))
		c->heads_at = clock_monotonic() +
		    AUDIT_EXPORT_EVERY_S * SECOND_US;
	/* A round's memory goes with it, so a round sends one mail. */
	was_due = send_one(c);
	if (c->trouble != NULL) {
		log_event(LOG_LEVEL_INFO, strcmp(c->trouble, LOST) == 0 ?
		    "database_back" : "went_on", NULL);
		c->trouble = NULL;
		c->backoff_ms = 0;
	}
	if (!was_due && !stopping)
		wait_for_work(c);
}

/*
 * Returns connected, with the keys open.  After a loss it begins with LISTEN,
 * so that no mail which is queued meanwhile is overlooked.
 */
static void
connect_db(struct courier *c)
{
	const char	*why = "";

	if (c->reopen) {
		db_close(c->db);
		c->db = NULL;
		c->reopen = false;
	}
	if (c->db == NULL) {
		c->db = db_open(setting->database_url, "latchkey-courier",
		    c->arena, db_lost, c, &why);
		if (c->db == NULL)
			db_lost(c, DB_FAIL_DOWN, why);
		if (!db_listen(c->db, "outbox"))
			db_lost(c, DB_FAIL_DOWN, "no LISTEN");
	}
	db_set_arena(c->db, c->arena);
	if (!vault_load(c->db, &why)) {
		fprintf(stderr, "latchkey-courier: %s\n", why);
		exit(1);
	}
}

/* Says that this courier runs, and with which keys; reads those that
 * changed. */
static void
beat(struct courier *c, int64_t lease_s)
{
	const char	*why = "";

	if (hung_up) {
		hung_up = 0;
		vault_reread();
	}
	switch (vault_beat(c->db, "courier", lease_s, &why)) {
	case VAULT_SAME:
		break;
	case VAULT_NEW:
		c->stuck_told = false;
		log_event(LOG_LEVEL_INFO, "keys_read", "master",
		    LOG_NUM(keyring_master_newest(vault)), "data",
		    LOG_NUM(keyring_seals_under(vault)), NULL);
		break;
	case VAULT_STUCK:
		if (!c->stuck_told)
			log_event(LOG_LEVEL_ERROR, "keys_stuck", "why", why,
			    NULL);
		c->stuck_told = true;
		break;
	}
	c->beat_at = clock_monotonic() + VAULT_BEAT_S * SECOND_US;
	c->leased_until = clock_monotonic() + lease_s * SECOND_US;
}

/* False when there is nothing to send. */
static bool
send_one(struct courier *c)
{
	struct outbox_mail	row;

	if (!outbox_claim(c->db, c->id, &row))
		return (false);
	/* Half of it is what a mail takes at most. */
	if (!str_starts(setting->smtp_url, "maildir:") && c->leased_until <
	    clock_monotonic() + SEND_LEASE_S / 2 * SECOND_US)
		beat(c, SEND_LEASE_S);
	send_mail(c, &row);
	settle(c);
	return (true);
}

static void
send_mail(struct courier *c, const struct outbox_mail *row)
{
	static const struct mail_limits	 limits = MAIL_LIMITS;
	const struct buf		*mime;
	const char			*why = "";
	struct mail			 mail;
	enum mail_sent			 sent;
	int64_t				 began = clock_monotonic();

	switch (mail_render(c->arena, c->templates, row, &mail, &why)) {
	case MAIL_RENDERED:
		break;
	case MAIL_VOID:
		ended(c, row, OUTBOX_VOID, "mail_void", why, began);
		return;
	case MAIL_BROKEN:
		ended(c, row, OUTBOX_RETRY, "mail_broken", why, began);
		return;
	}
	mime = mail_mime(c->arena, &mail, setting->mail_from);
	if (mime == NULL) {
		ended(c, row, OUTBOX_FAILED, "mail_broken",
		    "a line break in a header, or more than 1 MiB", began);
		return;
	}
	if (str_starts(setting->smtp_url, "maildir:"))
		sent = mail_dir(c->arena, setting->smtp_url + 8, &mail, mime,
		    &why);
	else
		sent = mail_smtp(c->arena, setting->smtp_url,
		    setting->smtp_ca_file, &limits, c->from, mail.to, mime,
		    &why);
	switch (sent) {
	case MAIL_SENT:
		ended(c, row, OUTBOX_SENT, "mail_sent", "", began);
		break;
	case MAIL_LATER:
		ended(c, row, OUTBOX_RETRY, "mail_later", why, began);
		break;
	case MAIL_SETTINGS:
		ended(c, row, OUTBOX_RETRY, "mail_settings", why, began);
		break;
	case MAIL_REFUSED:
		ended(c, row, OUTBOX_FAILED, "mail_refused", why, began);
		break;
	}
}

/* Remembered first, written to the outbox by settle(): a database that is
 * lost in between must not lead to a second mail. */
static void
ended(struct courier *c, const struct outbox_mail *row, enum outbox_end end,
    const char *event, const char *why, int64_t began)
{
	bool	alarm = str_eq(event, "mail_settings") ||
		    str_eq(event, "mail_broken");

	c->pending = true;
	c->pending_end = end;
	(void)snprintf(c->pending_id, sizeof(c->pending_id), "%s", row->id);
	(void)snprintf(c->pending_why, sizeof(c->pending_why), "%s", why);
	log_event(alarm ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, event,
	    "mail", row->id, "kind", row->kind, "try", LOG_NUM(row->tries),
	    "ms", LOG_NUM((clock_monotonic() - began) / 1000), "why", why,
	    NULL);
}

static void
settle(struct courier *c)
{
	if (!c->pending)
		return;
	outbox_end(c->db, c->id, c->pending_id, c->pending_end,
	    c->pending_why);
	c->pending = false;
}

static void
wait_for_work(struct courier *c)
{
	int64_t	until, due, left, began;

	due = outbox_due_in(c->db);
	until = c->heads_at < c->jobs_at ? c->heads_at : c->jobs_at;
	if (c->beat_at < until)
		until = c->beat_at;
	if (due < until - clock_monotonic())
		until = clock_monotonic() + due;
	while (!stopping) {
		left = (until - clock_monotonic() + 999) / 1000;
		if (left <= 0)
			return;
		if (left > WAIT_MAX_MS)
			left = WAIT_MAX_MS;
		log_flush();
		began = clock_monotonic();
		if (db_wait_notify(c->db, (int)left) || hung_up)
			return;
		/* Too early for the time-out: the connection died. */
		if (!stopping && clock_monotonic() - began <
		    (left - WAIT_EARLY_MS) * 1000)
			db_lost(c, DB_FAIL_DOWN, "the connection died");
	}
}

/* A signal ends it early. */
static void
rest(int ms)
{
	struct timespec	ts = { ms / 1000, (ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

/* Told once, until a round has ended well. */
static void
db_lost(void *arg, enum db_failure failure, const char *why)
{
	static const char *const words[] = {
		[DB_FAIL_DOWN] = LOST, [DB_FAIL_UNKNOWN] = LOST,
		[DB_FAIL_BUSY] = "db_failed", [DB_FAIL_BUG] = "db_bug",
	};
	struct courier	*c = arg;

	c->reopen = true;
	if (c->trouble == NULL || strcmp(c->trouble, words[failure]) != 0)
		log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR :
		    LOG_LEVEL_WARN, words[failure], "why", why, NULL);
	c->trouble = words[failure];
	c->backoff_ms *= 2;
	if (c->backoff_ms < BACKOFF_MIN_MS)
		c->backoff_ms = BACKOFF_MIN_MS;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
	longjmp(lost, 1);
}

static void
stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

static void
hang_up(int signal_number)
{
	(void)signal_number;
	hung_up = 1;
}
