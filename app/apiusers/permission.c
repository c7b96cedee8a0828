/*
 * The decision on a call.  A set is one block: a head, a row for each resource
 * with offsets into the text behind the rows, and that text, which is the part
 * of the canonical one that says something.
 */
#include "apiusers/permission.h"

#include <assert.h>

#include "base/str.h"

struct row {
	uint32_t path, scope[PERMISSION_METHODS]; /* offsets */
	uint16_t path_bytes;
	uint16_t scope_bytes[PERMISSION_METHODS]; /* 0: refused */
};

struct permission_set {
	uint32_t bytes, n;
	uint32_t has_parameters; /* any of the paths */
	struct row rows[];
};

static const struct {
	const char *name;
	size_t n;
} methods[PERMISSION_METHODS] = {
	{ "GET", 3 },
	{ "POST", 4 },
	{ "PUT", 3 },
	{ "PATCH", 5 },
	{ "DELETE", 6 },
};

static MUST_CHECK bool read_line(struct permission_set *, size_t room,
    struct row *, const char *line, const char *end);
static MUST_CHECK bool read_cell(struct permission_set *, size_t room,
    struct row *, int *after, const char *cell, const char *end);
static bool path_is_plain(const char *, size_t);
static size_t parameter_bytes(const char *, size_t);
static bool path_is_twin(const struct permission_set *, const struct row *,
    const struct row *);
static bool path_ascends(const struct permission_set *, const struct row *,
    const struct row *);
static bool scope_is_plain(const char *, size_t);
static MUST_CHECK bool keep(struct permission_set *, size_t room, const char *,
    size_t, uint32_t *ret_offset);
static int method_of(const char *, size_t);
static MUST_CHECK bool path_read(char[PERMISSION_PATH_MAX + 1], const char *,
    size_t, size_t *ret_n);
static MUST_CHECK bool path_is_even(const char *, size_t);
static int hex_of(char);
static char lower(char);
static const struct row *resource_find(const struct permission_set *,
    const char *, size_t);
static const struct row *resource_find_parts(const struct permission_set *,
    const char *, size_t);
static bool parts_fit(const char *text, size_t text_n, const char *path,
    size_t path_n, size_t *ret_parts, bool *ret_exact);
static int parts_order(const char *, size_t, const char *, size_t);

size_t
permission_set_room(size_t text_bytes)
{
	/* What is kept of the text is no longer than the text. */
	return (sizeof(struct permission_set) +
	    PERMISSION_RESOURCES * sizeof(struct row) + text_bytes);
}

const struct permission_set *
permission_set_make(void *memory, size_t room, const char *text, size_t n)
{
	struct permission_set *set = memory;
	const char *p, *end = text + n, *line;
	uint32_t lines = 0;

	if (n > PERMISSION_TEXT_MAX || room < permission_set_room(n))
		return (NULL);
	for (p = text; p < end; p++)
		lines += *p == '\n';
	if (lines > PERMISSION_RESOURCES || (n > 0 && end[-1] != '\n'))
		return (NULL);
	set->n = 0;
	set->has_parameters = 0;
	set->bytes = (uint32_t)(sizeof(*set) + lines * sizeof(struct row));
	for (line = text; line < end; line = p + 1) {
		p = memchr(line, '\n', (size_t)(end - line));
		if (!read_line(set, room, &set->rows[set->n], line, p))
			return (NULL);
		set->n++;
	}
	return (set);
}

size_t
permission_set_bytes(const struct permission_set *set)
{
	return (set->bytes);
}

struct permission_answer
permission_decide(const struct permission_set *set, const char *method,
    size_t method_bytes, const char *target, size_t target_bytes)
{
	struct permission_answer answer = { .resource = "", .scope = "" };
	const struct row *row;
	char path[PERMISSION_PATH_MAX + 1];
	size_t n;
	int m;

	if (!path_read(path, target, target_bytes, &n)) {
		answer.verdict = PERMISSION_ODD_PATH;
		return (answer);
	}
	m = method_of(method, method_bytes);
	if (m < 0) {
		answer.verdict = PERMISSION_ODD_METHOD;
		return (answer);
	}
	row = set->has_parameters ? resource_find_parts(set, path, n) :
				    resource_find(set, path, n);
	if (row == NULL) {
		answer.verdict = PERMISSION_NO_RESOURCE;
		return (answer);
	}
	answer.resource = (const char *)set + row->path;
	answer.resource_bytes = row->path_bytes;
	if (row->scope_bytes[m] == 0) {
		answer.verdict = PERMISSION_NOT_GRANTED;
		return (answer);
	}
	answer.verdict = PERMISSION_GRANTED;
	answer.scope = (const char *)set + row->scope[m];
	answer.scope_bytes = row->scope_bytes[m];
	return (answer);
}

