/*
 * Paths: what is accepted has no way up, no empty part, no control character.
 */
#include <assert.h>

#include "web/form.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena	*a = arena_new(64u << 20, NULL, NULL);
	char		*path;

	path = path_decode(a, arena_strndup(a, (const char *)data, n));
	if (path != NULL) {
		assert(path[0] == '/');
		assert(strstr(path, "//") == NULL);
		assert(strstr(path, "/../") == NULL);
		assert(!str_ends(path, "/.."));
		assert(strchr(path, '\\') == NULL);
		assert(!str_has_control(path));
		assert(str_utf8(path, strlen(path)));
	}
	arena_free(a);
	return (0);
}
