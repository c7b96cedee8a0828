/*
 * The frame of the API: who calls, how often, what was sent, and the answers.
 */
#include "api/api_pages.h"

#include <arpa/inet.h>

#include "api/rate.h"
#include "api/replay.h"
#include "base/clock.h"
#include "base/setting.h"
#include "vault/vault.h"
#include "web/route.h"

WAITS static struct access *who(struct req *);
static void	 limit(struct req *, const char *key, int64_t every_us,
		    int64_t burst, const char *detail);
WAITS static void read_body(struct req *);
WAITS static bool claim(struct req *);
WAITS static void broke(struct req *);
WAITS static void keep(struct req *, int status, const char *body);
static void	 send_json(struct req *, int status, const char *json, size_t n);
static const char *address_of(struct req *);

void
api_setup(void)
{
	api_json_setup();
	rate_setup();
}

bool
api_admit(struct req *rq, unsigned guard)
{
	struct access	*access;
	unsigned	 missing;

	rq->api = arena_calloc(rq->arena, 1, sizeof(*rq->api));
	if ((guard & ANYONE) != 0)
		return (true);
	access = who(rq);
	rq->api->access = access;
	rq->session = access->session;
	rq->account_id = access->session->account_id;
	limit(rq, access->id, SECOND_US / API_RATE_PER_S, API_RATE_BURST,
	    "There were more than 10 calls a second with this token.");
	if (setting->production && access->session->kind != ACCOUNT_CONTACT &&
	    !access->session->has_second)
		req_problem(rq, 403, "second_factor_missing", "Staff set up a "
		    "second factor before anything else: sign in.");
	/* A scope stands for the fresh sign-in. */
	if (session_right(access->session, guard & ~(unsigned)FRESH) !=
	    SESSION_MAY)
		req_not_found(rq);
	missing = guard & SCOPE_ALL & ~access->scopes;
	if (missing != 0) {
		rq->answer->more = arena_fmt(rq->arena, "www-authenticate: "
		    "Bearer error=\"insufficient_scope\", scope=\"%s\"\r\n",
		    scope_name(missing));
		req_problem(rq, 403, "insufficient_scope", arena_fmt(rq->arena,
		    "This token lacks the scope %s.", scope_name(missing)));
	}
	if (access->is_stale)
		access_token_db_touch(rq->db, access->id, address_of(rq));
	read_body(rq);
	return (claim(rq));
}

/* 401 for everybody else.  Bad ones are counted by network, and after many they
 * are 429; who shares that network and has a good one is not held up. */
WAITS static struct access *
who(struct req *rq)
{
	const char	*sent = req_header(rq, "authorization");
	const char	*network = arena_fmt(rq->arena, "n:%s",
			    session_network(rq));
	const int64_t	 every = MINUTE_US / API_FAILURES_PER_MIN;
	const char	*token;
	struct access	*access = NULL;

	rq->answer->more = "www-authenticate: Bearer\r\n";
	if (sent == NULL)
		req_problem(rq, 401, "missing_token", "Send an access token: "
		    "Authorization: Bearer lk_...");
	if (strncasecmp(sent, "Bearer ", 7) == 0) {
		token = sent + 7 + strspn(sent + 7, " ");
		if (access_token_shaped(token))
			access = access_token_db_find(rq->db, vault, token,
			    address_of(rq));
	}
	if (access == NULL) {
		limit(rq, network, every, API_FAILURES_BURST,
		    "There were too many bad tokens from this network.");
		rq->answer->more = "www-authenticate: Bearer "
		    "error=\"invalid_token\"\r\n";
		req_problem(rq, 401, "bad_token", "This token is mistyped, "
		    "expired, revoked, or its account is not active.");
	}
	rq->answer->more = NULL;
	return (access);
}

static void
limit(struct req *rq, const char *key, int64_t every_us, int64_t burst,
    const char *detail)
{
	int64_t	wait = rate_take(key, every_us, burst, clock_monotonic());

	if (wait == 0)
		return;
	rq->answer->more = arena_fmt(rq->arena, "retry-after: %lld\r\n",
	    (long long)((wait + SECOND_US - 1) / SECOND_US));
	req_problem(rq, 429, "rate_limited", detail);
}

