/* The account of pauses, and the flag behind several of its sources: what looks say, what a
 * debug register says, and what either makes of a target that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/gc_names.h"
#include "model/pauses.h"
#include "runtime/gc_flag.h"

#define SECOND 1000000000ull
#define MS 1000000ull

static struct snapshot_gc put(const struct pauses *p, struct arena *a, uint64_t now,
			      uint64_t window)
{
	struct snapshot_gc g = { 0 };

	pauses_put(p, now, window, a, &g);
	return g;
}

/* ---- the account ---- */

/* Each pause once, whenever it is asked; a window leaves a begun second out. */
static void test_taking(void **state)
{
	struct snapshot_gc g = { 0 };
	struct arena a = { 0 };
	uint64_t i, count = 0, timed = 0;
	struct pauses p;
	size_t row;

	(void)state;
	pauses_init(&p);
	p.first_ns = 100 * SECOND;
	row = pauses_row(&p, "R", "s", "young");
	for (i = 1; i <= 1000; i++) {
		pauses_count(&p, row, 100 * SECOND + i * 10 * MS, 1);
		pauses_time(&p, row, 100 * SECOND + i * 10 * MS, i * MS, 1);
		if (i % 130 && i != 1000)
			continue;
		pauses_take(&p, &a, &g);
		assert_int_equal(g.n_rows, 1);
		count += g.rows[0].count;
		timed += g.rows[0].timed;
		assert_int_equal(g.rows[0].max_ns, i * MS);
	}
	assert_int_equal(count, 1000);
	assert_int_equal(timed, 1000);
	pauses_take(&p, &a, &g);
	assert_int_equal(g.n_rows, 0);
	pauses_count(&p, row, 200 * SECOND, 1);
	pauses_clear(&p, 201 * SECOND);
	pauses_take(&p, &a, &g);
	assert_int_equal(g.n_rows, 0);
	arena_done(&a);
	pauses_done(&p);
}

static void test_rows_and_windows(void **state)
{
	struct arena a = { 0 };
	struct snapshot_gc g;
	struct pauses p;
	size_t young, old, i;

	(void)state;
	pauses_init(&p);
	p.first_ns = 100 * SECOND;
	young = pauses_row(&p, "R", "s", "young");
	old = pauses_row(&p, "R", "s", "old");
	assert_int_equal(pauses_row(&p, "R", "s", "young"), young);
	for (i = 0; i < 100; i++) {
		pauses_count(&p, young, (100 + i) * SECOND, 2);
		pauses_time(&p, young, (100 + i) * SECOND, 3 * MS, 2);
		pauses_collected(&p, young, (100 + i) * SECOND, 10);
	}
	pauses_count(&p, old, 199 * SECOND, 1);
	pauses_time(&p, old, 199 * SECOND, 50 * MS, 1);
	g = put(&p, &a, 200 * SECOND, 0);
	assert_int_equal(g.n_rows, 2);
	assert_int_equal(g.rows[0].count, 200);
	assert_int_equal(g.rows[0].total_ns, 600 * MS);
	assert_int_equal(g.rows[0].collected, 1000);
	assert_int_equal(g.all.count, 201);
	assert_int_equal(g.all.max_ns, 50 * MS);
	assert_true(g.all.time_pct > 0.649 && g.all.time_pct < 0.651);
	g = put(&p, &a, 200 * SECOND, 10 * SECOND);
	assert_int_equal(g.rows[0].count, 2 * 9); /* the seconds 191 to 199 */
	assert_int_equal(g.rows[0].timed, 2 * 9);
	assert_int_equal(g.covered_ns, 9 * SECOND);
	pauses_clear(&p, 200 * SECOND);
	g = put(&p, &a, 201 * SECOND, 0);
	assert_int_equal(g.n_rows, 0);
	assert_int_equal(g.covered_ns, SECOND);
	pauses_done(&p);
	arena_done(&a);
}

static void test_timeline(void **state)
{
	struct arena a = { 0 };
	struct snapshot_gc g;
	struct pauses p;
	uint64_t sum = 0;
	size_t i;

	(void)state;
	pauses_init(&p);
	p.first_ns = 1;
	pauses_row(&p, "R", "s", "g");
	pauses_time(&p, 0, 99 * SECOND + 999 * MS, 7 * MS, 1);
	pauses_time(&p, 0, 99 * SECOND + 990 * MS, 9 * MS, 1);
	pauses_time(&p, 0, 60 * SECOND, 5 * MS, 1);
	pauses_time(&p, 0, 1, 5 * MS, 1); /* far too old: dropped */
	g = put(&p, &a, 100 * SECOND, 60 * SECOND);
	for (i = 0; i < GC_CELLS; i++)
		sum += g.timeline[i].count;
	assert_int_equal(sum, 3);
	assert_int_equal(g.timeline[GC_CELLS - 1].longest_ns, 9 * MS);
	/* Ten minutes later nothing of it is left, and nothing loops for it. */
	pauses_time(&p, 0, UINT64_MAX / 2, 1 * MS, 1);
	g = put(&p, &a, UINT64_MAX / 2, 60 * SECOND);
	for (sum = 0, i = 0; i < GC_CELLS; i++)
		sum += g.timeline[i].count;
	assert_int_equal(sum, 1);
	pauses_done(&p);
	arena_done(&a);
}

