/*
 * latchkeyctl tenant list and subscription list, of the database or of a portal
 * elsewhere.
 */
#include "ctl/ctl.h"
#include "ctl/ctl_db.h"
#include "ctl/remote.h"

#include "base/base.h"

static struct ctl_table table_of(struct ctl *, const struct db_rows *,
		    int columns);

enum ctl_exit
ctl_tenant_list(struct ctl *ctl)
{
	static const struct ctl_column columns[] = {
		{ "code", "Code", COLUMN_TEXT },
		{ "name", "Name", COLUMN_TEXT },
		{ "state", "State", COLUMN_TEXT },
		{ "email_domains", "Mail domains", COLUMN_LIST },
		{ "people", "People", COLUMN_NUMBER },
		/* The API doesn't tell how many. */
		{ "live_subscriptions", "Live keys", COLUMN_NUMBER },
	};
	struct ctl_table	table;
	bool			json = ctl_flag(ctl, "--json");

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (ctl->remote == NULL)
		table = table_of(ctl, ctl_db_tenants(ctl->db), COUNT(columns));
	else if (!remote_tenants(ctl, &table))
		return (CTL_REFUSED);
	ctl_list(ctl, json, columns, &table);
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
	struct ctl_table	table;
	bool			json = ctl_flag(ctl, "--json");

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (ctl->remote == NULL)
		table = table_of(ctl, ctl_db_subscriptions(ctl->db), COUNT(columns));
	else if (!remote_subscriptions(ctl, &table))
		return (CTL_REFUSED);
	ctl_list(ctl, json, columns, &table);
	return (CTL_DONE);
}

static struct ctl_table
table_of(struct ctl *ctl, const struct db_rows *rows, int columns)
{
	struct ctl_table	table = { rows->n, columns, NULL };
	size_t			at = 0;
	int			row, i;

	table.cells = arena_calloc(ctl->arena, (size_t)rows->n *
	    (size_t)columns, sizeof(*table.cells));
	for (row = 0; row < rows->n; row++)
		for (i = 0; i < columns; i++)
			table.cells[at++] = db_text(rows, row, i);
	return (table);
}
