/*
 * See answer.h.
 */
#include "gateway/answer.h"

#include <assert.h>

#include "base/str.h"
#include "gateway/ratelimit.h"

/* Registered for draft-ietf-httpapi-ratelimit-headers; rates are quotas, too. */
#define PROBLEM_QUOTA	"https://iana.org/assignments/http-problem-types#quota-exceeded"
#define KEY		"ApiKey realm=\"API key\""
/* RFC 6750 section 3.1 */
#define BEARER_BAD	"Bearer error=\"invalid_token\""
#define BEARER_OVER	BEARER_BAD ", error_description=\"expired\""
#define BASIC		"Basic realm=\"API user\", charset=\"UTF-8\""
#define AZURE_KEY	"AzureApiManagementKey realm=\"/\","		\
			"name=\"Ocp-Apim-Subscription-Key\",type=\"header\""
#define SCOPES_MAX	1024u	/* bytes of what the API is told */
#define RETRY_AWAY_S	2u	/* 503 */

static void	 denial_begin(struct gateway_answer *, struct buf *body,
		    int status, const char *code, bool by_nginx,
		    const struct answer_style *);
static const struct denial *error_denial(int status);
static void	 begin(struct gateway_answer *, struct buf *body, int status);
static void	 finish(struct gateway_answer *, const struct buf *body);
static void	 allow(struct gateway_answer *, const struct check *,
		    const struct answer_style *);
static void	 deny(struct gateway_answer *, const struct check *,
		    const struct answer_style *);
static const char *challenge(const struct check *, bool apim);
static void	 problem_body(struct buf *, const struct check *,
		    const struct denial *);
static int	 apim_body(struct buf *, const struct check *,
		    const struct denial *);
static void	 add_issued(struct gateway_answer *, const struct check *);
static void	 verify_issued(struct buf *, const struct check *);
static size_t	 words_fitting(const char *);
static void	 apim_words(struct buf *, int status, const struct denial *);
static void	 add_limits(struct gateway_answer *, const struct limits *,
		    const struct answer_style *);
static void	 user_name(char name[CACHE_NAME], const struct check *);
static void	 verify_limits(struct buf *, const struct limits *);
static void	 add(struct gateway_answer *, const char *name,
		    const char *value, size_t);
static void	 add_text(struct gateway_answer *, const char *name,
		    const char *value);
static void	 add_number(struct gateway_answer *, const char *name,
		    uint32_t);

void
answer_check(struct gateway_answer *out, const struct check *check,
    const struct answer_style *style)
{
	if (check->verdict == VERDICT_ALLOWED)
		allow(out, check, style);
	else
		deny(out, check, style);
}

void
answer_verify(struct gateway_answer *out, const struct check *check)
{
	bool			 allowed = check->verdict == VERDICT_ALLOWED;
	struct denial		 d;
	struct buf		 b;
	char			 id[UUID_TEXT], name[CACHE_NAME];
	char			 detail[DENIAL_DETAIL];

	if (check->verdict == VERDICT_UNAVAILABLE ||
	    check->verdict == VERDICT_WRONG_SECRET) {
		deny(out, check, &(struct answer_style){ false, false });
		return;
	}
	begin(out, &b, 200);
	if (allowed) {
		uuid_write(id, check->key->subscription);
		buf_fmt(&b, "{\"allowed\":true,\"code\":\"allowed\","
		    "\"status\":200,\"tenant\":\"%s\",\"subscription\":"
		    "\"%s\",\"product\":\"%s\",\"api_user\":", check->key->code,
		    id, check->key->product->slug);
		if (check->user != NULL) {
			user_name(name, check);
			buf_fmt(&b, "\"%s\"", name);
		} else {
			buf_str(&b, "null");
		}
		buf_fmt(&b, ",\"accounts\":\"%.*s\"", (int)check->scope_bytes,
		    check->scope);
		verify_issued(&b, check);
	} else {
		d = check_denial(check, detail);
		buf_fmt(&b, "{\"allowed\":false,\"code\":\"%s\",\"status\":%d,"
		    "\"title\":\"%s\",\"detail\":\"%s\"", d.code, d.status,
		    d.title, d.detail);
		if (d.status == 429)
			buf_fmt(&b, ",\"retry_after_s\":%u",
			    check->limits.retry_s);
	}
	verify_limits(&b, &check->limits);
	buf_str(&b, "}\n");
	add_text(out, "content-type", "application/json");
	add_text(out, "cache-control", "no-store");
	finish(out, &b);
}

