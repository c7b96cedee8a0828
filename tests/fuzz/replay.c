/*
 * Replays a fuzz target's corpus: every file of the folders that are named is
 * given to the target once.  What a fuzzer found is kept there and so becomes
 * a test of every run.  Reports as cmocka's programs do.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define INPUT_MAX	(1u << 20)

static const char	*folder;

static void
replay(void **state)
{
	static uint8_t	 input[INPUT_MAX];
	struct dirent	*entry;
	char		 path[1024];
	size_t		 n, files = 0;
	uint8_t		*copy;
	FILE		*f;
	DIR		*d = opendir(folder);

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		    entry->d_name);
		f = fopen(path, "rb");
		assert_non_null(f);
		n = fread(input, 1, sizeof(input), f);
		(void)fclose(f);
		/* A copy of the right size, so that ASan sees every step too
		 * far. */
		copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, input, n);
		assert_int_equal(LLVMFuzzerTestOneInput(copy, n), 0);
		free(copy);
		files++;
	}
	(void)closedir(d);
	assert_true(files > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(replay) };

	folder = CORPUS;
	return (cmocka_run_group_tests_name("fuzz corpus " CORPUS, tests, NULL,
	    NULL));
}
