/* Columns of eighths of a block, or a ramp of ASCII characters; as a cell stands for many
 * values, its column is as high as the greatest. */
#include "ui/graph.h"

#include "ui/figures.h"

struct scale {
	double low, high;
};

static struct scale scale_of(const struct series_view *v)
{
	struct scale s = { 0, 0 };
	size_t i;

	for (i = 0; i < v->n; i++) {
		if (!v->cells[i].n)
			continue;
		if (s.high == 0 || (double)v->cells[i].min < s.low)
			s.low = (double)v->cells[i].min;
		if ((double)v->cells[i].max > s.high)
			s.high = (double)v->cells[i].max;
	}
	/* From nought where that leaves the changes to be seen. */
	if (s.low < 0.7 * s.high)
		s.low = 0;
	else
		s.low -= (s.high - s.low) * 0.25 + s.high * 0.01;
	return s;
}

/* Eighths of a cell that `value` fills of the row whose bottom is `row` rows up. */
static int eighths(const struct scale *s, double value, int row, int rows)
{
	double height =
	    s->high > s->low ? (value - s->low) / (s->high - s->low) * rows : 0;
	double part = height - row;

	return part >= 1 ? 8 : part <= 0 ? 0 : (int)(part * 8 + 0.5);
}

static void draw_column(const struct series_view *v, const struct series_view *inner,
			const struct scale *s, struct canvas *c, struct box b, int i)
{
	static const char ramp[] = " .:-=+*#%";
	struct series_cell all = series_view_cell(v, (size_t)i, (size_t)b.width);
	struct series_cell part = series_view_cell(inner, (size_t)i, (size_t)b.width);
	int row;

	for (row = 0; all.n && row < b.height; row++) {
		int full = eighths(s, (double)all.max, row, b.height);
		bool below =
		    part.n == 0 || eighths(s, (double)part.last, row, b.height) > 0;
		uint32_t ch = c->ascii ? (uint32_t)ramp[full] : 0x2580 + (uint32_t)full;

		if (full)
			canvas_fill(c, b.x + i, b.y + b.height - 1 - row, 1,
				    below ? ROLE_COOL : ROLE_DIM,
				    full == 8 && c->ascii ? '=' : ch);
	}
}

/* "-10m      -5m      now"; the cursor of the past as ^. */
static void draw_axis(const struct series_view *v, uint64_t cursor_ns, struct canvas *c,
		      int x, int y, int width)
{
	uint64_t span = v->to_ns - v->from_ns;
	int i, marks = width / 16 < 1 ? 1 : width / 16 > 5 ? 5 : width / 16;

	for (i = 0; i < marks; i++)
		canvas_fmt(c, x + width * i / marks, y, 10, ROLE_DIM, "-%.8s",
			   fig_uptime(span - span * (uint64_t)i / (uint64_t)marks).s);
	canvas_right(c, x + width - 3, y, 3, ROLE_DIM, "now");
	if (cursor_ns > v->from_ns && cursor_ns < v->to_ns)
		canvas_put(
		    c, x + (int)((double)(cursor_ns - v->from_ns) / (double)span * width),
		    y, 1, ROLE_STRONG, "^");
}

void graph_columns(const struct series_view *v, const struct series_view *inner,
		   struct canvas *c, struct box b)
{
	struct scale s = scale_of(v);
	struct box in = { b.x + GRAPH_LABEL, b.y, b.width - GRAPH_LABEL, b.height };
	int i;

	if (v->n == 0 || in.width < 8 || in.height < 1)
		return;
	for (i = 0; i < in.height; i++) {
		double value = s.high - (s.high - s.low) * i / in.height;

		graph_label(c, b.x, b.y + i, i % 2 ? "" : fig_bytes((uint64_t)value).s);
	}
	for (i = 0; i < in.width; i++)
		draw_column(v, inner, &s, c, in, i);
}

void graph_draw(const struct series_view *v, const struct series_view *inner,
		uint64_t cursor_ns, struct canvas *c, struct box b)
{
	if (v->n == 0 || b.width < GRAPH_LABEL + 8 || b.height < 3)
		return;
	graph_columns(v, inner, c, (struct box){ b.x, b.y, b.width, b.height - 1 });
	draw_axis(v, cursor_ns, c, b.x + GRAPH_LABEL, b.y + b.height - 1,
		  b.width - GRAPH_LABEL);
}

struct graph_axis graph_axis_of(const struct snapshot *s, int x, int width)
{
	uint64_t span = s->window_ns ? s->window_ns : s->covered_ns;

	return (struct graph_axis){ s->time_ns > span ? s->time_ns - span : 0, s->time_ns,
				    x + GRAPH_LABEL, width - GRAPH_LABEL };
}

int graph_axis_column(const struct graph_axis *a, uint64_t time_ns)
{
	if (time_ns < a->from_ns || time_ns >= a->to_ns || a->width < 1)
		return -1;
	return (int)((double)(time_ns - a->from_ns) / (double)(a->to_ns - a->from_ns) *
		     a->width);
}

void graph_bar(struct canvas *c, struct box b, int x, double part, enum role role)
{
	static const char ramp[] = " .:-=+*#%";
	struct scale s = { 0, 1 };
	int row;

	for (row = 0; row < b.height; row++) {
		int full = eighths(&s, part, row, b.height);

		if (full == 0 && (row || part <= 0))
			break;
		full = full ? full : 1; /* a little is not nothing */
		canvas_fill(c, x, b.y + b.height - 1 - row, 1, role,
			    !c->ascii	? 0x2580 + (uint32_t)full
			    : full == 8 ? '='
					: (uint32_t)ramp[full]);
	}
}

void graph_label(struct canvas *c, int x, int y, const char *label)
{
	canvas_right(c, x, y, GRAPH_LABEL - 1, ROLE_DIM, label);
	canvas_put(c, x + GRAPH_LABEL - 1, y, 1, ROLE_DIM, c->ascii ? "|" : "│");
}
