/*
 * The way to a portal's API: see remote.h.
 */
#include "ctl/remote.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <unistd.h>

#include "api/json.h"
#include "tokens/token.h"

#define FILE_BYTES	256	/* a token file: a token and white space */
#define RATE_WAIT_MAX_S	5	/* beyond that a 429 is an error */
#define RATE_TRIES	10

struct remote {
	CURL			*curl;
	struct curl_slist	*headers;
	const char		*url;	/* without a slash at its end */
	char			*answer;
	size_t			 n;
	bool			 too_long;
	char			 error[CURL_ERROR_SIZE];
};

static const char *take_one(struct ctl *, const char *name, bool *ret_twice);
static MUST_CHECK bool	 read_token(struct ctl *, const char *file,
		    const char **ret_token);
static const char *url_wrong(struct ctl *, const char *url,
		    const char **ret_url, bool *ret_is_here);
static bool	 is_here(const char *host);
static bool	 set_up(struct ctl *, const char *token, const char *ca_file,
		    bool here);
static size_t	 take_answer(char *, size_t, size_t, void *);
static bool	 perform(struct ctl *, const char *path, const char *body,
		    long *ret_status);
static void	 refuse(struct ctl *, long status, const char *missing);
static const char *member(const struct api_json *, const char *name);

enum ctl_exit
remote_open(struct ctl *ctl)
{
	bool		 twice = false, here = false;
	const char	*given = take_one(ctl, "--token", &twice);
	const char	*file, *url, *ca_file, *env, *wrong, *token = given;

	url = take_one(ctl, "--url", &twice);
	file = take_one(ctl, "--token-file", &twice);
	ca_file = take_one(ctl, "--ca-file", &twice);
	if (twice)
		return (ctl_usage("--url, --token, --token-file and --ca-file "
		    "may each be there once"));
	if (url == NULL) {
		if (given != NULL || file != NULL || ca_file != NULL)
			return (ctl_usage("--token, --token-file and "
			    "--ca-file need --url"));
		return (CTL_DONE);
	}
	if (given != NULL && file != NULL)
		return (ctl_usage("one of --token and --token-file"));
	ctl->remote = arena_calloc(ctl->arena, 1, sizeof(*ctl->remote));
	wrong = url_wrong(ctl, url, &ctl->remote->url, &here);
	if (wrong != NULL)
		return (ctl_usage("%s", wrong));
	if (file != NULL && !read_token(ctl, file, &token))
		return (CTL_REFUSED);
	env = getenv("LATCHKEY_TOKEN");
	if (token == NULL && env != NULL && *env != '\0') {
		token = arena_strdup(ctl->arena, env);
		(void)unsetenv("LATCHKEY_TOKEN");
	}
	if (token == NULL)
		return (ctl_usage("--url needs an access token: by "
		    "--token-file or in LATCHKEY_TOKEN"));
	if (!access_token_shaped(token))
		return (ctl_refuse("the token is mistyped: it is lk_ and 36 "
		    "letters and digits, the last 6 a checksum"));
	return (set_up(ctl, token, ca_file, here) ? CTL_DONE : CTL_REFUSED);
}

void
remote_close(struct ctl *ctl)
{
	if (ctl->remote == NULL || ctl->remote->curl == NULL)
		return;
	curl_easy_cleanup(ctl->remote->curl);
	curl_slist_free_all(ctl->remote->headers);
	curl_global_cleanup();
}

bool
remote_call(struct ctl *ctl, const char *path, const char *body,
    const char *missing, const struct api_json **ret_answer)
{
	struct remote	*r = ctl->remote;
	const char	*why;
	curl_off_t	 wait;
	long		 status;
	int		 i;

	for (i = 0;; i++) {
		if (!perform(ctl, path, body, &status))
			return (false);
		wait = 0;
		(void)curl_easy_getinfo(r->curl, CURLINFO_RETRY_AFTER, &wait);
		if (status != 429 || i == RATE_TRIES || wait < 1 ||
		    wait > RATE_WAIT_MAX_S)
			break;
		(void)sleep((unsigned)wait);
	}
	if (status != 200 && status != 204) {
		refuse(ctl, status, missing);
		return (false);
	}
	*ret_answer = NULL;
	if (status == 204)
		return (true);
	*ret_answer = api_json_read(ctl->arena, r->answer, r->n, &why);
	return (*ret_answer != NULL || remote_refuse_answer(ctl));
}

bool
remote_refuse_answer(struct ctl *ctl)
{
	(void)ctl_refuse("what answers at %s is no Latchkey of this version",
	    ctl->remote->url);
	return (false);
}

/* The value, copied: that of --token is wiped where all may read it, also when
 * it is there twice. */
