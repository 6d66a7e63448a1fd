/* Keys in, pictures and commands out: every key of the table acts, the help page lists
 * exactly the table, and the selection, the order, the filter and the pause keep their
 * promises. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ui/figures.h"
#include "ui/paste.h"
#include "ui_made.h"

static int start(void **state)
{
	struct made *m = calloc(1, sizeof(*m));

	made_open(m, 80, 24, true);
	screen_take(&m->screen, made_snapshot());
	*state = m;
	return 0;
}

static int stop(void **state)
{
	made_close(*state);
	free(*state);
	return 0;
}

/* The next picture, `s` later, with the figures of two functions exchanged. */
static void swap_and_take(struct made *m, size_t a, size_t b, unsigned s)
{
	struct snapshot *next = made_snapshot();
	struct snapshot_function *f = next->functions;
	uint64_t self_ns = f[a].self_ns;

	f[a].self_ns = f[b].self_ns;
	f[b].self_ns = self_ns;
	snapshot_sort(next);
	next->number += s;
	next->time_ns += s * NS_PER_SEC;
	m->screen.sh.now_ns += s * NS_PER_SEC;
	screen_take(&m->screen, next);
}

static void test_table(void **state)
{
	const struct key_row *r, *other;
	size_t i, k, j, l;

	(void)state;
	for (i = 0; (r = keys_row(i)); i++) {
		assert_int_not_equal(r->keys[0], 0);
		assert_true(i > 0 || r->help);
		/* Two columns of 40 cells. */
		assert_true(!r->help || strlen(r->help) <= 23);
		assert_true(!r->bar || r->bar_rank > 0);
		for (k = 0; k < KEYS_PER_ROW && r->keys[k]; k++)
			for (j = 0; (other = keys_row(j)); j++)
				for (l = 0; l < KEYS_PER_ROW && other->keys[l]; l++)
					if (r->keys[k] == other->keys[l] &&
					    (r->places & other->places))
						assert_true(i == j && k == l);
	}
}

/* Every key of every row stands on the page, and nothing else does. */
static void test_help_is_the_table(void **state)
{
	struct made *m = *state;
	const struct key_row *r;
	char label[16], *page, *word, *save = NULL;
	size_t i, k, bound = 0, listed = 0;

	canvas_resize(&m->canvas, 40, 160); /* one column, all of it */
	made_keys(m, "?");
	page = made_picture(m);
	for (i = 0; (r = keys_row(i)); i++)
		for (k = 0; k < KEYS_PER_ROW && r->keys[k]; k++, bound++) {
			char *line = strstr(page, " ");

			key_label(r->keys[k], label);
			for (; line; line = strstr(line + 1, label))
				if (strncmp(line, label, strlen(label)) == 0 &&
				    line[-1] == ' ' && line[strlen(label)] == ' ')
					break;
			if (!line)
				print_error("%s is not on the page\n", label);
			assert_non_null(line);
			if (r->help && !strstr(page, r->help))
				print_error("no '%s'\n", r->help);
			if (r->help)
				assert_non_null(strstr(page, r->help));
		}
	/* The label column of key lines. */
	for (word = strtok_r(page, "\n", &save); word;
	     word = strtok_r(NULL, "\n", &save)) {
		char *token, *inner = NULL;

		if (strncmp(word, "ptop", 4) == 0 || word[0] != ' ' || strlen(word) < 18)
			continue;
		if (strncmp(word, " SELF:", 6) == 0)
			break; /* the legend */
		word[17] = '\0';
		for (token = strtok_r(word, " ", &inner); token;
		     token = strtok_r(NULL, " ", &inner))
			listed++;
	}
	free(page);
	assert_int_equal(listed, bound);
}

/* Some keys need a picture in which they can change something. */
static bool changes_something(enum action action)
{
	return action != ACTION_UP && action != ACTION_PAGE_UP &&
	       action != ACTION_HALF_UP && action != ACTION_FIRST &&
	       action != ACTION_LEFT && action != ACTION_SORT_SELF &&
	       action != ACTION_CLEAR_FILTER && action != ACTION_BACK &&
	       action != ACTION_VIEW && action != ACTION_PREVIOUS_MATCH &&
	       action != ACTION_ALL; /* of the tree */
}