WAITS static void
read_body(struct req *rq)
{
	static const char	 json[] = "application/json";
	const char		*type = req_header(rq, "content-type");
	const char		*why = "It is no UTF-8.";
	size_t			 n = strlen(json);

	if (rq->body_bytes == 0)
		return;
	if (type == NULL || strncasecmp(type, json, n) != 0 ||
	    (type[n] != '\0' && type[n] != ';' && type[n] != ' '))
		req_problem(rq, 415, "content_type", "Send the body as "
		    "application/json.");
	rq->api->body = api_json_read(rq->arena, rq->body, rq->body_bytes,
	    &why);
	if (rq->api->body == NULL)
		req_problem(rq, 400, "bad_json", why);
	if (rq->api->body->type != JSON_IS_OBJECT)
		req_problem(rq, 400, "bad_json", "The body must be an "
		    "object.");
}

/* True when the call is to be done. */
WAITS static bool
claim(struct req *rq)
{
	const char	*key = req_header(rq, "idempotency-key");
	unsigned char	 hash[SHA256_BYTES];
	struct replay	 replay;
	struct buf	 b;

	if (key == NULL || rq->method != METHOD_POST)
		return (true);
	if (*key == '\0' || strlen(key) > API_KEY_MAX ||
	    !str_utf8(key, strlen(key)) || str_has_control(key))
		req_problem(rq, 400, "bad_key", "An Idempotency-Key has 1 to "
		    "255 characters.");
	/* What If-Match says is part of what is asked for. */
	buf_init(&b, rq->arena, REQ_BODY_MAX + 4 * REQ_PATH_MAX);
	buf_fmt(&b, "%s\n%s\n%s\n", method_name(rq->method), rq->path,
	    req_header(rq, "if-match") == NULL ? "" :
	    req_header(rq, "if-match"));
	if (rq->body_bytes > 0)
		buf_add(&b, rq->body, rq->body_bytes);
	if (b.full)
		req_problem(rq, 413, "too_large", NULL);
	sha256(hash, b.p, b.n);
	switch (replay_db_claim(rq->db, rq->api->access->id, key, hash,
	    &replay)) {
	case REPLAY_NEW:
		rq->api->key = key;
		rq->api->writes = db_writes(rq->db);
		rq->broke = broke;
		return (true);
	case REPLAY_DONE:
		respond_header(rq, "idempotency-replayed", "true");
		if (replay.status >= 400) {
			respond_header(rq, "cache-control", "no-store");
			respond_bytes(rq, replay.status,
			    "application/problem+json", replay.body,
			    strlen(replay.body));
			return (false);
		}
		send_json(rq, replay.status, replay.body, strlen(replay.body));
		return (false);
	case REPLAY_REVEALED:
		req_problem(rq, 409, "already_revealed", "This was done, and "
		    "its secret was shown then. It is not shown again.");
	case REPLAY_RUNNING:
		req_problem(rq, 409, "in_progress", "A call with this key is "
		    "being done, or broke and was or may have been done. "
		    "Look, before you send it under another key.");
	case REPLAY_OTHER:
		break;
	}
	req_problem(rq, 422, "key_reused", "Another call was sent with this "
	    "Idempotency-Key. Use one key a call.");
}

/* Nothing was done: the call may come again under its key. */
WAITS static void
broke(struct req *rq)
{
	if (db_writes(rq->db) == rq->api->writes)
		replay_db_free(rq->db, rq->api->access->id, rq->api->key);
}

const char *
api_nonce(struct req *rq)
{
	char	*token;

	if (rq->api->key != NULL)
		return (arena_fmt(rq->arena, "api:%s:%s",
		    rq->api->access->id, rq->api->key));
	token = arena_alloc(rq->arena, TOKEN_TEXT);
	token_make(token);
	return (token);
}

const char *
api_query(struct req *rq, const char *name)
{
	const char	*value = req_query(rq, name);

	return (value == NULL ? "" : value);
}

WAITS const char *
api_id(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (strlen(id) != UUID_TEXT - 1 || !uuid_shaped(id))
		api_not_found(rq);
	return (id);
}

