/*
 * What may be typed about a product: see catalogue.h.  The same bounds stand
 * in the database (migrations/deploy/product_plans.sql); here is the sentence.
 */
#include "products/catalogue.h"

const char *const	 catalogue_operations[RESOURCE_OPERATIONS] = {
	"GET", "POST", "PUT", "PATCH", "DELETE",
};

#define LIMITS	5	/* from DETAIL_SECOND on */

/* 0 and absent are one: most limits need not be set. */
enum need { NEEDED, OPTIONAL };

static const char	*line_wrong(const char *, size_t max, enum need,
			    const char *what);
static const char	*slug_wrong(const char *);
static const char	*url_wrong(const char *);
static const char	*path_wrong(const char *, size_t max);
static size_t		 parameter_bytes(const char *part);
static const char	*number_wrong(struct arena *, const char **, int64_t min,
			    int64_t max, enum need, int64_t *ret_number);
static void		 limits_check(const int64_t calls[LIMITS],
			    const char *wrong[DETAILS]);
static bool		 resource_check(struct resource *);

bool
catalogue_check(struct arena *a, struct details *d, bool has_slug,
    const char *wrong[DETAILS])
{
	const char	**text = d->text;
	int64_t		 calls[LIMITS] = { 0 }, number;
	int		 i;

	wrong[DETAIL_NAME] = line_wrong(text[DETAIL_NAME], PRODUCT_NAME_MAX,
	    NEEDED, "Type the product’s name, as in Rev.io API.");
	wrong[DETAIL_SLUG] = has_slug ? slug_wrong(text[DETAIL_SLUG]) : NULL;
	wrong[DETAIL_SUMMARY] = line_wrong(text[DETAIL_SUMMARY],
	    PRODUCT_SUMMARY_MAX, OPTIONAL, NULL);
	wrong[DETAIL_DESCRIPTION] = catalogue_lines_wrong(
	    text[DETAIL_DESCRIPTION], PRODUCT_DESCRIPTION_MAX);
	wrong[DETAIL_BASE_URL] = url_wrong(text[DETAIL_BASE_URL]);
	wrong[DETAIL_EXAMPLE_PATH] = path_wrong(text[DETAIL_EXAMPLE_PATH],
	    PRODUCT_PATH_MAX);
	wrong[DETAIL_PLACE] = number_wrong(a, &text[DETAIL_PLACE], 0,
	    PRODUCT_PLACE_MAX, OPTIONAL, &number);
	for (i = 0; i < LIMITS; i++)
		wrong[DETAIL_SECOND + i] = number_wrong(a,
		    &text[DETAIL_SECOND + i], 1, PRODUCT_CALLS_MAX,
		    DETAIL_SECOND + i == DETAIL_MINUTE ? NEEDED : OPTIONAL,
		    &calls[i]);
	limits_check(calls, wrong);
	wrong[DETAIL_DELAY] = number_wrong(a, &text[DETAIL_DELAY], 0,
	    PRODUCT_DELAY_MAX, OPTIONAL, &number);
	for (i = 0; i < DETAILS; i++)
		if (wrong[i] != NULL)
			return (false);
	return (true);
}

struct details
catalogue_details(struct arena *a, const struct product *p)
{
	const int64_t	calls[] = { p->calls_a_second, p->calls_a_minute,
			    p->calls_a_day, p->calls_a_month,
			    p->user_calls_a_minute };
	struct details	d = {
		.text = {
			[DETAIL_NAME] = p->name,
			[DETAIL_SLUG] = p->slug,
			[DETAIL_SUMMARY] = p->summary,
			[DETAIL_DESCRIPTION] = p->description,
			[DETAIL_BASE_URL] = p->base_url,
			[DETAIL_EXAMPLE_PATH] = p->example_path,
		},
		.needs_api_user = p->needs_api_user,
		.one_key_per_tenant = p->one_key_per_tenant,
		.by_checks = p->by_checks,
	};
	size_t		i;

	d.text[DETAIL_PLACE] = arena_fmt(a, "%lld", (long long)p->place);
	d.text[DETAIL_DELAY] = arena_fmt(a, "%lld",
	    (long long)p->approval_delay_min);
	for (i = 0; i < COUNT(calls); i++)
		d.text[DETAIL_SECOND + i] = calls[i] == 0 ? "" :
		    arena_fmt(a, "%lld", (long long)calls[i]);
	return (d);
}

