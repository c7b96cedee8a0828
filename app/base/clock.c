/*
 * The calendar is computed here and not by gmtime_r(): that one reads
 * /etc/localtime on its first call even for UTC, which the sandbox of the
 * portal's workers forbids, and strftime() would follow the locale.
 */
#include "base/clock.h"

#include <assert.h>
#include <ctype.h>

struct civil {
	int64_t	year;
	int	month, day, weekday;	/* 1 to 12, 1 to 31, 0 is Sunday */
	int	hour, minute, second, us;
};

static int64_t		clock_read(clockid_t);
static struct civil	civil(int64_t);
static int64_t		days_of(int64_t year, int64_t month, int64_t day);
static bool		digits(const char **, int n, int64_t *ret_number);
static char		*span(struct arena *, int64_t);

static const char *const month_names[] = { "January", "February", "March",
	"April", "May", "June", "July", "August", "September", "October",
	"November", "December" };
static const char *const day_names[] = { "Sunday", "Monday", "Tuesday",
	"Wednesday", "Thursday", "Friday", "Saturday" };

int64_t
clock_now(void)
{
	return (clock_read(CLOCK_REALTIME));
}

int64_t
clock_monotonic(void)
{
	return (clock_read(CLOCK_MONOTONIC));
}

char *
clock_iso(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%04lld-%02d-%02dT%02d:%02d:%02dZ",
	    (long long)c.year, c.month, c.day, c.hour, c.minute, c.second));
}

void
clock_stamp(char ret_stamp[CLOCK_STAMP], int64_t at)
{
	struct civil	c = civil(at);

	(void)snprintf(ret_stamp, CLOCK_STAMP,
	    "%04lld-%02d-%02dT%02d:%02d:%02d.%06dZ", (long long)c.year,
	    c.month, c.day, c.hour, c.minute, c.second, c.us);
}

char *
clock_long(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%d %s %lld, %02d:%02d UTC", c.day,
	    month_names[c.month - 1], (long long)c.year, c.hour, c.minute));
}

char *
clock_day(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%s %d %s, %02d:%02d UTC", day_names[c.weekday],
	    c.day, month_names[c.month - 1], c.hour, c.minute));
}

char *
clock_date(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%d %s %lld", c.day, month_names[c.month - 1],
	    (long long)c.year));
}

char *
clock_ago(struct arena *a, int64_t at, int64_t now)
{
	if (now - at < MINUTE_US)
		return (arena_strdup(a, "just now"));
	return (arena_fmt(a, "%s ago", span(a, now - at)));
}

char *
clock_span(struct arena *a, int64_t length_us)
{
	return (span(a, length_us < 0 ? 0 : length_us));
}

int64_t
clock_left(int64_t until, int64_t now)
{
	int64_t	left = until - now;

	if (left < HOUR_US)
		return (left);
	return ((left + HOUR_US / 2) / HOUR_US * HOUR_US);
}

bool
clock_parse(const char *s, int64_t *ret_at)
{
	int64_t		year, month, day, hour = 0, minute = 0, at;
	struct civil	c;

	if (!digits(&s, 4, &year) || *s++ != '-' || !digits(&s, 2, &month) ||
	    *s++ != '-' || !digits(&s, 2, &day))
		return (false);
	if (*s == 'T') {
		s++;
		if (!digits(&s, 2, &hour) || *s++ != ':' ||
		    !digits(&s, 2, &minute))
			return (false);
	}
	if (*s != '\0' || month < 1 || month > 12 || day < 1 || hour > 23 ||
	    minute > 59)
		return (false);
	at = days_of(year, month, day) * DAY_US + hour * HOUR_US +
	    minute * MINUTE_US;
	/* The 30th of February is another day when it is read back. */
	c = civil(at);
	if (c.year != year || c.month != month || c.day != day)
		return (false);
	*ret_at = at;
	return (true);
}

char *
clock_input_date(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%04lld-%02d-%02d", (long long)c.year, c.month,
	    c.day));
}

char *
clock_input_time(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%04lld-%02d-%02dT%02d:%02d", (long long)c.year,
	    c.month, c.day, c.hour, c.minute));
}

char *
clock_mail(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%.3s, %02d %.3s %04lld %02d:%02d:%02d +0000",
	    day_names[c.weekday], c.day, month_names[c.month - 1],
	    (long long)c.year, c.hour, c.minute, c.second));
}

char *
clock_http(struct arena *a, int64_t at)
{
	struct civil	c = civil(at);

	return (arena_fmt(a, "%.3s, %02d %.3s %04lld %02d:%02d:%02d GMT",
	    day_names[c.weekday], c.day, month_names[c.month - 1],
	    (long long)c.year, c.hour, c.minute, c.second));
}

static int64_t
clock_read(clockid_t which)
{
	struct timespec	ts;
	int		rc;

	rc = clock_gettime(which, &ts);
	assert(rc == 0);
	return ((int64_t)ts.tv_sec * SECOND_US + ts.tv_nsec / 1000);
}

/*
 * The Gregorian calendar repeats every 400 years, which are 146097 days.  Days
 * are counted from 1 March of the year 0, so that the leap day is the last of
 * its year and a month's first day is a linear function of the month: from
 * March on, five months always have 153 days.
 */
static struct civil
civil(int64_t at)
{
	struct civil	c;
	int64_t		days, us, era, of_era, year, of_year, month;

	days = at / DAY_US;
	us = at % DAY_US;
	if (us < 0) {
		us += DAY_US;
		days--;
	}
	c.us = (int)(us % SECOND_US);
	c.second = (int)(us / SECOND_US % 60);
	c.minute = (int)(us / MINUTE_US % 60);
	c.hour = (int)(us / HOUR_US);
	/* 1 January 1970 was a Thursday. */
	c.weekday = (int)(((days + 4) % 7 + 7) % 7);

	days += 719468;		/* from 1 March 0 to 1 January 1970 */
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
	    365;
	of_year = of_era - (year * 365 + year / 4 - year / 100);
	month = (of_year * 5 + 2) / 153;
	c.day = (int)(of_year - (month * 153 + 2) / 5 + 1);
	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = year + era * 400 + (c.month <= 2 ? 1 : 0);
	return (c);
}

/* The way back, for years from 0 on: days since 1970 of what may be no day. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t	era, of_era, of_year;

	if (month <= 2)
		year--;
	era = (year >= 0 ? year : year - 399) / 400;
	of_era = year - era * 400;
	of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return (era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468);
}

/* Exactly n digits; stands behind them then. */
static bool
digits(const char **s, int n, int64_t *ret_number)
{
	int64_t	number = 0;

	for (; n > 0; n--, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return (false);
		number = number * 10 + (**s - '0');
	}
	*ret_number = number;
	return (true);
}

static char *
span(struct arena *a, int64_t length)
{
	static const struct {
		int64_t		 from, unit;
		const char	*name;
	} units[] = {
		{ 72 * HOUR_US, DAY_US, "day" },
		{ HOUR_US, HOUR_US, "hour" },
		{ MINUTE_US, MINUTE_US, "minute" },
		{ INT64_MIN, SECOND_US, "second" },
	};
	size_t		 i = 0;
	long long	 n;

	while (length < units[i].from)
		i++;
	n = length / units[i].unit;
	return (arena_fmt(a, "%lld %s%s", n, units[i].name, n == 1 ? "" : "s"));
}
