/*
 * latchkeyctl tenant import: a list of clients from another system, as
 * code,name,email_domains with the domains parted by semicolons.  The file is
 * taken as a whole or not at all; each bad row is told with its line.
 */
#include "ctl/import.h"

#include "base/str.h"
#include "crypto/token.h"
#include "ctl/csv.h"
#include "tenants/tenant_edit.h"

/* The file may be one name, which is told to be too long. */
#define SCRATCH_MAX	(1024u * 1024 * 1024)

static void	 prepare(struct import *);
static void	 read_rows(struct import *, const char *, size_t);
static void	 read_tenant(struct import *, const struct csv_row *);
static void	 read_domains(struct import *, int64_t line, const char *);
static void	 check_twins(struct import *);
static void	 say(const struct import *, bool is_dry);

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
	if (!ctl_read_file(ctl, in.file, &text, &bytes))
		return (CTL_REFUSED);
	prepare(&in);
	read_rows(&in, text, bytes);
	if (in.complaints == 0)
		check_twins(&in);
	if (in.complaints == 0 && in.n > 0)
		import_plan(&in);
	if (in.complaints > IMPORT_COMPLAINTS_MAX)
		fprintf(stderr, "%s: and %lld more\n", in.file,
		    (long long)in.complaints - IMPORT_COMPLAINTS_MAX);
	if (in.complaints > 0)
		return (ctl_refuse("nothing was imported"));
	if (dry)
		import_print(&in);
	else if (in.n > 0 && !import_do(&in))
		return (ctl_refuse("somebody made one of these clients at the "
		    "same moment: nothing was imported, try again"));
	say(&in, dry);
	return (CTL_DONE);
}

