/*
 * From User-Agent to words: the first row of each table whose mark is in the
 * text.  Browsers name those that they descend from, so the youngest come
 * first: Edge calls itself Chrome and Safari, too.
 */
#include "web/agent.h"

#include "base/str.h"

struct mark {
	const char	*in, *name;
};

static const struct mark browsers[] = {
	{ "Edg", "Edge" },			/* Edg/, EdgA/, EdgiOS/ */
	{ "OPR/", "Opera" },
	{ "SamsungBrowser/", "Samsung Internet" },
	{ "Vivaldi/", "Vivaldi" },
	{ "FxiOS/", "Firefox" },
	{ "Firefox/", "Firefox" },
	{ "CriOS/", "Chrome" },
	{ "Chromium/", "Chromium" },
	{ "Chrome/", "Chrome" },
	{ "Safari/", "Safari" },
	{ "curl/", "curl" },
	{ "Wget/", "Wget" },
	{ "python", "A Python program" },
	{ "Python", "A Python program" },
};

static const struct mark systems[] = {
	{ "iPhone", "an iPhone" },
	{ "iPad", "an iPad" },
	{ "Android", "Android" },
	{ "Windows", "Windows" },
	{ "Macintosh", "a Mac" },
	{ "CrOS", "ChromeOS" },
	{ "FreeBSD", "FreeBSD" },
	{ "OpenBSD", "OpenBSD" },
	{ "Linux", "Linux" },
};

static const char *find(const struct mark *, size_t n, const char *agent);

const char *
agent_words(struct arena *a, const char *agent)
{
	const char	*browser = find(browsers, COUNT(browsers), agent);
	const char	*system = find(systems, COUNT(systems), agent);

	if (browser == NULL && system == NULL)
		return ("An unknown program");
	if (system == NULL)
		return (browser);
	return (arena_fmt(a, "%s on %s", browser == NULL ?
	    "An unknown program" : browser, system));
}

static const char *
find(const struct mark *marks, size_t n, const char *agent)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		if (strstr(agent, marks[i].in) != NULL)
			return (marks[i].name);
	}
	return (NULL);
}
