/*
 * See keyway.h.
 */
#include "gateway/keyway.h"

#include "base/str.h"
#include "crypto/coded.h"

#define LETTERS	2u	/* of a key's type, at its beginning */

struct name {
	char		 text[KEYWAY_NAME + 1];
	uint8_t		 bytes;
	enum keyway_use use;
	bool		 in_use;
};

static struct name	 names[KEYWAY_NAMES + 1];	/* from 1 */
static uint8_t		 names_n;
static uint64_t		 lengths;	/* a bit for each of a header */
static struct keyway_row rows[KEYWAY_PRODUCTS];
static unsigned		 rows_n;
static bool		 known, wanted = true;

static void	 begin_names(void);
static void	 use_name(uint8_t);
static bool	 may_be(const struct keyway_row *, uint8_t key,
		    const char *text);

uint8_t
keyway_name(enum keyway_use use, const char *name)
{
	size_t	 bytes = strlen(name);
	uint8_t	 i;

	begin_names();
	if (bytes == 0 || bytes > KEYWAY_NAME)
		return (0);
	for (i = 1; i <= names_n; i++)
		if (names[i].use == use && str_eq_nocase(names[i].text, name))
			return (i);
	if (names_n == KEYWAY_NAMES)
		return (0);
	names_n++;
	memcpy(names[i].text, name, bytes + 1);
	names[i].bytes = (uint8_t)bytes;
	names[i].use = use;
	return (i);
}

const char *
keyway_name_text(uint8_t name)
{
	return (name <= names_n ? names[name].text : "");
}

uint8_t
keyway_header(const char *name, enum keyway_use *ret_use)
{
	size_t	 bytes = strlen(name);
	uint8_t	 i;

	begin_names();
	/* Most headers are others. */
	if (bytes > KEYWAY_NAME || (lengths >> bytes & 1) == 0)
		return (0);
	for (i = 1; i <= names_n; i++) {
		if (names[i].bytes == bytes && names[i].in_use &&
		    names[i].use != KEYWAY_QUERY &&
		    str_eq_nocase(names[i].text, name)) {
			*ret_use = names[i].use;
			return (i);
		}
	}
	return (0);
}

uint8_t
keyway_query(uint8_t after)
{
	uint8_t	 i;

	begin_names();
	for (i = after + 1; i <= names_n; i++)
		if (names[i].use == KEYWAY_QUERY && names[i].in_use)
			return (i);
	return (0);
}

const struct keyway_row *
keyway_of(const char *slug, uint8_t key, const char *text)
{
	static struct keyway_row	 one;
	unsigned			 i;
	bool				 found = false;

	for (i = 0; slug != NULL && i < rows_n; i++)
		if (str_eq(rows[i].slug, slug))
			return (&rows[i]);
	for (i = 0; i < rows_n; i++) {
		if (!may_be(&rows[i], key, text))
			continue;
		if (!found) {
			one = rows[i];
			found = true;
			continue;
		}
		if (rows[i].missing_status != one.missing_status ||
		    rows[i].unknown_status != one.unknown_status ||
		    rows[i].is_pair != one.is_pair)
			return (NULL);
		if (rows[i].key != one.key)
			one.key = 0;
	}
	return (found ? &one : NULL);
}

void
keyway_begin(void)
{
	uint8_t	 i;

	rows_n = 0;
	lengths = 0;
	for (i = 1; i <= names_n; i++)
		names[i].in_use = false;
}

void
keyway_add(const struct keyway_row *row, const char *tenant_header)
{
	use_name(row->key);
	use_name(row->query);
	use_name(keyway_name(KEYWAY_TENANT, tenant_header));
	if (rows_n < KEYWAY_PRODUCTS)
		rows[rows_n++] = *row;
}

void
keyway_end(void)
{
	known = true;
}

void
keyway_told(void)
{
	wanted = true;
}

bool
keyway_wanted(void)
{
	bool	 was = wanted;

	wanted = false;
	return (was);
}

/* Before anything was read a call is not to be refused for a header that nobody
 * knows yet. */
static void
begin_names(void)
{
	static const struct {
		enum keyway_use	 use;
		const char		*name;
	} first[] = {
		{ KEYWAY_KEY, "Ocp-Apim-Subscription-Key" },
		{ KEYWAY_QUERY, "subscription-key" },
		{ KEYWAY_KEY, "X-Api-Key" },
		{ KEYWAY_TENANT, "X-Tenant-Name" },
		{ KEYWAY_TENANT, "X-Revio-Host" },
	};
	size_t	 i;

	if (known || names_n > 0)
		return;
	for (i = 0; i < COUNT(first); i++) {
		names_n = (uint8_t)(i + 1);
		names[names_n].use = first[i].use;
		names[names_n].bytes = (uint8_t)strlen(first[i].name);
		memcpy(names[names_n].text, first[i].name,
		    strlen(first[i].name) + 1);
		use_name(names_n);
	}
}

static void
use_name(uint8_t name)
{
	if (name == 0)
		return;
	names[name].in_use = true;
	if (names[name].use != KEYWAY_QUERY)
		lengths |= UINT64_C(1) << names[name].bytes;
}

static bool
may_be(const struct keyway_row *row, uint8_t key, const char *text)
{
	if (key != 0 && key != KEYWAY_ANY && key != row->key &&
	    key != row->query)
		return (false);
	/* A letter of the environment may follow those of the type. */
	if (text == NULL || !coded_shaped(text))
		return (true);
	return (row->letters[0] != '\0' &&
	    strncmp(text, row->letters, LETTERS) == 0);
}
