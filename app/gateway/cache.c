/*
 * See cache.h.  A table is an array of entries and buckets of chains through
 * them.  CLOCK: a hand goes round; who was used since it last came by is spared
 * once more, and who is new has not been used, so that a crowd that comes once
 * drives nobody out.
 */
#include "gateway/cache.h"

#include <assert.h>

#include "base/clock.h"

#define SET_BUCKETS	1024u
#define PRODUCT_BUCKETS	64u

struct table {
	unsigned char	*entries;
	uint32_t	*buckets;	/* index + 1; 0: empty */
	uint32_t	 max, mask, n, hand, live;
	size_t		 size, key_at, key_bytes;
};

struct shared_set {
	struct shared_set *next;
	unsigned char	 hash[SHA256_BYTES];
	uint32_t	 refs;
	_Alignas(8) unsigned char memory[];
};

static struct table	 keys, users;
static struct shared_set *sets[SET_BUCKETS];
static uint32_t		 sets_n;
static struct shared_product *products[PRODUCT_BUCKETS];
static uint32_t		 products_n;
static struct {
	unsigned char	 what[HASH_SHORT_BYTES];
	int64_t		 at;		/* monotonic: found so */
	uint64_t	 number;
} absent[CACHE_ABSENT];
static uint64_t		 places[CACHE_PLACES];
static uint64_t		 told = 1, everybody;	/* numbers */
static uint64_t		 heard;			/* when the ear came back */
static bool		 hears;
static int64_t		 deaf_at;

static void	 table_make(struct table *, uint32_t max, size_t size,
		    size_t key_at, size_t key_bytes);
static struct entry *table_at(const struct table *, uint32_t);
static uint32_t	*table_bucket(const struct table *, const void *key);
static struct entry *table_find(const struct table *, const void *key);
static struct entry *table_put(struct table *, const void *key);
static uint32_t	 table_room(struct table *);
static void	 table_drop(struct table *, struct entry *);
static void	 table_drop_all(struct table *);
static void	 begin_entry(struct entry *, const unsigned char *tenant,
		    uint64_t number);
static bool	 stale(const struct entry *);
static uint16_t	 place_of(const unsigned char *tenant);
static void	 release(struct entry *, const struct table *);
static void	 set_release(struct shared_set *);
static bool	 product_same(const struct shared_product *,
		    const struct shared_product *);
static void	 product_release(struct shared_product *);
static void	 issued_release(struct issued_key *);
static void	 hash_of(unsigned char [HASH_SHORT_BYTES],
		    const struct user_key *);
static uint32_t	 first_word(const void *);

void
cache_setup(uint32_t max)
{
	table_make(&keys, max, sizeof(struct key_entry),
	    offsetof(struct key_entry, hash), HASH_SHORT_BYTES);
	table_make(&users, max, sizeof(struct user_entry),
	    offsetof(struct user_entry, hash), HASH_SHORT_BYTES);
}

void
cache_end(void)
{
	table_drop_all(&users);
	table_drop_all(&keys);
	free(keys.entries);
	free(keys.buckets);
	free(users.entries);
	free(users.buckets);
	memset(&keys, 0, sizeof(keys));
	memset(&users, 0, sizeof(users));
	memset(absent, 0, sizeof(absent));
	hears = false;
}

struct key_entry *
cache_key(const unsigned char hash[HASH_SHORT_BYTES])
{
	return ((struct key_entry *)(void *)table_find(&keys, hash));
}

struct user_entry *
cache_user(const struct user_key *key)
{
	unsigned char	 hash[HASH_SHORT_BYTES];

	hash_of(hash, key);
	return ((struct user_entry *)(void *)table_find(&users, hash));
}

bool
cache_good(const struct entry *e, int64_t since)
{
	return ((hears && !stale(e) && e->number >= heard) ||
	    e->read_at >= since);
}

