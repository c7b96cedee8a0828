/*
 * latchkeyctl tenant list and subscription list.
 */
#include "ctl/ctl.h"
#include "ctl/ctl_db.h"

#include "base/base.h"

enum ctl_exit
ctl_tenant_list(struct ctl *ctl)
{
	static const struct ctl_column columns[] = {
		{ "code", "Code", COLUMN_TEXT },
		{ "name", "Name", COLUMN_TEXT },
		{ "state", "State", COLUMN_TEXT },
		{ "email_domains", "Mail domains", COLUMN_LIST },
		{ "people", "People", COLUMN_NUMBER },
		{ "live_subscriptions", "Live keys", COLUMN_NUMBER },
	};
	bool	json = ctl_flag(ctl, "--json");

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	ctl_list(ctl, json, columns, COUNT(columns),
	    ctl_db_tenants(ctl->db));
	return (CTL_DONE);
}

enum ctl_exit
ctl_subscription_list(struct ctl *ctl)
{
	static const struct ctl_column columns[] = {
		{ "name", "Name", COLUMN_TEXT },
		{ "tenant", "Client", COLUMN_TEXT },
		{ "product", "Product", COLUMN_TEXT },
		{ "environment", "Environment", COLUMN_TEXT },
		{ "state", "State", COLUMN_TEXT },
		{ "created_at", "Since", COLUMN_TEXT },
		{ "expires_at", "Until", COLUMN_TEXT },
		{ "id", "Id", COLUMN_TEXT },
	};
	bool	json = ctl_flag(ctl, "--json");

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	ctl_list(ctl, json, columns, COUNT(columns),
	    ctl_db_subscriptions(ctl->db));
	return (CTL_DONE);
}
