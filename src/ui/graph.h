/* Figures over time as columns, with a scale at the left. */
#ifndef PTOP_UI_GRAPH_H
#define PTOP_UI_GRAPH_H

#include "model/series.h"
#include "model/snapshot.h"
#include "ui/canvas.h"

#define GRAPH_LABEL 8 /* cells of every scale, "  1.40G|" */

/* The time that graphs below each other have in common: the window. Columns begin at x. */
struct graph_axis {
	uint64_t from_ns, to_ns;
	int x, width;
};

/* Of graphs that are `width` wide with their scale and begin at x. */
struct graph_axis graph_axis_of(const struct snapshot *s, int x, int width);
/* The column of a moment; -1 outside. */
int graph_axis_column(const struct graph_axis *a, uint64_t time_ns);

/* One column of `part` (0 to 1) of the height of b, at its cell x. */
void graph_bar(struct canvas *c, struct box b, int x, double part, enum role role);
/* A label of the scale beside row y, and the line that bounds it. */
void graph_label(struct canvas *c, int x, int y, const char *label);

/* Draws bytes `v`; where it is above the height of `inner` (a part of it), it is dim.
 * Nothing is drawn where there is too little room. */
void graph_columns(const struct series_view *v, const struct series_view *inner,
		   struct canvas *c, struct box b);
/* The same with a time axis in the last line. cursor_ns: a moment to be marked on it, or
 * 0. */
void graph_draw(const struct series_view *v, const struct series_view *inner,
		uint64_t cursor_ns, struct canvas *c, struct box b);

#endif
