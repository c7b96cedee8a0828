/*
 * Checks of a request, in words: see request.h.  Each says what was found and
 * what follows from it; a check that needs a look is a warning, never a stop.
 */
#include "requests/request.h"

#include <assert.h>

#include "base/clock.h"
#include "subscriptions/subscription.h"

static void	check_name(struct arena *, const struct request *,
		    struct request_check *);
static void	check_client(struct arena *, const struct request *,
		    struct request_check *);
static void	check_key(struct arena *, const struct request *,
		    struct request_check *);
static void	check_verified(struct arena *, const struct request *,
		    struct request_check *);
static void	check_domain(struct arena *, const struct request *,
		    struct request_check *);
static void	check_others(struct arena *, const struct request *,
		    struct request_check *);
static void	good(struct request_check *, const char *title,
		    const char *text);
static void	warn(struct request_check *, const char *icon,
		    const char *badge, const char *title, const char *text);
static const struct request_candidate *named(const struct request *);

enum request_state
request_state_parse(const char *state)
{
	if (str_eq(state, "submitted"))
		return (REQUEST_SUBMITTED);
	if (str_eq(state, "approved"))
		return (REQUEST_APPROVED);
	if (str_eq(state, "shared"))
		return (REQUEST_SHARED);
	if (str_eq(state, "rejected"))
		return (REQUEST_REJECTED);
	assert(str_eq(state, "withdrawn"));
	return (REQUEST_WITHDRAWN);
}

struct request_checks
request_check(struct arena *a, const struct request *rq)
{
	struct request_checks	checks = { .n = REQUEST_CHECKS };
	int			i;

	check_name(a, rq, &checks.list[0]);
	check_client(a, rq, &checks.list[1]);
	check_key(a, rq, &checks.list[2]);
	check_verified(a, rq, &checks.list[3]);
	check_domain(a, rq, &checks.list[4]);
	check_others(a, rq, &checks.list[5]);
	for (i = 0; i < checks.n; i++) {
		if (str_eq(checks.list[i].tone, "is-warn"))
			checks.warnings++;
		if (checks.list[i].tenant_code == NULL)
			checks.list[i].tenant_code = "";
	}
	return (checks);
}

const struct request_candidate *
request_shareable(const struct request *rq)
{
	int	i;

	/* Candidates come with the likeliest first. */
	for (i = 0; i < rq->candidates_n; i++) {
		if (rq->candidates[i].key_name != NULL)
			return (&rq->candidates[i]);
	}
	return (NULL);
}

bool
request_approvable(const struct request *rq)
{
	const struct request_candidate	*c = named(rq);

	return (c == NULL || c->key_name == NULL);
}

bool
request_needs_reason(const struct request_candidate *c)
{
	return (!c->is_own && !c->has_domain && !str_eq(c->consent, "yes"));
}

static void
check_name(struct arena *a, const struct request *rq, struct request_check *to)
{
	struct subscription_name	name;

	if (subscription_name_check(a, rq->name, &name) ==
	    SUBSCRIPTION_NAME_GOOD)
		good(to, "The name has the right form", arena_fmt(a,
		    "“%s” is a client name followed by -KEY.", rq->name));
	else
		warn(to, "alert", "Name form", "The name has another form",
		    arena_fmt(a, "“%s” is not a client name followed by -KEY.",
		    rq->name));
}

static void
check_client(struct arena *a, const struct request *rq,
    struct request_check *to)
{
	const struct request_candidate	*c = named(rq);

	if (c == NULL) {
		warn(to, "building", "New client", "The client is not known",
		    arena_fmt(a, "No tenant has the name or code “%s”. "
		    "Approving makes a new one, or you choose one that "
		    "exists.", rq->client));
		if (rq->candidates_n > 0)
			to->tenant_code = rq->candidates[0].code;
		return;
	}
	to->tenant_code = c->code;
	if (c->is_own)
		good(to, "The client is known", arena_fmt(a,
		    "%s is a contact of %s.", rq->person, c->name));
	else
		good(to, "The client is known", arena_fmt(a,
		    "“%s” fits the %s of the tenant %s.", rq->name,
		    c->by_name ? "name" : "code", c->code));
	to->tenant_code = c->code;
}

