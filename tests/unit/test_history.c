/* The flight recorder and the pictures of it. Stacks are written as text, root first:
 * "main;work". A frame's function is the letter-for-letter name; so what the rows must
 * say can be read off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/history.h"
#include "model/picture.h"

#define SECOND 1000000000ull

struct world {
	struct history h;
	struct functions fs;
	struct live live;
	struct intern names;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	history_init(&w->h, 1 << 20);
	functions_init(&w->fs);
	intern_init(&w->names);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	history_done(&w->h);
	functions_done(&w->fs);
	live_done(&w->live);
	intern_done(&w->names);
	free(w);
	return 0;
}

static void name_frame(void *arg, uint32_t frame)
{
	struct world *w = arg;
	uint32_t id = (uint32_t)w->h.frames.v[frame].frame.address;
	struct place p = { .file = NO_ID };

	p.function = functions_intern(&w->fs, intern_get(&w->names, id), "prog", CODE_APP,
				      "native");
	history_name(&w->h, frame, &p, 1);
}

static uint32_t stack(struct world *w, const char *text)
{
	struct callstack cs = { 0 };
	char copy[4096], *at, *name, *names[256];
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (name = strtok_r(copy, ";", &at); name; name = strtok_r(NULL, ";", &at))
		names[n++] = name;
	while (n > 0)
		cs.frame[cs.depth++] =
		    (struct frame){ .kind = FRAME_NATIVE,
				    .object = 1,
				    .address = intern_add(&w->names, names[--n]) };
	return history_stack(&w->h, &cs, name_frame, w);
}

static void add(struct world *w, uint64_t time, uint32_t thread, const char *text,
		uint64_t weight)
{
	uint32_t node = stack(w, text);

	history_add(&w->h, time, thread, node, weight, 1, false);
}

static struct snapshot *picture(struct world *w, struct picture_query q,
				struct picture_thread *threads, size_t n)
{
	struct snapshot *s = snapshot_new();

	picture_build(&w->h, &w->fs, &q, &w->live, threads, n, s);
	return s;
}

static const struct snapshot_function *row(const struct snapshot *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, name) == 0)
			return &s->functions[i];
	return NULL;
}

static void expect(const struct snapshot *s, const char *name, uint64_t self,
		   uint64_t total)
{
	const struct snapshot_function *f = row(s, name);

	assert_non_null(f);
	assert_int_equal(f->self_ns, self);
	assert_int_equal(f->total_ns, total);
}

/* Also the stack for which room was made is found when it comes again. */
static void test_found_after_making_room(void **state)
{
	struct world *w = *state;
	uint32_t before = w->h.renumbered, node;
	char text[64];
	int i;

	for (i = 0; i < 200000 && w->h.renumbered < before + 3; i++) {
		snprintf(text, sizeof(text), "main;a%d;b%d;c%d", i % 7, i % 1000, i);
		node = stack(w, text);
		assert_int_equal(stack(w, text), node);
		history_add(&w->h, (uint64_t)i * 1000, 0, node, 60, 1, false);
	}
	assert_int_equal(w->h.renumbered, before + 3);
}

/* On how many threads a function was: each once, however often; not those left out. */
static void test_spread(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 10 * SECOND,
				   .window_ns = 8 * SECOND,
				   .merged = true,
				   .tree = true,
				   .spread = true };
	struct picture_thread threads[4] = { { 0 } };
	struct snapshot *s;

	add(w, 1 * SECOND, 3, "main;work", 60); /* before the window */
	add(w, 3 * SECOND, 2, "main;work;leaf", 60);
	add(w, 4 * SECOND, 0, "main;work", 60);
	add(w, 5 * SECOND, 2, "main;work;leaf;work", 60);
	add(w, 6 * SECOND, 0, "main;other", 60);
	add(w, 7 * SECOND, 1, "main;other", 60);
	s = picture(w, q, threads, 4);
	assert_int_equal(row(s, "main")->n_threads, 3);
	assert_int_equal(row(s, "work")->n_threads, 2);
	assert_int_equal(row(s, "leaf")->n_threads, 1);
	assert_int_equal(row(s, "other")->n_threads, 2);
	snapshot_free(s);
	q.only = 1 + 1;
	s = picture(w, q, threads, 4);
	assert_int_equal(row(s, "main")->n_threads, 1);
	assert_null(row(s, "work"));
	snapshot_free(s);
	q.only = 0;
	q.spread = false;
	s = picture(w, q, threads, 4);
	assert_int_equal(row(s, "main")->n_threads, 0);
	snapshot_free(s);
}

