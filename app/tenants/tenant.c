/*
 * Names, codes and slugs of clients: see tenant.h.
 *
 * A name is folded in three steps: str_fold() takes case and accents away;
 * the rest is cut into words at everything that is neither letter nor digit,
 * where full stops and apostrophes join ("S.p.A." is one word, and so is
 * "O'Neil"); then the words at the end that only tell the legal form go.
 */
#include "tenants/tenant_edit.h"

#include <assert.h>

#include <utf8proc.h>

#include "mail/address.h"

#define FOLD_MAX	2048u		/* bytes of a folded name */
#define WORDS_MAX	64u		/* what stands beyond is one word */

struct words {
	const char	*list[WORDS_MAX];
	unsigned	 n;
};

static void	words_split(struct arena *, const char *, struct words *);
static bool	words_drop_suffix(struct arena *, struct words *);
static bool	is_suffix(const char *);
static bool	is_word_point(int32_t);
static bool	is_joiner(int32_t);
static size_t	slug_fill(char [TENANT_SLUG_MAX + 1], const char *);
static bool	is_ascii_alnum(char);

/*
 * Legal forms, folded.  Only those that hardly ever are a part of a name are
 * here: "group" or "services" tell companies apart.
 */
static const char *const suffixes[] = {
	"ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp",
	"corporation", "eood", "gmbh", "inc", "incorporated", "kft", "kg",
	"kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "ltda", "mbh", "nv",
	"oao", "ood", "ooo", "oy", "oyj", "plc", "pllc", "pte", "pty", "pvt",
	"sa", "sarl", "sas", "sl", "spa", "srl", "sro", "ug", "zrt",
};

const char *
tenant_fold(struct arena *a, const char *name)
{
	struct words	 words = { .n = 0 };
	struct buf	 b;
	const char	*folded = str_fold(a, name);
	unsigned	 i;

	if (folded == NULL)
		return ("");
	words_split(a, folded, &words);
	while (words_drop_suffix(a, &words))
		;
	buf_init(&b, a, FOLD_MAX);
	for (i = 0; i < words.n; i++)
		buf_str(&b, words.list[i]);
	return (b.full ? folded : buf_text(&b));
}

bool
tenant_code_valid(const char *code)
{
	size_t	n = strlen(code), i;

	if (n < TENANT_CODE_MIN || n > TENANT_CODE_MAX ||
	    code[0] == '-' || code[n - 1] == '-')
		return (false);
	for (i = 0; i < n; i++) {
		if (code[i] != '-' && (!is_ascii_alnum(code[i]) ||
		    (code[i] >= 'a' && code[i] <= 'z')))
			return (false);
	}
	return (true);
}

const char *
tenant_code_propose(struct arena *a, const char *name)
{
	char		 code[TENANT_CODE_MAX + 1];
	const char	*p;
	size_t		 n = 0;

	for (p = tenant_fold(a, name); *p != '\0'; p++) {
		if (is_ascii_alnum(*p) && n < TENANT_CODE_MAX)
			code[n++] = *p;
	}
	code[n] = '\0';
	return (n < TENANT_CODE_MIN ? "" : str_upper(a, code));
}

const char *
tenant_slug(struct arena *a, const char *name, const char *code)
{
	char		 slug[TENANT_SLUG_MAX + 1];
	const char	*folded = str_fold(a, name);

	assert(tenant_code_valid(code));
	if (slug_fill(slug, folded == NULL ? "" : folded) < 2)
		(void)slug_fill(slug, str_lower(a, code));
	return (arena_strdup(a, slug));
}

const char *
tenant_name_advice(const char *name)
{
	const char	*p;
	utf8proc_ssize_t n;
	int32_t		 point;
	bool		 has_word = false;

	if (str_blank(name))
		return ("Write the client’s name, for example Altaworx.");
	if (str_has_control(name))
		return ("The name must be one line of letters, digits and "
		    "signs, for example Altaworx.");
	for (p = name; *p != '\0'; p += n) {
		n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &point);
		if (n <= 0)
			return ("The name must be written in Unicode letters.");
		if (str_is_hidden(point))
			return ("The name holds a character that can’t be "
			    "seen. Type it anew.");
		has_word = has_word || is_word_point(point);
	}
	if (!has_word || str_chars(name) < TENANT_NAME_MIN)
		return ("The name must have at least 2 characters, and a "
		    "letter or digit among them.");
	if (str_chars(name) > TENANT_NAME_MAX)
		return ("The name may have up to 64 characters. Shorten it.");
	return (NULL);
}