/* Path, then " OPERATION=SCOPE" in the order of the table. */
static bool
read_line(struct permission_set *set, size_t room, struct row *row,
    const char *line, const char *end)
{
	const char *p, *cell;
	const struct row *other;
	int after = -1;

	memset(row, 0, sizeof(*row));
	p = memchr(line, ' ', (size_t)(end - line));
	if (p == NULL)
		p = end;
	if (!path_is_plain(line, (size_t)(p - line)) ||
	    !keep(set, room, line, (size_t)(p - line), &row->path))
		return (false);
	row->path_bytes = (uint16_t)(p - line);
	if (set->n > 0 && !path_ascends(set, row - 1, row))
		return (false);
	if (memchr(line, '{', row->path_bytes) != NULL) {
		for (other = set->rows; other < row; other++)
			if (path_is_twin(set, other, row))
				return (false);
		set->has_parameters = 1;
	}
	while (p < end) {
		cell = p + 1;
		p = memchr(cell, ' ', (size_t)(end - cell));
		if (p == NULL)
			p = end;
		if (!read_cell(set, room, row, &after, cell, p))
			return (false);
	}
	return (true);
}

static bool
read_cell(struct permission_set *set, size_t room, struct row *row, int *after,
    const char *cell, const char *end)
{
	const char *scope;
	uint32_t i;
	size_t n;
	int m;

	scope = memchr(cell, '=', (size_t)(end - cell));
	if (scope == NULL)
		return (false);
	for (m = *after + 1; m < PERMISSION_METHODS; m++)
		if ((size_t)(scope - cell) == methods[m].n &&
		    memcmp(cell, methods[m].name, methods[m].n) == 0)
			break;
	n = (size_t)(end - ++scope);
	if (m == PERMISSION_METHODS || !scope_is_plain(scope, n))
		return (false);
	*after = m;
	row->scope_bytes[m] = (uint16_t)n;
	/* Most cells have the scope of the one before, or of the first. */
	for (i = 0; i < (uint32_t)m; i++) {
		if (row->scope_bytes[i] == n &&
		    memcmp((char *)set + row->scope[i], scope, n) == 0) {
			row->scope[m] = row->scope[i];
			return (true);
		}
	}
	return (keep(set, room, scope, n, &row->scope[m]));
}

/* As the database has it: see product_resource_plain. */
static bool
path_is_plain(const char *path, size_t n)
{
	static const char signs[] = "_~.-";
	size_t i, parameter;
	char c, before = '\0';

	if (n < 2 || n > 200 || path[0] != '/')
		return (false);
	for (i = 0; i < n; before = c, i++) {
		c = path[i];
		if (c == '/') {
			if (before == '/' || before == '.')
				return (false);
		} else if (c == '{' && before == '/') {
			parameter = parameter_bytes(path + i, n - i);
			if (parameter == 0)
				return (false);
			i += parameter - 1;
			c = '}';
		} else if (!((lower(c) >= 'a' && lower(c) <= 'z') ||
			       (c >= '0' && c <= '9')) &&
		    memchr(signs, c, sizeof(signs) - 1) == NULL) {
			return (false);
		}
	}
	return (before != '/' && before != '.');
}

/* Of "{customerId}", which is a whole part; 0 for none. */
static size_t
parameter_bytes(const char *part, size_t n)
{
	size_t i;

	for (i = 1; i < n && part[i] != '}'; i++)
		if (!((lower(part[i]) >= 'a' && lower(part[i]) <= 'z') ||
			(part[i] >= '0' && part[i] <= '9') || part[i] == '_' ||
			part[i] == '-'))
			return (0);
	if (i == 1 || i > PERMISSION_NAME_MAX + 1 || i == n ||
	    (i + 1 < n && part[i + 1] != '/'))
		return (0);
	return (i + 1);
}

