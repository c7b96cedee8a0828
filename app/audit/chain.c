/*
 * Texts that are hashed, and the lines of the log that hold heads.  The log is
 * written by ourselves: within the values that matter nothing is escaped, so
 * a field is looked for by its name and quotes, wherever a log's keeper put
 * the line.
 */
#include "audit/chain.h"

static const char	*or_empty(const char *);
static void		 hash_text(const struct buf *, char ret[HASH_TEXT]);
static const char	*field(struct arena *, const char *line,
			    const char *name);

/* Names of 32, codes and ids of 64 characters: the detail is small, but a
 * number of fields is not limited. */
#define ROW_MAX		(1u << 20)
#define LINE_MAX_BYTES	(8u * 1024)

void
chain_hash(struct arena *arena, const struct chain_row *row,
    const char *before, char ret_hash[HASH_TEXT])
{
	struct buf	 b;

	buf_init(&b, arena, ROW_MAX);
	buf_fmt(&b, "latchkey audit 1\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n"
	    "%s\n%s\n%s", row->lane, row->n, before, row->id, row->at_us,
	    or_empty(row->tenant), row->actor_kind, or_empty(row->actor),
	    row->action, row->subject_kind, row->subject, row->detail);
	hash_text(&b, ret_hash);
}

void
chain_lane(const struct chain_row *row, char ret_lane[UUID_TEXT])
{
	int64_t	 id = 0;

	if (row->tenant != NULL) {
		(void)snprintf(ret_lane, UUID_TEXT, "%s", row->tenant);
		return;
	}
	if (!str_to_int(row->id, 0, INT64_MAX, &id))
		id = 0;
	(void)snprintf(ret_lane, UUID_TEXT,
	    "00000000-0000-0000-0000-%012x", (unsigned)(id & 15) + 1);
}

void
anchor_digest(struct arena *arena, const struct anchor_line *line,
    char ret_digest[HASH_TEXT])
{
	struct buf	 b;

	buf_init(&b, arena, LINE_MAX_BYTES);
	buf_fmt(&b, "latchkey heads 1\n%s\n%lld\n%lld\n%lld\n%s",
	    line->previous, (long long)line->number, (long long)line->lanes,
	    (long long)line->rows, line->heads);
	hash_text(&b, ret_digest);
}

bool
anchor_read(struct arena *arena, const char *line,
    struct anchor_line *ret_line)
{
	struct anchor_line	 found;
	const char		*number, *lanes, *rows;

	if (strstr(line, "\"event\":\"audit_heads\"") == NULL ||
	    strlen(line) > LINE_MAX_BYTES)
		return (false);
	number = field(arena, line, "number");
	lanes = field(arena, line, "lanes");
	rows = field(arena, line, "rows");
	found.heads = field(arena, line, "heads");
	found.previous = field(arena, line, "previous");
	found.digest = field(arena, line, "digest");
	if (number == NULL || lanes == NULL || rows == NULL ||
	    found.heads == NULL || found.previous == NULL ||
	    found.digest == NULL)
		return (false);
	if (!str_to_int(number, 1, INT64_MAX, &found.number) ||
	    !str_to_int(lanes, 0, INT64_MAX, &found.lanes) ||
	    !str_to_int(rows, 0, INT64_MAX, &found.rows))
		return (false);
	*ret_line = found;
	return (true);
}

bool
anchor_head(struct arena *arena, const char **at, struct head *ret_head)
{
	const char	*p = *at;
	size_t		 lane, n, hash;
	int64_t		 number;

	while (*p == ' ')
		p++;
	lane = strcspn(p, ": ");
	if (lane != UUID_TEXT - 1 || p[lane] != ':')
		return (false);
	n = strcspn(p + lane + 1, ": ");
	if (p[lane + 1 + n] != ':')
		return (false);
	hash = strcspn(p + lane + n + 2, ": ");
	if (hash != HASH_TEXT - 1 ||
	    !str_to_int(arena_strndup(arena, p + lane + 1, n), 1, INT64_MAX,
	    &number))
		return (false);
	memcpy(ret_head->lane, p, lane);
	ret_head->lane[lane] = '\0';
	ret_head->n = number;
	memcpy(ret_head->hash, p + lane + n + 2, hash);
	ret_head->hash[hash] = '\0';
	*at = p + lane + n + 2 + hash;
	return (uuid_shaped(ret_head->lane));
}

int
head_compare(const void *left, const void *right)
{
	const struct head	*a = left, *b = right;
	int			 lanes = strcmp(a->lane, b->lane);

	if (lanes != 0)
		return (lanes);
	return (a->n < b->n ? -1 : a->n > b->n);
}

static const char *
or_empty(const char *s)
{
	return (s != NULL ? s : "");
}

static void
hash_text(const struct buf *b, char ret[HASH_TEXT])
{
	unsigned char	 hash[SHA256_BYTES];

	sha256(hash, buf_text(b), strlen(buf_text(b)));
	hex_encode(ret, hash, sizeof(hash));
}

static const char *
field(struct arena *arena, const char *line, const char *name)
{
	const char	*start;

	name = arena_fmt(arena, "\"%s\":\"", name);
	start = strstr(line, name);
	if (start == NULL)
		return (NULL);
	start += strlen(name);
	return (arena_strndup(arena, start, strcspn(start, "\"")));
}