void
import_complain(struct import *in, int64_t line, const char *fmt, ...)
{
	va_list	ap;

	if (in->complaints++ >= IMPORT_COMPLAINTS_MAX)
		return;
	fprintf(stderr, "%s: line %lld ", in->file, (long long)line);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void
prepare(struct import *in)
{
	struct arena	*a = in->ctl->arena;
	size_t		 n = IMPORT_TENANTS_MAX + 1;

	in->id = arena_calloc(a, n, sizeof(*in->id));
	in->code = arena_calloc(a, n, sizeof(*in->code));
	in->name = arena_calloc(a, n, sizeof(*in->name));
	in->slug = arena_calloc(a, n, sizeof(*in->slug));
	in->line = arena_calloc(a, n, sizeof(*in->line));
	in->first_domain = arena_calloc(a, n, sizeof(*in->first_domain));
	in->what = arena_calloc(a, n, sizeof(*in->what));
	in->old_name = arena_calloc(a, n, sizeof(*in->old_name));
	in->domain = arena_calloc(a, IMPORT_DOMAINS_MAX, sizeof(*in->domain));
	in->domain_there = arena_calloc(a, IMPORT_DOMAINS_MAX,
	    sizeof(*in->domain_there));
}

static void
read_rows(struct import *in, const char *text, size_t bytes)
{
	static const char *const header[] = { "code", "name",
	    "email_domains" };
	struct csv_row	 row;
	struct csv	 csv;
	const char	*why;
	enum csv_next	 next;
	size_t		 i;

	csv_begin(&csv, in->ctl->arena, text, bytes);
	while ((next = csv_next(&csv, &row, &why)) == CSV_ROW) {
		if (row.n != COUNT(header)) {
			import_complain(in, row.line, "has %d fields where "
			    "there should be 3", row.n);
			continue;
		}
		if (row.number > 1) {
			read_tenant(in, &row);
			continue;
		}
		for (i = 0; i < COUNT(header); i++)
			if (!str_eq(row.fields[i], header[i])) {
				import_complain(in, row.line, "is the header "
				    "and must be code,name,email_domains");
				return;
			}
	}
	if (next == CSV_BAD)
		import_complain(in, row.line, "%s", why);
	else if (row.number == 1)
		import_complain(in, 1, "is missing: the header "
		    "code,name,email_domains");
}

static void
read_tenant(struct import *in, const struct csv_row *row)
{
	struct arena	*a = in->ctl->arena, *scratch;
	const char	*code = row->fields[0], *name = row->fields[1];
	const char	*advice, *upper;
	char		*id;

	if (in->n == IMPORT_TENANTS_MAX) {
		import_complain(in, row->line, "is one more than %d clients",
		    IMPORT_TENANTS_MAX);
		return;
	}
	if (!str_utf8(code, strlen(code)) || !str_utf8(name, strlen(name)) ||
	    !str_utf8(row->fields[2], strlen(row->fields[2]))) {
		import_complain(in, row->line, "is not UTF-8");
		return;
	}
	if (!tenant_code_valid(code)) {
		upper = str_upper(a, code);
		import_complain(in, row->line, tenant_code_valid(upper) ?
		    "has the code \"%s\": write it in capitals, %s" :
		    "has the code \"%s\": a code is 2 to 32 of A-Z, 0-9 and "
		    "- with none at its ends", str_has_control(code) ? "?" :
		    code, upper);
		return;
	}
	/* What folding needs on the way is many times the name. */
	scratch = arena_new(SCRATCH_MAX, NULL, NULL);
	name = arena_strdup(a, str_nfc(scratch, str_squeeze(scratch, name)));
	advice = tenant_name_advice(name);
	if (advice == NULL)
		in->slug[in->n] = arena_strdup(a, tenant_slug(scratch, name,
		    code));
	arena_free(scratch);
	if (advice != NULL) {
		import_complain(in, row->line, "has a bad name: %s", advice);
		return;
	}
	id = arena_alloc(a, UUID_TEXT);
	uuid_make(id);
	in->id[in->n] = id;
	in->code[in->n] = code;
	in->name[in->n] = name;
	in->line[in->n] = row->line;
	in->what[in->n] = IMPORT_NEW;
	in->first_domain[in->n] = in->n_domains;
	read_domains(in, row->line, row->fields[2]);
	in->first_domain[++in->n] = in->n_domains;
}

static void
read_domains(struct import *in, int64_t line, const char *list)
{
	struct arena	*a = in->ctl->arena;
	const char	*typed, *domain;
	size_t		 n, i, first = in->n_domains;

	for (; *list != '\0'; list += n + (list[n] == ';')) {
		n = strcspn(list, ";");
		typed = str_squeeze(a, arena_strndup(a, list, n));
		if (typed[0] == '\0')
			continue;
		domain = tenant_host_parse(a, typed);
		if (domain == NULL) {
			import_complain(in, line, "has a mail domain that is "
			    "none: write them as in "
			    "altaworx.com;altaworx.co.uk");
			continue;
		}
		for (i = first; i < in->n_domains; i++)
			if (str_eq(in->domain[i], domain))
				break;
		if (i < in->n_domains)
			continue;
		if (in->n_domains - first == TENANT_DOMAINS_MAX) {
			import_complain(in, line, "has more than %d mail "
			    "domains", TENANT_DOMAINS_MAX);
			return;
		}
		if (in->n_domains == IMPORT_DOMAINS_MAX) {
			import_complain(in, line, "has one more than %d mail "
			    "domains", IMPORT_DOMAINS_MAX);
			return;
		}
		in->domain[in->n_domains++] = domain;
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

/* The same code twice in the file is a mistake. */
static void
check_twins(struct import *in)
{
	struct place	*by;
	size_t		 i;

	by = arena_calloc(in->ctl->arena, in->n + 1, sizeof(*by));
	for (i = 0; i < in->n; i++)
		by[i] = (struct place){ in->code[i], i };
	qsort(by, in->n, sizeof(*by), place_compare);
	for (i = 1; i < in->n; i++)
		if (str_eq(by[i].text, by[i - 1].text))
			import_complain(in, in->line[by[i].i], "has the code "
			    "%s again, as line %lld", by[i].text,
			    (long long)in->line[by[i - 1].i]);
}

static void
say(const struct import *in, bool is_dry)
{
	size_t	count[3] = { 0, 0, 0 }, row;

	for (row = 0; row < in->n; row++)
		count[in->what[row]]++;
	printf("%zu client%s %s, %zu %s, %zu unchanged\n", count[IMPORT_NEW],
	    count[IMPORT_NEW] == 1 ? "" : "s",
	    is_dry ? "would be added" : "added", count[IMPORT_CHANGED],
	    is_dry ? "would be changed" : "changed", count[IMPORT_SAME]);
}
