/*
 * Answers checks of known keys without a network: what Kore and the kernel do
 * is not in it.  As a program it tells nanoseconds; under `valgrind
 * --tool=callgrind --toggle-collect=hit` instructions, which are the same at
 * each run.
 *
 *	gateway_hit MASTER_KEY_FILE [HITS]	the file is made, and removed
 */
#include <assert.h>
#include <time.h>
#include <unistd.h>

#include "apiusers/apiuser.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/str.h"
#include "gateway/answer.h"
#include "gateway/meter.h"
#include "gateway/watch.h"
#include "vault/vault.h"

#define KEYS		10000u
#define PRODUCTS	5u
#define KEYS_EACH	(2 * PRODUCTS)		/* of a client */
#define PASSWORD	"a-password-of-32-characters-here"

static int64_t		 cpu_ns(void);
static struct keyring	*make_ring(const char *path);
static void		 make_entries(struct keyring *);
static void		 uuid_of(unsigned char [CACHE_UUID], unsigned kind,
			    unsigned number);
static void		 address(void *, struct meter_cell *);
static void		 first(unsigned);
void			 hit(unsigned);
static void		 ask(unsigned);

static char			 texts[KEYS][3][80];	/* key, user, URI */
static struct gateway_answer	 out;

int
main(int argc, char **argv)
{
	int64_t	 hits = 1000000, began;
	unsigned i;

	if (argc < 2 || argc > 3 || (argc == 3 &&
	    !str_to_int(argv[2], 1, INT32_MAX, &hits))) {
		(void)fprintf(stderr,
		    "usage: gateway_hit MASTER_KEY_FILE [HITS]\n");
		return (2);
	}
	crypto_init();
	metric_setup();
	metric_worker(0);
	limit_setup(100000);
	meter_setup(65536);
	watch_setup();
	cache_setup(KEYS);
	cache_hears();
	make_entries(make_ring(argv[1]));
	for (i = 0; i < KEYS; i++)
		first(i);
	began = cpu_ns();
	for (i = 0; i < hits; i++)
		hit(i % KEYS);
	(void)printf("%lld ns a hit\n", (long long)((cpu_ns() - began) / hits));
	return (0);
}