bool
cache_grace(const struct entry *e, int64_t grace_us)
{
	int64_t	 good_at = e->read_at;

	if (stale(e))
		return (false);
	if (hears && e->number >= heard)
		return (true);
	if (good_at < deaf_at)
		good_at = deaf_at;
	return (clock_monotonic() - good_at <= grace_us);
}

uint64_t
cache_begin(void)
{
	return (told);
}

struct key_entry *
cache_put_key(const unsigned char hash[HASH_SHORT_BYTES],
    const unsigned char tenant[CACHE_UUID], uint64_t number)
{
	struct entry	 *e = table_put(&keys, hash);
	struct key_entry *k = (struct key_entry *)(void *)e;

	begin_entry(e, tenant, number);
	memcpy(k->tenant, tenant, CACHE_UUID);
	return (k);
}

struct user_entry *
cache_put_user(const struct user_key *key, uint64_t number)
{
	unsigned char	 hash[HASH_SHORT_BYTES];
	struct entry	*e;

	hash_of(hash, key);
	e = table_put(&users, hash);
	begin_entry(e, key->tenant, number);
	return ((struct user_entry *)(void *)e);
}

void
cache_drop_key(const unsigned char hash[HASH_SHORT_BYTES])
{
	struct entry	*e = table_find(&keys, hash);

	if (e != NULL)
		table_drop(&keys, e);
}

void
cache_drop_user(const struct user_key *key)
{
	unsigned char	 hash[HASH_SHORT_BYTES];
	struct entry	*e;

	hash_of(hash, key);
	e = table_find(&users, hash);
	if (e != NULL)
		table_drop(&users, e);
}

bool
cache_absent(const unsigned char what[HASH_SHORT_BYTES], int64_t since)
{
	uint32_t	 i = first_word(what) % CACHE_ABSENT;
	int64_t		 at = absent[i].at;

	if (!bytes_eq(absent[i].what, what, HASH_SHORT_BYTES) || at == 0)
		return (false);
	return (at >= since || (hears && absent[i].number == told &&
	    clock_monotonic() - at < CACHE_ABSENT_US));
}

void
cache_put_absent(const unsigned char what[HASH_SHORT_BYTES], uint64_t number)
{
	uint32_t	 i = first_word(what) % CACHE_ABSENT;

	memcpy(absent[i].what, what, HASH_SHORT_BYTES);
	absent[i].number = number;
	absent[i].at = clock_monotonic();
}

struct shared_set *
cache_set(const unsigned char hash[SHA256_BYTES], const char *text,
    size_t bytes)
{
	struct shared_set	**bucket, *set, *smaller;
	size_t			  room = permission_set_room(bytes);

	bucket = &sets[first_word(hash) % SET_BUCKETS];
	for (set = *bucket; set != NULL; set = set->next) {
		if (memcmp(set->hash, hash, SHA256_BYTES) == 0) {
			set->refs++;
			return (set);
		}
	}
	set = calloc(1, sizeof(*set) + room);
	if (set == NULL)
		return (NULL);
	if (permission_set_make(set->memory, room, text, bytes) == NULL) {
		free(set);
		return (NULL);
	}
	smaller = realloc(set, sizeof(*set) +
	    permission_set_bytes((const void *)set->memory));
	if (smaller != NULL)
		set = smaller;
	memcpy(set->hash, hash, SHA256_BYTES);
	set->refs = 1;
	set->next = *bucket;
	*bucket = set;
	sets_n++;
	return (set);
}

