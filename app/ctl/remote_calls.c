/*
 * The commands that a portal's API can do: what is sent, and what comes back,
 * in the form in which the commands print it.
 */
#include "ctl/remote.h"

#include "api/json.h"
#include "base/clock.h"
#include "crypto/token.h"

#define COLUMNS_MAX	8
#define BODY_MAX	(16u * 1024)
#define NO_STAFF	"the token's account may not do this: it takes a token of a " \
			"member of staff"

/* Puts an item into its row; false when it isn't as described. */
typedef bool	(*row_fn)(struct ctl *, const struct api_json *item,
		    const char **cells);

static MUST_CHECK bool	 pages(struct ctl *, const char *path, int columns,
		    row_fn, struct ctl_table *);
static bool	 tenant_row(struct ctl *, const struct api_json *,
		    const char **);
static bool	 subscription_row(struct ctl *, const struct api_json *,
		    const char **);
static int	 compare_rows(const void *, const void *);
static bool	 found_read(struct ctl *, const struct api_json *,
		    struct found_key *);
static const struct api_json *member(const struct api_json *,
		    const char *name, enum api_json_type);
static const char *text_of(const struct api_json *, const char *name);
static bool	 instant(struct ctl *, const char *, int64_t *ret_at);

bool
remote_tenants(struct ctl *ctl, struct ctl_table *ret_table)
{
	return (pages(ctl, "/staff/tenants", 5, tenant_row, ret_table));
}

/* The API has the newest first; here they stand by client, as locally. */
bool
remote_subscriptions(struct ctl *ctl, struct ctl_table *ret_table)
{
	if (!pages(ctl, "/staff/subscriptions", COLUMNS_MAX, subscription_row,
	    ret_table))
		return (false);
	if (ret_table->n > 1)
		qsort(ret_table->cells, (size_t)ret_table->n, COLUMNS_MAX *
		    sizeof(*ret_table->cells), compare_rows);
	return (true);
}

bool
remote_key_find(struct ctl *ctl, enum find_by by, const char *text,
    struct found_keys *ret_found)
{
	static const char *const names[] = { "key", "first8", "last4" };
	const struct api_json	*answer, *items;
	struct out		 body;
	size_t			 i;

	out_begin(&body, ctl->arena);
	out_open(&body, NULL, '{');
	out_text(&body, names[by], text);
	out_close(&body, '}');
	if (!remote_call(ctl, "/staff/keys/find", buf_text(&body.b), NO_STAFF,
	    &answer))
		return (false);
	items = member(answer, "items", JSON_IS_ARRAY);
	if (items == NULL)
		return (remote_refuse_answer(ctl));
	ret_found->list = arena_calloc(ctl->arena, items->n,
	    sizeof(*ret_found->list));
	for (i = 0; i < items->n; i++)
		if (!found_read(ctl, &items->list[i], &ret_found->list[i]))
			return (remote_refuse_answer(ctl));
	ret_found->n = (int)items->n;
	return (true);
}

bool
remote_key_revoke(struct ctl *ctl, const char *id, int64_t overlap_s,
    const char *reason)
{
	const struct api_json	*answer;
	struct out		 body;

	out_begin(&body, ctl->arena);
	out_open(&body, NULL, '{');
	out_text(&body, "reason", reason);
	out_number(&body, "overlap_s", overlap_s);
	out_close(&body, '}');
	return (remote_call(ctl, arena_fmt(ctl->arena,
	    "/staff/keys/%s/revoke", id), buf_text(&body.b), "there is no "
	    "such value that works, or the token is not of a member of staff: "
	    "see key find", &answer));
}

/* All pages of a list, into a table. */
static bool
pages(struct ctl *ctl, const char *path, int columns, row_fn read_row,
    struct ctl_table *ret_table)
{
	const struct api_json	*answer, *items;
	const char		*after = NULL, *next, **cells = NULL, **more;
	size_t			 i, n = 0, room = 0, width = (size_t)columns;
	struct buf		 b;

	do {
		buf_init(&b, ctl->arena, BODY_MAX);
		buf_str(&b, path);
		if (after != NULL) {
			buf_str(&b, "?after=");
			buf_url(&b, after);
		}
		if (b.full || !remote_call(ctl, buf_text(&b), NULL, NO_STAFF,
		    &answer))
			return (b.full ? remote_refuse_answer(ctl) : false);
		items = member(answer, "items", JSON_IS_ARRAY);
		if (items == NULL)
			return (remote_refuse_answer(ctl));
		if (n + items->n > room) {
			room = 2 * (n + items->n);
			more = arena_calloc(ctl->arena, room * width,
			    sizeof(*more));
			if (n > 0)
				memcpy(more, cells, n * width *
				    sizeof(*more));
			cells = more;
		}
		for (i = 0; i < items->n; i++, n++)
			if (!read_row(ctl, &items->list[i],
			    cells + n * width))
				return (remote_refuse_answer(ctl));
		next = text_of(answer, "next");
		/* A page that leads to itself would never end. */
		if (next != NULL && (items->n == 0 || (after != NULL &&
		    str_eq(next, after))))
			return (remote_refuse_answer(ctl));
		after = next;
	} while (after != NULL);
	*ret_table = (struct ctl_table){ (int)n, columns, cells };
	return (true);
}

