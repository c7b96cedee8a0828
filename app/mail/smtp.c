/*
 * Sending by SMTP, with libcurl.  What counts is what the server said: a 5xx
 * about the recipient or the message ends it; a refused password, certificate
 * or sender is the installation's fault and keeps the mail; everything else,
 * an answer that was lost included, is tried again with the same Message-ID.
 */
#include "mail/mail.h"

#include <curl/curl.h>

#include "base/setting.h"
#include "base/str.h"

struct upload {
	const char	*p;
	size_t		 left;
};

static size_t	 read_message(char *, size_t, size_t, void *);
static bool	 loopback(struct arena *, const char *url);
static enum mail_sent judge(struct arena *, CURLcode, long, const char *,
		    const char **);

enum mail_sent
mail_smtp(struct arena *arena, const char *url, const char *ca_file,
    const struct mail_limits *limits, const char *from, const char *to,
    const struct buf *mime, const char **ret_why)
{
	char			 said[CURL_ERROR_SIZE] = "";
	struct upload		 upload = { mime->p, mime->n };
	struct curl_slist	*recipients;
	enum mail_sent		 sent;
	CURLcode		 code;
	CURL			*curl = curl_easy_init();
	long			 status = 0;

	recipients = curl_slist_append(NULL, arena_fmt(arena, "<%s>", to));
	if (curl == NULL || recipients == NULL)
		abort();
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM,
	    arena_fmt(arena, "<%s>", from));
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
	(void)curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
	(void)curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
	    (curl_off_t)mime->n);
	/* On loopback nobody listens in, so a server may do without TLS. */
	(void)curl_easy_setopt(curl, CURLOPT_USE_SSL,
	    loopback(arena, url) ? (long)CURLUSESSL_TRY :
	    (long)CURLUSESSL_ALL);
	if (ca_file != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
	    limits->connect_ms);
	(void)curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
	    limits->response_s);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, limits->whole_ms);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);

	code = curl_easy_perform(curl);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	sent = judge(arena, code, status, said, ret_why);
	curl_slist_free_all(recipients);
	curl_easy_cleanup(curl);
	return (sent);
}

static size_t
read_message(char *to, size_t size, size_t count, void *arg)
{
	struct upload	*upload = arg;
	size_t		 n = size * count;

	if (n > upload->left)
		n = upload->left;
	memcpy(to, upload->p, n);
	upload->p += n;
	upload->left -= n;
	return (n);
}

static bool
loopback(struct arena *arena, const char *url)
{
	CURLU	*parts = curl_url();
	char	*host = NULL;
	bool	 yes = false;

	if (parts == NULL)
		abort();
	if (curl_url_set(parts, CURLUPART_URL, url,
	    CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		const char *lower = str_lower(arena, host);

		yes = str_eq(lower, "localhost") || str_eq(lower, "[::1]") ||
		    (str_starts(lower, "127.") &&
		    strspn(lower, "0123456789.") == strlen(lower));
	}
	curl_free(host);
	curl_url_cleanup(parts);
	return (yes);
}

/* The texts are libcurl 7.88's, each before the number that the server said;
 * none repeats what the server wrote, which may hold the address. */
static enum mail_sent
judge(struct arena *arena, CURLcode code, long status, const char *said,
    const char **ret_why)
{
	const char	*step = "";

	*ret_why = "";
	if (code == CURLE_OK)
		return (MAIL_SENT);
	if (str_starts(said, "MAIL failed"))
		step = "sender: ";
	else if (str_starts(said, "RCPT failed"))
		step = "recipient: ";
	else if (str_starts(said, "DATA failed") ||
	    /* The answer to the end of the message has no text. */
	    (code == CURLE_WEIRD_SERVER_REPLY &&
	    !str_starts(said, "Got unexpected")))
		step = "message: ";
	*ret_why = arena_fmt(arena, "%s%s, SMTP status %ld", step,
	    curl_easy_strerror(code), status);

	switch (code) {
	case CURLE_LOGIN_DENIED:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return (MAIL_SETTINGS);
	default:
		break;
	}
	if (status < 500 || status > 599 || step[0] == '\0')
		return (MAIL_LATER);
	return (step[0] == 's' ? MAIL_SETTINGS : MAIL_REFUSED);
}