/* Do they differ by the names of parameters alone? */
static bool
path_is_twin(const struct permission_set *set, const struct row *a,
    const struct row *b)
{
	const char *p = (const char *)set + a->path, *p_end = p + a->path_bytes;
	const char *q = (const char *)set + b->path, *q_end = q + b->path_bytes;

	while (p < p_end && q < q_end) {
		if (*p != *q)
			return (false);
		if (*p == '{') {
			while (*p != '}')
				p++;
			while (*q != '}')
				q++;
		}
		p++;
		q++;
	}
	return (p == p_end && q == q_end);
}

static bool
path_ascends(const struct permission_set *set, const struct row *a,
    const struct row *b)
{
	size_t n = a->path_bytes < b->path_bytes ? a->path_bytes :
						   b->path_bytes;
	int order;

	order =
	    memcmp((const char *)set + a->path, (const char *)set + b->path, n);
	return (order < 0 || (order == 0 && a->path_bytes < b->path_bytes));
}

static bool
scope_is_plain(const char *scope, size_t n)
{
	size_t i;
	char c, before = ',';

	if (n == 0 || n > PERMISSION_SCOPE_MAX)
		return (false);
	for (i = 0; i < n; before = c, i++) {
		c = scope[i];
		if (!(c >= '0' && c <= '9') &&
		    !(lower(c) >= 'a' && lower(c) <= 'z') && c != '.' &&
		    c != '_' && c != '-' && (c != ',' || before == ','))
			return (false);
	}
	return (before != ',');
}

static bool
keep(struct permission_set *set, size_t room, const char *p, size_t n,
    uint32_t *ret_offset)
{
	if (n > room - set->bytes)
		return (false);
	memcpy((char *)set + set->bytes, p, n);
	*ret_offset = set->bytes;
	set->bytes += (uint32_t)n;
	return (true);
}

static int
method_of(const char *method, size_t n)
{
	int m;

	if (n == 4 && memcmp(method, "HEAD", 4) == 0)
		return (0);
	for (m = 0; m < PERMISSION_METHODS; m++)
		if (n == methods[m].n &&
		    memcmp(method, methods[m].name, n) == 0)
			return (m);
	return (-1);
}

/* Decodes the path of a target; false for what is odd. */
static bool
path_read(char path[PERMISSION_PATH_MAX + 1], const char *target, size_t bytes,
    size_t *ret_n)
{
	size_t i, n = 0;
	bool in_query = false;
	int high, low;
	char c;

	if (bytes > PERMISSION_TARGET_MAX)
		return (false);
	for (i = 0; i < bytes; i++) {
		c = target[i];
		if ((unsigned char)c <= ' ' || c == 0x7f || c == '#')
			return (false);
		in_query = in_query || c == '?';
		if (in_query)
			continue;
		if ((unsigned char)c > 0x7f || n == PERMISSION_PATH_MAX)
			return (false);
		if (c == '%') {
			if (bytes - i < 3)
				return (false);
			high = hex_of(target[i + 1]);
			low = hex_of(target[i + 2]);
			if (high < 0 || low < 0)
				return (false);
			c = (char)(high << 4 | low);
			if (c == '/' || c == '?' || c == '#')
				return (false);
			i += 2;
		}
		path[n++] = c;
	}
	path[n] = '\0';
	*ret_n = n;
	return (path_is_even(path, n));
}

/* Of a decoded path. */
static bool
path_is_even(const char *path, size_t n)
{
	size_t i;
	char c;

	if (n == 0 || path[0] != '/' || !str_utf8(path, n))
		return (false);
	for (i = 0; i < n; i++) {
		c = path[i];
		if ((unsigned char)c < ' ' || c == 0x7f || c == '\\' ||
		    c == ';')
			return (false);
		/* Somebody behind us may decode once more. */
		if (c == '%' && n - i >= 3 && hex_of(path[i + 1]) >= 0 &&
		    hex_of(path[i + 2]) >= 0)
			return (false);
		if (c == '/' && i > 0 &&
		    (path[i - 1] == '/' || path[i - 1] == '.' ||
			path[i - 1] == ' '))
			return (false);
	}
	return (path[n - 1] != '.' && path[n - 1] != ' ');
}

