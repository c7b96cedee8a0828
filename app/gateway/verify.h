/*
 * POST /v1/verify: a program that has no gateway before it asks whether a call
 * may pass.  A JSON object (RFC 8259) of texts:
 *
 *	key		of whatever profile; may be left out, as in a call
 *	tenant		the client as the call names it, where that is asked for
 *	product, environment
 *			of what the program serves; a key of another is refused
 *	token		an access token, in a key's place
 *	api_user	"FORTAPI@ALTWORX", with
 *	password	its password
 *	method, path	of the call, path with its query
 *	address		of the caller, for whom wrong keys are counted
 *
 * From there on it is a call like any other.  Pure but for jansson's memory.
 */
#ifndef GATEWAY_VERIFY_H
#define GATEWAY_VERIFY_H

#include "apiusers/permission.h"
#include "crypto/jwt.h"
#include "gateway/call.h"

#define VERIFY_BODY_MAX		16384u	/* bytes */
#define VERIFY_KEY_MAX		1024u	/* longer ones are no keys either */
#define VERIFY_ADDRESS_MAX	64u
#define VERIFY_NAME_MAX		253u	/* a host's name */

struct verify {
	char	 key[VERIFY_KEY_MAX + 1];
	char	 api_user[CALL_USER_MAX + 1 + CALL_CODE_MAX + 1];
	char	 password[CALL_PASSWORD_MAX + 1];
	char	 method[32];
	char	 path[PERMISSION_TARGET_MAX + 1];
	char	 address[VERIFY_ADDRESS_MAX + 1];
	char	 token[JWT_MAX + 1];
	char	 tenant[VERIFY_NAME_MAX + 1];
	char	 product[VERIFY_NAME_MAX + 1];
	char	 environment[VERIFY_NAME_MAX + 1];
	bool	 has_user;
};

/* NULL, or what is wrong with it. */
const char *verify_read(struct verify *, const char *body, size_t bytes);
/* The call that it asks about; its texts are the verify's. */
void	 verify_call(const struct verify *, struct call *);
/* Wipes it. */
void	 verify_end(struct verify *);

#endif
