/*
 * The list of common passwords, made at build time by common_passwords.py:
 * lower case, of PASSWORD_MIN_CHARS and more, sorted as strcmp() sorts.  Only
 * password.c asks for it.
 */
#ifndef CRYPTO_PASSWORD_LIST_H
#define CRYPTO_PASSWORD_LIST_H

#include <stddef.h>

extern const char *const	common_passwords[];
extern const size_t		common_passwords_count;

#endif
