/*
 * Words in, lines out: what every command of latchkeyctl uses.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>

#include "base/setting.h"
#include "base/str.h"
#include "vault/vault.h"

#define COLUMNS_MAX	16
#define LIST_MAX	(64u * 1024 * 1024)
#define FILE_MAX_BYTES	(32u * 1024 * 1024)

static void	 take(struct ctl *, int at, int words);
static void	 print_table(const struct ctl_column *,
		    const struct ctl_table *);
static void	 print_json(struct ctl *, const struct ctl_column *,
		    const struct ctl_table *);
static const char *cell(const struct ctl_table *, int row, int column);
static void	 json_string(struct buf *, const char *);
static void	 json_list(struct buf *, struct arena *, const char *);

enum ctl_exit
ctl_refuse(const char *fmt, ...)
{
	va_list	ap;

	(void)fflush(stdout);
	fputs("latchkeyctl: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return (CTL_REFUSED);
}

enum ctl_exit
ctl_usage(const char *fmt, ...)
{
	va_list	ap;

	fputs("latchkeyctl: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see latchkeyctl --help\n", stderr);
	return (CTL_USAGE);
}

const char *
ctl_option(struct ctl *ctl, const char *name)
{
	const char	*value;
	size_t		 n = strlen(name);
	int		 i;

	for (i = 0; i < ctl->argc; i++) {
		if (strncmp(ctl->argv[i], name, n) != 0)
			continue;
		if (ctl->argv[i][n] == '=') {
			value = ctl->argv[i] + n + 1;
			take(ctl, i, 1);
			return (value);
		}
		if (ctl->argv[i][n] == '\0' && i + 1 < ctl->argc) {
			value = ctl->argv[i + 1];
			take(ctl, i, 2);
			return (value);
		}
	}
	return (NULL);
}

bool
ctl_flag(struct ctl *ctl, const char *name)
{
	int	i;

	for (i = 0; i < ctl->argc; i++)
		if (str_eq(ctl->argv[i], name)) {
			take(ctl, i, 1);
			return (true);
		}
	return (false);
}

bool
ctl_words(struct ctl *ctl, int wanted)
{
	int	i;

	for (i = 0; i < ctl->argc; i++)
		if (str_starts(ctl->argv[i], "--")) {
			/* Not what is behind "=": it may be secret. */
			(void)ctl_usage("%.*s is unknown here, is there twice "
			    "or lacks its value", (int)strcspn(ctl->argv[i],
			    "="), ctl->argv[i]);
			return (false);
		}
	if (ctl->argc != wanted) {
		(void)ctl_usage("%d words where there should be %d",
		    ctl->argc, wanted);
		return (false);
	}
	return (true);
}

bool
ctl_open_vault(struct ctl *ctl)
{
	const char	*why;

	if (vault_read_master(ctl->arena, setting->master_key_file, &why) &&
	    vault_load(ctl->db, &why))
		return (true);
	(void)ctl_refuse("%s", why);
	return (false);
}

bool
ctl_read_file(struct ctl *ctl, const char *name, char **ret_text,
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
		(void)ctl_refuse("%s: more than 32 MiB", name);
		return (false);
	}
	*ret_text = text;
	*ret_bytes = n;
	return (true);
}

void
ctl_list(struct ctl *ctl, bool json, const struct ctl_column *columns,
    const struct ctl_table *table)
{
	if (json)
		print_json(ctl, columns, table);
	else
		print_table(columns, table);
}

static const char *
cell(const struct ctl_table *table, int row, int column)
{
	return (table->cells[(size_t)row * (size_t)table->columns +
	    (size_t)column]);
}

static void
take(struct ctl *ctl, int at, int words)
{
	ctl->argc -= words;
	memmove(ctl->argv + at, ctl->argv + at + words,
	    (size_t)(ctl->argc - at) * sizeof(*ctl->argv));
}

/* Columns as wide as their widest text, two spaces between; the last one has
 * no space behind it. */
static void
print_table(const struct ctl_column *columns, const struct ctl_table *rows)
{
	const int	 n = rows->columns;
	int		 width[COLUMNS_MAX], row, i, chars;
	const char	*text;

	for (i = 0; i < n; i++) {
		width[i] = (int)str_chars(columns[i].title);
		for (row = 0; row < rows->n; row++) {
			text = cell(rows, row, i);
			chars = text != NULL ? (int)str_chars(text) : 0;
			if (chars > width[i])
				width[i] = chars;
		}
	}
	for (row = -1; row < rows->n; row++) {
		for (i = 0; i < n; i++) {
			text = row == -1 ? columns[i].title :
			    cell(rows, row, i);
			if (text == NULL)
				text = "";
			chars = (int)str_chars(text);
			if (columns[i].kind == COLUMN_NUMBER)
				printf("%*s", width[i] - chars, "");
			fputs(text, stdout);
			if (i == n - 1)
				break;
			if (columns[i].kind != COLUMN_NUMBER)
				printf("%*s", width[i] - chars, "");
			fputs("  ", stdout);
		}
		fputc('\n', stdout);
	}
}

static void
print_json(struct ctl *ctl, const struct ctl_column *columns,
    const struct ctl_table *rows)
{
	const int	 n = rows->columns;
	const char	*text;
	struct buf	 out;
	int		 row, i;

	buf_init(&out, ctl->arena, LIST_MAX);
	buf_str(&out, "[");
	for (row = 0; row < rows->n; row++) {
		buf_str(&out, row == 0 ? "\n" : ",\n");
		for (i = 0; i < n; i++) {
			text = cell(rows, row, i);
			buf_str(&out, i == 0 ? "{" : ", ");
			json_string(&out, columns[i].key);
			buf_str(&out, ": ");
			if (text == NULL)
				buf_str(&out, "null");
			else if (columns[i].kind == COLUMN_NUMBER)
				buf_str(&out, text);
			else if (columns[i].kind == COLUMN_LIST)
				json_list(&out, ctl->arena, text);
			else
				json_string(&out, text);
		}
		buf_chr(&out, '}');
	}
	buf_str(&out, rows->n > 0 ? "\n]\n" : "]\n");
	if (out.full)
		exit((int)ctl_refuse("the list is over 64 MiB"));
	fputs(buf_text(&out), stdout);
}

static void
json_string(struct buf *out, const char *text)
{
	buf_chr(out, '"');
	buf_json(out, text);
	buf_chr(out, '"');
}

static void
json_list(struct buf *out, struct arena *arena, const char *text)
{
	size_t	n;

	buf_chr(out, '[');
	while (*text != '\0') {
		n = strcspn(text, ";");
		json_string(out, arena_strndup(arena, text, n));
		text += n;
		if (*text == ';') {
			buf_str(out, ", ");
			text++;
		}
	}
	buf_chr(out, ']');
}
