/*
 * From a call to the facts that the verdict is made of.
 */
#include "gateway/gateway.h"

#include "base/clock.h"
#include "base/str.h"
#include "vault/vault.h"

static bool	find_key(struct check *, int64_t grace_us, struct facts *);
static void	need_key(struct check *);
static void	ask_issued(struct check *, struct facts *);
static enum fact_tenant tenant_of(const struct check *,
		    const struct key_entry *);
static bool	is_listed(const char *list, const char *name);
static void	find_needed(struct check *, const struct permission_answer *);
static bool	find_user(struct check *, int64_t grace_us, struct facts *);
static bool	password_fits(struct user_entry *, const char *password,
		    int64_t now);
static bool	mac_fits(const struct password_mac *, const char *text,
		    size_t);
static void	ask_permission(struct check *, struct facts *);
static void	ask_limits(struct check *, struct facts *);
static enum limit_verdict take_limits(struct check *, const struct facts *);

void
check_run(struct check *c, int64_t now, int64_t grace_us)
{
	struct facts	*f = &c->facts;

	*f = (struct facts){ .now = now };
	c->need = CHECK_DONE;
	c->key = NULL;
	c->user = NULL;
	c->scope = "all";
	c->scope_bytes = 3;
	c->needs_bytes = 0;
	c->keyway = NULL;
	c->limits.n = 0;
	c->limits.retry_s = 0;
	f->odd_call = c->read == CALL_ODD;
	f->has_key = c->read != CALL_NO_KEY;
	if (c->read == CALL_GOOD && !find_key(c, grace_us, f))
		return;
	if (f->is_issued) {
		ask_issued(c, f);
	} else if (f->knows_key && f->subscription == FACT_ACTIVE) {
		f->user = c->call->user_kind == CALL_USER_NONE ?
		    FACT_USER_NONE : FACT_USER_WRONG;
		if (c->call->user_kind == CALL_USER_GIVEN &&
		    !find_user(c, grace_us, f))
			return;
	}
	c->verdict = verdict_of(f);
	if (c->verdict == VERDICT_ALLOWED)
		ask_limits(c, f);
	else if (c->verdict == VERDICT_MISSING_KEY ||
	    c->verdict == VERDICT_UNKNOWN_KEY)
		c->keyway = keyway_of(c->call->product, c->call->key_name,
		    c->call->key[0] != '\0' ? c->call->key : NULL);
}

void
check_failure(struct check *c, const unsigned char network[LIMIT_ID],
    uint32_t a_minute)
{
	c->facts.over_failures = !limit_failure(network, a_minute,
	    clock_monotonic(), &c->limits.retry_s);
	c->verdict = verdict_of(&c->facts);
}

/* False: it is to be read, or can't be. */
static bool
find_key(struct check *c, int64_t grace_us, struct facts *f)
{
	const struct key_entry	*k;
	const char		*text;

	f->is_token = c->call->token != NULL;
	text = f->is_token ? c->call->token : c->call->key;
	hash_short(c->hash, text, strlen(text));
	k = cache_key(c->hash);
	if (k == NULL && cache_absent(c->hash, c->since))
		return (true);
	if (k == NULL || !cache_good(&k->entry, c->since)) {
		if (!c->unreadable) {
			need_key(c);
			return (false);
		}
		if (k == NULL || !cache_grace(&k->entry, grace_us)) {
			c->verdict = VERDICT_UNAVAILABLE;
			return (false);
		}
	}
	c->key = k;
	f->knows_key = true;
	f->key_fits = f->is_token || (c->call->key_name != 0 &&
	    (c->call->key_name == k->product->key_name ||
	    c->call->key_name == k->product->query_name ||
	    (c->call->key_name == KEYWAY_ANY && k->product->key_name != 0)));
	f->key_ends_at = k->key_ends_at;
	f->tenant = tenant_of(c, k);
	f->other_product = c->call->product != NULL &&
	    !str_eq(c->call->product, k->product->slug);
	f->other_environment = c->call->environment != NULL &&
	    !str_eq(c->call->environment, k->product->environment);
	f->is_issued = k->issued != NULL;
	if (f->is_token && f->is_issued)
		f->token_ends_at = k->issued->token_ends_at;
	f->subscription = (enum fact_subscription)k->state;
	f->subscription_ends_at = k->ends_at;
	f->needs_user = k->product->needs_user;
	return (true);
}

