/* One function between its callers and its callees. Enter puts the selected one into the
 * middle; Esc comes back. Percentages are of all samples. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/callers.h"
#include "ui/figures.h"
#include "ui/list.h"
#include "ui/rows.h"
#include "ui/trends.h"
#include "ui/view.h"

#define TALL 14 /* from this height on it says more */

struct callers {
	uint64_t function;
	char name[512]; /* as last seen: it may be gone from the window */
	struct neighbours around;
	/* Rows: callers, then callees; the list counts both. */
	struct list list;
	struct box box;
	int y_callees; /* screen line of the first callee */
	size_t top_callers, top_callees;
	bool placed; /* the cursor, once there was a tree */
	int skip;
	unsigned deepest; /* frames, from the start of a thread */
};

static void *callers_open(struct shared *sh)
{
	struct callers *v = xcalloc(1, sizeof(*v));

	v->function = sh->function;
	return v;
}

static void callers_close(void *state)
{
	struct callers *v = state;

	neighbours_done(&v->around);
	free(v);
}

static const struct snapshot_function *find(const struct snapshot *s, uint64_t function)
{
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (s->functions[i].function == function)
			return &s->functions[i];
	return NULL;
}

static size_t n_rows(const struct callers *v)
{
	return v->around.callers.n + v->around.callees.n + (v->around.self_ns > 0);
}

static uint64_t function_of_row(const struct callers *v, size_t row)
{
	const struct neighbours *n = &v->around;

	if (row < n->callers.n)
		return n->callers.v[row].function;
	row -= n->callers.n;
	return row < n->callees.n ? n->callees.v[row].function : 0;
}

/* How many callers it has at most; nodes stand parents first. */
static unsigned deepest(const struct snapshot *s, uint64_t function)
{
	unsigned *depth = xcalloc(s->n_nodes + 1, sizeof(*depth)), most = 0;
	size_t i;

	for (i = 1; i < s->n_nodes; i++) {
		depth[i] = depth[s->nodes[i].parent] + 1;
		if (depth[i] > most &&
		    s->functions[s->nodes[i].function].function == function)
			most = depth[i];
	}
	free(depth);
	return most;
}

static void callers_update(void *state, const struct shared *sh)
{
	struct callers *v = state;
	const struct snapshot_function *f = find(sh->shown, v->function);
	uint64_t selected = function_of_row(v, v->list.selected);
	size_t i;

	if (f)
		snprintf(v->name, sizeof(v->name), "%s", f->name);
	neighbours_find(&v->around, sh->shown, v->function);
	v->deepest = deepest(sh->shown, v->function);
	v->list.n = n_rows(v);
	/* The heaviest callee is the way most people go on. */
	if (!v->placed && v->around.found) {
		v->placed = true;
		v->list.selected = v->around.callers.n;
	}
	if (v->list.selected >= v->list.n)
		v->list.selected = v->list.n ? v->list.n - 1 : 0;
	for (i = 0; selected && i < v->list.n; i++)
		if (function_of_row(v, i) == selected)
			v->list.selected = i;
}

static void draw_edge(const struct callers *v, const struct shared *sh, struct canvas *c,
		      size_t row, int y)
{
	const struct snapshot *s = sh->shown;
	const struct neighbours *n = &v->around;
	bool below = row >= n->callers.n;
	size_t i = below ? row - n->callers.n : row;
	const struct edge *e = !below		  ? &n->callers.v[i]
			       : i < n->callees.n ? &n->callees.v[i]
						  : NULL;
	uint64_t ns = e ? e->ns : n->self_ns;
	int x = v->box.x, width = v->box.width, file = row_file_cells(width);
	int at = width >= 60 ? x + 17 : x + 9, room = x + width - file - 1 - at;

	row_pct(c, x + 1, y, 6, snapshot_pct(s, ns), shared_few(s));
	if (width >= 60)
		canvas_right(c, x + 9, y, 6, ROLE_TEXT, fig_time(ns).s);
	if (!e || !e->function) {
		canvas_put(c, at, y, room, ROLE_DIM,
			   e ? "[start of the thread]" : "[self]");
	} else {
		const struct snapshot_function *f = &s->functions[e->row];

		canvas_cut(c, at, y, room, row_role(f), f->name, v->skip);
		if (file)
			row_place(c, x + width - file, y, file, f, false);
	}
	if (row == v->list.selected)
		list_mark(&v->list, c, y, width);
}

/* Rows from..to of one half, scrolled so that the selected one is in sight. Returns the
 * line below. */
static int draw_half(struct callers *v, const struct shared *sh, struct canvas *c,
		     struct box b, size_t from, size_t to, size_t *top)
{
	size_t n = to - from, room = b.height > 0 ? (size_t)b.height : 0, i;
	size_t sel = v->list.selected - from;

	if (*top + room > n)
		*top = n > room ? n - room : 0;
	if (v->list.selected >= from && v->list.selected < to) {
		if (sel < *top)
			*top = sel;
		if (room && sel >= *top + room)
			*top = sel - room + 1;
	}
	for (i = 0; i < room && *top + i < n; i++)
		draw_edge(v, sh, c, from + *top + i, b.y + (int)i);
	return b.y + (int)i;
}