static int
hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (lower(c) >= 'a' && lower(c) <= 'f')
		return (lower(c) - 'a' + 10);
	return (-1);
}

static char
lower(char c)
{
	return (c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
}

/*
 * The resource with the longest path that fits, whatever its capitals; NULL if
 * none does, or if that one is written otherwise.
 */
static const struct row *
resource_find(const struct permission_set *set, const char *path, size_t n)
{
	const struct row *row, *best = NULL;
	const char *text;
	bool is_exact = false;
	uint32_t i;
	size_t k;

	for (i = 0; i < set->n; i++) {
		row = &set->rows[i];
		/* Two that differ by capitals alone are equally long: the one
		 * that is written right wins. */
		if (row->path_bytes > n ||
		    (path[row->path_bytes] != '/' &&
			path[row->path_bytes] != '\0') ||
		    (best != NULL &&
			(row->path_bytes < best->path_bytes ||
			    (is_exact && row->path_bytes == best->path_bytes))))
			continue;
		text = (const char *)set + row->path;
		for (k = 0; k < row->path_bytes; k++)
			if (lower(text[k]) != lower(path[k]))
				break;
		if (k < row->path_bytes)
			continue;
		best = row;
		is_exact = memcmp(text, path, k) == 0;
	}
	return (is_exact ? best : NULL);
}

/* The same where paths have parameters, part by part. */
static const struct row *
resource_find_parts(const struct permission_set *set, const char *path,
    size_t n)
{
	const struct row *row, *best = NULL;
	size_t parts, best_parts = 0;
	bool exact, is_exact = false;
	uint32_t i;
	int order;

	for (i = 0; i < set->n; i++) {
		row = &set->rows[i];
		if (!parts_fit((const char *)set + row->path, row->path_bytes,
			path, n, &parts, &exact) ||
		    parts < best_parts)
			continue;
		order = parts > best_parts ?
		    1 :
		    parts_order((const char *)set + row->path, row->path_bytes,
			(const char *)set + best->path, best->path_bytes);
		/* 0: they differ by capitals alone. */
		if (order < 0 || (order == 0 && is_exact))
			continue;
		best = row;
		best_parts = parts;
		is_exact = exact;
	}
	return (is_exact ? best : NULL);
}

/* Does a resource's path fit the beginning of a call's, whatever the capitals? */
static bool
parts_fit(const char *text, size_t text_n, const char *path, size_t path_n,
    size_t *ret_parts, bool *ret_exact)
{
	size_t i = 0, k = 0, parts = 0;
	bool exact = true;

	while (i < text_n) {
		/* Both stand at the slash before a part. */
		if (k >= path_n || path[k] != '/')
			return (false);
		i++;
		k++;
		parts++;
		if (text[i] == '{') {
			if (k == path_n || path[k] == '/')
				return (false);
			while (k < path_n && path[k] != '/')
				k++;
			while (text[i++] != '}')
				continue;
			continue;
		}
		for (; i < text_n && text[i] != '/'; i++, k++) {
			if (k == path_n || lower(text[i]) != lower(path[k]))
				return (false);
			exact = exact && text[i] == path[k];
		}
	}
	if (k < path_n && path[k] != '/')
		return (false);
	*ret_parts = parts;
	*ret_exact = exact;
	return (true);
}

/*
 * Of two paths of as many parts that fit the same call: 1 where the first has
 * a literal and the second a parameter, at the first part where that differs.
 */
static int
parts_order(const char *a, size_t a_n, const char *b, size_t b_n)
{
	size_t i = 0, k = 0;

	while (i < a_n && k < b_n) {
		i++;
		k++;
		if ((a[i] == '{') != (b[k] == '{'))
			return (a[i] == '{' ? -1 : 1);
		while (i < a_n && a[i] != '/')
			i++;
		while (k < b_n && b[k] != '/')
			k++;
	}
	return (0);
}
