/*
 * The check on Kore's event loop.  A hit is answered where it is read.  What
 * the cache does not know is read by one coroutine for all who wait for it;
 * they sleep in Kore and run their check again when it ends.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "db/pool.h"
#include "gateway/gateway.h"
#include "gateway/meter.h"
#include "gateway/ratelimit.h"
#include "run/co.h"
#include "web/address.h"

/* Reads at once in a worker, and a call's own turns: key, user, and one more
 * for what went in between. */
#define READS_MAX	256u
#define TURNS_MAX	4u
#define READ_ARENA_MAX	(512u * 1024)	/* a set's text has 1.7 MB at most in
					 * theory, some kB in fact */
#define SECRET_MAX	256u
/* Registered for draft-ietf-httpapi-ratelimit-headers; rates are quotas, too. */
#define PROBLEM_QUOTA	"https://iana.org/assignments/http-problem-types#quota-exceeded"
#define OUT_MAX		8192u

struct visit {			/* one that waits */
	struct http_request	*kore;
	struct read		*read;		/* NULL: it has ended */
	struct visit		*next;
	int64_t			 since;
	unsigned		 turns;
	bool			 unreadable;
};

struct read {			/* what they wait for */
	struct read		*next;
	struct arena		*arena;
	struct visit		*visits;
	enum check_need		 kind;
	unsigned char		 mac[SHA256_BYTES];
	struct user_key		 user_key;
	bool			 failed;
};

struct caller {			/* whose address is asked for */
	struct http_request	*kore;
	const struct call	*call;
};

struct out {
	char	 text[OUT_MAX];
	size_t	 n;
};

static struct read	*reads;
static unsigned		 reads_n;
static char		 secret[SECRET_MAX];
static struct networks	 proxies;
static struct out	 out;

/* Kore finds it by its name. */
int		gateway_serve(struct http_request *);

static bool	 read_line(struct http_request *, struct call *, char *target,
		    const char **ret_method);
static bool	 known_gateway(const struct call *);
static void	 answer(struct http_request *, const struct check *);
static void	 allow(struct http_request *, const struct check *);
static void	 deny(struct http_request *, const struct check *);
static void	 add_limits(const struct limits *);
static void	 count_failure(struct http_request *, struct check *);
static void	 count_call(struct http_request *, const struct check *);
static void	 address_of(void *, struct meter_cell *);
static bool	 client_of(struct http_request *, const struct call *,
		    struct network *);
static void	 not_found(struct http_request *);
static bool	 wait_for_read(struct http_request *, struct visit *,
		    const struct check *);
static struct read *read_of(const struct check *);
static void	 read_run(void *);
static void	 read_failed(void *, enum db_failure, const char *);
static void	 read_end(struct read *);
static void	 visit_gone(struct http_request *);
static void	 add(const char *name, const char *value, size_t);
static void	 add_text(const char *name, const char *value);
static void	 send_out(struct http_request *, int status, const void *,
		    size_t);
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
	limit_setup((uint32_t)setting->gateway_limits);
	meter_setup((uint32_t)setting->gateway_usage);
}

void
gateway_start(void)
{
	static const struct pool_ear	 ear = { "latchkey_gateway",
	    cache_told, cache_hears, cache_deaf };

	if (!setting->gateway)
		return;
	cache_setup((uint32_t)setting->gateway_cache);
	pool_set_ear(&ear);
}

