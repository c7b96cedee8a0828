/*
 * A small world for the tests of what is decided in the database: people,
 * tenants, a product and a keyring, made by SQL.  `db` is the portal's role;
 * `owner` sees what the portal can't (the outbox).
 */
#ifndef TESTS_REQUESTS_WORLD_H
#define TESTS_REQUESTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypto/seal.h"
#include "db/db.h"
#include "tenants/tenant.h"

/* Not every test needs each of these. */
#define MAYBE	__attribute__((unused))

static struct arena	*arena;
static struct db	*db, *owner;
static struct keyring	*ring;
static char		 product[UUID_TEXT];
static unsigned		 people;	/* so far: makes addresses unique */

static MAYBE void
world_fail(void *arg, enum db_failure kind, const char *why)
{
	(void)arg;
	print_error("database failed with %d: %s\n", (int)kind, why);
	abort();
}

/* A statement is prepared once, by its text's address. */
static const struct db_query *
query_of(const char *sql)
{
	static struct db_query	 known[100];
	static unsigned		 n;
	unsigned		 i;

	for (i = 0; i < n; i++) {
		if (known[i].sql == sql)
			return (&known[i]);
	}
	assert_true(n < COUNT(known));
	known[n].name = arena_fmt(arena, "test_%u", n);
	known[n].sql = sql;
	return (&known[n++]);
}

/* A statement of the test's own; its rows are not looked at. */
static MAYBE void
run(struct db *on, const char *sql, int n, const char *const *params)
{
	const struct db_rows	*rows;

	rows = db_write(on, query_of(sql), n, params);
	if (rows->outcome != DB_OK)
		fail_msg("%s: %s", rows->constraint, sql);
}

/* The one number that a query gives. */
static MAYBE int64_t
count(struct db *on, const char *sql, int n, const char *const *params)
{
	const struct db_rows	*rows;

	rows = db_read(on, query_of(sql), n, params);
	assert_int_equal(rows->n, 1);
	return (db_number(rows, 0, 0));
}

/* The one text that a query gives, "" for NULL or no row. */
static MAYBE const char *
text(struct db *on, const char *sql, int n, const char *const *params)
{
	const struct db_rows	*rows;

	rows = db_read(on, query_of(sql), n, params);
	if (rows->n == 0 || db_is_null(rows, 0, 0))
		return ("");
	return (db_text(rows, 0, 0));
}

static MAYBE const char *
person(const char *kind, const char *name, const char *domain,
    const char *client)
{
	char		*id = arena_alloc(arena, UUID_TEXT);
	const char	*email;

	uuid_make(id);
	email = arena_fmt(arena, "p%u.%u@%s", (unsigned)getpid(), people++,
	    domain);
	run(db, "WITH a AS (INSERT INTO account (id, kind, staff_role, "
	    "password_hash) VALUES ($1::uuid, $2::text, CASE WHEN "
	    "$2::text = 'staff' THEN 'staff' END, 'x') RETURNING id) "
	    "INSERT INTO person (account_id, email, email_folded, "
	    "email_domain, name, client) SELECT id, $3::text, $3::text, "
	    "$4::text, $5::text, $6::text FROM a",
	    DB_ARGS(id, kind, email, domain, name, client));
	return (id);
}

static MAYBE const char *
contact(const char *name, const char *domain, const char *client)
{
	return (person("contact", name, domain, client));
}

static MAYBE const char *
staff(const char *name)
{
	return (person("staff", name, "staff.example", ""));
}

static MAYBE void
domain_add(const char *code, const char *domain)
{
	run(db, "INSERT INTO tenant_domain (tenant_id, domain) "
	    "SELECT id, $2 FROM tenant WHERE code = $1",
	    DB_ARGS(code, domain));
}

static MAYBE void
tenant_add(const char *code, const char *name)
{
	char	id[UUID_TEXT];

	uuid_make(id);
	run(db, "INSERT INTO tenant (id, code, name, name_folded, slug) "
	    "VALUES ($1, $2, $3, $4, $5)", DB_ARGS(id, code, name,
	    tenant_fold(arena, name), tenant_slug(arena, name, code)));
}

/* Everything but the product goes; audit rows stay, nobody can delete them. */
static MAYBE void
world_clear(void)
{
	run(owner, "TRUNCATE request, reveal, subscription_key, subscription, "
	    "membership, tenant_domain, tenant, outbox, session, person, "
	    "account CASCADE", DB_NONE);
}

static MAYBE int
world_setup(void **state)
{
	unsigned char	 sealed[KEY_BYTES + SEAL_OVERHEAD];
	static const char *const kinds[] = { "data", "subscription-key",
		"subscription-key-prefix" };
	const char	*why, *path;
	size_t		 i, n;

	(void)state;
	crypto_init();
	arena = arena_new(64u * 1024 * 1024, NULL, NULL);
	db = db_open(getenv("LATCHKEY_TEST_DATABASE_URL"), "test", arena,
	    world_fail, NULL, &why);
	owner = db_open(getenv("LATCHKEY_TEST_OWNER_URL"), "test owner", arena,
	    world_fail, NULL, &why);
	if (db == NULL || owner == NULL)
		fail_msg("can't connect: %s", why);
	/* Truncating on a machine that is busy. */
	db_patience(owner, 60);
	ring = keyring_new();
	path = arena_fmt(arena, "%s/master-%u.key",
	    getenv("LATCHKEY_TEST_TMP") == NULL ? "/tmp" :
	    getenv("LATCHKEY_TEST_TMP"), (unsigned)getpid());
	if (!master_key_create(path, arena, &why) ||
	    !keyring_read_master(ring, arena, path, &why))
		fail_msg("%s", why);
	(void)unlink(path);
	for (i = 0; i < COUNT(kinds); i++) {
		n = keyring_make(ring, kinds[i], 1, sealed);
		assert_int_equal(keyring_add(ring, kinds[i], 1, sealed, n),
		    SEAL_OK);
	}
	/* Rows that are sealed under it refer to it. */
	run(owner, "INSERT INTO sealed_key (kind, version, master_version, "
	    "sealed) VALUES ('data', 1, 1, '') ON CONFLICT DO NOTHING",
	    DB_NONE);
	world_clear();
	uuid_make(product);
	run(db, "INSERT INTO product (id, slug, name) "
	    "VALUES ($1, 'p' || right($1::uuid::text, 12), 'Rev.io API')",
	    DB_ARGS(product));
	return (0);
}

static MAYBE int
world_teardown(void **state)
{
	(void)state;
	world_clear();
	db_close(db);
	db_close(owner);
	keyring_free(ring);
	arena_free(arena);
	return (0);
}

#endif
