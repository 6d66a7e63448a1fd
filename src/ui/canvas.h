/* A grid of character cells that views draw on. It knows what a cell means (its role),
 * not how a terminal shows it, so a whole screen can be tested as text. Owner: the loop;
 * one, reused. */
#ifndef PTOP_UI_CANVAS_H
#define PTOP_UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* A terminal that claims to be larger is drawn on only so far. */
#define CANVAS_WIDTH_MAX 1000
#define CANVAS_HEIGHT_MAX 500

/* What a cell says. theme.c decides how that looks. */
enum role {
	ROLE_TEXT,
	ROLE_DIM,
	ROLE_STRONG,
	ROLE_HEADING, /* column titles */
	ROLE_SORTED,  /* the column title sorted by */
	ROLE_HOT,     /* over 60 % */
	ROLE_WARM,    /* over 20 % */
	ROLE_COOL,    /* over 5 % */
	ROLE_APP,
	ROLE_LIBRARY,
	ROLE_KERNEL,
	ROLE_MARK, /* words of ours among the functions */
	ROLE_WARN,
	ROLE_OK,
	ROLE_TAG,    /* [PAUSED] */
	ROLE_BUTTON, /* labels of the key bar */
	/* Frames of the flame graph. */
	ROLE_FLAME_ROOT,
	ROLE_FLAME_APP,
	ROLE_FLAME_LIBRARY,
	ROLE_FLAME_KERNEL,
	ROLE_FLAME_SAME,
	ROLE_FLAME_MORE, /* than in the baseline */
	ROLE_FLAME_LESS,
	ROLES
};

struct cell {
	uint32_t ch; /* code point; 0 is the right half of a wide one */
	uint8_t role;
	bool selected;
};

struct canvas {
	int width, height;
	bool ascii; /* anything else becomes '?' */
	bool plain; /* it will be read as text: no little graphs */
	/* Where the terminal's cursor rests, so that screen readers find the row; shown
	 * as a cursor only while text is typed. */
	int cursor_x, cursor_y;
	bool cursor_shown;
	struct cell *cells; /* width * height */
};

struct box {
	int x, y, width, height;
};

/* A zeroed struct canvas is a valid one of no cells. Sizes are clamped to 1..MAX; the
 * content is blank afterwards. */
void canvas_resize(struct canvas *c, int width, int height);
void canvas_done(struct canvas *c);
void canvas_clear(struct canvas *c);

/* Draws at most `width` cells of s; what is outside is clipped, control characters become
 * '?', marks of no width are left out. Returns the cells used. */
int canvas_put(struct canvas *c, int x, int y, int width, enum role role, const char *s);
int canvas_fmt(struct canvas *c, int x, int y, int width, enum role role, const char *fmt,
	       ...) __attribute__((format(printf, 6, 7)));
/* The same at the right end of the field; a text longer than that loses its end. */
void canvas_right(struct canvas *c, int x, int y, int width, enum role role,
		  const char *s);
/* Leaves out the first `skip` cells of s; ends in ".." when more does not fit. */
int canvas_cut(struct canvas *c, int x, int y, int width, enum role role, const char *s,
	       int skip);
void canvas_fill(struct canvas *c, int x, int y, int width, enum role role, uint32_t ch);
/* Marks cells of one row as selected. */
void canvas_select(struct canvas *c, int x, int y, int width);

/* Cells that s takes, counted up to `limit` and then given up. */
int canvas_cells(const struct canvas *c, const char *s, int limit);
/* Bytes of s that fit in `width` cells. */
size_t canvas_fit(const struct canvas *c, const char *s, int width);
/* Row y as UTF-8 without trailing blanks. */
void canvas_line(const struct canvas *c, int y, struct text *out);

#endif
