/*
 * The form of access tokens: see token.h.
 */
#include "tokens/token.h"

#include "base/str.h"

void
access_token_make(char ret_token[ACCESS_TOKEN_TEXT])
{
	char	text[CODED_TEXT];

	coded_make(text, ACCESS_TOKEN_PREFIX);
	memcpy(ret_token, text, ACCESS_TOKEN_TEXT);
	explicit_bzero(text, sizeof(text));
}

bool
access_token_shaped(const char *token)
{
	return (str_starts(token, ACCESS_TOKEN_PREFIX) && coded_shaped(token));
}
