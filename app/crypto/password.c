/*
 * zxcvbn knows ASCII only: to it a letter of another script is two or three
 * random bytes, and twelve times the same letter looks strong.  So it is shown
 * a password in which every character is one ASCII character (struct view):
 * accents dropped; Cyrillic as the Latin letter of the same key, so that rows
 * of keys are seen; and, second, every letter by its place in its alphabet, so
 * that runs and repetitions stay what they are.  The lower of both estimates
 * counts.
 */
#include "crypto/password.h"

#include <assert.h>
#include <ctype.h>
#include <sodium.h>
#include <utf8proc.h>
#include <zxcvbn.h>

#include "base/str.h"
#include "crypto/breached.h"
#include "crypto/password_list.h"

#define OPERATIONS	2
#define MEMORY_KIB	19456		/* 19 MiB */
#define TEXT_(n)	#n
#define TEXT(n)		TEXT_(n)

#define GUESSABLE_BITS	26.5754		/* log2 of 10^8 */

/* A UTF-8 character has at most 4 bytes. */
#define PASSWORD_MAX_BYTES	(PASSWORD_MAX_CHARS * 4)

#define OWN_WORDS	64	/* of name, address, client, portal, products,
				 * and `everyday` */
#define OWN_WORD_CHARS	40

enum view_kind { VIEW_KEYS, VIEW_PLACES };

struct own_words {
	char		 text[OWN_WORDS][OWN_WORD_CHARS + 1];
	const char	*list[OWN_WORDS + 1];
	size_t		 n;
};

/*
 * What a password is compared with where there is no account: today's
 * parameters, and salt and hash drawn once at random; nobody knows a password
 * that gives this hash.
 */
static const char dummy_hash[] = "$argon2id$v=19$m=" TEXT(MEMORY_KIB) ",t="
    TEXT(OPERATIONS) ",p=1$IyIi2cN0/pVkS8h00JgrCQ$"
    "BGRZEIjiYeHxWxhdN4IvkvODu/WrW1rJK662nf92EYs";

/* What zxcvbn's lists, which are English, lack: "password" and the like. */
static const char *const everyday[] = { "пароль", "привет", "любовь",
	"passwort", "hallo", "schatz", "motdepasse", "bonjour", "contraseña",
	"hola", "senha", "haslo", "heslo", "wachtwoord", "parola", "sifre",
	"κωδικός", "パスワード", "비밀번호", "पासवर्ड", NULL };

static double	 bits_of(const char *, const char *const *, enum view_kind);
static void	 own_words_add(struct own_words *, const char *,
		    enum view_kind);
static bool	 view(const char *, enum view_kind, char *, size_t);
static char	 view_char(int32_t, enum view_kind);
static bool	 is_common(const char *);
static int	 compare_word(const void *, const void *);

enum password_verdict
password_judge(struct secret password, const char *const *own_words)
{
	enum password_verdict	verdict = PASSWORD_GOOD;
	char			s[PASSWORD_MAX_BYTES + 1];
	size_t			chars;

	if (password.n > PASSWORD_MAX_BYTES)
		return (PASSWORD_TOO_LONG);
	if (memchr(password.p, '\0', password.n) != NULL)
		return (PASSWORD_CONTROL);
	memcpy(s, password.p, password.n);
	s[password.n] = '\0';

	chars = str_chars(s);
	if (!str_utf8(s, password.n) || str_has_control(s))
		verdict = PASSWORD_CONTROL;
	else if (chars < PASSWORD_MIN_CHARS)
		verdict = PASSWORD_TOO_SHORT;
	else if (chars > PASSWORD_MAX_CHARS)
		verdict = PASSWORD_TOO_LONG;
	else if (is_common(s))
		verdict = PASSWORD_COMMON;
	else if (bits_of(s, own_words, VIEW_KEYS) < GUESSABLE_BITS ||
	    bits_of(s, own_words, VIEW_PLACES) < GUESSABLE_BITS)
		verdict = PASSWORD_GUESSABLE;
	else if (breached_holds(password))
		verdict = PASSWORD_BREACHED;
	sodium_memzero(s, sizeof(s));
	return (verdict);
}

const char *
password_advice(enum password_verdict verdict)
{
	switch (verdict) {
	case PASSWORD_GOOD:
		return ("");
	case PASSWORD_TOO_SHORT:
		return ("Use at least 12 characters. Four words that don’t "
		    "belong together are strong and easy to keep in mind.");
	case PASSWORD_TOO_LONG:
		return ("Use at most 128 characters.");
	case PASSWORD_CONTROL:
		return ("Leave out tabs, line breaks and other characters "
		    "that can’t be seen.");
	case PASSWORD_COMMON:
		return ("Many people use this password, so it is tried first. "
		    "Use four words that don’t belong together.");
	case PASSWORD_GUESSABLE:
		return ("A computer guesses this within minutes. Leave out "
		    "your name and client, repetitions and rows of keys; add "
		    "a word or two that nobody expects.");
	case PASSWORD_BREACHED:
		return ("This password was stolen somewhere and published, so "
		    "it is tried first. Change it wherever you use it, and "
		    "choose another one here.");
	}
	abort();
}

struct secret
password_normalise(struct arena *a, const char *typed)
{
	size_t	 n = strnlen(typed, SECRET_MAX + 1);
	char	*s;

	/* Longer than any password may be, even with all marks apart: what is
	 * left is too long still, so it is refused and matches nothing. */
	if (n > SECRET_MAX)
		return (secret_copy(a, typed, SECRET_MAX));
	s = str_nfc(a, typed);
	if (s == NULL)
		return (secret_copy(a, typed, n));
	return (secret_copy(a, s, strnlen(s, SECRET_MAX)));
}

