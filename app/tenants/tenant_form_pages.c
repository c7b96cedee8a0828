/*
 * The form of a client: what may stand in its fields.
 */
#include "tenants/tenant_edit.h"

#include "mail/address.h"
#include "web/form.h"
#include "web/respond.h"

#define ITEM_MAX	60	/* characters of a bad item that are repeated */

typedef const char *(*parse_fn)(struct arena *, const char *typed);

static void	 read_names(struct req *, struct view *, bool is_new,
		    struct tenant_change *);
static void	 read_list(struct req *, struct view *, const char *field,
		    parse_fn, size_t max, const char *what, const char *example,
		    struct tenant_strings *);
static void	 read_designated(struct req *, struct view *,
		    struct tenant_change *);
static void	 read_notices(struct req *, struct view *,
		    struct tenant_change *);
static const char *item_next(struct arena *, const char **rest,
		    const char *parts);
static void	 add(struct arena *, struct tenant_strings *, const char *,
		    size_t max);
static bool	 has(const struct tenant_strings *, const char *);
static const char *cut(struct arena *, const char *);

void
tenant_form_read(struct req *rq, struct view *view, bool is_new,
    struct tenant_change *ret_change)
{
	struct tenant_change	 change = { .notes = req_form(rq, "notes") };

	if (!str_to_int(req_form(rq, "version"), 0, INT32_MAX,
	    &change.version))
		change.version = 0;
	read_names(rq, view, is_new, &change);
	read_list(rq, view, "hosts", tenant_host_parse, TENANT_HOSTS_MAX,
	    "a host name", "api.altaworx.com", &change.hosts);
	read_list(rq, view, "domains", tenant_host_parse, TENANT_DOMAINS_MAX,
	    "a mail domain", "altaworx.com", &change.domains);
	read_designated(rq, view, &change);
	read_notices(rq, view, &change);
	if (str_chars(change.notes) > TENANT_NOTES_MAX)
		form_error(view, "notes", "The notes may have up to 4000 "
		    "characters. Shorten them.");
	view_text(view, "notes", change.notes);
	form_fields(view, "code", "name", "slug", "hosts", "domains",
	    "designated", "notices_to", "notes", "client", NULL);
	*ret_change = change;
}

static void
read_names(struct req *rq, struct view *view, bool is_new,
    struct tenant_change *change)
{
	const char	*typed = req_form_line(rq, "code"), *wrong;

	change->code = str_upper(rq->arena, typed);
	change->name = req_form_line(rq, "name");
	change->slug = str_lower(rq->arena, req_form_line(rq, "slug"));
	if (is_new && !tenant_code_valid(change->code))
		form_error(view, "code", "The code must have 2 to 32 letters "
		    "from A to Z, digits or hyphens, with no hyphen at its "
		    "ends, for example ALTWORX.");
	wrong = tenant_name_advice(change->name);
	if (wrong != NULL)
		form_error(view, "name", wrong);
	wrong = is_new && *change->slug == '\0' ? NULL :
	    tenant_slug_advice(change->slug);
	if (wrong != NULL)
		form_error(view, "slug", wrong);
	view_text(view, "code", typed);
	view_text(view, "name", change->name);
	view_text(view, "slug", change->slug);
}

/* One a line, or parted by spaces, commas and semicolons. */
static void
read_list(struct req *rq, struct view *view, const char *field, parse_fn parse,
    size_t max, const char *what, const char *example,
    struct tenant_strings *ret_strings)
{
	const char	*rest = req_form(rq, field), *item, *value;
	const char	*typed = rest;

	while ((item = item_next(rq->arena, &rest, " \t\r\n,;")) != NULL) {
		value = parse(rq->arena, item);
		if (value == NULL) {
			form_error(view, field, arena_fmt(rq->arena,
			    "“%s” is not %s. Write it as in %s.",
			    cut(rq->arena, item), what, example));
			break;
		}
		if (has(ret_strings, value))
			continue;
		if (ret_strings->n == max) {
			form_error(view, field, arena_fmt(rq->arena,
			    "There is room for %zu.", max));
			break;
		}
		add(rq->arena, ret_strings, value, max);
	}
	view_text(view, field, typed);
}

static void
read_designated(struct req *rq, struct view *view,
    struct tenant_change *change)
{
	const char		*rest = req_form(rq, "designated"), *item;
	const char		*typed = rest;
	struct address		 address;
	enum address_verdict	 verdict;

	while ((item = item_next(rq->arena, &rest, "\r\n,;")) != NULL) {
		verdict = address_parse(rq->arena, item, &address);
		if (verdict != ADDRESS_GOOD) {
			form_error(view, "designated", arena_fmt(rq->arena,
			    "“%s” is not an e-mail address. Write one a line, "
			    "as in maya@altaworx.com.", cut(rq->arena, item)));
			break;
		}
		if (has(&change->designated_folded, address.folded))
			continue;
		if (change->designated.n == TENANT_DESIGNATED_MAX) {
			form_error(view, "designated", "There is room for 200 "
			    "addresses.");
			break;
		}
		add(rq->arena, &change->designated, address.text,
		    TENANT_DESIGNATED_MAX);
		add(rq->arena, &change->designated_folded, address.folded,
		    TENANT_DESIGNATED_MAX);
	}
	view_text(view, "designated", typed);
}

static void
read_notices(struct req *rq, struct view *view, struct tenant_change *change)
{
	const char		*typed = req_form_line(rq, "notices_to");
	struct address		 address;
	enum address_verdict	 verdict;

	change->notices_to = "";
	if (*typed != '\0') {
		verdict = address_parse(rq->arena, typed, &address);
		if (verdict == ADDRESS_GOOD)
			change->notices_to = address.text;
		else
			form_error(view, "notices_to",
			    address_advice(verdict));
	}
	view_text(view, "notices_to", typed);
}

/* The next part that is not empty, without space at its ends; NULL at the
 * end. */
static const char *
item_next(struct arena *a, const char **rest, const char *parts)
{
	const char	*item;
	size_t		 n;

	while (**rest != '\0') {
		n = strcspn(*rest, parts);
		item = str_squeeze(a, arena_strndup(a, *rest, n));
		*rest += n + ((*rest)[n] != '\0');
		if (*item != '\0')
			return (item);
	}
	return (NULL);
}

static void
add(struct arena *a, struct tenant_strings *strings, const char *text,
    size_t max)
{
	if (strings->list == NULL)
		strings->list = arena_calloc(a, max, sizeof(*strings->list));
	strings->list[strings->n++] = text;
}

static bool
has(const struct tenant_strings *strings, const char *text)
{
	size_t	i;

	for (i = 0; i < strings->n; i++) {
		if (str_eq(strings->list[i], text))
			return (true);
	}
	return (false);
}

/* No more of it than a line shows, and nothing that can't be seen. */
static const char *
cut(struct arena *a, const char *item)
{
	const char	*p = item;
	int32_t		 point;
	size_t		 n, chars = 0;

	if (str_has_control(item) || str_has_hidden(item, false))
		return ("…");
	while ((n = str_next(p, strlen(p), &point)) > 0 && chars < ITEM_MAX) {
		p += n;
		chars++;
	}
	return (*p == '\0' ? item :
	    arena_fmt(a, "%s…", arena_strndup(a, item, (size_t)(p - item))));
}
