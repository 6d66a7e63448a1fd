/* The function list: one row a function, sorted, filtered, with a selected row that stays
 * with its function while the figures move. The order is held still for three seconds
 * after the selection moved, because a list that runs away under the cursor cannot be
 * read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "ui/around.h"
#include "ui/columns.h"
#include "ui/figures.h"
#include "ui/order.h"
#include "ui/rows.h"
#include "ui/trends.h"
#include "ui/view.h"

#define STILL_NS (3 * NS_PER_SEC)
/* Rows change places no more often than this: a list that is sorted each second cannot be
 * read, and most of what a slow line carries is rows that swap. */
#define SORT_NS (3 * NS_PER_SEC)
#define EARLY_NS (5 * NS_PER_SEC) /* until then the order is still to be found */
#define SKIP_STEP 8
#define AROUND_LINES 18
#define SKIP_MAX 4096

struct functions {
	struct order order;
	enum sort_key sort;
	bool inverted;
	bool has_pin;
	uint64_t pin;
	size_t selected, top; /* indices into order; top is the first row that scrolls */
	uint64_t selected_key;
	bool follow; /* the selection stays with selected_key, not with the first row */
	uint64_t sorted_ns; /* when the rows were put in order last */
	uint64_t moved_ns;  /* when the selection was last moved by hand; 0 never */
	double least_pct;
	uint64_t kind; /* of the picture the rows are of */
	int skip;      /* cells of long names scrolled away */
	int page;      /* rows drawn last */
	struct columns columns;
	struct box box;
	struct trends trends;
	struct around *around; /* the selected row's, below the list of a large screen */
	char filter[sizeof(((struct filter *)0)->text)]; /* the order was built for */
};

static void *functions_open(struct shared *sh)
{
	struct functions *v = xcalloc(1, sizeof(*v));

	(void)sh;
	v->page = 1;
	v->around = around_new();
	v->columns = columns_lay(80, false, false);
	return v;
}

static void functions_close(void *state)
{
	struct functions *v = state;

	order_done(&v->order);
	around_free(v->around);
	free(v);
}

static size_t rows_fixed(const struct functions *v)
{
	return v->order.pinned ? 1 : 0;
}

/* Keeps selection and scrolling inside the list, and the selected row in sight. */
static void settle(struct functions *v)
{
	size_t fixed = rows_fixed(v), page = (size_t)v->page, n = v->order.n;
	size_t room = page > fixed ? page - fixed : 1;

	if (v->selected >= n)
		v->selected = n ? n - 1 : 0;
	if (n)
		v->selected_key = v->order.keys[v->selected];
	if (v->selected >= fixed && v->selected < v->top)
		v->top = v->selected;
	if (v->selected >= v->top + room)
		v->top = v->selected - room + 1;
	if (v->top + room > n)
		v->top = n > room ? n - room : 0;
	if (v->top < fixed)
		v->top = fixed;
}

static struct order_spec spec_of(const struct functions *v, const struct shared *sh)
{
	return (struct order_spec){ .sort = v->sort,
				    .inverted = v->inverted,
				    .has_pin = v->has_pin,
				    .pin = v->pin,
				    .filter = &sh->filter,
				    .least_pct = v->least_pct,
				    .base = &sh->base };
}

static void rebuild(struct functions *v, const struct shared *sh, bool keep)
{
	struct order_spec spec = spec_of(v, sh);
	size_t found;

	if (!sh->shown)
		return;
	spec.keep = keep;
	order_build(&v->order, sh->shown, &spec);
	if (v->follow) {
		found = order_find(&v->order, v->selected_key);
		if (found < v->order.n)
			v->selected = found;
	} else {
		v->selected = 0;
	}
	settle(v);
}

/* Pictures of one kind have the same rows, more or less. */
static uint64_t kind_of(const struct shared *sh)
{
	const struct snapshot *s = sh->shown;

	return hash_pair(s->window_ns, (uint64_t)s->only_tid << 8 |
					   (uint64_t)s->mode << 4 |
					   (uint64_t)s->by_line << 3 |
					   (uint64_t)s->threads_merged << 2 |
					   (uint64_t)sh->settings.folded << 1 | s->past);
}

static void functions_update(void *state, const struct shared *sh)
{
	struct functions *v = state;
	bool still = (v->moved_ns && sh->now_ns - v->moved_ns < STILL_NS) ||
		     (v->sorted_ns && sh->now_ns - v->sorted_ns < SORT_NS && sh->shown &&
		      sh->shown->covered_ns > EARLY_NS);

	if (!sh->shown)
		return;
	still =
	    still && strcmp(v->filter, sh->filter.text) == 0 && v->kind == kind_of(sh);
	v->kind = kind_of(sh);
	if (!still)
		v->sorted_ns = sh->now_ns;
	memcpy(v->filter, sh->filter.text, sizeof(v->filter));
	trends_update(&v->trends, sh->shown);
	around_forget(v->around);
	rebuild(v, sh, still);
}