static void test_every_key_acts(void **state)
{
	const struct key_row *r;
	size_t i, k;

	(void)state;
	for (i = 0; (r = keys_row(i)); i++)
		for (k = 0; k < KEYS_PER_ROW && r->keys[k]; k++) {
			struct made m;
			char *before, *after;
			bool acted;

			if (!(r->places & IN_VIEW) || !changes_something(r->action))
				continue;
			made_open(&m, 80, 24, true);
			screen_take(&m.screen, made_snapshot());
			before = made_picture(&m);
			screen_key(&m.screen, r->keys[k]);
			after = made_picture(&m);
			acted = strcmp(before, after) != 0 || m.screen.ask ||
				made_command(&m).kind != UINT32_MAX ||
				r->action == ACTION_RIGHT;
			free(before);
			free(after);
			made_close(&m);
			if (!acted)
				print_error("key %d does nothing\n", r->keys[k]);
			assert_true(acted);
		}
}

/* Digits, Tab and the tabs themselves change the view; what was selected stays. */
static void test_views(void **state)
{
	struct made *m = *state;
	struct snapshot *next = made_snapshot();

	assert_true(made_shows(m, "[1Func]"));
	assert_true(made_shows(m, "1-8 of 8"));
	made_keys(m, "jj4");
	assert_true(made_shows(m, "[4Thr]"));
	assert_int_equal(made_command(m).value, WANT_STACKS);
	next->wants = WANT_STACKS;
	screen_take(&m->screen, next);
	assert_true(made_shows(m, "NOW IN"));
	assert_true(made_shows(m, "raw_decode decoder.c:353"));
	assert_true(made_shows(m, "ssl_read [socket wait]"));
	screen_key(&m->screen, K_BACK_TAB);
	while (m->screen.view != 1)
		screen_key(&m->screen, K_BACK_TAB);
	assert_true(made_shows(m, ">  9.8+"));
	screen_mouse(&m->screen, 10, 3, MOUSE_LEFT);
	assert_true(m->screen.view > 1);
}

/* keys.digits = sort: where there is something to sort. */
static void test_digits_sort(void **state)
{
	struct made *m = *state;

	m->screen.sh.settings.digits_sort = true;
	made_keys(m, "2");
	assert_true(made_shows(m, "TOTAL%v"));
	made_keys(m, "3");
	assert_true(made_shows(m, "SELF%v"));
	made_keys(m, "4");
	assert_true(made_shows(m, "TOTAL%v"));
	assert_int_equal(m->screen.view, 1);
	made_keys(m, "?");
	assert_true(made_shows(m, "own, total; 5-7: views"));
	made_keys(m, "?5");
	assert_int_equal(m->screen.view, 5);
	made_keys(m, "1"); /* nothing to sort there */
	assert_int_equal(m->screen.view, 1);
	made_keys(m, "5");
	free(made_picture(m));
	screen_mouse(&m->screen, 2, m->screen.tabs_y, MOUSE_LEFT);
	assert_int_equal(m->screen.view, 1);
}

/* On a large screen: what stands around the selected row, and only there is it asked for. */
static void test_around(void **state)
{
	struct made *m = *state;
	struct snapshot *next = made_snapshot();

	free(made_picture(m));
	assert_int_equal(m->screen.wants & (WANT_TREE | WANT_HOT_LINES), 0);
	canvas_resize(&m->canvas, 160, 50);
	free(made_picture(m));
	assert_int_equal(m->screen.wants & (WANT_TREE | WANT_HOT_LINES),
			 WANT_TREE | WANT_HOT_LINES);
	made_tree(next);
	next->wants = m->screen.wants;
	next->lines = arena_alloc(&next->arena, 2 * sizeof(*next->lines));
	next->n_lines = 2;
	next->lines[0] = next->functions[1];
	next->lines[1] = next->functions[0];
	next->lines[1].line = 371;
	screen_take(&m->screen, next);
	assert_true(made_shows(m, "CALLERS of raw_decode"));
	assert_true(made_shows(m, "   371"));
	made_keys(m, "j");
	assert_true(made_shows(m, "CALLERS of parse_order"));
	canvas_resize(&m->canvas, 160, 24);
	free(made_picture(m));
	assert_int_equal(m->screen.wants & (WANT_TREE | WANT_HOT_LINES), 0);
	/* A tree would merge rows that are apart. */
	canvas_resize(&m->canvas, 160, 50);
	made_keys(m, "m");
	free(made_picture(m));
	assert_int_equal(m->screen.wants & WANT_TREE, 0);
}

