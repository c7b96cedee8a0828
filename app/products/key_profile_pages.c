/*
 * How the keys of a product are handed out, chosen by an admin: first a look
 * at what a profile means and what becomes of the keys that exist, then Save,
 * for what was looked at and nothing else.
 */
#include "products/key_profile.h"

#include "sessions/session.h"
#include "web/respond.h"

/* What the page shows. */
struct choice {
	const struct key_rule	*now;
	const struct key_profiles *all;
	const char		*picked;	/* name of a profile */
	const char		*calls;		/* as typed */
	bool			 is_look;	/* show its effect */
};

WAITS static void show(struct req *, int status, struct view *,
		    const struct catalogue_product *, const struct choice *);
static void	 show_profiles(struct view *, const struct choice *);
WAITS static void show_effect(struct req *, struct view *,
		    const struct catalogue_product *, const struct choice *,
		    const struct key_profile *);
static const struct key_profile *find(const struct key_profiles *,
		    const char *name);
static bool	 calls_read(const char *typed, int64_t *ret_calls);
static const char *calls_text(struct req *, int64_t calls);

void
key_profile_page_show(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const struct key_rule		 now = key_profile_db_of(rq->db,
	    product->p.id);
	const struct key_profiles	 all = key_profile_db_list(rq->db);
	const struct choice		 choice = { &now, &all,
	    now.profile.name, calls_text(rq, now.calls_a_minute), false };

	show(rq, 200, view_new(rq->arena), product, &choice);
}

void
key_profile_page_set(struct req *rq)
{
	struct catalogue_product	*product = catalogue_page_find(rq);
	const struct key_rule		 now = key_profile_db_of(rq->db,
	    product->p.id);
	const struct key_profiles	 all = key_profile_db_list(rq->db);
	struct choice			 choice = { &now, &all,
	    req_form(rq, "profile"), req_form_line(rq, "key_calls"), true };
	const struct catalogue_change	 change = {
		.who = rq->session->account_id, .id = product->p.id,
		.version = catalogue_page_version(rq),
	};
	struct view			*v = view_new(rq->arena);
	int64_t				 calls;

	view_int(v, "version", change.version);
	if (find(&all, choice.picked) == NULL)
		form_error(v, "profile", "Choose one of these.");
	if (!calls_read(choice.calls, &calls))
		form_error(v, "key_calls", "Type a whole number from 1 to "
		    "1,000,000, or leave it empty.");
	choice.is_look = !form_has_errors(v);
	/* What wasn't looked at is looked at first. */
	if (form_has_errors(v) || !str_eq(req_form(rq, "do"), "save") ||
	    !str_eq(req_form(rq, "looked"), arena_fmt(rq->arena, "%s %s",
	    choice.picked, choice.calls))) {
		show(rq, form_has_errors(v) ? 422 : 200, v, product, &choice);
		return;
	}
	switch (key_profile_db_set(rq->db, &change, choice.picked, calls)) {
	case CATALOGUE_DONE:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/products/%s?done=saved", product->p.id));
		return;
	case CATALOGUE_RULE:
		form_error(v, "profile", "Clients have live subscriptions, and "
		    "pairs can’t become issued keys, nor the other way round.");
		show(rq, 422, v, product, &choice);
		return;
	case CATALOGUE_LATE:
	case CATALOGUE_TAKEN:
		break;
	}
	product = catalogue_page_find(rq);
	v = view_new(rq->arena);
	catalogue_page_late(rq, v, product->p.id);
	show(rq, 409, v, product, &choice);
}

void
key_profile_view(struct arena *a, struct view *v, const struct key_rule *rule)
{
	struct key_fact	 facts[KEY_FACTS_MAX];
	struct view	*row;
	int		 i, n;

	n = key_profile_facts(a, &rule->profile, rule->calls_a_minute, facts);
	view_list(v, "key_facts");
	for (i = 0; i < n; i++) {
		row = view_row(v, "key_facts");
		view_text(row, "label", facts[i].label);
		view_text(row, "text", facts[i].text);
	}
}

void
key_profile_snippets(struct arena *a, struct view *v,
    const struct key_profile *p, const char *base_url)
{
	const char	*path = strstr(base_url, "://");
	size_t		 n = strlen(base_url);

	/* The gateway answers it at the host of the calls. */
	if (path != NULL && (path = strchr(path + 3, '/')) != NULL)
		n = (size_t)(path - base_url);
	view_text(v, "key_header", p->key_header);
	view_bool(v, "takes_token", p->takes_token);
	view_text(v, "exchange_url", arena_fmt(a,
	    "%.*s/api/v1/auth/api-key/exchange", (int)n, base_url));
	view_text(v, "tenant_header", p->tenant_header);
	view_text(v, "tenant_sample", *p->tenant_header == '\0' ? "" :
	    str_eq(p->tenant_by, "slug") ? "your-short-name" :
	    "your.host.example");
}