static void
check_key(struct arena *a, const struct request *rq, struct request_check *to)
{
	const struct request_candidate	*c = request_shareable(rq);

	if (c == NULL) {
		good(to, "No key exists yet", "No client that fits has a key "
		    "for this product.");
		return;
	}
	warn(to, "key", "Has a key", arena_fmt(a, "%s has a key already",
	    c->name), arena_fmt(a, "%s was issued on %s. A client has one key "
	    "only, so you can share it with this contact but not make a "
	    "second.", c->key_name, clock_date(a, c->key_since)));
	to->tenant_code = c->code;
}

static void
check_verified(struct arena *a, const struct request *rq,
    struct request_check *to)
{
	good(to, "The mail address is confirmed", arena_fmt(a,
	    "%s opened the link on %s.", rq->person,
	    clock_long(a, rq->verified_at)));
}

static void
check_domain(struct arena *a, const struct request *rq,
    struct request_check *to)
{
	const struct request_candidate	*c = NULL;
	int				 i;

	for (i = 0; i < rq->candidates_n && c == NULL; i++) {
		if (rq->candidates[i].has_domain)
			c = &rq->candidates[i];
	}
	if (c != NULL) {
		good(to, "The mail domain fits", arena_fmt(a,
		    "%s is on the list of %s.", rq->email_domain, c->code));
		to->tenant_code = c->code;
		return;
	}
	if (rq->is_public_mail) {
		warn(to, "mail", "Public mail", "The address is at a public "
		    "mail service", arena_fmt(a, "Anybody can have an address "
		    "at %s, so it tells nothing about the company.",
		    rq->email_domain));
		return;
	}
	c = named(rq);
	if (c == NULL) {
		to->tone = "is-calm";
		to->icon = "info";
		to->badge = "";
		to->title = "The mail domain is on no list";
		to->text = arena_fmt(a, "No tenant lists %s.",
		    rq->email_domain);
	} else {
		warn(to, "mail", "Other domain", "The mail domain is not on "
		    "the list", arena_fmt(a, c->domains == 0 ?
		    "%s is not on the list of %s, which is empty." :
		    "%s is not on the list of %s.", rq->email_domain,
		    c->code));
		to->tenant_code = c->code;
	}
}

static void
check_others(struct arena *a, const struct request *rq,
    struct request_check *to)
{
	if (rq->others_open == 0)
		good(to, "No other open request", "This is the only request of "
		    "this client that waits.");
	else if (rq->others_open == 1)
		warn(to, "users", "Another request", "Another request waits",
		    "One more request of this client is in the queue. One gets "
		    "the key; share it with the other.");
	else
		warn(to, "users", "Other requests", "Other requests wait",
		    arena_fmt(a, "%lld more requests of this client are in the "
		    "queue. One gets the key; share it with the others.",
		    (long long)rq->others_open));
}

static void
good(struct request_check *to, const char *title, const char *text)
{
	to->tone = "is-good";
	to->icon = "check-circle";
	to->badge = "";
	to->title = title;
	to->text = text;
}

static void
warn(struct request_check *to, const char *icon, const char *badge,
    const char *title, const char *text)
{
	to->tone = "is-warn";
	to->icon = icon;
	to->badge = badge;
	to->title = title;
	to->text = text;
}

/* The tenant of the contact, or the first that has the client's name or code:
 * NULL when only a mail domain points to one. */
static const struct request_candidate *
named(const struct request *rq)
{
	const struct request_candidate	*c = &rq->candidates[0];

	if (rq->candidates_n > 0 && (c->is_own || c->by_name || c->by_code))
		return (c);
	return (NULL);
}
