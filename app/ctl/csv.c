/*
 * One pass over the text, a field at a time.
 */
#include "ctl/csv.h"

#include "base/str.h"

static MUST_CHECK bool	 field(struct csv *, const char **, const char **);
static MUST_CHECK bool	 quoted(struct csv *, const char **, const char **);
static bool		 at_line_end(const struct csv *);

void
csv_begin(struct csv *csv, struct arena *arena, const char *text, size_t bytes)
{
	*csv = (struct csv){ .arena = arena, .p = text, .end = text + bytes,
	    .line = 1 };
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		csv->p += 3;
}

enum csv_next
csv_next(struct csv *csv, struct csv_row *ret_row, const char **ret_why)
{
	memset(ret_row, 0, sizeof(*ret_row));
	for (; csv->p < csv->end && at_line_end(csv); csv->line++)
		csv->p += *csv->p == '\r' ? 2 : 1;
	ret_row->number = ++csv->number;
	ret_row->line = csv->line;
	if (csv->p == csv->end)
		return (CSV_END);

	for (;;) {
		if (ret_row->n == CSV_FIELDS_MAX) {
			*ret_why = "has more than 16 fields";
			return (CSV_BAD);
		}
		if (!field(csv, &ret_row->fields[ret_row->n], ret_why))
			return (CSV_BAD);
		ret_row->n++;
		if (csv->p == csv->end)
			return (CSV_ROW);
		if (at_line_end(csv)) {
			csv->p += *csv->p == '\r' ? 2 : 1;
			csv->line++;
			return (CSV_ROW);
		}
		csv->p++;	/* the comma */
	}
}

/* Leaves p at a comma, a line's end or the end. */
static bool
field(struct csv *csv, const char **ret_field, const char **ret_why)
{
	const char	*start = csv->p;

	if (csv->p < csv->end && *csv->p == '"')
		return (quoted(csv, ret_field, ret_why));
	for (; csv->p < csv->end && *csv->p != ',' && !at_line_end(csv);
	    csv->p++)
		if (*csv->p == '"' || *csv->p == '\r' || *csv->p == '\0') {
			*ret_why = *csv->p == '"' ?
			    "has a quote inside a field that does not begin "
			    "with one" : "holds a control character";
			return (false);
		}
	*ret_field = arena_strndup(csv->arena, start,
	    (size_t)(csv->p - start));
	return (true);
}

static bool
quoted(struct csv *csv, const char **ret_field, const char **ret_why)
{
	struct buf	out;
	bool		closed = false;

	buf_init(&out, csv->arena, (size_t)(csv->end - csv->p) + 1);
	for (csv->p++; csv->p < csv->end; csv->p++) {
		if (*csv->p == '\0') {
			*ret_why = "holds a control character";
			return (false);
		}
		if (*csv->p == '"') {
			csv->p++;
			closed = csv->p == csv->end || *csv->p != '"';
			if (closed)
				break;
		}
		csv->line += *csv->p == '\n';
		buf_chr(&out, *csv->p);
	}
	if (!closed) {
		*ret_why = "has a quote that is never closed";
		return (false);
	}
	if (csv->p < csv->end && *csv->p != ',' && !at_line_end(csv)) {
		*ret_why = "has text behind a closing quote";
		return (false);
	}
	*ret_field = buf_text(&out);
	return (true);
}

static bool
at_line_end(const struct csv *csv)
{
	if (csv->p == csv->end)
		return (false);
	return (*csv->p == '\n' || (*csv->p == '\r' &&
	    csv->p + 1 < csv->end && csv->p[1] == '\n'));
}