static void test_rows_are_bounded(void **state)
{
	struct pauses p;
	char name[16];
	size_t i;

	(void)state;
	pauses_init(&p);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "g%zu\033", i);
		pauses_count(&p, pauses_row(&p, "R", "s", name), SECOND, 1);
	}
	assert_int_equal(p.n_rows, PAUSES_ROWS_MAX);
	assert_string_equal(p.row[0]->generation, "g0?");
	pauses_done(&p);
}

/* ---- the flag ---- */

struct world {
	struct pauses p;
	struct arena a;
	struct gc_flag f;
	struct gc_flag_counts counts;
};

static int set_up(void **state)
{
	static struct world w;
	struct gc_flag_config c = { .runtime = "R",
				    .counters = "counters",
				    .generations = { "gen0", "gen1", "gen2" },
				    .n_generations = 3,
				    .collected = true };

	memset(&w, 0, sizeof(w));
	pauses_init(&w.p);
	w.p.first_ns = 1;
	gc_flag_init(&w.f, &c, &w.p);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	gc_flag_done(&w->f);
	pauses_done(&w->p);
	arena_done(&w->a);
	return 0;
}

static void look(struct world *w, uint64_t ms, bool on)
{
	gc_flag_look(&w->f, ms * MS, on, &w->counts);
}

static void write_flag(struct world *w, uint64_t us, uint64_t ip)
{
	gc_flag_hit(&w->f, &(struct gc_hit){ .time_ns = us * 1000, .ip = ip });
}

static const struct gc_row *row(struct world *w, const char *generation,
				struct snapshot_gc *g)
{
	size_t i;

	*g = put(&w->p, &w->a, 100 * SECOND, 0);
	for (i = 0; i < g->n_rows; i++)
		if (strcmp(g->rows[i].generation, generation) == 0)
			return &g->rows[i];
	return NULL;
}

static void test_by_looks(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;
	const struct gc_row *r;

	look(w, 1000, false);
	look(w, 1010, true);
	look(w, 1020, true);
	look(w, 1030, true);
	w->counts.collections[2]++;
	look(w, 1040, false);
	w->counts.collections[0] += 3; /* too short to be met */
	look(w, 1050, false);
	r = row(w, "gen2", &g);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->total_ns, 30 * MS);
	assert_int_equal(r->exactness, GC_INTERVAL);
	assert_int_equal(r->interval_ns, 10 * MS);
	r = row(w, "gen0", &g);
	assert_int_equal(r->count, 3);
	assert_int_equal(r->timed, 0);
}

/* Most are too short to be met: what is met must not pass for what they are like. */
static void test_by_looks_short_ones(void **state)
{
	struct world *w = *state;
	const struct gc_row *r;
	struct snapshot_gc g;
	uint64_t i;

	look(w, 1000, false);
	for (i = 0; i < 1000; i++) {
		w->counts.collections[0] += 10;
		w->counts.collections[1]++;
		look(w, 1010 + 10 * i, i % 20 == 0); /* 5 % of the time */
	}
	r = row(w, "gen0", &g);
	assert_int_equal(r->count, 10000);
	assert_int_equal(r->timed, 50);
	assert_int_equal(r->total_ns, 500 * MS);
	assert_int_equal(r->p50_ns, 0);
	assert_int_equal(r->p99_ns, 0);
	assert_int_equal(r->max_ns, 10 * MS);
}

/* One pause follows the other so closely that every look finds the flag set. */
static void test_by_looks_back_to_back(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;
	size_t i;

	look(w, 1000, false);
	for (i = 1; i <= 9; i++) {
		if (i % 3 == 1 && i > 1)
			w->counts.collections[2]++;
		look(w, 1000 + 10 * i, true);
	}
	w->counts.collections[2]++;
	look(w, 1100, false);
	assert_int_equal(row(w, "gen2", &g)->count, 3);
	assert_int_equal(row(w, "gen2", &g)->timed, 3);
	assert_int_equal(row(w, "gen2", &g)->total_ns, 90 * MS);
}

enum { ON = 0x1000, OFF = 0x2000 };

