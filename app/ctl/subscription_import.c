/*
 * latchkeyctl subscription import: subscriptions with their pairs of keys from
 * Azure API Management, as tenant,product,name,state,primary,secondary with
 * the client's code and the product's slug.  The file is taken as a whole or
 * not at all; each bad row is told with its number, and no line shows a key.
 */
#include "ctl/ctl.h"

#include "base/str.h"
#include "ctl/csv.h"
#include "ctl/ctl_db.h"
#include "keys/find.h"
#include "subscriptions/subscription.h"
#include "tenants/tenant.h"
#include "vault/vault.h"

/* One statement writes them all, within its 5 seconds. */
#define ROWS_MAX	2000u
#define COMPLAINTS_MAX	20	/* then it says how many more there are */
#define FIELDS		6

struct import {
	struct ctl		*ctl;
	const char		*file;
	struct ctl_subscriptions s;
	const char		**key;		/* two a row */
	int64_t			*row;
	int64_t			 complaints;
};

static void	 make_room(struct import *);
static void	 read_rows(struct import *, const char *, size_t);
static void	 read_row(struct import *, const struct csv_row *);
static void	 check_twins(struct import *);
static void	 check_clients(struct import *);
static void	 check_keys(struct import *);
static void	 seal_keys(struct import *);
static void	 complain(struct import *, int64_t, const char *, ...)
		    FORMAT(3, 4);

enum ctl_exit
ctl_subscription_import(struct ctl *ctl)
{
	bool		 dry = ctl_flag(ctl, "--dry-run");
	struct import	 in = { .ctl = ctl };
	char		*text;
	size_t		 bytes;

	if (!ctl_words(ctl, 1))
		return (CTL_USAGE);
	in.file = ctl->argv[0];
	if (!ctl_open_vault(ctl) ||
	    !ctl_read_file(ctl, in.file, &text, &bytes))
		return (CTL_REFUSED);
	make_room(&in);
	read_rows(&in, text, bytes);
	check_twins(&in);
	if (in.complaints == 0 && in.s.n > 0) {
		check_clients(&in);
		check_keys(&in);
	}
	if (in.complaints > COMPLAINTS_MAX)
		fprintf(stderr, "%s: and %lld more\n", in.file,
		    (long long)in.complaints - COMPLAINTS_MAX);
	if (in.complaints > 0)
		return (ctl_refuse("nothing was imported"));
	if (!dry && in.s.n > 0) {
		seal_keys(&in);
		if (!ctl_db_subscriptions_add(ctl->db, &in.s))
			return (ctl_refuse("a client, a product or a key has "
			    "changed at the same moment: nothing was imported, "
			    "try again"));
	}
	printf("%zu subscription%s %s\n", in.s.n, in.s.n == 1 ? "" : "s",
	    dry ? "would be imported" : "imported");
	return (CTL_DONE);
}

static void
make_room(struct import *in)
{
	struct arena	*a = in->ctl->arena;
	const char	***one[] = { &in->s.id, &in->s.tenant, &in->s.product,
			    &in->s.name, &in->s.state };
	const char	***two[] = { &in->s.key_id, &in->s.key_subscription,
			    &in->s.key_slot, &in->s.key_sealed, &in->s.key_mac,
			    &in->s.key_prefix_mac, &in->s.key_last4, &in->key };
	size_t		 i;

	for (i = 0; i < COUNT(one); i++)
		*one[i] = arena_calloc(a, ROWS_MAX, sizeof(char *));
	for (i = 0; i < COUNT(two); i++)
		*two[i] = arena_calloc(a, 2 * ROWS_MAX, sizeof(char *));
	in->row = arena_calloc(a, ROWS_MAX, sizeof(*in->row));
}