struct shared_product *
cache_product(const struct shared_product *like)
{
	struct shared_product	**bucket, *p;

	bucket = &products[first_word(like->id + CACHE_UUID - 4) %
	    PRODUCT_BUCKETS];
	for (p = *bucket; p != NULL; p = p->next) {
		if (product_same(p, like)) {
			p->refs++;
			return (p);
		}
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	*p = *like;
	p->scopes = strdup(like->scopes);
	if (p->scopes == NULL)
		abort();
	p->refs = 1;
	p->next = *bucket;
	*bucket = p;
	products_n++;
	return (p);
}

struct issued_key *
cache_issued(struct key_entry *k, const char *tenants, const char *words)
{
	size_t			 n = strlen(tenants) + 1, m = strlen(words) + 1;
	struct issued_key	*i = calloc(1, sizeof(*i) + n + m);

	if (i == NULL)
		abort();
	memcpy(i->text, tenants, n);
	memcpy(i->text + n, words, m);
	i->tenants = i->text;
	i->words = i->text + n;
	k->issued = i;
	return (i);
}

void
cache_narrow(struct issued_key *i, const char *words, const char *matrix)
{
	/* They are what is left of text, which holds them. */
	char		*to = i->text + (i->words - i->text);
	const char	*p = i->words, *q;
	unsigned char	 hash[SHA256_BYTES];
	size_t		 n, m;

	for (; *p != '\0'; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		for (q = words; *q != '\0'; q += m + strspn(q + m, " ")) {
			m = strcspn(q, " ");
			if (m == n && memcmp(p, q, n) == 0)
				break;
		}
		if (*q == '\0')
			continue;
		if (to != i->words)
			*to++ = ' ';
		memmove(to, p, n);
		to += n;
	}
	*to = '\0';
	set_release(i->set);
	sha256(hash, matrix, strlen(matrix));
	i->set = cache_set(hash, matrix, strlen(matrix));
}

struct old_password *
cache_old(struct user_entry *u)
{
	u->old = calloc(1, sizeof(*u->old));
	if (u->old == NULL)
		abort();
	return (u->old);
}

const struct permission_set *
shared_set(const struct shared_set *set)
{
	return ((const void *)set->memory);
}

void
cache_told(const char *what)
{
	unsigned char	 tenant[CACHE_UUID];

	told++;
	if (uuid_read(tenant, what))
		places[place_of(tenant)] = told;
	else
		everybody = told;
}

void
cache_hears(void)
{
	hears = true;
	heard = ++told;
}

void
cache_deaf(void)
{
	if (!hears)
		return;
	hears = false;
	deaf_at = clock_monotonic();
}

struct cache_count
cache_count(void)
{
	return ((struct cache_count){ keys.live, users.live, sets_n,
	    products_n });
}

static void
table_make(struct table *t, uint32_t max, size_t size, size_t key_at,
    size_t key_bytes)
{
	uint32_t	 n = 1;

	assert(max > 0 && max <= UINT32_C(1) << 30);
	while (n < max)
		n *= 2;
	*t = (struct table){ .max = max, .mask = n - 1, .size = size,
	    .key_at = key_at, .key_bytes = key_bytes };
	/* Pages that nobody touches cost nothing. */
	t->entries = calloc(max, size);
	t->buckets = calloc(n, sizeof(*t->buckets));
	if (t->entries == NULL || t->buckets == NULL)
		abort();
}

static struct entry *
table_at(const struct table *t, uint32_t i)
{
	return ((struct entry *)(void *)(t->entries + i * t->size));
}

static uint32_t *
table_bucket(const struct table *t, const void *key)
{
	/* A hash under a secret key is as good as random. */
	return (&t->buckets[first_word(key) & t->mask]);
}

static struct entry *
table_find(const struct table *t, const void *key)
{
	uint32_t	 i = *table_bucket(t, key);
	struct entry	*e;

	for (; i != 0; i = e->next) {
		e = table_at(t, i - 1);
		if (bytes_eq((unsigned char *)e + t->key_at, key,
		    t->key_bytes)) {
			e->used = true;
			return (e);
		}
	}
	return (NULL);
}

static struct entry *
table_put(struct table *t, const void *key)
{
	struct entry	*e = table_find(t, key);
	uint32_t	*bucket, i;

	if (e != NULL)
		table_drop(t, e);
	i = table_room(t);
	e = table_at(t, i);
	memset(e, 0, t->size);
	memcpy((unsigned char *)e + t->key_at, key, t->key_bytes);
	bucket = table_bucket(t, key);
	e->next = *bucket;
	*bucket = i + 1;
	e->live = true;
	t->live++;
	return (e);
}

/* The index of an entry that is free by now. */
static uint32_t
table_room(struct table *t)
{
	struct entry	*e;
	uint32_t	 i;

	if (t->n < t->max)
		return (t->n++);
	for (;;) {
		i = t->hand;
		t->hand = (t->hand + 1) % t->max;
		e = table_at(t, i);
		if (e->live && e->used) {
			e->used = false;
			continue;
		}
		if (e->live)
			table_drop(t, e);
		return (i);
	}
}

static void
table_drop(struct table *t, struct entry *e)
{
	uint32_t	*link = table_bucket(t, (unsigned char *)e + t->key_at);

	while (table_at(t, *link - 1) != e)
		link = &table_at(t, *link - 1)->next;
	*link = e->next;
	e->live = false;
	t->live--;
	release(e, t);
}

static void
table_drop_all(struct table *t)
{
	uint32_t	 i;

	for (i = 0; i < t->n; i++)
		if (table_at(t, i)->live)
			table_drop(t, table_at(t, i));
}

/* Gives back what the entry shares. */
static void
release(struct entry *e, const struct table *t)
{
	struct user_entry	*u;

	if (t == &keys) {
		product_release(((struct key_entry *)(void *)e)->product);
		issued_release(((struct key_entry *)(void *)e)->issued);
		return;
	}
	u = (struct user_entry *)(void *)e;
	set_release(u->set);
	free(u->old);
}

static void
begin_entry(struct entry *e, const unsigned char *tenant, uint64_t number)
{
	e->number = number;
	e->read_at = clock_monotonic();
	e->place = place_of(tenant);
}

static bool
stale(const struct entry *e)
{
	return (places[e->place] > e->number || everybody > e->number);
}

/* The end of a UUIDv7 is random; mixed all the same, since one that isn't (an
 * import's) would share its place with all of its kind. */
static uint16_t
place_of(const unsigned char *tenant)
{
	_Static_assert(CACHE_PLACES == 1u << (32 - 17) &&
	    CACHE_PLACES - 1 <= UINT16_MAX, "what it returns");

	/* Fibonacci hashing, of the number that its last bytes are. */
	return ((uint16_t)(__builtin_bswap32(first_word(tenant + CACHE_UUID -
	    4)) * UINT32_C(0x9e3779b1) >> 17));
}

static bool
product_same(const struct shared_product *a, const struct shared_product *b)
{
	return (memcmp(a->id, b->id, CACHE_UUID) == 0 &&
	    a->needs_user == b->needs_user && a->key_name == b->key_name &&
	    a->query_name == b->query_name &&
	    a->tenant_name == b->tenant_name &&
	    memcmp(&a->plan, &b->plan, sizeof(a->plan)) == 0 &&
	    strcmp(a->slug, b->slug) == 0 &&
	    strcmp(a->environment, b->environment) == 0 &&
	    strcmp(a->scopes, b->scopes) == 0);
}

static void
issued_release(struct issued_key *i)
{
	if (i == NULL)
		return;
	set_release(i->set);
	free(i);
}

static void
product_release(struct shared_product *p)
{
	struct shared_product	**link;

	if (p == NULL || --p->refs > 0)
		return;
	link = &products[first_word(p->id + CACHE_UUID - 4) %
	    PRODUCT_BUCKETS];
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	products_n--;
	free(p->scopes);
	free(p);
}

static void
hash_of(unsigned char ret_hash[HASH_SHORT_BYTES], const struct user_key *key)
{
	hash_short(ret_hash, key, sizeof(*key));
}

static void
set_release(struct shared_set *set)
{
	struct shared_set	**link;

	if (set == NULL || --set->refs > 0)
		return;
	link = &sets[first_word(set->hash) % SET_BUCKETS];
	while (*link != set)
		link = &(*link)->next;
	*link = set->next;
	sets_n--;
	free(set);
}

static uint32_t
first_word(const void *p)
{
	uint32_t	 word;

	memcpy(&word, p, sizeof(word));
	return (word);
}