/* The processor's, since others may want it too. */
static int64_t
cpu_ns(void)
{
	struct timespec	 ts;
	int		 rc;

	rc = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	assert(rc == 0);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

/* Passwords are proven here. */
static void
first(unsigned i)
{
	ask(i);
}

/* By this name it is told apart. */
__attribute__((noinline)) void
hit(unsigned i)
{
	ask(i);
}

/* As gateway_serve() does. */
static void
ask(unsigned i)
{
	static const struct answer_style	 style = { false, false };
	struct call				 call;
	struct check				 check = { .call = &call };
	struct meter_cell			 cell;

	call_begin(&call, CALL_PLAIN);
	call_header(&call, "X-Forwarded-Method", "GET");
	call_header(&call, "X-Forwarded-Uri", texts[i][2]);
	call_header(&call, "Ocp-Apim-Subscription-Key", texts[i][0]);
	call_header(&call, "Authorization", texts[i][1]);
	check.read = call_read(&call, "GET", "");
	check.since = clock_monotonic();
	check_run(&check, clock_now(), 60 * SECOND_US);
	assert(check.need == CHECK_DONE && check.verdict == VERDICT_ALLOWED);
	cell = (struct meter_cell){ .outcome = VERDICT_ALLOWED };
	memcpy(cell.key, check.key->id, METER_ID);
	memcpy(cell.subscription, check.key->subscription, METER_ID);
	memcpy(cell.user, check.user->id, METER_ID);
	meter_add(&cell, check.facts.now, address, NULL);
	watch_check(&check, false);
	answer_check(&out, &check, &style);
	assert(out.status == 200);
	call_end(&call);
}

static struct keyring *
make_ring(const char *path)
{
	static const char *const kinds[] = { "data", "subscription-key",
		"subscription-key-prefix", "link", "api-user-password",
		"access-token" };
	unsigned char	 sealed[KEY_BYTES + SEAL_OVERHEAD];
	struct keyring	*ring = keyring_new();
	struct arena	*a = arena_new(1024 * 1024, NULL, NULL);
	const char	*why = "";
	size_t		 i, n;
	bool		 ok;

	ok = master_key_create(path, a, &why) &&
	    keyring_read_master(ring, a, path, &why);
	(void)unlink(path);
	if (!ok) {
		(void)fprintf(stderr, "gateway_hit: %s\n", why);
		exit(1);
	}
	for (i = 0; i < COUNT(kinds); i++) {
		n = keyring_make(ring, kinds[i], 1, sealed);
		ok = keyring_add(ring, kinds[i], 1, sealed, n) == SEAL_OK;
		assert(ok);
	}
	arena_free(a);
	vault = ring;
	return (ring);
}

static void
make_entries(struct keyring *ring)
{
	const struct plan	 plan = { .minute = 100000000,
				    .user_minute = 100000000 };
	static const char	 matrix[] = "/p0/things GET=all\n"
				    "/p1/things GET=all\n/p2/things GET=all\n"
				    "/p3/things GET=all\n/p4/things GET=all\n";
	struct key_entry	*k;
	struct user_entry	*u;
	struct user_key		 who;
	unsigned char		 mac[SHA256_BYTES], hash[HASH_SHORT_BYTES];
	char			 login[96], empty[1] = "", id[UUID_TEXT];
	struct shared_product	 p;
	unsigned		 i, client, product;
	bool			 ok;

	for (i = 0; i < KEYS; i++) {
		client = i / KEYS_EACH;
		product = i % KEYS_EACH / 2;
		(void)snprintf(texts[i][0], sizeof(texts[i][0]), "%032x", i);
		(void)snprintf(texts[i][2], sizeof(texts[i][2]),
		    "/p%u/things/7", product);
		(void)snprintf(login, sizeof(login), "SYNC@B%06u:%s", client,
		    PASSWORD);
		(void)snprintf(texts[i][1], sizeof(texts[i][1]), "Basic ");
		/* 45 bytes: no padding, and nothing that base64url has otherwise. */
		base64url_encode(texts[i][1] + 6, login, strlen(login));

		hash_short(hash, texts[i][0], 32);
		memset(&who, 0, sizeof(who));
		uuid_of(who.tenant, 0xee, client);
		uuid_of(who.product, 0xcc, product);
		(void)snprintf(who.name, sizeof(who.name), "SYNC@B%06u",
		    client);
		k = cache_put_key(hash, who.tenant, cache_begin());
		uuid_of(k->id, 0xba, i);
		uuid_of(k->subscription, 0xab, i / 2);
		memset(&p, 0, sizeof(p));
		memcpy(p.id, who.product, sizeof(p.id));
		(void)snprintf(p.slug, sizeof(p.slug), "bench-%u", product);
		p.needs_user = true;
		p.plan = plan;
		p.key_name = keyway_name(KEYWAY_KEY,
		    "Ocp-Apim-Subscription-Key");
		p.scopes = empty;
		k->product = cache_product(&p);
		(void)snprintf(k->code, sizeof(k->code), "B%06u", client);
		k->state = FACT_ACTIVE;
		if (i % 2 == 1)
			continue;
		u = cache_put_user(&who, cache_begin());
		uuid_of(u->id, 0xaa, client);
		(void)snprintf(u->name, sizeof(u->name), "SYNC");
		u->enabled = true;
		uuid_write(id, u->id);
		ok = api_password_mac(ring, 0, id, PASSWORD,
		    sizeof(PASSWORD) - 1, u->password.mac);
		assert(ok);
		u->password.version = 1;
		sha256(mac, matrix, sizeof(matrix) - 1);
		u->set = cache_set(mac, matrix, sizeof(matrix) - 1);
	}
}

static void
uuid_of(unsigned char ret_id[CACHE_UUID], unsigned kind, unsigned number)
{
	uint64_t	 end = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

	/* The ends of UUIDv7 look random. */
	memset(ret_id, 0, CACHE_UUID);
	ret_id[7] = (unsigned char)kind;
	memcpy(ret_id + 8, &end, sizeof(end));
}

static void
address(void *arg, struct meter_cell *cell)
{
	(void)arg;
	cell->family = 0;
}