/* Views 5 to 7 on a large screen: one page of graphs under one cursor. */
static void test_trends(void **state)
{
	static struct gc_cell cells[GC_CELLS];
	static struct gc_row row = {
		.runtime = "r", .generation = "g", .cause = "", .source = ""
	};
	struct made *m = *state;
	struct snapshot *next = made_snapshot();
	int i, selected = 0;

	next->gc.rows = &row;
	next->gc.n_rows = 1;
	next->gc.timeline = cells;
	next->gc.timeline_ns = 60 * NS_PER_SEC;
	cells[GC_CELLS - 4] = (struct gc_cell){ .count = 3, .longest_ns = 7000000 };
	next->covered_ns = next->window_ns;
	screen_take(&m->screen, next);
	canvas_resize(&m->canvas, 160, 50);
	for (i = 5; i <= 7; i++) {
		screen_key(&m->screen, '0' + i);
		assert_true(made_shows(m, " MEMORY "));
		assert_true(made_shows(m, " GC  "));
		assert_true(made_shows(m, " LATENCY "));
	}
	/* Half a second a step: the collections were 0.75 to 1 s ago. */
	made_keys(m, "hh");
	assert_true(made_shows(m, "at the cursor: 3, longest 7.00ms"));
	for (i = 0; i < m->canvas.width * m->canvas.height; i++)
		selected += m->canvas.cells[i].selected;
	assert_true(selected >= 3);
	screen_key(&m->screen, K_ENTER);
	assert_int_equal(m->screen.view, 3);
	assert_int_equal(m->screen.sh.moment_span_ns, 2 * NS_PER_SEC);
	/* Small: each has its own page, and latencies have no cursor. */
	canvas_resize(&m->canvas, 80, 24);
	made_keys(m, "7");
	free(made_picture(m));
	made_keys(m, "h");
	assert_int_equal(m->screen.sh.cursor_ns, 0);
}

static void test_thread(void **state)
{
	struct made *m = *state;
	struct snapshot *next = made_snapshot();
	struct command c;

	made_keys(m, "4");
	assert_true(made_shows(m, "NOW IN"));
	made_keys(m, "j\r");
	assert_int_equal(made_command(m).kind, COMMAND_WANT);
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_THREAD);
	assert_int_equal(c.value, 4250);
	next->only_tid = 4250;
	screen_take(&m->screen, next);
	assert_true(made_shows(m, "only thread 4250 worker"));
	made_keys(m, "1m");
	made_command(m); /* the want */
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_THREAD);
	assert_int_equal(c.value, 0);
}

/* What is not in the picture of a pause is asked of that moment. */
static void test_pause_asks_for_its_moment(void **state)
{
	struct made *m = *state;
	struct snapshot *next = made_snapshot();
	struct command c;

	made_keys(m, " 4");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_AT);
	assert_int_equal(c.value, 1000 * NS_PER_SEC);
	assert_int_equal(c.window_ns, 60 * NS_PER_SEC);
	assert_int_equal(made_command(m).kind, COMMAND_WANT);
	next->past = true;
	next->threads[0].name = "of-then";
	screen_take(&m->screen, next);
	assert_true(made_shows(m, "of-then"));
	made_keys(m, " ");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_AT);
	assert_int_equal(c.value, 0);
}

static void test_selection_follows(void **state)
{
	struct made *m = *state;

	/* Untouched, the selection is the first row, whatever that is. */
	swap_and_take(m, 0, 1, 4);
	assert_true(made_shows(m, "> 31.4*   47.3*"));
	made_keys(m, "jj"); /* ssl_read, third */
	assert_true(made_shows(m, ">  9.8+"));
	swap_and_take(m, 2, 6, 5); /* ... falls to seventh */
	assert_true(made_shows(m, ">  2.2"));
	assert_true(m->canvas.cursor_y == 4 + 1 + 6);
	made_keys(m, "g");
	assert_true(made_shows(m, "> 31.4*"));
}

static void test_order_is_held(void **state)
{
	struct made *m = *state;
	char *p;

	made_keys(m, "j");
	swap_and_take(m, 0, 2, 1); /* a second after: nothing moves */
	p = made_picture(m);
	assert_true(strstr(p, "raw_decode") < strstr(p, "parse_order"));
	assert_true(strstr(p, "parse_order") < strstr(p, "ssl_read"));
	free(p);
	swap_and_take(m, 0, 2, 3); /* four seconds after: sorted again */
	p = made_picture(m);
	assert_true(strstr(p, "ssl_read") < strstr(p, "parse_order"));
	assert_true(strstr(p, "parse_order") < strstr(p, "raw_decode"));
	free(p);
}

