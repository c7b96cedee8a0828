/*
 * JSON in and out: see json.h.
 */
#include "api/json.h"

#include <assert.h>
#include <jansson.h>

#include "base/clock.h"
#include "crypto/token.h"

static bool	 too_deep(const char *text, size_t bytes);
static bool	 copy(struct arena *, const json_t *, const char *name,
		    struct api_json *, const char **ret_why);
static void	 name_of(struct out *, const char *name);

void
api_json_setup(void)
{
	uint32_t	seed;

	random_bytes(&seed, sizeof(seed));
	json_object_seed(seed | 1);
}

const struct api_json *
api_json_read(struct arena *a, const char *text, size_t bytes,
    const char **ret_why)
{
	struct api_json	*whole = arena_alloc(a, sizeof(*whole));
	json_error_t	 error;
	json_t		*json;
	bool		 ok;

	if (too_deep(text, bytes)) {
		*ret_why = "It has brackets within brackets within brackets.";
		return (NULL);
	}
	json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES |
	    JSON_DECODE_ANY, &error);
	if (json == NULL) {
		*ret_why = json_error_code(&error) ==
		    json_error_duplicate_key ? "A name stands twice in one "
		    "object." : arena_fmt(a, "It is no JSON, line %d, column "
		    "%d.", error.line, error.column);
		return (NULL);
	}
	ok = copy(a, json, NULL, whole, ret_why);
	json_decref(json);
	return (ok ? whole : NULL);
}

/* Counts brackets that do not stand in strings. */
static bool
too_deep(const char *text, size_t bytes)
{
	size_t	i;
	int	depth = 0;
	bool	in_string = false;

	for (i = 0; i < bytes; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '[' || text[i] == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return (true);
		} else if (text[i] == ']' || text[i] == '}') {
			depth--;
		}
	}
	return (false);
}

/* Recurses no deeper than JSON_DEPTH_MAX. */
static bool
copy(struct arena *a, const json_t *json, const char *name,
    struct api_json *to, const char **ret_why)
{
	const char	*key;
	json_t		*object, *item;
	size_t		 i, n;
	union { const json_t *in; json_t *out; } same = { json };

	*to = (struct api_json){ .name = name };
	switch (json_typeof(json)) {
	case JSON_NULL:
		return (true);
	case JSON_TRUE:
	case JSON_FALSE:
		to->type = JSON_IS_BOOL;
		to->number = json_is_true(json);
		return (true);
	case JSON_INTEGER:
		to->type = JSON_IS_NUMBER;
		to->number = json_integer_value(json);
		return (true);
	case JSON_REAL:
		*ret_why = "Only whole numbers are taken.";
		return (false);
	case JSON_STRING:
		to->type = JSON_IS_TEXT;
		to->text = str_nfc(a, json_string_value(json));
		return (to->text != NULL);
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	to->type = json_is_array(json) ? JSON_IS_ARRAY : JSON_IS_OBJECT;
	n = json_is_array(json) ? json_array_size(json) :
	    json_object_size(json);
	if (n > JSON_NAMES_MAX) {
		*ret_why = "It has more than 512 items.";
		return (false);
	}
	to->list = arena_calloc(a, n + 1, sizeof(*to->list));
	object = same.out;
	if (json_is_array(json)) {
		json_array_foreach(object, i, item)
			if (!copy(a, item, NULL, &to->list[to->n++], ret_why))
				return (false);
		return (true);
	}
	json_object_foreach(object, key, item)
		if (!copy(a, item, arena_strdup(a, key),
		    &to->list[to->n++], ret_why))
			return (false);
	return (true);
}

void
out_begin(struct out *o, struct arena *a)
{
	buf_init(&o->b, a, JSON_OUT_MAX);
}

void
out_open(struct out *o, const char *name, char bracket)
{
	name_of(o, name);
	buf_chr(&o->b, bracket);
}

void
out_close(struct out *o, char bracket)
{
	buf_chr(&o->b, bracket);
}

void
out_text(struct out *o, const char *name, const char *text)
{
	name_of(o, name);
	if (text == NULL) {
		buf_str(&o->b, "null");
		return;
	}
	buf_chr(&o->b, '"');
	buf_json(&o->b, text);
	buf_chr(&o->b, '"');
}

void
out_some(struct out *o, const char *name, const char *text)
{
	out_text(o, name, text == NULL || *text == '\0' ? NULL : text);
}

void
out_number(struct out *o, const char *name, int64_t number)
{
	name_of(o, name);
	buf_fmt(&o->b, "%lld", (long long)number);
}

void
out_bool(struct out *o, const char *name, bool truth)
{
	name_of(o, name);
	buf_str(&o->b, truth ? "true" : "false");
}

void
out_time(struct out *o, const char *name, int64_t at)
{
	out_text(o, name, at == 0 ? NULL : clock_iso(o->b.arena, at));
}

void
out_split(struct out *o, const char *name, const char *text, const char *by)
{
	size_t	n;

	out_open(o, name, '[');
	while (text != NULL && *text != '\0') {
		text += strspn(text, by);
		text += strspn(text, " ");
		n = strcspn(text, by);
		if (n > 0)
			out_text(o, NULL, arena_strndup(o->b.arena, text, n));
		text += n;
	}
	out_close(o, ']');
}

/* The comma, where something stands before, and the name. */
static void
name_of(struct out *o, const char *name)
{
	char	last = o->b.n == 0 ? '[' : o->b.p[o->b.n - 1];

	if (last != '{' && last != '[')
		buf_chr(&o->b, ',');
	if (name == NULL)
		return;
	buf_chr(&o->b, '"');
	buf_json(&o->b, name);
	buf_str(&o->b, "\":");
}
