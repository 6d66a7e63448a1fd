/* The call tree, heaviest branches first, library frames folded: where the time goes, from
 * the program's entry down. A line keeps its place by its path, so it stays selected and
 * open while figures change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ui/branches.h"
#include "ui/figures.h"
#include "ui/list.h"
#include "ui/rows.h"
#include "ui/view.h"

#define SKIP_STEP 8
#define SKIP_MAX 1200

struct calltree {
	uint64_t of_number;
	const struct snapshot *of; /* what children and branches were made from */
	struct children children;
	struct branches branches;
	struct branch_marks marks;
	bool stale, folded;
	double least_pct;
	uint64_t selected; /* path; 0: whatever is first */
	int skip;
	struct list list;
	struct box box;
};

static void *calltree_open(struct shared *sh)
{
	struct calltree *v = xcalloc(1, sizeof(*v));

	(void)sh;
	v->folded = true;
	v->least_pct = 1;
	return v;
}

static void calltree_close(void *state)
{
	struct calltree *v = state;

	children_done(&v->children);
	branches_done(&v->branches);
	VEC_DONE(&v->marks.opened);
	VEC_DONE(&v->marks.closed);
	free(v);
}

/* Work is put off until the tree is drawn: it may not be on the screen. */
static void calltree_update(void *state, const struct shared *sh)
{
	struct calltree *v = state;

	v->stale = true;
	if (sh->shown != v->of || sh->shown->number != v->of_number)
		v->of = NULL;
}

static void rebuild(struct calltree *v, const struct shared *sh)
{
	const struct branch_spec spec = { .least_pct = v->least_pct,
					  .fold_libraries = v->folded,
					  .marks = &v->marks,
					  .filter = &sh->filter };
	size_t i;

	if (v->of != sh->shown)
		children_build(&v->children, sh->shown);
	v->of = sh->shown;
	v->of_number = sh->shown->number;
	v->stale = false;
	branches_build(&v->branches, sh->shown, &v->children, &spec);
	for (i = 0; v->selected && i < v->branches.lines.n; i++)
		if (v->branches.lines.v[i].path == v->selected)
			v->list.selected = i;
	if (!v->selected)
		v->list.selected = 0;
}

static const struct branch *selected(const struct calltree *v)
{
	return v->list.selected < v->branches.lines.n
		   ? &v->branches.lines.v[v->list.selected]
		   : NULL;
}

static const struct snapshot_function *function_of(const struct snapshot *s,
						   const struct branch *b)
{
	return &s->functions[s->nodes[b->node].function];
}

/* The rails of the levels above, then the fork to this line. */
static size_t add_rails(const struct branch *b, bool ascii, int step, char *buf,
			size_t size)
{
	static const char *const forks[2][2] = { { "\u251c\u2500", "\u2514\u2500" },
						 { "|-", "`-" } };
	size_t n = 0;
	unsigned d;

	if (b->depth == 0) { /* where threads start: nothing above */
		buf[0] = '\0';
		return 0;
	}
	for (d = 1; d < b->depth && n < size; d++)
		n += (size_t)snprintf(buf + n, size - n, "%s%*s",
				      d < 64 && !(b->rails >> d & 1) ? " "
				      : ascii			     ? "|"
								     : "\u2502",
				      step - 1, "");
	if (n < size)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", forks[ascii][b->last],
				      step > 2 ? " " : "");
	return n < size ? n : size - 1;
}

static void describe(const struct calltree *v, const struct snapshot *s,
		     const struct branch *b, char *buf, size_t size)
{
	char modules[80];

	switch (b->kind) {
	case BRANCH_NODE:
		snprintf(buf, size, "%s%.900s", b->closed ? "+ " : "",
			 function_of(s, b)->name);
		break;
	case BRANCH_SELF:
		snprintf(buf, size, "[self]");
		break;
	case BRANCH_HIDDEN:
		branches_modules(s, &v->children, b, modules, sizeof(modules));
		snprintf(buf, size, "%s[%u frames hidden] %s", b->closed ? "+ " : "",
			 b->count, modules);
		break;
	case BRANCH_SMALL:
		snprintf(buf, size, "%u more below %g%%", b->count, v->least_pct);
		break;
	case BRANCH_CUT:
		snprintf(buf, size,
			 "... more lines than can be shown: raise the threshold");
		break;
	}
}