static void test_sorting(void **state)
{
	struct made *m = *state;
	char *p;

	made_keys(m, "t");
	assert_true(made_shows(m, "TOTAL%v"));
	assert_true(made_shows(m, ">  3.1    88.6!"));
	made_keys(m, "I");
	assert_true(made_shows(m, "TOTAL%^"));
	made_keys(m, "o");
	assert_true(made_shows(m, "SELF%v"));
	made_keys(m, "ss");
	assert_true(made_shows(m, "FUNCTIONv"));
	p = made_picture(m);
	assert_true(strstr(p, "[truncated]") < strstr(p, "__x64_sys_read"));
	assert_true(strstr(p, "raw_decode") < strstr(p, "ssl_read"));
	free(p);
	made_keys(m, "s");
	assert_true(made_shows(m, "FILE:LINEv"));
	made_keys(m, "s");
	assert_true(made_shows(m, "SELF%v"));
	made_keys(m, "<");
	assert_true(made_shows(m, "FILE:LINEv"));
	screen_mouse(&m->screen, 9, 4, MOUSE_LEFT);
	assert_true(made_shows(m, "TOTAL%v"));
	screen_mouse(&m->screen, 9, 4, MOUSE_LEFT);
	assert_true(made_shows(m, "TOTAL%^"));
}

static void test_filter(void **state)
{
	struct made *m = *state;

	made_keys(m, "/READ");
	assert_true(made_shows(m, "/READ"));
	assert_true(made_shows(m, "1-2 of 2"));
	assert_true(m->canvas.cursor_shown);
	made_keys(m, "q\x7f"); /* is text here */
	screen_key(&m->screen, K_BACKSPACE);
	made_keys(m, "\r");
	assert_true(made_shows(m, "filter READ"));
	assert_true(made_shows(m, "2 of 8 shown, 12.0% of self time"));
	made_keys(m, "c");
	assert_true(made_shows(m, "1-8 of 8"));
	made_keys(m, "/~^(ssl|raw)_\r");
	assert_true(made_shows(m, "1-2 of 2"));
	screen_key(&m->screen, K_ESC);
	assert_true(made_shows(m, "1-8 of 8"));
	made_keys(m, "/~([");
	assert_true(made_shows(m, "not a regular expression (yet)"));
	screen_key(&m->screen, K_ESC);
	made_keys(m, "/no such thing\r");
	assert_true(made_shows(m, "nothing matches no such thing"));
	made_keys(m, "jjGgf");
	screen_key(&m->screen, K_BACKSPACE);
	assert_true(made_shows(m, "1-8 of 8"));
}

static void test_filter_is_bounded(void **state)
{
	struct made *m = *state;
	int i;

	made_keys(m, "/");
	for (i = 0; i < 5000; i++)
		screen_key(&m->screen, i % 2 ? 'x' : 0x6f22);
	assert_true(strlen(m->screen.sh.filter.text) < sizeof(m->screen.sh.filter.text));
	assert_true(made_shows(m, "?x?x"));
	screen_key(&m->screen, K_ENTER);
	assert_true(made_shows(m, "filter ?x?x"));
}

/* Pasted text is no keys: outside of a line nothing happens, in one it is cleaned and cut. */
static void test_paste(void **state)
{
	static char longer[300000];
	struct made *m = *state;
	struct paste p;
	size_t i;

	memset(longer, 'w', sizeof(longer));
	screen_paste(&m->screen, "q\n3w", 4);
	assert_int_equal(m->screen.ask, ASK_NOTHING);
	assert_int_equal(m->screen.view, 1);
	assert_true(made_shows(m, "pasted text is not taken for keys"));
	made_keys(m, "/a");
	screen_paste(&m->screen, "b\033[2J\n\303", 7);
	assert_string_equal(m->screen.sh.filter.text, "ab?[2J??");
	screen_paste(&m->screen, longer, sizeof(longer));
	assert_int_equal(strlen(m->screen.sh.filter.text),
			 sizeof(m->screen.sh.filter.text) - 1);
	made_keys(m, "\r");
	assert_true(made_shows(m, "filter ab?[2J"));
	/* The end is found after half of one, and a text without end is bounded. */
	paste_begin(&p);
	for (i = 0; i < 7; i++)
		assert_false(paste_byte(&p, (unsigned char)"x\033[20\033["[i]));
	assert_false(paste_byte(&p, '2'));
	assert_false(paste_byte(&p, '0'));
	assert_false(paste_byte(&p, '1'));
	assert_true(paste_byte(&p, '~'));
	assert_string_equal(p.text, "x\033[20");
	paste_begin(&p);
	for (i = 0; i < sizeof(longer); i++)
		assert_false(paste_byte(&p, 'x'));
	assert_int_equal(p.n, EDIT_MAX);
}

