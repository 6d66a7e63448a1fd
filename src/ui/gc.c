/* Pauses by garbage collection: a row for each generation, the window as columns whose height is
 * the longest pause of that time (each row of the graph is half of the one above), and
 * where collections start. Every table says where its figures are from and how exact they
 * are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ui/figures.h"
#include "ui/graph.h"
#include "ui/view.h"

#define GRAPH_ROWS_MOST 12
#define STACKS_ROWS 6

struct gc_view {
	struct scroll scroll; /* of the rows of the table */
};

static void *gc_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct gc_view));
}

static void gc_close(void *state)
{
	free(state);
}

/* ---- words ---- */

static struct fig exactness(const struct gc_row *r)
{
	struct fig f;

	if (r->exactness == GC_EXACT)
		snprintf(f.s, sizeof(f.s), "exact");
	else if (r->exactness == GC_ESTIMATED)
		snprintf(f.s, sizeof(f.s), "estimated");
	else
		snprintf(f.s, sizeof(f.s), "+-%.0fms", (double)r->interval_ns / 1e6);
	return f;
}

static bool same_source(const struct gc_row *a, const struct gc_row *b)
{
	return strcmp(a->runtime, b->runtime) == 0 && strcmp(a->source, b->source) == 0;
}

/* Percentiles of few are hardly ones. */
static const char *few(const struct gc_row *r)
{
	return r->timed && r->timed < 20 ? "~" : "";
}

static struct fig time_of(const struct gc_row *r, uint64_t ns, bool percentile)
{
	struct fig f;

	if (percentile && r->count && ns == 0 && r->interval_ns)
		snprintf(f.s, sizeof(f.s), "<%.24s", fig_pause(r->interval_ns).s);
	else if (r->timed == 0)
		snprintf(f.s, sizeof(f.s), "-");
	else
		snprintf(f.s, sizeof(f.s), "%s%.24s", percentile ? few(r) : "",
			 fig_pause(ns).s);
	return f;
}

/* ---- the table ---- */

struct column {
	const char *title;
	int width, least; /* shown on views at least that wide */
};

enum { COUNT, RATE, P50, P95, P99, MAX, TOTAL, TIME_PCT, COLLECTED, COLUMNS };

static const struct column columns[COLUMNS] = {
	[COUNT] = { "COUNT", 8, 0 },
	[RATE] = { "/min", 7, 60 },
	[P50] = { "P50", 8, 50 },
	[P95] = { "P95", 8, 0 },
	[P99] = { "P99", 8, 72 },
	[MAX] = { "MAX", 8, 0 },
	[TOTAL] = { "TOTAL", 8, 60 },
	[TIME_PCT] = { "%TIME", 7, 0 },
	[COLLECTED] = { "COLLECTED", 11, 90 },
};

static int names_width(int width)
{
	int i, used = 0;

	for (i = 0; i < COLUMNS; i++)
		if (width >= columns[i].least)
			used += columns[i].width;
	return width - used > 40 ? 40 : width - used;
}

static struct fig cell(const struct gc_row *r, int column)
{
	struct fig f = { "" };

	switch (column) {
	case COUNT:
		return fig_count(r->count);
	case RATE:
		snprintf(f.s, sizeof(f.s), "%.*f", r->per_s * 60 < 9.95 ? 1 : 0,
			 r->per_s * 60 < 1e9 ? r->per_s * 60 : 1e9);
		return f;
	case P50:
		return time_of(r, r->p50_ns, true);
	case P95:
		return time_of(r, r->p95_ns, true);
	case P99:
		return time_of(r, r->p99_ns, true);
	case MAX:
		return time_of(r, r->max_ns, false);
	case TOTAL:
		return time_of(r, r->total_ns, false);
	case TIME_PCT:
		snprintf(f.s, sizeof(f.s), "%.2f", r->time_pct < 1e4 ? r->time_pct : 1e4);
		if (r->timed == 0)
			snprintf(f.s, sizeof(f.s), "-");
		return f;
	default:
		return r->collected_known ? fig_count(r->collected) : f;
	}
}

static void draw_cells(const struct gc_row *r, struct canvas *c, struct box b, int y,
		       enum role role)
{
	int i, x = b.x + names_width(b.width);

