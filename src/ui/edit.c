/* Bytes are UTF-8; the cursor moves by whole characters. What is typed is cleaned like a
 * foreign string: a paste can hold anything. */
#include "ui/edit.h"

#include <string.h>

#include "base/text.h"
#include "ui/keys.h"

void edit_set(struct edit *e, const char *s)
{
	e->n = clean_copy(e->text, sizeof(e->text), s, strlen(s));
	e->at = e->n;
}

static size_t before(const struct edit *e, size_t at)
{
	while (at > 0 && ((unsigned char)e->text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t after(const struct edit *e, size_t at)
{
	size_t len = clean_char(e->text + at, e->n - at);

	return at + (len ? len : at < e->n);
}

static void cut(struct edit *e, size_t from, size_t to)
{
	memmove(e->text + from, e->text + to, e->n - to + 1);
	e->n -= to - from;
	e->at = from;
}

static void insert(struct edit *e, int key)
{
	unsigned c = (unsigned)key;
	char s[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = n; i-- > 1; c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
	if (clean_char(s, n) != n || e->n + n > EDIT_MAX)
		return;
	memmove(e->text + e->at + n, e->text + e->at, e->n - e->at + 1);
	memcpy(e->text + e->at, s, n);
	e->n += n;
	e->at += n;
}

bool edit_key(struct edit *e, int key)
{
	size_t from;

	switch (key) {
	case K_LEFT:
		e->at = before(e, e->at);
		return true;
	case K_RIGHT:
		e->at = after(e, e->at);
		return true;
	case K_HOME:
	case K_CTRL('A'):
		e->at = 0;
		return true;
	case K_END:
	case K_CTRL('E'):
		e->at = e->n;
		return true;
	case K_BACKSPACE:
		cut(e, before(e, e->at), e->at);
		return true;
	case K_DELETE:
		cut(e, e->at, after(e, e->at));
		return true;
	case K_CTRL('U'):
		cut(e, 0, e->at);
		return true;
	case K_CTRL('W'):
		for (from = e->at; from > 0 && strchr(" /", e->text[from - 1]); from--)
			;
		for (; from > 0 && !strchr(" /", e->text[from - 1]); from--)
			;
		cut(e, from, e->at);
		return true;
	}
	if (key < ' ' || key >= K_SPECIAL)
		return false;
	insert(e, key);
	return true;
}

void edit_paste(struct edit *e, const char *s, size_t n)
{
	char clean[EDIT_MAX + 1];
	size_t len = clean_copy(clean, EDIT_MAX - e->n + 1, s, n);

	memmove(e->text + e->at + len, e->text + e->at, e->n - e->at + 1);
	memcpy(e->text + e->at, clean, len);
	e->n += len;
	e->at += len;
}

void edit_draw(const struct edit *e, struct canvas *c, int x, int y, int width)
{
	char head[EDIT_MAX + 1];
	int left, skip;

	memcpy(head, e->text, e->at);
	head[e->at] = '\0';
	left = canvas_cells(c, head, 4 * EDIT_MAX);
	skip = left >= width ? left - width + 1 : 0;
	canvas_cut(c, x, y, width, ROLE_STRONG, e->text, skip);
	c->cursor_x = x + left - skip;
	c->cursor_y = y;
	c->cursor_shown = true;
}
