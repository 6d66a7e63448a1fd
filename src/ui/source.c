/* The source file of a function, each line with the time spent on it. The text is read once
 * by app/ (struct ui_options.source); where it cannot be had, the lines that were sampled
 * are listed without it. Files change: one that is younger than the process says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ui/figures.h"
#include "ui/list.h"
#include "ui/rows.h"
#include "ui/view.h"

#define WIDE 60 /* from this width on both shares are shown, else the one sorted by */
#define LINES_MOST 200000
#define HOT_PCT 0.05

struct heat {
	uint64_t self_ns, total_ns;
	bool of_function; /* of the one that was opened */
};

struct source {
	uint64_t function;
	char name[512], file[1024];
	bool tried, newer;
	struct ui_source text;
	struct error why;     /* there is no text */
	VEC(uint32_t) starts; /* of the lines, in text */
	struct heat *heat;    /* by line - 1 */
	int *lines;	      /* without text: the numbers of the lines listed */
	size_t n_heat, n_lines;
	bool by_total, placed;
	int skip;
	struct list list;
	struct box box;
};

static void *source_open(struct shared *sh)
{
	struct source *v = xcalloc(1, sizeof(*v));

	v->function = sh->function;
	return v;
}

static void source_close(void *state)
{
	struct source *v = state;

	free(v->text.text);
	free(v->heat);
	free(v->lines);
	VEC_DONE(&v->starts);
	free(v);
}

/* The file that most of the function's time is in: inlined code may be of others. */
static void choose_file(struct source *v, const struct snapshot *s)
{
	uint64_t best = 0;
	size_t i, k;

	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];
		uint64_t ns = 0;

		if (f->function != v->function)
			continue;
		snprintf(v->name, sizeof(v->name), "%s", f->name);
		if (!f->file[0])
			continue;
		for (k = i; k < s->n_functions; k++)
			if (s->functions[k].function == v->function &&
			    strcmp(s->functions[k].file, f->file) == 0)
				ns += s->functions[k].self_ns + s->functions[k].total_ns;
		if (ns > best) {
			best = ns;
			snprintf(v->file, sizeof(v->file), "%s", f->file);
		}
	}
}

static void split(struct source *v)
{
	size_t i, from = 0;

	for (i = 0; i <= v->text.n && v->starts.n < LINES_MOST; i++)
		if (i == v->text.n || v->text.text[i] == '\n') {
			if (i > from || i < v->text.n)
				*VEC_PUSH(&v->starts) = (uint32_t)from;
			from = i + 1;
		}
}

static void read_text(struct source *v, const struct shared *sh)
{
	const struct ui_options *o = sh->options;

	v->tried = true;
	if (!o->source) {
		error_set(&v->why, EXIT_FAILED, "sources cannot be read here");
		return;
	}
	if (o->source(o->app, sh->shown->pid, v->file, &v->text, &v->why) != 0)
		return;
	v->newer = sh->shown->start_wall_ns &&
		   v->text.changed_wall_ns > sh->shown->start_wall_ns;
	split(v);
}

/* Heat of all functions in the file: what is around matters too. */
static void add_heat(struct source *v, const struct snapshot *s)
{
	size_t i, n = v->starts.n;

	for (i = 0; i < s->n_functions; i++)
		if (s->functions[i].line > 0 && s->functions[i].line <= LINES_MOST &&
		    strcmp(s->functions[i].file, v->file) == 0 &&
		    (size_t)s->functions[i].line > n)
			n = (size_t)s->functions[i].line;
	free(v->heat);
	v->heat = xcalloc(n + 1, sizeof(*v->heat));
	v->n_heat = n;
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];
		struct heat *h;

		if (f->line < 1 || (size_t)f->line > n || strcmp(f->file, v->file) != 0)
			continue;
		h = &v->heat[f->line - 1];
		h->self_ns += f->self_ns;
		/* Inlined into each other on one line: the outermost says it all. */
		if (f->total_ns > h->total_ns)
			h->total_ns = f->total_ns;
		h->of_function |= f->function == v->function;
	}
}

static int line_of_row(const struct source *v, size_t row)
{
	if (v->starts.n)
		return (int)row + 1;
	return row < v->n_lines ? v->lines[row] : 0;
}

static void list_hot_lines(struct source *v)
{
	size_t i;

	free(v->lines);
	v->lines = xcalloc(v->n_heat + 1, sizeof(*v->lines));
	v->n_lines = 0;
	for (i = 0; i < v->n_heat; i++)
		if (v->heat[i].total_ns)
			v->lines[v->n_lines++] = (int)i + 1;
}

