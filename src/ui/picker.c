/* The process picker: what runs here, in which language, and whether it may be looked at.
 * The list comes from app/ (struct ui_options.processes), anew each second while the
 * picker is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "model/processes.h"
#include "ui/edit.h"
#include "ui/figures.h"
#include "ui/list.h"
#include "ui/rows.h"
#include "ui/view.h"

#define LIST_NS NS_PER_SEC
#define DETAILS 2

enum by { BY_CPU, BY_RSS, BY_PID, BY_COMMAND, BY_USER, BY_COUNT };

struct picker {
	struct processes *list;
	uint64_t listed_ns;
	uint32_t *rows;
	size_t n;
	enum by by;
	bool known_only; /* interpreted languages only */
	bool typing;
	struct edit filter;
	int32_t selected_pid; /* 0: whatever is first */
	struct list rows_list;
	struct box box;
};

static void *picker_open(struct shared *sh)
{
	struct picker *v = xcalloc(1, sizeof(*v));

	(void)sh;
	edit_set(&v->filter, "");
	return v;
}

static void drop(struct picker *v, const struct shared *sh)
{
	if (v->list)
		sh->options->processes_free(sh->options->app, v->list);
	v->list = NULL;
}

struct sorting {
	const struct process_row *rows;
	enum by by;
};

static int compare(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	const struct process_row *x = &s->rows[*(const uint32_t *)a];
	const struct process_row *y = &s->rows[*(const uint32_t *)b];
	int d = 0;

	if (s->by == BY_CPU)
		d = (x->cpu_pct < y->cpu_pct) - (x->cpu_pct > y->cpu_pct);
	else if (s->by == BY_RSS)
		d = (x->rss_bytes < y->rss_bytes) - (x->rss_bytes > y->rss_bytes);
	else if (s->by == BY_COMMAND)
		d = strcmp(x->command, y->command);
	else if (s->by == BY_USER)
		d = strcmp(x->user, y->user);
	return d ? d : (x->pid > y->pid) - (x->pid < y->pid);
}

static bool fits(const struct picker *v, const struct process_row *r)
{
	char pid[16];

	if (v->known_only && strcmp(r->runtime, "native") == 0)
		return false;
	snprintf(pid, sizeof(pid), "%d", (int)r->pid);
	return !v->filter.n || strcasestr(r->cmdline, v->filter.text) ||
	       strcasestr(r->command, v->filter.text) ||
	       strcasestr(r->user, v->filter.text) ||
	       strcasestr(r->runtime, v->filter.text) || strstr(pid, v->filter.text);
}

static void order(struct picker *v)
{
	struct sorting s = { v->list->rows, v->by };
	size_t i;

	free(v->rows);
	v->rows = xcalloc(v->list->n + 1, sizeof(*v->rows));
	v->n = 0;
	for (i = 0; i < v->list->n; i++)
		if (fits(v, &v->list->rows[i]))
			v->rows[v->n++] = (uint32_t)i;
	if (v->n)
		qsort_r(v->rows, v->n, sizeof(*v->rows), compare, &s);
	for (i = 0; i < v->n && v->selected_pid; i++)
		if (v->list->rows[v->rows[i]].pid == v->selected_pid)
			v->rows_list.selected = i;
	if (!v->selected_pid)
		v->rows_list.selected = 0;
}

static void refresh(struct picker *v, const struct shared *sh)
{
	if (v->list && sh->now_ns - v->listed_ns < LIST_NS)
		return;
	drop(v, sh);
	v->list = sh->options->processes(sh->options->app);
	v->listed_ns = sh->now_ns;
	order(v);
}

/* ---- drawing ---- */

static const struct {
	const char *title;
	int x, width; /* figures end there */
	bool left;
	int by;	   /* enum by, -1 */
	int needs; /* columns of the screen */
} columns[] = {
	{ "PID", 1, 8, false, BY_PID, 0 },    { "USER", 10, 9, true, BY_USER, 60 },
	{ "CPU%", 19, 6, false, BY_CPU, 60 }, { "RSS", 27, 6, false, BY_RSS, 60 },
	{ "THR", 34, 5, false, -1, 80 },      { "RUNTIME", 40, 13, true, -1, 72 },
	{ "ATTACH", 54, 6, true, -1, 80 },    { "COMMAND", 61, 0, true, BY_COMMAND, 80 },
};
#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

