/*
 * latchkeyctl audit verify: walks all chains in the order of lanes, with the
 * heads of the database and the anchors of a log beside them in the same
 * order, and says what does not fit.  Rows are read in batches, each in memory
 * of its own; heads and anchors are held whole, 112 bytes each.
 *
 * Heads are read before the rows: what is written meanwhile is behind them,
 * and is checked like all else.
 */
#include <errno.h>
#include <stdarg.h>

#include "audit/audit.h"
#include "audit/chain.h"
#include "base/str.h"
#include "ctl/ctl.h"

#define BATCH_MEMORY	(64u * 1024 * 1024)
#define FAULTS_SHOWN	20
#define OUTSIDE_SPAN	50000		/* ids a look */
#define LINE_MEMORY	(128u * 1024)	/* of one line of a log */
#define LINES_BACK	4096	/* lines between two of a number and the next */

struct heads {
	struct head	*p;
	size_t		 n, size, at;
};

struct verify {
	struct ctl	*ctl;
	struct heads	 heads, anchors;
	struct heads	 lines;		/* of the log: number and digest */
	int64_t		 line_max;	/* the highest number of a line */
	int64_t		 faults, rows, chains;
	int64_t		 unproved;	/* rows behind the last anchor */
	char		 lane[UUID_TEXT];
	int64_t		 n;		/* of the last link of the lane */
	char		 hash[HASH_TEXT];
	int64_t		 anchored;	/* n of the lane's last anchor */
};

static bool	 anchors_load(struct verify *, const char *path);
static void	 anchor_line(struct verify *, struct arena *, const char *);
static bool	 line_follows(const struct verify *,
		    const struct anchor_line *);
static void	 heads_load(struct verify *);
static void	 head_add(struct heads *, const struct head *);
static void	 links_walk(struct verify *);
static void	 link_check(struct verify *, struct arena *,
		    const struct chain_row *, int64_t n);
static void	 row_check(struct verify *, struct arena *,
		    const struct chain_row *, bool know_before);
static void	 pass_link(struct verify *, struct heads *, const char *whose);
static void	 pass_lane(struct verify *, const char *next);
static void	 pass_heads(struct verify *, struct heads *, const char *next,
		    const char *whose);
static void	 outside_check(struct verify *);
static void	 fault(struct verify *, const char *fmt, ...) FORMAT(2, 3);
static enum ctl_exit conclude(const struct verify *, bool anchored);

enum ctl_exit
ctl_audit_verify(struct ctl *ctl)
{
	struct verify	 v = { .ctl = ctl };
	const char	*path = ctl_option(ctl, "--anchors");
	enum ctl_exit	 status;

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (path != NULL && !anchors_load(&v, path)) {
		status = CTL_REFUSED;
	} else {
		heads_load(&v);
		links_walk(&v);
		outside_check(&v);
		status = conclude(&v, path != NULL);
	}
	free(v.heads.p);
	free(v.lines.p);
	free(v.anchors.p);
	return (status);
}

/* False when it has refused. */
static bool
anchors_load(struct verify *v, const char *path)
{
	struct arena	*arena;
	char		*line = NULL;
	size_t		 size = 0;
	bool		 whole;
	FILE		*file = fopen(path, "re");

	if (file == NULL) {
		(void)ctl_refuse("%s can't be read: %s", path,
		    strerror(errno));
		return (false);
	}
	while (getline(&line, &size, file) != -1) {
		arena = arena_new(LINE_MEMORY, NULL, NULL);
		anchor_line(v, arena, line);
		arena_free(arena);
	}
	free(line);
	whole = ferror(file) == 0;
	(void)fclose(file);
	if (!whole) {
		(void)ctl_refuse("%s can't be read to its end", path);
		return (false);
	}
	if (v->lines.n == 0) {
		(void)ctl_refuse("%s holds no anchor: it is the courier's log "
		    "that has them, in lines with \"audit_heads\"", path);
		return (false);
	}
	if (v->anchors.n > 0)
		qsort(v->anchors.p, v->anchors.n, sizeof(*v->anchors.p),
		    head_compare);
	return (true);
}

static void
anchor_line(struct verify *v, struct arena *arena, const char *text)
{
	struct anchor_line	 line;
	struct head		 head = { .n = 0 };
	const char		*at;
	char			 digest[HASH_TEXT];

	if (!anchor_read(arena, text, &line))
		return;
	anchor_digest(arena, &line, digest);
	if (!str_eq(digest, line.digest)) {
		fault(v, "line %lld of the log was changed",
		    (long long)line.number);
		return;
	}
	if (v->lines.n > 0 && line.number > v->line_max + 1)
		fault(v, "lines %lld to %lld of the log are missing",
		    (long long)v->line_max + 1, (long long)line.number - 1);
	else if (!line_follows(v, &line))
		fault(v, "line %lld of the log does not follow on the one "
		    "before", (long long)line.number);
	if (line.number > v->line_max)
		v->line_max = line.number;
	head.n = line.number;
	(void)snprintf(head.hash, sizeof(head.hash), "%s", digest);
	head_add(&v->lines, &head);
	at = line.heads;
	while (anchor_head(arena, &at, &head))
		head_add(&v->anchors, &head);
}

