/*
 * Static files: what assets/build.py made (fingerprinted names, gzip) is read
 * into memory once before the workers fork and served from there with a strong
 * ETag and Cache-Control: immutable.  Nothing is ever read by a name that a
 * client sent.
 */
#ifndef WEB_ASSET_H
#define WEB_ASSET_H

#include "web/req.h"

#define ASSETS_MAX	64

/* Reads dir/manifest.txt and the files that it names.  False with a sentence
 * in ret_why (static or allocated once) when something is missing. */
MUST_CHECK bool	 assets_load(const char *dir, const char **ret_why);
/* "app.css" -> "app.3fa9c01d22.css"; NULL if there is none. */
const char	*asset_name(const char *plain);
/* GET /assets/:name */
void		 asset_page(struct req *);

#endif
