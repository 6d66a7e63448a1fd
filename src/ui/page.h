/* Lines to read: what help and messages are made of. Rebuilt for the width at every draw;
 * lines are few. */
#ifndef PTOP_UI_PAGE_H
#define PTOP_UI_PAGE_H

#include "base/vec.h"
#include "ui/canvas.h"

#define PAGE_LINES_MAX 5000

struct page_line {
	enum role role; /* of the text; a label is strong */
	char *label, *text;
};

/* Zeroed is empty. */
struct page {
	VEC(struct page_line) lines;
	int indent; /* where text starts */
};

/* Adds a label and text, the text wrapped to `width` cells. Either may be "". */
void page_add(struct page *p, const struct canvas *c, int width, enum role role,
	      const char *label, const char *text);
/* Draws line i, if there is one, at x, y. */
void page_draw(const struct page *p, int i, struct canvas *c, int x, int y, int width);
void page_done(struct page *p);

#endif
