/*
 * What an import would change: each row is a client that is new, one whose name
 * changes or whose list of mail domains grows, or one that stays as it is.
 * Nothing is taken away: what the file doesn't name stays.
 */
#include "ctl/import.h"

#include "base/str.h"
#include "crypto/token.h"
#include "tenants/tenant.h"

#define PATIENCE_S	(30 * 60)
#define SCRATCH_MAX	(1024u * 1024)	/* of one name of 64 characters */

/* Texts that are taken: open addressing, at most half full. */
struct set {
	const char	**at;
	size_t		 size;
};

static void	 set_init(struct set *, struct arena *, size_t n);
static bool	 set_add(struct set *, const char *);
static bool	 set_has(const struct set *, const char *);
static const char **set_find(const struct set *, const char *);
WAITS static void find_there(struct import *);
WAITS static void find_public(struct import *);
WAITS static void choose_slugs(struct import *);
static void	 mark_domains(struct import *, size_t row, const char *there);
static bool	 list_has(const char *list, const char *);
static const char *fold(struct arena *, const char *name);

WAITS void
import_plan(struct import *in)
{
	size_t	row, i;

	/* A hundred thousand take longer than the 5 s that a page may. */
	db_patience(in->ctl->db, PATIENCE_S);
	find_there(in);
	find_public(in);
	if (in->complaints > 0)
		return;
	choose_slugs(in);
	for (row = 0; row < in->n; row++) {
		if (in->what[row] == IMPORT_NEW)
			continue;
		in->what[row] = in->old_name[row] == NULL ? IMPORT_SAME :
		    IMPORT_CHANGED;
		for (i = in->first_domain[row]; i < in->first_domain[row + 1];
		    i++) {
			if (!in->domain_there[i])
				in->what[row] = IMPORT_CHANGED;
		}
	}
}

void
import_print(const struct import *in)
{
	static const char *const words[] = { "new      ", "changed  ",
	    "unchanged" };
	const char	*part;
	size_t		 row, i;

	for (row = 0; row < in->n; row++) {
		printf("line %lld: %s %s", (long long)in->line[row],
		    words[in->what[row]], in->code[row]);
		part = "  ";
		if (in->what[row] == IMPORT_NEW)
			printf("  %s", in->name[row]), part = ", ";
		else if (in->old_name[row] != NULL)
			printf("  name \"%s\" to \"%s\"", in->old_name[row],
			    in->name[row]), part = ", ";
		for (i = in->first_domain[row]; i < in->first_domain[row + 1];
		    i++) {
			if (in->domain_there[i])
				continue;
			printf("%smail domain %s", part, in->domain[i]);
			part = ", ";
		}
		putchar('\n');
	}
}

WAITS bool
import_do(struct import *in)
{
	struct arena		*a = in->ctl->arena;
	struct ctl_tenants	 t = { .n = 0 };
	struct ctl_renames	 r = { .n = 0 };
	size_t			 row, i;

	t.id = arena_calloc(a, in->n, sizeof(char *));
	t.code = arena_calloc(a, in->n, sizeof(char *));
	t.name = arena_calloc(a, in->n, sizeof(char *));
	t.folded = arena_calloc(a, in->n, sizeof(char *));
	t.slug = arena_calloc(a, in->n, sizeof(char *));
	t.domain_tenant = arena_calloc(a, in->n_domains + 1, sizeof(char *));
	t.domain = arena_calloc(a, in->n_domains + 1, sizeof(char *));
	r.id = arena_calloc(a, in->n, sizeof(char *));
	r.name = arena_calloc(a, in->n, sizeof(char *));
	r.folded = arena_calloc(a, in->n, sizeof(char *));
	for (row = 0; row < in->n; row++) {
		if (in->what[row] == IMPORT_NEW) {
			t.id[t.n] = in->id[row];
			t.code[t.n] = in->code[row];
			t.name[t.n] = in->name[row];
			t.slug[t.n] = in->slug[row];
			t.folded[t.n++] = fold(a, in->name[row]);
		} else if (in->old_name[row] != NULL) {
			r.id[r.n] = in->id[row];
			r.name[r.n] = in->name[row];
			r.folded[r.n++] = fold(a, in->name[row]);
		}
		for (i = in->first_domain[row]; i < in->first_domain[row + 1];
		    i++) {
			if (in->domain_there[i])
				continue;
			t.domain_tenant[t.n_domains] = in->id[row];
			t.domain[t.n_domains++] = in->domain[i];
		}
	}
	return (ctl_db_tenants_import(in->ctl->db, &t, &r));
}

