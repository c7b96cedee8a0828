/*
 * Checks of a request, in words: see request.h.  Each says what was found and
 * what follows from it; a check that needs a look is a warning, never a stop.
 */
#include "requests/request.h"

#include "base/clock.h"
#include "base/spoof.h"
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
static void	check_designated(struct arena *, const struct request *,
		    struct request_check *);
static void	check_letters(struct arena *, const struct request *,
		    struct request_check *);
static void	check_age(struct arena *, const struct request *,
		    struct request_check *);
static const struct request_candidate *similar_with_key(
		    const struct request *);
static void	calm(struct request_check *, const char *title,
		    const char *text);
static void	good(struct request_check *, const char *title,
		    const char *text);
static void	warn(struct request_check *, const char *icon,
		    const char *badge, const char *title, const char *text);

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
	check_designated(a, rq, &checks.list[6]);
	check_letters(a, rq, &checks.list[7]);
	check_age(a, rq, &checks.list[8]);
	for (i = 0; i < checks.n; i++) {
		if (str_eq(checks.list[i].tone, "is-warn"))
			checks.warnings++;
		if (checks.list[i].tenant_code == NULL)
			checks.list[i].tenant_code = "";
	}
	return (checks);
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
	const struct request_candidate	*c = request_named(rq);

	if (c == NULL) {
		c = &rq->candidates[0];
		warn(to, "building", "New client", "The client is not known",
		    rq->candidates_n > 0 && c->similar > 0 ? arena_fmt(a,
		    "No tenant has the name or code “%s”. %s is similar, "
		    "%lld per cent. Choose one that exists, or approving makes "
		    "a new one.", rq->client, c->name, (long long)c->similar) :
		    arena_fmt(a, "No tenant has the name or code “%s”. "
		    "Approving makes a new one, or you choose one that "
		    "exists.", rq->client));
		if (rq->candidates_n > 0)
			to->tenant_code = c->code;
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
		c = similar_with_key(rq);
		if (c == NULL)
			good(to, "No key exists yet", "No client that fits has "
			    "a key for this product.");
		else
			warn(to, "key", "Similar has key", arena_fmt(a,
			    "%s has a key, and a similar name", c->name),
			    "If it is that client, share the key in place of "
			    "making a second.");
		if (c != NULL)
			to->tenant_code = c->code;
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
	c = request_named(rq);
	if (c == NULL) {
		calm(to, "The mail domain is on no list", arena_fmt(a,
		    "No tenant lists %s.", rq->email_domain));
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
check_designated(struct arena *a, const struct request *rq,
    struct request_check *to)
{
	const struct request_candidate	*c = request_named(rq);

	if (c == NULL || c->designated == 0) {
		calm(to, "Nobody is designated", c == NULL ? "Only a client "
		    "that we know can have told us who may ask." : arena_fmt(a,
		    "%s has not told us who may ask for it, so anybody may.",
		    c->code));
		return;
	}
	if (c->is_designated)
		good(to, "The contact is designated", arena_fmt(a,
		    "%s told us that %s may ask for it.", c->code, rq->email));
	else
		warn(to, "user", "Not designated", "The contact is not "
		    "designated", arena_fmt(a, "%s told us who may ask for it, "
		    "and %s is not among them.", c->code, rq->email));
	to->tenant_code = c->code;
}

static void
check_letters(struct arena *a, const struct request *rq,
    struct request_check *to)
{
	const struct request_candidate	*c = &rq->candidates[0];
	const char			*text = NULL;

	switch (spoof_check(a, rq->name)) {
	case SPOOF_NONE:
		break;
	case SPOOF_MIXED:
		text = "It mixes letters of scripts that nobody mixes, such "
		    "as Latin and Cyrillic, which look alike.";
		break;
	case SPOOF_HIDDEN:
		text = "It holds characters that can’t be seen.";
		break;
	case SPOOF_DIGITS:
		text = "It mixes digits of several scripts.";
		break;
	case SPOOF_LATIN:
		text = "It is written in letters of another script that all "
		    "look like Latin ones.";
		break;
	}
	if (text == NULL) {
		good(to, "The letters are what they seem", "No letter of the "
		    "name stands in for one that looks like it.");
		return;
	}
	warn(to, "alert", "Look-alike", "The name may deceive the eye", text);
	if (rq->candidates_n > 0 && c->similar > 0)
		to->tenant_code = c->code;
}

static void
check_age(struct arena *a, const struct request *rq, struct request_check *to)
{
	int64_t	whole = rq->due_at - rq->submitted_at;
	int64_t	left = clock_left(rq->due_at, rq->read_at);

	if (rq->waits_on_contact)
		calm(to, "It waits on the contact", arena_fmt(a, "The clock "
		    "stands still since %s.", clock_long(a,
		    rq->waits_since)));
	else if (left < 0)
		warn(to, "clock", "Late", "It is late", arena_fmt(a,
		    "An answer was promised %s ago.", clock_span(a, -left)));
	else if (left < whole / 2)
		calm(to, "Half of the time is over", arena_fmt(a,
		    "%s are left of what was promised.", clock_span(a,
		    left)));
	else
		good(to, "It is young", arena_fmt(a, "Sent %s ago; an answer "
		    "is due in %s.", clock_span(a, rq->read_at -
		    rq->submitted_at), clock_span(a, left)));
}

static const struct request_candidate *
similar_with_key(const struct request *rq)
{
	int	i;

	for (i = 0; i < rq->candidates_n; i++) {
		if (rq->candidates[i].similar > 0 &&
		    rq->candidates[i].key_name != NULL)
			return (&rq->candidates[i]);
	}
	return (NULL);
}

static void
calm(struct request_check *to, const char *title, const char *text)
{
	to->tone = "is-calm";
	to->icon = "info";
	to->badge = "";
	to->title = title;
	to->text = text;
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
