/*
 * What a browser says of itself, in words for people.  User-Agent is a text
 * that anybody may make up, so the words come from a table of our own and
 * hold nothing of it.
 */
#ifndef WEB_AGENT_H
#define WEB_AGENT_H

#include "base/arena.h"

/* "Firefox on Windows", "Safari on an iPhone", "Chrome", "An unknown
 * program". */
const char	*agent_words(struct arena *, const char *agent);

#endif
