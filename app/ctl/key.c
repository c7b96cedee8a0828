/*
 * latchkeyctl key: whose key is it, and away with it.
 */
#include "ctl/ctl.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/str.h"
#include "ctl/remote.h"
#include "keys/find.h"
#include "keys/issued.h"
#include "keys/rotate.h"
#include "vault/vault.h"

#define INPUT_MAX	128	/* bytes: a key and what a terminal adds */

static MUST_CHECK bool	 read_key(struct ctl *, const char **);
static void	 print_table(struct ctl *, const struct found_keys *);
static void	 print_json(struct ctl *, const struct found_keys *);

enum ctl_exit
ctl_key_find(struct ctl *ctl)
{
	const char		*first8 = ctl_option(ctl, "--first8");
	const char		*last4 = ctl_option(ctl, "--last4");
	const char		*text;
	bool			 json = ctl_flag(ctl, "--json");
	bool			 whole = ctl_flag(ctl, "--stdin");
	enum find_by		 by, typed = FIND_LAST4;
	struct found_keys	 found;

	if (!ctl_words(ctl, 0))
		return (CTL_USAGE);
	if (whole + (first8 != NULL) + (last4 != NULL) != 1)
		return (ctl_usage("one of --stdin, --first8 and --last4 must "
		    "be there"));
	by = whole ? FIND_WHOLE : first8 != NULL ? FIND_FIRST8 : FIND_LAST4;
	text = first8 != NULL ? first8 : last4;
	if (whole && !read_key(ctl, &text))
		return (CTL_REFUSED);
	if (by == FIND_LAST4)
		text = str_lower(ctl->arena, text);
	else
		text = find_typed(ctl->arena, text, &typed);
	if (text == NULL || (by != FIND_LAST4 && typed != by) ||
	    (by == FIND_LAST4 && !find_shaped(by, text)))
		return (ctl_refuse("that is not %s of 0-9 and a-f",
		    by == FIND_WHOLE ? "32" : by == FIND_FIRST8 ? "8" : "4"));
	if (ctl->remote != NULL) {
		if (!remote_key_find(ctl, by, text, &found))
			return (CTL_REFUSED);
	} else {
		if (!ctl_open_vault(ctl))
			return (CTL_REFUSED);
		found = find_db(ctl->db, vault, by, text);
	}
	if (json)
		print_json(ctl, &found);
	else
		print_table(ctl, &found);
	return (CTL_DONE);
}

enum ctl_exit
ctl_key_revoke(struct ctl *ctl)
{
	const char	*overlap = ctl_option(ctl, "--overlap");
	const char	*reason = ctl_option(ctl, "--reason"), *wrong;
	int64_t		 overlap_s = 0;

	if (!ctl_words(ctl, 1))
		return (CTL_USAGE);
	if (!uuid_shaped(ctl->argv[0]))
		return (ctl_usage("%s is no id, as key find shows them",
		    ctl->argv[0]));
	if (reason == NULL)
		reason = "Revoked by our operators.";
	if (str_blank(reason) || !str_utf8(reason, strlen(reason)) ||
	    str_chars(reason) > SUBSCRIPTION_REASON_MAX)
		return (ctl_usage("the reason must have 1 to 1000 "
		    "characters"));
	wrong = overlap == NULL ? NULL : rotate_overlap_wrong(overlap, "",
	    clock_now(), &overlap_s);
	if (wrong != NULL)
		return (ctl_usage("--overlap is a number of seconds, up to "
		    "%d", KEY_OVERLAP_MAX_S));
	if (ctl->remote != NULL) {
		if (!remote_key_revoke(ctl, ctl->argv[0], overlap_s, reason))
			return (CTL_REFUSED);
	} else {
		if (!ctl_open_vault(ctl))
			return (CTL_REFUSED);
		if (rotate_db_revoke(ctl->db, vault, NULL, ctl->argv[0],
		    overlap_s, reason) != ROTATE_DONE &&
		    issued_db_revoke(ctl->db, NULL, ctl->argv[0], reason) !=
		    ISSUED_DONE)
			return (ctl_refuse("there is no such value that "
			    "works: see key find"));
	}
	printf("revoked; the client and the staff are told\n");
	return (CTL_DONE);
}

/* One line of standard input. */
static bool
read_key(struct ctl *ctl, const char **ret_text)
{
	char	*line = arena_alloc(ctl->arena, INPUT_MAX + 1);
	size_t	 n = fread(line, 1, INPUT_MAX, stdin);

	if (n == INPUT_MAX || memchr(line, '\0', n) != NULL) {
		(void)ctl_refuse("standard input holds more than a key");
		return (false);
	}
	line[n] = '\0';
	*ret_text = str_squeeze(ctl->arena, line);
	return (true);
}

static void
print_table(struct ctl *ctl, const struct found_keys *found)
{
	const struct found_key	*key;
	int			 i;

	if (found->n == 0)
		printf("no key of ours\n");
	for (i = 0; i < found->n; i++) {
		key = &found->list[i];
		printf("%s  %s  %s  %s  %s (%s)  made %s\n", find_id(key),
		    key->code, key->subscription, *key->issued_id == '\0' ?
		    key->slot : key->name, key->state,
		    key->subscription_state, clock_iso(ctl->arena,
		    key->made_at));
	}
}

static void
print_json(struct ctl *ctl, const struct found_keys *found)
{
	const struct found_key	*key;
	struct buf		 out;
	int			 i;

	buf_init(&out, ctl->arena, 64u * 1024 * 1024);
	buf_str(&out, "[");
	for (i = 0; i < found->n; i++) {
		key = &found->list[i];
		buf_str(&out, i == 0 ? "\n" : ",\n");
		buf_fmt(&out, "{\"id\": \"%s\", \"tenant\": \"%s\", "
		    "\"subscription\": \"", find_id(key), key->code);
		buf_json(&out, key->subscription);
		buf_fmt(&out, "\", \"subscription_id\": \"%s\", "
		    "\"subscription_state\": \"%s\", \"slot\": \"%s\", "
		    "\"state\": \"%s\", \"last4\": \"%s\", "
		    "\"made_at\": \"%s\"}", key->subscription_id,
		    key->subscription_state, key->slot, key->state, key->last4,
		    clock_iso(ctl->arena, key->made_at));
	}
	buf_str(&out, found->n > 0 ? "\n]\n" : "]\n");
	fputs(buf_text(&out), stdout);
}
