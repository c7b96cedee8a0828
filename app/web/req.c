/*
 * Reading a request: see req.h.
 */
#include "web/req.h"

#include <assert.h>

#include "web/respond.h"
#include "web/route.h"

static const char *
find(const struct fields *fields, const char *name)
{
	size_t	i;

	for (i = 0; i < fields->n; i++) {
		if (str_eq(fields->list[i].name, name))
			return (fields->list[i].value);
	}
	return (NULL);
}

const char *
req_header(struct req *rq, const char *name)
{
	size_t	i;

	for (i = 0; i < rq->headers.n; i++) {
		if (str_eq_nocase(rq->headers.list[i].name, name))
			return (rq->headers.list[i].value);
	}
	return (NULL);
}

const char *
req_param(struct req *rq, const char *name)
{
	const char	*p;
	size_t		 n = strlen(name);
	unsigned	 i = 0;

	for (p = rq->route->pattern; *p != '\0'; p++) {
		if (*p != ':')
			continue;
		if (strncmp(p + 1, name, n) == 0 &&
		    (p[1 + n] == '/' || p[1 + n] == '\0'))
			return (rq->params[i]);
		i++;
	}
	assert(!"the route's pattern has no such part");
	abort();
}

const char *
req_query(struct req *rq, const char *name)
{
	return (find(&rq->query, name));
}

const char *
req_cookie(struct req *rq, const char *name)
{
	return (find(&rq->cookies, name));
}

const char *
req_form(struct req *rq, const char *name)
{
	const char	*value = find(&rq->form, name);

	return (value == NULL ? "" : value);
}

const char *
req_form_line(struct req *rq, const char *name)
{
	return (str_squeeze(rq->arena, req_form(rq, name)));
}

_Noreturn void
req_problem(struct req *rq, int status, const char *code, const char *detail)
{
	rq->answer->detail = detail;
	req_fail(rq, status, code);
}

_Noreturn void
req_not_found(struct req *rq)
{
	req_fail(rq, 404, "not_found");
}
