/*
 * QR codes (ISO/IEC 18004), drawn on the server so that a secret in one never
 * leaves for somebody else's picture service.  The only user of libqrencode.
 */
#ifndef ACCOUNTS_QR_H
#define ACCOUNTS_QR_H

#include "base/arena.h"

#define QR_TEXT_MAX	512	/* bytes; one of that size has 89 modules */
#define QR_QUIET	4	/* modules of empty border, as the norm asks */

struct qr {
	int		 size;	/* modules of a side, border included */
	const char	*path;	/* the `d` of an SVG path of the dark ones */
};
/* False when the text is longer than QR_TEXT_MAX or memory is short. */
MUST_CHECK bool	qr_draw(struct arena *, const char *text, struct qr *ret_qr);

#endif
