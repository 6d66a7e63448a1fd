/* Lays the screen out: header, the view with panels beside it, message line, key bar. A
 * pop-up stands in the view's place. */
#include <stdio.h>
#include <string.h>

#include "ui/figures.h"
#include "ui/screen.h"

#define PANELS_WIDTH 120 /* from this width on */
#define PANEL_CELLS 36
#define ROOMY_HEIGHT 36 /* of a screen as wide as that */

bool screen_panels_shown(const struct screen *s)
{
	int i;

	if (s->width < PANELS_WIDTH || !screen_top(s)->side_panels)
		return false;
	for (i = 0; i < SCREEN_VIEWS; i++)
		if (screen_views[i] && screen_views[i]->panel &&
		    screen_views[i] != screen_top(s))
			return true;
	return false;
}

/* The strip of tabs, "[1Functions] 2Tree ..."; each is a button. */
static int draw_tabs(struct screen *s, struct canvas *c, int y)
{
	bool wide = c->width >= 100;
	char tab[48];
	int i, x = 0, from;

	s->tabs.n = 0;
	s->tabs_y = y;
	for (i = 0; i < SCREEN_VIEWS; i++) {
		const struct view *v = screen_views[i];

		if (!v)
			continue;
		/* Narrow: as many cells as seven names leave for the figures behind. */
		snprintf(tab, sizeof(tab),
			 i == s->view ? "[%d%s]"
			 : wide	      ? " %d%s "
				      : "%d%s ",
			 i, wide ? v->name : v->short_name);
		from = x;
		x += canvas_put(c, x, y, c->width - x,
				i == s->view ? ROLE_STRONG : ROLE_TEXT, tab);
		s->tabs.buttons[s->tabs.n].x = from;
		s->tabs.buttons[s->tabs.n].width = x - from;
		s->tabs.buttons[s->tabs.n++].key = '0' + i;
	}
	return x + 1;
}

/* "Functions > parse_order > Source": how one came here. */
static int draw_trail(struct screen *s, struct canvas *c, int y)
{
	int i, x = canvas_put(c, 0, y, c->width, ROLE_TEXT, screen_views[s->view]->name);

	for (i = 1; i <= s->depth; i++) {
		/* Many steps: the first and the last ones. */
		if (s->depth > 4 && i > 1 && i < s->depth - 2) {
			i = s->depth - 2;
			x += canvas_put(c, x, y, c->width - x, ROLE_DIM, " > ..");
		}
		x += canvas_put(c, x, y, c->width - x, ROLE_DIM, " > ");
		x += canvas_put(c, x, y, c->width - x,
				i == s->depth ? ROLE_STRONG : ROLE_TEXT,
				s->stack[i].view->name);
	}
	return x + 2;
}

static void draw_header(struct screen *s, struct canvas *c, int lines)
{
	const struct view *v = screen_top(s);
	char status[64] = "";
	int x;

	if (v->status && s->shown)
		v->status(s->stack[s->depth].state, &s->sh, status, sizeof(status));
	header_draw(&s->sh, c, lines, s->view == 1 && !s->depth ? "" : v->short_name);
	if (lines < 4 || !s->shown)
		return;
	x = s->depth ? draw_trail(s, c, 3) : draw_tabs(s, c, 3);
	header_state(&s->sh, c, (struct box){ x, 3, c->width - x, 1 }, status);
}

/* The weightiest finding, under the header, where there is room for it. */
static int draw_finding(const struct screen *s, struct canvas *c, int header)
{
	const struct snapshot_diagnosis *d = s->shown ? &s->shown->diagnosis : NULL;
	const struct snapshot_finding *f = d && d->n ? &d->findings[0] : NULL;
	char more[32] = "";

	if (!f || header < 4 || c->height < 20)
		return 0;
	if (d->n > 1)
		snprintf(more, sizeof(more), "  (+%zu: v)", d->n - 1);
	canvas_fmt(c, 0, header, c->width,
		   strcmp(f->rule, "nothing") == 0 ? ROLE_DIM : ROLE_WARN, "%s%s%s",
		   f->confidence < 0.8 ? "likely: " : "", f->text, more);
	return 1;
}

static void draw_prompt(struct screen *s, struct canvas *c, int y)
{
	char status[64] = "";
	int x;

	if (s->prompt == PROMPT_DELAY) {
		x = canvas_fmt(c, 0, y, c->width, ROLE_STRONG,
			       c->width < 50 ? "seconds: "
					     : "seconds between frames (now %.3g): ",
			       (double)s->delay_ns / 1e9);
		edit_draw(&s->edit, c, x, y, c->width - x);
		return;
	}
	x = canvas_put(c, 0, y, c->width, ROLE_STRONG, "/");
	if (s->shown && c->width >= 40) {
		if (screen_top(s)->status)
			screen_top(s)->status(s->stack[s->depth].state, &s->sh, status,
					      sizeof(status));
		canvas_right(c, c->width - 20, y, 20, ROLE_DIM, status);
		edit_draw(&s->edit, c, x, y, c->width - 22);
	} else {
		edit_draw(&s->edit, c, x, y, c->width - x);
	}
}

