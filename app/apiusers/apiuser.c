/*
 * Rules of API users: names, times, passwords.
 */
#include "apiusers/apiuser.h"

#include <assert.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

#define NAME_MIN	2
#define NAME_MAX	32
#define PASSWORD_RANDOM	24	/* bytes: 192 bits */

static bool in_name(int32_t);

const char *
api_username_read(struct arena *a, const char *typed, const char *code,
    const char **ret_wrong)
{
	const char *name = str_squeeze(a, typed), *p;
	int32_t point;
	size_t n;

	if (*name == '\0') {
		*ret_wrong = "Write a user name, for example FORTAPI.";
		return (NULL);
	}
	for (p = name; *p != '\0'; p += n) {
		n = str_next(p, strlen(p), &point);
		if (n == 0)
			break;
		if (in_name(point))
			continue;
		if (point == '@') {
			*ret_wrong = arena_fmt(a,
			    "Leave out the “@”: “@%s” is "
			    "added to every user of yours.",
			    code);
		} else if (point == ' ') {
			*ret_wrong = "The name can’t hold a space. Use “-” or "
				     "“_” in its place.";
		} else if (point > 0x7f && !str_is_hidden(point)) {
			*ret_wrong = arena_fmt(a,
			    "The name can’t hold “%s”. "
			    "It may look like a Latin letter, but is another. "
			    "Use A to Z, 0 to 9 and . _ -",
			    arena_strndup(a, p, n));
		} else if (point > ' ' && point < 0x7f) {
			*ret_wrong = arena_fmt(a,
			    "The name can’t hold “%c”. "
			    "Use A to Z, 0 to 9 and . _ -",
			    (char)point);
		} else {
			*ret_wrong =
			    "The name holds a character that can’t "
			    "be seen. Type it anew, in A to Z, 0 to 9 and "
			    ". _ -";
		}
		return (NULL);
	}
	n = strlen(name);
	if (n < NAME_MIN || n > NAME_MAX) {
		*ret_wrong = "The name must have 2 to 32 characters.";
		return (NULL);
	}
	return (str_upper(a, name));
}

const char *
api_line_wrong(struct arena *a, const char *what, const char *typed, size_t max)
{
	if (str_has_control(typed) || str_has_hidden(typed, true))
		return (arena_fmt(a,
		    "%s holds a character that can’t be "
		    "seen. Type it anew.",
		    what));
	if (str_chars(typed) > max)
		return (arena_fmt(a,
		    "%s may have up to %zu characters. "
		    "Shorten it.",
		    what, max));
	return (NULL);
}

bool
api_expiry_read(const char *typed, int64_t now, int64_t *ret_at)
{
	struct tm day, same;
	int64_t year, month, at;
	char text[11];
	time_t start;

	if (*typed == '\0') {
		*ret_at = 0;
		return (true);
	}
	if (strlen(typed) != 10 || typed[4] != '-' || typed[7] != '-')
		return (false);
	memcpy(text, typed, sizeof(text));
	text[4] = text[7] = '\0';
	memset(&day, 0, sizeof(day));
	if (!str_to_int(text, 1970, 9999, &year))
		return (false);
	/* "03" is a month, and no whole number of ours. */
	if (!str_to_int(text + 5 + (text[5] == '0'), 1, 12, &month) ||
	    !str_to_int(text + 8 + (text[8] == '0'), 1, 31, &at))
		return (false);
	day.tm_year = (int)year - 1900;
	day.tm_mon = (int)month - 1;
	day.tm_mday = (int)at;
	same = day;
	start = timegm(&same);
	/* 31 February would be a day in March. */
	if (same.tm_mday != day.tm_mday)
		return (false);
	at = (int64_t)start * SECOND_US + DAY_US;
	if (at <= now || at > now + API_LIFE_MAX_DAYS * DAY_US)
		return (false);
	*ret_at = at;
	return (true);
}

bool
api_overlap_read(const char *typed, int64_t *ret_s)
{
	static const int64_t known[] = { 0, 3600, 86400, API_OVERLAP_MAX_S };
	int64_t s = 0;
	size_t i;

	if (*typed != '\0' && !str_to_int(typed, 0, API_OVERLAP_MAX_S, &s))
		return (false);
	for (i = 0; i < COUNT(known); i++) {
		if (known[i] == s) {
			*ret_s = s;
			return (true);
		}
	}
	return (false);
}

bool
api_password_make(const struct keyring *ring, struct arena *a,
    const char *user_id, struct api_password *ret_password)
{
	struct api_password made;
	unsigned char raw[PASSWORD_RANDOM];
	char text[API_PASSWORD_TEXT];
	struct secret random = { raw, sizeof(raw) };
	struct secret word = { (unsigned char *)text, sizeof(text) - 1 };
	bool ok;

	uuid_make(made.id);
	random_bytes(raw, sizeof(raw));
	base64url_encode(text, raw, sizeof(raw));
	made.mac_version = keyring_newest(ring, "api-user-password");
	ok = made.mac_version != 0 &&
	    api_password_mac(ring, made.mac_version, user_id, text,
		sizeof(text) - 1, made.mac);
	made.text = secret_copy(a, text, sizeof(text) - 1);
	secret_wipe(&random);
	secret_wipe(&word);
	if (ok)
		*ret_password = made;
	return (ok);
}

bool
api_password_mac(const struct keyring *ring, uint32_t version,
    const char *user_id, const char *password, size_t bytes,
    unsigned char ret_mac[SHA256_BYTES])
{
	char text[UUID_TEXT + 256];
	struct secret whole = { (unsigned char *)text, sizeof(text) };
	bool ok;

	assert(strlen(user_id) == UUID_TEXT - 1);
	if (bytes > sizeof(text) - UUID_TEXT)
		return (false);
	memcpy(text, user_id, UUID_TEXT - 1);
	text[UUID_TEXT - 1] = ':';
	memcpy(text + UUID_TEXT, password, bytes);
	ok = keyring_hmac(ring, "api-user-password", version, text,
	    UUID_TEXT + bytes, ret_mac);
	secret_wipe(&whole);
	return (ok);
}

static bool
in_name(int32_t c)
{
	return ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-');
}
