/*
 * The thread in the database: events come from the audit, what was said from
 * request_note.
 */
#include "requests/thread.h"

#include <assert.h>

#include "crypto/token.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"
/* A request as the account $1 sees it. */
#define COLUMNS								\
    "r.id, r.name, pr.name, pr.slug, coalesce(p.name, ''),"		\
    " coalesce(t.name, p.client, ''), CASE WHEN r.state = 'rejected'"	\
    "   THEN r.reason ELSE '' END, coalesce(d.name, ''), r.state,"	\
    " r.account_id = $1::uuid, r.waiting_on = 'contact',"		\
    " r.state = 'approved' AND r.decided_by IS NULL, "			\
    MICROS("r.submitted_at") ", " MICROS("r.due_at") ", "		\
    "coalesce(" MICROS("r.decided_at") ", 0)"
#define JOINS								\
    "JOIN product pr ON pr.id = r.product_id"				\
    " LEFT JOIN tenant t ON t.id = r.tenant_id"				\
    " LEFT JOIN person p ON p.account_id = r.account_id"		\
    " LEFT JOIN person d ON d.account_id = r.decided_by"
/* Beyond every id that is there. */
#define FIRST	"coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"

static enum thread_kind	 kind_parse(const char *);
static struct thread_request request_read(const struct db_rows *, int);

struct thread
thread_db_read(struct db *db, const char *request_id, bool is_for_contact)
{
	struct thread		 thread;
	const struct db_rows	*rows;
	int			 i;

	/* Questions and answers stand in the audit, too, but without text; a
	 * decision's text is read with its event. */
	DB_QUERY(thread_read,
	    "SELECT x.kind, x.action, coalesce(p.name, ''), coalesce(x.text,"
	    " ''), x.is_staff, " MICROS("x.at") " FROM ("
	    "(SELECT 'event' AS kind, e.action, e.actor_id AS who,"
	    " (SELECT n.text FROM request_note n WHERE n.request_id = $1"
	    "   AND n.kind = 'decision' AND e.action = 'request.' || n.outcome"
	    "   AND (NOT $2::boolean OR n.outcome = 'rejected')) AS text,"
	    " false AS is_staff, e.at, e.id"
	    " FROM audit e WHERE e.subject_id = $1"
	    " AND e.subject_kind = 'request'"
	    " AND e.action NOT IN ('request.asked', 'request.answered',"
	    "   'request.commented')"
	    " AND (NOT $2::boolean OR e.action IN ('request.submitted',"
	    "   'request.approved', 'request.shared', 'request.rejected',"
	    "   'request.withdrawn')) ORDER BY e.id LIMIT 90) UNION ALL "
	    "(SELECT n.kind, '', n.author_id, n.text, n.side = 'staff', n.at,"
	    " n.id FROM request_note n WHERE n.request_id = $1"
	    " AND n.kind <> 'decision' ORDER BY n.id LIMIT 110)) x "
	    "LEFT JOIN person p ON p.account_id = x.who ORDER BY x.at, x.id");
	_Static_assert(THREAD_SHOWN_MAX == 90 + 110 &&
	    THREAD_NOTES_MAX <= 110, "the limits above");

	rows = db_read(db, &thread_read, DB_ARGS(request_id,
	    db_bool(is_for_contact)));
	thread.n = rows->n;
	thread.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*thread.list));
	for (i = 0; i < rows->n; i++)
		thread.list[i] = (struct thread_entry){
			.kind = kind_parse(db_text(rows, i, 0)),
			.action = db_text(rows, i, 1),
			.person = db_text(rows, i, 2),
			.text = db_text(rows, i, 3),
			.is_staff = db_truth(rows, i, 4),
			.at = db_number(rows, i, 5),
		};
	return (thread);
}