static void draw_names(const struct functions *v, const struct snapshot *s,
		       const struct snapshot_function *f, struct canvas *c, int x, int y)
{
	const struct columns *cols = &v->columns;
	const char *thread = f->thread < s->n_threads ? s->threads[f->thread].name : "";
	int at = x + cols->at[COLUMN_FUNCTION].x, width = cols->at[COLUMN_FUNCTION].width;

	if (cols->at[COLUMN_THREAD].width) {
		canvas_cut(c, x + cols->at[COLUMN_THREAD].x, y,
			   cols->at[COLUMN_THREAD].width, ROLE_TEXT, thread, 0);
	} else if (thread[0] &&
		   width > 20) { /* no room for a column: a few cells at the end */
		width -= 9;
		canvas_cut(c, at + width + 1, y, 8, ROLE_DIM, thread, 0);
	}
	canvas_cut(c, at, y, width, row_role(f), f->name, v->skip);
	if (cols->at[COLUMN_MODULE].width)
		canvas_cut(c, x + cols->at[COLUMN_MODULE].x, y,
			   cols->at[COLUMN_MODULE].width, ROLE_TEXT, f->module, 0);
	if (cols->at[COLUMN_FILE].width)
		row_place(c, x + cols->at[COLUMN_FILE].x, y, cols->at[COLUMN_FILE].width,
			  f, cols->at[COLUMN_MODULE].width > 0);
}

static void draw_row(struct functions *v, const struct shared *sh, struct canvas *c,
		     size_t row, int y)
{
	const struct snapshot *s = sh->shown;
	const struct snapshot_function *f = &s->functions[v->order.rows[row]];
	const struct columns *cols = &v->columns;
	bool few = shared_few(s);
	int x = v->box.x;

	if (row == v->selected)
		canvas_put(c, x, y, 1, ROLE_STRONG, ">");
	else if (row < rows_fixed(v))
		canvas_put(c, x, y, 1, ROLE_STRONG, "=");
	row_pct(c, x + cols->at[COLUMN_SELF_PCT].x, y, cols->at[COLUMN_SELF_PCT].width,
		snapshot_pct(s, f->self_ns), few);
	if (cols->at[COLUMN_TOTAL_PCT].width)
		row_pct(c, x + cols->at[COLUMN_TOTAL_PCT].x, y,
			cols->at[COLUMN_TOTAL_PCT].width, snapshot_pct(s, f->total_ns),
			few);
	if (cols->at[COLUMN_DELTA].width)
		row_delta(c, x + cols->at[COLUMN_DELTA].x, y,
			  cols->at[COLUMN_DELTA].width, order_delta(s, f, &sh->base));
	if (cols->at[COLUMN_SELF].width)
		canvas_right(c, x + cols->at[COLUMN_SELF].x, y,
			     cols->at[COLUMN_SELF].width, ROLE_TEXT,
			     fig_time(f->self_ns).s);
	if (cols->at[COLUMN_TOTAL].width)
		canvas_right(c, x + cols->at[COLUMN_TOTAL].x, y,
			     cols->at[COLUMN_TOTAL].width, ROLE_TEXT,
			     fig_time(f->total_ns).s);
	if (cols->at[COLUMN_TREND].width)
		trends_draw(&v->trends, v->order.keys[row], f->trend, c,
			    x + cols->at[COLUMN_TREND].x, y,
			    cols->at[COLUMN_TREND].width);
	draw_names(v, s, f, c, x, y);
	if (row == v->selected) {
		canvas_select(c, x, y, v->box.width);
		c->cursor_x = x;
		c->cursor_y = y;
	}
}

/* What the filter leaves out, when there is room to say so. */
static void draw_sum(const struct functions *v, const struct shared *sh, struct canvas *c,
		     int y)
{
	const struct snapshot *s = sh->shown;

	if (y >= v->box.y + v->box.height)
		return;
	if (v->order.small) {
		canvas_fmt(c, v->box.x + 1, y, v->box.width - 1, ROLE_DIM,
			   "%zu more below %g%%, %.1f%% of self time (- lowers)",
			   v->order.small, v->least_pct,
			   snapshot_pct(s, v->order.small_ns));
		y++;
	}
	if (!sh->filter.text[0] || y >= v->box.y + v->box.height)
		return;
	canvas_fmt(c, v->box.x + 1, y, v->box.width - 1, ROLE_DIM,
		   "%zu of %zu shown, %.1f%% of self time", v->order.n, s->n_functions,
		   snapshot_pct(s, v->order.self_ns));
}

