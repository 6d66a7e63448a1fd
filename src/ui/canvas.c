/* Text becomes cells here and nowhere else, so this is the last gate before the terminal:
 * even though snapshots come cleaned, no control or direction character passes. Every
 * write is clipped to the grid; a wide character that would lose a half is drawn as a
 * blank. */
#include "ui/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/alloc.h"

static int clamp(int v, int least, int most)
{
	return v < least ? least : v > most ? most : v;
}

void canvas_resize(struct canvas *c, int width, int height)
{
	width = clamp(width, 1, CANVAS_WIDTH_MAX);
	height = clamp(height, 1, CANVAS_HEIGHT_MAX);
	if (width != c->width || height != c->height || !c->cells) {
		free(c->cells);
		c->cells = xcalloc((size_t)width * (size_t)height, sizeof(*c->cells));
	}
	c->width = width;
	c->height = height;
	canvas_clear(c);
}

void canvas_done(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ 0 };
}

void canvas_clear(struct canvas *c)
{
	size_t i, n = (size_t)c->width * (size_t)c->height;

	for (i = 0; i < n; i++)
		c->cells[i] = (struct cell){ .ch = ' ', .role = ROLE_TEXT };
	c->cursor_x = c->cursor_y = 0;
	c->cursor_shown = false;
}

static struct cell *at(struct canvas *c, int x, int y)
{
	if (x < 0 || y < 0 || x >= c->width || y >= c->height)
		return NULL;
	return &c->cells[(size_t)y * (size_t)c->width + (size_t)x];
}

/* One character of s: its bytes, code point and cells. What must not be drawn is a '?' of
 * one byte. */
static size_t next_char(const struct canvas *c, const char *s, uint32_t *ch, int *cells)
{
	size_t i, len = clean_char(s, strnlen(s, 4));

	*ch = '?';
	*cells = 1;
	if (len == 0)
		return 1;
	*ch = (unsigned char)s[0] & (len == 1 ? 0x7fu : 0xffu >> (len + 1));
	for (i = 1; i < len; i++)
		*ch = *ch << 6 | ((unsigned char)s[i] & 0x3fu);
	if (len == 1)
		return len;
	*cells = wcwidth((wchar_t)*ch);
	if (*cells < 0 || *cells > 2 || (c->ascii && *cells > 0)) {
		*ch = '?';
		*cells = 1;
	}
	return len;
}

/* A wide character loses both halves when one of them is overwritten. */
static void set(struct canvas *c, int x, int y, uint32_t ch, enum role role)
{
	struct cell *cell = at(c, x, y), *left = at(c, x - 1, y),
		    *right = at(c, x + 1, y);

	if (!cell)
		return;
	if (cell->ch == 0 && ch != 0 && left)
		left->ch = ' ';
	if (right && right->ch == 0)
		right->ch = ' ';
	*cell = (struct cell){ .ch = ch, .role = (uint8_t)role };
}

static int emit(struct canvas *c, struct box to, enum role role, const char *s, int skip)
{
	int used = 0, cells;
	uint32_t ch;

	if (to.x + to.width > c->width)
		to.width = c->width - to.x;
	while (*s && used < to.width) {
		s += next_char(c, s, &ch, &cells);
		if (cells == 0)
			continue;
		if (skip > 0) {
			skip -= cells;
			continue;
		}
		if (used + cells > to.width)
			ch = ' ', cells = 1;
		set(c, to.x + used, to.y, ch, role);
		if (cells == 2) {
			struct cell *half = at(c, to.x + used + 1, to.y);

			set(c, to.x + used + 1, to.y, ' ', role);
			if (half)
				half->ch = 0;
		}
		used += cells;
	}
	return used;
}

int canvas_put(struct canvas *c, int x, int y, int width, enum role role, const char *s)
{
	return emit(c, (struct box){ x, y, width, 1 }, role, s, 0);
}

int canvas_fmt(struct canvas *c, int x, int y, int width, enum role role, const char *fmt,
	       ...)
{
	char s[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	return canvas_put(c, x, y, width, role, s);
}

void canvas_right(struct canvas *c, int x, int y, int width, enum role role,
		  const char *s)
{
	int cells = canvas_cells(c, s, width);

	canvas_put(c, x + width - cells, y, cells, role, s);
}

int canvas_cut(struct canvas *c, int x, int y, int width, enum role role, const char *s,
	       int skip)
{
	struct box to = { x, y, width, 1 };

	if (width >= 4 && canvas_cells(c, s, skip + width + 1) > skip + width) {
		to.width = width - 2;
		to.width = emit(c, to, role, s, skip);
		return to.width + canvas_put(c, x + to.width, y, 2, role, "..");
	}
	return emit(c, to, role, s, skip);
}

void canvas_fill(struct canvas *c, int x, int y, int width, enum role role, uint32_t ch)
{
	int i;

	for (i = 0; i < width && x + i < c->width; i++)
		set(c, x + i, y, ch, role);
}

void canvas_select(struct canvas *c, int x, int y, int width)
{
	int i;

	for (i = 0; i < width && x + i < c->width; i++) {
		struct cell *cell = at(c, x + i, y);

		if (cell)
			cell->selected = true;
	}
}

int canvas_cells(const struct canvas *c, const char *s, int limit)
{
	int sum = 0, cells;
	uint32_t ch;

	while (*s && sum < limit) {
		s += next_char(c, s, &ch, &cells);
		sum += cells;
	}
	return sum < limit ? sum : limit;
}

size_t canvas_fit(const struct canvas *c, const char *s, int width)
{
	const char *p = s;
	uint32_t ch;
	int cells;

	while (*p) {
		size_t len = next_char(c, p, &ch, &cells);

		if (cells > width)
			break;
		width -= cells;
		p += len;
	}
	return (size_t)(p - s);
}

static void add_utf8(struct text *out, uint32_t ch)
{
	if (ch < 0x80) {
		text_char(out, (char)ch);
	} else if (ch < 0x800) {
		text_char(out, (char)(0xc0 | ch >> 6));
		text_char(out, (char)(0x80 | (ch & 0x3f)));
	} else if (ch < 0x10000) {
		text_char(out, (char)(0xe0 | ch >> 12));
		text_char(out, (char)(0x80 | (ch >> 6 & 0x3f)));
		text_char(out, (char)(0x80 | (ch & 0x3f)));
	} else {
		text_char(out, (char)(0xf0 | ch >> 18));
		text_char(out, (char)(0x80 | (ch >> 12 & 0x3f)));
		text_char(out, (char)(0x80 | (ch >> 6 & 0x3f)));
		text_char(out, (char)(0x80 | (ch & 0x3f)));
	}
}

void canvas_line(const struct canvas *c, int y, struct text *out)
{
	const struct cell *row;
	int x, end = c->width;

	if (y < 0 || y >= c->height)
		return;
	row = &c->cells[(size_t)y * (size_t)c->width];
	while (end > 0 && row[end - 1].ch == ' ')
		end--;
	for (x = 0; x < end; x++)
		if (row[x].ch)
			add_utf8(out, row[x].ch);
}
