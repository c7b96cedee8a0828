/*
 * Can Redis be used?  For latchkeyctl, which may wait.
 */
#include "gateway/redis.h"

#include <hiredis/hiredis.h>

#include "gateway/redis_wire.h"

#define WAIT_S	2	/* to connect, and for each answer */

static bool	 greet(redisContext *, const struct redis_url *,
		    char why[REDIS_WHY_MAX]);
static bool	 try_out(redisContext *, const char *public_url,
		    char why[REDIS_WHY_MAX]);
static void	 read_version(redisContext *, char why[REDIS_WHY_MAX]);
static bool	 well(redisContext *, redisReply *, const char *what,
		    char why[REDIS_WHY_MAX]);

bool
redis_look(const struct redis_url *url, const char *public_url,
    char ret_why[REDIS_WHY_MAX])
{
	struct timeval	 wait = { .tv_sec = WAIT_S };
	redisContext	*c = url->host[0] != '\0' ?
	    redisConnectWithTimeout(url->host, url->port, wait) :
	    redisConnectUnixWithTimeout(url->path, wait);
	bool		 ok = false;

	if (c == NULL || c->err != 0) {
		(void)snprintf(ret_why, REDIS_WHY_MAX, "%s", c == NULL ?
		    "out of memory" : c->errstr);
	} else if (redisSetTimeout(c, wait) != REDIS_OK) {
		(void)snprintf(ret_why, REDIS_WHY_MAX, "%s", c->errstr);
	} else {
		ok = greet(c, url, ret_why) && try_out(c, public_url, ret_why);
		if (ok)
			read_version(c, ret_why);
	}
	if (c != NULL)
		redisFree(c);
	return (ok);
}

static bool
greet(redisContext *c, const struct redis_url *url, char why[REDIS_WHY_MAX])
{
	redisReply	*reply;

	if (url->password[0] != '\0') {
		reply = url->user[0] != '\0' ? redisCommand(c, "AUTH %s %s",
		    url->user, url->password) :
		    redisCommand(c, "AUTH %s", url->password);
		if (!well(c, reply, "AUTH", why))
			return (false);
	}
	if (url->database == 0)
		return (true);
	reply = redisCommand(c, "SELECT %u", url->database);
	return (well(c, reply, "SELECT", why));
}

static bool
try_out(redisContext *c, const char *public_url, char why[REDIS_WHY_MAX])
{
	static struct redis_args	 args;
	char				 installation[REDIS_INSTALLATION];
	struct limit_ask		 trial;
	redisReply			*reply;

	reply = redisCommand(c, "SCRIPT LOAD %s", redis_script());
	if (!well(c, reply, "SCRIPT", why))
		return (false);
	redis_installation(installation, public_url);
	redis_trial(&trial);
	redis_args(&args, installation, &trial, NULL);
	reply = redisCommandArgv(c, args.n, args.text, args.bytes);
	return (well(c, reply, "EVAL", why));
}

/* One that may not ask, or calls itself otherwise, has none. */
static void
read_version(redisContext *c, char why[REDIS_WHY_MAX])
{
	redisReply	*reply = redisCommand(c, "INFO server");
	const char	*at = NULL;

	why[0] = '\0';
	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		at = strstr(reply->str, "redis_version:");
	if (at != NULL)
		(void)snprintf(why, REDIS_WHY_MAX, "%.*s",
		    (int)strcspn(at + 14, "\r\n"), at + 14);
	if (reply != NULL)
		freeReplyObject(reply);
}

/* Frees the reply. */
static bool
well(redisContext *c, redisReply *reply, const char *what,
    char why[REDIS_WHY_MAX])
{
	bool	 ok = reply != NULL && reply->type != REDIS_REPLY_ERROR;

	if (!ok)
		(void)snprintf(why, REDIS_WHY_MAX, "%s: %s", what,
		    reply == NULL ? c->errstr : reply->str);
	if (reply != NULL)
		freeReplyObject(reply);
	return (ok);
}