	for (i = 0; i < COLUMNS; i++) {
		if (b.width < columns[i].least)
			continue;
		canvas_right(c, x, y, columns[i].width - 1, role,
			     r ? cell(r, i).s : columns[i].title);
		x += columns[i].width;
	}
}

static void draw_row(const struct gc_row *r, struct canvas *c, struct box b, int y,
		     enum role role)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s%s", r->generation, r->cause[0] ? ": " : "",
		 r->cause);
	canvas_cut(c, b.x + 1, y, names_width(b.width) - 2, role, name, 0);
	draw_cells(r, c, b, y, role);
}

/* "CPython 3.11.7, by counters, watchpoint (exact)" */
static void draw_source(const struct gc_row *r, struct canvas *c, struct box b, int y)
{
	char text[200];

	snprintf(text, sizeof(text), "%s%sby %s (%s)", r->runtime,
		 r->runtime[0] ? ", " : "", r->source, exactness(r).s);
	canvas_cut(c, b.x + 1, y, b.width - 1, ROLE_DIM, text, 0);
}

/* Lines of the table: rows, and a line above the first of each source. */
static int table_lines(const struct snapshot_gc *g)
{
	size_t i;
	int n = 0;

	for (i = 0; i < g->n_rows; i++)
		n += 1 + (i == 0 || !same_source(&g->rows[i], &g->rows[i - 1]));
	return n;
}

static int draw_table(struct gc_view *v, const struct snapshot_gc *g, struct canvas *c,
		      struct box b)
{
	int y = b.y, line = -v->scroll.top, end = b.y + b.height;
	size_t i;

	canvas_fill(c, b.x, y, b.width, ROLE_HEADING, ' ');
	draw_cells(NULL, c, b, y++, ROLE_HEADING);
	for (i = 0; i < g->n_rows; i++) {
		const struct gc_row *r = &g->rows[i];

		if (i == 0 || !same_source(r, r - 1)) {
			if (line >= 0 && y < end)
				draw_source(r, c, b, y++);
			line++;
		}
		if (line >= 0 && y < end)
			draw_row(r, c, b, y++, ROLE_TEXT);
		line++;
	}
	if (g->n_rows > 1 && y < end)
		draw_row(&g->all, c, b, y++, ROLE_STRONG);
	return y;
}

/* ---- the graph ---- */

/* The least 1, 2, 4 ... ms, us or s that no pause exceeds. */
static uint64_t scale(uint64_t longest)
{
	uint64_t top = 1000;

	while (top < longest && top < UINT64_MAX / 4)
		top *= 2;
	return top;
}

/* Columns of the graph: cells of the timeline that fall into one. */
struct strip {
	const struct snapshot_gc *g;
	int columns;
};

static struct gc_cell column_at(const struct strip *s, int i)
{
	int from = i * GC_CELLS / s->columns, to = (i + 1) * GC_CELLS / s->columns, k;
	struct gc_cell sum = { 0 };

	if (to == from)
		to++;
	for (k = from; k < to && k < GC_CELLS; k++) {
		const struct gc_cell *cell = &s->g->timeline[k];

		sum.count += cell->count;
		if (cell->count && cell->longest_ns >= sum.longest_ns) {
			sum.longest_ns = cell->longest_ns;
			sum.row = cell->row;
		}
	}
	return sum;
}

static uint64_t longest_of(const struct snapshot_gc *g)
{
	uint64_t longest = 0;
	int i;

	for (i = 0; i < GC_CELLS; i++)
		if (g->timeline[i].longest_ns > longest)
			longest = g->timeline[i].longest_ns;
	return longest;
}

