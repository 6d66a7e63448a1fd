/* The little graphs of the function list, held still: ten cells that may only move when a
 * tenth of the window has passed. Everything else would flicker and cost more bytes than
 * all figures. */
#ifndef PTOP_UI_TRENDS_H
#define PTOP_UI_TRENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"
#include "ui/canvas.h"

#define TREND_SLOTS \
	2048 /* a power of two, several times the rows of the tallest screen */

struct trends {
	uint64_t since_ns, window_ns;
	uint32_t used;
	struct {
		uint64_t key;
		bool taken;
		uint8_t cells[TREND_CELLS];
	} slots[TREND_SLOTS];
};

/* A new snapshot: forgets the cells when their time is over. */
void trends_update(struct trends *t, const struct snapshot *s);
/* Draws cells. */
void trend_put(const uint8_t cells[TREND_CELLS], struct canvas *c, int x, int y,
	       int width);
/* Draws the cells of a function, as they were when first asked for in this period. */
void trends_draw(struct trends *t, uint64_t key, const uint8_t cells[TREND_CELLS],
		 struct canvas *c, int x, int y, int width);

#endif
