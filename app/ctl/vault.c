/*
 * latchkeyctl master-key and data-key: new versions while portal and courier
 * serve, and old ones away.  Every step is a statement or a file that is
 * replaced at once, and each looks first at what is there: so whoever was
 * interrupted, however, runs the command again.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "ctl/ctl_db.h"
#include "vault/renew.h"
#include "vault/vault.h"

#define WAIT_S		30	/* for those who run, unless said otherwise */
#define WAIT_MAX_S	3600
#define LOOK_MS		250
#define NAMED_MAX	4
#define TRIES		5
#define BATCH		200	/* rows that one statement seals anew */
/* For each second of work so many of rest: so portal and database keep most of
 * the machine for those who ask (make bench). */
#define REST		3
#define SAY_US		(2 * SECOND_US)		/* between lines of progress */
#define PATIENCE_S	300	/* a look through a large table */

struct versions {
	int64_t	master, data, seals_under;
};

static MUST_CHECK bool	 begin(struct ctl *);
static MUST_CHECK bool	 take_wait(struct ctl *, int64_t *ret_wait_s);
static MUST_CHECK bool	 wait_for_all(struct ctl *, struct versions,
			    int64_t wait_s);
static const char	*who(struct ctl *, const struct db_rows *,
			    const char *what, int column);
static MUST_CHECK bool	 refresh(struct ctl *);
static enum ctl_exit	 behind(void);
static MUST_CHECK bool	 data_version(struct ctl *, int64_t wait_s,
			    int64_t *ret_version);
static MUST_CHECK bool	 reseal_all(struct ctl *, int64_t version);
static void		 reseal_pass(struct ctl *, const struct ctl_sealed *,
			    int64_t version, struct ctl_reseal *);
static void		 say_progress(const struct ctl_reseal *, bool is_end);
static void		 rest(int64_t us);

enum ctl_exit
ctl_master_rotate(struct ctl *ctl)
{
	const char		*path = setting->master_key_file, *why;
	struct renew_state	 now;
	int64_t			 wait_s, keys = 0, newest;
	uint32_t		 made;
	int			 tries;

	if (!take_wait(ctl, &wait_s))
		return (CTL_USAGE);
	if (!begin(ctl))
		return (CTL_REFUSED);
	now = renew_db_state(ctl->db);
	newest = keyring_master_newest(vault);
	if (newest == now.master_oldest) {
		if (!master_key_add(path, ctl->arena, &made, &why))
			return (ctl_refuse("%s", why));
		printf("made master key %u in %s\n", made, path);
		if (!refresh(ctl))
			return (CTL_REFUSED);
		newest = made;
	} else {
		printf("master key %lld is in %s, and not every key stands on "
		    "it: going on\n", (long long)newest, path);
	}
	if (!wait_for_all(ctl, (struct versions){ .master = newest }, wait_s))
		return (CTL_REFUSED);
	for (tries = 0; tries < TRIES; tries++) {
		switch (renew_db_master(ctl->db, &keys)) {
		case STEP_BEHIND:
			return (behind());
		case STEP_AGAIN:
			if (!refresh(ctl))
				return (CTL_REFUSED);
			continue;
		case STEP_DONE:
			break;
		}
		printf("sealed %lld keys anew under master key %lld\n"
		    "keep a copy of %s apart from the database's; backups from "
		    "before need the older keys in it\n", (long long)keys,
		    (long long)newest, path);
		return (CTL_DONE);
	}
	return (ctl_refuse("the keys change all the time: nothing was done"));
}

enum ctl_exit
ctl_master_retire(struct ctl *ctl)
{
	const char		*path = setting->master_key_file, *why;
	struct renew_state	 now;
	int64_t			 wait_s, newest;

	if (!take_wait(ctl, &wait_s))
		return (CTL_USAGE);
	if (!begin(ctl))
		return (CTL_REFUSED);
	now = renew_db_state(ctl->db);
	newest = keyring_master_newest(vault);
	if (now.master_oldest != newest)
		return (ctl_refuse("keys in the database stand on master key "
		    "%lld, the newest in %s is %lld: run latchkeyctl "
		    "master-key rotate first", (long long)now.master_oldest,
		    path, (long long)newest));
	if (!wait_for_all(ctl, (struct versions){ .master = newest }, wait_s))
		return (CTL_REFUSED);
	if (!master_key_trim(path, ctl->arena, (uint32_t)newest, &why))
		return (ctl_refuse("%s", why));
	printf("%s holds master key %lld only: copy it to the other machines\n"
	    "backups of the database from before its rotation need the older "
	    "ones\n", path, (long long)newest);
	return (CTL_DONE);
}