enum thread_result
thread_db_ask(struct db *db, const struct request_decision *question)
{
	const struct db_rows	*rows;

	/* Who asks has doubts, so the checks alone don't approve it. */
	DB_QUERY(thread_ask,
	    "WITH staff AS (SELECT a.id FROM account a WHERE a.id = $2::uuid"
	    "  AND a.kind = 'staff' AND a.state = 'active'"
	    "), done AS (UPDATE request r SET waiting_on = 'contact',"
	    "    auto_stopped_at = CASE WHEN r.auto_at IS NOT NULL"
	    "      THEN coalesce(r.auto_stopped_at, now()) END,"
	    "    auto_stopped_by = CASE WHEN r.auto_at IS NOT NULL"
	    "      AND r.auto_stopped_at IS NULL THEN staff.id"
	    "      ELSE r.auto_stopped_by END"
	    "  FROM staff WHERE r.id = $1::uuid AND r.state = 'submitted'"
	    "  AND r.waiting_on = 'staff' AND r.account_id <> $2::uuid"
	    "  AND $3::text <> '' AND (SELECT count(*) FROM request_note n"
	    "    WHERE n.request_id = r.id) < 100"
	    "  RETURNING r.id, r.tenant_id, r.account_id, r.name,"
	    "    r.product_id"
	    "), note AS (INSERT INTO request_note (request_id, kind, side,"
	    "    author_id, text)"
	    "  SELECT id, 'question', 'staff', $2::uuid, $3::text FROM done"
	    "  RETURNING id"
	    ") SELECT (SELECT count(*) FROM note),"
	    " audit_write(done.tenant_id, 'account', $2::uuid,"
	    "  'request.asked', 'request', done.id),"
	    " mail_queue('request_question', done.account_id, NULL,"
	    "  jsonb_build_object('request_id', done.id,"
	    "  'request_name', done.name, 'product', pr.name,"
	    "  'by', by.name, 'question', $3::text))"
	    " FROM done JOIN product pr ON pr.id = done.product_id"
	    " LEFT JOIN person by ON by.account_id = $2::uuid");
	DB_QUERY(thread_full,
	    "SELECT EXISTS (SELECT FROM request WHERE id = $1"
	    "  AND state = 'submitted' AND waiting_on = 'staff')");
	_Static_assert(THREAD_NOTES_MAX == 100, "the limit above");

	assert(*question->reason != '\0');
	rows = db_write(db, &thread_ask, DB_ARGS(question->request_id,
	    question->staff_id, question->reason));
	db_must(db, rows);
	if (rows->n == 1)
		return (THREAD_DONE);
	rows = db_read(db, &thread_full, DB_ARGS(question->request_id));
	return (db_truth(rows, 0, 0) ? THREAD_FULL : THREAD_LATE);
}

enum thread_result
thread_db_remark(struct db *db, const struct request_decision *remark)
{
	const struct db_rows	*rows;

	/* The row is held, so that nothing is said behind a decision. */
	DB_QUERY(thread_remark,
	    "WITH rq AS (SELECT r.id, r.tenant_id, r.account_id, r.name,"
	    "    r.product_id FROM request r WHERE r.id = $1::uuid"
	    "  AND r.state = 'submitted' AND r.account_id <> $2::uuid"
	    "  AND EXISTS (SELECT FROM account a WHERE a.id = $2::uuid"
	    "    AND a.kind = 'staff' AND a.state = 'active') FOR UPDATE"
	    "), note AS (INSERT INTO request_note (request_id, kind, side,"
	    "    author_id, text)"
	    "  SELECT id, 'comment', 'staff', $2::uuid, $3::text FROM rq"
	    "  WHERE $3::text <> '' AND (SELECT count(*) FROM request_note n"
	    "    WHERE n.request_id = rq.id) < 100 RETURNING id"
	    ") SELECT note.id IS NOT NULL, CASE WHEN note.id IS NOT NULL THEN"
	    "  audit_write(rq.tenant_id, 'account', $2::uuid,"
	    "  'request.commented', 'request', rq.id) END,"
	    " CASE WHEN note.id IS NOT NULL THEN mail_queue('request_comment',"
	    "  rq.account_id, NULL, jsonb_build_object('request_id', rq.id,"
	    "  'request_name', rq.name, 'product', pr.name,"
	    "  'by', by.name, 'comment', $3::text)) END"
	    " FROM rq JOIN product pr ON pr.id = rq.product_id"
	    " LEFT JOIN person by ON by.account_id = $2::uuid"
	    " LEFT JOIN note ON true");
	_Static_assert(THREAD_NOTES_MAX == 100, "the limit above");

	assert(*remark->reason != '\0');
	rows = db_write(db, &thread_remark, DB_ARGS(remark->request_id,
	    remark->staff_id, remark->reason));
	db_must(db, rows);
	if (rows->n == 0)
		return (THREAD_LATE);
	return (db_truth(rows, 0, 0) ? THREAD_DONE : THREAD_FULL);
}

