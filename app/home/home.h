/*
 * The pages that explain: home, how it works, terms.
 */
#ifndef HOME_HOME_H
#define HOME_HOME_H

#include "base/base.h"

struct req;

WAITS void	home_page(struct req *);	/* GET / */
void		home_page_how(struct req *);	/* GET /how-it-works */
void		home_page_terms(struct req *);	/* GET /terms */

#endif