static void draw_bars(const struct snapshot_gc *g, struct canvas *c, struct box b)
{
	uint64_t top = scale(longest_of(g));
	struct strip s = { g, b.width - GRAPH_LABEL };
	int i, y;

	for (y = 0; y < b.height; y++) {
		char label[40];

		snprintf(label, sizeof(label), "%s", fig_pause(top >> y).s);
		canvas_right(c, b.x, b.y + y, GRAPH_LABEL - 1, ROLE_DIM,
			     y % 2 == 0 || b.height < 4 ? label : "");
		canvas_put(c, b.x + GRAPH_LABEL - 1, b.y + y, 1, ROLE_DIM,
			   c->ascii ? "|" : "│");
	}
	for (i = 0; i < s.columns; i++) {
		struct gc_cell cell = column_at(&s, i);

		for (y = 0; cell.count && y < b.height; y++)
			if (cell.longest_ns > top >> (y + 1) || y == b.height - 1)
				canvas_fill(c, b.x + GRAPH_LABEL + i, b.y + y, 1,
					    y == 0 ? ROLE_HOT : ROLE_WARM,
					    c->ascii ? '#' : 0x2588);
	}
}

static void draw_axis(const struct snapshot_gc *g, struct canvas *c, struct box b, int y)
{
	char left[40], middle[40];
	int width = b.width - GRAPH_LABEL;

	snprintf(left, sizeof(left), "-%s", fig_span(g->timeline_ns).s);
	snprintf(middle, sizeof(middle), "-%s", fig_span(g->timeline_ns / 2).s);
	canvas_put(c, b.x + GRAPH_LABEL, y, width, ROLE_DIM, left);
	if (width >= 30)
		canvas_put(c, b.x + GRAPH_LABEL + width / 2, y, width, ROLE_DIM, middle);
	canvas_right(c, b.x + GRAPH_LABEL, y, width, ROLE_DIM, "now");
}

/* What the cursor's column says. */
static void draw_cursor(const struct shared *sh, struct canvas *c, struct box b, int y)
{
	const struct snapshot_gc *g = &sh->shown->gc;
	struct strip s = { g, b.width - GRAPH_LABEL };
	uint64_t end = sh->shown->time_ns, ago;
	struct gc_cell cell;
	int i, k;

	if (!sh->cursor_ns || sh->cursor_ns > end ||
	    end - sh->cursor_ns >= g->timeline_ns)
		return;
	ago = end - sh->cursor_ns;
	i = s.columns - 1 - (int)(ago * (uint64_t)s.columns / g->timeline_ns);
	cell = column_at(&s, i);
	for (k = b.y; k < b.y + b.height; k++)
		canvas_select(c, b.x + GRAPH_LABEL + i, k, 1);
	canvas_fill(c, b.x, y, b.width, ROLE_TEXT, ' ');
	canvas_fmt(c, b.x + 1, y, b.width - 1, ROLE_STRONG,
		   "%s  %u collections%s%s  (Enter: that moment)",
		   fig_clock(sh->shown->wall_ns - ago).s, cell.count,
		   cell.count ? ", longest " : "",
		   cell.count ? fig_pause(cell.longest_ns).s : "");
}

static int draw_graph(const struct shared *sh, struct canvas *c, struct box b)
{
	const struct snapshot_gc *g = &sh->shown->gc;
	struct box bars = { b.x, b.y + 1, b.width, b.height - 2 };

	if (!g->timeline || b.height < 4 || b.width < 30)
		return b.y;
	if (bars.height > GRAPH_ROWS_MOST)
		bars.height = GRAPH_ROWS_MOST;
	canvas_fmt(c, b.x + 1, b.y, b.width - 1, ROLE_STRONG,
		   "PAUSES (a column is %s, its height the longest)",
		   fig_pause(g->timeline_ns / (uint64_t)(b.width - GRAPH_LABEL)).s);
	draw_bars(g, c, bars);
	draw_axis(g, c, b, bars.y + bars.height);
	draw_cursor(sh, c, bars, bars.y + bars.height);
	return bars.y + bars.height + 1;
}

/* ---- where they start ---- */

static void draw_stacks(const struct snapshot_gc *g, struct canvas *c, struct box b)
{
	int y = b.y, end = b.y + b.height;
	size_t i;

	if (b.height < 2 || g->n_stacks == 0)
		return;
	canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_STRONG,
		   "COLLECTIONS START IN (of %s samples during one)",
		   fig_count(g->stacks_of).s);
	for (i = 0; i < g->n_stacks && y < end; i++) {
		double pct = 100.0 * (double)g->stacks[i].count /
			     (double)(g->stacks_of ? g->stacks_of : 1);
		int x = canvas_fmt(c, b.x + 1, y, 7, ROLE_TEXT, "%5.1f%% ", pct);

		canvas_cut(c, b.x + 1 + x, y, b.width - 1 - x, ROLE_TEXT,
			   g->stacks[i].text, 0);
		y++;
	}
}

