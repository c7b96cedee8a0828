/*
 * The Cookie header: never more than the limit, never a ";" in a value.
 */
#include <assert.h>

#include "web/form.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena	*a = arena_new(64u << 20, NULL, NULL);
	struct fields	 f = { 0 };
	size_t		 i;

	cookie_parse(a, arena_strndup(a, (const char *)data, n), &f);
	assert(f.n <= REQ_COOKIES_MAX);
	for (i = 0; i < f.n; i++) {
		assert(strchr(f.list[i].value, ';') == NULL);
		assert(f.list[i].name[0] != '\0');
	}
	arena_free(a);
	return (0);
}