static void test_pin(void **state)
{
	struct made *m = *state;

	made_keys(m, "jjf"); /* ssl_read to the top */
	assert_true(made_shows(m, "pinned: ssl_read"));
	assert_true(made_shows(m, ">  9.8+"));
	assert_int_equal(m->canvas.cursor_y, 5);
	made_keys(m, "j");
	assert_true(made_shows(m, "=  9.8+"));
	made_keys(m, "/raw\r"); /* no filter hides it */
	assert_true(made_shows(m, "=  9.8+"));
	made_keys(m, "kf");
	assert_true(made_shows(m, "1-1 of 1"));
}

static void test_pause(void **state)
{
	struct made *m = *state;
	struct command c;
	struct snapshot *next;

	made_keys(m, " ");
	assert_true(made_shows(m, "[PAUSED]"));
	swap_and_take(m, 0, 1, 1);
	assert_true(made_shows(m, "> 31.4*   31.4*")); /* the old picture */
	made_keys(m, "w");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_SAVE);
	assert_int_equal(c.value, 1000 * NS_PER_SEC); /* saves what is shown */
	assert_int_equal(c.window_ns, 60 * NS_PER_SEC);
	assert_string_equal(c.text, "svg ");
	/* The answer is seen although the picture is paused. */
	next = made_snapshot();
	next->n_messages = 1;
	next->messages = arena_alloc(&next->arena, sizeof(*next->messages));
	next->messages[0] =
	    (struct snapshot_message){ MADE_WALL_NS, false, "Saved /tmp/folder/x.svg" };
	screen_take(&m->screen, next);
	assert_true(made_shows(m, "Saved /tmp/folder/x.svg"));
	m->screen.sh.now_ns += 9 * NS_PER_SEC;
	assert_true(made_shows(m, "Saved /tmp/folder/x.svg"));
	canvas_resize(&m->canvas, 20, 12);
	assert_true(made_shows(m, "Saved x.svg"));
	canvas_resize(&m->canvas, 80, 24);
	m->screen.sh.now_ns += 2 * NS_PER_SEC;
	made_keys(m, "p");
	{
		char *p = made_picture(m);

		assert_null(strstr(p, "Saved"));
		assert_null(strstr(p, "[PAUSED]"));
		free(p);
	}
	made_keys(m, "w");
	assert_int_equal(made_command(m).value, 0); /* now */
}

static void test_warning_stays(void **state)
{
	struct made *m = *state;
	struct snapshot *next = made_snapshot();
	char *p;

	next->n_messages = 1;
	next->messages = arena_alloc(&next->arena, sizeof(*next->messages));
	next->messages[0] =
	    (struct snapshot_message){ MADE_WALL_NS, true, "cannot write /x" };
	screen_take(&m->screen, next);
	m->screen.sh.now_ns += 100 * NS_PER_SEC;
	assert_true(made_shows(m, "cannot write /x"));
	made_keys(m, "j");
	p = made_picture(m);
	assert_null(strstr(p, "cannot write"));
	free(p);
	made_keys(m, "!");
	assert_true(made_shows(m, "cannot write /x"));
	assert_true(made_shows(m, "read_failed             3"));
}

/* The mode of the GIL is offered where there is one. */
static void test_modes(void **state)
{
	struct made *m = *state;
	struct snapshot *next = made_snapshot();

	made_keys(m, "ee");
	assert_int_equal(made_command(m).value, MODE_WALL);
	assert_int_equal(made_command(m).value, MODE_CPU);
	next->threads[0].gil_pct = 50;
	screen_take(&m->screen, next);
	made_keys(m, "ee");
	assert_int_equal(made_command(m).value, MODE_WALL);
	assert_int_equal(made_command(m).value, MODE_GIL);
}