bool
catalogue_row_empty(const struct resource *r)
{
	int	i;

	for (i = 0; i < RESOURCE_OPERATIONS; i++)
		if (r->may[i])
			return (false);
	return (*r->name == '\0' && *r->note == '\0' && *r->path == '\0');
}

bool
catalogue_check_resources(struct arena *a, struct resource *rows, int n)
{
	bool	good = true;
	int	i, other;

	for (i = 0; i < n; i++) {
		if (!resource_check(&rows[i]))
			good = false;
		for (other = 0; other < i && rows[i].path_wrong == NULL;
		    other++) {
			if (!catalogue_path_same(rows[other].path, rows[i].path))
				continue;
			rows[i].path_wrong = arena_fmt(a, "Row %d has this "
			    "path, too. Each resource has its own%s.",
			    other + 1, str_eq(rows[other].path, rows[i].path) ?
			    "" : ", whatever its parameters are called");
			good = false;
		}
	}
	return (good);
}

/* Plain parts between single slashes, so that what the gateway compares can
 * be written in one way only; or parameters, as product_resource_plain has
 * them. */
const char *
catalogue_path_wrong(const char *path)
{
	static const char	 plain[] = "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_~-";
	const char		*wrong = "A path begins with a slash and has "
		    "plain parts, as in /billing/api/v1/contacts: letters, "
		    "digits, and - _ ~ . inside, no slash at the end. A part "
		    "that may be anything is {name}.";
	const char		*p;
	size_t			 n;

	if (path[0] != '/')
		return (wrong);
	for (p = path; *p == '/'; p += n) {
		p++;
		n = parameter_bytes(p);
		if (n > 0)
			continue;
		n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
		    "QRSTUVWXYZ0123456789_~-.");
		if (n == 0 || strchr(plain, p[n - 1]) == NULL)
			return (wrong);
	}
	if (*p != '\0')
		return (wrong);
	if (strlen(path) > PRODUCT_PATH_MAX)
		return ("The path may have up to 200 characters. Shorten it.");
	return (NULL);
}

/* The same path, but for the names of its parameters. */
bool
catalogue_path_same(const char *a, const char *b)
{
	for (; *a == *b && *a != '\0'; a++, b++) {
		if (*a != '{')
			continue;
		a += strcspn(a, "}");
		b += strcspn(b, "}");
		if (*a == '\0' || *b == '\0')
			break;
	}
	return (*a == *b && *a == '\0');
}

const char *
catalogue_lines(struct arena *a, const char *typed)
{
	char	*text = arena_alloc(a, strlen(typed) + 1), *to = text;

	while (*typed == '\r' || *typed == '\n')
		typed++;
	for (; *typed != '\0'; typed++) {
		if (*typed == '\r' && typed[1] == '\n')
			continue;
		*to++ = *typed == '\r' ? '\n' : *typed;
	}
	while (to > text && (to[-1] == '\n' || to[-1] == ' ' ||
	    to[-1] == '\t'))
		to--;
	*to = '\0';
	return (text);
}

const char *
catalogue_lines_wrong(const char *text, size_t max_chars)
{
	const char	*p = text;
	size_t		 n = strlen(text), step;
	int32_t		 c;

	if (str_chars(text) > max_chars)
		return (max_chars == PRODUCT_TERMS_MAX ? "The terms may have "
		    "up to 20,000 characters. Shorten them." :
		    max_chars == PRODUCT_NOTE_MAX ? "This may have up to 1000 "
		    "characters. Shorten it." : "The description may have up "
		    "to 10,000 characters. Shorten it.");
	for (; n > 0; p += step, n -= step) {
		step = str_next(p, n, &c);
		if ((c < 0x20 && c != '\n' && c != '\t') ||
		    (c >= 0x7f && c < 0xa0))
			return ("There is a control character in the text. "
			    "Type it anew where you pasted it.");
	}
	return (NULL);
}