WAITS const char *
api_match(struct req *rq)
{
	const char	*sent = req_header(rq, "if-match");
	size_t		 n = sent == NULL ? 0 : strlen(sent);

	if (sent == NULL)
		api_fail(rq, 428, "if_match_missing", "Send If-Match with the "
		    "ETag of what you have seen, so that nobody's change is "
		    "overwritten.");
	if (n < 2 || sent[0] != '"' || sent[n - 1] != '"')
		api_fail(rq, 412, "changed_meanwhile", "If-Match must be one "
		    "strong ETag.");
	return (arena_strndup(rq->arena, sent + 1, n - 2));
}

WAITS int64_t
api_match_version(struct req *rq)
{
	const char	*tag = api_match(rq);
	int64_t		 version;

	if (*tag != 'v' || !str_to_int(tag + 1, 1, INT32_MAX, &version))
		api_fail(rq, 412, "changed_meanwhile", "It has changed since "
		    "you read it. Read it again.");
	return (version);
}

void
api_etag(struct req *rq, const char *tag)
{
	respond_header(rq, "etag", arena_fmt(rq->arena, "\"%s\"", tag));
}

void
api_etag_version(struct req *rq, int64_t version)
{
	api_etag(rq, arena_fmt(rq->arena, "v%lld", (long long)version));
}

void
api_location(struct req *rq, const char *path)
{
	respond_header(rq, "location", arena_fmt(rq->arena, "/api/v1%s",
	    path));
}

WAITS void
api_answer(struct req *rq, int status, struct out *out)
{
	if (out->b.full)
		req_fail(rq, 500, "answer_full");
	keep(rq, status, buf_text(&out->b));
	send_json(rq, status, out->b.p, out->b.n);
}

WAITS void
api_answer_page(struct req *rq, struct out *out, const char *next)
{
	out_close(out, ']');
	out_some(out, "next", next);
	out_close(out, '}');
	api_answer(rq, 200, out);
}

WAITS void
api_answer_secret(struct req *rq, int status, struct out *out)
{
	keep(rq, status, NULL);
	send_json(rq, status, out->b.p, out->b.n);
}

WAITS void
api_done(struct req *rq)
{
	keep(rq, 204, "");
	respond_header(rq, "cache-control", "no-store");
	respond_bytes(rq, 204, NULL, NULL, 0);
}

/* The problem that is kept is the one that is sent. */
WAITS _Noreturn void
api_fail(struct req *rq, int status, const char *code, const char *detail)
{
	struct answer	 probe = *rq->answer;
	struct req	 same = *rq;

	if (rq->api->key != NULL) {
		probe.detail = detail;
		same.answer = &probe;
		respond_error(&same, status, code);
		keep(rq, status, arena_strndup(rq->arena, probe.body,
		    probe.n));
	}
	req_problem(rq, status, code, detail);
}

WAITS _Noreturn void
api_not_found(struct req *rq)
{
	api_fail(rq, 404, "not_found", NULL);
}

WAITS static void
keep(struct req *rq, int status, const char *body)
{
	if (rq->api->key != NULL)
		replay_db_end(rq->db, rq->api->access->id, rq->api->key,
		    status, body);
}

static void
send_json(struct req *rq, int status, const char *json, size_t n)
{
	respond_header(rq, "cache-control", "no-store");
	respond_bytes(rq, status, n == 0 ? NULL : "application/json", json, n);
}

/* NULL: a proxy on a Unix socket does not say for whom it asks. */
static const char *
address_of(struct req *rq)
{
	unsigned char	ip[16];

	return (inet_pton(AF_INET, rq->address, ip) == 1 ||
	    inet_pton(AF_INET6, rq->address, ip) == 1 ? rq->address : NULL);
}

WAITS const char *
api_tenant(struct req *rq)
{
	if (rq->session->tenant_id == NULL)
		api_not_found(rq);
	return (rq->session->tenant_id);
}

WAITS void
api_must_be_manager(struct req *rq)
{
	const struct session	*s = rq->session;

	(void)api_tenant(rq);
	if (s->role != MEMBER_OWNER && s->role != MEMBER_MANAGER)
		api_not_found(rq);
}
