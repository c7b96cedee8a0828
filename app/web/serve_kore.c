/*
 * The bridge between Kore and us.  Kore has one route, which calls serve():
 * the request is copied into an arena and run in a coroutine.  When the handler
 * has ended, Kore is woken and calls serve() again, which sends the answer.
 *
 * A visitor who hangs up takes Kore's request away, not ours: the coroutine
 * runs to its end and only the answer is dropped.  Kore may call onfree several
 * times for one request.
 *
 * A streamed answer (respond_stream) goes out in chunks while its coroutine
 * runs.  The coroutine waits for the network as Kore's request wakes up: Kore
 * tells by stream_sent() that a piece has gone, from the depths of its sending,
 * so that only wakes the request, and serve() resumes the coroutine.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "crypto/token.h"
#include "db/pool.h"
#include "run/co.h"
#include "web/dispatch.h"
#include "web/route.h"
#include "web/serve.h"

/* Requests at once in a worker, the orphaned ones included. */
#define VISITS_MAX	900u

struct visit {
	struct req		 rq;
	struct answer		 answer;
	struct raw_request	 raw;
	struct http_request	*kore;		/* NULL: hung up */
	int64_t			 started;	/* monotonic */
	bool			 done;

	/* Of a stream. */
	struct co		*co;		/* waits for the network */
	struct netbuf		*piece;		/* on its way; NULL: gone */
	size_t			 seen;		/* of the piece, at the last look */
	int64_t			 moved;		/* monotonic: last progress */
	bool			 begun, ended, chunked;
	TAILQ_ENTRY(visit)	 streams;
};

#define STATUSES	5u	/* 1xx to 5xx */
#define STREAM_STALL_US	(30 * SECOND_US)

static bool			 draining;
static TAILQ_HEAD(, visit)	 streams = TAILQ_HEAD_INITIALIZER(streams);
static unsigned			 streams_n;
static unsigned			 requests_first, request_took; /* metrics */

static struct visit *visit_new(struct http_request *);
static void	 visit_read(struct visit *);
static void	 visit_run(void *);
static void	 visit_done(struct visit *);
static void	 visit_send(struct visit *);
static void	 visit_gone(struct http_request *);
static void	 stream_resume(struct visit *);
static int	 stream_sent(struct netbuf *);
static void	 stream_close(struct visit *);
static unsigned	 metric_new_route(const char *pattern, const char *method);
static void	 visit_count(const struct visit *);
static void	 visit_log(const struct visit *);
static void	 arena_full(void *);
static void	 db_failed(void *, enum db_failure, const char *why);
static void	 error_page(struct connection *, int *, const char *path,
		    struct kore_buf *, const void **, size_t *);
static enum method method_of(int);

int
serve(struct http_request *kore)
{
	struct visit	*v = kore->hdlr_extra;

	if (v == NULL) {
		v = visit_new(kore);
		if (co_count() >= VISITS_MAX || !co_start(visit_run, v)) {
			respond_error(&v->rq, 503, "visits");
			v->rq.failed = "visits";
			visit_done(v);
		}
	}
	if (v->co != NULL && v->piece == NULL)
		stream_resume(v);
	if (!v->done) {
		http_request_sleep(kore);
		return (KORE_RESULT_RETRY);
	}
	if (v->begun)
		stream_close(v);
	else
		visit_send(v);
	return (KORE_RESULT_OK);
}

void
serve_setup(void)
{
	const struct route	*row;

	requests_first = metric_new_route("", "");
	for (row = routes; row->pattern != NULL; row++)
		(void)metric_new_route(row->pattern, method_name(row->method));
	request_took = metric_new(METRIC_HISTOGRAM,
	    "latchkey_http_request_duration_seconds",
	    "From a request's headers to its answer.", "");
	http_error_page = error_page;
}

void
serve_drain(void)
{
	draining = true;
}

/* A visitor who takes nothing for long loses the connection, and with it the
 * stream. */
void
serve_tick(void)
{
	int64_t		 now = clock_monotonic();
	struct visit	*v;

	TAILQ_FOREACH(v, &streams, streams) {
		if (v->piece == NULL || v->kore == NULL)
			continue;
		if (v->piece->s_off != v->seen) {
			v->seen = v->piece->s_off;
			v->moved = now;
		} else if (now - v->moved > STREAM_STALL_US &&
		    v->kore->owner != NULL) {
			kore_connection_disconnect(v->kore->owner);
		}
	}
}

