/*
 * The exchange, and what others need to verify tokens, on Kore's event loop.
 * A coroutine asks the database; the token is signed when that has answered and
 * the request runs again, on the event loop's own stack.
 */
#include "gateway/gateway_kore.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/setting.h"
#include "base/str.h"
#include "db/pool.h"
#include "gateway/exchange.h"
#include "gateway/signers.h"
#include "run/co.h"

#define ARENA_MAX	(256u * 1024)
/* At once in a worker: each takes a coroutine and one place in the queues of the
 * database. */
#define VISITS_MAX	128u
#define MAX_AGE		"public, max-age=300"

static const struct place {
	const char	*path;
	enum place_kind { PLACE_EXCHANGE, PLACE_OAUTH, PLACE_KEYS,
		PLACE_METADATA } kind;
} places[] = {
	{ "/api/v1/auth/api-key/exchange", PLACE_EXCHANGE },
	{ "/oauth/token", PLACE_OAUTH },
	{ "/.well-known/jwks.json", PLACE_KEYS },
	{ "/.well-known/oauth-authorization-server", PLACE_METADATA },
};

struct visit {
	struct http_request	*kore;	/* NULL: hung up */
	struct arena		*arena;
	enum place_kind		 kind;
	struct exchange		 x;
	enum exchange_result	 result;
	char			 network[INET6_ADDRSTRLEN];
	int64_t			 since;		/* monotonic */
	bool			 done;
};

static unsigned		 visits_n;
static unsigned		 counted[EXCHANGE_RESULTS], took;
static struct exchange_answer out;
static char		 jwks[SIGNING_JWKS_MAX];

static int	 visit_begin(struct http_request *, enum place_kind);
static enum exchange_result visit_read(struct visit *);
static int	 visit_wait(struct visit *);
static void	 visit_run(void *);
static void	 visit_failed(void *, enum db_failure, const char *);
static void	 visit_end(struct visit *);
static void	 visit_answer(struct visit *);
static void	 visit_gone(struct http_request *);
static void	 visit_free(struct visit *);
static enum exchange_result sign(struct visit *, const char **ret_token,
		    int64_t *ret_token_s);
static void	 find_network(struct visit *);
static void	 send_keys(struct http_request *);
static void	 send_wrong_method(struct http_request *);
static void	 send_out(struct http_request *);

void
exchange_setup(void)
{
	static char	 labels[EXCHANGE_RESULTS][32];
	unsigned	 i, k;

	/* Several results are one kind, and a kind one counter. */
	for (i = 0; i < EXCHANGE_RESULTS; i++) {
		const char	*kind = exchange_kind((enum exchange_result)i);

		for (k = 0; k < i; k++)
			if (str_eq(exchange_kind((enum exchange_result)k),
			    kind))
				break;
		if (k < i) {
			counted[i] = counted[k];
			continue;
		}
		(void)snprintf(labels[i], sizeof(labels[i]),
		    "result=\"%s\"", kind);
		counted[i] = metric_new(METRIC_COUNTER,
		    "latchkey_gateway_exchanges_total",
		    "Keys that were to be exchanged for tokens, by what became "
		    "of it.", labels[i]);
	}
	took = metric_new(METRIC_HISTOGRAM,
	    "latchkey_gateway_exchange_duration_seconds",
	    "From an exchange's headers to its answer.", "");
}

bool
exchange_here(const char *path)
{
	size_t	i;

	for (i = 0; i < COUNT(places); i++)
		if (str_eq(path, places[i].path))
			return (true);
	return (false);
}