int
gateway_serve(struct http_request *kore)
{
	struct visit		*v = kore->hdlr_extra;
	static char		 target[PERMISSION_TARGET_MAX + 1];
	struct http_header	*header;
	struct call		 call;
	struct check		 check = { .call = &call };
	const char		*method;

	if (!read_line(kore, &call, target, &method)) {
		not_found(kore);
		return (KORE_RESULT_OK);
	}
	TAILQ_FOREACH(header, &kore->req_headers, list)
		call_header(&call, header->header, header->value);
	if (!known_gateway(&call)) {
		check.verdict = VERDICT_WRONG_SECRET;
		deny(kore, &check);
		return (KORE_RESULT_OK);
	}
	check.read = call_read(&call, method, target);
	check.since = v != NULL ? v->since : clock_monotonic();
	check.unreadable = v != NULL && v->unreadable;
	check_run(&check, clock_now(), setting->grace_s * SECOND_US);
	if (check.need != CHECK_DONE && wait_for_read(kore, v, &check)) {
		call_end(&call);
		return (KORE_RESULT_RETRY);
	}
	if (check.need != CHECK_DONE) {
		/* It can't be read: what is known may do. */
		check.unreadable = true;
		check_run(&check, clock_now(),
		    setting->grace_s * SECOND_US);
	}
	if (check.verdict == VERDICT_UNKNOWN_KEY ||
	    check.verdict == VERDICT_BAD_API_USER)
		count_failure(kore, &check);
	count_call(kore, &check);
	answer(kore, &check);
	call_end(&call);
	return (KORE_RESULT_OK);
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

static bool
known_gateway(const struct call *call)
{
	if (secret[0] == '\0')
		return (true);
	return (call->secret != NULL && !call->twice &&
	    token_eq(call->secret, secret));
}

static void
answer(struct http_request *kore, const struct check *check)
{
	if (check->verdict == VERDICT_ALLOWED)
		allow(kore, check);
	else
		deny(kore, check);
}

static void
allow(struct http_request *kore, const struct check *check)
{
	char	 id[UUID_TEXT], name[CACHE_NAME];
	int	 n;

	uuid_write(id, check->key->subscription);
	add_text("x-latchkey-tenant", check->key->code);
	add("x-latchkey-subscription", id, UUID_TEXT - 1);
	add_text("x-latchkey-product", check->key->product->slug);
	if (check->user != NULL) {
		n = snprintf(name, sizeof(name), "%s@%s", check->user->name,
		    check->key->code);
		add("x-latchkey-api-user", name, (size_t)n);
	}
	add("x-latchkey-accounts", check->scope, check->scope_bytes);
	add_limits(&check->limits);
	add_text("cache-control", "no-store");
	send_out(kore, 200, NULL, 0);
}

/* nginx lets nothing but 2xx, 401 and 403 through and no body, so it gets the
 * status that is meant, and the body, in headers. */
static void
deny(struct http_request *kore, const struct check *check)
{
	const struct denial	*d = verdict_denial(check->verdict);
	bool			 nginx = check->call->way == CALL_NGINX;
	char			 body[1024], full[RATELIMIT_MAX], number[16];
	int			 n;

	full[0] = '\0';
	if (d->status == 429)
		(void)ratelimit_full(full, &check->limits);
	n = snprintf(body, sizeof(body), "{\"type\":\"%s\","
	    "\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\","
	    "\"code\":\"%s\"%s%s%s}", d->status == 429 ? PROBLEM_QUOTA :
	    "about:blank", d->title, d->status, d->detail, d->code,
	    full[0] != '\0' ? ",\"violated-policies\":[" : "", full,
	    full[0] != '\0' ? "]" : "");
	(void)snprintf(number, sizeof(number), "%d", d->status);
	add_text("content-type", "application/problem+json");
	add_text("cache-control", "no-store");
	add_text("x-latchkey-status", number);
	add_text("x-latchkey-code", d->code);
	if (nginx)
		add_text("x-latchkey-problem", body);
	if (d->status == 401)
		add_text("www-authenticate",
		    "Basic realm=\"API user\", charset=\"UTF-8\"");
	if (d->status == 503)
		add_text("retry-after", "2");
	if (d->status == 429) {
		(void)snprintf(number, sizeof(number), "%u",
		    check->limits.retry_s);
		add_text("retry-after", number);
		add_limits(&check->limits);
	}
	send_out(kore, nginx && d->status != 401 && d->status != 503 ? 403 :
	    d->status, body, (size_t)n);
}

static void
add_limits(const struct limits *limits)
{
	const struct limit_row	*row = ratelimit_nearest(limits);
	char			 text[RATELIMIT_MAX];
	size_t			 n;

	if (row == NULL)
		return;
	n = ratelimit_policy(text, limits);
	add("ratelimit-policy", text, n);
	n = ratelimit_state(text, limits);
	add("ratelimit", text, n);
	if (!setting->gateway_x_ratelimit)
		return;
	(void)snprintf(text, sizeof(text), "%u", row->quota);
	add_text("x-ratelimit-limit", text);
	(void)snprintf(text, sizeof(text), "%u", row->left);
	add_text("x-ratelimit-remaining", text);
	(void)snprintf(text, sizeof(text), "%u", row->reset_s);
	add_text("x-ratelimit-reset", text);
}

/* By address, or by the /64 of an IPv6 one, which one has whole.  Where there
 * is none, behind a Unix socket without X-Forwarded-For, all are one. */
static void
count_failure(struct http_request *kore, struct check *check)
{
	unsigned char	 network[LIMIT_ID] = { 0 };
	struct network	 ip;

	if (client_of(kore, check->call, &ip))
		memcpy(network, ip.address, ip.family == AF_INET ? 4 : 8);
	check_failure(check, network, (uint32_t)setting->gateway_failures);
}

static void
count_call(struct http_request *kore, const struct check *check)
{
	struct meter_cell	 cell = { .outcome = (uint8_t)check->verdict };
	struct caller		 who = { kore, check->call };

	if (check->key != NULL)
		memcpy(cell.key, check->key->id, METER_ID);
	if (check->user != NULL)
		memcpy(cell.user, check->user->id, METER_ID);
	meter_add(&cell, check->facts.now, address_of, &who);
}

static void
address_of(void *arg, struct meter_cell *cell)
{
	const struct caller	*who = arg;
	struct network		 ip;

	if (!client_of(who->kore, who->call, &ip))
		return;
	cell->family = (uint8_t)ip.family;
	memcpy(cell->address, ip.address, METER_ADDRESS);
}

static bool
client_of(struct http_request *kore, const struct call *call,
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
	return (client_find(&proxies, peer, call->forwarded_for,
	    ret_address));
}

static void
not_found(struct http_request *kore)
{
	static const char	 body[] = "{\"type\":\"about:blank\","
	    "\"title\":\"There is nothing here\",\"status\":404,\"detail\":"
	    "\"A gateway asks /check, /check/nginx or /check/envoy/...\","
	    "\"code\":\"not_found\"}\n";

	if (strcmp(kore->path, "/livez") == 0) {
		add_text("content-type", "text/plain; charset=utf-8");
		send_out(kore, 200, "ok\n", 3);
		return;
	}
	add_text("content-type", "application/problem+json");
	send_out(kore, 404, body, sizeof(body) - 1);
}

/* False: it is not to be waited for. */
static bool
wait_for_read(struct http_request *kore, struct visit *v,
    const struct check *check)
{
	struct read	*r;

	if (v != NULL && ++v->turns > TURNS_MAX)
		return (false);
	r = read_of(check);
	if (r == NULL)
		return (false);
	if (v == NULL) {
		v = calloc(1, sizeof(*v));
		if (v == NULL)
			abort();
		v->kore = kore;
		v->since = check->since;
		kore->hdlr_extra = v;
		kore->flags |= HTTP_REQUEST_RETAIN_EXTRA;
		kore->onfree = visit_gone;
	}
	v->read = r;
	v->next = r->visits;
	r->visits = v;
	http_request_sleep(kore);
	return (true);
}

/* The one under way, or a new one; NULL: there can't be one. */
static struct read *
read_of(const struct check *check)
{
	struct read	*r;

	for (r = reads; r != NULL; r = r->next)
		if (r->kind == check->need && (r->kind == CHECK_KEY ?
		    bytes_eq(r->mac, check->mac, sizeof(r->mac)) :
		    bytes_eq(&r->user_key, &check->user_key,
		    sizeof(r->user_key))))
			return (r);
	if (reads_n >= READS_MAX || !pool_up())
		return (NULL);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->kind = check->need;
	memcpy(r->mac, check->mac, sizeof(r->mac));
	r->user_key = check->user_key;
	r->arena = arena_new(READ_ARENA_MAX, NULL, NULL);
	r->next = reads;
	reads = r;
	reads_n++;
	if (!co_start(read_run, r)) {
		reads = r->next;
		reads_n--;
		arena_free(r->arena);
		free(r);
		return (NULL);
	}
	/* It may have failed at once. */
	return (reads == r ? r : NULL);
}

static WAITS void
read_run(void *arg)
{
	struct read	*r = arg;
	struct db	*db = pool_handle(r->arena, read_failed, r);

	if (r->kind == CHECK_KEY)
		gateway_db_key(db, r->mac);
	else
		gateway_db_user(db, &r->user_key);
	read_end(r);
}

static void
read_failed(void *arg, enum db_failure failure, const char *why)
{
	struct read	*r = arg;

	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "gateway_read", "why", why, NULL);
	r->failed = true;
	read_end(r);
	co_exit();
}

