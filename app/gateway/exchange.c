/*
 * See exchange.h.
 */
#include "gateway/exchange.h"

#include <assert.h>
#include <jansson.h>

#include "base/str.h"
#include "web/form.h"

#define FORM	"application/x-www-form-urlencoded"

/* What is said of a result: by RFC 9457, and by RFC 6749 section 5.2. */
struct refusal {
	int		 status;
	const char	*code, *title, *detail, *error, *kind;
};

static bool	 is_type(const char *, const char *wanted);
static enum exchange_result read_json(struct exchange *, const char *, size_t);
static enum exchange_result read_form(struct exchange *, struct arena *,
		    const char *authorization, const char *, size_t);
static bool	 read_basic(struct exchange *, struct arena *, const char *);
static bool	 take_credentials(struct exchange *, const char *client,
		    const char *secret);
static void	 take_scope(struct exchange *, const char *);
static const struct refusal *refusal_of(enum exchange_result);
static void	 refuse(struct exchange_answer *, const struct exchange *,
		    enum exchange_result);

enum exchange_result
exchange_read(struct exchange *x, struct arena *a, const char *type,
    const char *authorization, const char *body, size_t bytes)
{
	if (!is_type(type, x->oauth ? FORM : "application/json"))
		return (EXCHANGE_TYPE);
	if (bytes > EXCHANGE_BODY_MAX)
		return (EXCHANGE_LARGE);
	return (x->oauth ? read_form(x, a, authorization, body, bytes) :
	    read_json(x, body, bytes));
}

void
exchange_end(struct exchange *x)
{
	explicit_bzero(x->key, sizeof(x->key));
}

void
exchange_answer(struct exchange_answer *out, const struct exchange *x,
    enum exchange_result result, const char *token, int64_t token_s)
{
	struct buf	 b;

	if (result != EXCHANGE_DONE) {
		refuse(out, x, result);
		return;
	}
	out->status = 200;
	buf_fixed(&b, out->body, sizeof(out->body));
	if (x->oauth) {
		buf_fmt(&b, "{\"access_token\":\"%s\",\"token_type\":"
		    "\"Bearer\",\"expires_in\":%lld", token,
		    (long long)token_s);
		/* Words of [a-z0-9:._-]. */
		if (x->claims.scope[0] != '\0')
			buf_fmt(&b, ",\"scope\":\"%s\"", x->claims.scope);
		buf_str(&b, "}\n");
	} else {
		buf_fmt(&b, "{\"data\":{\"token\":\"%s\"}}\n", token);
	}
	assert(!b.full);
	(void)snprintf(out->headers, sizeof(out->headers),
	    "content-type: application/json\r\ncache-control: no-store\r\n"
	    "pragma: no-cache");
}

void
exchange_metadata(struct exchange_answer *out, const char *issuer)
{
	struct buf	 b;

	out->status = 200;
	buf_fixed(&b, out->body, sizeof(out->body));
	buf_fmt(&b, "{\"issuer\":\"%s\",\"token_endpoint\":\"%s/oauth/token\","
	    "\"jwks_uri\":\"%s/.well-known/jwks.json\","
	    "\"response_types_supported\":[],"
	    "\"grant_types_supported\":[\"client_credentials\"],"
	    "\"token_endpoint_auth_methods_supported\":"
	    "[\"client_secret_basic\",\"client_secret_post\"]}\n", issuer,
	    issuer, issuer);
	assert(!b.full);
	(void)snprintf(out->headers, sizeof(out->headers),
	    "content-type: application/json\r\n"
	    "cache-control: public, max-age=300");
}

const char *
exchange_kind(enum exchange_result result)
{
	return (result == EXCHANGE_DONE ? "issued" :
	    refusal_of(result)->kind);
}

static bool
is_type(const char *type, const char *wanted)
{
	size_t	n = strlen(wanted);

	return (type != NULL && strncasecmp(type, wanted, n) == 0 &&
	    (type[n] == '\0' || type[n] == ';' || type[n] == ' '));
}

static enum exchange_result
read_json(struct exchange *x, const char *body, size_t bytes)
{
	json_error_t	 error;
	json_t		*root, *key;
	size_t		 n;
	bool		 good = false;

	/* Nothing in it is nested, and a parser would go down into it. */
	if (bytes < 2 || memchr(body, '[', bytes) != NULL ||
	    memchr(body, '{', bytes) != memrchr(body, '{', bytes))
		return (EXCHANGE_UNREADABLE);
	root = json_loadb(body, bytes, JSON_REJECT_DUPLICATES, &error);
	key = json_object_get(root, "apiKey");
	n = json_string_length(key);
	if (json_is_string(key) && n > 0) {
		good = true;
		/* Longer than any: as wrong as another. */
		if (n < sizeof(x->key))
			memcpy(x->key, json_string_value(key), n + 1);
	}
	json_decref(root);
	return (good ? EXCHANGE_DONE : EXCHANGE_UNREADABLE);
}

