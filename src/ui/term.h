/* The terminal. term.c alone includes curses.h (it defines echo, erase, move, timeout ...
 * as names), so nothing of curses shows here. */
#ifndef PTOP_UI_TERM_H
#define PTOP_UI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ui/canvas.h"
#include "ui/ui.h"

struct terminal;

enum term_event_kind {
	TERM_NOTHING,
	TERM_KEY,
	TERM_CLICK,
	TERM_WHEEL_UP,
	TERM_WHEEL_DOWN,
	TERM_PASTE
};

struct term_event {
	enum term_event_kind kind;
	int key; /* enum key or a code point */
	int x, y;
	/* TERM_PASTE: raw bytes, the beginning of a long text; valid until the next event. */
	const char *text;
	size_t n;
};

/* Takes over standard input and output. -errno with err when they are no terminal. An
 * unknown TERM is treated as an xterm; *note then says so, else it is "". From before the
 * first change on a crash gives it back (ui/signals.h); ends with signals_unguard(). */
int term_open(struct terminal **out, const struct ui_options *options, char *note,
	      size_t size, struct error *err);
/* Gives the terminal back as it was. */
void term_close(struct terminal *t);
/* The same for a while, and back again with everything redrawn. */
void term_leave(struct terminal *t);
void term_enter(struct terminal *t);

/* Asks the terminal its size anew; everything is redrawn if it changed. */
void term_measure(struct terminal *t, int *width, int *height);
void term_redraw(struct terminal *t);
/* Sends the differences to what is on the screen; nothing when there are none. False when
 * it is to be tried again later (plain text is not printed every second). */
bool term_show(struct terminal *t, const struct canvas *c);
/* The next event that is there, without waiting; false when there is none. */
bool term_event(struct terminal *t, struct term_event *e);

/* From the next picture on. */
void term_scheme(struct terminal *t, enum ui_scheme scheme);
/* At once: the terminal reports clicks, or selects text itself. */
void term_mouse(struct terminal *t, bool used);
/* Its locale writes UTF-8. */
bool term_utf8(const struct terminal *t);
int term_colors(const struct terminal *t);

#endif
