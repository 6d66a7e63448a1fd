/* Worked out once for a function and picture, however often it is drawn. Of the source
 * only the lines that are shown are kept, and the file of the last function, so that
 * walking through a list does not read one file again and again. */
#include "ui/around.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/callers.h"
#include "ui/figures.h"
#include "ui/rows.h"

#define HOT_LINES 8
#define FIGURES_CELLS 16 /* of a row, before the name */
#define PLACE_LEAST 50	 /* a half is that wide to show files too */
#define PLACE_CELLS 20

struct hot_line {
	int line;
	uint64_t self_ns, total_ns;
	char text[256]; /* "": the source is not known */
};

struct around {
	uint64_t function; /* what the rest is of; 0: nothing yet */
	char name[256];
	struct neighbours near;
	struct hot_line hot[HOT_LINES];
	int n_hot;
	bool newer; /* the file, than the process */
	char file[1024];
	struct ui_source source; /* of that file; text NULL: it cannot be read */
};

struct around *around_new(void)
{
	return xcalloc(1, sizeof(struct around));
}

void around_free(struct around *a)
{
	neighbours_done(&a->near);
	free(a->source.text);
	free(a);
}

void around_forget(struct around *a)
{
	a->function = 0;
}

/* ---- working it out ---- */

static void read_file(struct around *a, const struct shared *sh, const char *file)
{
	const struct ui_options *o = sh->options;
	struct error err = { 0 };

	if (strcmp(a->file, file) != 0) {
		free(a->source.text);
		a->source = (struct ui_source){ 0 };
		snprintf(a->file, sizeof(a->file), "%s", file);
		if (o->source &&
		    o->source(o->app, sh->shown->pid, file, &a->source, &err) != 0)
			a->source = (struct ui_source){ 0 };
	}
	a->newer = a->source.text && sh->shown->start_wall_ns &&
		   a->source.changed_wall_ns > sh->shown->start_wall_ns;
}

/* Line `line` of the source without its indentation. */
static void copy_line(const struct ui_source *s, int line, char *out, size_t size)
{
	const char *p = s->text, *end = s->text ? s->text + s->n : NULL, *stop;
	size_t n = 0;

	for (; p && line > 1; line--) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p && p + 1 < end ? p + 1 : NULL;
	}
	stop = p ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	if (p && !stop)
		stop = end;
	while (p < stop && (*p == ' ' || *p == '\t'))
		p++;
	for (; p < stop && n + 1 < size; p++)
		out[n++] = *p == '\t' ? ' ' : *p;
	out[n] = '\0';
}

/* Inlined code may be of other files: the lines of the hottest one's file are shown. */
static void find_lines(struct around *a, const struct shared *sh)
{
	const struct snapshot *s = sh->shown;
	const char *file = NULL;
	size_t i;

	a->n_hot = 0;
	for (i = 0; i < s->n_lines && a->n_hot < HOT_LINES; i++) {
		const struct snapshot_function *f = &s->lines[i];
		struct hot_line *hot = &a->hot[a->n_hot];

		if (f->function != a->function || f->line <= 0 || !f->file[0] ||
		    (file && strcmp(f->file, file) != 0))
			continue;
		file = f->file;
		hot->line = f->line;
		hot->self_ns = f->self_ns;
		hot->total_ns = f->total_ns;
		a->n_hot++;
	}
	if (!file)
		return;
	read_file(a, sh, file);
	for (i = 0; i < (size_t)a->n_hot; i++)
		copy_line(&a->source, a->hot[i].line, a->hot[i].text,
			  sizeof(a->hot[i].text));
}

static void look(struct around *a, const struct shared *sh, uint64_t function)
{
	const struct snapshot *s = sh->shown;
	size_t i;

	a->function = function;
	a->name[0] = '\0';
	for (i = 0; i < s->n_functions && !a->name[0]; i++)
		if (s->functions[i].function == function)
			snprintf(a->name, sizeof(a->name), "%s", s->functions[i].name);
	neighbours_find(&a->near, s, function);
	find_lines(a, sh);
}

/* ---- drawing ---- */

static void draw_edge(const struct shared *sh, struct canvas *c, struct box row,
		      const struct edge *e, uint64_t ns)
{
	const struct snapshot *s = sh->shown;
	int x = row.x + FIGURES_CELLS, width = row.width - FIGURES_CELLS - 1;
	const struct snapshot_function *f;

	row_pct(c, row.x + 1, row.y, 6, snapshot_pct(s, ns), shared_few(s));
	canvas_right(c, row.x + 9, row.y, 6, ROLE_TEXT, fig_time(ns).s);
	if (!e || !e->function) {
		canvas_put(c, x, row.y, width, ROLE_DIM,
			   e ? "[start of the thread]" : "[self]");
		return;
	}
	f = &s->functions[e->row];
	if (row.width >= PLACE_LEAST) {
		width -= PLACE_CELLS + 1;
		row_place(c, x + width + 1, row.y, PLACE_CELLS, f, false);
	}
	canvas_cut(c, x, row.y, width, row_role(f), f->name, 0);
}