int
exchange_serve(struct http_request *kore)
{
	size_t	i;

	if (kore->hdlr_extra != NULL) {
		visit_answer(kore->hdlr_extra);
		return (KORE_RESULT_OK);
	}
	for (i = 0; !str_eq(kore->path, places[i].path); i++)
		continue;
	if (places[i].kind == PLACE_METADATA || places[i].kind == PLACE_KEYS) {
		if (kore->method != HTTP_METHOD_GET &&
		    kore->method != HTTP_METHOD_HEAD) {
			send_wrong_method(kore);
			return (KORE_RESULT_OK);
		}
		if (places[i].kind == PLACE_METADATA) {
			exchange_metadata(&out, setting->gateway_url);
			send_out(kore);
			return (KORE_RESULT_OK);
		}
		/* Nothing that was read so late: only what is told counts. */
		if (signers_good(INT64_MAX)) {
			send_keys(kore);
			return (KORE_RESULT_OK);
		}
	}
	return (visit_begin(kore, places[i].kind));
}

static int
visit_begin(struct http_request *kore, enum place_kind kind)
{
	struct visit	*v = calloc(1, sizeof(*v));

	if (v == NULL)
		abort();
	v->kore = kore;
	v->kind = kind;
	v->since = clock_monotonic();
	v->x.oauth = kind == PLACE_OAUTH;
	v->arena = arena_new(ARENA_MAX, NULL, NULL);
	kore->hdlr_extra = v;
	kore->flags |= HTTP_REQUEST_RETAIN_EXTRA;
	kore->onfree = visit_gone;
	v->result = kind == PLACE_KEYS ? EXCHANGE_DONE : visit_read(v);
	if (v->result == EXCHANGE_DONE)
		return (visit_wait(v));
	v->done = true;
	visit_answer(v);
	return (KORE_RESULT_OK);
}

static enum exchange_result
visit_read(struct visit *v)
{
	struct http_request	*kore = v->kore;
	const char		*type = NULL, *authorization = NULL;

	if (kore->method != HTTP_METHOD_POST)
		return (EXCHANGE_METHOD);
	(void)http_request_header(kore, "content-type", &type);
	(void)http_request_header(kore, "authorization", &authorization);
	find_network(v);
	return (exchange_read(&v->x, v->arena, type, authorization,
	    kore->http_body == NULL ? "" :
	    (const char *)kore->http_body->data, kore->http_body_length));
}

static int
visit_wait(struct visit *v)
{
	struct http_request	*kore = v->kore;

	if (visits_n >= VISITS_MAX || !pool_up()) {
		v->result = EXCHANGE_AWAY;
		v->done = true;
		visit_answer(v);
		return (KORE_RESULT_OK);
	}
	visits_n++;
	if (!co_start(visit_run, v)) {
		visits_n--;
		v->result = EXCHANGE_AWAY;
		v->done = true;
	}
	/* It may have failed at once. */
	if (v->done) {
		visit_answer(v);
		return (KORE_RESULT_OK);
	}
	http_request_sleep(kore);
	return (KORE_RESULT_RETRY);
}

static WAITS void
visit_run(void *arg)
{
	struct visit	*v = arg;
	struct db	*db = pool_handle(v->arena, visit_failed, v);

	if (!signers_good(v->kind == PLACE_KEYS ? v->since : INT64_MAX))
		signers_db_read(db);
	if (v->kind != PLACE_KEYS)
		v->result = exchange_db_ask(db, &v->x, v->network);
	visit_end(v);
}

static void
visit_failed(void *arg, enum db_failure failure, const char *why)
{
	struct visit	*v = arg;

	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "exchange", "why", why, NULL);
	v->result = EXCHANGE_AWAY;
	visit_end(v);
	co_exit();
}

static void
visit_end(struct visit *v)
{
	visits_n--;
	v->done = true;
	if (v->kore == NULL)
		visit_free(v);
	else
		http_request_wakeup(v->kore);
}

