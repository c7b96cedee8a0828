/*
 * See verify.h.
 */
#include "gateway/verify.h"

#include <jansson.h>

#include "base/str.h"
#include "gateway/keyway.h"

static const char *read_members(struct verify *, json_t *);

const char *
verify_read(struct verify *v, const char *body, size_t bytes)
{
	json_error_t	 error;
	json_t		*root;
	const char	*wrong;

	memset(v, 0, sizeof(*v));
	if (bytes > VERIFY_BODY_MAX)
		return ("It is larger than 16384 bytes.");
	/* Twice the same name is two calls; NUL is in no text. */
	root = json_loadb(bytes > 0 ? body : "", bytes, JSON_REJECT_DUPLICATES,
	    &error);
	if (root == NULL)
		return ("It must be one JSON object.");
	wrong = read_members(v, root);
	json_decref(root);
	return (wrong);
}

void
verify_call(const struct verify *v, struct call *call)
{
	call->forwarded_method = v->method;
	call->forwarded_uri = v->path;
	if (v->key[0] != '\0') {
		call->key_header = v->key;
		call->key_name = KEYWAY_ANY;
	}
	/* Of another shape it is an unknown one. */
	if (v->token[0] != '\0')
		call->token = v->token;
	if (v->tenant[0] != '\0') {
		call->tenant = v->tenant;
		call->tenant_name = KEYWAY_ANY;
	}
	if (v->product[0] != '\0')
		call->product = v->product;
	if (v->environment[0] != '\0')
		call->environment = v->environment;
	if (v->address[0] != '\0')
		call->forwarded_for = v->address;
	if (v->has_user) {
		call->user_name = v->api_user;
		call->user_password = v->password;
	}
}

void
verify_end(struct verify *v)
{
	explicit_bzero(v, sizeof(*v));
}

static const char *
read_members(struct verify *v, json_t *root)
{
	const struct {
		const char	*name;
		char		*to;
		size_t		 room;
	} members[] = {
		{ "key", v->key, sizeof(v->key) },
		{ "api_user", v->api_user, sizeof(v->api_user) },
		{ "password", v->password, sizeof(v->password) },
		{ "method", v->method, sizeof(v->method) },
		{ "path", v->path, sizeof(v->path) },
		{ "address", v->address, sizeof(v->address) },
		{ "token", v->token, sizeof(v->token) },
		{ "tenant", v->tenant, sizeof(v->tenant) },
		{ "product", v->product, sizeof(v->product) },
		{ "environment", v->environment, sizeof(v->environment) },
	};
	const char	*name;
	json_t		*value;
	size_t		 i, n;

	if (!json_is_object(root))
		return ("It must be one JSON object.");
	json_object_foreach(root, name, value) {
		for (i = 0; i < COUNT(members); i++)
			if (str_eq(name, members[i].name))
				break;
		/* One that is passed over might have been meant to deny. */
		if (i == COUNT(members))
			return ("Its members are key, token, tenant, product, "
			    "environment, api_user, password, method, path "
			    "and address.");
		if (!json_is_string(value))
			return ("Its members must be texts.");
		n = json_string_length(value);
		if (n >= members[i].room)
			return ("One of its texts is too long.");
		memcpy(members[i].to, json_string_value(value), n + 1);
		if (i == 1 || i == 2)
			v->has_user = true;
	}
	if (v->method[0] == '\0' || v->path[0] == '\0')
		return ("It needs method and path.");
	if (v->path[0] != '/')
		return ("path begins with /.");
	return (NULL);
}