const char *
catalogue_day_wrong(const char *typed, int64_t now, int64_t *ret_at)
{
	int64_t	at;

	if (strlen(typed) != strlen("2026-12-01") || !clock_parse(typed, &at))
		return ("Write a day of the calendar, as in 2026-12-01.");
	if (at <= now)
		return ("Choose a day from tomorrow on. Those who have a key "
		    "need the time.");
	if (at > now + PRODUCT_CLOSING_DAYS * DAY_US)
		return ("Choose a day within two years.");
	*ret_at = at;
	return (NULL);
}

struct product_badge
catalogue_badge(enum product_state state)
{
	switch (state) {
	case PRODUCT_DRAFT:
		return ((struct product_badge){ "is-info", "clock", "Draft" });
	case PRODUCT_PUBLISHED:
		return ((struct product_badge){ "is-good", "check-circle",
		    "Published" });
	case PRODUCT_HIDDEN:
		return ((struct product_badge){ "is-calm", "minus", "Hidden" });
	case PRODUCT_CLOSING:
		return ((struct product_badge){ "is-warn", "clock", "Closing" });
	case PRODUCT_CLOSED:
		break;
	}
	return ((struct product_badge){ "is-calm", "ban", "Closed" });
}

const char *
catalogue_did(const char *action)
{
	static const char *const	said[][2] = {
		{ "product.added", "made the draft" },
		{ "product.changed", "changed what is said of it or its plan" },
		{ "product.resources", "changed the resources" },
		{ "product.keys", "changed how keys are handed out" },
		{ "product.routes", "read its routes from a document" },
		{ "product.scopes", "changed the scopes" },
		{ "product.terms", "changed the terms" },
		{ "product.published", "published it" },
		{ "product.hidden", "hid it" },
		{ "product.closing", "planned its closing" },
		{ "product.kept", "stopped the closing" },
		{ "product.closed", "closed it" },
	};
	size_t				i;

	for (i = 0; i < COUNT(said); i++)
		if (str_eq(action, said[i][0]))
			return (said[i][1]);
	return (action);
}

/* One line; what: the sentence for none. */
static const char *
line_wrong(const char *text, size_t max, enum need need, const char *what)
{
	if (*text == '\0')
		return (need == NEEDED ? what : NULL);
	if (str_has_control(text) || str_has_hidden(text, true))
		return ("There is a character in it that nobody sees. Type it "
		    "anew where you pasted it.");
	if (str_chars(text) > max)
		return (max == PRODUCT_NAME_MAX ? "The name may have up to 80 "
		    "characters. Shorten it." : max == RESOURCE_NAME_MAX ?
		    "The name may have up to 60 characters. Shorten it." :
		    max == RESOURCE_NOTE_MAX ? "The note may have up to 120 "
		    "characters. Shorten it." : "This may have up to 200 "
		    "characters. Shorten it.");
	return (NULL);
}