/* What is true of these figures and not in them. */
static int draw_notes(const struct snapshot_gc *g, struct canvas *c, struct box b, int y)
{
	int end = b.y + b.height;

	if (g->unseen && y < end)
		canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_WARN,
			   "%s more collections were counted and not timed",
			   fig_count(g->unseen).s);
	if (g->bursts && y < end)
		canvas_fmt(
		    c, b.x + 1, y++, b.width - 1, ROLE_WARN,
		    "dealloc bursts: %s, %s: objects freed in cascades, no collection",
		    fig_count(g->bursts).s, fig_pause(g->bursts_ns).s);
	if (g->bursts_unseen && g->bursts_unseen[0] && y < end)
		canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_DIM,
			   "dealloc bursts not looked for: %s", g->bursts_unseen);
	return y;
}

static void draw_nothing(const struct snapshot_gc *g, struct canvas *c, struct box b)
{
	int y = b.y + 1;

	if (g->covered_ns)
		canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_TEXT, "no collection in %s",
			   fig_span(g->covered_ns).s);
	else
		canvas_put(c, b.x + 1, y++, b.width - 1, ROLE_TEXT,
			   g->reason[0] ? g->reason : "nothing known yet");
	draw_notes(g, c, b, y + 1);
}

static void gc_draw(void *state, const struct shared *sh, struct canvas *c, struct box b)
{
	const struct snapshot_gc *g = &sh->shown->gc;
	struct gc_view *v = state;
	int stacks, y;

	if (g->n_rows == 0) {
		draw_nothing(g, c, b);
		return;
	}
	v->scroll.total = table_lines(g);
	v->scroll.page = b.height - 2 < 1 ? 1 : b.height - 2;
	scroll_clamp(&v->scroll);
	y = draw_notes(g, c, b, draw_table(v, g, c, b)) + 1;
	stacks = g->n_stacks < STACKS_ROWS ? (int)g->n_stacks + 2 : STACKS_ROWS + 2;
	if (g->n_stacks == 0 || b.y + b.height - y - stacks < 6)
		stacks = 0;
	if (!sh->trends)
		y = draw_graph(
		    sh, c, (struct box){ b.x, y, b.width, b.y + b.height - y - stacks });
	draw_stacks(g, c, (struct box){ b.x, y + 1, b.width, b.y + b.height - y - 1 });
}

/* Beside another view: the rows in short, and a small graph. */
static int gc_panel(void *state, const struct shared *sh, struct canvas *c, struct box b)
{
	const struct snapshot_gc *g = &sh->shown->gc;
	int y = b.y, rows = 3;
	size_t i;

	(void)state;
	if (g->n_rows == 0 || b.height < 7)
		return 0;
	canvas_fmt(c, b.x, y++, b.width, ROLE_STRONG, "GC %s  %s %.2f%%",
		   fig_count(g->all.count).s, fig_pause(g->all.total_ns).s,
		   g->all.time_pct);
	for (i = 0; i < g->n_rows && i < 3; i++)
		canvas_fmt(c, b.x, y++, b.width, ROLE_TEXT, " %.14s %s p95 %s max %s",
			   g->rows[i].generation, fig_count_short(g->rows[i].count).s,
			   time_of(&g->rows[i], g->rows[i].p95_ns, true).s,
			   time_of(&g->rows[i], g->rows[i].max_ns, false).s);
	if (g->timeline && b.y + b.height - y >= rows) {
		draw_bars(g, c, (struct box){ b.x, y, b.width, rows });
		y += rows;
	}
	return y - b.y;
}

static bool gc_act(void *state, struct shared *sh, enum action action)
{
	struct gc_view *v = state;

	(void)sh;
	return scroll_act(&v->scroll, action);
}

static void gc_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct snapshot_gc *g = &sh->shown->gc;

	(void)state;
	snprintf(buf, size, "%s in %s", fig_count(g->all.count).s,
		 fig_span(g->covered_ns).s);
}