bool
password_hash(struct secret password, char ret_hash[PASSWORD_HASH_BYTES])
{
	char	hash[PASSWORD_HASH_BYTES] = { 0 };

	static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES,
	    "the size that libsodium writes");
	if (crypto_pwhash_str_alg(hash, (const char *)password.p, password.n,
	    OPERATIONS, (size_t)MEMORY_KIB * 1024,
	    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return (false);
	memcpy(ret_hash, hash, sizeof(hash));
	return (true);
}

enum password_match
password_verify(struct secret password, const char *hash)
{
	char	copy[PASSWORD_HASH_BYTES] = { 0 };
	int	stale = -1;

	/* libsodium reads all of the 128 bytes. */
	if (hash != NULL && strlen(hash) < sizeof(copy)) {
		memcpy(copy, hash, strlen(hash));
		stale = crypto_pwhash_str_needs_rehash(copy, OPERATIONS,
		    (size_t)MEMORY_KIB * 1024);
	}
	if (stale == -1) {
		memset(copy, 0, sizeof(copy));
		memcpy(copy, dummy_hash, sizeof(dummy_hash));
	}
	if (crypto_pwhash_str_verify(copy, (const char *)password.p,
	    password.n) != 0 || stale == -1)
		return (PASSWORD_WRONG);
	return (stale == 0 ? PASSWORD_RIGHT : PASSWORD_RIGHT_REHASH);
}

/* zxcvbn's estimate: the logarithm of the number of tries. */
static double
bits_of(const char *password, const char *const *words, enum view_kind kind)
{
	struct own_words	own = { .n = 0 };
	char			shown[PASSWORD_MAX_CHARS + 1];
	double			bits;
	size_t			i;
	bool			fits;

	for (i = 0; everyday[i] != NULL; i++)
		own_words_add(&own, everyday[i], kind);
	for (; words != NULL && *words != NULL; words++)
		own_words_add(&own, *words, kind);
	own.list[own.n] = NULL;
	fits = view(password, kind, shown, sizeof(shown));
	assert(fits);
	bits = ZxcvbnMatch(shown, own.list, NULL);
	sodium_memzero(shown, sizeof(shown));
	return (bits);
}

/*
 * Splits at everything that is not a letter.  Words of one or two letters tell
 * nothing, and zxcvbn wants lower case.  More words than fit are left out.
 */
static void
own_words_add(struct own_words *own, const char *s, enum view_kind kind)
{
	utf8proc_category_t	 category;
	size_t			 left = strlen(s), chars = 0, n;
	int32_t			 c;
	char			*word;

	for (;;) {
		n = str_next(s, left, &c);
		category = n > 0 ? utf8proc_category(c) :
		    UTF8PROC_CATEGORY_CN;
		if (own->n == OWN_WORDS)
			return;
		word = own->text[own->n];
		if (category >= UTF8PROC_CATEGORY_LU &&
		    category <= UTF8PROC_CATEGORY_MC) {
			if (chars < OWN_WORD_CHARS)
				word[chars++] = view_char(
				    utf8proc_tolower(c), kind);
		} else {
			word[chars] = '\0';
			if (chars >= 3)
				own->list[own->n++] = word;
			chars = 0;
		}
		if (left == 0)
			return;
		n = n > 0 ? n : 1;
		s += n;
		left -= n;
	}
}

/* The password with each character as one of ASCII; s is UTF-8. */
static bool
view(const char *s, enum view_kind kind, char *ret_shown, size_t size)
{
	size_t	left = strlen(s), used = 0, n;
	int32_t	c, lower;
	char	shown;

	for (; left > 0; s += n, left -= n) {
		n = str_next(s, left, &c);
		if (n == 0 || used + 1 == size)
			return (false);
		lower = utf8proc_tolower(c);
		shown = view_char(lower, kind);
		ret_shown[used++] = c == lower ? shown :
		    (char)toupper((unsigned char)shown);
	}
	ret_shown[used] = '\0';
	return (true);
}

static char
view_char(int32_t c, enum view_kind kind)
{
	/* U+0430 to U+044F, а to я, on a Russian and a US keyboard */
	static const char	keys[] = "f,dult;pbqrkvyjghcnea[wxio]sm'.z";
	int32_t			base[8];
	int			last = 0;

	if (c < 0x80)
		return ((char)c);
	if (kind == VIEW_KEYS && c >= 0x430 && c <= 0x44f)
		return (keys[c - 0x430]);
	if (kind == VIEW_KEYS && c == 0x451)
		return ('`');
	if (utf8proc_decompose_char(c, base, COUNT(base), UTF8PROC_COMPAT |
	    UTF8PROC_DECOMPOSE, &last) > 0 && base[0] < 0x80)
		return ((char)base[0]);
	return ((char)('a' + c % 26));
}

/* The list is ASCII, so nothing else needs to be lowered. */
static bool
is_common(const char *password)
{
	char	lower[PASSWORD_MAX_BYTES + 1];
	size_t	i;
	bool	found;

	for (i = 0; password[i] != '\0'; i++)
		lower[i] = password[i] >= 'A' && password[i] <= 'Z' ?
		    (char)(password[i] - 'A' + 'a') : password[i];
	lower[i] = '\0';
	found = bsearch(lower, common_passwords, common_passwords_count,
	    sizeof(common_passwords[0]), compare_word) != NULL;
	sodium_memzero(lower, sizeof(lower));
	return (found);
}

static int
compare_word(const void *word, const void *element)
{
	return (strcmp(word, *(const char *const *)element));
}
