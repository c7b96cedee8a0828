/*
 * Members of a body as fields of a form: the slices' rules read them there, as
 * they read what a browser sends.
 */
#include "api/api_pages.h"

static const struct api_json *member(const struct api_json *body,
		    const char *name);
static const struct api_field *listed(const struct api_field *, size_t n,
		    const char *name);
static bool	 fits(const struct api_json *, const struct api_field *);
static void	 take(struct req *, const struct api_json *, enum api_type);
static void	 error_add(struct buf *, const char *field, const char *text);
WAITS _Noreturn static void refuse(struct req *, struct buf *errors);

WAITS void
api_fields(struct req *rq, const struct api_field *fields, size_t n)
{
	static const char *const what[] = { "It must be a text.",
		"It must be a whole number.", "It must be true or false.",
		"It must be an array of texts.",
		"It must be an array of texts." };
	static const struct api_json none = { .type = JSON_IS_OBJECT };
	const struct api_json	*body = rq->api->body, *value;
	struct buf		 errors;
	size_t			 i;

	if (body == NULL)
		body = &none;
	buf_init(&errors, rq->arena, REQ_BODY_MAX);
	rq->form = (struct fields){ .list = arena_calloc(rq->arena,
	    REQ_FIELDS_MAX, sizeof(struct field)) };
	for (i = 0; i < body->n; i++) {
		if (listed(fields, n, body->list[i].name) == NULL)
			error_add(&errors, body->list[i].name,
			    "There is no such field.");
	}
	for (i = 0; i < n; i++) {
		value = member(body, fields[i].name);
		if (value == NULL || value->type == JSON_IS_NULL) {
			if (fields[i].must)
				error_add(&errors, fields[i].name,
				    "It is missing.");
		} else if (!fits(value, &fields[i])) {
			error_add(&errors, fields[i].name,
			    what[fields[i].type]);
		} else {
			take(rq, value, fields[i].type);
		}
	}
	if (errors.n > 0)
		refuse(rq, &errors);
}

void
api_rename(struct req *rq, const char *from, const char *to)
{
	size_t	i;

	for (i = 0; i < rq->form.n; i++) {
		if (str_eq(rq->form.list[i].name, from))
			rq->form.list[i].name = to;
	}
}

void
api_add(struct req *rq, const char *name, const char *value)
{
	if (rq->form.n == REQ_FIELDS_MAX)
		req_problem(rq, 413, "too_large", "There are more than 512 "
		    "values.");
	rq->form.list[rq->form.n++] = (struct field){ name, value };
}

WAITS _Noreturn void
api_invalid(struct req *rq, struct view *view)
{
	struct buf	 errors;
	const char	*field, *text;
	size_t		 i;

	buf_init(&errors, rq->arena, REQ_BODY_MAX);
	for (i = 0; form_error_at(view, i, &field, &text); i++)
		error_add(&errors, field, text);
	refuse(rq, &errors);
}

WAITS _Noreturn void
api_invalid_field(struct req *rq, const char *field, const char *text)
{
	struct buf	errors;

	buf_init(&errors, rq->arena, REQ_BODY_MAX);
	error_add(&errors, field, text);
	refuse(rq, &errors);
}

static const struct api_json *
member(const struct api_json *body, const char *name)
{
	size_t	i;

	for (i = 0; i < body->n; i++) {
		if (str_eq(body->list[i].name, name))
			return (&body->list[i]);
	}
	return (NULL);
}

static const struct api_field *
listed(const struct api_field *fields, size_t n, const char *name)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		if (str_eq(fields[i].name, name))
			return (&fields[i]);
	}
	return (NULL);
}

static bool
fits(const struct api_json *value, const struct api_field *field)
{
	size_t	i;

	switch (field->type) {
	case API_TEXT:
		return (value->type == JSON_IS_TEXT);
	case API_NUMBER:
		return (value->type == JSON_IS_NUMBER);
	case API_BOOL:
		return (value->type == JSON_IS_BOOL);
	case API_TEXTS:
	case API_LINES:
		break;
	}
	for (i = 0; i < value->n; i++) {
		if (value->list[i].type != JSON_IS_TEXT)
			return (false);
	}
	return (value->type == JSON_IS_ARRAY);
}

static void
take(struct req *rq, const struct api_json *value, enum api_type type)
{
	struct buf	lines;
	size_t		i;

	switch (type) {
	case API_TEXT:
		api_add(rq, value->name, value->text);
		return;
	case API_NUMBER:
		api_add(rq, value->name, arena_fmt(rq->arena, "%lld",
		    (long long)value->number));
		return;
	case API_BOOL:
		if (value->number != 0)
			api_add(rq, value->name, "1");
		return;
	case API_TEXTS:
		for (i = 0; i < value->n; i++)
			api_add(rq, value->name, value->list[i].text);
		return;
	case API_LINES:
		break;
	}
	buf_init(&lines, rq->arena, REQ_BODY_MAX + JSON_NAMES_MAX);
	for (i = 0; i < value->n; i++) {
		buf_str(&lines, value->list[i].text);
		buf_chr(&lines, '\n');
	}
	api_add(rq, value->name, buf_text(&lines));
}

static void
error_add(struct buf *errors, const char *field, const char *text)
{
	buf_str(errors, errors->n == 0 ? "[{\"field\":\"" : ",{\"field\":\"");
	buf_json(errors, field);
	buf_str(errors, "\",\"text\":\"");
	buf_json(errors, text);
	buf_str(errors, "\"}");
}

WAITS _Noreturn static void
refuse(struct req *rq, struct buf *errors)
{
	buf_chr(errors, ']');
	/* Too much to say is not said. */
	rq->answer->errors = errors->full ? NULL : buf_text(errors);
	api_fail(rq, 422, "invalid", "Something in the body has to change.");
}