static void test_self_and_total(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 10 * SECOND, .merged = true };
	struct snapshot *s;

	add(w, 1 * SECOND, 0, "main;work;leaf", 60);
	add(w, 2 * SECOND, 0, "main;idle", 30);
	add(w, 3 * SECOND, 1, "main", 10);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->weight_ns, 100);
	assert_int_equal(s->samples, 3);
	assert_int_equal(s->n_functions, 4);
	expect(s, "main", 10, 100);
	expect(s, "work", 0, 60);
	expect(s, "leaf", 60, 60);
	expect(s, "idle", 30, 30);
	assert_string_equal(s->functions[0].name, "leaf"); /* by self, falling */
	snapshot_free(s);
}

static void test_recursion_counts_once(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 10 * SECOND, .merged = true };
	struct snapshot *s;

	add(w, 1 * SECOND, 0, "main;f;g;f;f", 40);
	add(w, 1 * SECOND, 0, "main;f", 60);
	s = picture(w, q, NULL, 0);
	expect(s, "f", 100, 100);
	expect(s, "g", 0, 40);
	snapshot_free(s);
}

static void test_window(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND,
				   .window_ns = 5 * SECOND,
				   .merged = true };
	struct snapshot *s;

	add(w, 14 * SECOND, 0, "main;old", 7);
	add(w, 15 * SECOND, 0, "main;edge", 11); /* ended as the window began */
	add(w, 16 * SECOND, 0, "main;new", 13);
	add(w, 21 * SECOND, 0, "main;later", 17);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->weight_ns, 13);
	assert_null(row(s, "old"));
	assert_null(row(s, "edge"));
	assert_null(row(s, "later"));
	expect(s, "new", 13, 13);
	snapshot_free(s);
}

static void test_modes_and_idle(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND, .merged = true };
	struct picture_thread threads[3] = { 0 };
	struct snapshot *s;

	history_add(&w->h, SECOND, 0, stack(w, "main;burn"), 10, 1, false);
	history_add(&w->h, SECOND, 0, stack(w, "main;wait"), 30, 1, true);
	history_add(&w->h, SECOND, 1, stack(w, "main;pool"), 50, 1, true);
	history_add(&w->h, SECOND, 2, stack(w, "main;lock"), 20, 1, true);
	s = picture(w, q, threads, 3);
	assert_int_equal(s->weight_ns, 10); /* cpu: off-CPU time does not count */
	snapshot_free(s);
	memset(threads, 0, sizeof(threads));
	threads[2].ran = true;
	q.mode = MODE_WALL;
	s = picture(w, q, threads, 3);
	assert_int_equal(s->weight_ns, 60); /* without the thread that never ran */
	assert_null(row(s, "pool"));
	expect(s, "lock", 20, 20);
	assert_true(threads[1].hidden);
	snapshot_free(s);
	memset(threads, 0, sizeof(threads));
	q.idle_shown = true;
	s = picture(w, q, threads, 3);
	assert_int_equal(s->weight_ns, 110);
	snapshot_free(s);
}

static void test_split_by_thread(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND };
	struct snapshot *s;
	uint64_t of_thread[2] = { 0 };
	size_t i;

	add(w, SECOND, 0, "main;work", 10);
	add(w, SECOND, 1, "main;work", 32);
	add(w, 2 * SECOND, 0, "main;work;f;work", 5);
	s = picture(w, q, NULL, 0);
	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, "work") == 0)
			of_thread[s->functions[i].thread] = s->functions[i].total_ns;
	assert_int_equal(of_thread[0], 15);
	assert_int_equal(of_thread[1], 32);
	assert_int_equal(s->weight_ns, 47);
	snapshot_free(s);
}

static void test_tree(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND, .merged = true, .tree = true };
	uint64_t self = 0;
	struct snapshot *s;
	size_t i;

	add(w, SECOND, 0, "main;a;c", 1);
	add(w, SECOND, 0, "main;b;c", 2);
	add(w, SECOND, 0, "main;a", 4);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->n_nodes, 6); /* root main a b c c */
	assert_int_equal(s->nodes[0].total_ns, 7);
	for (i = 1; i < s->n_nodes; i++) {
		assert_true(s->nodes[i].parent < i);
		assert_true(s->nodes[i].function < s->n_functions);
		self += s->nodes[i].self_ns;
	}
	assert_int_equal(self, 7);
	snapshot_free(s);
}