static const char *
take_one(struct ctl *ctl, const char *name, bool *ret_twice)
{
	const char	*value, *copy = NULL;
	bool		 is_token = str_eq(name, "--token");

	while ((value = ctl_option(ctl, name)) != NULL) {
		if (copy != NULL)
			*ret_twice = true;
		copy = arena_strdup(ctl->arena, value);
		/* An argument's memory is ours to write (C11 5.1.2.2.1). */
		if (is_token)
			explicit_bzero((void *)(uintptr_t)value,
			    strlen(value));
	}
	return (copy);
}

static bool
read_token(struct ctl *ctl, const char *file, const char **ret_token)
{
	FILE	*f = fopen(file, "re");
	char	*text = arena_alloc(ctl->arena, FILE_BYTES + 1);
	size_t	 n;
	bool	 failed;

	if (f == NULL) {
		(void)ctl_refuse("%s: %s", file, strerror(errno));
		return (false);
	}
	(void)setvbuf(f, NULL, _IONBF, 0);	/* no copy in its buffer */
	n = fread(text, 1, FILE_BYTES, f);
	failed = ferror(f) != 0;
	(void)fclose(f);
	if (failed || n == FILE_BYTES || memchr(text, '\0', n) != NULL ||
	    !str_utf8(text, n)) {
		(void)ctl_refuse("%s: %s", file, failed ? "it can't be read" :
		    "it holds more than a token");
		return (false);
	}
	text[n] = '\0';
	*ret_token = str_squeeze(ctl->arena, text);
	return (true);
}

/* NULL, or what is wrong with it.  Nothing but scheme, host and port: what
 * else an address can hold would be kept or lost without anybody knowing. */
static const char *
url_wrong(struct ctl *ctl, const char *url, const char **ret_url,
    bool *ret_is_here)
{
	static const CURLUPart	 none[] = { CURLUPART_USER,
				    CURLUPART_PASSWORD, CURLUPART_QUERY,
				    CURLUPART_FRAGMENT };
	CURLU			*parts = curl_url();
	char			*scheme = NULL, *host = NULL, *path = NULL;
	char			*part = NULL, *whole = NULL;
	const char		*wrong = NULL;
	size_t			 i;

	if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) !=
	    CURLUE_OK || curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) !=
	    CURLUE_OK || curl_url_get(parts, CURLUPART_HOST, &host, 0) !=
	    CURLUE_OK || curl_url_get(parts, CURLUPART_PATH, &path, 0) !=
	    CURLUE_OK || curl_url_get(parts, CURLUPART_URL, &whole, 0) !=
	    CURLUE_OK || !str_eq(path, "/"))
		wrong = "--url is https://, a host and perhaps a port";
	for (i = 0; i < COUNT(none) && wrong == NULL; i++)
		if (curl_url_get(parts, none[i], &part, 0) == CURLUE_OK) {
			curl_free(part);
			wrong = "--url is https://, a host and perhaps a "
			    "port";
		}
	if (wrong == NULL) {
		*ret_is_here = is_here(host);
		if (!str_eq(scheme, "https") &&
		    (!str_eq(scheme, "http") || !*ret_is_here))
			wrong = "--url must be https://: without it, the "
			    "token could be read on its way";
		*ret_url = arena_strndup(ctl->arena, whole,
		    strlen(whole) - 1);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	curl_free(whole);
	curl_url_cleanup(parts);
	return (wrong);
}

/* This machine; libcurl takes "localhost" for it whatever a resolver says. */
static bool
is_here(const char *host)
{
	unsigned char	ip[4];

	return (str_eq(host, "localhost") || str_eq(host, "[::1]") ||
	    (inet_pton(AF_INET, host, ip) == 1 && ip[0] == 127));
}

static bool
set_up(struct ctl *ctl, const char *token, const char *ca_file, bool here)
{
	struct remote	*r = ctl->remote;
	const char	*lines[] = { arena_fmt(ctl->arena,
			    "Authorization: Bearer %s", token),
			    "Accept: application/json",
			    "Content-Type: application/json", "Expect:" };
	struct curl_slist *more;
	size_t		 i;
	bool		 ok;

	api_json_setup();
	r->answer = arena_alloc(ctl->arena, REMOTE_ANSWER_MAX);
	ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
	    (r->curl = curl_easy_init()) != NULL;
	for (i = 0; i < COUNT(lines) && ok; i++) {
		more = curl_slist_append(r->headers, lines[i]);
		ok = more != NULL;
		if (ok)
			r->headers = more;
	}
#define SET(option, value) \
	(ok = ok && curl_easy_setopt(r->curl, option, value) == CURLE_OK)
	SET(CURLOPT_PROTOCOLS_STR, here ? "http,https" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca_file != NULL)
		SET(CURLOPT_CAINFO, ca_file);
	if (here)	/* not to a proxy that the environment names */
		SET(CURLOPT_PROXY, "");
	SET(CURLOPT_CONNECTTIMEOUT, REMOTE_CONNECT_S);
	SET(CURLOPT_TIMEOUT, REMOTE_WHOLE_S);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTPHEADER, r->headers);
	SET(CURLOPT_USERAGENT, "latchkeyctl");
	SET(CURLOPT_ERRORBUFFER, r->error);
	SET(CURLOPT_WRITEFUNCTION, take_answer);
	SET(CURLOPT_WRITEDATA, r);
