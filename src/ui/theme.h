/* How a role looks in a scheme on a terminal of so many colours. What a colour says is
 * always said by a character too, so a scheme is a matter of taste and of eyes. */
#ifndef PTOP_UI_THEME_H
#define PTOP_UI_THEME_H

#include <stdbool.h>

#include "ui/canvas.h"
#include "ui/ui.h"

struct style {
	short fg, bg; /* colours of the terminal, or -1: its own */
	bool bold, dim, reverse;
};

/* colors: what the terminal has, below 8 is none. */
struct style theme_style(enum role role, bool selected, enum ui_scheme scheme,
			 int colors);
/* "default", "light" ...; NULL when there is no such number. */
const char *theme_name(enum ui_scheme scheme);

#endif
