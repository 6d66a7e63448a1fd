/* The help page. Its key part is the key table printed, so it lists exactly what is
 * bound. Two columns where they fit; it scrolls where the screen is short. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ui/page.h"
#include "ui/view.h"

#define COLUMN_CELLS 40 /* of one of the two columns */
#define LABEL_CELLS 17

struct help {
	struct scroll scroll;
};

/* The three are drawn side by side and below, or one after the other. */
struct help_pages {
	struct page left, right, legend;
};

static const char *const legend[] = {
	"SELF: in the function itself; TOTAL: anywhere on the stack; CPU 100%: one core",
	"! >60%  * >20%  + >5%   ~ fewer than 100 samples   = pinned   bold: own code",
	"eff: samples taken of those due; lost: dropped; ptop: own CPU; target: slowed",
	"mouse: wheel scrolls, click selects, sorts, presses, two open; see man ptop",
};

static void *help_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct help));
}

static void help_close(void *state)
{
	free(state);
}

/* All keys of a row and of the rows it explains too: "Up k Down j". */
static void label_of(size_t i, char *buf, size_t size)
{
	const struct key_row *r = keys_row(i);
	char one[16];
	size_t n = 0;
	int k;

	buf[0] = '\0';
	do {
		for (k = 0; k < KEYS_PER_ROW && r->keys[k] && n < size; k++)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "",
					      key_label(r->keys[k], one));
		r = keys_row(++i);
	} while (r && !r->help);
}

/* The digits mean what the options say. */
static const char *help_of(const struct key_row *r, const struct shared *sh)
{
	return r->action == ACTION_VIEW && sh->settings.digits_sort
		   ? "own, total; 5-7: views"
		   : r->help;
}

static void add_group(struct page *p, const struct shared *sh, const struct canvas *c,
		      int width, enum key_group g)
{
	const struct key_row *r;
	char label[80];
	size_t i;

	page_add(p, c, width, ROLE_TEXT, key_group_name(g), "");
	for (i = 0; (r = keys_row(i)); i++) {
		if (r->group != g || !r->help)
			continue;
		label[0] = ' ';
		label_of(i, label + 1, sizeof(label) - 1);
		page_add(p, c, width, ROLE_TEXT, label, help_of(r, sh));
	}
}

static void build(struct help_pages *h, const struct shared *sh, const struct canvas *c,
		  int width, bool two)
{
	size_t i;
	int g;

	h->left.indent = h->right.indent = LABEL_CELLS;
	h->legend.indent = 1;
	for (g = 0; g < GROUPS; g++)
		add_group(two && g >= GROUP_FIND ? &h->right : &h->left, sh, c,
			  two ? COLUMN_CELLS : width, (enum key_group)g);
	for (i = 0; i < sizeof(legend) / sizeof(*legend); i++)
		page_add(&h->legend, c, width, ROLE_DIM, "", legend[i]);
}

static void help_draw(void *state, const struct shared *sh, struct canvas *c,
		      struct box b)
{
	bool two = b.width >= 2 * COLUMN_CELLS;
	struct scroll *s = &((struct help *)state)->scroll;
	struct help_pages h = { 0 };
	int keys, i;

	build(&h, sh, c, b.width, two);
	keys = (int)(h.left.lines.n > h.right.lines.n ? h.left.lines.n : h.right.lines.n);
	canvas_fmt(c, b.x, b.y, b.width, ROLE_STRONG,
		   "ptop %s - help   %s   %s   mouse %s", sh->options->version,
		   sh->ascii ? "ASCII" : "UTF-8",
		   sh->colors >= 8 ? "colours" : "no colours", sh->mouse ? "on" : "off");
	s->total = keys + (int)h.legend.lines.n;
	s->page = b.height - 1;
	scroll_clamp(s);
	for (i = 0; i < s->page; i++) {
		int line = s->top + i, y = b.y + 1 + i;

		page_draw(&h.left, line, c, b.x, y, b.width);
		page_draw(&h.right, line, c, b.x + COLUMN_CELLS, y,
			  b.width - COLUMN_CELLS);
		page_draw(&h.legend, line - keys, c, b.x, y, b.width);
	}
	page_done(&h.left);
	page_done(&h.right);
	page_done(&h.legend);
}

static bool help_act(void *state, struct shared *sh, enum action action)
{
	if (action == ACTION_HELP) { /* the key that opened it closes it */
		sh->close_popup = true;
		return true;
	}
	return scroll_act(&((struct help *)state)->scroll, action);
}

static void help_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct scroll *s = &((struct help *)state)->scroll;

	(void)sh;
	if (s->total > s->page)
		snprintf(buf, size, "%d-%d of %d lines", s->top + 1, s->top + s->page,
			 s->total);
}

const struct view help_view = {
	.name = "Help",
	.place = IN_POPUP,
	.open = help_open,
	.close = help_close,
	.draw = help_draw,
	.act = help_act,
	.status = help_status,
};
