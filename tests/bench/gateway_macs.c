/*
 * What a database of keys and API users needs that only the vault's keys can
 * make: tests/bench/gateway.py fills one with it.
 *
 *	gateway_macs KEYS USERS
 *
 * The settings LATCHKEY_DATABASE_URL and LATCHKEY_MASTER_KEY_FILE are those of
 * a portal.  One line each: the HMAC of the key "%032x" of each number below
 * KEYS, then that of the password below for each user of a number below USERS,
 * whose id is what gateway_world.py makes of it.  Exit 1 with a line on standard
 * error when the vault can't be opened.
 */
#include "apiusers/apiuser.h"
#include "base/str.h"
#include "vault/vault.h"

#define ARENA_MAX	(1024u * 1024)
#define USER_ID		"%08llx-%04llx-7aa0-8%03llx-%012llx"
#define PASSWORD	"a-password-of-32-characters-here"

static _Noreturn void	failed(void *, enum db_failure, const char *);
static int		refuse(const char *);
static void		print(const unsigned char *);

int
main(int argc, char **argv)
{
	struct arena	*a = arena_new(ARENA_MAX, NULL, NULL);
	const char	*why = "", *url = getenv("LATCHKEY_DATABASE_URL");
	const char	*path = getenv("LATCHKEY_MASTER_KEY_FILE");
	struct db	*db;
	unsigned char	 mac[SHA256_BYTES];
	char		 text[64];
	int64_t		 keys, users, i;
	uint64_t	 end, time;

	keys = users = 0;
	if (url == NULL || path == NULL || argc != 3 ||
	    !str_to_int(argv[1], 0, INT32_MAX, &keys) ||
	    !str_to_int(argv[2], 0, INT32_MAX, &users))
		return (refuse("usage: gateway_macs KEYS USERS"));
	crypto_init();
	db = db_open(url, "gateway_macs", a, failed, NULL, &why);
	if (db == NULL || !vault_read_master(a, path, &why) ||
	    !vault_load(db, &why))
		return (refuse(why));
	for (i = 0; i < keys; i++) {
		(void)snprintf(text, sizeof(text), "%032llx",
		    (unsigned long long)i);
		if (!keyring_hmac(vault, "subscription-key", 0, text, 32, mac))
			return (refuse("no key for subscription keys"));
		print(mac);
	}
	for (i = 0; i < users; i++) {
		end = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		time = (UINT64_C(0x0190) << 32) + (uint64_t)i;
		(void)snprintf(text, sizeof(text), USER_ID,
		    (unsigned long long)time >> 16,
		    (unsigned long long)time & 0xffff,
		    (unsigned long long)end >> 52,
		    (unsigned long long)end & ((UINT64_C(1) << 48) - 1));
		if (!api_password_mac(vault, 0, text, PASSWORD,
		    sizeof(PASSWORD) - 1, mac))
			return (refuse("no key for passwords"));
		print(mac);
	}
	db_close(db);
	arena_free(a);
	return (fflush(stdout) == EOF ? refuse("standard output") : 0);
}

static void
failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)failure;
	exit(refuse(why));
}

static int
refuse(const char *why)
{
	(void)fprintf(stderr, "gateway_macs: %s\n", why);
	return (1);
}

static void
print(const unsigned char *mac)
{
	char	 hex[2 * SHA256_BYTES + 1];

	hex_encode(hex, mac, SHA256_BYTES);
	(void)puts(hex);
}
