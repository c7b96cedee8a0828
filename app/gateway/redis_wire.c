/*
 * See redis_wire.h.
 */
#include "gateway/redis_wire.h"

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "crypto/token.h"

const char	 redis_script_time[] =
    "local t = redis.call('TIME')\n"
    "local sec, us = tonumber(t[1]), tonumber(t[2])\n";

/*
 * Lua's numbers are exact to 2^53: nanoseconds of 104 days, so an instant is
 * seconds and nanoseconds, and only what lies between two is computed with.
 * ARGV has four a limit: r, quota, step, 0; or d or m, quota, and period and
 * count as the portal knows them from the database, so that Redis may forget.
 * The answer: a bit for each that is full, the time, and what each is at.
 */
const char	 redis_script_rest[] =
    "local floor, format, match = math.floor, string.format, string.match\n"
    "local day = floor(sec / 86400)\n"
    /* Months since 1970 of a day since 1970, in years that begin in March and
     * eras of 400 years. */
    "local function month()\n"
    "  local z = day + 719468\n"
    "  local era = floor(z / 146097)\n"
    "  local d = z - era * 146097\n"
    "  local y = floor((d - floor(d / 1460) + floor(d / 36524)\n"
    "    - floor(d / 146096)) / 365)\n"
    "  local rest = d - (365 * y + floor(y / 4) - floor(y / 100))\n"
    "  return (y + era * 400 - 1970) * 12 + floor((5 * rest + 2) / 153) + 2\n"
    "end\n"
    "local old = redis.call('MGET', unpack(KEYS))\n"
    "local full, bit, is, period = 0, 1, {}, {}\n"
    "for i = 1, #KEYS do\n"
    "  local kind, quota = ARGV[i * 4 - 3], tonumber(ARGV[i * 4 - 2])\n"
    "  local a, b = tonumber(ARGV[i * 4 - 1]), tonumber(ARGV[i * 4])\n"
    "  local x, y = match(old[i] or '', '^(%d+) (%d+)$')\n"
    "  x, y = tonumber(x or 0), tonumber(y or 0)\n"
    "  if kind == 'r' then\n"
    "    local wait = (x - sec) * 1e9 + y - us * 1e3\n"
    /* Twice as much as fits: the clock was set back. */
    "    if wait < 0 or wait > 2 * a * quota then wait = 0 end\n"
    "    if wait + a > a * quota then full = full + bit end\n"
    "    is[i] = wait\n"
    "  else\n"
    "    local now = kind == 'd' and day or month()\n"
    "    if x < now then x, y = now, 0 end\n"
    "    if a == x and b > y then y = b end\n"
    "    if y >= quota then full = full + bit end\n"
    "    is[i], period[i] = y, x\n"
    "  end\n"
    "  bit = bit * 2\n"
    "end\n"
    "for i = 1, full == 0 and #KEYS or 0 do\n"
    "  if ARGV[i * 4 - 3] == 'r' then\n"
    "    is[i] = is[i] + tonumber(ARGV[i * 4 - 1])\n"
    "    local at = us * 1e3 + is[i]\n"
    "    local s = floor(at / 1e9)\n"
    "    redis.call('SET', KEYS[i], format('%d %d', sec + s, at - s * 1e9),\n"
    "      'PX', format('%d', floor(is[i] / 1e6) + 1000))\n"
    "  else\n"
    "    is[i] = is[i] + 1\n"
    "    redis.call('SET', KEYS[i], format('%d %d', period[i], is[i]), 'EX',\n"
    "      ARGV[i * 4 - 3] == 'd' and 86460 or 2764800)\n"
    "  end\n"
    "end\n"
    "return {full, sec, us, unpack(is)}\n";

static void	add(struct redis_args *, const char *);

const char *
redis_script(void)
{
	static char	 text[4096];

	if (text[0] == '\0')
		(void)snprintf(text, sizeof(text), "%s%s", redis_script_time,
		    redis_script_rest);
	return (text);
}

void
redis_installation(char ret_text[REDIS_INSTALLATION], const char *public_url)
{
	unsigned char	 hash[SHA256_BYTES];
	unsigned	 i;

	sha256(hash, public_url, strlen(public_url));
	for (i = 0; i < REDIS_INSTALLATION / 2; i++)
		(void)snprintf(ret_text + 2 * i, 3, "%02x", hash[i]);
}

void
redis_args(struct redis_args *ret_args, const char *installation,
    const struct limit_ask *ask, const char *sha)
{
	static const char *const	 kinds[] = { [LIMIT_WINDOW] = "r",
		[LIMIT_DAY] = "d", [LIMIT_MONTH] = "m" };
	const struct limit_want		*want;
	char				 id[UUID_TEXT];
	unsigned			 i;

	ret_args->n = 0;
	add(ret_args, sha != NULL ? "EVALSHA" : "EVAL");
	add(ret_args, sha != NULL ? sha : redis_script());
	(void)snprintf(ret_args->count, sizeof(ret_args->count), "%u",
	    ask->n % 100);
	add(ret_args, ret_args->count);
	for (i = 0; i < ask->n; i++) {
		uuid_write(id, ask->list[i].id);
		(void)snprintf(ret_args->keys[i], REDIS_KEY_MAX,
		    "latchkey:%s:%s:%s", installation, ask->list[i].name, id);
		add(ret_args, ret_args->keys[i]);
	}
	for (i = 0; i < ask->n; i++) {
		char	(*number)[24] = ret_args->numbers[i];

		want = &ask->list[i];
		(void)snprintf(number[0], sizeof(*number), "%u", want->quota);
		(void)snprintf(number[1], sizeof(*number), "%lld",
		    want->kind == LIMIT_WINDOW ? (long long)want->step :
		    (long long)want->period);
		(void)snprintf(number[2], sizeof(*number), "%llu",
		    (unsigned long long)want->known);
		add(ret_args, kinds[want->kind]);
		add(ret_args, number[0]);
		add(ret_args, number[1]);
		add(ret_args, number[2]);
	}
}

bool
redis_answer(const struct redisReply *reply, unsigned limits,
    struct limit_answer *ret_answer)
{
	size_t	 i;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 + limits)
		return (false);
	for (i = 0; i < reply->elements; i++)
		if (reply->element[i]->type != REDIS_REPLY_INTEGER ||
		    reply->element[i]->integer < 0)
			return (false);
	ret_answer->full = (uint32_t)reply->element[0]->integer;
	ret_answer->now = reply->element[1]->integer * SECOND_US +
	    reply->element[2]->integer;
	for (i = 0; i < limits; i++)
		ret_answer->is[i] = reply->element[3 + i]->integer;
	return (true);
}

void
redis_trial(struct limit_ask *ret_ask)
{
	*ret_ask = (struct limit_ask){ .n = 1, .list = { { .name = "trial",
	    .kind = LIMIT_WINDOW, .quota = 1000000, .window_s = 1,
	    .step = 1000 } } };
}

static void
add(struct redis_args *args, const char *text)
{
	args->text[args->n] = text;
	args->bytes[args->n++] = strlen(text);
}
