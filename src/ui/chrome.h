/* What surrounds a view: the header above it; the message line and the key bar below. */
#ifndef PTOP_UI_CHROME_H
#define PTOP_UI_CHROME_H

#include "ui/view.h"

/* Lines the header takes on a screen of this size: 4, 2 or 1. */
int header_lines(int width, int height);
/* `view` names it where there is no room for the strip of tabs; "" the usual one. */
void header_draw(const struct shared *sh, struct canvas *c, int lines, const char *view);
/* What the figures are of and how the view stands ("1-18 of 412"): right of the tabs. */
void header_state(const struct shared *sh, struct canvas *c, struct box row,
		  const char *status);
/* The whole picture on a screen too small for anything else: "ptop 4242 CPU 187%". */
void header_one_line(const struct shared *sh, struct canvas *c);

/* What the user ought to know now, in falling order of importance, or "". */
const char *hint_text(const struct shared *sh, char *buf, size_t size, bool *warning);

#define BAR_BUTTONS_MAX 24

/* Where the buttons of the bar were drawn, for the mouse. */
struct bar {
	struct {
		int x, width;
		int key;
	} buttons[BAR_BUTTONS_MAX];
	int n;
};

/* back: Esc leads back to another view. */
void bar_draw(struct bar *bar, enum key_place place, bool back, struct canvas *c, int y);
/* The key of the button at x, or K_NONE. */
int bar_hit(const struct bar *bar, int x);

#endif
