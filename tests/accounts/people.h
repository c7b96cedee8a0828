/*
 * For tests of _db.c files: a database handle of the portal's role, one of the
 * owner's to arrange things behind its back, a vault, and people made as the
 * portal makes them.
 */
#ifndef TESTS_ACCOUNTS_PEOPLE_H
#define TESTS_ACCOUNTS_PEOPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts/account.h"
#include "crypto/token.h"
#include "mail/link.h"
#include "vault/vault.h"

static struct arena	*arena;
static struct db	*db, *owner;

static inline void
people_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)fprintf(stderr, "database failed with %d: %s\n", (int)failure,
	    why);
	exit(1);
}

static inline struct db *
people_open(const char *variable)
{
	const char	*url = getenv(variable), *why = "";
	struct db	*opened;

	if (url == NULL) {
		(void)fprintf(stderr, "%s is not set\n", variable);
		exit(1);
	}
	opened = db_open(url, "test", arena, people_failed, NULL, &why);
	if (opened == NULL) {
		(void)fprintf(stderr, "%s: %s\n", variable, why);
		exit(1);
	}
	return (opened);
}

/* A group's setup. */
static inline int
people_setup(void **state)
{
	const char	*folder = getenv("LATCHKEY_TEST_TMP"), *path, *why = "";

	(void)state;
	crypto_init();
	arena = arena_new(64u * 1024 * 1024, NULL, NULL);
	db = people_open("LATCHKEY_TEST_DATABASE_URL");
	owner = people_open("LATCHKEY_TEST_OWNER_URL");
	/* Thousands of rows on a machine that is busy. */
	db_patience(db, 60);
	db_patience(owner, 60);
	path = arena_fmt(arena, "%s/master.key",
	    folder == NULL ? "/tmp" : folder);
	(void)unlink(path);
	if (!master_key_create(path, arena, &why) ||
	    !vault_read_master(arena, path, &why))
		fail_msg("master key: %s", why);
	(void)vault_init(db);
	if (!vault_load(db, &why))
		fail_msg("vault: %s", why);
	return (0);
}

static inline int
people_teardown(void **state)
{
	(void)state;
	db_close(db);
	db_close(owner);
	arena_free(arena);
	return (0);
}

/* The first column of the first row, as the owner; NULL for none or NULL. */
static inline const char *
people_ask(const char *sql)
{
	const struct db_query	*query = arena_memdup(arena,
				    &(struct db_query){ "", sql },
				    sizeof(*query));
	const struct db_rows	*rows;

	rows = db_write(owner, query, DB_NONE);
	if (rows->outcome != DB_OK)
		fail_msg("%s: refused by %s", sql, rows->constraint);
	return (rows->n == 0 ? NULL : db_text(rows, 0, 0));
}

static inline struct address
people_address(const char *text)
{
	struct address	address;

	if (address_parse(arena, text, &address) != ADDRESS_GOOD)
		fail_msg("%s is no address", text);
	return (address);
}

/* The token of the newest link of an address. */
static inline const char *
people_link(const char *email)
{
	const char	*id;
	char		*token = arena_alloc(arena, TOKEN_TEXT);

	id = people_ask(arena_fmt(arena, "SELECT id FROM signup WHERE email = "
	    "'%s' AND token_hash IS NOT NULL ORDER BY id DESC LIMIT 1",
	    email));
	assert_non_null(id);
	link_token("verify", id, token);
	return (token);
}

/* Somebody from this network whose browser has no cookie. */
static inline const struct visitor *
people_from(const char *network)
{
	return (arena_memdup(arena, &(struct visitor){ .network = network },
	    sizeof(struct visitor)));
}

static inline struct session_start
people_start(void)
{
	char	*token = arena_alloc(arena, TOKEN_TEXT);

	token_make(token);
	return ((struct session_start){ .token = token, .address = "192.0.2.7",
	    .network = "192.0.2.7", .agent = "test" });
}

/* A contact with a session, whose cookie is returned. */
static inline const char *
people_contact(const char *email)
{
	const struct account_new new = { "Ada Byron", "Altaworx", "no hash" };
	struct address		 address = people_address(email);
	struct session_start	 start = people_start();
	enum account_kind	 kind;

	assert_int_equal(signup_db_ask(db, &address, "Ada", "Altaworx",
	    "192.0.2.7").result, SIGNUP_QUEUED);
	assert_true(account_db_create(db, people_link(email), &new, &start,
	    &kind));
	return (start.token);
}

#endif
