/* The screen as lines of text that follow each other: for terminals that cannot move their
 * cursor, and for readers of screens, whom a picture that is painted over confuses. */
#ifndef PTOP_UI_PLAIN_H
#define PTOP_UI_PLAIN_H

#include "base/text.h"
#include "ui/canvas.h"

#define PLAIN_READER_WIDTH 80
#define PLAIN_READER_HEIGHT 13 /* header, titles, five rows, message, keys */

/* Zeroed: nothing was printed. */
struct plain {
	bool reader; /* only lines that changed, no header, no key bar */
	bool answer; /* a key was pressed: the answer does not wait */
	struct text printed;
	uint64_t printed_ns;
	int prints;
};

/* Each key at once, without curses; the caller puts the modes back. */
void plain_modes(void);
/* The next key, or K_NONE. */
int plain_key(void);
/* Prints to standard output; false when it is too early for another picture. */
bool plain_show(struct plain *p, const struct canvas *c);
/* The next picture is printed whole. */
void plain_forget(struct plain *p);
void plain_done(struct plain *p);

#endif
