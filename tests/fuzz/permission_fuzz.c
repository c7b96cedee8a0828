/*
 * Calls and sets of permissions: what is granted has an even path, under the
 * resource that was told; a text that is taken as a set is read within it.
 * The input is a text of a set, a NUL, and a target.
 */
#include <assert.h>

#include "apiusers/permission.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void check(const struct permission_set *, const char *target,
    size_t target_n);

static const char usual[] = "/a GET=all\n/a/b\n/c/d GET=1,2 DELETE=all\n";
static const char parts[] = "/a GET=all\n/a/b\n/a/{x}/c GET=all\n"
			    "/a/{x}/c/d\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint32_t memory[4096];
	const char *text = (const char *)data, *target;
	const struct permission_set *set;
	size_t text_n, target_n;

	target = n == 0 ? NULL : memchr(text, '\0', n);
	text_n = target == NULL ? n : (size_t)(target - text);
	target = target == NULL ? "" : target + 1;
	target_n = text_n == n ? 0 : n - text_n - 1;
	set = permission_set_make(memory, sizeof(memory), text, text_n);
	if (set != NULL)
		(void)permission_decide(set, "GET", 3, target, target_n);
	set = permission_set_make(memory, sizeof(memory), usual,
	    sizeof(usual) - 1);
	assert(set != NULL);
	check(set, target, target_n);
	set = permission_set_make(memory, sizeof(memory), parts,
	    sizeof(parts) - 1);
	assert(set != NULL);
	check(set, target, target_n);
	return (0);
}

static void
check(const struct permission_set *set, const char *target, size_t target_n)
{
	struct permission_answer got;

	got = permission_decide(set, "GET", 3, target, target_n);
	if (got.verdict != PERMISSION_GRANTED)
		return;
	assert(target_n >= 2 && target[0] == '/');
	assert(got.resource_bytes >= 2 && got.scope_bytes >= 3);
	assert(memchr(target, '\\', target_n) == NULL ||
	    memchr(target, '?', target_n) != NULL);
}
