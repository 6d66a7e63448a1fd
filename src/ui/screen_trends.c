/* The page of trends: on a large screen the views of memory, pauses and latencies have
 * their graphs below each other over one time axis, and the CPU below them, with one
 * cursor through all of them; above them stand the details of the view on the screen. */
#include <stdio.h>

#include "ui/figures.h"
#include "ui/graph.h"
#include "ui/screen.h"

#define STRIP_MOST 14
#define STRIPS 4
#define FOOT 2 /* the axis, what the cursor means */

static void draw_axis(const struct graph_axis *a, struct canvas *c, int y)
{
	uint64_t span = a->to_ns - a->from_ns;
	int i, marks = a->width / 24;

	for (i = 0; i < marks; i++)
		canvas_fmt(c, a->x + a->width * i / marks, y, 12, ROLE_DIM, "-%.10s",
			   fig_uptime(span - span * (uint64_t)i / (uint64_t)marks).s);
	canvas_right(c, a->x, y, a->width, ROLE_DIM, "now");
}

/* The cursor's column through all graphs, and what can be done with it. */
static void draw_cursor(const struct screen *s, const struct graph_axis *a,
			struct canvas *c, struct box b, int y)
{
	uint64_t end = s->shown->time_ns, ago;
	int column = graph_axis_column(a, s->sh.cursor_ns), row;

	if (column < 0) {
		canvas_put(c, b.x + 1, y, b.width - 1, ROLE_DIM,
			   "Left, Right: a moment of all of them, and Enter its flame "
			   "graph   [ ]: the span");
		return;
	}
	for (row = b.y; row < b.y + b.height; row++)
		canvas_select(c, a->x + column, row, 1);
	ago = end > s->sh.cursor_ns ? end - s->sh.cursor_ns : 0;
	canvas_fmt(c, b.x + 1, y, b.width - 1, ROLE_STRONG,
		   "cursor at %s, %s ago   (Enter: the flame graph of that moment)",
		   fig_clock(s->shown->wall_ns - ago).s, fig_uptime(ago).s);
}

/* All strips from line y on, or how many lines they take (c NULL). */
static int strips(const struct screen *s, struct canvas *c, struct box b, int most)
{
	int i, y = b.y;

	for (i = 0; i < SCREEN_VIEWS; i++)
		if (screen_views[i] && screen_views[i]->strip)
			y +=
			    screen_views[i]->strip(s->states[i], &s->sh, c,
						   (struct box){ b.x, y, b.width, most });
	y += screen_draw_cpu(&s->sh, c, (struct box){ b.x, y, b.width, most });
	return y - b.y;
}

int screen_draw_trends(const struct screen *s, struct canvas *c, struct box b)
{
	struct graph_axis a = graph_axis_of(s->shown, b.x, b.width);
	int most = (b.height * 2 / 3 - FOOT) / STRIPS, lines;

	most = most < STRIP_MOST ? most : STRIP_MOST;
	lines = strips(s, NULL, b, most);
	b.y += b.height - lines - FOOT;
	strips(s, c, (struct box){ b.x, b.y, b.width, lines }, most);
	draw_axis(&a, c, b.y + lines);
	draw_cursor(s, &a, c, (struct box){ b.x, b.y, b.width, lines }, b.y + lines + 1);
	return b.height - lines - FOOT - 1;
}
