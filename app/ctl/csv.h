/*
 * CSV (RFC 4180): fields parted by commas, rows by LF or CRLF, quotes doubled
 * inside of quotes; a byte order mark is skipped.  Strict: whatever could be
 * read in two ways is refused with the line that its row begins in.
 */
#ifndef CTL_CSV_H
#define CTL_CSV_H

#include "base/arena.h"

#define CSV_FIELDS_MAX	16

struct csv_row {
	const char	*fields[CSV_FIELDS_MAX];
	int		 n;
	int64_t		 number;	/* of the row, from 1, the header */
	int64_t		 line;		/* of the file, where it begins */
};

struct csv {
	struct arena	*arena;
	const char	*p, *end;
	int64_t		 number, line;
};

enum csv_next { CSV_ROW, CSV_END, CSV_BAD };

/* The text must outlive the reading. */
void		 csv_begin(struct csv *, struct arena *, const char *text,
		    size_t bytes);
/* Empty lines are skipped.  CSV_BAD: ret_why says what is wrong, and
 * ret_row->number where. */
MUST_CHECK enum csv_next csv_next(struct csv *, struct csv_row *ret_row,
		    const char **ret_why);

#endif