/* To be read, by what the database has. */
static void
need_key(struct check *c)
{
	if (c->call->token != NULL)
		c->need = CHECK_TOKEN;
	else if (vault != NULL && keyring_hmac(vault, "subscription-key", 0,
	    c->call->key, strlen(c->call->key), c->mac))
		c->need = CHECK_KEY;
	else
		c->verdict = VERDICT_UNAVAILABLE;
}

/* The key says what it may.  An API user beside it is not asked: whoever names
 * one has no more by it, and the API is not told of it. */
static void
ask_issued(struct check *c, struct facts *f)
{
	const struct issued_key		*i = c->key->issued;
	struct permission_answer	 answer;

	f->issued = (enum fact_issued)i->state;
	f->issued_ends_at = i->ends_at;
	if (i->set == NULL)
		return;
	answer = permission_decide(shared_set(i->set), c->call->method,
	    strlen(c->call->method), c->call->target,
	    strlen(c->call->target));
	f->permitted = answer.verdict == PERMISSION_GRANTED;
	if (f->permitted) {
		c->scope = answer.scope;
		c->scope_bytes = answer.scope_bytes;
	} else if (answer.verdict == PERMISSION_NOT_GRANTED) {
		find_needed(c, &answer);
	}
}

static enum fact_tenant
tenant_of(const struct check *c, const struct key_entry *k)
{
	uint8_t	 name = k->product->tenant_name;

	if (name == 0 || k->issued == NULL)
		return (FACT_TENANT_RIGHT);
	if (c->call->tenant == NULL || c->call->tenant[0] == '\0' ||
	    (c->call->tenant_name != name &&
	    c->call->tenant_name != KEYWAY_ANY))
		return (FACT_TENANT_MISSING);
	return (is_listed(k->issued->tenants, c->call->tenant) ?
	    FACT_TENANT_RIGHT : FACT_TENANT_WRONG);
}

/* Host names and their labels have no case (RFC 4343). */
static bool
is_listed(const char *list, const char *name)
{
	size_t	 length = strlen(name), n;

	for (; *list != '\0'; list += n + strspn(list + n, " ")) {
		n = strcspn(list, " ");
		if (n == length && strncasecmp(list, name, n) == 0)
			return (true);
	}
	return (false);
}

/* The first scope of the product that stands for this operation; only for who
 * is denied, so that looking through them all is no matter. */
static void
find_needed(struct check *c, const struct permission_answer *answer)
{
	const char	*method = c->call->method, *line, *end, *p;
	size_t		 n;

	if (str_eq(method, "HEAD"))
		method = "GET";
	n = strlen(method);
	for (line = c->key->product->scopes; *line != '\0'; line = end + 1) {
		end = strchrnul(line, '\n');
		p = line + answer->resource_bytes;
		if ((size_t)(end - line) > answer->resource_bytes + n + 2 &&
		    memcmp(line, answer->resource,
		    answer->resource_bytes) == 0 && p[0] == ' ' &&
		    strncmp(p + 1, method, n) == 0 && p[n + 1] == ' ') {
			c->needs = p + n + 2;
			c->needs_bytes = (size_t)(end - c->needs);
			return;
		}
		if (*end == '\0')
			return;
	}
}

static bool
find_user(struct check *c, int64_t grace_us, struct facts *f)
{
	struct user_entry	*u;
	unsigned char		 hash[HASH_SHORT_BYTES];

	memset(&c->user_key, 0, sizeof(c->user_key));
	memcpy(c->user_key.tenant, c->key->tenant, CACHE_UUID);
	memcpy(c->user_key.product, c->key->product->id, CACHE_UUID);
	memcpy(c->user_key.name, c->call->user, strlen(c->call->user));
	u = cache_user(&c->user_key);
	if (u == NULL) {
		user_absent_hash(&c->user_key, hash);
		if (cache_absent(hash, c->since))
			return (true);
	}
	if (u == NULL || !cache_good(&u->entry, c->since)) {
		if (!c->unreadable) {
			c->need = CHECK_USER;
			return (false);
		}
		if (u == NULL || !cache_grace(&u->entry, grace_us)) {
			c->verdict = VERDICT_UNAVAILABLE;
			return (false);
		}
	}
	if (!password_fits(u, c->call->password, f->now))
		return (true);
	c->user = u;
	f->user = FACT_USER_RIGHT;
	f->user_enabled = u->enabled;
	f->user_ends_at = u->ends_at;
	ask_permission(c, f);
	return (true);
}

