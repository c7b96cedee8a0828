/*
 * What stands of a key in the database, for tests that put one there: for each
 * key that is an argument a line with its MAC, that of its first 8 characters,
 * and their version.  Settings are those of a portal.
 */
#include "base/str.h"
#include "vault/vault.h"

static _Noreturn void	failed(void *, enum db_failure, const char *);

int
main(int argc, char **argv)
{
	struct arena	*a = arena_new(1u << 20, NULL, NULL);
	const char	*why = "", *url = getenv("LATCHKEY_DATABASE_URL");
	const char	*path = getenv("LATCHKEY_MASTER_KEY_FILE");
	struct db	*db;
	unsigned char	 mac[SHA256_BYTES], first[SHA256_BYTES];
	char		 hex[2][2 * SHA256_BYTES + 1];
	int		 i;

	crypto_init();
	db = url == NULL || path == NULL ? NULL :
	    db_open(url, "key_mac", a, failed, NULL, &why);
	if (db == NULL || !vault_read_master(a, path, &why) ||
	    !vault_load(db, &why)) {
		(void)fprintf(stderr, "key_mac: %s\n", why);
		return (1);
	}
	for (i = 1; i < argc; i++) {
		if (!keyring_hmac(vault, "subscription-key", 0, argv[i],
		    strlen(argv[i]), mac) || !keyring_hmac(vault,
		    "subscription-key-prefix", 0, argv[i], 8, first))
			return (1);
		hex_encode(hex[0], mac, sizeof(mac));
		hex_encode(hex[1], first, sizeof(first));
		printf("%s %s %u\n", hex[0], hex[1],
		    keyring_newest(vault, "subscription-key"));
	}
	db_close(db);
	arena_free(a);
	return (0);
}

static void
failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)failure;
	(void)fprintf(stderr, "key_mac: %s\n", why);
	exit(1);
}