static bool
tenant_row(struct ctl *ctl, const struct api_json *item, const char **cells)
{
	const struct api_json	*domains, *people;
	struct buf		 b;
	size_t			 i;

	cells[0] = text_of(item, "code");
	cells[1] = text_of(item, "name");
	cells[2] = text_of(item, "state");
	domains = member(item, "domains", JSON_IS_ARRAY);
	people = member(item, "contacts", JSON_IS_NUMBER);
	if (cells[0] == NULL || cells[1] == NULL || cells[2] == NULL ||
	    domains == NULL || people == NULL)
		return (false);
	buf_init(&b, ctl->arena, REMOTE_ANSWER_MAX);
	for (i = 0; i < domains->n; i++) {
		if (domains->list[i].type != JSON_IS_TEXT ||
		    str_has_control(domains->list[i].text))
			return (false);
		if (i > 0)
			buf_chr(&b, ';');
		buf_str(&b, domains->list[i].text);
	}
	cells[3] = buf_text(&b);
	cells[4] = arena_fmt(ctl->arena, "%lld", (long long)people->number);
	return (true);
}

static bool
subscription_row(struct ctl *ctl, const struct api_json *item,
    const char **cells)
{
	static const char *const names[COLUMNS_MAX] = { "name", "tenant",
	    "product", "environment", "state", "created_at", "expires_at",
	    "id" };
	size_t	i;

	(void)ctl;
	for (i = 0; i < COLUMNS_MAX; i++) {
		cells[i] = text_of(item, names[i]);
		if (cells[i] == NULL && !str_eq(names[i], "expires_at"))
			return (false);
	}
	return (true);
}

/* By client, then by age; ids of one second are in the order of their
 * making (UUIDv7). */
static int
compare_rows(const void *a, const void *b)
{
	static const int	 by[] = { 1, 5, 7 };
	const char *const	*x = a, *const *y = b;
	size_t			 i;
	int			 d = 0;

	for (i = 0; i < COUNT(by) && d == 0; i++)
		d = strcmp(x[by[i]], y[by[i]]);
	return (d);
}

static bool
found_read(struct ctl *ctl, const struct api_json *item,
    struct found_key *ret_key)
{
	const char	*made_at = text_of(item, "made_at");
	struct found_key k = {
		.id = text_of(item, "id"),
		.slot = text_of(item, "slot"),
		.last4 = text_of(item, "last4"),
		.state = text_of(item, "state"),
		.subscription_id = text_of(item, "subscription_id"),
		.subscription = text_of(item, "subscription"),
		.issued_id = "",
		.name = "",
		.subscription_state = text_of(item, "subscription_state"),
		.code = text_of(item, "tenant"),
	};
	const char	*words[] = { k.id, k.slot, k.last4, k.state,
			    k.subscription_id, k.subscription_state, k.code };
	size_t		 i;

	/* Key find prints these as they are. */
	for (i = 0; i < COUNT(words); i++)
		if (words[i] == NULL || strpbrk(words[i], "\"\\") != NULL)
			return (false);
	if (k.subscription == NULL || made_at == NULL ||
	    !instant(ctl, made_at, &k.made_at))
		return (false);
	*ret_key = k;
	return (true);
}

static const struct api_json *
member(const struct api_json *of, const char *name, enum api_json_type type)
{
	size_t	i;

	if (of == NULL || of->type != JSON_IS_OBJECT)
		return (NULL);
	for (i = 0; i < of->n; i++)
		if (str_eq(of->list[i].name, name))
			return (of->list[i].type == type ? &of->list[i] :
			    NULL);
	return (NULL);
}

/* NULL for null, for none, and for what would not stay in its line. */
static const char *
text_of(const struct api_json *of, const char *name)
{
	const struct api_json	*m = member(of, name, JSON_IS_TEXT);

	return (m != NULL && !str_has_control(m->text) ? m->text : NULL);
}

/* "2026-11-22T14:05:09Z" */
static bool
instant(struct ctl *ctl, const char *text, int64_t *ret_at)
{
	int64_t	at, seconds;

	if (strlen(text) != 20 || text[16] != ':' || text[19] != 'Z' ||
	    !clock_parse(arena_strndup(ctl->arena, text, 16), &at) ||
	    !str_to_int(arena_strndup(ctl->arena, text + 17, 2), 0, 59,
	    &seconds))
		return (false);
	*ret_at = at + seconds * SECOND_US;
	return (true);
}
