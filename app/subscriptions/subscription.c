/*
 * The rule of names: see subscription.h.
 */
#include "subscriptions/subscription.h"

#include <assert.h>

#include <utf8proc.h>

#define NAME_BYTES	1024u	/* 64 characters of 4 bytes fit four times */

/* What a character is to a client name. */
enum place { PLACE_NONE, PLACE_SIGN, PLACE_MARK, PLACE_WORD };

static enum subscription_name_verdict client_check(struct arena *,
		    const char *, struct subscription_name *);
static enum place	place_of(int32_t);
static bool		has_suffix(const char *, bool any_case);

enum subscription_name_verdict
subscription_name_check(struct arena *a, const char *typed,
    struct subscription_name *ret_name)
{
	enum subscription_name_verdict	 verdict;
	const char			*name, *client;

	*ret_name = (struct subscription_name){ "", "", "" };
	if (str_blank(typed))
		return (SUBSCRIPTION_NAME_EMPTY);
	/* NFC may grow a text by three at most (UAX 15). */
	name = str_nfc(a, typed);
	if (name == NULL)
		return (SUBSCRIPTION_NAME_NOT_TEXT);
	if (!has_suffix(name, false))
		return (has_suffix(name, true) ? SUBSCRIPTION_NAME_CASE :
		    SUBSCRIPTION_NAME_SUFFIX);
	client = arena_strndup(a, name,
	    strlen(name) - strlen(SUBSCRIPTION_SUFFIX));
	verdict = client_check(a, client, ret_name);
	if (verdict == SUBSCRIPTION_NAME_GOOD) {
		ret_name->name = name;
		ret_name->client = client;
	}
	return (verdict);
}

const char *
subscription_name_advice(struct arena *a,
    enum subscription_name_verdict verdict,
    const struct subscription_name *name, const char *proposed)
{
	const char	*wrong = "", *right;

	right = *proposed == '\0' ? "A right name is Altaworx-KEY." :
	    arena_fmt(a, "For you that is %s.", proposed);
	switch (verdict) {
	case SUBSCRIPTION_NAME_GOOD:
		return ("");
	case SUBSCRIPTION_NAME_EMPTY:
		wrong = "Write a name: your company’s, then “-KEY”.";
		break;
	case SUBSCRIPTION_NAME_NOT_TEXT:
		wrong = "The name must be written in Unicode letters.";
		break;
	case SUBSCRIPTION_NAME_CASE:
	case SUBSCRIPTION_NAME_SUFFIX:
		wrong = "The name must end in “-KEY”, in capital letters.";
		break;
	case SUBSCRIPTION_NAME_SPACE:
		wrong = "The company’s name must not begin or end with a "
		    "space.";
		break;
	case SUBSCRIPTION_NAME_SHORT:
		wrong = "The company’s name before “-KEY” must have at least "
		    "2 characters.";
		break;
	case SUBSCRIPTION_NAME_LONG:
		wrong = "The company’s name before “-KEY” may have up to 64 "
		    "characters. Shorten it.";
		break;
	case SUBSCRIPTION_NAME_CHARACTER:
		if (*name->bad == '\0')
			wrong = "The name holds a character that can’t be "
			    "seen. Type it anew, in letters, digits, spaces "
			    "and & . ' -";
		else
			wrong = arena_fmt(a, "The name can’t hold “%s”. It may "
			    "hold letters, digits, spaces and & . ' -",
			    name->bad);
		break;
	case SUBSCRIPTION_NAME_WORDLESS:
		wrong = "The company’s name before “-KEY” must hold a letter "
		    "or digit.";
		break;
	}
	return (arena_fmt(a, "%s %s", wrong, right));
}