enum ctl_exit
ctl_data_rotate(struct ctl *ctl)
{
	struct versions	all = { 0 };
	int64_t		wait_s, version;

	if (!take_wait(ctl, &wait_s))
		return (CTL_USAGE);
	if (!begin(ctl) || !data_version(ctl, wait_s, &version))
		return (CTL_REFUSED);
	all.seals_under = version;
	if (!wait_for_all(ctl, all, wait_s) || !reseal_all(ctl, version))
		return (CTL_REFUSED);
	printf("every row stands on data key %lld; older ones go with "
	    "latchkeyctl data-key retire, in an hour or later\n",
	    (long long)version);
	return (CTL_DONE);
}

enum ctl_exit
ctl_data_retire(struct ctl *ctl)
{
	struct renew_state	now;
	int64_t			version;

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (!begin(ctl))
		return (CTL_REFUSED);
	now = renew_db_state(ctl->db);
	if (now.data_oldest == now.data_active)
		return (ctl_refuse("data key %lld is the only one in use",
		    (long long)now.data_active));
	/* What was under way when the version changed may stand on the old. */
	if (!reseal_all(ctl, now.data_active))
		return (CTL_REFUSED);
	for (version = now.data_oldest; version < now.data_active; version++) {
		/* Versions may have gaps. */
		if (!keyring_has(vault, "data", (uint32_t)version))
			continue;
		switch (renew_db_data_retire(ctl->db, version)) {
		case RETIRE_DONE:
			printf("took data key %lld away\n",
			    (long long)version);
			break;
		case RETIRE_IN_USE:
			return (ctl_refuse("rows stand on data key %lld: run "
			    "latchkeyctl data-key rotate", (long long)version));
		case RETIRE_EARLY:
			return (ctl_refuse("data key %lld stays: data key %lld "
			    "is in use for less than an hour, and forms that "
			    "are open may need the old one",
			    (long long)version, (long long)now.data_active));
		}
	}
	return (CTL_DONE);
}

/* The vault is open and nobody else rotates; false when it has refused. */
static bool
begin(struct ctl *ctl)
{
	if (!ctl_open_vault(ctl))
		return (false);
	db_patience(ctl->db, PATIENCE_S);
	if (renew_lock(ctl->db))
		return (true);
	(void)ctl_refuse("another rotation runs on this database: wait until it "
	    "is done");
	return (false);
}

static bool
take_wait(struct ctl *ctl, int64_t *ret_wait_s)
{
	const char	*text = ctl_option(ctl, "--wait");

	*ret_wait_s = WAIT_S;
	if (text != NULL && !str_to_int(text, 0, WAIT_MAX_S, ret_wait_s)) {
		(void)ctl_usage("--wait is in seconds, up to %d", WAIT_MAX_S);
		return (false);
	}
	return (ctl_words(ctl, 0));
}

/* Until everybody who runs says that he has these versions; false when it has
 * refused. */
static bool
wait_for_all(struct ctl *ctl, struct versions wanted, int64_t wait_s)
{
	const struct db_rows	*rows;
	int64_t			 until = clock_monotonic() + wait_s * SECOND_US;
	int			 told = -1;
	bool			 is_master = wanted.master > 0;
	int64_t			 version;

	version = is_master ? wanted.master : wanted.data > 0 ? wanted.data :
	    wanted.seals_under;
	for (;;) {
		rows = renew_db_behind(ctl->db, wanted.master, wanted.data,
		    wanted.seals_under);
		if (rows->n == 0)
			return (true);
		if (clock_monotonic() >= until)
			break;
		if (rows->n != told) {
			printf("waiting for %s\n", who(ctl, rows, is_master ?
			    "master" : "data", is_master ? 3 : wanted.data >
			    0 ? 4 : 5));
			(void)fflush(stdout);
			told = rows->n;
		}
		rest(LOOK_MS * 1000);
	}
	(void)ctl_refuse("nothing was sealed anew, since not everybody has %s "
	    "key %lld: %s; %s, then run this again", is_master ? "master" :
	    "data", (long long)version, who(ctl, rows, is_master ? "master" :
	    "data", is_master ? 3 : wanted.data > 0 ? 4 : 5), is_master ?
	    "copy the master key file there" : "see its log for keys_stuck");
	return (false);
}

/* "portal 4711 on web2 (master key 1, counts as running for 7 s), ... and 2
 * more" */
