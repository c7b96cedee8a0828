/*
 * The check on Kore's event loop: from the request to the answer.  What a check
 * may have to wait for is in wait_kore.c.
 */
#include "gateway/gateway_kore.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/setting.h"
#include "base/str.h"
#include "db/pool.h"
#include "gateway/answer.h"
#include "gateway/meter.h"
#include "gateway/redis.h"
#include "gateway/verify.h"
#include "gateway/wait.h"
#include "gateway/watch.h"

#define GATEWAY_SECRET	256u
#define VERIFY		"/v1/verify"

struct caller {			/* whose address is asked for */
	struct http_request	*kore;
	const struct call	*call;
};

static char		 secret[GATEWAY_SECRET];
static struct networks	 proxies;
static struct verify	 verify;
static struct answer_style	 style;
static struct gateway_answer	 out;
/* The portal's page for what Kore answers itself; its type is Kore's own. */
static __typeof__(http_error_page) portal_error;

/* Kore finds it by its name. */
int		gateway_serve(struct http_request *);

static bool	 read_line(struct http_request *, struct call *, char *target,
		    const char **ret_method);
static bool	 read_verify(struct http_request *, struct call *);
static bool	 known_gateway(const struct call *);
static void	 send_metrics(struct http_request *);
static bool	 may_watch(struct http_request *);
static void	 elsewhere(const char *path);
static void	 count_failure(struct http_request *, struct check *);
static void	 count_call(struct http_request *, const struct check *);
static void	 address_of(void *, struct meter_cell *);
static void	 send_out(struct http_request *);
static void	 error_answer(struct connection *, int *status,
		    const char *path, struct kore_buf *, const void **,
		    size_t *);
static bool	 asked_by_nginx(const struct connection *, const char *path);
static void	 read_secret(void);

void
gateway_setup(void)
{
	if (setting->gateway_secret_file != NULL)
		read_secret();
	/* Looked at by dispatch_setup() already. */
	if (!networks_parse(setting->trusted_proxies, &proxies))
		abort();
	if (!setting->gateway)
		return;
	style = (struct answer_style){ .apim = setting->gateway_apim,
	    .x_ratelimit = setting->gateway_x_ratelimit };
	limit_setup((uint32_t)setting->gateway_limits);
	meter_setup((uint32_t)setting->gateway_usage);
	watch_setup();
	exchange_setup();
	portal_error = http_error_page;
	http_error_page = error_answer;
}

void
gateway_start(void)
{
	static const struct pool_ear	 ear = { "latchkey_gateway",
	    gateway_told, watch_hears, watch_deaf };

	if (!setting->gateway)
		return;
	cache_setup((uint32_t)setting->gateway_cache);
	pool_set_ear(&ear);
	if (setting->redis)
		redis_setup();
}

void
gateway_turn(void)
{
	if (setting->gateway && setting->redis)
		redis_turn();
}

int
gateway_serve(struct http_request *kore)
{
	static char		 target[PERMISSION_TARGET_MAX + 1];
	struct http_header	*header;
	struct call		 call;
	struct check		 check = { .call = &call };
	const char		*method;
	bool			 verifies = strcmp(kore->path, VERIFY) == 0;

	if (strcmp(kore->path, "/metrics") == 0) {
		send_metrics(kore);
		return (KORE_RESULT_OK);
	}
	if (exchange_here(kore->path))
		return (exchange_serve(kore));
	if (verifies) {
		call_begin(&call, CALL_PLAIN);
		method = NULL;
	} else if (!read_line(kore, &call, target, &method)) {
		elsewhere(kore->path);
		send_out(kore);
		return (KORE_RESULT_OK);
	}
	TAILQ_FOREACH(header, &kore->req_headers, list)
		if (!verifies || str_eq_nocase(header->header,
		    "x-latchkey-secret"))
			call_header(&call, header->header, header->value);
	if (!known_gateway(&call)) {
		check.verdict = VERDICT_WRONG_SECRET;
		check.since = clock_monotonic();
		watch_check(&check, false);
		if (verifies)
			answer_verify(&out, &check);
		else
			answer_check(&out, &check, &style);
		send_out(kore);
		return (KORE_RESULT_OK);
	}
	if (verifies && !read_verify(kore, &call)) {
		send_out(kore);
		return (KORE_RESULT_OK);
	}
	check.read = call_read(&call, method, target);
	if (!wait_run(kore, &check)) {
		call_end(&call);
		verify_end(&verify);
		return (KORE_RESULT_RETRY);
	}
	if (check.verdict == VERDICT_UNKNOWN_KEY ||
	    check.verdict == VERDICT_BAD_TOKEN ||
	    check.verdict == VERDICT_BAD_API_USER ||
	    check.verdict == VERDICT_WRONG_TENANT)
		count_failure(kore, &check);
	count_call(kore, &check);
	watch_check(&check, wait_was_read(kore));
	if (verifies)
		answer_verify(&out, &check);
	else
		answer_check(&out, &check, &style);
	send_out(kore);
	call_end(&call);
	verify_end(&verify);
	return (KORE_RESULT_OK);
}