const char *
subscription_name_propose(struct arena *a, const char *client)
{
	struct subscription_name name;
	struct buf		 b;
	const char		*text, *p;
	utf8proc_ssize_t	 n;
	int32_t			 point;
	size_t			 chars = 0;
	enum place		 place;

	text = str_nfc(a, client);
	if (text == NULL)
		return ("");
	text = str_squeeze(a, text);
	buf_init(&b, a, NAME_BYTES);
	for (p = text; *p != '\0' && chars < SUBSCRIPTION_CLIENT_MAX; p += n) {
		n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &point);
		if (n <= 0)
			return ("");
		place = place_of(point);
		if (point == 0x2019) {
			buf_chr(&b, '\'');
		} else if (place == PLACE_NONE ||
		    (place == PLACE_MARK && b.n == 0)) {
			continue;
		} else {
			buf_add(&b, p, (size_t)n);
		}
		chars++;
	}
	text = arena_fmt(a, "%s" SUBSCRIPTION_SUFFIX,
	    str_squeeze(a, buf_text(&b)));
	/* Whatever was left out: only what the rule takes is proposed. */
	if (subscription_name_check(a, text, &name) != SUBSCRIPTION_NAME_GOOD)
		return ("");
	return (name.name);
}

static enum subscription_name_verdict
client_check(struct arena *a, const char *client,
    struct subscription_name *ret_name)
{
	const char	*p;
	utf8proc_ssize_t n;
	int32_t		 point;
	size_t		 chars = 0;
	enum place	 place;
	bool		 has_word = false;

	if (*client == ' ' || str_ends(client, " "))
		return (SUBSCRIPTION_NAME_SPACE);
	for (p = client; *p != '\0'; p += n) {
		n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &point);
		assert(n > 0);		/* str_nfc() gave well-formed text */
		place = place_of(point);
		if (place == PLACE_NONE || (place == PLACE_MARK && chars == 0)) {
			/* What can't be seen, or joins the words around it, is
			 * not shown in the sentence either. */
			switch (utf8proc_category(point)) {
			case UTF8PROC_CATEGORY_PC:
			case UTF8PROC_CATEGORY_PD:
			case UTF8PROC_CATEGORY_PS:
			case UTF8PROC_CATEGORY_PE:
			case UTF8PROC_CATEGORY_PI:
			case UTF8PROC_CATEGORY_PF:
			case UTF8PROC_CATEGORY_PO:
			case UTF8PROC_CATEGORY_SM:
			case UTF8PROC_CATEGORY_SC:
			case UTF8PROC_CATEGORY_SK:
			case UTF8PROC_CATEGORY_SO:
			case UTF8PROC_CATEGORY_NL:
			case UTF8PROC_CATEGORY_NO:
				ret_name->bad = arena_strndup(a, p, (size_t)n);
				break;
			default:
				break;
			}
			return (SUBSCRIPTION_NAME_CHARACTER);
		}
		has_word = has_word || place == PLACE_WORD;
		chars++;
	}
	if (chars < SUBSCRIPTION_CLIENT_MIN)
		return (SUBSCRIPTION_NAME_SHORT);
	if (chars > SUBSCRIPTION_CLIENT_MAX)
		return (SUBSCRIPTION_NAME_LONG);
	return (has_word ? SUBSCRIPTION_NAME_GOOD :
	    SUBSCRIPTION_NAME_WORDLESS);
}

static enum place
place_of(int32_t point)
{
	utf8proc_category_t	c;

	switch (point) {
	case ' ':
	case '&':
	case '.':
	case '\'':
	case '-':
		return (PLACE_SIGN);
	default:
		break;
	}
	if (str_is_hidden(point))
		return (PLACE_NONE);
	c = utf8proc_category(point);
	if ((c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) ||
	    c == UTF8PROC_CATEGORY_ND)
		return (PLACE_WORD);
	if (c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME)
		return (PLACE_MARK);
	return (PLACE_NONE);
}

static bool
has_suffix(const char *name, bool any_case)
{
	size_t	n = strlen(name), m = strlen(SUBSCRIPTION_SUFFIX);

	if (n < m)
		return (false);
	return (any_case ? str_eq_nocase(name + n - m, SUBSCRIPTION_SUFFIX) :
	    str_eq(name + n - m, SUBSCRIPTION_SUFFIX));
}
