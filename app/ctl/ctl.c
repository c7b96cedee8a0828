/*
 * latchkeyctl: the table of commands, and what they share with nobody else:
 * settings, the database or the portal behind --url, the help.
 */
#include "ctl/ctl.h"
#include "ctl/remote.h"

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "crypto/secret.h"
#include "crypto/token.h"

/* An import of 200,000 clients with two mail domains each took 450 MB
 * of memory, a part of it libpq's. */
#define MEMORY_MAX	(1024u * 1024 * 1024)

static const struct command {
	const char	*group, *name;		/* group NULL: one word */
	enum ctl_exit	(*run)(struct ctl *);
	const char	*args, *does;
	bool		 far;		/* works through --url */
} commands[] = {
	{ NULL, "init", ctl_init, "",
	    "make the master key file and the keys in the database, where "
	    "missing", false },
	{ NULL, "demo", ctl_demo, "",
	    "fill an empty catalogue with the demo product", false },
	{ "staff", "add", ctl_staff_add,
	    "EMAIL --name NAME --role staff|admin",
	    "add a member of staff: with the password from standard input, "
	    "else a one-time link is printed", false },
	{ "staff", "link-first-admin", ctl_staff_first, "[--email EMAIL]",
	    "print a one-time link while there is no admin", false },
	{ "staff", "reset-2fa", ctl_staff_reset_2fa, "EMAIL",
	    "take the second factor off the account of somebody who lost it",
	    false },
	{ "session", "end", ctl_session_end, "--all",
	    "sign everybody out", false },
	{ "tenant", "list", ctl_tenant_list, "[--json]", "list clients",
	    true },
	{ "tenant", "import", ctl_tenant_import, "[--dry-run] FILE.csv",
	    "add clients from code,name,email_domains", false },
	{ "subscription", "list", ctl_subscription_list, "[--json]",
	    "list subscriptions", true },
	{ "subscription", "import", ctl_subscription_import,
	    "[--dry-run] FILE.csv",
	    "take over subscriptions with their keys, from "
	    "tenant,product,name,state,primary,secondary", false },
	{ "key", "find", ctl_key_find,
	    "--stdin | --first8 CHARACTERS | --last4 CHARACTERS [--json]",
	    "list whose a key is; the whole key is read from standard input",
	    true },
	{ "key", "revoke", ctl_key_revoke,
	    "ID [--overlap SECONDS] [--reason TEXT]",
	    "replace a current value by a new one, end an old one; the client "
	    "is told", true },
	{ "master-key", "rotate", ctl_master_rotate, "[--wait SECONDS]",
	    "make a new master key and seal the keys in the database under "
	    "it", false },
	{ "master-key", "retire", ctl_master_retire, "[--wait SECONDS]",
	    "take older master keys out of the file", false },
	{ "data-key", "rotate", ctl_data_rotate, "[--wait SECONDS]",
	    "make a new data key and seal every row under it; run it again "
	    "when it was interrupted", false },
	{ "data-key", "retire", ctl_data_retire, "",
	    "take older data keys away", false },
	{ "signing-key", "rotate", ctl_signing_rotate,
	    "[--publish SECONDS | --now]",
	    "make a new key that signs tokens, published first; with --now "
	    "every token that was signed before ends", false },
	{ "audit", "verify", ctl_audit_verify, "[--anchors FILE]",
	    "check that no audit row was changed, moved or taken out; FILE is "
	    "a courier's log", false },
	{ NULL, "doctor", ctl_doctor, "[--json]",
	    "check database, schema, keys and mail", false },
};

static const struct command *find(int, char **, int *);
static enum ctl_exit no_command(const struct ctl *);
static void	 help(FILE *);
static void	 fail(void *, enum db_failure, const char *)
		    __attribute__((noreturn));