_Noreturn void
req_fail(struct req *rq, int status, const char *why)
{
	struct visit	*v = rq->server;
	void		(*broke)(struct req *) = rq->broke;

	if (status >= 500 && broke != NULL) {
		rq->broke = NULL;
		broke(rq);
	}
	rq->failed = why;
	/* What has begun can only be cut off. */
	if (!v->begun)
		respond_error(rq, status, why);
	visit_done(v);
	co_exit();
}

bool
respond_stream(struct req *rq, int status, const char *type)
{
	struct visit		*v = rq->server;
	struct http_request	*kore = v->kore;
	char			*colon;

	if (streams_n >= STREAMS_MAX)
		return (false);
	/* nginx would gather the whole of it first, on disk. */
	respond_header(rq, "x-accel-buffering", "no");
	respond_bytes(rq, status, type, NULL, 0);
	v->begun = v->answer.stream = true;
	v->moved = clock_monotonic();
	TAILQ_INSERT_TAIL(&streams, v, streams);
	streams_n++;
	if (kore == NULL || kore->owner == NULL)
		return (true);
	v->chunked = (kore->flags & HTTP_VERSION_1_0) == 0;
	if (v->chunked)
		http_response_header(kore, "transfer-encoding", "chunked");
	colon = strchr(v->answer.headers.p, ':');
	*colon = '\0';
	http_response_header(kore, v->answer.headers.p, colon + 2);
	kore->flags |= HTTP_REQUEST_NO_CONTENT_LENGTH;
	/* Kore reads no further request behind an answer that closes; but it
	 * would close as soon as nothing waits to be sent, so that only the
	 * end says so again. */
	kore->owner->flags |= CONN_CLOSE_EMPTY;
	http_response(kore, status, NULL, 0);
	kore->owner->flags &= ~CONN_CLOSE_EMPTY;
	return (true);
}

bool
respond_stream_write(struct req *rq, const void *data, size_t bytes)
{
	struct visit		*v = rq->server;
	struct connection	*c;
	char			 size[24];
	union { const void *in; void *out; } piece = { data };

	if (v->kore == NULL || v->kore->owner == NULL || draining)
		return (false);
	if (bytes == 0 || rq->method == METHOD_HEAD)
		return (true);
	c = v->kore->owner;
	if (v->chunked) {
		(void)snprintf(size, sizeof(size), "%zx\r\n", bytes);
		net_send_queue(c, size, strlen(size));
	}
	/* Kore reads it only. */
	net_send_stream(c, piece.out, bytes, stream_sent, &v->piece);
	v->piece->extra = v;
	v->seen = 0;
	v->moved = clock_monotonic();
	if (v->chunked)
		net_send_queue(c, "\r\n", 2);
	if (net_send_flush(c) == KORE_RESULT_ERROR)
		kore_connection_disconnect(c);
	while (v->piece != NULL) {
		v->co = co_current();
		co_wait();
	}
	return (v->kore != NULL && v->kore->owner != NULL);
}

void
respond_stream_end(struct req *rq)
{
	struct visit	*v = rq->server;

	v->ended = true;
}

static struct visit *
visit_new(struct http_request *kore)
{
	static unsigned char	 pool[600];
	static size_t		 left;
	struct arena		*a;
	struct visit		*v;
	char			*id;

	if (left < 6) {
		random_bytes(pool, sizeof(pool));
		left = sizeof(pool);
	}
	left -= 6;
	a = arena_new(REQ_ARENA_MAX, NULL, NULL);
	v = arena_alloc(a, sizeof(*v));
	id = arena_alloc(a, 15);
	id[0] = 'r';
	id[1] = '-';
	hex_encode(id + 2, pool + left, 6);
	v->rq.arena = a;
	v->rq.id = id;
	v->rq.answer = &v->answer;
	v->rq.server = v;
	v->rq.now = clock_now();
	v->rq.method = method_of(kore->method);
	v->started = clock_monotonic();
	v->kore = kore;
	kore->hdlr_extra = v;
	kore->flags |= HTTP_REQUEST_RETAIN_EXTRA;
	kore->onfree = visit_gone;
	visit_read(v);
	return (v);
}