static void
show(struct req *rq, int status, struct view *v,
    const struct catalogue_product *product, const struct choice *choice)
{
	const struct key_profile	*picked;

	form_fields(v, "profile", "key_calls", NULL);
	view_text(v, "product_id", product->p.id);
	view_text(v, "product", product->p.name);
	if (!view_has(v, "version"))
		view_int(v, "version", product->p.version);
	if (!view_has(v, "is_late"))
		view_bool(v, "is_late", false);
	view_text(v, "now_title", choice->now->profile.title);
	view_text(v, "calls", choice->calls);
	show_profiles(v, choice);
	picked = find(choice->all, choice->picked);
	view_bool(v, "is_look", choice->is_look);
	view_list(v, "effect");
	view_list(v, "changes");
	view_bool(v, "has_changes", false);
	view_bool(v, "is_refused", false);
	view_text(v, "picked_title", picked == NULL ? "" : picked->title);
	view_text(v, "looked", arena_fmt(rq->arena, "%s %s", choice->picked,
	    choice->calls));
	view_int(v, "subscriptions", 0);
	view_int(v, "keys", 0);
	if (choice->is_look)
		show_effect(rq, v, product, choice, picked);
	respond_page(rq, status, "products/staff_keys", v);
}

static void
show_profiles(struct view *v, const struct choice *choice)
{
	const struct key_profile	*p;
	struct view			*row;
	int				 i;

	view_list(v, "profiles");
	for (i = 0; i < choice->all->n; i++) {
		p = &choice->all->list[i];
		row = view_row(v, "profiles");
		view_text(row, "name", p->name);
		view_text(row, "title", p->title);
		view_text(row, "summary", p->summary);
		view_bool(row, "is_on", str_eq(p->name, choice->picked));
		view_bool(row, "is_now", str_eq(p->name,
		    choice->now->profile.name));
	}
}

static void
show_effect(struct req *rq, struct view *v,
    const struct catalogue_product *product, const struct choice *choice,
    const struct key_profile *picked)
{
	const struct key_counts	 counts = key_profile_db_counts(rq->db,
	    product->p.id);
	struct key_rule		 then = { .profile = *picked };
	struct key_fact		 old[KEY_FACTS_MAX], new[KEY_FACTS_MAX];
	const char		*changes[KEY_CHANGES_MAX];
	struct view		*row;
	int			 i, n;

	if (!calls_read(choice->calls, &then.calls_a_minute))
		return;
	n = key_profile_facts(rq->arena, &choice->now->profile,
	    choice->now->calls_a_minute, old);
	(void)key_profile_facts(rq->arena, picked, then.calls_a_minute, new);
	for (i = 0; i < n; i++) {
		row = view_row(v, "effect");
		view_text(row, "label", new[i].label);
		view_text(row, "then", new[i].text);
		view_text(row, "was", str_eq(old[i].text, new[i].text) ? "" :
		    old[i].text);
	}
	n = key_profile_changes(rq->arena, choice->now, &then, &counts,
	    changes);
	for (i = 0; i < n; i++)
		view_row_text(v, "changes", changes[i]);
	view_bool(v, "has_changes", n > 0);
	view_bool(v, "is_refused", !key_profile_can_follow(
	    &choice->now->profile, picked, &counts));
	view_int(v, "subscriptions", counts.subscriptions);
	view_int(v, "keys", counts.keys);
}

static const struct key_profile *
find(const struct key_profiles *all, const char *name)
{
	int	i;

	for (i = 0; i < all->n; i++)
		if (str_eq(all->list[i].name, name))
			return (&all->list[i]);
	return (NULL);
}

/* "" is 0: the profile's. */
static bool
calls_read(const char *typed, int64_t *ret_calls)
{
	*ret_calls = 0;
	return (*typed == '\0' || str_to_int(typed, 1, KEY_CALLS_MAX,
	    ret_calls));
}

static const char *
calls_text(struct req *rq, int64_t calls)
{
	return (calls == 0 ? "" : arena_fmt(rq->arena, "%lld",
	    (long long)calls));
}
