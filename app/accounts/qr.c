/*
 * A QR code as one SVG path: each run of dark modules of a row is a rectangle.
 */
#include "accounts/qr.h"

#include <qrencode.h>

#include "base/str.h"

/* 89 × 45 runs at the most, 20 bytes each. */
#define PATH_MAX_BYTES	(96u * 1024)

bool
qr_draw(struct arena *a, const char *text, struct qr *ret_qr)
{
	const unsigned char	*row;
	struct buf		 b;
	QRcode			*code;
	int			 x, y, run;

	if (strlen(text) > QR_TEXT_MAX)
		return (false);
	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (code == NULL)
		return (false);
	buf_init(&b, a, PATH_MAX_BYTES);
	for (y = 0; y < code->width; y++) {
		row = code->data + y * code->width;
		for (x = 0; x < code->width; x += run > 0 ? run : 1) {
			for (run = 0;
			     x + run < code->width && (row[x + run] & 1) != 0;
			     run++)
				continue;
			if (run > 0)
				buf_fmt(&b, "M%d %dh%dv1h-%dz", x + QR_QUIET,
				    y + QR_QUIET, run, run);
		}
	}
	ret_qr->size = code->width + 2 * QR_QUIET;
	QRcode_free(code);
	ret_qr->path = buf_text(&b);
	return (!b.full);
}
