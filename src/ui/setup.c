/* The options that are kept: Left and Right or Enter change the selected one, at once;
 * closing the page writes them to ptoprc (struct ui_options.save_settings). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ui/figures.h"
#include "ui/list.h"
#include "ui/theme.h"
#include "ui/view.h"

enum row {
	ROW_SCHEME,
	ROW_ASCII,
	ROW_MOUSE,
	ROW_FOLDED,
	ROW_DIGITS,
	ROW_DELAY,
	ROW_WINDOW,
	ROWS
};

struct setup {
	struct ui_settings before;
	struct list list;
	struct box box;
};

static const uint64_t delays[] = { NS_PER_SEC / 4, NS_PER_SEC / 2, NS_PER_SEC,
				   2 * NS_PER_SEC, 5 * NS_PER_SEC, 10 * NS_PER_SEC };
static const uint64_t windows[] = { 5 * NS_PER_SEC, 10 * NS_PER_SEC, 60 * NS_PER_SEC,
				    600 * NS_PER_SEC, 0 };
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static void *setup_open(struct shared *sh)
{
	struct setup *v = xcalloc(1, sizeof(*v));

	v->before = sh->settings;
	return v;
}

static void setup_close(void *state)
{
	free(state);
}

static bool same(const struct ui_settings *a, const struct ui_settings *b)
{
	return a->scheme == b->scheme && a->ascii == b->ascii &&
	       a->no_mouse == b->no_mouse && a->folded == b->folded &&
	       a->digits_sort == b->digits_sort && a->delay_ns == b->delay_ns &&
	       a->window_ns == b->window_ns;
}

static void setup_leave(void *state, struct shared *sh)
{
	struct setup *v = state;
	struct error err = { 0 };
	char text[400];

	if (same(&v->before, &sh->settings) || !sh->options->save_settings)
		return;
	if (sh->options->save_settings(sh->options->app, &sh->settings, &err) == 0)
		notes_show(&sh->notes, sh->now_ns, false, "options saved");
	else {
		snprintf(text, sizeof(text), "options not saved: %.300s", err.cause);
		notes_add(&sh->notes, sh->now_ns, true, text);
	}
}

static void row_text(const struct shared *sh, enum row row, const char **name,
		     char *value, size_t size)
{
	static const char *const names[ROWS] = {
		[ROW_SCHEME] = "Colours",
		[ROW_ASCII] = "Characters",
		[ROW_MOUSE] = "Mouse",
		[ROW_FOLDED] = "Libraries",
		[ROW_DIGITS] = "Keys 1 to 4",
		[ROW_DELAY] = "Seconds between pictures",
		[ROW_WINDOW] = "Window the figures cover",
	};
	const struct ui_settings *s = &sh->settings;

	*name = names[row];
	switch (row) {
	case ROW_SCHEME:
		snprintf(value, size, "%s%s", theme_name(s->scheme),
			 sh->colors < 8 ? "  (this terminal has none)" : "");
		break;
	case ROW_ASCII:
		snprintf(value, size,
			 s->ascii ? "ASCII only" : "UTF-8 where the locale is");
		break;
	case ROW_MOUSE:
		snprintf(value, size, s->no_mouse ? "left to the terminal" : "used");
		break;
	case ROW_FOLDED:
		snprintf(value, size, s->folded ? "one row each" : "each function a row");
		break;
	case ROW_DIGITS:
		snprintf(value, size,
			 s->digits_sort ? "own, total: sort by it (as in py-spy)"
					: "views");
		break;
	case ROW_DELAY:
		snprintf(value, size, "%g", (double)s->delay_ns / 1e9);
		break;
	case ROW_WINDOW:
		snprintf(value, size, "%s", fig_span(s->window_ns).s);
		break;
	case ROWS:
		break;
	}
}

static void setup_draw(void *state, const struct shared *sh, struct canvas *c,
		       struct box b)
{
	struct setup *v = state;
	const char *name;
	char value[80];
	int i;

	v->box = b;
	canvas_put(c, b.x, b.y, b.width, ROLE_STRONG, "Options");
	list_lay(&v->list, ROWS, (struct box){ b.x, b.y + 2, b.width, b.height - 2 });
	for (i = 0; i < v->list.page && v->list.top + (size_t)i < ROWS; i++) {
		enum row row = (enum row)(v->list.top + (size_t)i);
		int y = v->list.y + i;

		row_text(sh, row, &name, value, sizeof(value));
		canvas_cut(c, b.x + 2, y, 26, ROLE_TEXT, name, 0);
		canvas_cut(c, b.x + 30, y, b.width - 30, ROLE_STRONG, value, 0);
		if (row == (enum row)v->list.selected)
			list_mark(&v->list, c, y, b.width);
	}
}

static uint64_t step(const uint64_t *list, int n, uint64_t now, int by)
{
	int i, at = 0;

	for (i = 0; i < n; i++)
		if (list[i] == now)
			at = i;
	at += by;
	return list[at < 0 ? n - 1 : at >= n ? 0 : at];
}

static void change(struct shared *sh, enum row row, int by)
{
	struct ui_settings *s = &sh->settings;

	switch (row) {
	case ROW_SCHEME:
		s->scheme = (enum ui_scheme)(((int)s->scheme + by + SCHEMES) % SCHEMES);
		break;
	case ROW_ASCII:
		s->ascii = !s->ascii;
		break;
	case ROW_MOUSE:
		s->no_mouse = !s->no_mouse;
		break;
	case ROW_FOLDED:
		s->folded = !s->folded;
		break;
	case ROW_DIGITS:
		s->digits_sort = !s->digits_sort;
		break;
	case ROW_DELAY:
		s->delay_ns = step(delays, COUNT(delays), s->delay_ns, by);
		break;
	case ROW_WINDOW:
		s->window_ns = step(windows, COUNT(windows), s->window_ns, by);
		break;
	case ROWS:
		break;
	}
}

static bool setup_act(void *state, struct shared *sh, enum action action)
{
	struct setup *v = state;

	if (list_act(&v->list, action))
		return true;
	if (action == ACTION_SETUP) {
		sh->close_popup = true;
		return true;
	}
	if (action != ACTION_CONFIRM && action != ACTION_RIGHT && action != ACTION_LEFT)
		return false;
	change(sh, (enum row)v->list.selected, action == ACTION_LEFT ? -1 : 1);
	return true;
}

static void setup_click(void *state, struct shared *sh, int x, int y)
{
	struct setup *v = state;
	size_t row = list_hit(&v->list, y);

	(void)sh;
	(void)x;
	if (row >= v->list.n)
		return;
	list_select(&v->list, row);
}

static void setup_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	(void)state;
	(void)sh;
	snprintf(buf, size, "Left, Right and Enter change; Esc closes and saves");
}

const struct view setup_view = {
	.name = "Options",
	.place = IN_SETUP,
	.open = setup_open,
	.leave = setup_leave,
	.close = setup_close,
	.draw = setup_draw,
	.act = setup_act,
	.click = setup_click,
	.status = setup_status,
};
