/* The save menu: a format, a scope, a thread, a path. The thread is the one that figures are of,
 * or the row last selected in Threads; without either there is nothing to choose. What stands in the path field is what gets
 * written; it follows the format until the user edits it. The engine writes the file; its
 * answer comes as a message of a later snapshot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ui/edit.h"
#include "ui/figures.h"
#include "ui/view.h"

enum field { FIELD_FORMAT, FIELD_SCOPE, FIELD_THREAD, FIELD_PATH, FIELDS };

struct save {
	enum field field;
	int format, n_formats;
	bool everything; /* scope: all, not the window */
	int32_t tid;	 /* the thread there is to choose; 0: none */
	bool one_thread; /* ... and it is chosen */
	bool edited;
	uint64_t wall_ns; /* of the picture when the menu was opened: the default name */
	struct edit path;
};

static void suggest(struct save *v, const struct shared *sh)
{
	char path[512];
	const char *suffix = v->n_formats ? sh->options->formats[v->format].suffix : "";
	const struct snapshot *s = sh->shown;

	if (v->edited)
		return;
	snprintf(path, sizeof(path), "ptop-%d-%s%s%s", s ? (int)s->pid : 0,
		 fig_stamp(v->wall_ns).s, suffix[0] == '.' ? "" : ".", suffix);
	edit_set(&v->path, path);
}

static void *save_open(struct shared *sh)
{
	struct save *v = xcalloc(1, sizeof(*v));

	while (sh->options->formats && sh->options->formats[v->n_formats].name)
		v->n_formats++;
	v->tid = sh->thread ? sh->thread : sh->marked;
	v->one_thread = sh->thread != 0;
	v->wall_ns = sh->shown ? sh->shown->wall_ns : clock_wall_ns();
	suggest(v, sh);
	return v;
}

static void save_close(void *state)
{
	free(state);
}

static void draw_chosen(struct canvas *c, struct box row)
{
	canvas_select(c, row.x, row.y, row.width);
	c->cursor_x = row.x;
	c->cursor_y = row.y;
}

static void draw_scope(const struct save *v, const struct shared *sh, struct canvas *c,
		       struct box row)
{
	int x = row.x + canvas_put(c, row.x, row.y, row.width, ROLE_STRONG, "Scope  ");
	uint64_t window = sh->shown ? sh->shown->window_ns : 0;

	canvas_fmt(c, x, row.y, row.width - (x - row.x), ROLE_TEXT,
		   "(%c) window %s  (%c) since start", v->everything ? ' ' : '*',
		   fig_span(window).s, v->everything ? '*' : ' ');
	if (v->field == FIELD_SCOPE)
		draw_chosen(c, row);
}

static const char *thread_name(const struct shared *sh, int32_t tid)
{
	const struct snapshot *s = sh->shown;
	size_t i;

	for (i = 0; s && i < s->n_threads; i++)
		if (s->threads[i].tid == tid)
			return s->threads[i].name;
	return "";
}

static void draw_thread(const struct save *v, const struct shared *sh, struct canvas *c,
			struct box row)
{
	int x = row.x + canvas_put(c, row.x, row.y, row.width, ROLE_STRONG, "Thread ");
	int end = row.x + row.width;

	x += canvas_fmt(c, x, row.y, end - x, ROLE_TEXT, "(%c) all  ",
			v->one_thread ? ' ' : '*');
	if (v->tid) {
		x += canvas_fmt(c, x, row.y, end - x, ROLE_TEXT, "(%c) %d ",
				v->one_thread ? '*' : ' ', (int)v->tid);
		canvas_cut(c, x, row.y, end - x, ROLE_TEXT, thread_name(sh, v->tid), 0);
	} else {
		canvas_put(c, x, row.y, end - x, ROLE_DIM, "one: select it in 4");
	}
	if (v->field == FIELD_THREAD)
		draw_chosen(c, row);
}

static void draw_path(const struct save *v, struct canvas *c, struct box row)
{
	int x = row.x + canvas_put(c, row.x, row.y, row.width, ROLE_STRONG, "To     ");

	if (v->field == FIELD_PATH)
		edit_draw(&v->path, c, x, row.y, row.width - (x - row.x));
	else
		canvas_cut(c, x, row.y, row.width - (x - row.x), ROLE_TEXT, v->path.text,
			   0);
}

static void draw_formats(const struct save *v, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	int top = v->format >= b.height ? v->format - b.height + 1 : 0, i;

	for (i = 0; i < b.height && top + i < v->n_formats; i++) {
		const struct ui_format *f = &sh->options->formats[top + i];
		int y = b.y + i;
		bool chosen = top + i == v->format;

		canvas_put(c, b.x, y, 2, ROLE_STRONG, chosen ? ">" : "");
		canvas_cut(c, b.x + 2, y, 11, ROLE_STRONG, f->name, 0);
		canvas_cut(c, b.x + 14, y, b.width - 14, ROLE_TEXT, f->help, 0);
		if (chosen && v->field == FIELD_FORMAT) {
			canvas_select(c, b.x, y, b.width);
			c->cursor_x = b.x;
			c->cursor_y = y;
		}
	}
}

