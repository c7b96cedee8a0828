/*
 * Pages of notices, of the choices of mail, and of the way out of it.
 */
#ifndef NOTICES_NOTICE_PAGES_H
#define NOTICES_NOTICE_PAGES_H

#include "notices/notice.h"
#include "web/req.h"

/* GET /notices, POST /notices/read, POST /notices/:id/open. */
void	notice_page(struct req *);
void	notice_page_read(struct req *);
void	notice_page_open(struct req *);
/* GET and POST /account/notices. */
void	notice_page_choices(struct req *);
void	notice_page_choose(struct req *);
/* GET and POST /unsubscribe/:account/:kind/:token, for everybody who has the
 * link; the POST by mail programs, without cookie. */
void	notice_page_leave_form(struct req *);
void	notice_page_leave(struct req *);

#endif
