/*
 * Log: one JSON object a line on standard output.  The fields of a line are
 * pairs of name and text, closed by NULL; numbers come as text from
 * arena_fmt() or LOG_NUM.  No secret, no path with a token, no query string
 * may ever be given to it; `struct secret` (crypto/secret.h) has no way in.
 *
 * Lines are gathered and written whole, at most 4096 bytes a write (PIPE_BUF,
 * so lines of several processes never mix), at log_flush() and whenever the
 * gathered text would grow over that.  Lines of level warn and error are
 * written at once.  A value is cut at 1000 bytes, which the line then tells
 * ("cut":true); NULL is written as null.  Only the main thread may log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR };

/* Lines below this level are dropped.  `program` names the writer. */
void	log_setup(const char *program, enum log_level);
/* False if the word is not one of debug, info, warn, error. */
MUST_CHECK bool	log_level_parse(const char *, enum log_level *ret_level);

/* log_event(LOG_LEVEL_WARN, "db_lost", "why", text, NULL) */
void	log_event(enum log_level, const char *event, ...)
	    __attribute__((sentinel));
/* A number as text, valid until the end of the full expression's block. */
#define LOG_NUM(n)	(log_num((char[24]){ 0 }, (n)))
const char *log_num(char out[24], int64_t);

void	log_flush(void);

#endif