#undef SET
	if (!ok)
		(void)ctl_refuse("libcurl can't be set up");
	return (ok);
}

static size_t
take_answer(char *bytes, size_t size, size_t n, void *arg)
{
	struct remote	*r = arg;

	n *= size;
	if (n > REMOTE_ANSWER_MAX - r->n) {
		r->too_long = true;
		return (CURL_WRITEFUNC_ERROR);
	}
	memcpy(r->answer + r->n, bytes, n);
	r->n += n;
	return (n);
}

static bool
perform(struct ctl *ctl, const char *path, const char *body, long *ret_status)
{
	struct remote	*r = ctl->remote;
	CURLcode	 code;
	long		 sent = 0;

	r->n = 0;
	r->error[0] = '\0';
	(void)curl_easy_setopt(r->curl, CURLOPT_URL, arena_fmt(ctl->arena,
	    "%s/api/v1%s", r->url, path));
	if (body == NULL)
		(void)curl_easy_setopt(r->curl, CURLOPT_HTTPGET, 1L);
	else {
		(void)curl_easy_setopt(r->curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE,
		    (long)strlen(body));
		(void)curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body);
	}
	code = curl_easy_perform(r->curl);
	if (code == CURLE_OK) {
		(void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE,
		    ret_status);
		return (true);
	}
	(void)curl_easy_getinfo(r->curl, CURLINFO_REQUEST_SIZE, &sent);
	if (r->too_long)
		(void)ctl_refuse("%s answered with more than 1 MiB", r->url);
	else if (sent == 0)
		(void)ctl_refuse("%s can't be reached: %s", r->url,
		    *r->error != '\0' ? r->error : curl_easy_strerror(code));
	else
		(void)ctl_refuse("the answer of %s was lost%s: %s", r->url,
		    body != NULL ? ", so it is not known whether it was done" :
		    "", *r->error != '\0' ? r->error :
		    curl_easy_strerror(code));
	return (false);
}

/* A problem (RFC 9457) in one line, with what to do where that is known. */
static void
refuse(struct ctl *ctl, long status, const char *missing)
{
	const struct api_json	*problem = NULL, *errors;
	struct remote		*r = ctl->remote;
	const char		*code, *text, *why;
	size_t			 i;

	if (r->n > 0)
		problem = api_json_read(ctl->arena, r->answer, r->n, &why);
	code = member(problem, "code");
	text = member(problem, "detail");
	for (i = 0; text == NULL && problem != NULL && i < problem->n; i++) {
		errors = &problem->list[i];
		if (errors->type == JSON_IS_ARRAY &&
		    str_eq(errors->name, "errors") && errors->n > 0)
			text = member(&errors->list[0], "text");
	}
	if (text == NULL)
		text = member(problem, "title");
	if (status == 503)
		(void)ctl_refuse("%s can't answer now (503)%s%s: try again in "
		    "a minute", r->url, code != NULL ? ", " : "",
		    code != NULL ? code : "");
	else if (status >= 300 && status < 400)
		(void)ctl_refuse("%s sends us elsewhere: give the portal's "
		    "own address", r->url);
	else if (code == NULL || text == NULL)
		(void)ctl_refuse("%s answered %ld, not as a Latchkey does",
		    r->url, status);
	else if (status == 401 || str_eq(code, "insufficient_scope"))
		(void)ctl_refuse("%s Make another token on the portal: "
		    "Account, Access tokens.", text);
	else if (status == 403)
		(void)ctl_refuse("%s Do it on the portal, then try again.",
		    text);
	else if (status == 404)
		(void)ctl_refuse("%s", missing);
	else if (status == 429)
		(void)ctl_refuse("%s Try again later.", text);
	else
		(void)ctl_refuse("%s", text);
}

/* A text that can stand in a line; else NULL. */
static const char *
member(const struct api_json *of, const char *name)
{
	size_t	i;

	if (of == NULL || of->type != JSON_IS_OBJECT)
		return (NULL);
	for (i = 0; i < of->n; i++)
		if (str_eq(of->list[i].name, name))
			return (of->list[i].type == JSON_IS_TEXT &&
			    !str_has_control(of->list[i].text) ?
			    of->list[i].text : NULL);
	return (NULL);
}
