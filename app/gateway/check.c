/*
 * From a call to the facts that the verdict is made of.
 */
#include "gateway/gateway.h"

#include "vault/vault.h"

static bool	find_key(struct check *, int64_t grace_us, struct facts *);
static bool	find_user(struct check *, int64_t grace_us, struct facts *);
static bool	password_fits(const struct user_entry *, const char *password,
		    int64_t now);
static void	ask_permission(struct check *, struct facts *);

void
check_run(struct check *c, int64_t now, int64_t grace_us)
{
	struct facts	 f = { .now = now };

	c->need = CHECK_DONE;
	c->key = NULL;
	c->user = NULL;
	c->scope = "all";
	c->scope_bytes = 3;
	f.odd_call = c->read == CALL_ODD;
	f.has_key = c->read != CALL_NO_KEY;
	if (c->read == CALL_GOOD && !find_key(c, grace_us, &f))
		return;
	if (f.knows_key && f.subscription == FACT_ACTIVE) {
		f.user = c->call->user_kind == CALL_USER_NONE ?
		    FACT_USER_NONE : FACT_USER_WRONG;
		if (c->call->user_kind == CALL_USER_GIVEN &&
		    !find_user(c, grace_us, &f))
			return;
	}
	c->verdict = verdict_of(&f);
}

/* False: it is to be read, or can't be. */
static bool
find_key(struct check *c, int64_t grace_us, struct facts *f)
{
	const struct key_entry	*k;

	if (vault == NULL || !keyring_hmac(vault, "subscription-key", 0,
	    c->call->key, strlen(c->call->key), c->mac)) {
		c->verdict = VERDICT_UNAVAILABLE;
		return (false);
	}
	k = cache_key(c->mac);
	if (k == NULL && cache_absent(c->mac, c->since))
		return (true);
	if (k == NULL || !cache_good(&k->entry, c->since)) {
		if (!c->unreadable) {
			c->need = CHECK_KEY;
			return (false);
		}
		if (k == NULL || !cache_grace(&k->entry, grace_us)) {
			c->verdict = VERDICT_UNAVAILABLE;
			return (false);
		}
	}
	c->key = k;
	f->knows_key = true;
	f->key_ends_at = k->key_ends_at;
	f->subscription = k->state;
	f->subscription_ends_at = k->ends_at;
	f->needs_user = k->needs_user;
	return (true);
}

static bool
find_user(struct check *c, int64_t grace_us, struct facts *f)
{
	const struct user_entry	*u;
	unsigned char		 hash[SHA256_BYTES];

	memset(&c->user_key, 0, sizeof(c->user_key));
	memcpy(c->user_key.tenant, c->key->entry.tenant, CACHE_UUID);
	memcpy(c->user_key.product, c->key->product, CACHE_UUID);
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

/* Both are looked at, whichever fits, so that time tells nothing. */
static bool
password_fits(const struct user_entry *u, const char *password, int64_t now)
{
	char		 text[UUID_TEXT + 1 + CALL_PASSWORD_MAX];
	unsigned char	 mac[SHA256_BYTES];
	bool		 fits = false;
	unsigned	 i;
	int		 n;

	n = snprintf(text, sizeof(text), "%s:%s", u->id, password);
	for (i = 0; i < COUNT(u->macs); i++) {
		if (u->versions[i] == 0 ||
		    (i == 1 && u->old_ends_at <= now) ||
		    !keyring_hmac(vault, "api-user-password", u->versions[i],
		    text, (size_t)n, mac))
			continue;
		fits = bytes_eq(mac, u->macs[i], sizeof(mac)) || fits;
	}
	explicit_bzero(text, sizeof(text));
	return (fits);
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

void
user_absent_hash(const struct user_key *key,
    unsigned char ret_hash[SHA256_BYTES])
{
	sha256(ret_hash, key, sizeof(*key));
}