static enum exchange_result
read_form(struct exchange *x, struct arena *a, const char *authorization,
    const char *body, size_t bytes)
{
	static const char *const names[] = { "grant_type", "scope",
		"client_id", "client_secret" };
	const char	*values[COUNT(names)] = { NULL };
	struct fields	 form;
	size_t		 i, k;

	if (form_parse(a, body, bytes, &form) != FORM_OK)
		return (EXCHANGE_UNREADABLE);
	for (i = 0; i < form.n; i++) {
		for (k = 0; k < COUNT(names); k++) {
			if (!str_eq(form.list[i].name, names[k]))
				continue;
			/* Section 3.2: each once; empty is left out. */
			if (values[k] != NULL)
				return (EXCHANGE_UNREADABLE);
			if (form.list[i].value[0] != '\0')
				values[k] = form.list[i].value;
		}
	}
	if (values[0] == NULL)
		return (EXCHANGE_UNREADABLE);
	take_scope(x, values[1]);
	if (!str_eq(values[0], "client_credentials"))
		return (EXCHANGE_GRANT);
	/* Section 2.3: one way to say who one is. */
	if (authorization != NULL) {
		x->basic = true;
		return (values[3] == NULL && read_basic(x, a, authorization) &&
		    (values[2] == NULL || str_eq(values[2], x->client)) ?
		    EXCHANGE_DONE : EXCHANGE_UNREADABLE);
	}
	return (take_credentials(x, values[2], values[3]) ? EXCHANGE_DONE :
	    EXCHANGE_UNREADABLE);
}

/* RFC 7617, with both halves encoded as a form's (RFC 6749 section 2.3.1). */
static bool
read_basic(struct exchange *x, struct arena *a, const char *authorization)
{
	char		*text;
	size_t		 n, max = strlen(authorization);
	struct fields	 form;
	char		*colon;

	if (strncasecmp(authorization, "Basic ", 6) != 0)
		return (false);
	text = arena_alloc(a, max + 1);
	authorization += 6;
	authorization += strspn(authorization, " ");
	if (!base64_decode(text, max, authorization, &n))
		return (false);
	text[n] = '\0';
	colon = strchr(text, ':');
	if (colon == NULL || strlen(text) != n)
		return (false);
	*colon = '\0';
	text = arena_fmt(a, "u=%s&p=%s", text, colon + 1);
	return (form_parse(a, text, strlen(text), &form) == FORM_OK &&
	    form.n == 2 && take_credentials(x, form.list[0].value,
	    form.list[1].value));
}

static bool
take_credentials(struct exchange *x, const char *client, const char *secret)
{
	if (client == NULL || secret == NULL || secret[0] == '\0')
		return (false);
	if (strlen(secret) < sizeof(x->key))
		(void)snprintf(x->key, sizeof(x->key), "%s", secret);
	if (uuid_shaped(client))
		(void)snprintf(x->client, sizeof(x->client), "%s", client);
	return (true);
}

/* Section 3.3.  What no word of ours has in it names none of ours. */
static void
take_scope(struct exchange *x, const char *scope)
{
	static const char	 set[] = "abcdefghijklmnopqrstuvwxyz"
				    "0123456789:._- ";

	if (scope == NULL)
		return;
	(void)snprintf(x->scope, sizeof(x->scope), "%s",
	    strlen(scope) <= JWT_SCOPE_MAX &&
	    scope[strspn(scope, set)] == '\0' ? scope : "?");
}

