/*
 * latchkeyctl init and demo: what an empty database needs before the portal
 * can start.  Both may be run again at any time.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <unistd.h>

#include "base/setting.h"
#include "crypto/seal.h"
#include "ctl/ctl_db.h"
#include "vault/signing.h"
#include "vault/vault.h"

enum ctl_exit
ctl_init(struct ctl *ctl)
{
	const char	*path = setting->master_key_file, *why;
	int64_t		 made;

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (access(path, F_OK) == -1 && errno == ENOENT) {
		/* A new one would open nothing of what is there. */
		if (ctl_db_sealed_keys(ctl->db) > 0)
			return (ctl_refuse("%s is missing, and the keys in the "
			    "database are sealed under it: put the copy of it "
			    "back", path));
		if (!master_key_create(path, ctl->arena, &why))
			return (ctl_refuse("%s", why));
		printf("made the master key file %s: keep a copy elsewhere\n",
		    path);
	}
	if (!vault_read_master(ctl->arena, path, &why))
		return (ctl_refuse("%s", why));
	made = vault_init(ctl->db);
	if (made > 0)
		printf("made %lld keys in the database\n", (long long)made);
	if (!vault_load(ctl->db, &why))
		return (ctl_refuse("%s", why));
	if (signing_db_init(ctl->db, setting->token_rs256 ? JWT_RS256 :
	    JWT_ES256))
		printf("made a key that signs tokens\n");
	return (CTL_DONE);
}

enum ctl_exit
ctl_demo(struct ctl *ctl)
{
	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (ctl_db_demo(ctl->db))
		printf("made the demo product Rev.io API\n");
	return (CTL_DONE);
}