void
answer_problem(struct gateway_answer *out, int status, const char *code,
    const char *title, const char *detail)
{
	struct buf	 b;

	begin(out, &b, status);
	buf_fmt(&b, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
	    "\"detail\":\"%s\",\"code\":\"%s\"}\n", title, status, detail,
	    code);
	add_text(out, "content-type", "application/problem+json");
	add_text(out, "cache-control", "no-store");
	if (status == 405)
		add_text(out, "allow", "POST");
	finish(out, &b);
}

void
answer_error(struct gateway_answer *out, int status, bool by_nginx,
    const struct answer_style *style)
{
	const struct denial	*d = error_denial(status);
	struct buf		 b;

	begin(out, &b, 0);
	if (style->apim)
		apim_words(&b, status, d);
	else
		buf_fmt(&b, "{\"type\":\"about:blank\",\"title\":\"%s\","
		    "\"status\":%d,\"detail\":\"%s\",\"code\":\"%s\"}",
		    d->title, status, d->detail, d->code);
	denial_begin(out, &b, status, d->code, by_nginx, style);
	if (status == 503)
		add_number(out, "retry-after", RETRY_AWAY_S);
	finish(out, &b);
}

void
answer_text(struct gateway_answer *out, const char *text)
{
	struct buf	 b;

	begin(out, &b, 200);
	buf_str(&b, text);
	add_text(out, "content-type", "text/plain; charset=utf-8");
	add_text(out, "cache-control", "no-store");
	finish(out, &b);
}

static void
begin(struct gateway_answer *out, struct buf *body, int status)
{
	out->status = status;
	out->headers_bytes = 0;
	buf_fixed(body, out->body, sizeof(out->body));
}

static void
finish(struct gateway_answer *out, const struct buf *body)
{
	assert(!body->full);
	out->body_bytes = body->n;
}

static void
allow(struct gateway_answer *out, const struct check *check,
    const struct answer_style *style)
{
	struct buf	 b;
	char		 id[UUID_TEXT], name[CACHE_NAME];

	begin(out, &b, 200);
	uuid_write(id, check->key->subscription);
	add_text(out, "x-latchkey-tenant", check->key->code);
	add(out, "x-latchkey-subscription", id, UUID_TEXT - 1);
	add_text(out, "x-latchkey-product", check->key->product->slug);
	if (check->user != NULL) {
		user_name(name, check);
		add_text(out, "x-latchkey-api-user", name);
	}
	add(out, "x-latchkey-accounts", check->scope, check->scope_bytes);
	add_text(out, "x-latchkey-environment",
	    check->key->product->environment);
	if (check->key->issued != NULL)
		add_issued(out, check);
	add_limits(out, &check->limits, style);
	add_text(out, "cache-control", "no-store");
	finish(out, &b);
}

static void
deny(struct gateway_answer *out, const struct check *check,
    const struct answer_style *style)
{
	struct denial	 d;
	struct buf	 b;
	char		 detail[DENIAL_DETAIL];
	int		 status;

	begin(out, &b, 0);
	d = check_denial(check, detail);
	status = d.status;
	if (style->apim)
		status = apim_body(&b, check, &d);
	else
		problem_body(&b, check, &d);
	denial_begin(out, &b, status, d.code, check->call != NULL &&
	    check->call->way == CALL_NGINX, style);
	if (status == 401)
		add_text(out, "www-authenticate", challenge(check,
		    style->apim));
	if (d.status == 503)
		add_number(out, "retry-after", RETRY_AWAY_S);
	if (d.status == 429) {
		add_number(out, "retry-after", check->limits.retry_s);
		add_limits(out, &check->limits, style);
	}
	finish(out, &b);
}

/* A 401 must have one (RFC 9110, section 11.6.1).  Keys in headers have no
 * registered scheme. */
static const char *
challenge(const struct check *check, bool apim)
{
	if (check->verdict == VERDICT_BAD_TOKEN ||
	    check->verdict == VERDICT_TOKEN_EXPIRED)
		return (check->verdict == VERDICT_BAD_TOKEN ? BEARER_BAD :
		    BEARER_OVER);
	if (check->verdict == VERDICT_MISSING_TENANT ||
	    (check->keyway != NULL && !check->keyway->is_pair))
		return (KEY);
	return (apim && check->verdict != VERDICT_MISSING_API_USER &&
	    check->verdict != VERDICT_BAD_API_USER ? AZURE_KEY : BASIC);
}