static void
read_rows(struct import *in, const char *text, size_t bytes)
{
	static const char *const header[FIELDS] = { "tenant", "product",
		"name", "state", "primary", "secondary" };
	struct csv_row	 row;
	struct csv	 csv;
	const char	*why;
	enum csv_next	 next;
	size_t		 i;

	csv_begin(&csv, in->ctl->arena, text, bytes);
	while ((next = csv_next(&csv, &row, &why)) == CSV_ROW) {
		if (row.n != FIELDS) {
			complain(in, row.number, "has %d fields where there "
			    "should be %d", row.n, FIELDS);
			if (row.number == 1)
				return;
			continue;
		}
		if (row.number > 1) {
			read_row(in, &row);
			continue;
		}
		for (i = 0; i < FIELDS; i++)
			if (!str_eq(row.fields[i], header[i])) {
				complain(in, 1, "is the header and must be "
				    "tenant,product,name,state,primary,"
				    "secondary");
				return;
			}
	}
	if (next == CSV_BAD)
		complain(in, row.number, "%s", why);
	else if (row.number == 1)
		complain(in, 1, "is missing: the header tenant,product,name,"
		    "state,primary,secondary");
}

static void
read_row(struct import *in, const struct csv_row *row)
{
	struct arena		*a = in->ctl->arena;
	const char *const	*f = row->fields;
	struct subscription_name name;
	size_t			 i = in->s.n, k;
	char			*id;

	if (i == ROWS_MAX) {
		complain(in, row->number, "is one more than %u subscriptions: "
		    "cut the file", ROWS_MAX);
		return;
	}
	if (!tenant_code_valid(f[0]))
		complain(in, row->number, "has no client’s code in its first "
		    "field");
	if (!str_utf8(f[1], strlen(f[1])) || *f[1] == '\0' ||
	    str_has_control(f[1]))
		complain(in, row->number, "has no product’s slug in its second "
		    "field");
	if (!str_utf8(f[2], strlen(f[2])) || subscription_name_check(a, f[2],
	    &name) != SUBSCRIPTION_NAME_GOOD)
		complain(in, row->number, "has no good name: it is the "
		    "client’s, then -KEY, as in Altaworx-KEY");
	if (!str_eq(f[3], "active") && !str_eq(f[3], "suspended"))
		complain(in, row->number, "has a state that is neither active "
		    "nor suspended: leave out what has ended or only waits");
	for (k = 0; k < 2; k++)
		if (!find_shaped(FIND_WHOLE, f[4 + k]))
			complain(in, row->number, "has a %s key that is not 32 "
			    "of 0-9 and a-f", k == 0 ? "primary" :
			    "secondary");
	if (in->complaints > 0)
		return;
	id = arena_alloc(a, UUID_TEXT);
	uuid_make(id);
	in->s.id[i] = id;
	in->s.tenant[i] = f[0];
	in->s.product[i] = f[1];
	in->s.name[i] = name.name;
	in->s.state[i] = f[3];
	in->key[2 * i] = f[4];
	in->key[2 * i + 1] = f[5];
	in->row[i] = row->number;
	in->s.n++;
}

struct place {
	const char	*text;
	size_t		 i;
};

static int
place_compare(const void *a, const void *b)
{
	const struct place	*x = a, *y = b;
	int			 c = strcmp(x->text, y->text);

	return (c != 0 ? c : (x->i > y->i) - (x->i < y->i));
}

/* A key that stands twice in the file, in one row too. */
static void
check_twins(struct import *in)
{
	struct place	*by;
	size_t		 i;

	by = arena_calloc(in->ctl->arena, 2 * in->s.n + 1, sizeof(*by));
	for (i = 0; i < 2 * in->s.n; i++)
		by[i] = (struct place){ in->key[i], i };
	qsort(by, 2 * in->s.n, sizeof(*by), place_compare);
	for (i = 1; i < 2 * in->s.n; i++)
		if (str_eq(by[i].text, by[i - 1].text))
			complain(in, in->row[by[i].i / 2], "has a key that "
			    "stands in row %lld, too",
			    (long long)in->row[by[i - 1].i / 2]);
}