static void test_commands(void **state)
{
	struct made *m = *state;
	struct command c;

	made_keys(m, "]");
	assert_int_equal(made_command(m).value, 600 * NS_PER_SEC);
	made_keys(m, "]");
	assert_int_equal(made_command(m).value, 0);
	made_keys(m, "]"); /* there is nothing after "all" */
	assert_int_equal(made_command(m).kind, UINT32_MAX);
	made_keys(m, "[[[[[");
	assert_int_equal(made_command(m).value, 600 * NS_PER_SEC);
	assert_int_equal(made_command(m).value, 60 * NS_PER_SEC);
	assert_int_equal(made_command(m).value, 10 * NS_PER_SEC);
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_WINDOW);
	assert_int_equal(c.value, 5 * NS_PER_SEC);
	m->screen.window_ns = 2000 * NS_PER_SEC; /* of somebody else's choice */
	made_keys(m, "[");
	assert_int_equal(made_command(m).value, 600 * NS_PER_SEC);
	m->screen.window_ns = 30 * NS_PER_SEC;
	made_keys(m, "]");
	assert_int_equal(made_command(m).value, 60 * NS_PER_SEC);
	assert_int_equal(made_command(m).kind, UINT32_MAX);
	made_keys(m, "e");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_MODE);
	assert_int_equal(c.value, MODE_WALL);
	made_keys(m, "m");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_MERGE);
	assert_int_equal(c.value, 0);
	made_keys(m, "ir");
	assert_int_equal(made_command(m).kind, COMMAND_IDLE);
	assert_int_equal(made_command(m).kind, COMMAND_RESET);
	made_keys(m, "d0.5\r");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_DELAY);
	assert_int_equal(c.value, NS_PER_SEC / 2);
	made_keys(m, "d99\r");
	assert_int_equal(made_command(m).kind, UINT32_MAX);
	assert_true(made_shows(m, "from 0.1 to 60"));
	made_keys(m, "dnan\rd-1\rd1x\rd\r");
	assert_int_equal(made_command(m).kind, UINT32_MAX);
}

/* A sampler that does not read never blocks the screen. */
static void test_full_pipe(void **state)
{
	struct made *m = *state;
	int i;

	fcntl(m->pipe[1], F_SETFL, 0); /* blocking, as the program's is */
	for (i = 0; i < 1000; i++)
		made_keys(m, "r");
	assert_true(made_shows(m, "the sampler is busy"));
}

static bool made_has(struct made *m, const char *what)
{
	char *p = made_picture(m);
	bool has = strstr(p, what) != NULL;

	free(p);
	return has;
}

/* A view over another one says how to go back. */
static void test_way_back_in_the_bar(void **state)
{
	struct made *m = *state;

	assert_false(made_has(m, "EscBack"));
	made_keys(m, "\r");
	assert_true(made_shows(m, "EscBack"));
	made_keys(m, "?");
	assert_false(made_has(m, "EscBack"));
	screen_key(&m->screen, K_ESC);
	screen_key(&m->screen, K_ESC);
	assert_false(made_has(m, "EscBack"));
}

static void test_save_menu(void **state)
{
	struct made *m = *state;
	struct command c;

	made_keys(m, "W");
	assert_true(made_shows(m, "> svg         flame graph, any browser, offline"));
	assert_true(made_shows(m, "To     ptop-4242-20261120T140231.svg"));
	made_keys(m, "j");
	assert_true(made_shows(m, "ptop-4242-20261120T140231.folded"));
	made_keys(m, "\t ");
	assert_true(made_shows(m, "( ) window 60s  (*) since start"));
	made_keys(m, "\t ");
	assert_true(made_shows(m, "Thread (*) all  one: select it in 4"));
	made_keys(m, "\t");
	screen_key(&m->screen, K_CTRL('U'));
	made_keys(m, "/tmp/q?!.txt");
	assert_true(made_shows(m, "To     /tmp/q?!.txt"));
	screen_key(&m->screen, K_UP); /* an edited path stays */
	assert_true(made_shows(m, "To     /tmp/q?!.txt"));
	made_keys(m, "\r");
	c = made_command(m);
	assert_int_equal(c.kind, COMMAND_SAVE);
	assert_string_equal(c.text, "svg /tmp/q?!.txt");
	assert_int_equal(c.window_ns, 0);
	assert_int_equal(c.thread, -1);
	assert_null(m->screen.popup);
	made_keys(m, "W");
	screen_key(&m->screen, K_ESC);
	assert_null(m->screen.popup);
	assert_int_equal(made_command(m).kind, UINT32_MAX);
}

/* The next command of that kind; others are read over. */
static struct command next_save(struct made *m)
{
	struct command c;