/* Where a file was saved does not fit: its folder is left out, its name and size stay. */
static void draw_note(const struct notes *n, struct canvas *c, int y)
{
	enum role role = n->shown_warning ? ROLE_WARN : ROLE_STRONG;
	const char *text = n->shown, *p, *end = strstr(text, "  ");
	int x = 0;

	if (strncmp(text, "Saved /", 7) == 0 &&
	    canvas_cells(c, text, c->width + 1) > c->width) {
		x = canvas_put(c, 0, y, c->width, role, "Saved ");
		for (p = text; *p && (!end || p < end); p++)
			if (*p == '/')
				text = p + 1;
	}
	canvas_cut(c, x, y, c->width - x, role, text, 0);
}

/* True when the line has something to say. */
static bool draw_message(struct screen *s, struct canvas *c, int y)
{
	const struct notes *n = &s->sh.notes;
	char hint[512] = "";
	bool warning = false;

	if (s->prompt) {
		draw_prompt(s, c, y);
		return true;
	}
	if (n->shown[0]) {
		draw_note(n, c, y);
		return true;
	}
	if (s->popup && s->popup->status)
		s->popup->status(s->popup_state, &s->sh, hint, sizeof(hint));
	else
		hint_text(&s->sh, hint, sizeof(hint), &warning);
	canvas_cut(c, 0, y, c->width, warning ? ROLE_WARN : ROLE_DIM, hint, 0);
	return hint[0] != '\0';
}

/* The other views' panels, one below the other. */
static void draw_panels(struct screen *s, struct canvas *c, struct box b)
{
	int i, y;

	for (y = b.y; y < b.y + b.height; y++)
		canvas_fill(c, b.x, y, 1, ROLE_DIM, c->ascii ? '|' : 0x2502);
	b.x += 2;
	b.width -= 2;
	for (i = 0; i < SCREEN_VIEWS; i++) {
		/* Threads last: their list takes what is left. */
		int n = (i + 4) % SCREEN_VIEWS + 1, used;
		const struct view *v = n < SCREEN_VIEWS ? screen_views[n] : NULL;

		if (!v || !v->panel || v == screen_top(s) || b.height < 3)
			continue;
		used = v->panel(s->states[n], &s->sh, c, b);
		b.y += used ? used + 1 : 0;
		b.height -= used ? used + 1 : 0;
	}
}

static void draw_view(struct screen *s, struct canvas *c, struct box b)
{
	const struct over *o = &s->stack[s->depth];

	if (screen_panels_shown(s)) {
		b.width -= PANEL_CELLS;
		draw_panels(s, c,
			    (struct box){ b.x + b.width, b.y, PANEL_CELLS, b.height });
	}
	if (s->sh.trends)
		b.height = screen_draw_trends(s, c, b);
	o->view->draw(o->state, &s->sh, c, b);
}

static void draw_body(struct screen *s, struct canvas *c, struct box b)
{
	if (s->shown && (!s->popup || s->popup->place == IN_SAVE))
		draw_view(s, c, b);
	if (s->popup)
		s->popup->draw(s->popup_state, &s->sh, c, b);
	else if (!s->shown)
		canvas_fmt(c, 1, b.y, b.width - 1, ROLE_TEXT, "%s ...",
			   s->sh.options->waiting_for ? s->sh.options->waiting_for
						      : "waiting for the first picture");
}

void screen_draw(struct screen *s, struct canvas *c)
{
	int header = header_lines(c->width, c->height), footer = c->height >= 8 ? 2 : 1;
	enum key_place place = s->popup ? s->popup->place : IN_VIEW;
	bool large;

	canvas_clear(c);
	s->width = c->width;
	s->height = c->height;
	large = c->width >= PANELS_WIDTH && c->height >= ROOMY_HEIGHT;
	/* Trees are of all threads together: they would merge the rows of a list that is
	 * not. */
	s->sh.roomy = large && s->threads_merged;
	s->sh.trends = large && screen_top(s)->strip;
	screen_sync(s);
	notes_expire(&s->sh.notes, s->sh.now_ns);
	s->bar_y = s->tabs_y = -1;
	if (c->width < 20 || c->height < 5) {
		header_one_line(&s->sh, c);
		return;
	}
	c->cursor_y = c->height - 1;
	if (place == IN_POPUP || place == IN_PICKER || place == IN_SETUP)
		header = 0; /* pages need the room */
	if (place != IN_POPUP)
		header += draw_finding(s, c, header);
	draw_body(s, c, (struct box){ 0, header, c->width, c->height - header - footer });
	s->cursor_y = c->cursor_y;
	if (header)
		draw_header(s, c, header_lines(c->width, c->height));
	if (footer == 1 && draw_message(s, c, c->height - 1))
		return;
	if (footer == 2)
		draw_message(s, c, c->height - 2);
	s->bar_y = c->height - 1;
	bar_draw(&s->bar, place, !s->popup && s->depth > 0, c, s->bar_y);
}
