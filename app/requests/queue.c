/*
 * The written form of a filter, and cursors: see queue.h.
 */
#include "requests/queue.h"

#include "crypto/token.h"

#define MICROS_MAX	(INT64_C(1) << 52)	/* until the year 2112 */
#define SLUG_MAX	63

static const char *const state_words[QUEUE_STATES] = { "us", "contact", "open",
	"approved", "shared", "rejected", "withdrawn", "decided", "any" };
static const char *const sort_words[QUEUE_SORTS] = { "oldest", "newest", "due",
	"name" };

static const char	*given(struct req *, queue_get_fn, const char *name);
static size_t		 word_find(const char *const *, size_t n, const char *);
static bool		 is_slug(const char *);
static bool		 is_yes(const char *);
static void		 add(struct buf *, const char *name, const char *value);

bool
queue_filter_read(struct arena *a, struct req *rq, queue_get_fn get,
    struct queue_filter *f)
{
	const char	*slug = given(rq, get, "product");
	bool		 key;

	*f = (struct queue_filter){ .product = "", .search = "", .after = "" };
	/* A search without a state is among all. */
	f->search = str_squeeze(a, given(rq, get, "q"));
	if (*f->search != '\0')
		f->state = QUEUE_ANY;
	key = queue_holds_key(f->search);
	if (key || str_chars(f->search) > QUEUE_SEARCH_MAX ||
	    str_has_control(f->search))
		f->search = "";
	f->state = (enum queue_state)word_find(state_words, QUEUE_STATES,
	    given(rq, get, "state"));
	if (f->state == QUEUE_STATES)
		f->state = *f->search == '\0' ? QUEUE_US : QUEUE_ANY;
	f->sort = (enum queue_sort)word_find(sort_words, QUEUE_SORTS,
	    given(rq, get, "sort"));
	if (f->sort == QUEUE_SORTS)
		f->sort = QUEUE_OLDEST;
	if (is_slug(slug))
		f->product = slug;
	f->is_mine = is_yes(given(rq, get, "mine"));
	f->is_overdue = is_yes(given(rq, get, "overdue"));
	if (strlen(given(rq, get, "after")) <= QUEUE_CURSOR_MAX)
		f->after = given(rq, get, "after");
	return (key);
}

const char *
queue_filter_text(struct arena *a, const struct queue_filter *f)
{
	struct buf	b;

	/* Five short words and a slug. */
	buf_init(&b, a, 256);
	if (f->state != QUEUE_US)
		add(&b, "state", queue_state_word(f->state));
	if (*f->product != '\0')
		add(&b, "product", f->product);
	if (f->is_mine)
		add(&b, "mine", "1");
	if (f->is_overdue)
		add(&b, "overdue", "1");
	if (f->sort != QUEUE_OLDEST)
		add(&b, "sort", queue_sort_word(f->sort));
	return (buf_text(&b));
}

const char *
queue_filter_path(struct arena *a, const struct queue_filter *f)
{
	struct buf	b;

	/* A search may grow by 12: 4 bytes a character, 3 signs a byte. */
	buf_init(&b, a, 1024 + 12 * QUEUE_SEARCH_MAX + 3 * QUEUE_CURSOR_MAX);
	buf_str(&b, queue_filter_text(a, f));
	if (*f->search != '\0')
		add(&b, "q", f->search);
	if (*f->after != '\0')
		add(&b, "after", f->after);
	return (b.n == 0 ? "/staff/queue" :
	    arena_fmt(a, "/staff/queue?%s", buf_text(&b)));
}

const char *
queue_state_word(enum queue_state state)
{
	return (state_words[state]);
}

const char *
queue_sort_word(enum queue_sort sort)
{
	return (sort_words[sort]);
}

