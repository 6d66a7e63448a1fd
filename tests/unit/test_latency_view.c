/* The latency view as text: the bars of the selected row, whose slow end is always there. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui_made.h"

#define MS 1000000ull

static struct latency_figure known(uint64_t ns)
{
	return (struct latency_figure){ LATENCY_KNOWN, ns };
}

/* Calls of 1 ms up to `slowest` bars later, ten times fewer in each. */
static struct snapshot *with_bars(int bars)
{
	struct snapshot *s = made_snapshot();
	struct snapshot_latency_row *r = arena_alloc(&s->arena, sizeof(*r));
	uint32_t n = 10000;
	int i;

	*r = (struct snapshot_latency_row){ .id = 1,
					    .name = "handle",
					    .source = LATENCY_VISITS,
					    .exactness = "sampled",
					    .note = "",
					    .count = 11110,
					    .per_second = 185 };
	r->figure[LATENCY_P50] = known(1500000);
	r->figure[LATENCY_P95] = known(3 * MS);
	r->figure[LATENCY_P99] = known(3500000);
	r->figure[LATENCY_MAX] = known(20 * MS);
	for (i = 10; i < 10 + bars; i++, n /= 2)
		r->bars[i] = n;
	s->latency.rows = r;
	s->latency.n_rows = 1;
	return s;
}

static void bars_are(int width, int height, int bars, const char *const *want, size_t n)
{
	struct text t = { 0 };
	struct made m;
	size_t i;

	made_open(&m, width, height, true);
	screen_take(&m.screen, with_bars(bars));
	screen_key(&m.screen, '7');
	screen_draw(&m.screen, &m.canvas);
	for (i = 0; i < n; i++) {
		text_clear(&t);
		canvas_line(&m.canvas, (height < 16 ? 6 : 8) + (int)i, &t);
		assert_string_equal(t.p ? t.p : "", want[i]);
	}
	text_done(&t);
	made_close(&m);
}

static void test_all_bars(void **state)
{
	static const char *const want[] = {
		"    1.0ms-2.0ms |######################## 10,000  <- p50 1.5ms",
		"    2.0ms-4.1ms |############ 5,000  <- p95 3.0ms, p99 3.5ms",
		"    4.1ms-8.2ms |###### 2,500",
		"   8.2ms-16.4ms |### 1,250",
	};

	(void)state;
	bars_are(80, 24, 4, want, 4);
}

static void test_the_shortest_are_one(void **state)
{
	static const char *const want[] = {
		("         <4.1ms |######################## 15,000  <- p50 1.5ms, p95 "
		 "3.0ms"),
		"    4.1ms-8.2ms |#### 2,500",
		"   8.2ms-16.4ms |## 1,250",
	};

	(void)state;
	bars_are(80, 11, 4, want, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_bars),
		cmocka_unit_test(test_the_shortest_are_one),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
