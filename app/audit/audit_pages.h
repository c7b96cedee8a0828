/*
 * The audit for people: GET /staff/audit for staff, all of it; GET /audit for
 * the owners of a client, what was done to theirs.  Both have filters, pages,
 * and /export below them, which streams everything that the filters find as
 * CSV or as JSON lines, newest first.
 */
#ifndef AUDIT_AUDIT_PAGES_H
#define AUDIT_AUDIT_PAGES_H

#include "audit/audit.h"
#include "web/req.h"

void	audit_page(struct req *);
void	audit_page_staff(struct req *);
void	audit_page_export(struct req *);
void	audit_page_export_staff(struct req *);

/* ---- between the two files ---- */

struct view;
/*
 * Reads the filters of the query, of a member of staff or of an owner; who is
 * neither gets 404.  What is wrong with them is told as errors of the view's
 * form; NULL: 404 for that.
 */
struct audit_filter audit_filter_read(struct req *, struct view *);
/* Who did it, as this reader may know it. */
const char	*audit_actor(const struct req *, const struct audit_entry *);

#endif
