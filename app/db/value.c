/*
 * Parameters and columns.  Everything travels as text: PostgreSQL's text forms
 * are exact for what we use, and the result points into libpq's memory without
 * a copy.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/str.h"
#include "db/conn.h"

static void	 array_element(char **, const char *);

const char *
db_int(struct db *db, int64_t number)
{
	return (arena_fmt(db_arena(db), "%" PRId64, number));
}

const char *
db_bool(bool truth)
{
	return (truth ? "t" : "f");
}

const char *
db_bytes(struct db *db, const void *bytes, size_t n)
{
	char	*text;

	/* "\x", two digits a byte, NUL */
	text = arena_alloc(db_arena(db), 2 + 2 * n + 1);
	text[0] = '\\';
	text[1] = 'x';
	hex_encode(text + 2, bytes, n);
	return (text);
}

const char *
db_time(struct db *db, int64_t at)
{
	int64_t		 second = at / SECOND_US, part = at % SECOND_US;
	time_t		 when;
	struct tm	 tm;

	if (part < 0) {
		part += SECOND_US;
		second--;
	}
	when = (time_t)second;
	if (gmtime_r(&when, &tm) == NULL)
		abort();
	return (arena_fmt(db_arena(db),
	    "%04d-%02d-%02d %02d:%02d:%02d.%06" PRId64 "+00",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, part));
}

const char *
db_text_array(struct db *db, const char *const *texts, size_t n)
{
	size_t	 i, bytes = 3;		/* { } NUL */
	char	*text, *p;

	/* Two quotes and a comma, and at worst a backslash before each byte;
	 * NULL for SQL's NULL fits into the same. */
	for (i = 0; i < n; i++)
		bytes += 5 + (texts[i] != NULL ? 2 * strlen(texts[i]) : 0);
	p = text = arena_alloc(db_arena(db), bytes);
	*p++ = '{';
	for (i = 0; i < n; i++) {
		if (i > 0)
			*p++ = ',';
		array_element(&p, texts[i]);
	}
	*p++ = '}';
	*p = '\0';
	assert((size_t)(p - text) < bytes);
	return (text);
}

const char *
db_text(const struct db_rows *rows, int row, int column)
{
	if (db_is_null(rows, row, column))
		return (NULL);
	return (PQgetvalue(rows->result, row, column));
}

bool
db_is_null(const struct db_rows *rows, int row, int column)
{
	assert(row >= 0 && row < rows->n);
	assert(column >= 0 && column < PQnfields(rows->result));
	return (PQgetisnull(rows->result, row, column) == 1);
}

int64_t
db_number(const struct db_rows *rows, int row, int column)
{
	const char	*text = db_text(rows, row, column);
	int64_t		 number = 0;
	bool		 ok;

	assert(text != NULL);
	ok = str_to_int(text, INT64_MIN, INT64_MAX, &number);
	assert(ok);
	return (number);
}

bool
db_truth(const struct db_rows *rows, int row, int column)
{
	const char	*text = db_text(rows, row, column);

	assert(text != NULL);
	assert(str_eq(text, "t") || str_eq(text, "f"));
	return (text[0] == 't');
}

const void *
db_blob(struct db *db, const struct db_rows *rows, int row, int column,
    size_t *ret_bytes)
{
	const char	*text = db_text(rows, row, column);
	size_t		 bytes;
	void		*blob;
	bool		 ok;

	assert(text != NULL && str_starts(text, "\\x"));
	bytes = strlen(text + 2) / 2;
	blob = arena_alloc(db_arena(db), bytes);
	ok = hex_decode(blob, bytes, text + 2);
	assert(ok);
	*ret_bytes = bytes;
	return (blob);
}

struct db_rows *
db_rows_copy(const struct db_rows *rows, size_t max_bytes)
{
	struct db_rows	*copy;

	if (rows->outcome != DB_OK ||
	    PQresultMemorySize(rows->result) > max_bytes)
		return (NULL);
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return (NULL);
	*copy = *rows;
	copy->result = PQcopyResult(rows->result,
	    PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
	if (copy->result == NULL) {
		free(copy);
		return (NULL);
	}
	return (copy);
}

void
db_rows_free(void *rows)
{
	if (rows == NULL)
		return;
	PQclear(((struct db_rows *)rows)->result);
	free(rows);
}

static void
array_element(char **at, const char *text)
{
	char	*p = *at;

	if (text == NULL) {
		for (text = "NULL"; *text != '\0'; text++)
			*p++ = *text;
		*at = p;
		return;
	}
	*p++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*p++ = '\\';
		*p++ = *text;
	}
	*p++ = '"';
	*at = p;
}
