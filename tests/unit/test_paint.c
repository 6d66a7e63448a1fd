/* What is sent draws what was meant: a terminal made of an array obeys it, and shows the
 * canvas, cell by cell, through many random changes. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/paint.h"

#define W 37
#define H 9

/* Escapes of its own, one byte of command each: 0x01 x y moves, 0x02 look sets, 0x03
 * clears all, 0x04 clears the line from here. */
struct toy {
	uint32_t ch[H][W], look[H][W];
	int x, y;
	uint32_t current;
};

static void toy_move(void *arg, struct text *out, struct paint_at from, int x, int y)
{
	(void)arg;
	(void)from;
	text_char(out, 1);
	text_char(out, (char)(x + 32));
	text_char(out, (char)(y + 32));
}

static unsigned toy_look(void *arg, enum role role, bool selected)
{
	(void)arg;
	return role == ROLE_LIBRARY ? 0 : (unsigned)role * 2 + selected;
}

static bool toy_has_ground(void *arg, unsigned look)
{
	(void)arg;
	return look & 1;
}

static void toy_set_look(void *arg, struct text *out, unsigned look)
{
	(void)arg;
	text_char(out, 2);
	text_char(out, (char)(look + 32));
}

static const struct paint_terminal toy_terminal = {
	.move = toy_move,
	.look = toy_look,
	.has_ground = toy_has_ground,
	.set_look = toy_set_look,
	.clear = "\x03",
	.clear_line = "\x04",
};

static void clear_from(struct toy *t, int y, int x)
{
	for (; x < W; x++) {
		t->ch[y][x] = ' ';
		t->look[y][x] = 0;
	}
}

static void obey(struct toy *t, const struct text *in)
{
	size_t i;
	int y;

	for (i = 0; i < in->n; i++) {
		unsigned char c = (unsigned char)in->p[i];

		if (c == 1) {
			t->x = in->p[++i] - 32;
			t->y = in->p[++i] - 32;
		} else if (c == 2) {
			t->current = (uint32_t)in->p[++i] - 32;
		} else if (c == 3) {
			for (y = 0; y < H; y++)
				clear_from(t, y, 0);
		} else if (c == 4) {
			assert_int_equal(t->current, 0);
			clear_from(t, t->y, t->x);
		} else {
			uint32_t ch = c;
			int wide = 1;

			if (c >= 0xe0) { /* all of ours are 3 bytes */
				ch = (c & 15u) << 12 |
				     ((uint32_t)in->p[i + 1] & 63) << 6 |
				     ((uint32_t)in->p[i + 2] & 63);
				i += 2;
				wide = ch >= 0x4e00 ? 2 : 1;
			}
			assert_true(t->x >= 0 && t->x + wide <= W && t->y < H);
			t->ch[t->y][t->x] = ch;
			t->look[t->y][t->x] = t->current;
			if (wide == 2) {
				t->ch[t->y][t->x + 1] = 0;
				t->look[t->y][t->x + 1] = t->current;
			}
			t->x += wide;
		}
	}
}

static void shows(const struct toy *t, const struct canvas *c)
{
	int x, y;

	for (y = 0; y < H; y++)
		for (x = 0; x < W; x++) {
			const struct cell *cell = &c->cells[y * W + x];
			uint32_t look =
			    toy_look(NULL, (enum role)cell->role, cell->selected);

			if (x == W - 1 && y == H - 1)
				continue; /* never written */
			if (cell->ch == ' ' && !(look & 1))
				look = 0;
			assert_int_equal(t->ch[y][x], cell->ch);
			assert_int_equal(t->look[y][x], look);
		}
}

static void change(struct canvas *c)
{
	static const char *const words[] = { "31.2*",
					     "parse_order",
					     "",
					     "a \xe6\xbc\xa2 b",
					     "\xe2\x96\x88\xe2\x96\x81",
					     "          ",
					     "0" };
	int k, n = rand() % 6;

	if (rand() % 20 == 0)
		canvas_clear(c);
	for (k = 0; k < n; k++) {
		int x = rand() % W, y = rand() % H;

		canvas_put(c, x, y, 1 + rand() % W, (enum role)(rand() % 6),
			   words[rand() % 7]);
		if (rand() % 3 == 0)
			canvas_fill(c, x, y, rand() % W, ROLE_TEXT, ' ');
		if (rand() % 8 == 0)
			canvas_select(c, 0, y, W);
	}
	c->cursor_x = rand() % W;
	c->cursor_y = rand() % H;
}

static void test_random_changes(void **state)
{
	struct canvas c = { 0 };
	struct paint p = { 0 };
	struct text out = { 0 };
	struct toy toy = { 0 };
	int i;

	(void)state;
	srand(7);
	canvas_resize(&c, W, H);
	for (i = 0; i < 3000; i++) {
		change(&c);
		if (rand() % 100 == 0)
			paint_forget(&p);
		text_clear(&out);
		paint(&p, &toy_terminal, &c, &out);
		obey(&toy, &out);
		shows(&toy, &c);
		assert_int_equal(toy.x, c.cursor_x);
		assert_int_equal(toy.y, c.cursor_y);
		assert_int_equal(toy.current, 0);
	}
	text_done(&out);
	paint_done(&p);
	canvas_done(&c);
}

static void test_nothing_new_sends_nothing(void **state)
{
	struct canvas c = { 0 };
	struct paint p = { 0 };
	struct text out = { 0 };

	(void)state;
	canvas_resize(&c, W, H);
	canvas_put(&c, 3, 3, 20, ROLE_HOT, "31.2*");
	paint(&p, &toy_terminal, &c, &out);
	text_clear(&out);
	paint(&p, &toy_terminal, &c, &out);
	assert_int_equal(out.n, 0);
	canvas_put(&c, 6, 3, 1, ROLE_HOT, "3"); /* one digit: look, move, digit, back */
	paint(&p, &toy_terminal, &c, &out);
	assert_in_range(out.n, 1, 11);
	text_done(&out);
	paint_done(&p);
	canvas_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_nothing_new_sends_nothing),
	};

	setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters */
	return cmocka_run_group_tests_name("paint", tests, NULL, NULL);
}
