/*
 * See signers.h.
 */
#include "gateway/signers.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/cache.h"

static struct signing_keys	 keys;
/* Of no tenant, so what is told to all is what counts. */
static struct entry		 read;

bool
signers_good(int64_t since)
{
	return (read.live && cache_good(&read, since));
}

WAITS void
signers_db_read(struct db *db)
{
	uint64_t	 number = cache_begin();
	int		 broken;

	signing_db_read(db, &keys, &broken);
	read.live = true;
	read.number = number;
	read.read_at = clock_monotonic();
	if (broken > 0)
		log_event(LOG_LEVEL_ERROR, "signing_keys_broken", "keys",
		    LOG_NUM(broken), NULL);
}

const struct signing_keys *
signers(void)
{
	return (&keys);
}