bool
gateway_client(struct http_request *kore, const char *forwarded,
    struct network *ret_address)
{
	char		 peer[INET6_ADDRSTRLEN] = "unix";
	const void	*from = NULL;

	if (kore->owner->family == AF_INET)
		from = &kore->owner->addr.ipv4.sin_addr;
	else if (kore->owner->family == AF_INET6)
		from = &kore->owner->addr.ipv6.sin6_addr;
	if (from != NULL)
		(void)inet_ntop(kore->owner->family, from, peer, sizeof(peer));
	return (client_find(&proxies, peer, forwarded, ret_address));
}

/* False: no address of ours. */
static bool
read_line(struct http_request *kore, struct call *call, char *target,
    const char **ret_method)
{
	static const char	 envoy[] = "/check/envoy";
	const char		*path = kore->path;
	int			 n;

	*ret_method = http_method_text(kore->method);
	target[0] = '\0';
	if (strcmp(path, "/check") == 0) {
		call_begin(call, CALL_PLAIN);
		return (true);
	}
	if (strcmp(path, "/check/nginx") == 0) {
		call_begin(call, CALL_NGINX);
		return (true);
	}
	if (strncmp(path, envoy, sizeof(envoy) - 1) != 0 ||
	    path[sizeof(envoy) - 1] != '/')
		return (false);
	call_begin(call, CALL_LINE);
	n = snprintf(target, PERMISSION_TARGET_MAX + 1, "%s%s%s",
	    path + sizeof(envoy) - 1, kore->query_string != NULL ? "?" : "",
	    kore->query_string != NULL ? kore->query_string : "");
	/* Cut off it would be another call. */
	if (n < 0 || n > PERMISSION_TARGET_MAX)
		call->twice = true;
	return (true);
}

/* False: it is answered. */
static bool
read_verify(struct http_request *kore, struct call *call)
{
	const char	*body = kore->http_body == NULL ? "" :
	    (const char *)kore->http_body->data;
	const char	*wrong, *type = NULL;

	if (kore->method != HTTP_METHOD_POST) {
		answer_problem(&out, 405, "method_not_allowed",
		    "This is for POST alone", "A key is in no address.");
		return (false);
	}
	if (!http_request_header(kore, "content-type", &type) ||
	    strncasecmp(type, "application/json", 16) != 0) {
		answer_problem(&out, 415, "unsupported_media_type",
		    "This takes JSON alone",
		    "Content-Type must be application/json.");
		return (false);
	}
	wrong = verify_read(&verify, body, kore->http_body_length);
	if (wrong != NULL) {
		verify_end(&verify);
		answer_problem(&out, 400, "bad_request",
		    "The request can't be read", wrong);
		return (false);
	}
	verify_call(&verify, call);
	return (true);
}

static bool
known_gateway(const struct call *call)
{
	if (secret[0] == '\0')
		return (true);
	return (call->secret != NULL && !call->twice &&
	    token_eq(call->secret, secret));
}

static void
send_metrics(struct http_request *kore)
{
	static char	 text[WATCH_TEXT_MAX];
	struct buf	 b;

	if (!may_watch(kore)) {
		answer_problem(&out, 403, "not_permitted",
		    "This is not for you", "Metrics are for this machine, or "
		    "with LATCHKEY_GATEWAY_SECRET_FILE for who has the secret, "
		    "as a Bearer token.");
		send_out(kore);
		return;
	}
	buf_fixed(&b, text, sizeof(text));
	metric_write(&b);
	http_response_header(kore, "content-type",
	    "text/plain; version=0.0.4; charset=utf-8\r\n"
	    "cache-control: no-store");
	http_response(kore, 200, text, b.n);
}

/* Whoever knows the gateways' secret; where there is none, who is on this
 * machine. */
static bool
may_watch(struct http_request *kore)
{
	const char	*given = NULL;
	in_addr_t	 v4;

	if (secret[0] != '\0') {
		if (http_request_header(kore, "x-latchkey-secret", &given))
			return (token_eq(given, secret));
		return (http_request_header(kore, "authorization", &given) &&
		    strncasecmp(given, "Bearer ", 7) == 0 &&
		    token_eq(given + 7, secret));
	}
	if (kore->owner->family == AF_INET6)
		return (IN6_IS_ADDR_LOOPBACK(
		    &kore->owner->addr.ipv6.sin6_addr));
	v4 = ntohl(kore->owner->addr.ipv4.sin_addr.s_addr);
	return (kore->owner->family != AF_INET || v4 >> 24 == IN_LOOPBACKNET);
}