/* Everything is copied: Kore's request may go before ours has ended. */
static void
visit_read(struct visit *v)
{
	struct http_request	*kore = v->kore;
	struct arena		*a = v->rq.arena;
	struct http_header	*header;
	struct field		*f;
	size_t			 n = 0;
	char			*peer;

	TAILQ_FOREACH(header, &kore->req_headers, list)
		n++;
	f = arena_calloc(a, n + 1, sizeof(*f));
	v->rq.headers.list = f;
	v->rq.headers.n = n;
	TAILQ_FOREACH(header, &kore->req_headers, list) {
		f->name = arena_strdup(a, header->header);
		f->value = arena_strdup(a, header->value);
		f++;
	}
	v->rq.host = arena_strdup(a, kore->host);
	v->raw.path = arena_strdup(a, kore->path);
	if (kore->query_string != NULL)
		v->raw.query = arena_strdup(a, kore->query_string);
	if (kore->http_body != NULL) {
		v->raw.body_bytes = kore->http_body_length;
		v->raw.body = arena_strndup(a,
		    (const char *)kore->http_body->data, v->raw.body_bytes);
	}
	peer = arena_alloc(a, INET6_ADDRSTRLEN);
	switch (kore->owner->family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &kore->owner->addr.ipv4.sin_addr,
		    peer, INET6_ADDRSTRLEN);
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &kore->owner->addr.ipv6.sin6_addr,
		    peer, INET6_ADDRSTRLEN);
		break;
	default:
		peer = arena_strdup(a, "unix");
		break;
	}
	v->raw.peer = peer;
	v->rq.address = peer;
}

static void
visit_run(void *arg)
{
	struct visit	*v = arg;
	struct req	*rq = &v->rq;

	arena_set_full(rq->arena, arena_full, v);
	rq->db = pool_handle(rq->arena, db_failed, v);
	dispatch(rq, &v->raw);
	if (v->answer.status == 0)
		req_fail(rq, 500, "unanswered");
	visit_done(v);
}

/* Nothing may touch the visit afterwards but serve(). */
static void
visit_done(struct visit *v)
{
	v->done = true;
	visit_count(v);
	visit_log(v);
	if (v->begun) {
		TAILQ_REMOVE(&streams, v, streams);
		streams_n--;
	}
	if (v->kore != NULL)
		http_request_wakeup(v->kore);
	else
		arena_free(v->rq.arena);
}

/*
 * Kore takes headers one by one, each with two allocations, and joins them by
 * ": " and CRLF.  Ours are joined and checked already, so they go as one whose
 * name is the first's.
 */
static void
visit_send(struct visit *v)
{
	struct answer	*an = &v->answer;
	char		*colon;

	if (an->close || draining)
		v->kore->owner->flags |= CONN_CLOSE_EMPTY;
	colon = strchr(an->headers.p, ':');
	*colon = '\0';
	http_response_header(v->kore, an->headers.p, colon + 2);
	http_response(v->kore, an->status, an->body, an->n);
}

static void
visit_gone(struct http_request *kore)
{
	struct visit	*v = kore->hdlr_extra;

	if (v == NULL)
		return;
	kore->hdlr_extra = NULL;
	v->kore = NULL;
	if (v->done)
		arena_free(v->rq.arena);
	else if (v->co != NULL && v->piece == NULL)
		stream_resume(v);
}

static void
stream_resume(struct visit *v)
{
	struct co	*co = v->co;

	v->co = NULL;
	co_resume(co);
}

/* Kore's: the piece has gone to the network, or the connection goes.  It frees
 * the netbuf afterwards. */
static int
stream_sent(struct netbuf *piece)
{
	struct visit	*v = piece->extra;

	v->piece = NULL;
	if (v->co != NULL && v->kore != NULL)
		http_request_wakeup(v->kore);
	return (KORE_RESULT_OK);
}

/* The last chunk, if all is there; then the connection closes. */
static void
stream_close(struct visit *v)
{
	struct connection	*c = v->kore->owner;

	if (v->ended && v->chunked)
		net_send_queue(c, "0\r\n\r\n", 5);
	c->flags |= CONN_CLOSE_EMPTY;
}

/* A counter for each class of status: the first of them. */
static unsigned
metric_new_route(const char *pattern, const char *method)
{
	unsigned	 i, one, first = 0;
	char		*labels;

	for (i = 0; i < STATUSES; i++) {
		if (asprintf(&labels, "method=\"%s\",route=\"%s\",status="
		    "\"%uxx\"", method, pattern, i + 1) == -1)
			abort();
		one = metric_new(METRIC_COUNTER,
		    "latchkey_http_requests_total",
		    "Requests of the portal, by route and status.", labels);
		if (i == 0)
			first = one;
	}
	return (first);
}

