/*
 * For tests/bench/rotation.py.
 *
 *	seal_rate speed		keys sealed and opened a second
 *	seal_rate rows N	rows of subscription_key for N subscriptions, as
 *				COPY reads them, sealed under the newest data
 *				key of LATCHKEY_DATABASE_URL
 */
#include "keys/key.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "vault/vault.h"

#define SPEED_US	(2 * SECOND_US)
#define ROUND		1000

static struct arena	*arena;

static void
fail(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)failure;
	(void)fprintf(stderr, "seal_rate: %s\n", why);
	exit(1);
}

static void
speed(void)
{
	static const char	 text[] = "0123456789abcdef0123456789abcdef";
	unsigned char		 sealed[KEY_SEALED];
	char			 row[KEY_ROW_MAX];
	struct arena		*a = NULL;
	struct secret		 plain;
	int64_t			 began, us, n[2];
	int			 way, i;

	key_row(row, "0193f1c8-0000-7000-8000-000000000001", "primary");
	seal(vault, row, text, KEY_TEXT - 1, sealed);
	for (way = 0; way < 2; way++) {
		began = clock_monotonic();
		n[way] = 0;
		do {
			a = arena_new(1024 * 1024, NULL, NULL);
			for (i = 0; i < ROUND; i++) {
				if (way == 0)
					seal(vault, row, text, KEY_TEXT - 1,
					    sealed);
				else if (seal_open(vault, a, row, sealed,
				    sizeof(sealed), &plain) != SEAL_OK)
					abort();
			}
			arena_free(a);
			n[way] += ROUND;
			us = clock_monotonic() - began;
		} while (us < SPEED_US);
		n[way] = n[way] * SECOND_US / us;
	}
	printf("%" PRId64 " %" PRId64 "\n", n[0], n[1]);
}

static void
rows(int64_t subscriptions)
{
	static const char *const	 slots[] = { "primary", "secondary" };
	struct key_made			 made;
	char				 sealed[2 * KEY_SEALED + 1];
	char				 mac[2 * SHA256_BYTES + 1];
	char				 prefix[2 * SHA256_BYTES + 1];
	int64_t				 n;
	size_t				 slot;

	for (n = 0; n < subscriptions; n++) {
		for (slot = 0; slot < COUNT(slots); slot++) {
			if (!key_make(vault, slots[slot], &made))
				abort();
			hex_encode(sealed, made.sealed, sizeof(made.sealed));
			hex_encode(mac, made.mac, sizeof(made.mac));
			hex_encode(prefix, made.prefix_mac,
			    sizeof(made.prefix_mac));
			printf("%s\t00000000-0000-4000-8000-%012" PRIx64
			    "\t%s\t\\\\x%s\t\\\\x%s\t\\\\x%s\t%u\t%s\n",
			    made.id, n, slots[slot], sealed, mac, prefix,
			    made.mac_version, made.last4);
		}
	}
}

int
main(int argc, char **argv)
{
	const char	*why = "";
	struct db	*db;
	int64_t		 n = 0;

	if (!(argc == 2 && str_eq(argv[1], "speed")) && !(argc == 3 &&
	    str_eq(argv[1], "rows") && str_to_int(argv[2], 1, 10000000, &n)))
		return (2);
	crypto_init();
	setting_load(SETTING_TOOL);
	arena = arena_new(64u * 1024 * 1024, NULL, NULL);
	db = db_open(setting->database_url, "seal_rate", arena, fail, NULL,
	    &why);
	if (db == NULL || !vault_read_master(arena, setting->master_key_file,
	    &why) || !vault_load(db, &why))
		fail(NULL, DB_FAIL_BUG, why);
	if (n > 0)
		rows(n);
	else
		speed();
	db_close(db);
	arena_free(arena);
	return (fflush(stdout) == 0 ? 0 : 1);
}
