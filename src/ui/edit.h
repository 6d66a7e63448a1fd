/* One line of typed text: the filter, the delay, the path of a file to save. */
#ifndef PTOP_UI_EDIT_H
#define PTOP_UI_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/canvas.h"

#define EDIT_MAX 900 /* bytes; "FORMAT PATH" must fit a command's text */

struct edit {
	char text[EDIT_MAX + 1]; /* valid UTF-8, always terminated */
	size_t n, at;		 /* bytes; the cursor stands before byte `at` */
};

void edit_set(struct edit *e, const char *s);
/* True when the key belongs to the line: characters, cursor keys, ^A ^E ^U ^W. */
bool edit_key(struct edit *e, int key);
/* Bytes of a paste at the cursor: cleaned, and as much as fits. */
void edit_paste(struct edit *e, const char *s, size_t n);
/* Draws so that the cursor is in sight, and puts the terminal's cursor there. */
void edit_draw(const struct edit *e, struct canvas *c, int x, int y, int width);

#endif