/* The cells of the timeline that fall between two moments. */
static struct gc_cell cells_between(const struct snapshot *s, uint64_t from_ns,
				    uint64_t to_ns)
{
	const struct snapshot_gc *g = &s->gc;
	uint64_t width = g->timeline_ns / GC_CELLS, k;
	struct gc_cell sum = { 0 };

	/* Cell GC_CELLS - 1 ends now; counted back from there. */
	for (k = (s->time_ns - to_ns) / width; k < GC_CELLS; k++) {
		const struct gc_cell *cell = &g->timeline[GC_CELLS - 1 - k];

		if (k * width >= s->time_ns - from_ns)
			break;
		sum.count += cell->count;
		if (cell->longest_ns > sum.longest_ns)
			sum.longest_ns = cell->longest_ns;
	}
	return sum;
}

/* Height of a column of `rows` rows, each of which is half of the one above. */
static double height_of(uint64_t ns, uint64_t top, int rows)
{
	int below = 0;

	while (below < rows && top >> (below + 1) >= ns)
		below++;
	return (rows - below - 2 + 2 * (double)ns / (double)(top >> below)) / rows;
}

static void strip_bars(const struct snapshot *s, const struct graph_axis *a,
		       struct canvas *c, struct box b)
{
	uint64_t top = scale(longest_of(&s->gc)),
		 step = (a->to_ns - a->from_ns) / (uint64_t)a->width;
	int i;

	for (i = 0; i < b.height; i++)
		graph_label(c, b.x, b.y + i, i % 2 ? "" : fig_pause(top >> i).s);
	for (i = 0; i < a->width; i++) {
		uint64_t from = a->from_ns + step * (uint64_t)i;
		struct gc_cell cell = cells_between(s, from, from + step);
		double part = height_of(cell.longest_ns, top, b.height);

		if (cell.count)
			graph_bar(c, b, a->x + i, part > 0 ? part : 0.01, ROLE_WARM);
	}
}

/* On the page of trends. */
static int gc_strip(void *state, const struct shared *sh, struct canvas *c, struct box b)
{
	const struct snapshot_gc *g = &sh->shown->gc;
	struct graph_axis a = graph_axis_of(sh->shown, b.x, b.width);
	int column = graph_axis_column(&a, sh->cursor_ns), x;
	bool drawn = g->n_rows && g->timeline && g->timeline_ns >= GC_CELLS &&
		     sh->shown->time_ns > a.from_ns && a.width > 0;
	uint64_t cell_ns = drawn ? (a.to_ns - a.from_ns) / (uint64_t)a.width : 0, from;
	struct gc_cell cell;

	(void)state;
	if (!c)
		return drawn ? b.height : 1;
	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	x = b.x + 1;
	if (!drawn) {
		canvas_fmt(c, x, b.y, b.width - 1, ROLE_HEADING, "GC  %s",
			   g->covered_ns  ? "no collection"
			   : g->reason[0] ? g->reason
					  : "nothing known yet");
		return 1;
	}
	x += canvas_fmt(c, x, b.y, b.width - 1, ROLE_HEADING,
			"GC  %s, %s, %.2f%% of time  height: longest pause, rows "
			"halve  ",
			fig_count(g->all.count).s, fig_pause(g->all.total_ns).s,
			g->all.time_pct);
	strip_bars(sh->shown, &a, c, (struct box){ b.x, b.y + 1, b.width, b.height - 1 });
	if (column < 0)
		return b.height;
	from = a.from_ns + cell_ns * (uint64_t)column;
	cell = cells_between(sh->shown, from, from + cell_ns);
	canvas_fmt(c, x, b.y, b.x + b.width - x, ROLE_SORTED,
		   cell.count ? "at the cursor: %u, longest %s" : "at the cursor: none",
		   cell.count, fig_pause(cell.longest_ns).s);
	return b.height;
}

const struct view gc_view = {
	.name = "GC",
	.short_name = "GC",
	.place = IN_VIEW,
	.time_axis = true,
	.open = gc_open,
	.close = gc_close,
	.draw = gc_draw,
	.panel = gc_panel,
	.strip = gc_strip,
	.act = gc_act,
	.status = gc_status,
};