int
queue_standings(const struct queue_filter *f,
    const char *ret_list[QUEUE_STANDINGS])
{
	static const char *const names[QUEUE_STANDINGS] = { "us", "contact",
		"approved", "shared", "rejected", "withdrawn" };
	static const unsigned of_state[QUEUE_STATES] = {
		[QUEUE_US] = 1, [QUEUE_CONTACT] = 2, [QUEUE_OPEN] = 3,
		[QUEUE_APPROVED] = 4, [QUEUE_SHARED] = 8,
		[QUEUE_REJECTED] = 16, [QUEUE_WITHDRAWN] = 32,
		[QUEUE_DECIDED] = 60, [QUEUE_ANY] = 63,
	};
	/* Only what waits for us can be late. */
	unsigned	bits = of_state[f->state] & (f->is_overdue ? 1 : 63);
	int		i, n = 0;

	for (i = 0; i < QUEUE_STANDINGS; i++) {
		if ((bits >> i & 1) != 0)
			ret_list[n++] = names[i];
	}
	return (n);
}

bool
queue_holds_key(const char *text)
{
	int	run = 0;

	for (; *text != '\0' && run < QUEUE_KEY_HEX; text++) {
		if (strchr("0123456789abcdefABCDEF", *text) != NULL)
			run++;
		else if (*text != ' ')
			run = 0;
	}
	return (run == QUEUE_KEY_HEX);
}

const char *
queue_key(struct arena *a, const char *typed)
{
	struct buf	b;

	buf_init(&b, a, QUEUE_KEY_HEX + 1);
	for (; *typed != '\0'; typed++) {
		if (strchr("0123456789abcdefABCDEF", *typed) != NULL)
			buf_chr(&b, *typed);
		else if (strchr(" \t\r\n", *typed) == NULL)
			return (NULL);
	}
	return (b.full || b.n != QUEUE_KEY_HEX ? NULL :
	    str_lower(a, buf_text(&b)));
}

/* "o.<key>.<uuid>" in base64url, "o" being the order. */
const char *
queue_cursor_text(struct arena *a, enum queue_sort sort, const char *key,
    const char *id)
{
	const char	*plain;
	char		*text;
	size_t		 n;

	plain = arena_fmt(a, "%c.%s.%s", sort_words[sort][0], key, id);
	n = strlen(plain);
	text = arena_alloc(a, (n * 4 + 2) / 3 + 1);
	base64url_encode(text, plain, n);
	return (text);
}

bool
queue_cursor_read(struct arena *a, enum queue_sort sort, const char *text,
    struct queue_cursor *ret_cursor)
{
	size_t		 n = strlen(text) * 3 / 4;
	char		*plain = arena_alloc(a, n + 1), *id;
	int64_t		 at;

	if (n < 2 + UUID_TEXT || !base64url_decode(plain, n, text) ||
	    !str_utf8(plain, n) || memchr(plain, '\0', n) != NULL)
		return (false);
	plain[n] = '\0';
	id = plain + n - (UUID_TEXT - 1);
	if (plain[0] != sort_words[sort][0] || plain[1] != '.' ||
	    id[-1] != '.' || id - 1 <= plain + 1 || !uuid_shaped(id))
		return (false);
	id[-1] = '\0';
	if (sort != QUEUE_NAME && !str_to_int(plain + 2, 0, MICROS_MAX, &at))
		return (false);
	*ret_cursor = (struct queue_cursor){ plain + 2, id };
	return (true);
}

static const char *
given(struct req *rq, queue_get_fn get, const char *name)
{
	const char	*value = get(rq, name);

	return (value == NULL ? "" : value);
}

/* n when it is not there. */
static size_t
word_find(const char *const *words, size_t n, const char *word)
{
	size_t	i;

	for (i = 0; i < n && !str_eq(words[i], word); i++)
		continue;
	return (i);
}

static bool
is_slug(const char *text)
{
	size_t	n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return (n > 0 && n <= SLUG_MAX && text[n] == '\0');
}

static bool
is_yes(const char *text)
{
	return (str_eq(text, "1"));
}

static void
add(struct buf *b, const char *name, const char *value)
{
	if (b->n > 0)
		buf_chr(b, '&');
	buf_str(b, name);
	buf_chr(b, '=');
	buf_url(b, value);
}