static void
read_end(struct read *r)
{
	struct read	**link = &reads;
	struct visit	 *v, *next;

	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	reads_n--;
	for (v = r->visits; v != NULL; v = next) {
		next = v->next;
		v->read = NULL;
		v->next = NULL;
		v->unreadable = r->failed;
		http_request_wakeup(v->kore);
	}
	arena_free(r->arena);
	free(r);
}

/* Answered, or hung up while it waited. */
static void
visit_gone(struct http_request *kore)
{
	struct visit	 *v = kore->hdlr_extra;
	struct visit	**link;

	if (v == NULL)
		return;
	kore->hdlr_extra = NULL;
	if (v->read != NULL) {
		for (link = &v->read->visits; *link != v;
		    link = &(*link)->next)
			continue;
		*link = v->next;
	}
	free(v);
}

static void
add(const char *name, const char *value, size_t n)
{
	size_t	 length = strlen(name);

	/* A scope of 5250 bytes and the others, each of a known maximum. */
	if (out.n + length + n + 4 >= sizeof(out.text))
		abort();
	if (out.n > 0) {
		memcpy(out.text + out.n, "\r\n", 2);
		out.n += 2;
	}
	memcpy(out.text + out.n, name, length);
	out.n += length;
	memcpy(out.text + out.n, ": ", 2);
	out.n += 2;
	memcpy(out.text + out.n, value, n);
	out.n += n;
	out.text[out.n] = '\0';
}

static void
add_text(const char *name, const char *value)
{
	add(name, value, strlen(value));
}

/* As web/serve_kore.c: all headers as one, whose name is the first's. */
static void
send_out(struct http_request *kore, int status, const void *body, size_t n)
{
	char	*colon = strchr(out.text, ':');

	*colon = '\0';
	http_response_header(kore, out.text, colon + 2);
	http_response(kore, status, body, n);
	out.n = 0;
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
		    SECRET_MAX - 1);
		exit(2);
	}
}
