/* The threads: how busy each is, in what state, and where it is now. Enter narrows all
 * views to the selected one. CPU% is of one core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ui/figures.h"
#include "ui/list.h"
#include "ui/trends.h"
#include "ui/view.h"

enum by { BY_CPU, BY_TID, BY_NAME, BY_STATE, BY_COUNT };

struct threads {
	uint32_t *rows; /* indices into snapshot.threads */
	size_t n, hidden;
	bool gil; /* some thread is of a language with a GIL */
	enum by by;
	bool inverted;
	int32_t selected_tid; /* 0: whatever is first */
	int skip;	      /* cells of the last column scrolled away */
	struct list list;
	struct box box;
	struct trends trends;
};

static const struct {
	const char *title;
	int x, width; /* figures end at x + width, names begin at x */
	bool left;
} columns[BY_COUNT] = {
	[BY_CPU] = { "CPU%", 27, 6, false },
	[BY_TID] = { "TID", 2, 7, false },
	[BY_NAME] = { "NAME", 10, 16, true },
	[BY_STATE] = { "ST", 35, 2, true },
};
#define TREND_X 39
#define TOP_X 51
#define GIL_X 35 /* GIL% and WAIT, where there is such a lock; what follows moves */
#define GIL_CELLS 12

static void *threads_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct threads));
}

static void threads_close(void *state)
{
	struct threads *v = state;

	free(v->rows);
	free(v);
}

struct sorting {
	const struct snapshot_thread *threads;
	const struct threads *view;
};

static int compare(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	const struct snapshot_thread *x = &s->threads[*(const uint32_t *)a];
	const struct snapshot_thread *y = &s->threads[*(const uint32_t *)b];
	int d = 0;

	if (s->view->by == BY_NAME)
		d = strcmp(x->name, y->name);
	else if (s->view->by == BY_STATE)
		d = (x->state > y->state) - (x->state < y->state);
	else if (s->view->by == BY_CPU) /* what looks the same stands still */
		d = (int)(y->cpu_pct * 10 + 0.5) - (int)(x->cpu_pct * 10 + 0.5);
	if (d == 0)
		d = (x->tid > y->tid) - (x->tid < y->tid);
	return s->view->inverted ? -d : d;
}

static void threads_update(void *state, const struct shared *sh)
{
	struct threads *v = state;
	const struct snapshot *s = sh->shown;
	struct sorting sorting = { s->threads, v };
	size_t i;

	trends_update(&v->trends, s);
	free(v->rows);
	v->rows = xcalloc(s->n_threads + 1, sizeof(*v->rows));
	v->n = v->hidden = 0;
	v->gil = false;
	for (i = 0; i < s->n_threads; i++) {
		const struct snapshot_thread *t = &s->threads[i];

		v->gil |= t->gil_pct >= 0;
		if (!filter_text(&sh->filter, t->name) &&
		    !filter_text(&sh->filter, t->top))
			continue;
		if (t->idle && !s->idle_shown && t->tid != s->only_tid)
			v->hidden++;
		else
			v->rows[v->n++] = (uint32_t)i;
	}
	if (v->n)
		qsort_r(v->rows, v->n, sizeof(*v->rows), compare, &sorting);
	for (i = 0; i < v->n && v->selected_tid; i++)
		if (s->threads[v->rows[i]].tid == v->selected_tid)
			v->list.selected = i;
}

/* Where a column begins that stands right of the GIL's. */
static int moved(const struct threads *v, int width, int x)
{
	return v->gil && width >= 80 && x >= GIL_X ? x + GIL_CELLS : x;
}

static void draw_gil(const struct threads *v, const struct snapshot_thread *t,
		     struct canvas *c, int y)
{
	char buf[16];

	if (!v->gil || v->box.width < 80 || t->gil_pct < 0)
		return;
	snprintf(buf, sizeof(buf), "%.1f%s", t->gil_pct, t->holds_gil ? "*" : "");
	canvas_right(c, v->box.x + GIL_X - 1, y, 6, ROLE_TEXT, buf);
	snprintf(buf, sizeof(buf), "%.1f", t->gil_wait_pct);
	canvas_right(c, v->box.x + GIL_X + 5, y, 5, ROLE_TEXT, buf);
}

