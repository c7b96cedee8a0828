/*
 * Rules of requests in plain C: which tenant one is of, and what that allows.
 */
#include "requests/request.h"

#include <assert.h>

enum request_state
request_state_parse(const char *state)
{
	if (str_eq(state, "submitted"))
		return (REQUEST_SUBMITTED);
	if (str_eq(state, "approved"))
		return (REQUEST_APPROVED);
	if (str_eq(state, "shared"))
		return (REQUEST_SHARED);
	if (str_eq(state, "rejected"))
		return (REQUEST_REJECTED);
	assert(str_eq(state, "withdrawn"));
	return (REQUEST_WITHDRAWN);
}

const struct request_candidate *
request_shareable(const struct request *rq)
{
	int	i;

	/* Candidates come with the likeliest first. */
	for (i = 0; i < rq->candidates_n; i++) {
		if (rq->candidates[i].key_name != NULL &&
		    rq->candidates[i].similar == 0)
			return (&rq->candidates[i]);
	}
	return (NULL);
}

bool
request_approvable(const struct request *rq)
{
	const struct request_candidate	*c = request_named(rq);

	return (c == NULL || c->key_name == NULL);
}

bool
request_needs_reason(const struct request_candidate *c)
{
	return (!c->is_own && !c->has_domain && !str_eq(c->consent, "yes"));
}

const struct request_candidate *
request_named(const struct request *rq)
{
	const struct request_candidate	*c = &rq->candidates[0];

	if (rq->candidates_n > 0 && (c->is_own || c->by_name || c->by_code))
		return (c);
	return (NULL);
}