/* What does not fit is counted in the last line. */
static void draw_more(struct canvas *c, struct box b, size_t more)
{
	canvas_fill(c, b.x, b.y + b.height - 1, b.width, ROLE_TEXT, ' ');
	canvas_fmt(c, b.x + FIGURES_CELLS, b.y + b.height - 1, b.width - FIGURES_CELLS,
		   ROLE_DIM, "+%zu more", more);
}

/* Edges, heaviest first; own time (0: none) is one of them. */
static void draw_half(const struct shared *sh, struct canvas *c, struct box b,
		      const struct edge *edges, size_t n, uint64_t self_ns)
{
	size_t i = 0, rows = n + (self_ns > 0), k;

	for (k = 0; k < rows && k < (size_t)b.height; k++) {
		struct box row = { b.x, b.y + (int)k, b.width, 1 };

		if (self_ns && (i == n || edges[i].ns < self_ns)) {
			draw_edge(sh, c, row, NULL, self_ns);
			self_ns = 0;
		} else {
			draw_edge(sh, c, row, &edges[i], edges[i].ns);
			i++;
		}
	}
	if (rows > (size_t)b.height && b.height > 0)
		draw_more(c, b, rows - (size_t)b.height + 1);
}

static void draw_neighbours(const struct around *a, const struct shared *sh,
			    struct canvas *c, struct box b)
{
	const struct neighbours *n = &a->near;
	int half = b.width / 2;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	canvas_put(c, b.x + 1, b.y, half - 2, ROLE_HEADING, "CALLERS of");
	canvas_cut(c, b.x + 12, b.y, half - 13, ROLE_SORTED, a->name, 0);
	canvas_put(c, b.x + half + 1, b.y, half - 1, ROLE_HEADING,
		   "CALLEES   (% of all samples)");
	b.y++;
	b.height--;
	draw_half(sh, c, (struct box){ b.x, b.y, half, b.height }, n->callers.v,
		  n->callers.n, 0);
	draw_half(sh, c, (struct box){ b.x + half, b.y, b.width - half, b.height },
		  n->callees.v, n->callees.n, n->self_ns);
}

static void draw_hot(const struct around *a, const struct shared *sh, struct canvas *c,
		     struct box b)
{
	const struct snapshot *s = sh->shown;
	int i;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	canvas_fmt(c, b.x + 1, b.y, b.width - 2, ROLE_HEADING,
		   "HOT LINES   self%%  total%%%s%s", a->n_hot ? "   " : "",
		   a->n_hot ? a->file : "");
	if (a->n_hot && !a->source.text)
		canvas_right(c, b.x, b.y, b.width - 1, ROLE_DIM, "source not readable");
	if (a->newer)
		canvas_right(c, b.x, b.y, b.width - 1, ROLE_WARN,
			     "newer than the process");
	for (i = 0; i < a->n_hot && i + 1 < b.height; i++) {
		const struct hot_line *h = &a->hot[i];
		int y = b.y + 1 + i;

		row_pct(c, b.x + 1, y, 6, snapshot_pct(s, h->self_ns), shared_few(s));
		row_pct(c, b.x + 9, y, 6, snapshot_pct(s, h->total_ns), shared_few(s));
		canvas_fmt(c, b.x + 17, y, 7, ROLE_DIM, "%6d", h->line);
		canvas_cut(c, b.x + 25, y, b.width - 25, ROLE_TEXT, h->text, 0);
	}
	if (a->n_hot == 0)
		canvas_put(c, b.x + 1, b.y + 1, b.width - 1, ROLE_DIM,
			   !(s->wants & WANT_HOT_LINES)
			       ? "asking for the lines ..."
			       : "no line is known: that needs -g or an interpreted "
				 "language");
}

void around_draw(struct around *a, const struct shared *sh, uint64_t function,
		 struct canvas *c, struct box b)
{
	int upper = (b.height - 1) / 2 + 1;

	if (b.height < 6 || !row_tree_there(sh, c, b))
		return;
	if (a->function != function)
		look(a, sh, function);
	draw_neighbours(a, sh, c, (struct box){ b.x, b.y, b.width, upper - 1 });
	draw_hot(a, sh, c, (struct box){ b.x, b.y + upper, b.width, b.height - upper });
}