enum thread_result
thread_db_say(struct db *db, const char *account_id, const char *request_id,
    const char *text)
{
	const struct db_rows	*rows;

	/* The row is locked before it is looked at: of two answers at once
	 * the second is a comment. */
	DB_QUERY(thread_say,
	    "WITH mine AS (SELECT r.id, r.state, r.waiting_on,"
	    "    (SELECT count(*) FROM request_note n"
	    "    WHERE n.request_id = r.id) < 100 AS has_room"
	    "  FROM request r JOIN account a ON a.id = $1::uuid"
	    "    AND a.kind = 'contact' AND a.state = 'active'"
	    "  WHERE r.id = $2::uuid AND (r.account_id = $1::uuid"
	    "  OR EXISTS (SELECT FROM membership m WHERE m.account_id = $1::uuid"
	    "    AND m.role = 'owner' AND m.tenant_id = r.tenant_id))"
	    "  FOR UPDATE OF r"
	    "), done AS (UPDATE request r SET waiting_on = 'staff' FROM mine"
	    "  WHERE r.id = mine.id AND r.state = 'submitted'"
	    "  AND mine.has_room AND $3::text <> ''"
	    "  RETURNING r.*, mine.waiting_on = 'contact' AS is_answer"
	    "), note AS (INSERT INTO request_note (request_id, kind, side,"
	    "    author_id, text)"
	    "  SELECT id, CASE WHEN is_answer THEN 'answer' ELSE 'comment' END,"
	    "  'contact', $1::uuid, $3::text FROM done RETURNING id"
	    "), keeper AS (SELECT k.id FROM done"
	    "  JOIN account k ON k.kind = 'staff' AND k.state = 'active'"
	    "  AND (k.id = done.assigned_to OR k.id = (SELECT n.author_id"
	    "    FROM request_note n WHERE n.request_id = done.id"
	    "    AND n.kind = 'question' ORDER BY n.id DESC LIMIT 1))"
	    "), told AS (SELECT mail_queue('request_answer', k.id, NULL,"
	    "    jsonb_build_object('request_id', done.id,"
	    "    'request_name', done.name, 'product', pr.name,"
	    "    'person', p.name, 'answer', $3::text)) AS mail"
	    "  FROM done JOIN product pr ON pr.id = done.product_id"
	    "  JOIN person p ON p.account_id = $1::uuid"
	    "  JOIN account k ON k.kind = 'staff' AND k.state = 'active'"
	    "  AND (k.id IN (SELECT id FROM keeper) OR (done.is_answer"
	    "    AND NOT EXISTS (SELECT FROM keeper)))"
	    ") SELECT mine.state = 'submitted', mine.has_room,"
	    " done.id IS NOT NULL, CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  CASE WHEN done.is_answer THEN 'request.answered'"
	    "  ELSE 'request.commented' END, 'request', done.id) END,"
	    " (SELECT count(*) FROM note), (SELECT count(mail) FROM told)"
	    " FROM mine LEFT JOIN done ON true");
	_Static_assert(THREAD_NOTES_MAX == 100, "the limit above");

	assert(*text != '\0');
	rows = db_write(db, &thread_say, DB_ARGS(account_id, request_id,
	    text));
	db_must(db, rows);
	if (rows->n == 0)
		return (THREAD_NONE);
	if (db_truth(rows, 0, 2))
		return (THREAD_DONE);
	return (db_truth(rows, 0, 0) && !db_truth(rows, 0, 1) ? THREAD_FULL :
	    THREAD_LATE);
}