/* A frame of two inlined functions: self goes to the innermost, total to each once. */
static void test_inlined(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND, .merged = true };
	struct frame f = { .kind = FRAME_NATIVE, .object = 1 };
	struct place places[2] = { { .file = NO_ID, .line = 7 },
				   { .file = NO_ID, .line = 99 } };
	struct snapshot *s;

	add(w, SECOND, 0, "main;outer", 10);
	f.address = intern_add(&w->names, "outer");
	places[0].function =
	    functions_intern(&w->fs, "inner", "prog", CODE_APP, "native");
	places[1].function =
	    functions_intern(&w->fs, "outer", "prog", CODE_APP, "native");
	history_name(&w->h, history_find(&w->h, &f), places, 2);
	s = picture(w, q, NULL, 0);
	expect(s, "inner", 10, 10);
	expect(s, "outer", 0, 10);
	expect(s, "main", 0, 10);
	assert_int_equal(row(s, "inner")->line, 7);
	assert_int_equal(row(s, "outer")->line, 99);
	snapshot_free(s);
}

/* Two addresses that turn out to be one function become one row, counted once. */
static void test_names_come_late(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND, .merged = true };
	struct place p = { .file = NO_ID };
	struct frame f = { .kind = FRAME_NATIVE, .object = 1 };
	struct snapshot *s;

	add(w, SECOND, 0, "main;x1;x2", 10);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->n_functions, 3);
	snapshot_free(s);
	p.function = functions_intern(&w->fs, "x", "prog", CODE_APP, "native");
	f.address = intern_add(&w->names, "x1");
	history_name(&w->h, history_find(&w->h, &f), &p, 1);
	f.address = intern_add(&w->names, "x2");
	history_name(&w->h, history_find(&w->h, &f), &p, 1);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->n_functions, 2);
	expect(s, "x", 10, 10);
	snapshot_free(s);
}

/* A hundred thousand different stacks do not fit into one megabyte: the newest are there,
 * their sums are right, and how far back it goes is told. */
static void test_bounded(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 2000 * SECOND,
				   .window_ns = SECOND / 100,
				   .merged = true };
	struct snapshot *s;
	char text[64];
	uint64_t i;

	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "main;a%d;b%d;c%d", (int)(i % 7),
			 (int)(i % 101), (int)(i % 1009));
		add(w, SECOND + i * SECOND / 1000, (uint32_t)(i % 3), text, 10);
	}
	assert_true(w->h.nodes.n <= w->h.max_nodes + 8);
	assert_true(w->h.cap_runs <= w->h.max_runs);
	assert_true(w->h.dropped_until_ns > SECOND);
	q.end_ns = SECOND + 99999 * (SECOND / 1000);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->weight_ns, 10 * 10);
	expect(s, "main", 0, 100);
	snapshot_free(s);
}

static void test_runs_merge(void **state)
{
	struct world *w = *state;
	uint64_t i;

	for (i = 0; i < 50; i++) {
		add(w, SECOND + i * 1000000, 0, "main;a", 1000000);
		add(w, SECOND + i * 1000000, 1, "main;b", 1000000);
	}
	assert_int_equal(w->h.n_runs, 2);
	assert_int_equal(run_weight(history_run(&w->h, 0)), 50000000);
	assert_int_equal(history_run(&w->h, 1)->count, 50);
}

static void test_clear(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 20 * SECOND, .merged = true };
	struct snapshot *s;

	add(w, SECOND, 0, "main;a", 10);
	history_clear(&w->h);
	s = picture(w, q, NULL, 0);
	assert_int_equal(s->n_functions, 0);
	assert_int_equal(s->weight_ns, 0);
	snapshot_free(s);
	add(w, 2 * SECOND, 0, "main;b", 5);
	s = picture(w, q, NULL, 0);
	expect(s, "b", 5, 5);
	snapshot_free(s);
}

static void test_trend(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .end_ns = 100 * SECOND + SECOND / 4 + 1,
				   .window_ns = 10 * SECOND,
				   .merged = true };
	struct snapshot *s;
	uint64_t i;

	for (i = 90; i < 100; i++) {
		add(w, i * SECOND + 5, 0, i < 95 ? "main;a" : "main;b", 10);
		add(w, i * SECOND + 6, 0, "main;c", 10);
	}
	s = picture(w, q, NULL, 0);
	for (i = 0; i < TREND_CELLS; i++) {
		assert_int_equal(row(s, "main")->trend[i], 255);
		assert_int_equal(row(s, "a")->trend[i], i < 5 ? 127 : 0);
		assert_int_equal(row(s, "b")->trend[i], i < 5 ? 0 : 127);
	}
	snapshot_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void test_functions_bounded(void **state)
{
	struct world *w = *state;
	struct functions *fs = &w->fs;
	uint32_t a, b, other;

	fs->most = 2;
	a = functions_intern(fs, "a", "m", CODE_APP, "native");
	b = functions_intern(fs, "b", "m", CODE_APP, "native");
	other = functions_intern(fs, "c", "m", CODE_APP, "native");
	assert_int_equal(functions_intern(fs, "d", "m", CODE_APP, "native"), other);
	assert_int_equal(functions_intern(fs, "a", "m", CODE_APP, "native"), a);
	assert_int_equal(functions_intern(fs, "b", "m", CODE_APP, "native"), b);
	assert_string_equal(intern_get(&fs->strings, fs->list.v[other].name),
			    "[other functions]");
	assert_int_equal(fs->list.n, 3);
	assert_int_equal(fs->refused, 2);
}