static void
visit_count(const struct visit *v)
{
	unsigned	 row = v->rq.route == NULL ? 0 :
	    1 + (unsigned)(v->rq.route - routes);
	int		 status = v->answer.status / 100;

	if (status >= 1 && status <= (int)STATUSES)
		metric_add(requests_first + row * STATUSES +
		    (unsigned)status - 1, 1);
	metric_observe(request_took, clock_monotonic() - v->started);
}

static void
visit_log(const struct visit *v)
{
	const struct req	*rq = &v->rq;
	enum log_level		 level = LOG_LEVEL_INFO;

	if (v->answer.status >= 500)
		level = LOG_LEVEL_WARN;
	log_event(level, "request", "id", rq->id,
	    "method", method_name(rq->method),
	    "route", rq->route == NULL ? "" : rq->route->pattern,
	    "status", LOG_NUM(v->answer.status),
	    "us", LOG_NUM(clock_monotonic() - v->started),
	    "account", rq->account_id == NULL ? "" : rq->account_id,
	    rq->failed == NULL ? NULL : "why", rq->failed, NULL);
}

static void
arena_full(void *arg)
{
	struct visit	*v = arg;

	/* The page of the error needs memory too: the limit goes once. */
	arena_set_full(v->rq.arena, NULL, NULL);
	arena_raise(v->rq.arena, REQ_ARENA_MAX);
	req_fail(&v->rq, 503, "arena_full");
}

static void
db_failed(void *arg, enum db_failure failure, const char *why)
{
	struct visit	*v = arg;
	struct req	*rq = &v->rq;
	struct view	*view;

	switch (failure) {
	case DB_FAIL_DOWN:
	case DB_FAIL_BUSY:
		log_event(LOG_LEVEL_WARN, "db_failed", "request", rq->id,
		    "why", why, NULL);
		req_fail(rq, 503, failure == DB_FAIL_DOWN ? "db_down" :
		    "db_busy");
	case DB_FAIL_UNKNOWN:
		log_event(LOG_LEVEL_ERROR, "db_unknown", "request", rq->id,
		    "why", why, NULL);
		rq->broke = NULL;
		if (v->begun || v->answer.is_api)
			req_fail(rq, 503, "db_unknown");
		view = view_new(rq->arena);
		view_text(view, "what", "it was saved");
		view_bool(view, "to_queue", str_starts(rq->path, "/staff"));
		view_bool(view, "to_profile",
		    !str_starts(rq->path, "/staff"));
		memset(&v->answer, 0, sizeof(v->answer));
		respond_header(rq, "retry-after", "2");
		respond_page(rq, 503, "errors/unknown", view);
		rq->failed = "db_unknown";
		visit_done(v);
		co_exit();
	case DB_FAIL_BUG:
		log_event(LOG_LEVEL_ERROR, "db_bug", "request", rq->id,
		    "why", why, NULL);
		req_fail(rq, 500, "db_bug");
	}
	abort();
}

static void
error_page(struct connection *c, int *status, const char *path,
    struct kore_buf *headers, const void **d, size_t *len)
{
	bool	is_api = path != NULL && str_starts(path, "/api/");

	(void)c;
	*d = respond_static_error(*status, is_api, len);
	kore_buf_appendf(headers, "content-type: %s\r\n"
	    "cache-control: no-store\r\n%s", is_api ?
	    "application/problem+json" : "text/html; charset=utf-8",
	    respond_security_headers());
}

static enum method
method_of(int kore)
{
	switch (kore) {
	case HTTP_METHOD_GET:
		return (METHOD_GET);
	case HTTP_METHOD_HEAD:
		return (METHOD_HEAD);
	case HTTP_METHOD_POST:
		return (METHOD_POST);
	case HTTP_METHOD_PUT:
		return (METHOD_PUT);
	case HTTP_METHOD_DELETE:
		return (METHOD_DELETE);
	case HTTP_METHOD_OPTIONS:
		return (METHOD_OPTIONS);
	case HTTP_METHOD_PATCH:
		return (METHOD_PATCH);
	default:
		return (METHOD_OTHER);
	}
}
