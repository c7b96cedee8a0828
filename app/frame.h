/*
 * The frame's values: who is signed in and where we are.
 */
#ifndef FRAME_H
#define FRAME_H

#include "web/req.h"

/* Sets what templates/partials/frame.html documents. */
void	frame_view(struct req *, struct view *);

#endif