/* Below the list; returns the lines left for that. Always as many, or the list would move
 * with every step through it. */
static int draw_around(struct functions *v, const struct shared *sh, struct canvas *c,
		       struct box b)
{
	int lines = b.height / 2 < AROUND_LINES ? b.height / 2 : AROUND_LINES;
	const struct snapshot *s = sh->shown;

	if (!sh->roomy || v->order.n == 0 || v->selected >= v->order.n)
		return b.height;
	b.y += b.height - lines;
	around_draw(v->around, sh, s->functions[v->order.rows[v->selected]].function, c,
		    (struct box){ b.x, b.y, b.width, lines });
	return b.height - lines - 1;
}

static void functions_draw(void *state, const struct shared *sh, struct canvas *c,
			   struct box b)
{
	struct functions *v = state;
	const struct snapshot *s = sh->shown;
	struct order_spec spec = spec_of(v, sh);
	char trend[40];
	size_t row, fixed;
	int i;

	b.height = draw_around(v, sh, c, b);
	v->box = b;
	v->page = b.height > 2 ? b.height - 1 : 1;
	v->columns =
	    columns_lay(b.width, !s->threads_merged, baseline_fits(&sh->base, s));
	snprintf(trend, sizeof(trend), "TREND %s", fig_span(s->window_ns).s);
	columns_title(&v->columns, c, (struct box){ b.x, b.y, b.width, 1 }, &spec, trend);
	settle(v);
	if (v->order.n == 0) {
		row_nothing(sh, c, (struct box){ b.x, b.y + 1, b.width, 1 });
		return;
	}
	fixed = rows_fixed(v);
	for (i = 0; i < v->page && b.y + 1 + i < b.y + b.height; i++) {
		row = (size_t)i < fixed ? (size_t)i : v->top + (size_t)i - fixed;
		if (row >= v->order.n)
			break;
		draw_row(v, sh, c, row, b.y + 1 + i);
	}
	draw_sum(v, sh, c, b.y + 1 + i);
}

static void select_row(struct functions *v, struct shared *sh, size_t row)
{
	v->selected = row;
	v->follow = true;
	v->moved_ns = sh->now_ns;
	settle(v);
	if (v->order.n)
		sh->function = sh->shown->functions[v->order.rows[v->selected]].function;
}

static void move(struct functions *v, struct shared *sh, long by)
{
	size_t step = (size_t)(by < 0 ? -by : by);

	if (by < 0)
		select_row(v, sh, v->selected > step ? v->selected - step : 0);
	else
		select_row(v, sh, v->selected + step);
}

static void sort_by(struct functions *v, const struct shared *sh, enum sort_key key)
{
	v->sort = key;
	v->inverted = false;
	v->moved_ns = 0;
	rebuild(v, sh, false);
}

/* The next sort key that has a column on this screen. */
static void sort_step(struct functions *v, const struct shared *sh, int by)
{
	enum sort_key key = v->sort;
	int tries, i;

	for (tries = 0; tries < SORT_KEYS; tries++) {
		key = (enum sort_key)(((int)key + by + SORT_KEYS) % SORT_KEYS);
		for (i = 0; i < COLUMNS; i++)
			if (v->columns.at[i].width &&
			    columns_sort((enum column)i) == key) {
				sort_by(v, sh, key);
				return;
			}
	}
}

static void pin(struct functions *v, struct shared *sh)
{
	char text[200];

	if (v->order.n == 0)
		return;
	v->has_pin = !(v->has_pin && v->pin == v->selected_key);
	v->pin = v->selected_key;
	v->follow = true; /* the selection goes where its row goes */
	snprintf(text, sizeof(text),
		 v->has_pin ? "pinned: %.160s" : "no longer pinned: %.160s",
		 sh->shown->functions[v->order.rows[v->selected]].name);
	notes_show(&sh->notes, sh->now_ns, false, text);
	rebuild(v, sh, false);
}