static int command_x(int width)
{
	return width >= 80 ? 61 : width >= 72 ? 54 : width >= 60 ? 35 : 10;
}

static void draw_title(const struct picker *v, struct canvas *c, struct box b)
{
	int i;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	for (i = 0; i < COLUMNS; i++) {
		const char *t = columns[i].title;
		int n = (int)strlen(t), x = columns[i].x;
		enum role role = columns[i].by == (int)v->by ? ROLE_SORTED : ROLE_HEADING;

		if (columns[i].by == BY_COMMAND)
			x = command_x(b.width);
		else if (b.width < columns[i].needs)
			continue;
		if (!columns[i].left)
			x += columns[i].width - n;
		canvas_put(c, b.x + x, b.y, n, role, t);
		if (columns[i].by == (int)v->by)
			canvas_put(c, b.x + x + n, b.y, 1, role, "v");
	}
}

static void draw_row(const struct picker *v, struct canvas *c, size_t i, int y)
{
	const struct process_row *r = &v->list->rows[v->rows[i]];
	int x = v->box.x, width = v->box.width, command = command_x(width);
	bool can = strcmp(r->attach, "ok") == 0 || strcmp(r->attach, "part") == 0;
	enum role role = can ? ROLE_TEXT : ROLE_DIM;
	char buf[24];

	snprintf(buf, sizeof(buf), "%d", (int)r->pid);
	canvas_right(c, x + 1, y, 8, role, buf);
	if (width >= 60) {
		canvas_cut(c, x + 10, y, 9, role, r->user, 0);
		snprintf(buf, sizeof(buf), r->cpu_pct < 0 ? "-" : "%.1f", r->cpu_pct);
		canvas_right(c, x + 19, y, 6, role, buf);
		canvas_right(c, x + 27, y, 6, role, fig_bytes(r->rss_bytes).s);
	}
	if (width >= 80) {
		snprintf(buf, sizeof(buf), "%d", r->threads);
		canvas_right(c, x + 34, y, 5, role, buf);
		canvas_put(c, x + 54, y, 6, can ? ROLE_OK : ROLE_WARN, r->attach);
	}
	if (width >= 72)
		canvas_cut(c, x + 40, y, 13, role, r->runtime, 0);
	canvas_cut(c, x + command, y, width - command, role, row_command(r->cmdline), 0);
	if (i == v->rows_list.selected)
		list_mark(&v->rows_list, c, y, width);
}

static void draw_details(const struct picker *v, const struct shared *sh,
			 struct canvas *c, struct box b)
{
	const struct process_row *r;

	if (v->rows_list.selected >= v->n)
		return;
	r = &v->list->rows[v->rows[v->rows_list.selected]];
	canvas_cut(c, b.x + 1, b.y, b.width - 1, ROLE_STRONG, r->cmdline, 0);
	canvas_fmt(c, b.x + 1, b.y + 1, b.width - 1, r->why[0] ? ROLE_WARN : ROLE_DIM,
		   "%s%sin %s  parent %d  started %s", r->why, r->why[0] ? "  " : "",
		   r->directory[0] ? r->directory : "?", (int)r->parent,
		   fig_date(r->start_wall_ns).s);
	(void)sh;
}

static void picker_draw(void *state, const struct shared *sh, struct canvas *c,
			struct box b)
{
	struct picker *v = state;
	int i, x, details = b.height >= 10 ? DETAILS : 0;

	v->box = b;
	if (!sh->options->processes)
		return;
	refresh(v, sh);
	x = canvas_fmt(c, b.x, b.y, b.width, ROLE_STRONG, "choose a process  ");
	if (v->typing) {
		x += canvas_put(c, b.x + x, b.y, b.width - x, ROLE_STRONG, "/");
		edit_draw(&v->filter, c, b.x + x, b.y, b.width - x);
	} else {
		canvas_fmt(c, b.x + x, b.y, b.width - x, ROLE_TEXT, "%s%s%s%zu of %zu%s",
			   v->filter.n ? "filter " : "", v->filter.text,
			   v->filter.n ? "  " : "", v->n, v->list->n,
			   v->known_only ? "  interpreted only (Tab)" : "");
	}
	draw_title(v, c, (struct box){ b.x, b.y + 1, b.width, 1 });
	list_lay(&v->rows_list, v->n,
		 (struct box){ b.x, b.y + 2, b.width, b.height - 2 - details });
	for (i = 0; i < v->rows_list.page && v->rows_list.top + (size_t)i < v->n; i++)
		draw_row(v, c, v->rows_list.top + (size_t)i, b.y + 2 + i);
	if (details)
		draw_details(v, sh, c,
			     (struct box){ b.x, b.y + b.height - 2, b.width, 2 });
}