static void
visit_answer(struct visit *v)
{
	const char	*token = NULL;
	int64_t		 token_s = 0;

	if (v->kind == PLACE_KEYS && v->result == EXCHANGE_DONE) {
		send_keys(v->kore);
		return;
	}
	if (v->result == EXCHANGE_DONE)
		v->result = sign(v, &token, &token_s);
	if (v->kind != PLACE_KEYS) {
		metric_add(counted[v->result], 1);
		metric_observe(took, clock_monotonic() - v->since);
	}
	exchange_answer(&out, &v->x, v->result, token, token_s);
	exchange_end(&v->x);
	send_out(v->kore);
	explicit_bzero(&out, sizeof(out));
}

/* Answered, or hung up while it waited. */
static void
visit_gone(struct http_request *kore)
{
	struct visit	*v = kore->hdlr_extra;

	if (v == NULL)
		return;
	kore->hdlr_extra = NULL;
	v->kore = NULL;
	if (v->done)
		visit_free(v);
}

static void
visit_free(struct visit *v)
{
	exchange_end(&v->x);
	arena_free(v->arena);
	free(v);
}

/* No token outlives its key, nor the key that signs it. */
static enum exchange_result
sign(struct visit *v, const char **ret_token, int64_t *ret_token_s)
{
	struct jwt_claims		*c = &v->x.claims;
	int64_t				 now = clock_now(), ends_at;
	const struct signing_key	*key = signing_now(signers(), now);

	if (key == NULL) {
		log_event(LOG_LEVEL_ERROR, "signing_key_missing", "do",
		    "run latchkeyctl init", NULL);
		return (EXCHANGE_AWAY);
	}
	ends_at = now + setting->token_s * SECOND_US;
	if (v->x.ends_at != 0 && v->x.ends_at < ends_at)
		ends_at = v->x.ends_at;
	if (key->ends_at != 0 && key->ends_at < ends_at)
		ends_at = key->ends_at;
	(void)snprintf(c->issuer, sizeof(c->issuer), "%s",
	    setting->gateway_url);
	uuid_make(c->jti);
	c->issued_at = now / SECOND_US;
	c->expires_at = ends_at / SECOND_US;
	*ret_token_s = c->expires_at - c->issued_at;
	*ret_token = jwt_sign(v->arena, key->jwk, c);
	return (EXCHANGE_DONE);
}

/* As sign-in counts: an address of IPv4, a /64 of IPv6; one for all where there
 * is none. */
static void
find_network(struct visit *v)
{
	struct http_header	*header;
	const char		*forwarded = NULL;
	struct network		 ip;

	TAILQ_FOREACH(header, &v->kore->req_headers, list)
		if (str_eq_nocase(header->header, "x-forwarded-for"))
			forwarded = header->value;
	(void)snprintf(v->network, sizeof(v->network), "unix");
	if (!gateway_client(v->kore, forwarded, &ip))
		return;
	if (ip.family == AF_INET6)
		memset(ip.address + 8, 0, 8);
	(void)inet_ntop(ip.family, ip.address, v->network,
	    sizeof(v->network));
}

static void
send_keys(struct http_request *kore)
{
	signing_jwks(signers(), clock_now(), jwks);
	http_response_header(kore, "content-type",
	    "application/jwk-set+json\r\ncache-control: " MAX_AGE);
	http_response(kore, 200, jwks, strlen(jwks));
}

static void
send_wrong_method(struct http_request *kore)
{
	static const char	 body[] = "{\"type\":\"about:blank\","
	    "\"title\":\"This is for GET alone\",\"status\":405,"
	    "\"code\":\"method_not_allowed\"}\n";

	http_response_header(kore, "content-type",
	    "application/problem+json\r\nallow: GET, HEAD");
	http_response(kore, 405, body, sizeof(body) - 1);
}

/* As web/serve_kore.c: all headers as one, whose name is the first's. */
static void
send_out(struct http_request *kore)
{
	char	*colon = strchr(out.headers, ':');

	*colon = '\0';
	http_response_header(kore, out.headers, colon + 2);
	http_response(kore, out.status, out.body, strlen(out.body));
}
