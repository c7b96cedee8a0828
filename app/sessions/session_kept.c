/*
 * See session_kept.h.  A table of sets: a session may stand in one of the four
 * places of its set, and takes that of the one that was not used for longest.
 * An entry that goes while a request still reads it lives until that ends.
 */
#include "sessions/session_kept.h"

#include "base/clock.h"

#define SETS	(SESSION_KEPT_MAX / SESSION_KEPT_WAYS)

static struct kept	*table[SETS][SESSION_KEPT_WAYS];

static struct kept	**set_of(const unsigned char *);
static struct kept	**place_of(const unsigned char *);
static struct kept	*hold(struct arena *, struct kept *);
static void		 release(void *);
static void		 move_text(char **, const char **);
static size_t		 text_bytes(const char *);

struct kept *
kept_find(struct arena *arena, const unsigned char *hash)
{
	struct kept	**place = place_of(hash);
	int64_t		  now = clock_monotonic();

	if (place == NULL)
		return (NULL);
	if (now - (*place)->read_at > SESSION_KEPT_S * SECOND_US) {
		kept_drop(hash);
		return (NULL);
	}
	(*place)->used_at = now;
	return (hold(arena, *place));
}

struct kept *
kept_put(struct arena *arena, const unsigned char *hash, int64_t stamp,
    const struct session *s)
{
	struct kept	**set = set_of(hash), **place = set;
	struct kept	 *k;
	char		 *text;
	unsigned	  i;

	kept_drop(hash);
	k = calloc(1, sizeof(*k) + text_bytes(s->account_id) +
	    text_bytes(s->name) + text_bytes(s->email) +
	    text_bytes(s->email_domain) + text_bytes(s->client) +
	    text_bytes(s->tenant_id) + text_bytes(s->tenant_code) +
	    text_bytes(s->tenant_name));
	if (k == NULL)
		return (NULL);
	memcpy(k->hash, hash, sizeof(k->hash));
	k->stamp = stamp;
	k->read_at = k->used_at = clock_monotonic();
	k->session = *s;
	k->session.cookie = k->session.form_cookie = NULL;
	k->session.kept = NULL;
	text = k->text;
	move_text(&text, &k->session.account_id);
	move_text(&text, &k->session.name);
	move_text(&text, &k->session.email);
	move_text(&text, &k->session.email_domain);
	move_text(&text, &k->session.client);
	move_text(&text, &k->session.tenant_id);
	move_text(&text, &k->session.tenant_code);
	move_text(&text, &k->session.tenant_name);
	for (i = 0; i < SESSION_KEPT_WAYS && *place != NULL; i++)
		if (set[i] == NULL || set[i]->used_at < (*place)->used_at)
			place = &set[i];
	if (*place != NULL)
		release(*place);
	*place = k;
	k->refs = 1;
	return (hold(arena, k));
}

void
kept_drop(const unsigned char *hash)
{
	struct kept	**place = place_of(hash);

	if (place == NULL)
		return;
	release(*place);
	*place = NULL;
}

const struct db_rows *
session_kept(const struct session *s)
{
	return (s->kept == NULL ? NULL : s->kept->rows);
}

void
session_keep(const struct session *s, const struct db_rows *rows)
{
	if (s->kept != NULL && s->kept->rows == NULL)
		s->kept->rows = db_rows_copy(rows, SESSION_KEPT_BYTES);
}

static struct kept **
set_of(const unsigned char *hash)
{
	return (table[(hash[0] | (unsigned)hash[1] << 8) % SETS]);
}

/* NULL: it is not there. */
static struct kept **
place_of(const unsigned char *hash)
{
	struct kept	**set = set_of(hash);
	unsigned	  i;

	for (i = 0; i < SESSION_KEPT_WAYS; i++)
		if (set[i] != NULL &&
		    bytes_eq(set[i]->hash, hash, sizeof(set[i]->hash)))
			return (&set[i]);
	return (NULL);
}

static struct kept *
hold(struct arena *arena, struct kept *k)
{
	k->refs++;
	arena_at_end(arena, release, k);
	return (k);
}

static void
release(void *arg)
{
	struct kept	*k = arg;

	if (--k->refs > 0)
		return;
	db_rows_free(k->rows);
	free(k);
}

/* Copies a text to *to, behind which the next one goes. */
static void
move_text(char **to, const char **text)
{
	size_t	 n = text_bytes(*text);

	if (*text == NULL)
		return;
	memcpy(*to, *text, n);
	*text = *to;
	*to += n;
}

static size_t
text_bytes(const char *text)
{
	return (text == NULL ? 0 : strlen(text) + 1);
}
