/*
 * The portal's templates: see template.h.
 */
#include "web/template.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/asset.h"

#define LOOK_AGAIN_US	(SECOND_US / 2)

static struct mustache_set	*set;
static const char		*folder;
static bool			 reload;
static int64_t			 looked_at;
static struct timespec		 newest, newest_seen;

static struct mustache_options	 options = { .asset = asset_name };

static void	look_again(void);
static int	visit(const char *, const struct stat *, int, struct FTW *);

bool
template_setup(const char *dir, bool development, char **ret_error)
{
	folder = dir;
	reload = development;
	options.strict = development;
	set = mustache_load(dir, &options, ret_error);
	return (set != NULL);
}

bool
template_render(const char *name, const struct view *view, struct buf *out,
    const char **ret_error)
{
	if (reload)
		look_again();
	return (mustache_render(set, name, view, out, ret_error));
}

static void
look_again(void)
{
	struct mustache_set	*fresh;
	int64_t			 now = clock_monotonic();
	char			*error = NULL;
	bool			 first = looked_at == 0;

	if (!first && now - looked_at < LOOK_AGAIN_US)
		return;
	looked_at = now;
	newest = (struct timespec){ 0 };
	(void)nftw(folder, visit, 16, FTW_PHYS);
	if (newest.tv_sec == newest_seen.tv_sec &&
	    newest.tv_nsec == newest_seen.tv_nsec)
		return;
	newest_seen = newest;
	if (first)
		return;
	fresh = mustache_load(folder, &options, &error);
	if (fresh == NULL) {
		log_event(LOG_LEVEL_ERROR, "template_reload", "why", error,
		    NULL);
		free(error);
		return;
	}
	mustache_free(set);
	set = fresh;
}

/* Folders count too: a file that goes changes its folder's time. */
static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)type;
	(void)ftw;
	if (st->st_mtim.tv_sec > newest.tv_sec ||
	    (st->st_mtim.tv_sec == newest.tv_sec &&
	    st->st_mtim.tv_nsec > newest.tv_nsec))
		newest = st->st_mtim;
	return (0);
}