const char *
tenant_slug_advice(const char *slug)
{
	size_t	n = strlen(slug), i;

	for (i = 0; i < n; i++) {
		if ((slug[i] < 'a' || slug[i] > 'z') &&
		    (slug[i] < '0' || slug[i] > '9') && slug[i] != '-')
			break;
	}
	if (n == 0 || i < n || n > TENANT_SLUG_MAX || slug[0] == '-' ||
	    slug[n - 1] == '-')
		return ("The short name may have up to 63 small letters, "
		    "digits and hyphens, with no hyphen at its ends, for "
		    "example altaworx.");
	return (NULL);
}

const char *
tenant_host_parse(struct arena *a, const char *typed)
{
	const char	*host = domain_parse(a, typed), *label;
	size_t		 n;

	if (host == NULL || strchr(host, '.') == NULL)
		return (NULL);
	for (label = host;; label += n + 1) {
		n = strcspn(label, ".");
		if (n == 0 || n > TENANT_SLUG_MAX || label[0] == '-' ||
		    label[n - 1] == '-')
			return (NULL);
		if (label[n] == '\0')
			break;
	}
	/* An address of four numbers is no name. */
	return (strspn(label, "0123456789") == n ? NULL : host);
}

static void
words_split(struct arena *a, const char *text, struct words *words)
{
	const char	*p = text;
	struct buf	 word;
	utf8proc_ssize_t n;
	int32_t		 point;
	bool		 last;

	buf_init(&word, a, FOLD_MAX);
	for (;; p += n) {
		n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &point);
		last = n <= 0 || *p == '\0';
		if (!last && is_word_point(point)) {
			buf_add(&word, p, (size_t)n);
		} else if ((last || !is_joiner(point)) && word.n > 0 &&
		    (last || words->n < WORDS_MAX - 1)) {
			words->list[words->n++] = buf_text(&word);
			buf_init(&word, a, FOLD_MAX);
		}
		if (last)
			return;
	}
}

/* "S. A." and "S.p. A." come as several words: those are tried together. */
static bool
words_drop_suffix(struct arena *a, struct words *words)
{
	struct buf	b;
	unsigned	k, i;

	for (k = 1; k <= 3 && k < words->n; k++) {
		buf_init(&b, a, FOLD_MAX);
		for (i = words->n - k; i < words->n; i++) {
			if (k > 1 && strlen(words->list[i]) > 2)
				return (false);
			buf_str(&b, words->list[i]);
		}
		if (is_suffix(buf_text(&b))) {
			words->n -= k;
			return (true);
		}
	}
	return (false);
}

static bool
is_suffix(const char *word)
{
	size_t	i;

	for (i = 0; i < COUNT(suffixes); i++) {
		if (str_eq(word, suffixes[i]))
			return (true);
	}
	return (false);
}

/* Letters, marks that belong to them, and digits. */
static bool
is_word_point(int32_t point)
{
	utf8proc_category_t	c = utf8proc_category(point);

	return ((c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) ||
	    (c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME) ||
	    (c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO));
}

/* Full stop and apostrophes, one of them curled. */
static bool
is_joiner(int32_t point)
{
	return (point == '.' || point == '\'' || point == 0x2019);
}

/*
 * Latin letters and digits, "-" for runs of other ASCII; other scripts leave
 * nothing.  6 less than the most: room for "-" and the number of a namesake.
 */
static size_t
slug_fill(char slug[TENANT_SLUG_MAX + 1], const char *text)
{
	size_t	n = 0;

	for (; *text != '\0' && n < TENANT_SLUG_MAX - 6; text++) {
		if (is_ascii_alnum(*text))
			slug[n++] = *text;
		else if (n > 0 && slug[n - 1] != '-' && *text != '\'' &&
		    *text != '.' && (unsigned char)*text < 0x80)
			slug[n++] = '-';
	}
	while (n > 0 && slug[n - 1] == '-')
		n--;
	slug[n] = '\0';
	return (n);
}

static bool
is_ascii_alnum(char c)
{
	return ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'));
}