	do
		c = made_command(m);
	while (c.kind != COMMAND_SAVE && c.kind != UINT32_MAX);
	return c;
}

/* A row that was selected in Threads can be chosen; the thread that figures are of is. */
static void test_save_one_thread(void **state)
{
	struct made *m = *state;

	made_keys(m, "4");
	assert_true(made_shows(m, "4250 worker")); /* a list is as long as it is drawn */
	made_keys(m, "jW\t\t");
	assert_true(made_shows(m, "Thread (*) all  ( ) 4250 worker"));
	made_keys(m, " ");
	assert_true(made_shows(m, "Thread ( ) all  (*) 4250 worker"));
	made_keys(m, "\r");
	assert_int_equal(next_save(m).thread, 4250);
	made_keys(m, "\r"); /* only this thread from here on */
	made_keys(m, "1W");
	assert_true(made_shows(m, "Thread ( ) all  (*) 4250 worker"));
	made_keys(m, "\t\t \r");
	assert_int_equal(next_save(m).thread, -1);
}

static void test_quit(void **state)
{
	struct made *m = *state;

	made_keys(m, "?q");
	assert_int_equal(m->screen.ask, ASK_NOTHING);
	made_keys(m, "?!");
	screen_key(&m->screen, K_ESC);
	assert_int_equal(m->screen.ask, ASK_NOTHING);
	made_keys(m, "/q\x03");
	assert_int_equal(m->screen.ask, ASK_QUIT);
	m->screen.ask = ASK_NOTHING;
	screen_key(&m->screen, K_ENTER);
	made_keys(m, "q");
	assert_int_equal(m->screen.ask, ASK_QUIT);
}

static void test_mouse(void **state)
{
	struct made *m = *state;

	free(made_picture(m));
	screen_mouse(&m->screen, 50, 8, MOUSE_LEFT);
	assert_true(made_shows(m, ">  6.1+"));
	screen_mouse(&m->screen, 50, 8, MOUSE_WHEEL_DOWN);
	assert_true(made_shows(m, ">  2.2"));
	screen_mouse(&m->screen, 50, 8, MOUSE_WHEEL_UP);
	assert_true(made_shows(m, ">  6.1+"));
	m->screen.sh.now_ns += NS_PER_SEC; /* long after the first */
	screen_mouse(&m->screen, 50, 8, MOUSE_LEFT);
	assert_int_equal(m->screen.depth, 0);
	m->screen.sh.now_ns += 200 * NS_PER_MSEC;
	screen_mouse(&m->screen, 51, 8, MOUSE_LEFT); /* a double click is Enter */
	assert_int_equal(m->screen.depth, 1);
	assert_true(made_shows(m, "Functions > callers/callees"));
	screen_key(&m->screen, K_ESC);
	screen_mouse(&m->screen, 1, 23, MOUSE_LEFT); /* ?Help */
	assert_non_null(m->screen.popup);
	free(made_picture(m));
	screen_mouse(&m->screen, 70, 23, MOUSE_LEFT); /* beside the buttons */
	screen_mouse(&m->screen, -1, -1, MOUSE_LEFT);
	screen_mouse(&m->screen, 1000, 1000, MOUSE_LEFT);
	assert_non_null(m->screen.popup);
}

static void test_long_names_scroll(void **state)
{
	struct made *m = *state;

	assert_true(made_shows(m, "std::__detail::_Map.."));
	made_keys(m, "ll");
	assert_true(made_shows(m, "Map_base<std::strin.."));
	made_keys(m, "hhh");
	assert_true(made_shows(m, "std::__detail::_Map.."));
}

static void test_figures(void **state)
{
	(void)state;
	assert_string_equal(fig_bytes(0).s, "0B");
	assert_string_equal(fig_bytes(1023).s, "1.00K");
	assert_string_equal(fig_bytes(212u << 20).s, "212M");
	assert_string_equal(fig_bytes(UINT64_MAX).s, "16.0E");
	assert_string_equal(fig_count(59412).s, "59,412");
	assert_string_equal(fig_count(1002003).s, "1,002,003");
	assert_string_equal(fig_count_short(UINT64_MAX).s, "18E");
	assert_string_equal(fig_time(18500000000).s, "18.5s");
	assert_string_equal(fig_time(52000000).s, "52ms");
	assert_string_equal(fig_time(99940000000).s, "99.9s");
	assert_string_equal(fig_time(99960000000).s, "100s");
	assert_string_equal(fig_time(999600000000).s, "17m");
	assert_string_equal(fig_span(0).s, "all");
	assert_string_equal(fig_span(600 * NS_PER_SEC).s, "10m");
	assert_string_equal(fig_uptime(11520 * NS_PER_SEC).s, "3h12m");
	assert_string_equal(fig_slope(-36000).s, "-2.06M/m");
	assert_string_equal(fig_slope(10).s, "");
	assert_string_equal(fig_pct(100, true).s, "~100");
	assert_string_equal(fig_pct(0.0 / 0.0, false).s, "0.0");
	assert_int_equal(fig_mark(60), '*');
	assert_int_equal(fig_mark(60.1), '!');
}

