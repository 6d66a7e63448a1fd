/* Changed cells are collected as runs of one look and sent look by look: on a screen of
 * figures a change of colour costs as much as three digits, and a move no more than the
 * way back. A short gap between two runs is sent again instead of jumped over. */
#include "ui/paint.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"

#define GAP_CELLS 5 /* a move costs about as much */

static const struct paint_at unknown = { -1, -1 };

struct run {
	int x, y, end;
	uint32_t look;
	bool to_end; /* blank from here on */
};

struct runs {
	VEC(struct run) v;
};

void paint_forget(struct paint *p)
{
	p->known = false;
}

void paint_done(struct paint *p)
{
	free(p->shown);
	free(p->next);
	*p = (struct paint){ 0 };
}

static void fit(struct paint *p, const struct canvas *c)
{
	size_t n = (size_t)c->width * (size_t)c->height;

	if (p->width == c->width && p->height == c->height && p->shown)
		return;
	p->width = c->width;
	p->height = c->height;
	p->shown = xrealloc(p->shown, (n + 1) * sizeof(*p->shown));
	p->next = xrealloc(p->next, (n + 1) * sizeof(*p->next));
	p->known = false;
}

/* What the canvas will look like; blanks that are not seen are all alike. */
static void translate(struct paint *p, const struct paint_terminal *t,
		      const struct canvas *c)
{
	size_t i, n = (size_t)c->width * (size_t)c->height;

	for (i = 0; i < n; i++) {
		const struct cell *cell = &c->cells[i];
		unsigned look = t->look(t->arg, (enum role)cell->role, cell->selected);

		if (cell->ch == ' ' && !t->has_ground(t->arg, look))
			look = 0;
		p->next[i] = (struct paint_cell){ cell->ch, look };
	}
}

static void blank(struct paint *p)
{
	size_t i, n = (size_t)p->width * (size_t)p->height;

	for (i = 0; i < n; i++)
		p->shown[i] = (struct paint_cell){ ' ', 0 };
}

static bool same(const struct paint_cell *a, const struct paint_cell *b)
{
	return a->ch == b->ch && a->look == b->look;
}

/* Where the row's last cells begin that are blank and not so now; the width when clearing
 * them one by one is as short. */
static int blank_from(const struct paint *p, const struct paint_terminal *t, int y)
{
	const struct paint_cell *next = &p->next[(size_t)y * (size_t)p->width];
	const struct paint_cell *shown = &p->shown[(size_t)y * (size_t)p->width];
	int x = p->width, differ = 0;

	if (!t->clear_line)
		return p->width;
	for (; x > 0 && next[x - 1].ch == ' ' && next[x - 1].look == 0; x--)
		differ += !same(&next[x - 1], &shown[x - 1]);
	return differ > 3 ? x : p->width;
}

static void add_run(struct runs *r, const struct paint_cell *row, int y, int x, int end)
{
	struct run *last = r->v.n ? &r->v.v[r->v.n - 1] : NULL;
	int i;

	/* Over a short gap of the same look. */
	if (last && last->y == y && last->look == row[x].look && !last->to_end &&
	    x - last->end <= GAP_CELLS) {
		for (i = last->end; i < x && row[i].look == last->look; i++)
			;
		if (i == x) {
			last->end = end;
			return;
		}
	}
	*VEC_PUSH(&r->v) = (struct run){ x, y, end, row[x].look, false };
}

static void compare_row(const struct paint *p, const struct paint_terminal *t, int y,
			struct runs *r)
{
	const struct paint_cell *next = &p->next[(size_t)y * (size_t)p->width];
	const struct paint_cell *shown = &p->shown[(size_t)y * (size_t)p->width];
	int clear = blank_from(p, t, y), x = 0, from;

	while (x < clear) {
		if (same(&next[x], &shown[x])) {
			x++;
			continue;
		}
		from = x;
		/* Both halves of a wide character go together. */
		while (from > 0 && next[from].ch == 0)
			from--;
		for (x++; x < clear && next[x].look == next[from].look &&
			  (next[x].ch == 0 || !same(&next[x], &shown[x]));
		     x++)
			;
		add_run(r, next, y, from, x);
	}
	if (clear < p->width)
		*VEC_PUSH(&r->v) = (struct run){ clear, y, p->width, 0, true };
}

static int by_look(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->look != y->look)
		return x->look < y->look ? -1 : 1;
	if (x->y != y->y)
		return x->y < y->y ? -1 : 1;
	return x->x < y->x ? -1 : x->x > y->x;
}

static bool add_char(struct text *out, uint32_t ch)
{
	char s[4];
	size_t n = 0;

	if (ch < 0x80) {
		text_char(out, (char)ch);
		return true;
	}
	if (ch < 0x800) {
		s[n++] = (char)(0xc0 | ch >> 6);
	} else {
		if (ch < 0x10000) {
			s[n++] = (char)(0xe0 | ch >> 12);
		} else {
			s[n++] = (char)(0xf0 | ch >> 18);
			s[n++] = (char)(0x80 | (ch >> 12 & 0x3f));
		}
		s[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
	}
	s[n++] = (char)(0x80 | (ch & 0x3f));
	text_add(out, s, n);
	return false;
}

static void send_run(struct paint *p, const struct paint_terminal *t, const struct run *r,
		     struct text *out)
{
	const struct paint_cell *row = &p->next[(size_t)r->y * (size_t)p->width];
	bool sure = true;
	int x;

	if (p->cursor.x != r->x || p->cursor.y != r->y)
		t->move(t->arg, out, p->cursor, r->x, r->y);
	p->cursor = (struct paint_at){ r->to_end ? r->x : r->end, r->y };
	if (r->to_end) {
		text_str(out, t->clear_line);
		return;
	}
	for (x = r->x; x < r->end; x++) {
		/* The last cell of all would scroll some terminals. */
		if (x == p->width - 1 && r->y == p->height - 1)
			break;
		if (row[x].ch && !add_char(out, row[x].ch))
			sure = false;
	}
	/* Terminals differ in the width of characters and at the right edge. */
	if (!sure || r->end >= p->width)
		p->cursor = unknown;
}

static int within(int v, int n)
{
	return v < 0 ? 0 : v < n ? v : n - 1;
}

void paint(struct paint *p, const struct paint_terminal *t, const struct canvas *c,
	   struct text *out)
{
	struct paint_at cursor = { within(c->cursor_x, c->width),
				   within(c->cursor_y, c->height) };
	struct runs r = { 0 };
	struct paint_cell *t_cells;
	uint32_t look = 0;
	size_t i;
	int y;

	fit(p, c);
	translate(p, t, c);
	if (!p->known) {
		t->set_look(t->arg, out, 0);
		text_str(out, t->clear);
		blank(p);
		p->cursor = unknown;
		p->known = true;
	}
	for (y = 0; y < p->height; y++)
		compare_row(p, t, y, &r);
	if (r.v.n)
		qsort(r.v.v, r.v.n, sizeof(*r.v.v), by_look);
	for (i = 0; i < r.v.n; i++) {
		if (r.v.v[i].look != look)
			t->set_look(t->arg, out, look = r.v.v[i].look);
		send_run(p, t, &r.v.v[i], out);
	}
	if (look)
		t->set_look(t->arg, out, 0);
	if (p->cursor.x != cursor.x || p->cursor.y != cursor.y)
		t->move(t->arg, out, p->cursor, cursor.x, cursor.y);
	p->cursor = cursor;
	VEC_DONE(&r.v);
	t_cells = p->shown;
	p->shown = p->next;
	p->next = t_cells;
}