static uint64_t heat_of(const struct source *v, int line)
{
	if (line < 1 || (size_t)line > v->n_heat)
		return 0;
	return v->by_total ? v->heat[line - 1].total_ns : v->heat[line - 1].self_ns;
}

/* To the function's hottest line. */
static void place_cursor(struct source *v)
{
	size_t row, rows = v->starts.n ? v->starts.n : v->n_lines, best = 0;
	uint64_t most = 0;

	for (row = 0; row < rows; row++) {
		int line = line_of_row(v, row);
		const struct heat *h =
		    (size_t)line <= v->n_heat ? &v->heat[line - 1] : NULL;

		if (h && h->of_function && h->self_ns + h->total_ns > most) {
			most = h->self_ns + h->total_ns;
			best = row;
		}
	}
	v->placed = most > 0;
	v->list.selected = best;
	v->list.top = best > 8 ? best - 8 : 0;
}

static void source_update(void *state, const struct shared *sh)
{
	struct source *v = state;

	if (!sh->shown->by_line)
		return; /* asked for; not here yet */
	if (!v->file[0])
		choose_file(v, sh->shown);
	if (!v->file[0])
		return;
	if (!v->tried)
		read_text(v, sh);
	add_heat(v, sh->shown);
	if (!v->starts.n)
		list_hot_lines(v);
	if (!v->placed)
		place_cursor(v);
}

static void draw_text(const struct source *v, struct canvas *c, struct box row, int line,
		      enum role role)
{
	size_t from = v->starts.v[line - 1], n = 0, cells = 0;
	char buf[2048];

	while (from + n < v->text.n && v->text.text[from + n] != '\n')
		n++;
	/* Tabs to blanks; the canvas cleans the rest. */
	for (; n && cells + 9 < sizeof(buf); from++, n--) {
		if (v->text.text[from] != '\t') {
			buf[cells++] = v->text.text[from];
			continue;
		}
		do
			buf[cells++] = ' ';
		while (cells % 8);
	}
	buf[cells] = '\0';
	canvas_cut(c, row.x, row.y, row.width, role, buf, v->skip);
}

static bool matches(const struct source *v, const struct shared *sh, int line)
{
	size_t from = v->starts.v[line - 1], n = 0;
	char buf[512];

	while (from + n < v->text.n && v->text.text[from + n] != '\n' &&
	       n + 1 < sizeof(buf))
		n++;
	memcpy(buf, v->text.text + from, n);
	buf[n] = '\0';
	return filter_text(&sh->filter, buf);
}

static void draw_line(const struct source *v, const struct shared *sh, struct canvas *c,
		      size_t row, int y)
{
	const struct snapshot *s = sh->shown;
	int line = line_of_row(v, row), x = v->box.x, width = v->box.width;
	const struct heat *h = (size_t)line <= v->n_heat ? &v->heat[line - 1] : NULL;
	bool found = sh->filter.text[0] && v->starts.n && matches(v, sh, line);

	if (h && h->self_ns && width >= WIDE)
		row_pct(c, x + 1, y, 6, snapshot_pct(s, h->self_ns), shared_few(s));
	if (h && h->total_ns && width >= WIDE)
		row_pct(c, x + 9, y, 6, snapshot_pct(s, h->total_ns), shared_few(s));
	if (h && heat_of(v, line) && width < WIDE)
		row_pct(c, x + 1, y, 6, snapshot_pct(s, heat_of(v, line)), shared_few(s));
	x += width >= WIDE ? 17 : 9;
	canvas_fmt(c, x, y, 7, ROLE_DIM, "%6d", line);
	if (v->starts.n)
		draw_text(v, c, (struct box){ x + 8, y, v->box.x + width - x - 8, 1 },
			  line,
			  found			? ROLE_TAG
			  : h && h->of_function ? ROLE_STRONG
						: ROLE_TEXT);
	if (row == v->list.selected)
		list_mark(&v->list, c, y, width);
}

