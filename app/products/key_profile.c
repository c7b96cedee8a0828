/*
 * What a key profile means, and what becomes of keys when a product takes
 * another: see key_profile.h.
 */
#include "products/key_profile.h"

#include <assert.h>

static const char *carried(struct arena *, const struct key_profile *);
static const char *named(struct arena *, const struct key_profile *);
static const char *makers_say(const struct key_profile *);
static const char *may_say(const struct key_profile *);
static const char *shown(struct arena *, const struct key_profile *);
static const char *looks(struct arena *, const struct key_profile *);
static const char *limits(struct arena *, const struct key_profile *,
		    int64_t calls);
static const char *renewed(struct arena *, const struct key_profile *);
static const char *ended(struct arena *, const struct key_profile *);
static void	 item(struct buf *, bool, const char *);
static const char *keys(struct arena *, int64_t n);
static int64_t	 limit_of(const struct key_rule *);

int
key_profile_facts(struct arena *a, const struct key_profile *p, int64_t calls,
    struct key_fact facts[KEY_FACTS_MAX])
{
	const struct key_fact	made[] = {
		{ "How a call carries the key", carried(a, p) },
		{ "How a call names the client", named(a, p) },
		{ "Without a key, with an unknown one", arena_fmt(a,
		    "Status %lld, status %lld", (long long)p->missing_status,
		    (long long)p->unknown_status) },
		{ "Who makes keys", makers_say(p) },
		{ "What a key may", may_say(p) },
		{ "How a key is shown", shown(a, p) },
		{ "What a key looks like", looks(a, p) },
		{ "Calls a minute", limits(a, p, calls) },
		{ "Making a key anew", renewed(a, p) },
		{ "Stopping a key", ended(a, p) },
		{ "Where clients find their keys", p->menu },
	};

	_Static_assert(COUNT(made) <= KEY_FACTS_MAX, "room for all");
	memcpy(facts, made, sizeof(made));
	return (COUNT(made));
}

bool
key_profile_can_follow(const struct key_profile *from,
    const struct key_profile *to, const struct key_counts *counts)
{
	/* As product_profile_kind() has it. */
	return (from->is_pair == to->is_pair || counts->subscriptions == 0);
}

int
key_profile_changes(struct arena *a, const struct key_rule *old,
    const struct key_rule *new, const struct key_counts *c,
    const char *text[KEY_CHANGES_MAX])
{
	const struct key_profile	*from = &old->profile;
	const struct key_profile	*to = &new->profile;
	const char			*all = keys(a, c->keys);
	int				 n = 0;

	if (c->keys == 0 || from->is_pair != to->is_pair)
		return (0);
	if (!str_eq_nocase(from->key_header, to->key_header) ||
	    from->takes_token != to->takes_token)
		text[n++] = arena_fmt(a, "%s: carried in another way from then "
		    "on. %s. Calls that go on as before are refused.", all,
		    carried(a, to));
	if (!str_eq_nocase(from->tenant_header, to->tenant_header))
		text[n++] = *to->tenant_header == '\0' ? arena_fmt(a,
		    "%s: calls need not name the client any more.", all) :
		    arena_fmt(a, "%s: calls that don’t name the client in the "
		    "header %s are refused.", all, to->tenant_header);
	if (str_eq(to->scopes, "maker") && !str_eq(from->scopes, "maker"))
		text[n++] = arena_fmt(a, "%s: may all that the maker may. The "
		    "scopes that were picked stay, and don’t count.", all);
	else if (str_eq(from->scopes, "maker") &&
	    !str_eq(to->scopes, "maker"))
		text[n++] = arena_fmt(a, "%s: without scopes, so they may "
		    "nothing until somebody makes new ones.", keys(a,
		    c->keys - c->with_scopes));
	else
		text[n++] = arena_fmt(a, "%s: scopes are kept.",
		    keys(a, c->with_scopes));
	if (to->within_maker && !from->within_maker)
		text[n++] = arena_fmt(a, "%s: lose what their maker may not.",
		    keys(a, c->beyond));
	else if (!to->within_maker && from->within_maker)
		text[n++] = arena_fmt(a, "%s: gain what their scopes say and "
		    "their maker may not.", keys(a, c->beyond));
	if (!str_eq(from->makers, to->makers))
		text[n++] = arena_fmt(a, "%s: go on with the maker they have. "
		    "New ones: %s", all, makers_say(to));
	if (!to->can_pause && c->inactive > 0)
		text[n++] = arena_fmt(a, "%s, inactive: can’t be made active "
		    "again.", keys(a, c->inactive));
	if (c->pending > 0)
		text[n++] = arena_fmt(a, "%s, not fetched yet: their links go "
		    "on.", keys(a, c->pending));
	if (limit_of(old) != limit_of(new))
		text[n++] = arena_fmt(a, "%s without a number of their own: %s",
		    keys(a, c->keys - c->own_limit),
		    limits(a, to, new->calls_a_minute));
	if (!str_eq(from->letters, to->letters))
		text[n++] = arena_fmt(a, "%s: keep their values. New ones look "
		    "otherwise: %s", all, looks(a, to));
	assert(n <= KEY_CHANGES_MAX);
	return (n);
}

