/* The GC view as text, at the sizes people have; and what it says when there is nothing to
 * say. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui_made.h"

#define MS 1000000ull

static struct snapshot *with_pauses(void)
{
	static const struct {
		const char *name;
		uint64_t count, p50, p95, p99, most, total;
	} rows[] = {
		{ "gen0", 8412, 110000, 190000, 310000, 920000, 980 * MS },
		{ "gen1", 764, 620000, 1100000, 1840000, 3010000, 510 * MS },
		{ "gen2", 14, 11800000, 13900000, 14200000, 14200000, 160 * MS },
	};
	struct snapshot *s = made_snapshot();
	struct snapshot_gc *g = &s->gc;
	size_t i;

	g->covered_ns = g->timeline_ns = 60 * NS_PER_SEC;
	g->n_rows = 3;
	g->rows = arena_alloc(&s->arena, 3 * sizeof(*g->rows));
	g->timeline = arena_alloc(&s->arena, GC_CELLS * sizeof(*g->timeline));
	memset(g->timeline, 0, GC_CELLS * sizeof(*g->timeline));
	for (i = 0; i < 3; i++)
		g->rows[i] =
		    (struct gc_row){ .runtime = "CPython 3.11.7",
				     .source = "counters, watchpoint",
				     .generation = rows[i].name,
				     .cause = "",
				     .count = rows[i].count,
				     .timed = rows[i].count,
				     .per_s = (double)rows[i].count / 60,
				     .p50_ns = rows[i].p50,
				     .p95_ns = rows[i].p95,
				     .p99_ns = rows[i].p99,
				     .max_ns = rows[i].most,
				     .total_ns = rows[i].total,
				     .time_pct = (double)rows[i].total / 60e9 * 100 };
	g->all = g->rows[0];
	g->all.generation = "all";
	g->all.count = g->all.timed = 9190;
	g->all.total_ns = 1650 * MS;
	g->all.time_pct = 2.75;
	g->all.max_ns = g->all.p99_ns = 14200000;
	for (i = 0; i < GC_CELLS; i += 20)
		g->timeline[i] = (struct gc_cell){ 14200000 >> (i / 20), 3, 2 };
	g->stacks = arena_alloc(&s->arena, sizeof(*g->stacks));
	g->stacks[0] = (struct gc_stack){ 61, 0, "parse_order orders.py:88 < main" };
	g->n_stacks = 1;
	g->stacks_of = 100;
	return s;
}

static void picture_has(struct made *m, const char *const *want, size_t n, int from)
{
	struct text t = { 0 };
	size_t i;

	screen_draw(&m->screen, &m->canvas);
	for (i = 0; i < n; i++) {
		text_clear(&t);
		canvas_line(&m->canvas, from + (int)i, &t);
		assert_string_equal(t.p ? t.p : "", want[i]);
	}
	text_done(&t);
}

#define PICTURE_HAS(m, want, from) \
	picture_has(m, want, sizeof(want) / sizeof(*(want)), from)

static void test_80x24(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"                    COUNT   /min     P50     P95     P99     MAX   TOTAL  %TIME",
		" CPython 3.11.7, by counters, watchpoint (exact)",
		" gen0               8,412   8412  0.11ms  0.19ms  0.31ms  0.92ms   980ms   1.63",
		" gen1                 764    764  0.62ms  1.10ms  1.84ms  3.01ms   510ms   0.85",
		" gen2                  14     14 ~11.8ms ~13.9ms ~14.2ms  14.2ms   160ms   0.27",
		" all                9,190   8412  0.11ms  0.19ms  14.2ms  14.2ms   1.65s   2.75",
		"",
		" PAUSES (a column is 833ms, its height the longest)",
		" 16.4ms|#",
		"       |#     #",
		" 4.10ms|#     #     #",
		"       |#     #     #     #",
		" 1.02ms|#     #     #     #     #",
		"       |#     #     #     #     #     #     #     #     #     #     #     #",
		"        -60s                                -30s                             now",
		"",
		" COLLECTIONS START IN (of 100 samples during one)",
		"  61.0% parse_order orders.py:88 < main",
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 80, 24, true);
	screen_take(&m.screen, with_pauses());
	screen_key(&m.screen, '6');
	PICTURE_HAS(&m, want, 4);
	made_close(&m);
}

static void test_40x12(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"           COUNT     P95     MAX  %TIME",
		" CPython 3.11.7, by counters, watchpoi..",
		" gen0      8,412  0.19ms  0.92ms   1.63",
		" gen1        764  1.10ms  3.01ms   0.85",
		" gen2         14 ~13.9ms  14.2ms   0.27",
		" all       9,190  0.19ms  14.2ms   2.75",
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 40, 12, true);
	screen_take(&m.screen, with_pauses());
	screen_key(&m.screen, '6');
	PICTURE_HAS(&m, want, 2);
	made_close(&m);
}

static void test_nothing(void **state)
{
	static const char *const want[] = { "", " no garbage collector is known" };
	struct snapshot *s = made_snapshot();
	struct made m;

	(void)state;
	s->gc.reason = "no garbage collector is known";
	made_open(&m, 80, 24, true);
	screen_take(&m.screen, s);
	screen_key(&m.screen, '6');
	PICTURE_HAS(&m, want, 4);
	made_close(&m);
}

/* A burst is no collection; and when nobody looks for them, that is said. */
static void test_bursts(void **state)
{
	static const char *const want[] = {
		"", " no collection in 60s", "",
		" dealloc bursts: 3, 150ms: objects freed in cascades, no collection",
		" dealloc bursts not looked for: why"
	};
	struct snapshot *s = made_snapshot();
	struct made m;

	(void)state;
	s->gc.covered_ns = 60 * NS_PER_SEC;
	s->gc.bursts = 3;
	s->gc.bursts_ns = 150 * MS;
	s->gc.bursts_unseen = "why";
	made_open(&m, 80, 24, true);
	screen_take(&m.screen, s);
	screen_key(&m.screen, '6');
	PICTURE_HAS(&m, want, 4);
	made_close(&m);
}

/* Whatever the size, nothing is drawn outside and nothing dies. */
static void test_all_sizes(void **state)
{
	int w, h;

	(void)state;
	for (w = 1; w < 130; w += 7)
		for (h = 1; h < 40; h += 3) {
			struct made m;

			made_open(&m, w, h, false);
			screen_take(&m.screen, with_pauses());
			screen_key(&m.screen, '6');
			screen_draw(&m.screen, &m.canvas);
			screen_key(&m.screen, K_LEFT);
			screen_key(&m.screen, K_DOWN);
			screen_draw(&m.screen, &m.canvas);
			made_close(&m);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_80x24),	  cmocka_unit_test(test_40x12),
		cmocka_unit_test(test_nothing),	  cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_all_sizes),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