/* The body is written by now: nginx has it in a header. */
static void
denial_begin(struct gateway_answer *out, struct buf *body, int status,
    const char *code, bool by_nginx, const struct answer_style *style)
{
	out->status = by_nginx && status != 401 && status != 503 ? 403 :
	    status;
	add_text(out, "content-type", style->apim ? "application/json" :
	    "application/problem+json");
	add_text(out, "cache-control", "no-store");
	add_number(out, "x-latchkey-status", (uint32_t)status);
	add_text(out, "x-latchkey-code", code);
	if (by_nginx)
		add(out, "x-latchkey-problem", body->p, body->n);
}

/* What Kore refuses by itself. */
static const struct denial *
error_denial(int status)
{
	static const struct denial rows[] = {
		{ 400, "bad_request", "The request can't be read",
		    "Something in it is not as HTTP has it." },
		{ 408, "too_slow", "The request came too slowly",
		    "Headers and body must each be there within 20 seconds." },
		{ 413, "too_large", "The request is too large",
		    "A body has 64 kB at most, and a check needs none." },
		{ 414, "address_too_long", "The address is too long",
		    "No call that can be checked has one of this length." },
		{ 431, "headers_too_large", "The headers are too large",
		    "They have 16 kB and 98 lines at most." },
		{ 503, "unavailable", "The key can't be checked right now",
		    "Try again in a few seconds." },
		{ 0, "not_served", "The request can't be served",
		    "Nothing was decided." },
	};
	size_t	 i = 0;

	while (rows[i].status != status && rows[i].status != 0)
		i++;
	return (&rows[i]);
}

static void
problem_body(struct buf *b, const struct check *check, const struct denial *d)
{
	char	 full[RATELIMIT_MAX];

	full[0] = '\0';
	if (d->status == 429)
		(void)ratelimit_full(full, &check->limits);
	buf_fmt(b, "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,"
	    "\"detail\":\"%s\",\"code\":\"%s\"%s%s%s}", d->status == 429 ?
	    PROBLEM_QUOTA : "about:blank", d->title, d->status, d->detail,
	    d->code, full[0] != '\0' ? ",\"violated-policies\":[" : "", full,
	    full[0] != '\0' ? "]" : "");
}

/* The status. */
static int
apim_body(struct buf *b, const struct check *check, const struct denial *d)
{
	uint32_t	 s = check->limits.retry_s;
	int		 status = d->status;

	/* Azure knows pairs alone. */
	if (check->keyway != NULL && !check->keyway->is_pair) {
		apim_words(b, status, d);
		return (status);
	}
	switch (check->verdict) {
	case VERDICT_MISSING_KEY:
		buf_fmt(b, "{ \"statusCode\": 401, \"message\": \"Access denied "
		    "due to missing subscription key. Make sure to include "
		    "subscription key when making requests to an API.\" }");
		break;
	case VERDICT_UNKNOWN_KEY:
	case VERDICT_SUSPENDED:
	case VERDICT_EXPIRED:
	case VERDICT_CANCELLED:
		status = 401;
		buf_fmt(b, "{ \"statusCode\": 401, \"message\": \"Access denied "
		    "due to invalid subscription key. Make sure to provide a "
		    "valid key for an active subscription.\" }");
		break;
	case VERDICT_RATE_LIMITED:
		buf_fmt(b, "{ \"statusCode\": 429, \"message\": \"Rate limit is "
		    "exceeded. Try again in %u seconds.\" }", s);
		break;
	case VERDICT_QUOTA_EXCEEDED:
		/* A TimeSpan: days are there only where there are some. */
		status = 403;
		buf_fmt(b, "{ \"statusCode\": 403, \"message\": \"Out of call "
		    "volume quota. Quota will be replenished in ");
		if (s >= 86400)
			buf_fmt(b, "%u.", s / 86400);
		buf_fmt(b, "%02u:%02u:%02u.\" }", s / 3600 % 24, s / 60 % 60,
		    s % 60);
		break;
	case VERDICT_ALLOWED:
	case VERDICT_MISSING_API_USER:
	case VERDICT_BAD_API_USER:
	case VERDICT_API_USER_DISABLED:
	case VERDICT_NOT_PERMITTED:
	case VERDICT_UNAVAILABLE:
	case VERDICT_WRONG_SECRET:
	case VERDICT_BAD_TOKEN:
	case VERDICT_TOKEN_EXPIRED:
	case VERDICT_MISSING_TENANT:
	case VERDICT_WRONG_TENANT:
	case VERDICT_KEY_PENDING:
	case VERDICT_KEY_INACTIVE:
	case VERDICT_KEY_REVOKED:
	case VERDICT_KEY_EXPIRED:
	case VERDICT_WRONG_ENVIRONMENT:
		apim_words(b, status, d);
		break;
	}
	return (status);
}