static void draw_title(const struct threads *v, const struct shared *sh, struct canvas *c,
		       struct box b)
{
	int i;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	for (i = 0; i < BY_COUNT; i++) {
		const char *t = columns[i].title;
		int n = (int)strlen(t), x = moved(v, b.width, columns[i].x);
		enum role role = i == (int)v->by ? ROLE_SORTED : ROLE_HEADING;

		if (!columns[i].left)
			x += columns[i].width - n;
		canvas_put(c, b.x + x, b.y, n, role, t);
		if (i == (int)v->by)
			canvas_put(c, b.x + x + n, b.y, 1, role, v->inverted ? "^" : "v");
	}
	if (v->gil && b.width >= 80) {
		canvas_right(c, b.x + GIL_X, b.y, 5, ROLE_HEADING, "GIL%");
		canvas_right(c, b.x + GIL_X + 6, b.y, 4, ROLE_HEADING, "WAIT");
	}
	if (b.width >= 60) {
		canvas_fmt(c, b.x + moved(v, b.width, TREND_X), b.y, TREND_CELLS + 1,
			   ROLE_HEADING, "TREND %s", fig_span(sh->shown->window_ns).s);
		canvas_put(c, b.x + moved(v, b.width, TOP_X), b.y, b.width, ROLE_HEADING,
			   "NOW IN");
	}
}

static void draw_top(const struct threads *v, const struct snapshot_thread *t,
		     struct canvas *c, int x, int y, int width)
{
	char text[600], place[80] = "";
	const char *file = strrchr(t->top_file, '/');

	if (t->top_line > 0)
		snprintf(place, sizeof(place), " %.60s:%d", file ? file + 1 : t->top_file,
			 t->top_line);
	snprintf(text, sizeof(text), "%.400s%s%s%.60s", t->top, place,
		 t->wait[0] ? " " : "", t->wait);
	canvas_cut(c, x, y, width, t->idle ? ROLE_DIM : ROLE_TEXT, text, v->skip);
}

static void draw_row(struct threads *v, const struct shared *sh, struct canvas *c,
		     size_t row, int y)
{
	const struct snapshot_thread *t = &sh->shown->threads[v->rows[row]];
	enum role role = t->idle ? ROLE_DIM : ROLE_TEXT;
	int x = v->box.x, width = v->box.width;
	char buf[24];

	if (t->tid == sh->shown->only_tid)
		canvas_put(c, x, y, 1, ROLE_STRONG, "=");
	snprintf(buf, sizeof(buf), "%d", (int)t->tid);
	canvas_right(c, x + columns[BY_TID].x, y, columns[BY_TID].width, role, buf);
	canvas_cut(c, x + columns[BY_NAME].x, y, columns[BY_NAME].width, role, t->name,
		   0);
	snprintf(buf, sizeof(buf), "%.1f", t->cpu_pct);
	canvas_right(c, x + columns[BY_CPU].x, y, columns[BY_CPU].width, role, buf);
	snprintf(buf, sizeof(buf), "%c", t->state);
	draw_gil(v, t, c, y);
	canvas_put(c, x + moved(v, width, columns[BY_STATE].x), y, 2,
		   t->state == 'D' || t->state == 'T' ? ROLE_WARN : role, buf);
	if (width >= 60 && (sh->shown->wants & WANT_STACKS)) {
		trends_draw(&v->trends, (uint64_t)t->tid, t->trend, c,
			    x + moved(v, width, TREND_X), y, TREND_CELLS);
		draw_top(v, t, c, x + moved(v, width, TOP_X), y,
			 width - moved(v, width, TOP_X));
	}
	if (row == v->list.selected)
		list_mark(&v->list, c, y, width);
}

static void threads_draw(void *state, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	struct threads *v = state;
	int i, notes = v->hidden ? 1 : 0, y;

	v->box = b;
	draw_title(v, sh, c, b);
	list_lay(&v->list, v->n,
		 (struct box){ b.x, b.y + 1, b.width, b.height - 1 - notes });
	for (i = 0; i < v->list.page && v->list.top + (size_t)i < v->n; i++)
		draw_row(v, sh, c, v->list.top + (size_t)i, b.y + 1 + i);
	y = b.y + 1 + i;
	if (v->hidden && y < b.y + b.height)
		canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_DIM,
			   "%zu idle threads hidden: i shows them", v->hidden);
	if (y + 1 < b.y + b.height)
		canvas_put(c, b.x + 1, y + 1, b.width - 1, ROLE_DIM,
			   "R running  S sleeping  D disk  T stopped  G wants GIL   m: "
			   "all threads");
}