static void test_by_register(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;
	size_t i;

	gc_flag_armed(&w->f, true, 10000);
	look(w, 1000, false);
	for (i = 0; i < 20; i++) {
		write_flag(w, 1001000 + 10000 * i, ON);
		write_flag(w, 1002010 + 10000 * i, OFF);
		w->counts.collections[i % 10 == 9 ? 2 : 0]++;
		look(w, 1010 + 10 * i, false);
	}
	assert_int_equal(row(w, "gen0", &g)->count, 18);
	assert_int_equal(row(w, "gen0", &g)->timed, 18);
	assert_int_equal(row(w, "gen0", &g)->total_ns, 18 * MS);
	assert_int_equal(row(w, "gen2", &g)->timed, 2);
	assert_int_equal(g.rows[0].exactness, GC_EXACT);
	assert_int_equal(g.unseen, 0);
}

/* An end that was lost must not turn pauses into the time between them. */
static void test_register_loses_a_write(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;
	size_t i;

	gc_flag_armed(&w->f, true, 0);
	look(w, 1000, false);
	for (i = 0; i < 20; i++) {
		write_flag(w, 1001000 + 10000 * i, ON);
		/* Once a look falls into the pause: it tells which write is which. */
		if (i == 5)
			look(w, 1002 + 10 * i, true);
		if (i != 12)
			write_flag(w, 1003000 + 10000 * i, OFF);
		w->counts.collections[0]++;
		look(w, 1010 + 10 * i, false);
	}
	assert_int_equal(row(w, "gen0", &g)->count, 20);
	assert_int_equal(row(w, "gen0", &g)->timed, 19);
	assert_int_equal(row(w, "gen0", &g)->total_ns, 19 * 2 * MS);
	assert_int_equal(g.unseen, 1);
}

static void test_armed_in_the_middle(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;
	size_t i;

	gc_flag_armed(&w->f, true, 0);
	write_flag(w, 1000000, OFF); /* the first write ends what nobody saw begin */
	w->counts.collections[2]++;
	look(w, 1010, false);
	for (i = 0; i < 10; i++) {
		write_flag(w, 1021000 + 10000 * i, ON);
		write_flag(w, 1023000 + 10000 * i, OFF);
		w->counts.collections[2]++;
		look(w, 1030 + 10 * i, false);
	}
	assert_int_equal(row(w, "gen2", &g)->timed, 10);
	assert_int_equal(row(w, "gen2", &g)->total_ns, 20 * MS);
}

static void test_several_between_two_looks(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;

	gc_flag_armed(&w->f, true, 0);
	look(w, 1000, false);
	write_flag(w, 1001000, ON);
	write_flag(w, 1001100, OFF);
	write_flag(w, 1002000, ON);
	write_flag(w, 1007000, OFF);
	write_flag(w, 1008000, ON);
	write_flag(w, 1008500, OFF);
	w->counts.collections[0]++;
	w->counts.collections[1]++;
	w->counts.collections[2]++;
	look(w, 1010, false);
	assert_int_equal(row(w, "gen2", &g)->max_ns, 5 * MS);
	assert_int_equal(row(w, "gen1", &g)->max_ns, 500000);
	assert_int_equal(row(w, "gen0", &g)->max_ns, 100000);
}

static void test_counters_that_lie(void **state)
{
	struct world *w = *state;
	struct snapshot_gc g;

	w->counts.collections[0] = 1000;
	look(w, 1000, false);
	w->counts.collections[0] = 5; /* fell */
	look(w, 1010, true);
	w->counts.collections[0] = UINT64_MAX - 3; /* leapt */
	look(w, 1020, true);
	w->counts.collections[0] = UINT64_MAX / 3;
	w->counts.collected[0] = UINT64_MAX;
	look(w, 1030, false);
	assert_null(row(w, "gen0", &g));
	assert_int_equal(g.all.count, 0);
	look(w, 500, true); /* a clock that steps back */
	look(w, 1040, false);
	assert_int_equal(g.all.total_ns, 0);
}

static void test_names(void **state)
{
	const char *runtime = "";

	(void)state;
	assert_int_equal(gc_name_of("gc_collect_main", &runtime), GC_NAME_COLLECTS);
	assert_string_equal(runtime, "CPython");
	assert_int_equal(gc_name_of("runtime.gcBgMarkWorker.func2", &runtime),
			 GC_NAME_COLLECTS);
	assert_int_equal(gc_name_of("v8::internal::Heap::Scavenge()", &runtime),
			 GC_NAME_COLLECTS);
	assert_int_equal(gc_name_of("subtype_dealloc", &runtime), GC_NAME_FREES);
	assert_int_equal(gc_name_of("parse_order", &runtime), GC_NAME_NONE);
	assert_int_equal(gc_name_of("", &runtime), GC_NAME_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taking),
		cmocka_unit_test(test_rows_and_windows),
		cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_rows_are_bounded),
		cmocka_unit_test_setup_teardown(test_by_looks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_looks_back_to_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_by_looks_short_ones, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_by_register, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_register_loses_a_write, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_armed_in_the_middle, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_several_between_two_looks, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_counters_that_lie, set_up,
						tear_down),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