/* Where Azure has none of its own. */
static void
apim_words(struct buf *b, int status, const struct denial *d)
{
	buf_fmt(b, "{ \"statusCode\": %d, \"message\": \"%s. %s\" }", status,
	    d->title, d->detail);
}

static void
add_limits(struct gateway_answer *out, const struct limits *limits,
    const struct answer_style *style)
{
	const struct limit_row	*row = ratelimit_nearest(limits);
	char			 text[RATELIMIT_MAX];
	size_t			 n;

	if (row == NULL)
		return;
	n = ratelimit_policy(text, limits);
	add(out, "ratelimit-policy", text, n);
	n = ratelimit_state(text, limits);
	add(out, "ratelimit", text, n);
	if (!style->x_ratelimit)
		return;
	add_number(out, "x-ratelimit-limit", row->quota);
	add_number(out, "x-ratelimit-remaining", row->left);
	add_number(out, "x-ratelimit-reset", row->reset_s);
}

static void
user_name(char name[CACHE_NAME], const struct check *check)
{
	size_t	 n = strlen(check->user->name);

	memcpy(name, check->user->name, n);
	name[n++] = '@';
	memcpy(name + n, check->key->code, strlen(check->key->code) + 1);
}

static void
add_issued(struct gateway_answer *out, const struct check *check)
{
	const struct issued_key	*i = check->key->issued;
	char			 id[UUID_TEXT];

	uuid_write(id, i->id);
	add(out, "x-latchkey-key", id, UUID_TEXT - 1);
	add(out, "x-latchkey-scopes", i->words, words_fitting(i->words));
}

static void
verify_issued(struct buf *b, const struct check *check)
{
	const struct issued_key	*i = check->key->issued;
	char			 id[UUID_TEXT];

	buf_fmt(b, ",\"environment\":\"%s\"",
	    check->key->product->environment);
	if (i == NULL)
		return;
	uuid_write(id, i->id);
	buf_fmt(b, ",\"key\":\"%s\",\"scopes\":\"%.*s\"", id,
	    (int)words_fitting(i->words), i->words);
}

/* As many as are within SCOPES_MAX: an API that goes by them refuses rather than
 * allows for want of the others. */
static size_t
words_fitting(const char *words)
{
	size_t	 n = strlen(words);

	if (n <= SCOPES_MAX)
		return (n);
	for (n = SCOPES_MAX; n > 0 && words[n] != ' '; n--)
		continue;
	return (n);
}

static void
verify_limits(struct buf *b, const struct limits *limits)
{
	const struct limit_row	*row;
	unsigned		 i;

	buf_str(b, ",\"limits\":[");
	for (i = 0; i < limits->n; i++) {
		row = &limits->rows[i];
		buf_fmt(b, "%s{\"name\":\"%s\",\"quota\":%u,\"window_s\":%u,"
		    "\"left\":%u,\"reset_s\":%u}", i > 0 ? "," : "", row->name,
		    row->quota, row->window_s, row->left, row->reset_s);
	}
	buf_chr(b, ']');
}

static void
add(struct gateway_answer *out, const char *name, const char *value, size_t n)
{
	size_t	 length = strlen(name), at = out->headers_bytes;

	/* A scope of 5250 bytes and the others, each of a known maximum. */
	if (at + length + n + 5 > sizeof(out->headers))
		abort();
	if (at > 0) {
		memcpy(out->headers + at, "\r\n", 2);
		at += 2;
	}
	memcpy(out->headers + at, name, length);
	at += length;
	memcpy(out->headers + at, ": ", 2);
	at += 2;
	memcpy(out->headers + at, value, n);
	at += n;
	out->headers[at] = '\0';
	out->headers_bytes = at;
}

static void
add_text(struct gateway_answer *out, const char *name, const char *value)
{
	add(out, name, value, strlen(value));
}

static void
add_number(struct gateway_answer *out, const char *name, uint32_t number)
{
	char	 text[16];
	int	 n = snprintf(text, sizeof(text), "%u", number);

	add(out, name, text, (size_t)n);
}
