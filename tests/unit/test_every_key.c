/* Every key of the table in every view, at sizes from tiny to large: it acts, or says that
 * it does nothing there; nothing overflows. Under the sanitizers this is the test that
 * finds what people find by pressing everything. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui_made.h"

struct place {
	const char *name, *keys; /* from the start to there */
};

static const struct place places[] = {
	{ "functions", "1" },
	{ "tree", "2" },
	{ "flame", "3" },
	{ "threads", "4" },
	{ "memory", "5" },
	{ "gc", "6" },
	{ "latency", "7" },
	{ "callers", "1\r" },
	{ "source", "1a" },
	{ "callers twice", "1\r\r" },
	{ "flame, zoomed", "3jjj\r" },
	{ "tree, closed", "2*" },
	{ "folded", "1x" },
	{ "lines", "1L" },
	{ "filtered", "1/read\r" },
	{ "flame, searched", "3/read\rn" },
	{ "paused", "1 " },
	{ "help", "?" },
	{ "save", "W" },
	{ "messages", "!" },
	{ "options", "O" },
	{ "stacks", "D" },
	{ "baseline", "2b1" },
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static void answer(struct made *m)
{
	struct snapshot *s = made_snapshot();

	if (m->screen.wants & WANT_TREE)
		made_tree(s);
	s->by_line = m->screen.wants & WANT_LINES;
	s->wants |= m->screen.wants;
	m->screen.sh.now_ns += NS_PER_SEC;
	s->time_ns = m->screen.sh.paused ? 1000 * NS_PER_SEC : m->screen.sh.now_ns;
	s->past = m->screen.sh.paused;
	screen_take(&m->screen, s);
}

static void go_to(struct made *m, int width, int height, const struct place *p)
{
	const char *k;

	made_open(m, width, height, true);
	answer(m);
	for (k = p->keys; *k; k++) {
		screen_draw(&m->screen, &m->canvas);
		screen_key(&m->screen, (unsigned char)*k);
		answer(m);
	}
	/* Hints run out, so that a new one is seen. */
	m->screen.sh.now_ns += 60 * NS_PER_SEC;
	screen_draw(&m->screen, &m->canvas);
	while (made_command(m).kind != UINT32_MAX)
		;
}

static char *cells(struct made *m)
{
	size_t n = (size_t)m->canvas.width * (size_t)m->canvas.height;
	char *copy = malloc(n * sizeof(struct cell));

	screen_draw(&m->screen, &m->canvas);
	memcpy(copy, m->canvas.cells, n * sizeof(struct cell));
	return copy;
}

/* What is already at its end does nothing, and says nothing. */
static bool may_be_silent(enum action a)
{
	return (a >= ACTION_UP && a <= ACTION_RIGHT) || a == ACTION_VIEW ||
	       a == ACTION_BACK || a == ACTION_CLEAR_FILTER || a == ACTION_SORT_SELF ||
	       a == ACTION_SORT_TOTAL || a == ACTION_NEXT_MATCH ||
	       a == ACTION_PREVIOUS_MATCH || a == ACTION_OPEN || a == ACTION_ALL ||
	       a == ACTION_MORE || a == ACTION_LESS || a == ACTION_SOURCE ||
	       a == ACTION_BASELINE || a == ACTION_SAVE_MENU;
}

static void press(const struct place *p, int width, int height, int key)
{
	struct made m;
	char *before, *after;
	size_t n;
	bool acted;
	enum action a = keys_action(key, IN_VIEW);

	go_to(&m, width, height, p);
	n = (size_t)width * (size_t)height * sizeof(struct cell);
	before = cells(&m);
	screen_key(&m.screen, key);
	after = cells(&m);
	acted = memcmp(before, after, n) != 0 || m.screen.ask ||
		made_command(&m).kind != UINT32_MAX;
	if (!acted && a && !may_be_silent(a) && !m.screen.popup && width >= 80) {
		char label[16];

		print_error("%s: %s says nothing\n", p->name, key_label(key, label));
		assert_true(acted);
	}
	answer(&m);
	free(before);
	free(after);
	screen_draw(&m.screen, &m.canvas);
	screen_key(&m.screen, K_ESC);
	screen_draw(&m.screen, &m.canvas);
	made_close(&m);
}

static void test_every_key_everywhere(void **state)
{
	static const int sizes[][2] = { { 80, 24 }, { 160, 50 }, { 40, 12 }, { 20, 5 } };
	const struct key_row *r;
	size_t i, k, p, size;

	(void)state;
	for (size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++)
		for (p = 0; p < PLACES; p++)
			for (i = 0; (r = keys_row(i)); i++)
				for (k = 0; k < KEYS_PER_ROW && r->keys[k]; k++)
					press(&places[p], sizes[size][0], sizes[size][1],
					      r->keys[k]);
}

/* Keys at random, sizes at random: what no table thinks of. */
static void test_a_monkey(void **state)
{
	struct made m;
	const struct key_row *r;
	size_t rows;
	int i;

	(void)state;
	for (rows = 0; keys_row(rows); rows++)
		;
	srand(11);
	made_open(&m, 80, 24, false);
	for (i = 0; i < 20000; i++) {
		r = keys_row((size_t)rand() % rows);
		if (r->action == ACTION_QUIT || r->action == ACTION_CLOSE)
			continue;
		screen_key(&m.screen, r->keys[0]);
		if (rand() % 4 == 0)
			answer(&m);
		if (rand() % 50 == 0)
			canvas_resize(&m.canvas, 1 + rand() % 200, 1 + rand() % 60);
		if (rand() % 10 == 0)
			screen_mouse(&m.screen, rand() % 200, rand() % 60,
				     (enum mouse_button)(rand() % 3));
		screen_draw(&m.screen, &m.canvas);
		while (made_command(&m).kind != UINT32_MAX)
			;
	}
	made_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_everywhere),
		cmocka_unit_test(test_a_monkey),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("every key", tests, NULL, NULL);
}