/*
 * A current password that was right once is known by a short hash from then on.
 * Of any other both are looked at, whichever fits, so that time tells nothing
 * to those who have none.
 */
static bool
password_fits(struct user_entry *u, const char *password, int64_t now)
{
	char		 text[UUID_TEXT + CALL_PASSWORD_MAX + 1];
	unsigned char	 hash[HASH_SHORT_BYTES];
	size_t		 bytes = strlen(password);
	bool		 fits;

	memcpy(text, u->id, CACHE_UUID);
	memcpy(text + CACHE_UUID, password, bytes);
	hash_short(hash, text, CACHE_UUID + bytes);
	if (u->is_proven && bytes_eq(u->proven, hash, sizeof(hash))) {
		explicit_bzero(text, CACHE_UUID + bytes);
		return (true);
	}
	uuid_write(text, u->id);
	text[UUID_TEXT - 1] = ':';
	memcpy(text + UUID_TEXT, password, bytes);
	fits = mac_fits(&u->password, text, UUID_TEXT + bytes);
	if (fits) {
		memcpy(u->proven, hash, sizeof(hash));
		u->is_proven = true;
	}
	if (u->old != NULL && u->old->ends_at > now)
		fits = mac_fits(&u->old->password, text, UUID_TEXT + bytes) ||
		    fits;
	explicit_bzero(text, sizeof(text));
	return (fits);
}

static bool
mac_fits(const struct password_mac *stored, const char *text, size_t bytes)
{
	unsigned char	 mac[SHA256_BYTES];

	return (stored->version != 0 && vault != NULL && keyring_hmac(vault,
	    "api-user-password", stored->version, text, bytes, mac) &&
	    bytes_eq(mac, stored->mac, sizeof(mac)));
}

static void
ask_permission(struct check *c, struct facts *f)
{
	struct permission_answer	 answer;

	if (c->user->set == NULL)
		return;
	answer = permission_decide(shared_set(c->user->set), c->call->method,
	    strlen(c->call->method), c->call->target,
	    strlen(c->call->target));
	f->permitted = answer.verdict == PERMISSION_GRANTED;
	if (f->permitted) {
		c->scope = answer.scope;
		c->scope_bytes = answer.scope_bytes;
	}
}

static void
ask_limits(struct check *c, struct facts *f)
{
	switch (take_limits(c, f)) {
	case LIMIT_PASSED:
		return;
	case LIMIT_RATE:
		f->over_rate = true;
		break;
	case LIMIT_QUOTA:
		f->over_quota = true;
		break;
	case LIMIT_UNKNOWN:
		/* Read with the key. */
		need_key(c);
		return;
	}
	c->verdict = verdict_of(f);
}

static enum limit_verdict
take_limits(struct check *c, const struct facts *f)
{
	const struct issued_key	*issued = c->key->issued;
	const struct limit_ids	 who = {
		.subscription = c->key->subscription, .tenant = c->key->tenant,
		.user = c->user != NULL ? c->user->id : NULL,
		.key = issued != NULL ? issued->id : NULL };
	struct plan		 plan = c->key->product->plan;
	int64_t			 monotonic = clock_monotonic();
	enum limit_verdict	 verdict;

	if (issued != NULL)
		plan.key_minute = issued->calls_a_minute;
	switch (c->by) {
	case CHECK_BY_US:
		break;
	case CHECK_BY_SHARE:
		plan = limit_share(&plan, c->portals);
		break;
	case CHECK_BY_REDIS:
		verdict = limit_prepare(&plan, &who, f->now, monotonic,
		    c->unreadable, c->asked);
		if (verdict == LIMIT_PASSED && c->asked->n > 0)
			c->need = CHECK_LIMITS;
		return (verdict);
	case CHECK_TOLD:
		return (limit_told(c->asked, c->answer, monotonic,
		    &c->limits));
	}
	return (limit_take(&plan, &who, f->now, monotonic, c->unreadable,
	    &c->limits));
}

void
user_absent_hash(const struct user_key *key,
    unsigned char ret_hash[HASH_SHORT_BYTES])
{
	hash_short(ret_hash, key, sizeof(*key));
}
