/*
 * Rules of roles: see role.h.
 */
#include "apiusers/role.h"

#include <assert.h>

#include "base/str.h"

static bool in_number(char);

const char *const *
role_accounts_read(struct arena *a, const char *typed, size_t *ret_n,
    const char **ret_wrong)
{
	const char **list, *p = typed, *one;
	size_t n = 0, i, bytes;

	list = arena_calloc(a, ROLE_ACCOUNTS_MAX, sizeof(*list));
	for (;;) {
		p += strspn(p, " \t\r\n,");
		if (*p == '\0')
			break;
		for (bytes = 0; in_number(p[bytes]);)
			bytes++;
		if (bytes == 0 || bytes > ROLE_ACCOUNT_MAX ||
		    strchr(" \t\r\n,", p[bytes]) == NULL) {
			*ret_wrong =
			    "An account number has up to 20 of A to "
			    "Z, 0 to 9 and . _ - Write one on each line.";
			return (NULL);
		}
		one = arena_strndup(a, p, bytes);
		p += bytes;
		for (i = 0; i < n && !str_eq(list[i], one);)
			i++;
		if (i < n)
			continue;
		if (n == ROLE_ACCOUNTS_MAX) {
			*ret_wrong = "Up to 50 accounts fit into one role. "
				     "Make a second role for the others.";
			return (NULL);
		}
		list[n++] = one;
	}
	*ret_n = n;
	return (list);
}

const char *
role_operation(int i)
{
	static const char *const names[PERMISSION_METHODS] = { "GET", "POST",
		"PUT", "PATCH", "DELETE" };

	assert(i >= 0 && i < PERMISSION_METHODS);
	return (names[i]);
}

static bool
in_number(char c)
{
	return ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-');
}
