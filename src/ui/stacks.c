/* Every thread's stack once, as text: what `ptop dump` prints, in a page. It is collected
 * by app/ beside us (struct ui_options.dump); w writes it to a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "ui/figures.h"
#include "ui/view.h"

struct stacks {
	struct scroll scroll;
	const struct ui_text *of; /* what lines was made from */
	VEC(const char *) lines;
	char *copy;
	int skip;
};

static void *stacks_open(struct shared *sh)
{
	int32_t pid = sh->dump_pid ? sh->dump_pid : sh->shown ? sh->shown->pid : 0;

	sh->dump_pid = 0;
	if (sh->options->dump && pid)
		sh->options->dump(sh->options->app, pid);
	return xcalloc(1, sizeof(struct stacks));
}

static void stacks_close(void *state)
{
	struct stacks *v = state;

	VEC_DONE(&v->lines);
	free(v->copy);
	free(v);
}

static void split(struct stacks *v, const struct ui_text *t)
{
	char *p;

	v->of = t;
	VEC_CLEAR(&v->lines);
	free(v->copy);
	v->copy = xstrdup(t->text);
	for (p = v->copy; p && *p;) {
		char *end = strchr(p, '\n');

		*VEC_PUSH(&v->lines) = p;
		if (end)
			*end++ = '\0';
		p = end;
	}
}

static void stacks_draw(void *state, const struct shared *sh, struct canvas *c,
			struct box b)
{
	struct stacks *v = state;
	int i;

	if (!sh->text) {
		canvas_put(c, b.x + 1, b.y, b.width - 1, ROLE_TEXT,
			   sh->options->dump ? "reading the stacks of all threads ..."
					     : "there is no process to read");
		return;
	}
	if (v->of != sh->text)
		split(v, sh->text);
	v->scroll.total = (int)v->lines.n;
	v->scroll.page = b.height;
	scroll_clamp(&v->scroll);
	for (i = 0; i < b.height && v->scroll.top + i < v->scroll.total; i++) {
		const char *line = v->lines.v[v->scroll.top + i];

		canvas_cut(c, b.x, b.y + i, b.width,
			   line[0] && line[0] != ' ' && line[0] != '\t' ? ROLE_STRONG
									: ROLE_TEXT,
			   line, v->skip);
	}
}

static void save(const struct stacks *v, struct shared *sh)
{
	char path[256], text[600];
	struct error err = { 0 };
	int ret;

	(void)v;
	if (!sh->text || !sh->options->write_text)
		return;
	snprintf(path, sizeof(path), "ptop-%d-%s.stacks.txt", (int)sh->text->pid,
		 fig_stamp(clock_wall_ns()).s);
	ret = sh->options->write_text(sh->options->app, path, sh->text->text,
				      strlen(sh->text->text), &err);
	snprintf(text, sizeof(text), ret ? "Not saved: %.300s" : "Saved %.300s",
		 ret ? err.cause : path);
	notes_add(&sh->notes, sh->now_ns, ret != 0, text);
}

static bool stacks_act(void *state, struct shared *sh, enum action action)
{
	struct stacks *v = state;

	switch (action) {
	case ACTION_SAVE:
		save(v, sh);
		return true;
	case ACTION_DUMP:
		sh->close_popup = true;
		return true;
	case ACTION_LEFT:
		v->skip = v->skip > 8 ? v->skip - 8 : 0;
		return true;
	case ACTION_RIGHT:
		v->skip += v->skip < 1000 ? 8 : 0;
		return true;
	default:
		return scroll_act(&v->scroll, action);
	}
}

static void stacks_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct scroll *s = &((struct stacks *)state)->scroll;

	(void)sh;
	if (s->total > s->page)
		snprintf(buf, size, "%d-%d of %d lines   w saves", s->top + 1,
			 s->top + s->page, s->total);
	else
		snprintf(buf, size, "w saves");
}

const struct view stacks_view = {
	.name = "Stacks",
	.place = IN_POPUP,
	.open = stacks_open,
	.close = stacks_close,
	.draw = stacks_draw,
	.act = stacks_act,
	.status = stacks_status,
};
