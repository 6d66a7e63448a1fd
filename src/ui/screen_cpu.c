/* The CPU of the target on the page of trends, on a scale whose 100 % is one core. A column
 * is the mean of its time: what was used, not the peak of a moment. */
#include <stdio.h>

#include "ui/figures.h"
#include "ui/graph.h"
#include "ui/screen.h"

/* The least round figure that no column exceeds. */
static double scale(const struct series_view *v)
{
	static const double steps[] = { 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 };
	double most = 0, ten = 1;
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->cells[i].n && (double)v->cells[i].max > most)
			most = (double)v->cells[i].max;
	while (ten * 10 < most && ten < 1e9)
		ten *= 10;
	for (i = 0; steps[i] * ten < most && i < sizeof(steps) / sizeof(*steps) - 1; i++)
		;
	return steps[i] * ten;
}

static double mean(const struct series_cell *cell)
{
	return cell->n ? cell->sum / cell->n : 0;
}

static void draw_scale(double top, struct canvas *c, struct box b)
{
	char label[16];
	int i;

	for (i = 0; i < b.height; i++) {
		snprintf(label, sizeof(label), "%.3g%%", top * (b.height - i) / b.height);
		graph_label(c, b.x, b.y + i, i % 2 ? "" : label);
	}
}

int screen_draw_cpu(const struct shared *sh, struct canvas *c, struct box b)
{
	const struct series_view *v = &sh->shown->cpu;
	struct graph_axis a = graph_axis_of(sh->shown, b.x, b.width);
	struct box bars = { b.x, b.y + 1, b.width, b.height - 1 };
	int column = graph_axis_column(&a, sh->cursor_ns), i, x;
	struct series_cell cell;
	double top;

	if (v->n == 0 || a.width < 1)
		return 0;
	if (!c)
		return b.height;
	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	x = b.x + 1;
	x += canvas_fmt(c, x, b.y, b.width - 1, ROLE_HEADING,
			"CPU  %s now   height: per cent of one core  ",
			fig_share(sh->shown->target_cpu_pct).s);
	top = scale(v);
	draw_scale(top, c, bars);
	for (i = 0; i < a.width; i++) {
		cell = series_view_cell(v, (size_t)i, (size_t)a.width);
		graph_bar(c, bars, a.x + i, mean(&cell) / top, ROLE_OK);
	}
	if (column < 0)
		return b.height;
	cell = series_view_cell(v, (size_t)column, (size_t)a.width);
	if (cell.n)
		canvas_fmt(c, x, b.y, b.x + b.width - x, ROLE_SORTED,
			   "at the cursor: %.0f%%", mean(&cell));
	return b.height;
}
