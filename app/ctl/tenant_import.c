/*
 * latchkeyctl tenant import: a list of clients from another system, as
 * code,name,email_domains with the domains parted by semicolons.  The file is
 * taken as a whole or not at all; each bad row is told with its number.
 */
#include "ctl/ctl.h"

#include <errno.h>

#include "base/str.h"
#include "crypto/token.h"
#include "ctl/csv.h"
#include "ctl/ctl_db.h"
#include "mail/address.h"
#include "tenants/tenant.h"

#define FILE_MAX_BYTES	(16u * 1024 * 1024)
#define TENANTS_MAX	20000
#define DOMAINS_MAX	(4 * TENANTS_MAX)
#define COMPLAINTS_MAX	20	/* then it says how many more there are */

struct import {
	struct ctl		*ctl;
	const char		*file;
	struct ctl_tenants	 t;
	int64_t			*row;		/* of each tenant */
	size_t			*domain_row;	/* tenant of each domain */
	int64_t			 complaints;
};

static MUST_CHECK bool	 read_file(struct ctl *, const char *, char **,
			    size_t *);
static void	 read_rows(struct import *, const char *, size_t);
static void	 read_tenant(struct import *, const struct csv_row *);
static void	 read_domains(struct import *, int64_t, size_t, const char *);
static void	 check_twins(struct import *);
static void	 check_taken(struct import *);
static void	 complain(struct import *, int64_t, const char *, ...)
		    FORMAT(3, 4);

enum ctl_exit
ctl_tenant_import(struct ctl *ctl)
{
	bool		 dry = ctl_flag(ctl, "--dry-run");
	struct import	 in = { .ctl = ctl };
	char		*text;
	size_t		 bytes;

	if (!ctl_words(ctl, 1))
		return (CTL_USAGE);
	in.file = ctl->argv[0];
	if (!read_file(ctl, in.file, &text, &bytes))
		return (CTL_REFUSED);
	read_rows(&in, text, bytes);
	if (in.complaints == 0)
		check_twins(&in);
	if (in.complaints == 0 && in.t.n > 0)
		check_taken(&in);
	if (in.complaints > COMPLAINTS_MAX)
		fprintf(stderr, "%s: and %lld more\n", in.file,
		    (long long)in.complaints - COMPLAINTS_MAX);
	if (in.complaints > 0)
		return (ctl_refuse("nothing was imported"));
	if (!dry && in.t.n > 0 && !ctl_db_tenants_add(ctl->db, &in.t))
		return (ctl_refuse("somebody made one of these clients at the "
		    "same moment: nothing was imported, try again"));
	printf("%zu client%s %s\n", in.t.n, in.t.n == 1 ? "" : "s",
	    dry ? "would be added" : "added");
	return (CTL_DONE);
}

static bool
read_file(struct ctl *ctl, const char *name, char **ret_text,
    size_t *ret_bytes)
{
	FILE	*f = fopen(name, "re");
	char	*text;
	size_t	 n;

	if (f == NULL) {
		(void)ctl_refuse("%s: %s", name, strerror(errno));
		return (false);
	}
	text = arena_alloc(ctl->arena, FILE_MAX_BYTES + 1);
	n = fread(text, 1, FILE_MAX_BYTES + 1, f);
	if (ferror(f)) {
		(void)ctl_refuse("%s: %s", name, strerror(errno));
		(void)fclose(f);
		return (false);
	}
	(void)fclose(f);
	if (n > FILE_MAX_BYTES) {
		(void)ctl_refuse("%s: more than 16 MiB", name);
		return (false);
	}
	*ret_text = text;
	*ret_bytes = n;
	return (true);
}

static void
read_rows(struct import *in, const char *text, size_t bytes)
{
	static const char *const header[] = { "code", "name",
	    "email_domains" };
	struct arena	*a = in->ctl->arena;
	struct csv_row	 row;
	struct csv	 csv;
	const char	*why;
	enum csv_next	 next;
	size_t		 i;

	in->t.id = arena_calloc(a, TENANTS_MAX, sizeof(char *));
	in->t.code = arena_calloc(a, TENANTS_MAX, sizeof(char *));
	in->t.name = arena_calloc(a, TENANTS_MAX, sizeof(char *));
	in->t.folded = arena_calloc(a, TENANTS_MAX, sizeof(char *));
	in->t.slug = arena_calloc(a, TENANTS_MAX, sizeof(char *));
	in->row = arena_calloc(a, TENANTS_MAX, sizeof(*in->row));
	in->t.domain_tenant = arena_calloc(a, DOMAINS_MAX, sizeof(char *));
	in->t.domain = arena_calloc(a, DOMAINS_MAX, sizeof(char *));
	in->domain_row = arena_calloc(a, DOMAINS_MAX,
	    sizeof(*in->domain_row));

	csv_begin(&csv, a, text, bytes);
	while ((next = csv_next(&csv, &row, &why)) == CSV_ROW) {
		if (row.n != COUNT(header)) {
			complain(in, row.number, "has %d fields where there "
			    "should be 3", row.n);
			continue;
		}
		if (row.number > 1) {
			read_tenant(in, &row);
			continue;
		}
		for (i = 0; i < COUNT(header); i++)
			if (!str_eq(row.fields[i], header[i])) {
				complain(in, 1, "is the header and must be "
				    "code,name,email_domains");
				return;
			}
	}
	if (next == CSV_BAD)
		complain(in, row.number, "%s", why);
	else if (row.number == 1)
		complain(in, 1, "is missing: the header "
		    "code,name,email_domains");
}

