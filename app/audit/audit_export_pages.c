/*
 * The export: batches of rows, each in memory of its own, written as they
 * come.  A batch goes when the one before has reached the network, so the
 * visitor's speed is ours, and a million rows take no more memory than 500.
 *
 * CSV is RFC 4180, with one thing more: a cell that a spreadsheet would take
 * for a formula gets an apostrophe in front (OWASP, CSV injection).
 */
#include "audit/audit_pages.h"

#include "base/clock.h"
#include "sessions/session.h"
#include "web/respond.h"

/* 500 rows of some 600 bytes, three times: the answer of the database, the
 * columns, the text; and an ample rest. */
#define BATCH_MEMORY	(16u * 1024 * 1024)
#define PIECE_MAX	(4u * 1024 * 1024)

#define CSV_HEAD	"at,id,client,actor_kind,actor_id,actor,action,"	\
			"words,subject_kind,subject_id,detail\r\n"

struct batch {
	struct arena		*arena;		/* freed with the request, at
						 * the latest */
	struct audit_filter	 filter;
	struct audit_place	 place;		/* where the next one begins */
	char			 id[24];	/* of it */
	bool			 csv, more;
};

WAITS static void export(struct req *, const char *name);
WAITS static bool export_batch(struct req *, struct batch *);
static void	 batch_free(void *);
static void	 batch_full(void *);
static void	 csv_row(struct buf *, struct req *,
		    const struct audit_entry *);
static void	 csv_cell(struct buf *, const char *);
static void	 json_row(struct buf *, struct req *,
		    const struct audit_entry *);
static void	 json_field(struct buf *, const char *name, const char *);
static const char *known_id(struct req *, const struct audit_entry *);

void
audit_page_export(struct req *rq)
{
	export(rq, "audit");
}

void
audit_page_export_staff(struct req *rq)
{
	export(rq, "audit-all");
}

WAITS static void
export(struct req *rq, const char *name)
{
	const char	*format = req_query(rq, "format");
	struct view	*view = view_new(rq->arena);
	struct batch	*batch = arena_alloc(rq->arena, sizeof(*batch));

	batch->filter = audit_filter_read(rq, view);
	if (form_has_errors(view) || format == NULL ||
	    (!str_eq(format, "csv") && !str_eq(format, "jsonl")))
		req_not_found(rq);
	batch->csv = str_eq(format, "csv");
	arena_at_end(rq->arena, batch_free, batch);
	respond_header(rq, "cache-control", "no-store");
	respond_header(rq, "content-disposition", arena_fmt(rq->arena,
	    "attachment; filename=\"%s-%.10s.%s\"", name,
	    clock_iso(rq->arena, rq->now), format));
	if (!respond_stream(rq, 200, batch->csv ? "text/csv; charset=utf-8" :
	    "application/x-ndjson"))
		req_fail(rq, 503, "streams");
	if (batch->csv && !respond_stream_write(rq, CSV_HEAD,
	    strlen(CSV_HEAD)))
		return;
	batch->more = rq->method != METHOD_HEAD;
	while (batch->more)
		if (!export_batch(rq, batch))
			return;
	respond_stream_end(rq);
}

/* False when nobody reads on. */
WAITS static bool
export_batch(struct req *rq, struct batch *batch)
{
	struct audit_entries	 e;
	struct audit_entry	*last;
	struct buf		 out;
	bool			 reads;
	int			 i;

	batch->arena = arena_new(BATCH_MEMORY, batch_full, rq);
	db_set_arena(rq->db, batch->arena);
	e = audit_db_batch(rq->db, &batch->filter, &batch->place);
	db_set_arena(rq->db, rq->arena);
	buf_init(&out, batch->arena, PIECE_MAX);
	for (i = 0; i < e.n; i++) {
		if (batch->csv)
			csv_row(&out, rq, &e.list[i]);
		else
			json_row(&out, rq, &e.list[i]);
	}
	if (out.full)
		batch_full(rq);
	if (e.n > 0) {
		last = &e.list[e.n - 1];
		(void)snprintf(batch->id, sizeof(batch->id), "%s", last->id);
		batch->place = (struct audit_place){ last->at, batch->id };
	}
	batch->more = e.more;
	reads = respond_stream_write(rq, out.p, out.n);
	batch_free(batch);
	return (reads);
}

static void
batch_free(void *arg)
{
	struct batch	*batch = arg;

	arena_free(batch->arena);
	batch->arena = NULL;
}

static void
batch_full(void *rq)
{
	req_fail(rq, 503, "batch_full");
}

static void
csv_row(struct buf *b, struct req *rq, const struct audit_entry *e)
{
	char		 at[CLOCK_STAMP];
	const char	*cells[11];
	size_t		 i;

	clock_stamp(at, e->at);
	cells[0] = at;
	cells[1] = e->id;
	cells[2] = e->tenant_code;
	cells[3] = e->actor_kind;
	cells[4] = known_id(rq, e);
	cells[5] = audit_actor(rq, e);
	cells[6] = e->action;
	cells[7] = audit_words(e->action);
	cells[8] = e->subject_kind;
	cells[9] = e->subject_id;
	cells[10] = e->detail;
	for (i = 0; i < COUNT(cells); i++) {
		if (i > 0)
			buf_chr(b, ',');
		csv_cell(b, cells[i]);
	}
	buf_str(b, "\r\n");
}

/* The first characters are those that Excel, LibreOffice and Google Sheets
 * begin a formula with, wide forms included. */
static void
csv_cell(struct buf *b, const char *text)
{
	static const char	*const starts[] = { "=", "+", "-", "@", "\t",
		"\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20" };
	size_t			 i;

	buf_chr(b, '"');
	for (i = 0; i < COUNT(starts); i++)
		if (str_starts(text, starts[i])) {
			buf_chr(b, '\'');
			break;
		}
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_chr(b, '"');
		buf_chr(b, *text);
	}
	buf_chr(b, '"');
}

static void
json_row(struct buf *b, struct req *rq, const struct audit_entry *e)
{
	char	 at[CLOCK_STAMP];

	clock_stamp(at, e->at);
	buf_str(b, "{\"at\":\"");
	buf_str(b, at);
	buf_fmt(b, "\",\"id\":%s", e->id);
	json_field(b, "client", e->tenant_code);
	json_field(b, "actor_kind", e->actor_kind);
	json_field(b, "actor_id", known_id(rq, e));
	json_field(b, "actor", audit_actor(rq, e));
	json_field(b, "action", e->action);
	json_field(b, "words", audit_words(e->action));
	json_field(b, "subject_kind", e->subject_kind);
	json_field(b, "subject_id", e->subject_id);
	buf_str(b, ",\"detail\":");
	buf_str(b, e->detail);
	buf_str(b, "}\n");
}

static void
json_field(struct buf *b, const char *name, const char *value)
{
	buf_fmt(b, ",\"%s\":", name);
	if (*value == '\0') {
		buf_str(b, "null");
		return;
	}
	buf_chr(b, '"');
	buf_json(b, value);
	buf_chr(b, '"');
}

/* Owners learn that staff did it, not who of them. */
static const char *
known_id(struct req *rq, const struct audit_entry *e)
{
	return (e->by_staff && rq->session->kind == ACCOUNT_CONTACT ? "" :
	    e->actor_id);
}
