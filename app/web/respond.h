/*
 * Answers.  One call ends the work of a handler; it returns afterwards.
 * Header values are checked: CR, LF and NUL are a bug and abort the request
 * with 500.  Every answer gets the security headers of web/respond.c; pages of
 * a signed-in person and all errors get Cache-Control: no-store.
 */
#ifndef WEB_RESPOND_H
#define WEB_RESPOND_H

#include "web/req.h"

/*
 * Renders templates/NAME.html with the view, to which the frame's values are
 * added (site, person, csrf, notices).  status 200 unless it says why.
 */
void	respond_page(struct req *, int status, const char *template,
	    struct view *);
/* 303 See Other to a path of our own ("/profile"). */
void	respond_see_other(struct req *, const char *path);
/* text/plain */
void	respond_text(struct req *, int status, const char *text);
/* application/json */
void	respond_json(struct req *, int status, const char *json);
/* An extra header of the answer; call it before the answer. */
void	respond_header(struct req *, const char *name, const char *value);
/*
 * A cookie that scripts can't read: Path=/; HttpOnly; SameSite=Lax, and Secure
 * where PUBLIC_URL is https.  max_age_s 0 ends it; -1 lasts as long as the
 * browser runs.
 */
void	respond_cookie(struct req *, const char *name, const char *value,
	    int64_t max_age_s);

/*
 * Form errors: the page shows a summary linked to the fields.  form_error adds
 * "errors" (list of {field, text}) and "<field>_error" to the view.
 */
void	form_error(struct view *, const char *field, const char *text);
bool	form_has_errors(const struct view *);

/* Hidden field values for a form: {{csrf}} is set by respond_page. */
const char *respond_csrf(struct req *);

#endif