static const struct refusal *
refusal_of(enum exchange_result result)
{
	static const struct refusal	refusals[EXCHANGE_RESULTS] = {
		[EXCHANGE_METHOD] = { 405, "method_not_allowed",
		    "This is for POST alone", "A key is in no address.",
		    "invalid_request", "bad_request" },
		[EXCHANGE_TYPE] = { 415, "unsupported_media_type",
		    "This takes another content type",
		    "Send application/json for the exchange, " FORM
		    " for /oauth/token.", "invalid_request", "bad_request" },
		[EXCHANGE_LARGE] = { 413, "too_large",
		    "The request is too large",
		    "It may have 4096 bytes.", "invalid_request",
		    "bad_request" },
		[EXCHANGE_UNREADABLE] = { 400, "bad_request",
		    "The request can't be read",
		    "It must be a JSON object with apiKey, a text; for "
		    "/oauth/token a form with grant_type, and the key's id and "
		    "key by Basic authentication or as client_id and "
		    "client_secret.", "invalid_request", "bad_request" },
		[EXCHANGE_GRANT] = { 400, "unsupported_grant_type",
		    "This grant is unknown",
		    "grant_type must be client_credentials.",
		    "unsupported_grant_type", "bad_request" },
		[EXCHANGE_UNKNOWN] = { 401, "unknown_key",
		    "The key is not valid",
		    "It may have been replaced: compare its first characters "
		    "with the list in the portal.", "invalid_client",
		    "refused" },
		[EXCHANGE_TOO_MANY] = { 429, "rate_limited",
		    "Too many wrong keys",
		    "Retry-After says when the next one is looked at.",
		    "temporarily_unavailable", "throttled" },
		[EXCHANGE_REVOKED] = { 401, "key_revoked",
		    "The key was revoked", "Make a new one in the portal.",
		    "invalid_client", "refused" },
		[EXCHANGE_INACTIVE] = { 403, "key_inactive",
		    "The key is deactivated",
		    "It can be activated again in the portal.",
		    "invalid_client", "refused" },
		[EXCHANGE_KEY_EXPIRED] = { 401, "key_expired",
		    "The key has expired", "Make a new one in the portal.",
		    "invalid_client", "refused" },
		[EXCHANGE_SUSPENDED] = { 403, "suspended",
		    "The subscription is suspended",
		    "The portal says why, and what to do.", "invalid_client",
		    "refused" },
		[EXCHANGE_EXPIRED] = { 403, "expired",
		    "The subscription has expired",
		    "Request a new one in the portal.", "invalid_client",
		    "refused" },
		[EXCHANGE_CANCELLED] = { 403, "cancelled",
		    "The subscription was cancelled",
		    "Request a new one in the portal.", "invalid_client",
		    "refused" },
		[EXCHANGE_NOT_FOR_IT] = { 403, "not_exchanged",
		    "This key is not exchanged",
		    "Keys of its product are sent with each call.",
		    "unauthorized_client", "refused" },
		[EXCHANGE_SCOPE] = { 400, "invalid_scope",
		    "The key has not all of these scopes",
		    "Ask for fewer, or leave scope out for all.",
		    "invalid_scope", "refused" },
		[EXCHANGE_AWAY] = { 503, "unavailable",
		    "The key can't be checked right now",
		    "Try again in a few seconds.", "temporarily_unavailable",
		    "unavailable" },
	};

	assert(result > EXCHANGE_DONE && result < (int)EXCHANGE_RESULTS);
	return (&refusals[result]);
}

static void
refuse(struct exchange_answer *out, const struct exchange *x,
    enum exchange_result result)
{
	const struct refusal	*r = refusal_of(result);
	struct buf		 b, h;

	out->status = r->status;
	buf_fixed(&b, out->body, sizeof(out->body));
	buf_fixed(&h, out->headers, sizeof(out->headers));
	buf_fmt(&h, "content-type: %s\r\ncache-control: no-store",
	    x->oauth ? "application/json" : "application/problem+json");
	if (x->oauth) {
		/* Section 5.2: 401 for who is not known, 400 for all else that
		 * is the client's. */
		if (str_eq(r->error, "invalid_client"))
			out->status = 401;
		else if (str_eq(r->error, "unauthorized_client"))
			out->status = 400;
		buf_fmt(&b, "{\"error\":\"%s\",\"error_description\":"
		    "\"%s. %s\"}\n", r->error, r->title, r->detail);
		buf_str(&h, "\r\npragma: no-cache");
	} else {
		buf_fmt(&b, "{\"type\":\"about:blank\",\"title\":\"%s\","
		    "\"status\":%d,\"detail\":\"%s\",\"code\":\"%s\"}\n",
		    r->title, r->status, r->detail, r->code);
	}
	if (out->status == 401)
		buf_fmt(&h, "\r\nwww-authenticate: %s realm=\"latchkey\"",
		    x->oauth ? "Basic" : "ApiKey");
	if (out->status == 405)
		buf_str(&h, "\r\nallow: POST");
	if (out->status == 429)
		buf_fmt(&h, "\r\nretry-after: %lld", (long long)x->wait_s);
	if (out->status == 503)
		buf_str(&h, "\r\nretry-after: 2");
	assert(!b.full && !h.full);
}