static const char *
carried(struct arena *a, const struct key_profile *p)
{
	if (p->takes_token)
		return ("Exchanged for a token, which calls send as "
		    "Authorization: Bearer");
	if (*p->key_query != '\0')
		return (arena_fmt(a, "In the header %s, or in the query as %s",
		    p->key_header, p->key_query));
	return (arena_fmt(a, "In the header %s", p->key_header));
}

static const char *
named(struct arena *a, const struct key_profile *p)
{
	if (*p->tenant_header == '\0')
		return ("Not at all: the key says whose it is");
	return (arena_fmt(a, "In the header %s, by the client’s %s",
	    p->tenant_header, str_eq(p->tenant_by, "slug") ? "short name" :
	    "host name"));
}

static const char *
makers_say(const struct key_profile *p)
{
	static const char *const	said[][2] = {
		{ "request", "Nobody: a pair comes with the approved request." },
		{ "people", "Everybody of the client, each for oneself." },
		{ "administrators", "Owners and managers of the client." },
		{ "granted", "Owners, and people whom an owner has let." },
		{ "staff", "Staff, at a client’s request." },
	};
	size_t				i;

	for (i = 0; i < COUNT(said); i++)
		if (str_eq(p->makers, said[i][0]))
			return (said[i][1]);
	assert(!"makers of a profile");
	return ("");
}

static const char *
may_say(const struct key_profile *p)
{
	if (str_eq(p->scopes, "none"))
		return ("What the API user of the call may");
	if (str_eq(p->scopes, "maker"))
		return ("All that its maker may at that moment");
	return (p->within_maker ? "The scopes that were picked for it, and of "
	    "these what its maker may at that moment" :
	    "The scopes that were picked for it");
}

static const char *
shown(struct arena *a, const struct key_profile *p)
{
	if (str_eq(p->reveal, "show"))
		return ("Whenever somebody of the client asks, after a fresh "
		    "sign-in");
	return (arena_fmt(a, "%s; lists show its first %lld characters",
	    str_eq(p->reveal, "once") ? "Once, when it is made" :
	    "Once, to who opens the hand-over link",
	    (long long)p->shows_first));
}

static const char *
looks(struct arena *a, const struct key_profile *p)
{
	if (p->is_pair)
		return ("32 hexadecimal digits, two of them at a time");
	return (arena_fmt(a, "%s%s_ and 36 letters and digits", p->letters,
	    p->env_letter ? ", a letter of the environment," : ""));
}

static const char *
limits(struct arena *a, const struct key_profile *p, int64_t calls)
{
	if (calls == 0)
		calls = p->calls_a_minute;
	return (calls == 0 ? "Those of the client’s plan" : arena_fmt(a,
	    "%s of each key, within the client’s plan",
	    product_number(a, calls)));
}

static const char *
renewed(struct arena *a, const struct key_profile *p)
{
	const char	*s = p->overlaps;
	struct buf	 b;
	int64_t		 seconds;
	size_t		 n;

	if (p->is_pair)
		return ("Each of the two by itself; the old value can go on "
		    "for a while");
	if (*s == '\0')
		return ("Not: make a new one, then end the old one");
	buf_init(&b, a, 256);
	for (; *s != '\0'; s += n, s += strspn(s, ", ")) {
		n = strcspn(s, ",");
		if (!str_to_int(arena_strndup(a, s, n), -1, INT32_MAX,
		    &seconds))
			continue;
		item(&b, true, seconds < 0 ? "the old value goes on until the "
		    "client ends it" : seconds == 0 ?
		    "the old value ends at once" : arena_fmt(a,
		    "the old value goes on for %lld hours",
		    (long long)((seconds + 3599) / 3600)));
	}
	return (buf_text(&b));
}

static const char *
ended(struct arena *a, const struct key_profile *p)
{
	struct buf	 b;

	if (p->is_pair)
		return ("With its subscription; a value ends when it is made "
		    "anew");
	buf_init(&b, a, 256);
	item(&b, p->can_pause, "deactivated and activated again");
	item(&b, p->can_delete, "deleted");
	item(&b, p->can_revoke, "revoked, and still in the list");
	item(&b, p->can_expire, "by a date of expiry");
	return (buf_text(&b));
}

/* The first one begins with a capital. */
static void
item(struct buf *b, bool yes, const char *text)
{
	if (!yes)
		return;
	if (b->n == 0) {
		buf_chr(b, (char)(text[0] - 'a' + 'A'));
		text++;
	} else {
		buf_str(b, "; ");
	}
	buf_str(b, text);
}

static const char *
keys(struct arena *a, int64_t n)
{
	return (arena_fmt(a, "%s %s", product_number(a, n),
	    n == 1 ? "key" : "keys"));
}

static int64_t
limit_of(const struct key_rule *rule)
{
	return (rule->calls_a_minute == 0 ? rule->profile.calls_a_minute :
	    rule->calls_a_minute);
}