static enum role role_of(const struct snapshot *s, const struct branch *b)
{
	if (b->kind != BRANCH_NODE)
		return ROLE_DIM;
	return row_role(function_of(s, b));
}

static void draw_name(const struct calltree *v, const struct shared *sh,
		      const struct branch *b, struct canvas *c, struct box row)
{
	char text[4096];
	int step = sh->shown && c->width >= 100 ? 3 : 2, skip = v->skip, rails;
	size_t n = add_rails(b, c->ascii, step, text, sizeof(text) / 2);
	int x = row.x;

	rails = canvas_cells(c, text, CANVAS_WIDTH_MAX);
	if (rails > skip) {
		x += canvas_cut(c, x, row.y, row.width, ROLE_DIM, text, skip);
		skip = 0;
	} else {
		skip -= rails;
	}
	describe(v, sh->shown, b, text + n, sizeof(text) - n);
	if (x < row.x + row.width)
		canvas_cut(c, x, row.y, row.x + row.width - x, role_of(sh->shown, b),
			   text + n, skip);
}

static void draw_line(const struct calltree *v, const struct shared *sh, struct canvas *c,
		      size_t i, int y)
{
	const struct snapshot *s = sh->shown;
	const struct branch *b = &v->branches.lines.v[i];
	int x = v->box.x, width = v->box.width, file = row_file_cells(width), at = x + 9;
	bool few = shared_few(s);

	row_pct(c, x + 1, y, 6, snapshot_pct(s, b->total_ns), few);
	if (width >= 60) {
		canvas_right(c, x + 9, y, 6, ROLE_TEXT, fig_time(b->total_ns).s);
		at = x + 17;
	}
	if (baseline_fits(&sh->base, sh->shown) && width >= 60) {
		if (b->kind == BRANCH_NODE)
			row_delta(c, at, y, 6,
				  snapshot_pct(s, b->total_ns) -
				      baseline_path(&sh->base, b->path).total_pct);
		at += 8;
	}
	draw_name(v, sh, b, c, (struct box){ at, y, x + width - file - 1 - at, 1 });
	if (file && b->kind == BRANCH_NODE)
		row_place(c, x + width - file, y, file, function_of(s, b), false);
	if (i == v->list.selected)
		list_mark(&v->list, c, y, width);
}

static void draw_title(const struct calltree *v, const struct shared *sh,
		       struct canvas *c, struct box b)
{
	int file = row_file_cells(b.width), at = b.x + 9;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	canvas_right(c, b.x + 1, b.y, 6, ROLE_SORTED, "TOTAL%");
	if (b.width >= 60) {
		canvas_right(c, b.x + 9, b.y, 6, ROLE_HEADING, "TOTAL");
		at = b.x + 17;
	}
	if (baseline_fits(&sh->base, sh->shown) && b.width >= 60) {
		canvas_right(c, at, b.y, 7, ROLE_HEADING, "vs base");
		at += 8;
	}
	canvas_fmt(c, at, b.y, b.width - at, ROLE_HEADING, "CALL TREE%s",
		   v->folded ? "  (libraries folded: x)" : "");
	if (file)
		canvas_put(c, b.x + b.width - file, b.y, file, ROLE_HEADING, "FILE:LINE");
}

static void calltree_draw(void *state, const struct shared *sh, struct canvas *c,
			  struct box b)
{
	struct calltree *v = state;
	int i;

	v->box = b;
	if (!row_tree_there(sh, c, b))
		return;
	if (v->stale || v->of != sh->shown)
		rebuild(v, sh);
	draw_title(v, sh, c, b);
	list_lay(&v->list, v->branches.lines.n,
		 (struct box){ b.x, b.y + 1, b.width, b.height - 1 });
	for (i = 0; i < v->list.page && v->list.top + (size_t)i < v->branches.lines.n;
	     i++)
		draw_line(v, sh, c, v->list.top + (size_t)i, b.y + 1 + i);
	if (v->branches.lines.n == 0)
		row_nothing(sh, c, (struct box){ b.x, b.y + 1, b.width, 1 });
}

/* The lines are of the picture that is shown: keys may come before it has a tree. */
static bool current(const struct calltree *v, const struct shared *sh)
{
	return sh->shown && sh->shown->n_nodes && v->of == sh->shown;
}

