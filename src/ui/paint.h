/* What to send so that a terminal shows a canvas: the difference to what it shows now, in
 * as few bytes as a slow line deserves. Knows cells and text, no terminal: how a cursor is
 * moved and a look is set is told by who owns one (term.c; a test's own). */
#ifndef PTOP_UI_PAINT_H
#define PTOP_UI_PAINT_H

#include "base/text.h"
#include "ui/canvas.h"

struct paint_at {
	int x, y; /* -1: not known */
};

struct paint_terminal {
	void *arg;
	void (*move)(void *arg, struct text *out, struct paint_at from, int x, int y);
	/* Looks that show the same have the same number; 0 is the terminal's own. */
	unsigned (*look)(void *arg, enum role role, bool selected);
	void (*set_look)(void *arg, struct text *out, unsigned look);
	bool (*has_ground)(void *arg, unsigned look); /* a blank of it is seen */
	const char *clear;			      /* all, with the cursor home */
	const char *clear_line;			      /* from the cursor on, or NULL */
};

/* Owner: the terminal. Zeroed: nothing is known of the screen. */
struct paint {
	struct paint_cell {
		uint32_t ch;
		uint32_t look;
	} * shown, *next; /* width * height */
	int width, height;
	bool known;
	struct paint_at cursor;
};

/* Appends to out; nothing when there is no difference. */
void paint(struct paint *p, const struct paint_terminal *t, const struct canvas *c,
	   struct text *out);
/* The screen is not as it was left: the next picture is sent whole. */
void paint_forget(struct paint *p);
void paint_done(struct paint *p);

#endif