int
main(int argc, char **argv)
{
	const struct command	*command;
	const char		*why;
	struct ctl		 ctl = { .argc = argc - 1, .argv = argv + 1 };
	enum ctl_exit		 status;
	int			 i, words;

	for (i = 1; i < argc; i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h")) {
			help(stdout);
			return (CTL_DONE);
		}
	if (argc < 2) {
		help(stderr);
		return (CTL_USAGE);
	}
	secret_guard_process();
	crypto_init();
	ctl.arena = arena_new(MEMORY_MAX, NULL, NULL);
	status = remote_open(&ctl);
	if (status != CTL_DONE)
		return (status);
	command = find(ctl.argc, ctl.argv, &words);
	if (command == NULL)
		return (no_command(&ctl));
	if (ctl.remote != NULL && !command->far) {
		(void)ctl_refuse("this command needs the machine itself: run "
		    "it there without --url");
		return (CTL_USAGE);
	}
	ctl.argc -= words;
	ctl.argv += words;
	if (ctl.remote == NULL) {
		setting_load(SETTING_TOOL);
		/* Log lines are for the other programs; the tool speaks for
		 * itself. */
		log_setup("latchkeyctl", LOG_LEVEL_ERROR);
		ctl.db = db_open(setting->database_url, "latchkeyctl",
		    ctl.arena, fail, NULL, &why);
		if (ctl.db == NULL)
			return (ctl_refuse("the database can't be reached: "
			    "%s", why));
	}
	status = command->run(&ctl);
	if (ctl.db != NULL)
		db_close(ctl.db);
	remote_close(&ctl);
	arena_free(ctl.arena);
	if (fflush(stdout) == EOF || ferror(stdout))
		return (ctl_refuse("standard output can't be written"));
	return (status);
}

/* Says the words that would be its name: none that may be an option's value,
 * which could be secret. */
static enum ctl_exit
no_command(const struct ctl *ctl)
{
	const char	*one = ctl->argc > 0 ? ctl->argv[0] : "";
	const char	*two = ctl->argc > 1 ? ctl->argv[1] : "";

	if (str_starts(one, "-"))
		return (ctl_usage("%.*s is unknown here, or lacks its value",
		    (int)strcspn(one, "="), one));
	return (ctl_usage("no command \"%s%s%.*s\"", one,
	    *two != '\0' ? " " : "", (int)strcspn(two, "="), two));
}

static const struct command *
find(int argc, char **argv, int *ret_words)
{
	const struct command	*c;
	size_t			 i;

	for (i = 0; i < COUNT(commands); i++) {
		c = &commands[i];
		*ret_words = c->group == NULL ? 1 : 2;
		if (argc < *ret_words)
			continue;
		if (c->group != NULL ? str_eq(argv[0], c->group) &&
		    str_eq(argv[1], c->name) : str_eq(argv[0], c->name))
			return (c);
	}
	return (NULL);
}

static void
help(FILE *to)
{
	const struct command	*c;
	size_t			 i;

	fprintf(to, "usage: latchkeyctl [--url URL --token-file FILE] "
	    "COMMAND ...\n\n");
	for (i = 0; i < COUNT(commands); i++) {
		c = &commands[i];
		fprintf(to, "%c %s%s%s%s%s\n\t%s\n", c->far ? '*' : ' ',
		    c->group != NULL ? c->group : "",
		    c->group != NULL ? " " : "", c->name,
		    c->args[0] != '\0' ? " " : "", c->args, c->does);
	}
	fprintf(to, "\nSettings come from the environment, as the portal's: "
	    "see latchkey.env.\n\n"
	    "Commands with * also work from another machine, without any of "
	    "them, through\nthe API of the portal at URL "
	    "(https://portal.example), with an access token of a\nmember of "
	    "staff:\n"
	    "  --token-file FILE  the token is in this file; else in "
	    "LATCHKEY_TOKEN\n"
	    "  --token TOKEN      the same; lists of processes show "
	    "arguments, until the\n                     tool has wiped it\n"
	    "  --ca-file FILE     certificates that vouch for the portal, in "
	    "place of the\n                     system's\n\n"
	    "Exit status: 0 done, 1 refused, 2 usage.\n");
}

static void
fail(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	switch (failure) {
	case DB_FAIL_UNKNOWN:
		(void)ctl_refuse("the connection to the database was lost, so "
		    "it is not known whether it was done: %s", why);
		break;
	case DB_FAIL_BUSY:
		(void)ctl_refuse("the database is busy, nothing was done: %s",
		    why);
		break;
	case DB_FAIL_DOWN:
	case DB_FAIL_BUG:
		(void)ctl_refuse("the database: %s", why);
		break;
	}
	exit(CTL_REFUSED);
}