static void draw_course(const struct callers *v, const struct snapshot *s,
			const struct snapshot_function *f, struct canvas *c, int y)
{
	int x = v->box.x + 1, end = v->box.x + v->box.width;

	x += canvas_fmt(c, x, y, end - x, ROLE_DIM, "trend %s  ",
			fig_span(s->window_ns ? s->window_ns : s->covered_ns).s);
	trend_put(f->trend, c, x, y, end - x);
	x += TREND_CELLS + 2;
	if (f->n_threads) /* a folded library has no count */
		x += canvas_fmt(c, x, y, end - x, ROLE_DIM, "threads %u/%zu  ",
				f->n_threads, s->n_threads_all);
	canvas_fmt(c, x, y, end - x, ROLE_DIM, "at most %u frames deep", v->deepest);
}

static int draw_middle(const struct callers *v, const struct shared *sh, struct canvas *c,
		       int y)
{
	const struct snapshot *s = sh->shown;
	const struct snapshot_function *f = find(s, v->function);
	const struct neighbours *n = &v->around;
	int x = v->box.x, width = v->box.width;
	char text[256];

	snprintf(text, sizeof(text),
		 width < 30   ? "%s%%"
		 : width < 60 ? "self %s%% total %s%%"
			      : "self %s%%  total %s%%  %s%s",
		 fig_pct(snapshot_pct(s, n->self_ns), shared_few(s)).s,
		 fig_pct(snapshot_pct(s, n->total_ns), shared_few(s)).s,
		 fig_time(n->total_ns).s, n->recursive ? "  recursive" : "");
	canvas_fill(c, x, y, width, ROLE_HEADING, ' ');
	canvas_cut(c, x + 1, y, width - (int)strlen(text) - 3, ROLE_SORTED, v->name,
		   v->skip);
	canvas_right(c, x + width - (int)strlen(text) - 1, y, (int)strlen(text),
		     ROLE_HEADING, text);
	if (f && v->box.height >= TALL) {
		row_place(c, x + 1, ++y, width - 2, f, false);
		draw_course(v, s, f, c, ++y);
	}
	return y + 1;
}

static void callers_draw(void *state, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	struct callers *v = state;
	size_t callers = v->around.callers.n, rows = n_rows(v);
	int room = b.height - (b.height >= TALL ? 6 : 5), upper, y;

	v->box = b;
	v->list.x = b.x;
	v->list.page = room > 2 ? room / 2 : 1;
	if (!row_tree_there(sh, c, b))
		return;
	if (!v->around.found) {
		canvas_fmt(c, b.x + 1, b.y + 1, b.width - 1, ROLE_TEXT,
			   "%.200s is not in this window (any more)",
			   v->name[0] ? v->name : "the function");
		return;
	}
	/* Callees get at least half. */
	upper = room / 2 > (int)callers ? (int)callers : room / 2;
	if (room - upper > (int)(rows - callers))
		upper = room - (int)(rows - callers);
	canvas_fmt(c, b.x + 1, b.y, b.width - 1, ROLE_STRONG, "CALLERS %zu%s", callers,
		   b.width >= 70 ? "   (% of all samples)" : "");
	y = draw_half(v, sh, c, (struct box){ b.x, b.y + 1, b.width, upper }, 0, callers,
		      &v->top_callers);
	v->list.y = b.y + 1;
	y = draw_middle(v, sh, c, y);
	canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_STRONG, "CALLEES %zu",
		   v->around.callees.n);
	v->y_callees = y;
	draw_half(v, sh, c, (struct box){ b.x, y, b.width, b.y + b.height - y }, callers,
		  rows, &v->top_callees);
}

static void centre(struct callers *v, struct shared *sh)
{
	uint64_t function = function_of_row(v, v->list.selected);

	if (!function || function == v->function)
		return;
	sh->function = function;
	sh->open_over = &callers_view;
}

static bool callers_act(void *state, struct shared *sh, enum action action)
{
	struct callers *v = state;

	if (list_act(&v->list, action))
		return true;
	switch (action) {
	case ACTION_OPEN:
		centre(v, sh);
		return true;
	case ACTION_SOURCE:
		sh->function = v->function;
		sh->open_over = &source_view;
		return true;
	case ACTION_LEFT:
		v->skip = v->skip > 8 ? v->skip - 8 : 0;
		return true;
	case ACTION_RIGHT:
		v->skip += v->skip < 1000 ? 8 : 0;
		return true;
	default:
		return false;
	}
}

static void callers_click(void *state, struct shared *sh, int x, int y)
{
	struct callers *v = state;
	size_t row;

	(void)sh;
	(void)x;
	if (y >= v->y_callees)
		row = v->around.callers.n + v->top_callees + (size_t)(y - v->y_callees);
	else if (y >= v->list.y && y < v->list.y + (int)v->around.callers.n)
		row = v->top_callers + (size_t)(y - v->list.y);
	else
		return;
	if (row < n_rows(v))
		v->list.selected = row;
}

static void callers_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct callers *v = state;

	(void)sh;
	snprintf(buf, size, "of %.50s", v->name);
}

const struct view callers_view = {
	.name = "callers/callees",
	.short_name = "Calls",
	.place = IN_VIEW,
	.folds = true,
	.wants = WANT_TREE | WANT_SPREAD,
	.side_panels = true,
	.open = callers_open,
	.close = callers_close,
	.update = callers_update,
	.draw = callers_draw,
	.act = callers_act,
	.click = callers_click,
	.status = callers_status,
};
