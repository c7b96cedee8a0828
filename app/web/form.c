/*
 * Forms, cookies and paths: see form.h.  Each has a fuzz target in tests/fuzz.
 */
#include "web/form.h"

static int	 hex_value(char);
static char	*decode(struct arena *, const char *, size_t, bool plus);
static void	 fields_add(struct arena *, struct fields *, size_t *room,
		    const char *name, const char *value);

enum form_result
form_parse(struct arena *a, const char *text, size_t bytes,
    struct fields *ret_fields)
{
	const char	*end = text + bytes, *p = text, *stop, *equals;
	char		*name, *value;
	struct fields	 fields = { 0 };
	size_t		 room = 0;

	while (p < end) {
		stop = memchr(p, '&', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		if (stop > p) {
			if (fields.n == REQ_FIELDS_MAX)
				return (FORM_TOO_MANY);
			equals = memchr(p, '=', (size_t)(stop - p));
			if (equals == NULL)
				equals = stop;
			name = decode(a, p, (size_t)(equals - p), true);
			value = equals == stop ? arena_strdup(a, "") :
			    decode(a, equals + 1, (size_t)(stop - equals - 1),
			    true);
			if (name == NULL || value == NULL)
				return (FORM_BAD);
			fields_add(a, &fields, &room, name, value);
		}
		p = stop + 1;
	}
	*ret_fields = fields;
	return (FORM_OK);
}

void
cookie_parse(struct arena *a, const char *header, struct fields *add_to)
{
	const char	*p = header, *stop, *equals, *end;
	char		*name, *value;
	size_t		 room = add_to->n;

	while (*p != '\0' && add_to->n < REQ_COOKIES_MAX) {
		while (*p == ' ' || *p == '\t' || *p == ';')
			p++;
		stop = p + strcspn(p, ";");
		equals = memchr(p, '=', (size_t)(stop - p));
		if (equals != NULL && equals > p) {
			end = stop;
			while (end > equals + 1 &&
			    (end[-1] == ' ' || end[-1] == '\t'))
				end--;
			name = arena_strndup(a, p, (size_t)(equals - p));
			value = arena_strndup(a, equals + 1,
			    (size_t)(end - equals - 1));
			fields_add(a, add_to, &room, name, value);
		}
		p = stop;
	}
}

char *
path_decode(struct arena *a, const char *raw)
{
	size_t	 n = strlen(raw), i;
	char	*path;

	if (n == 0 || n > REQ_PATH_MAX || raw[0] != '/')
		return (NULL);
	for (i = 0; i + 2 < n; i++) {
		if (raw[i] == '%' && raw[i + 1] == '2' &&
		    (raw[i + 2] == 'f' || raw[i + 2] == 'F'))
			return (NULL);
	}
	path = decode(a, raw, n, false);
	if (path == NULL || str_has_control(path) ||
	    strchr(path, '\\') != NULL || strstr(path, "//") != NULL ||
	    strstr(path, "/../") != NULL || strstr(path, "/./") != NULL ||
	    str_ends(path, "/..") || str_ends(path, "/."))
		return (NULL);
	return (path);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* NULL when something is wrong; the text is NFC otherwise. */
static char *
decode(struct arena *a, const char *s, size_t n, bool plus)
{
	char	*out = arena_alloc(a, n + 1), *to = out;
	size_t	 i;
	int	 high, low;
	bool	 ascii = true;

	for (i = 0; i < n; i++) {
		*to = s[i];
		if (s[i] == '+' && plus) {
			*to = ' ';
		} else if (s[i] == '%') {
			if (i + 2 >= n || (high = hex_value(s[i + 1])) < 0 ||
			    (low = hex_value(s[i + 2])) < 0)
				return (NULL);
			*to = (char)(high << 4 | low);
			i += 2;
		}
		if (*to == '\0')
			return (NULL);
		if ((unsigned char)*to >= 0x80)
			ascii = false;
		to++;
	}
	if (ascii)
		return (out);
	return (str_utf8(out, (size_t)(to - out)) ? str_nfc(a, out) : NULL);
}

static void
fields_add(struct arena *a, struct fields *f, size_t *room, const char *name,
    const char *value)
{
	struct field	*bigger;

	if (f->n == *room) {
		*room = *room == 0 ? 8 : *room * 2;
		bigger = arena_calloc(a, *room, sizeof(*bigger));
		if (f->n > 0)
			memcpy(bigger, f->list, f->n * sizeof(*bigger));
		f->list = bigger;
	}
	f->list[f->n].name = name;
	f->list[f->n].value = value;
	f->n++;
}