/* Clients whose codes are there, and former codes, which are refused. */
WAITS static void
find_there(struct import *in)
{
	const struct db_rows	*rows;
	const char		*now;
	size_t			 row;
	int			 i;

	rows = ctl_db_tenants_there(in->ctl->db, in->code, in->n);
	for (i = 0; i < rows->n; i++) {
		row = (size_t)db_number(rows, i, 0) - 1;
		now = db_text(rows, i, 3);
		if (!str_eq(now, in->code[row])) {
			import_complain(in, in->line[row], "has the code %s, "
			    "a former code of %s: write %s", in->code[row],
			    db_text(rows, i, 2), now);
			continue;
		}
		in->what[row] = IMPORT_SAME;
		in->id[row] = db_text(rows, i, 1);
		if (!str_eq(db_text(rows, i, 2), in->name[row]))
			in->old_name[row] = db_text(rows, i, 2);
		mark_domains(in, row, db_text(rows, i, 4));
	}
}

WAITS static void
find_public(struct import *in)
{
	const struct db_rows	*rows;
	struct set		 public;
	size_t			 row, i;
	int			 k;

	if (in->n_domains == 0)
		return;
	rows = ctl_db_public_domains(in->ctl->db, in->domain, in->n_domains);
	set_init(&public, in->ctl->arena, (size_t)rows->n);
	for (k = 0; k < rows->n; k++)
		(void)set_add(&public, db_text(rows, k, 0));
	for (row = 0; row < in->n; row++) {
		for (i = in->first_domain[row]; i < in->first_domain[row + 1];
		    i++) {
			if (set_has(&public, in->domain[i]))
				import_complain(in, in->line[row], "has the "
				    "mail domain %s, where anybody can have "
				    "an address", in->domain[i]);
		}
	}
}

/*
 * Of the name; where that is taken, of the code; where that is taken as well,
 * with the last digits of its own id behind.
 */
WAITS static void
choose_slugs(struct import *in)
{
	const struct db_rows	*rows;
	struct arena		*a = in->ctl->arena;
	struct set		 taken;
	const char		**wish = arena_calloc(a, 2 * in->n + 1,
				    sizeof(*wish));
	size_t			 row, n = 0;
	int			 i;

	for (row = 0; row < in->n; row++) {
		if (in->what[row] != IMPORT_NEW)
			continue;
		wish[n++] = in->slug[row];
		wish[n++] = str_lower(a, in->code[row]);
	}
	if (n == 0)
		return;
	rows = ctl_db_slugs_taken(in->ctl->db, wish, n);
	set_init(&taken, a, (size_t)rows->n + n);
	for (i = 0; i < rows->n; i++)
		(void)set_add(&taken, db_text(rows, i, 0));
	for (row = 0, n = 0; row < in->n; row++) {
		if (in->what[row] != IMPORT_NEW)
			continue;
		n += 2;
		if (set_add(&taken, wish[n - 2]))
			continue;
		in->slug[row] = wish[n - 1];
		if (!set_add(&taken, wish[n - 1]))
			in->slug[row] = arena_fmt(a, "%s-%s", wish[n - 1],
			    in->id[row] + UUID_TEXT - 1 - 12);
	}
}

/* there: "a.example;b.example" */
static void
mark_domains(struct import *in, size_t row, const char *there)
{
	size_t	i;

	for (i = in->first_domain[row]; i < in->first_domain[row + 1]; i++)
		in->domain_there[i] = list_has(there, in->domain[i]);
}

static bool
list_has(const char *list, const char *domain)
{
	size_t	n, bytes = strlen(domain);

	for (; *list != '\0'; list += n + (list[n] == ';')) {
		n = strcspn(list, ";");
		if (n == bytes && memcmp(list, domain, n) == 0)
			return (true);
	}
	return (false);
}

/* What folding needs on the way is many times the name. */
static const char *
fold(struct arena *a, const char *name)
{
	struct arena	*scratch = arena_new(SCRATCH_MAX, NULL, NULL);
	const char	*folded = arena_strdup(a, tenant_fold(scratch, name));

	arena_free(scratch);
	return (folded);
}

static void
set_init(struct set *set, struct arena *a, size_t n)
{
	for (set->size = 16; set->size < 2 * n; set->size *= 2)
		;
	set->at = arena_calloc(a, set->size, sizeof(*set->at));
}

/* False: it was in. */
static bool
set_add(struct set *set, const char *text)
{
	const char	**at = set_find(set, text);

	if (*at != NULL)
		return (false);
	*at = text;
	return (true);
}

static bool
set_has(const struct set *set, const char *text)
{
	return (*set_find(set, text) != NULL);
}

/* Where it is, or would be.  FNV-1a: who imports doesn't attack himself. */
static const char **
set_find(const struct set *set, const char *text)
{
	uint64_t	hash = UINT64_C(14695981039346656037);
	const char	*p;
	size_t		i;

	for (p = text; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	for (i = hash & (set->size - 1); set->at[i] != NULL &&
	    !str_eq(set->at[i], text); i = (i + 1) & (set->size - 1))
		;
	return (&set->at[i]);
}
