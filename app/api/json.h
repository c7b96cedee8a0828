/*
 * JSON in and out.  In: Jansson reads it, and refuses what readers could
 * understand differently (a name twice, a NUL, no UTF-8, a number that fits no
 * integer); then it is copied into the arena, so that nothing of it is freed by
 * hand.  Depth is counted first: Jansson recurses, and a coroutine's stack is
 * small.  Out: a text is written as it goes, in a buffer with a maximum.
 */
#ifndef API_JSON_H
#define API_JSON_H

#include "base/str.h"

#define JSON_DEPTH_MAX	4	/* of brackets */
#define JSON_NAMES_MAX	512	/* members of an object, items of an array */
#define JSON_OUT_MAX	(2u * 1024 * 1024)	/* bytes of an answer */

enum api_json_type { JSON_IS_NULL, JSON_IS_TEXT, JSON_IS_NUMBER, JSON_IS_BOOL,
	JSON_IS_ARRAY, JSON_IS_OBJECT };
struct api_json {
	enum api_json_type type;
	const char	*name;		/* of a member; else NULL */
	const char	*text;		/* NFC */
	int64_t		 number;	/* also 0 and 1 of a truth */
	struct api_json	*list;		/* members, items */
	size_t		 n;
};

/* Once, before the fork: Jansson's hash gets its seed. */
void		 api_json_setup(void);
/* NULL, with a sentence in ret_why, for what is no JSON as said above.
 * Fractions are refused: nothing here takes one. */
const struct api_json *api_json_read(struct arena *, const char *text,
		    size_t bytes, const char **ret_why);

/* ---- out ---- */

struct out {
	struct buf	 b;
};
/* name NULL: in an array, or the whole. */
void	out_begin(struct out *, struct arena *);
void	out_open(struct out *, const char *name, char bracket);	/* { or [ */
void	out_close(struct out *, char bracket);			/* } or ] */
void	out_text(struct out *, const char *name, const char *); /* NULL: null */
/* The same, "" being null as well. */
void	out_some(struct out *, const char *name, const char *);
void	out_number(struct out *, const char *name, int64_t);
void	out_bool(struct out *, const char *name, bool);
/* RFC 3339 in UTC; 0 is null. */
void	out_time(struct out *, const char *name, int64_t at);
/* A text of items parted by any of these characters, and spaces behind them,
 * as an array. */
void	out_split(struct out *, const char *name, const char *, const char *by);

#endif