/* The live sums against those of all runs, on a random history that moves on, drops runs,
 * renumbers nodes, renames frames and hides threads. */
static void same_rows(const struct snapshot *a, const struct snapshot *b)
{
	size_t i;

	assert_int_equal(a->weight_ns, b->weight_ns);
	assert_int_equal(a->samples, b->samples);
	assert_int_equal(a->n_functions, b->n_functions);
	for (i = 0; i < a->n_functions; i++) {
		assert_string_equal(a->functions[i].name, b->functions[i].name);
		assert_int_equal(a->functions[i].self_ns, b->functions[i].self_ns);
		assert_int_equal(a->functions[i].total_ns, b->functions[i].total_ns);
	}
}

static void random_stack(struct world *w, uint64_t now, unsigned *seed)
{
	char text[128] = "main";
	int depth = rand_r(seed) % 12, i;
	uint32_t thread = (uint32_t)rand_r(seed) % 5;
	uint64_t late = (uint64_t)rand_r(seed) % (SECOND / 2);

	for (i = 0; i < depth; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ";f%d",
			 rand_r(seed) % 7);
	history_add(&w->h, now > late ? now - late : now, thread, stack(w, text),
		    (uint64_t)rand_r(seed) % 1000, 1, thread > 1 && rand_r(seed) % 2);
}

static void rename_one(struct world *w, unsigned *seed)
{
	struct place p = { .file = NO_ID };
	char name[8];

	if (!w->h.frames.n || rand_r(seed) % 40)
		return;
	snprintf(name, sizeof(name), "g%d", rand_r(seed) % 3);
	p.function = functions_intern(&w->fs, name, "prog", CODE_APP, "native");
	history_name(&w->h, (uint32_t)rand_r(seed) % (uint32_t)w->h.frames.n, &p, 1);
}

static void test_live_sums(void **state)
{
	struct world *w = *state;
	struct picture_query q = { .window_ns = 8 * SECOND, .merged = true };
	unsigned seed = 7;
	int i, k;

	history_done(&w->h);
	history_init(&w->h, 60000);
	for (i = 0; i < 400; i++) {
		struct picture_thread a[5] = { 0 }, b[5] = { 0 };
		struct snapshot *s, *t = snapshot_new();

		q.end_ns = (uint64_t)(i + 20) * SECOND / 2;
		q.mode = i / 100 % 2 ? MODE_WALL : MODE_CPU;
		for (k = rand_r(&seed) % 60; k > 0; k--)
			random_stack(w, q.end_ns, &seed);
		if (i % 50 == 49) /* one that slept for long */
			history_add(&w->h, q.end_ns - 6 * SECOND, 0,
				    stack(w, "main;late"), 9, 1, false);
		rename_one(w, &seed);
		a[3].ran = b[3].ran = i % 7 == 0;
		s = picture(w, q, a, 5);
		picture_build(&w->h, &w->fs, &q, NULL, b, 5, t);
		same_rows(s, t);
		for (k = 0; k < 5; k++) {
			assert_int_equal(a[k].on_ns, b[k].on_ns);
			assert_int_equal(a[k].off_ns, b[k].off_ns);
			assert_int_equal(a[k].hidden, b[k].hidden);
		}
		snapshot_free(s);
		snapshot_free(t);
	}
	assert_true(w->h.dropped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_self_and_total),
		TEST(test_recursion_counts_once),
		TEST(test_window),
		TEST(test_modes_and_idle),
		TEST(test_split_by_thread),
		TEST(test_tree),
		TEST(test_inlined),
		TEST(test_names_come_late),
		TEST(test_found_after_making_room),
		TEST(test_spread),
		TEST(test_bounded),
		TEST(test_runs_merge),
		TEST(test_clear),
		TEST(test_trend),
		TEST(test_live_sums),
		TEST(test_functions_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