static void step_threshold(struct functions *v, struct shared *sh, bool up)
{
	static const double steps[] = { 0, 0.1, 0.5, 1, 2, 5 };
	int i, n = (int)(sizeof(steps) / sizeof(*steps));
	char text[64];

	for (i = 0; i < n && steps[i] < v->least_pct; i++)
		;
	i += up ? 1 : -1;
	i = i < 0 ? 0 : i >= n ? n - 1 : i;
	v->least_pct = steps[i];
	snprintf(text, sizeof(text), i ? "rows from %g%% up" : "all rows", steps[i]);
	notes_show(&sh->notes, sh->now_ns, false, text);
	rebuild(v, sh, false);
}

static void open_row(struct functions *v, struct shared *sh, const struct view *over)
{
	if (v->order.n == 0)
		return;
	sh->function = sh->shown->functions[v->order.rows[v->selected]].function;
	sh->open_over = over;
}

static bool act_look(struct functions *v, struct shared *sh, enum action action)
{
	switch (action) {
	case ACTION_SORT_NEXT:
		sort_step(v, sh, 1);
		return true;
	case ACTION_SORT_PREVIOUS:
		sort_step(v, sh, -1);
		return true;
	case ACTION_SORT_SELF:
		sort_by(v, sh, SORT_SELF);
		return true;
	case ACTION_SORT_TOTAL:
		sort_by(v, sh, SORT_TOTAL);
		return true;
	case ACTION_INVERT:
		v->inverted = !v->inverted;
		v->moved_ns = 0;
		rebuild(v, sh, false);
		return true;
	case ACTION_PIN:
		pin(v, sh);
		return true;
	case ACTION_MORE:
	case ACTION_LESS:
		step_threshold(v, sh, action == ACTION_MORE);
		return true;
	case ACTION_OPEN:
	case ACTION_SOURCE:
		open_row(v, sh, action == ACTION_OPEN ? &callers_view : &source_view);
		return true;
	case ACTION_LEFT:
		v->skip = v->skip > SKIP_STEP ? v->skip - SKIP_STEP : 0;
		return true;
	case ACTION_RIGHT:
		v->skip += v->skip < SKIP_MAX ? SKIP_STEP : 0;
		return true;
	default:
		return false;
	}
}

static bool functions_act(void *state, struct shared *sh, enum action action)
{
	struct functions *v = state;
	long page = v->page > 1 ? v->page - 1 : 1;

	switch (action) {
	case ACTION_UP:
		move(v, sh, -1);
		return true;
	case ACTION_DOWN:
		move(v, sh, 1);
		return true;
	case ACTION_PAGE_UP:
		move(v, sh, -page);
		return true;
	case ACTION_PAGE_DOWN:
		move(v, sh, page);
		return true;
	case ACTION_HALF_UP:
		move(v, sh, -(page + 1) / 2);
		return true;
	case ACTION_HALF_DOWN:
		move(v, sh, (page + 1) / 2);
		return true;
	case ACTION_FIRST: /* back to "whatever is first" */
		select_row(v, sh, 0);
		v->follow = false;
		v->moved_ns = 0;
		return true;
	case ACTION_LAST:
		select_row(v, sh, v->order.n);
		return true;
	default:
		return act_look(v, sh, action);
	}
}

static void functions_click(void *state, struct shared *sh, int x, int y)
{
	struct functions *v = state;
	size_t line, fixed = rows_fixed(v), row;
	enum sort_key key;

	if (y == v->box.y) {
		key = columns_sort(columns_hit(&v->columns, x - v->box.x));
		if (key == v->sort)
			act_look(v, sh, ACTION_INVERT);
		else if (key != SORT_KEYS)
			sort_by(v, sh, key);
		return;
	}
	if (y < v->box.y || y >= v->box.y + v->box.height)
		return;
	line = (size_t)(y - v->box.y - 1);
	row = line < fixed ? line : v->top + line - fixed;
	if (row < v->order.n)
		select_row(v, sh, row);
}

static void functions_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct functions *v = state;
	size_t fixed = rows_fixed(v), n = v->order.n;
	size_t last = v->top + (size_t)v->page - fixed;

	if (last > n)
		last = n;
	if (n == 0)
		snprintf(buf, size, "0 of %zu", sh->shown->n_functions);
	else
		snprintf(buf, size, "%zu-%zu of %zu%s", v->top - fixed + 1, last, n,
			 fixed ? ", 1 pinned" : "");
}

const struct view functions_view = {
	.name = "Functions",
	.short_name = "Func",
	.place = IN_VIEW,
	.folds = true,
	.shows_lines = true,
	.side_panels = true,
	.wants_roomy = WANT_TREE | WANT_HOT_LINES,
	.open = functions_open,
	.close = functions_close,
	.update = functions_update,
	.draw = functions_draw,
	.act = functions_act,
	.click = functions_click,
	.status = functions_status,
};