static const char *
slug_wrong(const char *slug)
{
	size_t	n = strlen(slug);

	if (n == 0 || n > PRODUCT_SLUG_MAX || slug[0] == '-' ||
	    slug[n - 1] == '-' || slug[strspn(slug,
	    "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return ("The address has 1 to 63 of a-z, 0-9 and hyphens "
		    "between them, as in revio-api.");
	return (NULL);
}

/* http only for trials; no query, as paths are put behind it. */
static const char *
url_wrong(const char *url)
{
	const char	*host = strstr(url, "://");

	if (host == NULL || !(str_starts(url, "https://") ||
	    str_starts(url, "http://")) || host[3] == '\0' ||
	    host[3] == '/' || url[strspn(url,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~:/[]")] != '\0')
		return ("Write the address that calls begin with, as in "
		    "https://api.revio.example, without ? and #.");
	if (strlen(url) > PRODUCT_URL_MAX)
		return ("This may have up to 200 characters. Shorten it.");
	if (str_ends(url, "/"))
		return ("Leave out the slash at the end: paths begin with "
		    "one.");
	return (NULL);
}

/* Of an example call: as it stands in an address. */
static const char *
path_wrong(const char *path, size_t max)
{
	if (path[0] != '/' || path[strspn(path,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~/%!()*+,;:@=?&")] != '\0')
		return ("A path begins with a slash and has no spaces, as in "
		    "/billing/api/v1/contacts/7.");
	if (strlen(path) > max)
		return ("The path may have up to 200 characters. Shorten it.");
	return (NULL);
}

/* Of "{customerId}", which is a whole part; 0 for none. */
static size_t
parameter_bytes(const char *part)
{
	size_t	n;

	if (*part != '{')
		return (0);
	n = strspn(part + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
	    "WXYZ0123456789_-");
	if (n == 0 || n > RESOURCE_PARAMETER_MAX || part[n + 1] != '}' ||
	    (part[n + 2] != '/' && part[n + 2] != '\0'))
		return (0);
	return (n + 2);
}

/* A number with or without commas, which are taken out. */
static const char *
number_wrong(struct arena *a, const char **text, int64_t min, int64_t max,
    enum need need, int64_t *ret_number)
{
	const char	*p = *text;
	struct buf	 b;

	*ret_number = 0;
	if (*p == '\0')
		return (need == NEEDED ? "Type how many calls a minute a "
		    "client may make, as in 600." : NULL);
	buf_init(&b, a, 32);
	for (; *p != '\0'; p++)
		if (*p != ',' && *p != ' ')
			buf_chr(&b, *p);
	if (b.full || !str_to_int(buf_text(&b), min, max, ret_number))
		return (min == 0 ? arena_fmt(a, "Type a whole number from 0 "
		    "to %s.", product_number(a, max)) : arena_fmt(a, "Type a "
		    "whole number from 1 to %s%s.", product_number(a, max),
		    need == NEEDED ? "" : ", or leave it empty for no limit"));
	*text = buf_text(&b);
	return (NULL);
}

/* A longer time that allows less than a shorter one makes that one void. */
static void
limits_check(const int64_t calls[LIMITS], const char *wrong[DETAILS])
{
	static const char *const	said[] = {
		NULL,
		"A minute can’t allow less than a second does.",
		"A day can’t allow less than a minute or a second does.",
		"A month can’t allow less than a shorter time does.",
	};
	int64_t				most = 0;
	int				i;

	for (i = 0; DETAIL_SECOND + i <= DETAIL_MONTH; i++) {
		if (calls[i] != 0 && calls[i] < most &&
		    wrong[DETAIL_SECOND + i] == NULL)
			wrong[DETAIL_SECOND + i] = said[i];
		if (calls[i] > most)
			most = calls[i];
	}
	if (wrong[DETAIL_MINUTE] == NULL &&
	    wrong[DETAIL_USER_MINUTE] == NULL &&
	    calls[DETAIL_USER_MINUTE - DETAIL_SECOND] >
	    calls[DETAIL_MINUTE - DETAIL_SECOND])
		wrong[DETAIL_USER_MINUTE] = "An API user’s calls are its "
		    "client’s, too: at most as many as a client may make in a "
		    "minute.";
}

static bool
resource_check(struct resource *r)
{
	bool	may = false;
	int	i;

	for (i = 0; i < RESOURCE_OPERATIONS; i++)
		may = may || r->may[i];
	r->name_wrong = line_wrong(r->name, RESOURCE_NAME_MAX, NEEDED,
	    "Type the resource’s name, as in Contacts.");
	r->note_wrong = line_wrong(r->note, RESOURCE_NOTE_MAX, OPTIONAL, NULL);
	r->path_wrong = catalogue_path_wrong(r->path);
	r->may_wrong = may ? NULL : "Tick at least one operation.";
	return (r->name_wrong == NULL && r->note_wrong == NULL &&
	    r->path_wrong == NULL && r->may_wrong == NULL);
}
