/*
 * The portal's one set of templates: read before the workers fork, and in
 * development read again when a file below the folder has changed (looked at
 * no more than twice a second).
 */
#ifndef WEB_TEMPLATE_H
#define WEB_TEMPLATE_H

#include "web/mustache.h"

/* False with a sentence in ret_error, to be freed by the caller. */
MUST_CHECK bool	template_setup(const char *dir, bool development,
		    char **ret_error);
/* As mustache_render(). */
MUST_CHECK bool	template_render(const char *name, const struct view *,
		    struct buf *out, const char **ret_error);

#endif