/* After a crash, or with a second courier, a number comes again, with other
 * heads: it follows on any of the number before, and the first line of a file
 * on nothing that is known. */
static bool
line_follows(const struct verify *v, const struct anchor_line *line)
{
	size_t	i;
	bool	any = false;

	for (i = v->lines.n; i > 0 && v->lines.n - i < LINES_BACK; i--) {
		if (v->lines.p[i - 1].n != line->number - 1)
			continue;
		if (str_eq(v->lines.p[i - 1].hash, line->previous))
			return (true);
		any = true;
	}
	return (!any);
}

static void
heads_load(struct verify *v)
{
	struct arena		*whole = db_arena(v->ctl->db), *arena;
	const struct db_rows	*rows;
	struct head		 head;
	char			 lane[UUID_TEXT] = AUDIT_START;
	int			 i;

	do {
		arena = arena_new(BATCH_MEMORY, NULL, NULL);
		db_set_arena(v->ctl->db, arena);
		rows = audit_db_heads(v->ctl->db, lane);
		for (i = 0; i < rows->n; i++) {
			(void)snprintf(head.lane, sizeof(head.lane), "%s",
			    db_text(rows, i, 0));
			head.n = db_number(rows, i, 1);
			(void)snprintf(head.hash, sizeof(head.hash), "%s",
			    db_text(rows, i, 2));
			head_add(&v->heads, &head);
			(void)snprintf(lane, sizeof(lane), "%s", head.lane);
		}
		i = rows->n;
		arena_free(arena);
	} while (i > 0);
	db_set_arena(v->ctl->db, whole);
}

static void
head_add(struct heads *heads, const struct head *head)
{
	if (heads->n == heads->size) {
		heads->size = heads->size == 0 ? 1024 : 2 * heads->size;
		heads->p = reallocarray(heads->p, heads->size,
		    sizeof(*heads->p));
		if (heads->p == NULL)
			abort();
	}
	heads->p[heads->n++] = *head;
}

static void
links_walk(struct verify *v)
{
	struct arena		*whole = db_arena(v->ctl->db), *arena;
	const struct db_rows	*rows;
	struct chain_row	 row;
	int			 i;

	(void)snprintf(v->lane, sizeof(v->lane), "%s", AUDIT_START);
	do {
		arena = arena_new(BATCH_MEMORY, NULL, NULL);
		db_set_arena(v->ctl->db, arena);
		rows = audit_db_links(v->ctl->db, v->lane, v->n);
		for (i = 0; i < rows->n; i++) {
			row = (struct chain_row){ .lane = db_text(rows, i, 0),
			    .n = db_text(rows, i, 1),
			    .hash = db_text(rows, i, 2),
			    .id = db_text(rows, i, 4),
			    .at_us = db_text(rows, i, 5),
			    .tenant = db_text(rows, i, 6),
			    .actor_kind = db_text(rows, i, 7),
			    .actor = db_text(rows, i, 8),
			    .action = db_text(rows, i, 9),
			    .subject_kind = db_text(rows, i, 10),
			    .subject = db_text(rows, i, 11),
			    .detail = db_text(rows, i, 12) };
			link_check(v, arena, &row, db_number(rows, i, 1));
		}
		i = rows->n;
		arena_free(arena);
	} while (i > 0);
	db_set_arena(v->ctl->db, whole);
	pass_lane(v, NULL);
}

static void
link_check(struct verify *v, struct arena *arena,
    const struct chain_row *row, int64_t n)
{
	bool	 know_before = true;

	if (!str_eq(row->lane, v->lane)) {
		pass_lane(v, row->lane);
		(void)snprintf(v->lane, sizeof(v->lane), "%s", row->lane);
		v->n = v->anchored = 0;
		v->hash[0] = '\0';
		v->chains++;
	}
	if (n != v->n + 1) {
		fault(v, "chain %s: rows %lld to %lld are missing", v->lane,
		    (long long)v->n + 1, (long long)n - 1);
		know_before = false;
	}
	row_check(v, arena, row, know_before);
	v->rows++;
	v->n = n;
	(void)snprintf(v->hash, sizeof(v->hash), "%s", row->hash);
	pass_link(v, &v->heads, "the head of the chain");
	pass_link(v, &v->anchors, "the log");
}