static const char *
who(struct ctl *ctl, const struct db_rows *rows, const char *what, int column)
{
	const char	*text = "";
	int		 i;

	for (i = 0; i < rows->n && i < NAMED_MAX; i++)
		text = arena_fmt(ctl->arena, "%s%s%s %s on %s (%s key %s, "
		    "counts as running for %s s)", text, i == 0 ? "" : ", ",
		    db_text(rows, i, 0), db_text(rows, i, 2),
		    db_text(rows, i, 1), what, db_text(rows, i, column),
		    db_text(rows, i, 6));
	return (rows->n <= NAMED_MAX ? text : arena_fmt(ctl->arena,
	    "%s and %d more", text, rows->n - NAMED_MAX));
}

static bool
refresh(struct ctl *ctl)
{
	const char	*why;

	if (vault_refresh(ctl->db, &why))
		return (true);
	(void)ctl_refuse("%s", why);
	return (false);
}

static enum ctl_exit
behind(void)
{
	return (ctl_refuse("somebody came who has not the newest keys: nothing "
	    "was done, run this again"));
}

/* The data key that rows are to stand on: a new one, or that of a rotation
 * which was not finished.  It is in use then. */
static bool
data_version(struct ctl *ctl, int64_t wait_s, int64_t *ret_version)
{
	struct renew_state	now = renew_db_state(ctl->db);
	int64_t			version = now.data_newest, left;

	left = ctl_db_sealed_before(ctl->db, version);
	if (version == now.data_active && left == 0) {
		version++;
		switch (renew_db_data_make(ctl->db, version)) {
		case STEP_BEHIND:
			(void)ctl_refuse("somebody who runs has not master key "
			    "%u: run latchkeyctl master-key rotate first",
			    keyring_master_newest(vault));
			return (false);
		case STEP_AGAIN:
			(void)ctl_refuse("somebody else made data key %lld: "
			    "run this again", (long long)version);
			return (false);
		case STEP_DONE:
			break;
		}
		now.data_active = 0;
		printf("made data key %lld\n", (long long)version);
	} else {
		printf("data key %lld is there, %lld rows stand on older ones: "
		    "going on\n", (long long)version, (long long)left);
	}
	if (version != now.data_active) {
		if (!wait_for_all(ctl, (struct versions){ .data = version },
		    wait_s))
			return (false);
		if (renew_db_data_use(ctl->db, version) == STEP_BEHIND) {
			(void)behind();
			return (false);
		}
	}
	if (!refresh(ctl))
		return (false);
	*ret_version = version;
	return (true);
}

/* False when it has refused: some rows don't open. */
static bool
reseal_all(struct ctl *ctl, int64_t version)
{
	const struct ctl_sealed	*table;
	struct ctl_reseal	 all = { .began = clock_monotonic() };
	int64_t			 before;

	all.total = ctl_db_sealed_before(ctl->db, version);
	/* What somebody held in the middle, the next pass takes. */
	do {
		before = all.done;
		all.skipped = all.broken = 0;
		for (table = ctl_sealed; table->name != NULL; table++)
			reseal_pass(ctl, table, version, &all);
	} while (all.skipped > 0 || all.done > before);
	say_progress(&all, true);
	if (all.broken == 0)
		return (true);
	(void)ctl_refuse("%lld rows do not open and stay as they are, the "
	    "first is %s: they were changed or moved", (long long)all.broken,
	    all.broken_row);
	return (false);
}

static void
reseal_pass(struct ctl *ctl, const struct ctl_sealed *table, int64_t version,
    struct ctl_reseal *all)
{
	struct arena	*outer = ctl->arena, *inner;
	char		 after[UUID_TEXT] =
			    "00000000-0000-0000-0000-000000000000";
	int64_t		 began;
	bool		 more = true;

	while (more) {
		began = clock_monotonic();
		inner = arena_new(BATCH * CTL_RESEAL_BYTES, NULL, NULL);
		db_set_arena(ctl->db, inner);
		more = ctl_db_reseal(ctl->db, vault, table, version, BATCH,
		    after, all);
		db_set_arena(ctl->db, outer);
		arena_free(inner);
		say_progress(all, false);
		if (more)
			rest((clock_monotonic() - began) * REST);
	}
}

static void
say_progress(const struct ctl_reseal *all, bool is_end)
{
	static int64_t	said;
	int64_t		now = clock_monotonic(), us = now - all->began;

	if (said == 0)
		said = all->began;
	if ((!is_end && now - said < SAY_US) || all->done == 0)
		return;
	said = now;
	printf("%lld of %lld rows, %lld a second\n", (long long)all->done,
	    (long long)(all->done > all->total ? all->done : all->total),
	    (long long)(all->done * SECOND_US / (us > 0 ? us : 1)));
	(void)fflush(stdout);
}

static void
rest(int64_t us)
{
	struct timespec	left = { us / SECOND_US, us % SECOND_US * 1000 };

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		continue;
}