static void note_selected(struct calltree *v, struct shared *sh)
{
	const struct branch *b = selected(v);

	v->selected = b ? b->path : 0;
	if (b && (b->kind == BRANCH_NODE || b->kind == BRANCH_SELF))
		sh->function = function_of(sh->shown, b)->function;
}

static void unmark(uint64_t *list, size_t *n, uint64_t path)
{
	size_t i;

	for (i = 0; i < *n; i++)
		if (list[i] == path)
			list[i--] = list[--*n];
}

static void open_line(struct calltree *v, const struct branch *b)
{
	unmark(v->marks.closed.v, &v->marks.closed.n, b->path);
	if (!branch_marked(v->marks.opened.v, v->marks.opened.n, b->path))
		*VEC_PUSH(&v->marks.opened) = b->path;
}

static void close_line(struct calltree *v, const struct branch *b)
{
	uint64_t inner = b->path + BRANCH_HIDDEN;

	/* What had been opened on this line folds again first. */
	if (b->kind == BRANCH_NODE &&
	    branch_marked(v->marks.opened.v, v->marks.opened.n, inner)) {
		unmark(v->marks.opened.v, &v->marks.opened.n, inner);
		v->selected = inner;
		return;
	}
	unmark(v->marks.opened.v, &v->marks.opened.n, b->path);
	if (b->kind != BRANCH_SELF && b->kind != BRANCH_SMALL)
		*VEC_PUSH(&v->marks.closed) = b->path;
}

static void open_or_close_all(struct calltree *v)
{
	VEC_CLEAR(&v->marks.opened);
	VEC_CLEAR(&v->marks.closed);
	v->marks.all_closed = !v->marks.all_closed;
	v->selected = 0;
}

static bool act_on_lines(struct calltree *v, struct shared *sh, enum action action)
{
	const struct branch *b = selected(v);

	v->stale = true;
	switch (action) {
	case ACTION_MORE:
		if (b)
			open_line(v, b);
		return true;
	case ACTION_LESS:
		if (b)
			close_line(v, b);
		return true;
	case ACTION_ALL:
		open_or_close_all(v);
		return true;
	case ACTION_SOURCE:
		note_selected(v, sh);
		sh->open_over = b ? &source_view : NULL;
		return true;
	case ACTION_LIBRARIES:
		v->folded = !v->folded;
		return true;
	case ACTION_OPEN:
		if (b && (b->kind == BRANCH_HIDDEN || b->kind == BRANCH_SMALL)) {
			open_line(v, b);
			return true;
		}
		note_selected(v, sh);
		sh->open_over = b ? &callers_view : NULL;
		return true;
	default:
		return false;
	}
}

static bool calltree_act(void *state, struct shared *sh, enum action action)
{
	struct calltree *v = state;

	if (!current(v, sh) && (action == ACTION_SOURCE || action == ACTION_OPEN))
		return true;
	if (list_act(&v->list, action)) {
		if (current(v, sh))
			note_selected(v, sh);
		if (action == ACTION_FIRST)
			v->selected = 0;
		return true;
	}
	if (action == ACTION_LEFT || action == ACTION_RIGHT) {
		v->skip += action == ACTION_RIGHT ? SKIP_STEP : -SKIP_STEP;
		v->skip = v->skip < 0 ? 0 : v->skip > SKIP_MAX ? SKIP_MAX : v->skip;
		return true;
	}
	return act_on_lines(v, sh, action);
}

static void calltree_click(void *state, struct shared *sh, int x, int y)
{
	struct calltree *v = state;
	size_t row = list_hit(&v->list, y);

	(void)x;
	if (row >= v->list.n || !current(v, sh))
		return;
	list_select(&v->list, row);
	note_selected(v, sh);
}

static void calltree_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	struct calltree *v = state;

	(void)sh;
	list_status(&v->list, buf, size);
}

const struct view calltree_view = {
	.name = "Tree",
	.short_name = "Tree",
	.place = IN_VIEW,
	.wants = WANT_TREE,
	.shows_lines = true,
	.side_panels = true,
	.open = calltree_open,
	.close = calltree_close,
	.update = calltree_update,
	.draw = calltree_draw,
	.act = calltree_act,
	.click = calltree_click,
	.status = calltree_status,
};