/* The hash before is unknown where rows are missing: the gap was told. */
static void
row_check(struct verify *v, struct arena *arena, const struct chain_row *row,
    bool know_before)
{
	char	 lane[UUID_TEXT], hash[HASH_TEXT];

	if (row->id == NULL) {
		fault(v, "chain %s: row %s is missing", row->lane, row->n);
		return;
	}
	chain_lane(row, lane);
	if (!str_eq(lane, row->lane)) {
		fault(v, "chain %s: row %s (audit %s) belongs to another "
		    "chain", row->lane, row->n, row->id);
		return;
	}
	if (!know_before)
		return;
	chain_hash(arena, row, v->hash, hash);
	if (!str_eq(hash, row->hash))
		fault(v, "chain %s: row %s (audit %s) was changed or moved",
		    row->lane, row->n, row->id);
}

/* Compares the link that we stand at with heads or anchors at it. */
static void
pass_link(struct verify *v, struct heads *heads, const char *whose)
{
	const struct head	*head;

	for (; heads->at < heads->n; heads->at++) {
		head = &heads->p[heads->at];
		if (!str_eq(head->lane, v->lane) || head->n > v->n)
			return;
		if (heads == &v->anchors)
			v->anchored = head->n;
		if (head->n == v->n && !str_eq(head->hash, v->hash))
			fault(v, "chain %s: up to row %lld it is not what %s "
			    "says", v->lane, (long long)v->n, whose);
	}
}

/* The lane has ended; `next` is the one that follows, NULL at the end. */
static void
pass_lane(struct verify *v, const char *next)
{
	pass_heads(v, &v->heads, next, "the head of the chain");
	pass_heads(v, &v->anchors, next, "the log");
	if (v->chains > 0)
		v->unproved += v->n - v->anchored;
}

/* Heads and anchors that no link came for. */
static void
pass_heads(struct verify *v, struct heads *heads, const char *next,
    const char *whose)
{
	const struct head	*head, *last = NULL;
	int64_t			 have;

	for (; heads->at < heads->n; heads->at++) {
		head = &heads->p[heads->at];
		if (next != NULL && strcmp(head->lane, next) >= 0)
			break;
		/* The last one of each lane tells. */
		last = head;
		if (heads->at + 1 < heads->n &&
		    str_eq(head[1].lane, head->lane))
			continue;
		have = str_eq(last->lane, v->lane) ? v->n : 0;
		fault(v, "chain %s: rows %lld to %lld are missing at its end; "
		    "%s has them", last->lane, (long long)have + 1,
		    (long long)last->n, whose);
	}
}

static void
outside_check(struct verify *v)
{
	struct arena		*whole = db_arena(v->ctl->db), *arena;
	const struct db_rows	*rows;
	int64_t			 last, at;
	int			 i;

	last = audit_db_last_id(v->ctl->db);
	for (at = 0; at < last; at += OUTSIDE_SPAN) {
		arena = arena_new(BATCH_MEMORY, NULL, NULL);
		db_set_arena(v->ctl->db, arena);
		rows = audit_db_outside(v->ctl->db, at, at + OUTSIDE_SPAN);
		for (i = 0; i < rows->n; i++)
			fault(v, "audit %s stands in no chain: it was put in "
			    "behind the portal's back", db_text(rows, i, 0));
		arena_free(arena);
	}
	db_set_arena(v->ctl->db, whole);
}

static void
fault(struct verify *v, const char *fmt, ...)
{
	va_list	 ap;

	if (v->faults++ >= FAULTS_SHOWN)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

static enum ctl_exit
conclude(const struct verify *v, bool anchored)
{
	if (v->faults > FAULTS_SHOWN)
		printf("and %lld more\n",
		    (long long)v->faults - FAULTS_SHOWN);
	if (v->faults > 0)
		return (ctl_refuse("the audit was tampered with: %lld faults "
		    "in %lld rows of %lld chains", (long long)v->faults,
		    (long long)v->rows, (long long)v->chains));
	printf("%lld rows in %lld chains: none was changed, moved, put in or "
	       "taken out from between\n",
	    (long long)v->rows, (long long)v->chains);
	if (!anchored)
		printf("The end can't be proved without anchors: rows that "
		       "were taken off the end of a chain don't show. Give "
		       "the courier's log with --anchors FILE\n");
	else
		printf("%lld anchors of the log hold: nothing that they saw "
		       "was taken off an end; %lld rows came later\n",
		    (long long)v->anchors.n, (long long)v->unproved);
	return (CTL_DONE);
}