static void draw_frame(struct canvas *c, struct box b)
{
	int y, x;

	for (y = b.y; y < b.y + b.height; y++) {
		bool edge = y == b.y || y == b.y + b.height - 1;

		for (x = b.x; x < b.x + b.width; x++) {
			bool side = x == b.x || x == b.x + b.width - 1;

			canvas_fill(c, x, y, 1, ROLE_TEXT,
				    edge && side ? '+'
				    : edge	 ? '-'
				    : side	 ? '|'
						 : ' ');
		}
	}
	canvas_put(c, b.x + 2, b.y, b.width - 4, ROLE_STRONG, " Save ");
}

static void save_draw(void *state, const struct shared *sh, struct canvas *c,
		      struct box b)
{
	struct save *v = state;
	int want = v->n_formats + 6, y;
	struct box in;

	if (b.height > want)
		b.height = want;
	for (y = b.y; y < b.y + b.height; y++)
		canvas_fill(c, b.x, y, b.width, ROLE_TEXT, ' ');
	if (b.width > 76) {
		b.x += (b.width - 76) / 2;
		b.width = 76;
	}
	in = (struct box){ b.x, b.y, b.width, b.height };
	if (b.height >= 6 && b.width >= 30) {
		draw_frame(c, b);
		in = (struct box){ b.x + 2, b.y + 1, b.width - 4, b.height - 2 };
	}
	if (in.height >= 4)
		draw_formats(v, sh, c,
			     (struct box){ in.x, in.y, in.width, in.height - 3 });
	if (in.height >= 3)
		draw_scope(v, sh, c,
			   (struct box){ in.x, in.y + in.height - 3, in.width, 1 });
	if (in.height >= 2)
		draw_thread(v, sh, c,
			    (struct box){ in.x, in.y + in.height - 2, in.width, 1 });
	draw_path(v, c, (struct box){ in.x, in.y + in.height - 1, in.width, 1 });
}

static void confirm(struct save *v, struct shared *sh)
{
	const struct snapshot *s = sh->shown;
	struct command cmd = { .kind = COMMAND_SAVE };

	if (v->n_formats == 0 || !s)
		return;
	cmd.value = sh->paused ? s->time_ns : 0;
	cmd.window_ns = v->everything ? 0 : s->window_ns;
	cmd.thread = v->one_thread ? v->tid : -1;
	snprintf(cmd.text, sizeof(cmd.text), "%.64s %s",
		 sh->options->formats[v->format].name, v->path.text);
	shared_send(sh, &cmd);
	sh->close_popup = true;
}

static void step_format(struct save *v, const struct shared *sh, int by)
{
	int format = v->format + by;

	if (format < 0 || format >= v->n_formats)
		return;
	v->format = format;
	suggest(v, sh);
}

static bool save_act(void *state, struct shared *sh, enum action action)
{
	struct save *v = state;

	switch (action) {
	case ACTION_UP:
	case ACTION_DOWN:
		v->field = FIELD_FORMAT;
		step_format(v, sh, action == ACTION_UP ? -1 : 1);
		return true;
	case ACTION_NEXT_FIELD:
		v->field = (enum field)((v->field + 1) % FIELDS);
		return true;
	case ACTION_PREVIOUS_FIELD:
		v->field = (enum field)((v->field + FIELDS - 1) % FIELDS);
		return true;
	case ACTION_CONFIRM:
		confirm(v, sh);
		return true;
	case ACTION_SAVE_MENU:
		sh->close_popup = true;
		return true;
	default:
		return false;
	}
}

static bool save_key(void *state, struct shared *sh, int key)
{
	struct save *v = state;

	(void)sh;
	if (v->field == FIELD_SCOPE && (key == ' ' || key == K_LEFT || key == K_RIGHT)) {
		v->everything = !v->everything;
		return true;
	}
	if (v->field == FIELD_THREAD && (key == ' ' || key == K_LEFT || key == K_RIGHT)) {
		v->one_thread = !v->one_thread && v->tid;
		return true;
	}
	if (v->field != FIELD_PATH || !edit_key(&v->path, key))
		return false;
	v->edited = true;
	return true;
}

static bool save_paste(void *state, const char *s, size_t n)
{
	struct save *v = state;

	if (v->field != FIELD_PATH)
		return false;
	edit_paste(&v->path, s, n);
	v->edited = true;
	return true;
}

const struct view save_view = {
	.name = "Save",
	.place = IN_SAVE,
	.open = save_open,
	.close = save_close,
	.draw = save_draw,
	.act = save_act,
	.key = save_key,
	.paste = save_paste,
};