static void draw_title(const struct source *v, struct canvas *c, struct box b)
{
	int at = b.x + (b.width >= WIDE ? 17 : 9), room = b.x + b.width - at - 8;
	const char *file = v->file, *slash;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	if (b.width >= WIDE || !v->by_total)
		canvas_right(c, b.x + 1, b.y, 6, v->by_total ? ROLE_HEADING : ROLE_SORTED,
			     v->by_total ? "SELF%" : "SELF%v");
	if (b.width >= WIDE || v->by_total)
		canvas_right(c, at - 8, b.y, 7, v->by_total ? ROLE_SORTED : ROLE_HEADING,
			     v->by_total ? "TOTAL%v" : "TOTAL%");
	canvas_put(c, at, b.y, 6, ROLE_HEADING, "  LINE");
	/* The end of a path says more than its beginning. */
	while (canvas_cells(c, file, room + 1) > room && (slash = strchr(file, '/')) &&
	       slash[1])
		file = slash + 1;
	canvas_cut(c, at + 8, b.y, room, ROLE_HEADING, file, 0);
}

static void draw_without(const struct source *v, const struct shared *sh,
			 struct canvas *c, struct box b)
{
	if (!sh->shown->by_line)
		canvas_put(c, b.x + 1, b.y + 1, b.width - 1, ROLE_DIM,
			   "asking for the lines ...");
	else
		canvas_fmt(c, b.x + 1, b.y + 1, b.width - 1, ROLE_TEXT,
			   "no line is known of %.200s",
			   v->name[0] ? v->name : "this function");
	if (sh->shown->by_line)
		canvas_put(
		    c, b.x + 1, b.y + 2, b.width - 1, ROLE_DIM,
		    "lines need debug information (-g) or an interpreted language");
}

static void source_draw(void *state, const struct shared *sh, struct canvas *c,
			struct box b)
{
	struct source *v = state;
	size_t rows = v->starts.n ? v->starts.n : v->n_lines;
	const char *warning = v->newer ? "the file is newer than the process: lines "
					 "may have moved"
			      : !v->starts.n ? v->why.cause
					     : "";
	int i, notes;

	v->box = b;
	if (!v->file[0] || !v->heat) {
		draw_without(v, sh, c, b);
		return;
	}
	notes = warning[0] ? 1 : 0;
	draw_title(v, c, b);
	if (notes)
		canvas_cut(c, b.x + 1, b.y + 1, b.width - 1, ROLE_WARN, warning, 0);
	list_lay(&v->list, rows,
		 (struct box){ b.x, b.y + 1 + notes, b.width, b.height - 1 - notes });
	for (i = 0; i < v->list.page && v->list.top + (size_t)i < rows; i++)
		draw_line(v, sh, c, v->list.top + (size_t)i, v->list.y + i);
}

/* The next line that is hot, or matches what is looked for. */
static void step(struct source *v, const struct shared *sh, int by)
{
	size_t rows = v->starts.n ? v->starts.n : v->n_lines, row = v->list.selected;
	uint64_t least = (uint64_t)((double)sh->shown->weight_ns * HOT_PCT / 100) + 1;

	for (;;) {
		if ((by < 0 && row == 0) || (by > 0 && row + 1 >= rows))
			return;
		row = by < 0 ? row - 1 : row + 1;
		if (sh->filter.text[0] && v->starts.n
			? matches(v, sh, line_of_row(v, row))
			: heat_of(v, line_of_row(v, row)) >= least) {
			list_select(&v->list, row);
			return;
		}
	}
}

static bool source_act(void *state, struct shared *sh, enum action action)
{
	struct source *v = state;

	if (list_act(&v->list, action))
		return true;
	switch (action) {
	case ACTION_NEXT_MATCH:
	case ACTION_PREVIOUS_MATCH:
		step(v, sh, action == ACTION_NEXT_MATCH ? 1 : -1);
		return true;
	case ACTION_SORT_SELF:
	case ACTION_SORT_TOTAL:
		v->by_total = action == ACTION_SORT_TOTAL;
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

static void source_click(void *state, struct shared *sh, int x, int y)
{
	struct source *v = state;
	size_t row = list_hit(&v->list, y);

	(void)sh;
	(void)x;
	if (row < v->list.n)
		list_select(&v->list, row);
}

static void source_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct source *v = state;

	(void)sh;
	snprintf(buf, size, "of %.50s", v->name);
}

const struct view source_view = {
	.name = "source",
	.short_name = "Source",
	.place = IN_VIEW,
	.folds = true,
	.wants = WANT_LINES,
	.open = source_open,
	.close = source_close,
	.update = source_update,
	.draw = source_draw,
	.act = source_act,
	.click = source_click,
	.status = source_status,
};