/* Not a timed test: says what a key press costs with very many functions. */
static void test_many_functions(void **state)
{
	struct made *m = *state;
	struct snapshot *s = made_snapshot();
	static const char keys[] = "tssfjIo/e_1\x7f~x.*(7|8)$\rGc";
	static char names[50000][48];
	uint64_t worst_ns = 0, from_ns;
	size_t i;

	s->n_functions = 50000;
	s->functions = arena_alloc(&s->arena, s->n_functions * sizeof(*s->functions));
	for (i = 0; i < s->n_functions; i++) {
		snprintf(names[i], sizeof(names[i]), "fn_%zx_%zu",
			 i * 2654435761u % 65521, i);
		s->functions[i] =
		    (struct snapshot_function){ .name = names[i],
						.module = "libbig.so.1",
						.file = "a/b/c.c",
						.line = 1,
						.runtime = "native",
						.thread = UINT32_MAX,
						.self_ns = 100000 - i,
						.total_ns = i * 7919 % 50021,
						.id = i * 2654435761u + 1 };
	}
	screen_take(&m->screen, s);
	for (i = 0; i < sizeof(keys) - 1; i++) {
		from_ns = clock_now_ns();
		screen_key(&m->screen, keys[i]);
		screen_draw(&m->screen, &m->canvas);
		from_ns = clock_now_ns() - from_ns;
		worst_ns = from_ns > worst_ns ? from_ns : worst_ns;
	}
	print_message("# 50,000 functions: slowest of the keys %.1f ms\n",
		      (double)worst_ns / 1e6);
	assert_true(made_shows(m, "of 50000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test_setup_teardown(test_help_is_the_table, start, stop),
		cmocka_unit_test(test_every_key_acts),
		cmocka_unit_test_setup_teardown(test_paste, start, stop),
		cmocka_unit_test_setup_teardown(test_views, start, stop),
		cmocka_unit_test_setup_teardown(test_digits_sort, start, stop),
		cmocka_unit_test_setup_teardown(test_around, start, stop),
		cmocka_unit_test_setup_teardown(test_trends, start, stop),
		cmocka_unit_test_setup_teardown(test_thread, start, stop),
		cmocka_unit_test_setup_teardown(test_pause_asks_for_its_moment, start,
						stop),
		cmocka_unit_test_setup_teardown(test_selection_follows, start, stop),
		cmocka_unit_test_setup_teardown(test_order_is_held, start, stop),
		cmocka_unit_test_setup_teardown(test_sorting, start, stop),
		cmocka_unit_test_setup_teardown(test_filter, start, stop),
		cmocka_unit_test_setup_teardown(test_filter_is_bounded, start, stop),
		cmocka_unit_test_setup_teardown(test_pin, start, stop),
		cmocka_unit_test_setup_teardown(test_pause, start, stop),
		cmocka_unit_test_setup_teardown(test_warning_stays, start, stop),
		cmocka_unit_test_setup_teardown(test_modes, start, stop),
		cmocka_unit_test_setup_teardown(test_commands, start, stop),
		cmocka_unit_test_setup_teardown(test_full_pipe, start, stop),
		cmocka_unit_test_setup_teardown(test_save_menu, start, stop),
		cmocka_unit_test_setup_teardown(test_save_one_thread, start, stop),
		cmocka_unit_test_setup_teardown(test_way_back_in_the_bar, start, stop),
		cmocka_unit_test_setup_teardown(test_quit, start, stop),
		cmocka_unit_test_setup_teardown(test_mouse, start, stop),
		cmocka_unit_test_setup_teardown(test_long_names_scroll, start, stop),
		cmocka_unit_test(test_figures),
		cmocka_unit_test_setup_teardown(test_many_functions, start, stop),
	};

	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