static void
elsewhere(const char *path)
{
	if (strcmp(path, "/livez") == 0)
		answer_text(&out, "ok\n");
	else
		answer_problem(&out, 404, "not_found", "There is nothing here",
		    "A gateway asks /check, /check/nginx or "
		    "/check/envoy/..., a program POST /v1/verify.");
}

/* By address, or by the /64 of an IPv6 one, which one has whole.  Where there
 * is none, behind a Unix socket without X-Forwarded-For, all are one. */
static void
count_failure(struct http_request *kore, struct check *check)
{
	unsigned char	 network[LIMIT_ID] = { 0 };
	struct network	 ip;

	if (gateway_client(kore, check->call->forwarded_for, &ip))
		memcpy(network, ip.address, ip.family == AF_INET ? 4 : 8);
	check_failure(check, network, (uint32_t)setting->gateway_failures);
}

static void
count_call(struct http_request *kore, const struct check *check)
{
	struct meter_cell	 cell = { .outcome = (uint8_t)check->verdict };
	struct caller		 who = { kore, check->call };

	if (check->key != NULL) {
		memcpy(cell.key, check->key->id, METER_ID);
		memcpy(cell.subscription, check->key->subscription, METER_ID);
		cell.has_quota = check->key->product->plan.day != 0 ||
		    check->key->product->plan.month != 0;
	}
	if (check->user != NULL)
		memcpy(cell.user, check->user->id, METER_ID);
	meter_add(&cell, check->facts.now, address_of, &who);
}

static void
address_of(void *arg, struct meter_cell *cell)
{
	const struct caller	*who = arg;
	struct network		 ip;

	if (!gateway_client(who->kore, who->call->forwarded_for, &ip))
		return;
	cell->family = (uint8_t)ip.family;
	memcpy(cell->address, ip.address, METER_ADDRESS);
}

/* As web/serve_kore.c: all headers as one, whose name is the first's. */
static void
send_out(struct http_request *kore)
{
	char	*colon = strchr(out.headers, ':');

	*colon = '\0';
	http_response_header(kore, out.headers, colon + 2);
	http_response(kore, out.status, out.body_bytes > 0 ? out.body : NULL,
	    out.body_bytes);
}

/* What Kore refuses by itself: on this listener as all that is denied here. */
static void
error_answer(struct connection *c, int *status, const char *path,
    struct kore_buf *headers, const void **body, size_t *body_bytes)
{
	static const struct answer_style	 problem;

	if (strcmp(c->owner->server->name, "gateway") != 0) {
		portal_error(c, status, path, headers, body, body_bytes);
		return;
	}
	answer_error(&out, *status, asked_by_nginx(c, path),
	    path != NULL && strcmp(path, VERIFY) == 0 ? &problem : &style);
	*status = out.status;
	kore_buf_append(headers, out.headers, out.headers_bytes);
	kore_buf_append(headers, "\r\n", 2);
	*body = out.body;
	*body_bytes = out.body_bytes;
}

/* path NULL: the headers are all that came, and Kore may have cut the first
 * line where its spaces are. */
static bool
asked_by_nginx(const struct connection *c, const char *path)
{
	static const char	 line[] = "GET /check/nginx ";
	const struct netbuf	*in = c->rnb;
	size_t			 i;

	if (path != NULL)
		return (strcmp(path, "/check/nginx") == 0);
	if (in == NULL || in->buf == NULL || in->s_off < sizeof(line) - 1)
		return (false);
	for (i = 0; i < sizeof(line) - 1; i++) {
		if (in->buf[i] != (unsigned char)line[i] &&
		    (in->buf[i] != '\0' || line[i] != ' '))
			return (false);
	}
	return (true);
}

static void
read_secret(void)
{
	FILE	*f = fopen(setting->gateway_secret_file, "re");
	size_t	 n = 0;

	if (f != NULL) {
		n = fread(secret, 1, sizeof(secret) - 1, f);
		(void)fclose(f);
	}
	while (n > 0 && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
		n--;
	secret[n] = '\0';
	if (n < 16 || strlen(secret) != n) {
		(void)fprintf(stderr, "latchkey: LATCHKEY_GATEWAY_SECRET_FILE: "
		    "%s must be a file that this user can read, with one line "
		    "of 16 to %u characters\n", setting->gateway_secret_file,
		    GATEWAY_SECRET - 1);
		exit(2);
	}
}
