/*
 * The keys that sign tokens, as a worker has them: read when they are first
 * needed, and again when a notification says that they have changed.
 */
#ifndef GATEWAY_SIGNERS_H
#define GATEWAY_SIGNERS_H

#include "vault/signing.h"

/* As the database has them; or read since then (monotonic). */
bool	 signers_good(int64_t since);
/* Reads them; what doesn't open is logged. */
WAITS void signers_db_read(struct db *);
/* As they were read last; none before. */
const struct signing_keys *signers(void);

#endif