static void sort_by(struct threads *v, const struct shared *sh, int by)
{
	v->by = (enum by)((by + BY_COUNT) % BY_COUNT);
	v->inverted = false;
	threads_update(v, sh);
}

static void note_selected(struct threads *v, struct shared *sh)
{
	if (v->list.selected < v->n)
		v->selected_tid = sh->shown->threads[v->rows[v->list.selected]].tid;
	sh->marked = v->selected_tid;
}

static bool threads_act(void *state, struct shared *sh, enum action action)
{
	struct threads *v = state;

	if (!sh->shown)
		return false;
	if (list_act(&v->list, action)) {
		note_selected(v, sh);
		if (action == ACTION_FIRST)
			v->selected_tid = 0;
		return true;
	}
	switch (action) {
	case ACTION_OPEN:
		note_selected(v, sh);
		sh->ask_thread = v->n ? v->selected_tid : 0;
		return true;
	case ACTION_SORT_NEXT:
		sort_by(v, sh, (int)v->by + 1);
		return true;
	case ACTION_SORT_PREVIOUS:
		sort_by(v, sh, (int)v->by - 1);
		return true;
	case ACTION_INVERT:
		v->inverted = !v->inverted;
		threads_update(v, sh);
		return true;
	case ACTION_LEFT:
		v->skip = v->skip > 8 ? v->skip - 8 : 0;
		return true;
	case ACTION_RIGHT:
		v->skip += v->skip < 400 ? 8 : 0;
		return true;
	default:
		return false;
	}
}

static void threads_click(void *state, struct shared *sh, int x, int y)
{
	struct threads *v = state;
	size_t row = list_hit(&v->list, y);
	int i;

	for (i = 0; y == v->box.y && i < BY_COUNT; i++)
		if (x - v->box.x >= moved(v, v->box.width, columns[i].x) &&
		    x - v->box.x <=
			moved(v, v->box.width, columns[i].x) + columns[i].width)
			sort_by(v, sh, i);
	if (row < v->list.n) {
		list_select(&v->list, row);
		note_selected(v, sh);
	}
}

static void threads_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	(void)sh;
	list_status(&((struct threads *)state)->list, buf, size);
}

/* Of a process that ended all are shown as they were. */
static bool is_there(const struct snapshot *s, const struct snapshot_thread *t)
{
	return t->state != 'X' || s->exited;
}

static int threads_panel(void *state, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	struct threads *v = state;
	const struct snapshot *s = sh->shown;
	size_t shown = 0, k;
	int i, rows = b.height - 1;

	/* A server with a thread a request has hundreds that ended. */
	for (k = 0; k < v->n; k++)
		shown += is_there(s, &s->threads[v->rows[k]]);
	canvas_fmt(c, b.x, b.y, b.width, ROLE_STRONG,
		   shown < v->n ? "THREADS %zu  +%zu ended" : "THREADS %zu",
		   shown < v->n ? shown : s->n_threads_all, v->n - shown);
	for (i = 0, k = 0; i < rows && k < v->n; k++) {
		const struct snapshot_thread *t = &s->threads[v->rows[k]];
		int y = b.y + 1 + i;

		if (!is_there(s, t))
			continue;
		if (i == rows - 1 && shown > (size_t)rows) {
			canvas_fmt(c, b.x + 1, y, b.width - 1, ROLE_DIM, "+%zu more",
				   shown - (size_t)i);
			break;
		}
		canvas_fmt(c, b.x, y, 7, ROLE_TEXT, "%6d", (int)t->tid);
		canvas_cut(c, b.x + 7, y, 11, ROLE_TEXT, t->name, 0);
		canvas_fmt(c, b.x + 19, y, 6, ROLE_TEXT, "%3.0f%% %c", t->cpu_pct,
			   t->state);
		if (s->wants & WANT_STACKS)
			trends_draw(&v->trends, (uint64_t)t->tid, t->trend, c, b.x + 26,
				    y, b.width - 26);
		i++;
	}
	return b.height;
}

const struct view threads_view = {
	.name = "Threads",
	.short_name = "Thr",
	.place = IN_VIEW,
	.wants = WANT_STACKS,
	.side_panels = true,
	.open = threads_open,
	.close = threads_close,
	.update = threads_update,
	.draw = threads_draw,
	.act = threads_act,
	.click = threads_click,
	.status = threads_status,
	.panel = threads_panel,
};