struct thread_request *
thread_db_find(struct db *db, const char *account_id, const char *request_id)
{
	const struct db_rows	*rows;
	struct thread_request	*r;

	DB_QUERY(thread_find,
	    "SELECT " COLUMNS " FROM request r " JOINS
	    " WHERE r.id = $2::uuid AND (r.account_id = $1::uuid"
	    " OR EXISTS (SELECT FROM membership m WHERE m.account_id = $1::uuid"
	    "   AND m.role = 'owner' AND m.tenant_id = r.tenant_id))");

	rows = db_read(db, &thread_find, DB_ARGS(account_id, request_id));
	if (rows->n == 0)
		return (NULL);
	r = arena_alloc(db_arena(db), sizeof(*r));
	*r = request_read(rows, 0);
	return (r);
}

struct thread_requests
thread_db_list(struct db *db, const char *account_id, const char *tenant_id,
    const char *after)
{
	/* Each part begins at an index; one row more than a page tells
	 * whether there is a next one. */
	DB_QUERY(thread_list,
	    "SELECT " COLUMNS " FROM ((SELECT * FROM request"
	    " WHERE account_id = $1::uuid AND id < " FIRST
	    " ORDER BY id DESC LIMIT 51) UNION ALL (SELECT * FROM request"
	    " WHERE tenant_id = $2::uuid AND state = 'submitted'"
	    " AND account_id <> $1::uuid AND id < " FIRST
	    " ORDER BY id DESC LIMIT 51)) r " JOINS
	    " ORDER BY r.id DESC LIMIT 51");
	_Static_assert(THREAD_PAGE_ROWS == 50, "the limits are one more");
	struct thread_requests	 list = { .next_after = "" };
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &thread_list, DB_ARGS(account_id, tenant_id,
	    uuid_shaped(after) ? after : NULL));
	list.n = rows->n > THREAD_PAGE_ROWS ? THREAD_PAGE_ROWS : rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)list.n,
	    sizeof(*list.list));
	for (i = 0; i < list.n; i++)
		list.list[i] = request_read(rows, i);
	if (rows->n > list.n)
		list.next_after = list.list[list.n - 1].id;
	return (list);
}

static struct thread_request
request_read(const struct db_rows *rows, int i)
{
	return ((struct thread_request){
		.id = db_text(rows, i, 0),
		.name = db_text(rows, i, 1),
		.product = db_text(rows, i, 2),
		.product_slug = db_text(rows, i, 3),
		.person = db_text(rows, i, 4),
		.client = db_text(rows, i, 5),
		.reason = db_text(rows, i, 6),
		.decided_by = db_text(rows, i, 7),
		.state = request_state_parse(db_text(rows, i, 8)),
		.is_own = db_truth(rows, i, 9),
		.waits_on_contact = db_truth(rows, i, 10),
		.is_auto = db_truth(rows, i, 11),
		.submitted_at = db_number(rows, i, 12),
		.due_at = db_number(rows, i, 13),
		.decided_at = db_number(rows, i, 14),
	});
}

static enum thread_kind
kind_parse(const char *kind)
{
	if (str_eq(kind, "event"))
		return (THREAD_EVENT);
	if (str_eq(kind, "question"))
		return (THREAD_QUESTION);
	if (str_eq(kind, "answer"))
		return (THREAD_ANSWER);
	assert(str_eq(kind, "comment"));
	return (THREAD_COMMENT);
}