/* ---- keys ---- */

static void note_selected(struct picker *v)
{
	if (v->rows_list.selected < v->n)
		v->selected_pid = v->list->rows[v->rows[v->rows_list.selected]].pid;
}

static void attach(struct picker *v, struct shared *sh)
{
	const struct process_row *r;
	char text[200];

	if (v->rows_list.selected >= v->n)
		return;
	r = &v->list->rows[v->rows[v->rows_list.selected]];
	if (strcmp(r->attach, "no") == 0) {
		snprintf(text, sizeof(text), "cannot attach: %.150s", r->why);
		notes_show(&sh->notes, sh->now_ns, true, text);
		return;
	}
	sh->pick_pid = r->pid;
}

static bool picker_key(void *state, struct shared *sh, int key)
{
	struct picker *v = state;

	if (!v->list)
		return false;
	if (v->typing &&
	    (key == K_ENTER || key == K_ESC || key == K_UP || key == K_DOWN)) {
		v->typing = false;
		if (key == K_ESC)
			edit_set(&v->filter, "");
		order(v);
		return key != K_ENTER || v->n != 1;
	}
	if (v->typing && edit_key(&v->filter, key)) {
		v->selected_pid = 0;
		order(v);
		return true;
	}
	(void)sh;
	return v->typing;
}

static bool picker_paste(void *state, const char *s, size_t n)
{
	struct picker *v = state;

	if (!v->list || !v->typing)
		return false;
	edit_paste(&v->filter, s, n);
	v->selected_pid = 0;
	order(v);
	return true;
}

static bool picker_act(void *state, struct shared *sh, enum action action)
{
	struct picker *v = state;

	if (!v->list)
		return false;
	if (list_act(&v->rows_list, action)) {
		note_selected(v);
		return true;
	}
	switch (action) {
	case ACTION_CONFIRM:
		attach(v, sh);
		return true;
	case ACTION_FILTER:
		v->typing = true;
		return true;
	case ACTION_NEXT_FIELD:
		v->known_only = !v->known_only;
		order(v);
		return true;
	case ACTION_SORT_NEXT:
	case ACTION_SORT_PREVIOUS:
		v->by = (enum by)(
		    (v->by + (action == ACTION_SORT_NEXT ? 1 : BY_COUNT - 1)) % BY_COUNT);
		order(v);
		return true;
	case ACTION_DUMP:
		note_selected(v);
		sh->dump_pid = v->selected_pid;
		return true;
	case ACTION_PICK:
		sh->close_popup = sh->shown != NULL;
		return true;
	default:
		return false;
	}
}

static void picker_click(void *state, struct shared *sh, int x, int y)
{
	struct picker *v = state;
	size_t row = list_hit(&v->rows_list, y);

	(void)sh;
	(void)x;
	if (row >= v->rows_list.n)
		return;
	list_select(&v->rows_list, row);
	note_selected(v);
}

static void picker_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	(void)state;
	snprintf(buf, size, "%s",
		 sh->options->processes ? "Enter attaches, / filters, Tab: all or "
					  "interpreted, s sorts, D dumps stacks"
					: "no list of processes here");
}

static uint64_t picker_due(const void *state)
{
	const struct picker *v = state;

	return v->listed_ns + LIST_NS;
}

static void picker_close(void *state)
{
	struct picker *v = state;

	free(v->rows);
	free(v);
}

static void picker_leave(void *state, struct shared *sh)
{
	drop(state, sh);
}

const struct view picker_view = {
	.name = "Processes",
	.place = IN_PICKER,
	.open = picker_open,
	.leave = picker_leave,
	.close = picker_close,
	.draw = picker_draw,
	.key = picker_key,
	.paste = picker_paste,
	.act = picker_act,
	.click = picker_click,
	.status = picker_status,
	.due = picker_due,
};