static void
read_tenant(struct import *in, const struct csv_row *row)
{
	struct arena	*a = in->ctl->arena;
	const char	*code = row->fields[0], *name = row->fields[1];
	const char	*advice;
	size_t		 i = in->t.n;
	char		*id;

	if (i == TENANTS_MAX) {
		complain(in, row->number, "is one more than %d clients",
		    TENANTS_MAX);
		return;
	}
	if (!tenant_code_valid(code)) {
		complain(in, row->number, "has the code \"%s\": a code is 2 to "
		    "32 of A-Z, 0-9 and - with none at its ends",
		    str_utf8(code, strlen(code)) ? code : "?");
		return;
	}
	if (!str_utf8(name, strlen(name))) {
		complain(in, row->number, "is not UTF-8");
		return;
	}
	name = str_nfc(a, str_squeeze(a, name));
	advice = tenant_name_advice(name);
	if (advice != NULL) {
		complain(in, row->number, "has a bad name: %s", advice);
		return;
	}
	id = arena_alloc(a, UUID_TEXT);
	uuid_make(id);
	in->t.id[i] = id;
	in->t.code[i] = code;
	in->t.name[i] = name;
	in->t.folded[i] = tenant_fold(a, name);
	in->t.slug[i] = tenant_slug(a, name, code);
	in->row[i] = row->number;
	in->t.n++;
	read_domains(in, row->number, i, row->fields[2]);
}

static void
read_domains(struct import *in, int64_t number, size_t tenant,
    const char *list)
{
	struct arena	*a = in->ctl->arena;
	const char	*typed, *domain;
	size_t		 n, i, first = in->t.n_domains;

	for (; *list != '\0'; list += n + (list[n] == ';')) {
		n = strcspn(list, ";");
		typed = str_squeeze(a, arena_strndup(a, list, n));
		if (typed[0] == '\0')
			continue;
		domain = domain_parse(a, typed);
		if (domain == NULL || strchr(domain, '.') == NULL) {
			complain(in, number, "has a mail domain that is none: "
			    "write them as in altaworx.com;altaworx.co.uk");
			continue;
		}
		for (i = first; i < in->t.n_domains; i++)
			if (str_eq(in->t.domain[i], domain))
				break;
		if (i < in->t.n_domains)
			continue;
		if (in->t.n_domains == DOMAINS_MAX) {
			complain(in, number, "has one more than %d mail "
			    "domains", DOMAINS_MAX);
			return;
		}
		in->domain_row[in->t.n_domains] = tenant;
		in->t.domain_tenant[in->t.n_domains] = in->t.id[tenant];
		in->t.domain[in->t.n_domains++] = domain;
	}
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

/* The same code twice in the file is a mistake; the same slug is two clients
 * of like names, and the later one's is made of its code. */
static void
check_twins(struct import *in)
{
	struct place	*by;
	size_t		 i;

	by = arena_calloc(in->ctl->arena, in->t.n + 1, sizeof(*by));
	for (i = 0; i < in->t.n; i++)
		by[i] = (struct place){ in->t.code[i], i };
	qsort(by, in->t.n, sizeof(*by), place_compare);
	for (i = 1; i < in->t.n; i++)
		if (str_eq(by[i].text, by[i - 1].text))
			complain(in, in->row[by[i].i], "has the code %s again, "
			    "as row %lld", by[i].text,
			    (long long)in->row[by[i - 1].i]);
	for (i = 0; i < in->t.n; i++)
		by[i] = (struct place){ in->t.slug[i], i };
	qsort(by, in->t.n, sizeof(*by), place_compare);
	for (i = 1; i < in->t.n; i++)
		if (str_eq(by[i].text, by[i - 1].text))
			in->t.slug[by[i].i] = str_lower(in->ctl->arena,
			    in->t.code[by[i].i]);
}

static void
check_taken(struct import *in)
{
	const struct db_rows	*rows;
	const char		*what, *value;
	size_t			 i;
	int			 row;

	rows = ctl_db_tenants_taken(in->ctl->db, &in->t);
	for (row = 0; row < rows->n; row++) {
		what = db_text(rows, row, 0);
		value = db_text(rows, row, 1);
		for (i = 0; i < in->t.n; i++) {
			if (str_eq(what, "code") &&
			    str_eq(in->t.code[i], value))
				complain(in, in->row[i], "has the code %s, "
				    "which is there already", value);
			if (str_eq(what, "slug") &&
			    str_eq(in->t.slug[i], value))
				in->t.slug[i] = str_lower(in->ctl->arena,
				    in->t.code[i]);
		}
		for (i = 0; i < in->t.n_domains; i++)
			if (str_eq(what, "public") &&
			    str_eq(in->t.domain[i], value))
				complain(in, in->row[in->domain_row[i]], "has "
				    "the mail domain %s, where anybody can "
				    "have an address", value);
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
