/* What stands around one function, in a few lines below a list: who calls it, whom it
 * calls, and its hottest lines. Needs pictures with WANT_TREE and WANT_HOT_LINES. */
#ifndef PTOP_UI_AROUND_H
#define PTOP_UI_AROUND_H

#include "ui/view.h"

struct around;

struct around *around_new(void);
void around_free(struct around *a);
/* A new picture is shown. */
void around_forget(struct around *a);
/* Draws it for a function (snapshot_function.function); fills the box. */
void around_draw(struct around *a, const struct shared *sh, uint64_t function,
		 struct canvas *c, struct box b);

#endif
