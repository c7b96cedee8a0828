/*
 * Forms: whatever comes in, what comes out is UTF-8 without NUL, and no more
 * fields than the limit.
 */
#include <assert.h>

#include "web/form.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena	*a = arena_new(64u << 20, NULL, NULL);
	struct fields	 f;
	size_t		 i;

	if (form_parse(a, (const char *)data, n, &f) == FORM_OK) {
		assert(f.n <= REQ_FIELDS_MAX);
		for (i = 0; i < f.n; i++) {
			assert(str_utf8(f.list[i].name,
			    strlen(f.list[i].name)));
			assert(str_utf8(f.list[i].value,
			    strlen(f.list[i].value)));
		}
	}
	arena_free(a);
	return (0);
}
