/*
 * Static files from memory: see asset.h.
 */
#include "web/asset.h"

#include <stdarg.h>

#include "web/respond.h"

#define FILE_MAX	(4u * 1024 * 1024)

struct blob {
	char	*p;
	size_t	 n;
};

struct asset {
	char		 plain[64], name[96], type[64], etag[100];
	struct blob	 body, gzip;	/* gzip.p NULL: no smaller form */
};

static struct asset	assets[ASSETS_MAX];
static size_t		assets_n;
static char		why[512];

static bool	asset_read(const char *dir, const char *name,
		    const char *suffix, struct blob *);
static bool	complain(const char *fmt, ...) FORMAT(1, 2);
static bool	accepts_gzip(const char *header);

bool
assets_load(const char *dir, const char **ret_why)
{
	char		 name[sizeof(assets->name)] = "";
	char		 path[512], line[256];
	struct asset	*as;
	FILE		*f;
	bool		 ok = true;

	*ret_why = why;
	assets_n = 0;
	(void)snprintf(path, sizeof(path), "%s/manifest.txt", dir);
	if ((f = fopen(path, "r")) == NULL)
		return (complain("%s can't be opened", path));
	while (ok && fgets(line, sizeof(line), f) != NULL) {
		if (assets_n == ASSETS_MAX) {
			ok = complain("%s: more than %d files", path,
			    ASSETS_MAX);
			break;
		}
		as = &assets[assets_n];
		memset(as, 0, sizeof(*as));
		if (sscanf(line, "%63s %95s %63[^\n]", as->plain, name,
		    as->type) != 3) {
			ok = complain("%s: a line is malformed", path);
			break;
		}
		memcpy(as->name, name, sizeof(name));
		(void)snprintf(as->etag, sizeof(as->etag), "\"%s\"", name);
		ok = asset_read(dir, as->name, "", &as->body);
		(void)asset_read(dir, as->name, ".gz", &as->gzip);
		assets_n++;
	}
	(void)fclose(f);
	if (ok && assets_n == 0)
		ok = complain("%s is empty", path);
	return (ok);
}

const char *
asset_name(const char *plain)
{
	size_t	i;

	for (i = 0; i < assets_n; i++) {
		if (str_eq(assets[i].plain, plain))
			return (assets[i].name);
	}
	return (NULL);
}

void
asset_page(struct req *rq)
{
	const char		*name = req_param(rq, "name"), *known;
	const struct asset	*as = NULL;
	bool			 gzip;
	size_t			 i;

	for (i = 0; i < assets_n && as == NULL; i++) {
		if (str_eq(assets[i].name, name))
			as = &assets[i];
	}
	if (as == NULL)
		req_not_found(rq);
	gzip = as->gzip.p != NULL &&
	    accepts_gzip(req_header(rq, "accept-encoding"));
	respond_header(rq, "cache-control",
	    "public, max-age=31536000, immutable");
	respond_header(rq, "etag", as->etag);
	respond_header(rq, "vary", "accept-encoding");
	known = req_header(rq, "if-none-match");
	if (known != NULL && (str_eq(known, "*") ||
	    strstr(known, as->etag) != NULL)) {
		respond_bytes(rq, 304, NULL, NULL, 0);
		return;
	}
	if (gzip)
		respond_header(rq, "content-encoding", "gzip");
	respond_bytes(rq, 200, as->type, gzip ? as->gzip.p : as->body.p,
	    gzip ? as->gzip.n : as->body.n);
}

static bool
asset_read(const char *dir, const char *name, const char *suffix,
    struct blob *into)
{
	char	 path[512];
	FILE	*f;
	long	 n;

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	if ((f = fopen(path, "rb")) == NULL)
		return (complain("%s can't be opened", path));
	if (fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 ||
	    (size_t)n > FILE_MAX || fseek(f, 0, SEEK_SET) != 0) {
		(void)fclose(f);
		return (complain("%s can't be read or is over 4 MiB", path));
	}
	into->p = malloc((size_t)n + 1);
	into->n = (size_t)n;
	if (into->p == NULL || fread(into->p, 1, into->n, f) != into->n) {
		(void)fclose(f);
		return (complain("%s can't be read", path));
	}
	(void)fclose(f);
	return (true);
}

static bool
complain(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return (false);
}

/* RFC 9110 section 12.5.3: named and not refused with q=0. */
static bool
accepts_gzip(const char *header)
{
	const char	*p;

	if (header == NULL || (p = strstr(header, "gzip")) == NULL)
		return (false);
	p += strlen("gzip");
	p += strspn(p, " ");
	if (*p != ';')
		return (true);
	p += 1 + strspn(p + 1, " ");
	return (!(str_starts(p, "q=0") && strspn(p + 3, ".0") ==
	    strcspn(p + 3, ",")));
}
