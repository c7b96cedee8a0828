/*
 * latchkeyctl, the operators' tool: one file a group of commands, with its SQL
 * in the _db.c beside it.  A command gets its words without its own name and
 * returns the exit status; what it refuses it says in one line.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "db/db.h"

enum ctl_exit { CTL_DONE = 0, CTL_REFUSED = 1, CTL_USAGE = 2 };

struct remote;

struct ctl {
	struct arena	*arena;
	struct db	*db;		/* NULL with --url */
	struct remote	*remote;	/* with --url: see ctl/remote.h */
	int		 argc;		/* words behind the command's name */
	char		**argv;
};

/* Commands, in the order of the help. */
enum ctl_exit	ctl_init(struct ctl *);
enum ctl_exit	ctl_demo(struct ctl *);
enum ctl_exit	ctl_staff_add(struct ctl *);
enum ctl_exit	ctl_staff_first(struct ctl *);
enum ctl_exit	ctl_staff_reset_2fa(struct ctl *);
enum ctl_exit	ctl_session_end(struct ctl *);
enum ctl_exit	ctl_tenant_list(struct ctl *);
enum ctl_exit	ctl_tenant_import(struct ctl *);
enum ctl_exit	ctl_subscription_list(struct ctl *);
enum ctl_exit	ctl_subscription_import(struct ctl *);
enum ctl_exit	ctl_key_find(struct ctl *);
enum ctl_exit	ctl_key_revoke(struct ctl *);
enum ctl_exit	ctl_master_rotate(struct ctl *);
enum ctl_exit	ctl_master_retire(struct ctl *);
enum ctl_exit	ctl_data_rotate(struct ctl *);
enum ctl_exit	ctl_data_retire(struct ctl *);
enum ctl_exit	ctl_signing_rotate(struct ctl *);
enum ctl_exit	ctl_audit_verify(struct ctl *);
enum ctl_exit	ctl_doctor(struct ctl *);

/* One line on standard error; return CTL_REFUSED and CTL_USAGE. */
enum ctl_exit	ctl_refuse(const char *fmt, ...) FORMAT(1, 2);
enum ctl_exit	ctl_usage(const char *fmt, ...) FORMAT(1, 2);

/*
 * Takes "--name VALUE" or "--name=VALUE" out of the words; NULL when it is not
 * there.  ctl_flag takes a lone "--name".  What is left and begins with "--"
 * is unknown: ctl_words checks that, and how many words there are.
 */
const char	*ctl_option(struct ctl *, const char *name);
bool		 ctl_flag(struct ctl *, const char *name);
MUST_CHECK bool	 ctl_words(struct ctl *, int wanted);

/* Reads the master key file and opens the keys; false when it has refused. */
MUST_CHECK bool	 ctl_open_vault(struct ctl *);

/* A whole file, up to 32 MiB; false when it has refused. */
MUST_CHECK bool	 ctl_read_file(struct ctl *, const char *name,
		    char **ret_text, size_t *ret_bytes);

/* A list, as a table for people or as a JSON array of objects. */
enum ctl_column_kind { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_LIST /* ; parted */ };
struct ctl_column {
	const char		*key, *title;
	enum ctl_column_kind	 kind;
};
struct ctl_table {
	int		 n, columns;
	const char	**cells;	/* row by row; NULL is null */
};
/* The first table->columns of these columns. */
void		 ctl_list(struct ctl *, bool json, const struct ctl_column *,
		    const struct ctl_table *);

#endif