static void
check_clients(struct import *in)
{
	const struct db_rows	*rows;
	struct place		*by;
	size_t			 i, n = 0;
	int			 row;

	rows = ctl_db_subscriptions_known(in->ctl->db, &in->s);
	by = arena_calloc(in->ctl->arena, in->s.n + 1, sizeof(*by));
	for (row = 0; row < rows->n; row++) {
		i = (size_t)db_number(rows, row, 0) - 1;
		if (!db_truth(rows, row, 1))
			complain(in, in->row[i], "names the client %s, which "
			    "is not there", in->s.tenant[i]);
		else if (!db_truth(rows, row, 2))
			complain(in, in->row[i], "names a product that is not "
			    "there, or closed");
		else if (!db_truth(rows, row, 6))
			complain(in, in->row[i], "names the product %s, whose "
			    "keys are not pairs", in->s.product[i]);
		else if (db_truth(rows, row, 5))
			complain(in, in->row[i], "is of %s, which has a live "
			    "key", in->s.tenant[i]);
		/* One a client, or, of other products, one a product. */
		by[n++] = (struct place){ arena_fmt(in->ctl->arena, "%s %s",
		    db_text(rows, row, 3), db_truth(rows, row, 4) ? "" :
		    in->s.product[i]), i };
	}
	qsort(by, n, sizeof(*by), place_compare);
	for (i = 1; i < n && in->complaints == 0; i++)
		if (str_eq(by[i].text, by[i - 1].text))
			complain(in, in->row[by[i].i], "is a second key of %s, "
			    "as row %lld", in->s.tenant[by[i].i],
			    (long long)in->row[by[i - 1].i]);
}

/* Keys that the system has, whichever version their HMAC is of. */
static void
check_keys(struct import *in)
{
	struct db		*db = in->ctl->db;
	const struct db_rows	*rows;
	unsigned char		 mac[SHA256_BYTES];
	uint32_t		 version;
	size_t			 i, n = 2 * in->s.n;
	int			 row;

	version = keyring_newest(vault, "subscription-key");
	for (; version > 0; version--) {
		for (i = 0; i < n; i++) {
			if (!keyring_hmac(vault, "subscription-key", version,
			    in->key[i], strlen(in->key[i]), mac))
				break;
			in->s.key_mac[i] = db_bytes(db, mac, sizeof(mac));
		}
		if (i < n)
			continue;
		rows = ctl_db_keys_known(db, in->s.key_mac, n);
		for (row = 0; row < rows->n; row++) {
			i = (size_t)db_number(rows, row, 0) - 1;
			complain(in, in->row[i / 2], "has a %s key that is "
			    "here already", i % 2 == 0 ? "primary" :
			    "secondary");
		}
	}
}

static void
seal_keys(struct import *in)
{
	struct db	*db = in->ctl->db;
	struct key_made	 made;
	size_t		 i;

	for (i = 0; i < 2 * in->s.n; i++) {
		if (!key_take(vault, i % 2 == 0 ? "primary" : "secondary",
		    in->key[i], &made))
			abort();	/* vault_load() saw all kinds */
		in->s.key_id[i] = arena_strdup(in->ctl->arena, made.id);
		in->s.key_subscription[i] = in->s.id[i / 2];
		in->s.key_slot[i] = made.slot;
		in->s.key_sealed[i] = db_bytes(db, made.sealed,
		    sizeof(made.sealed));
		in->s.key_mac[i] = db_bytes(db, made.mac, sizeof(made.mac));
		in->s.key_prefix_mac[i] = db_bytes(db, made.prefix_mac,
		    sizeof(made.prefix_mac));
		in->s.key_last4[i] = arena_strdup(in->ctl->arena, made.last4);
		in->s.mac_version = made.mac_version;
	}
}

static void
complain(struct import *in, int64_t row, const char *fmt, ...)
{
	va_list	ap;

	if (in->complaints++ >= COMPLAINTS_MAX)
		return;
	fprintf(stderr, "%s: row %lld ", in->file, (long long)row);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
