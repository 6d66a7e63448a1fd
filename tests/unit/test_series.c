/* A series against what was put in: peaks kept, memory bounded, gaps, clocks that step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/series.h"

#define SEC NS_PER_SEC

static struct series s;
static struct series_cell cells[SERIES_CELLS_MOST];

static int start(void **state)
{
	(void)state;
	series_init(&s);
	return 0;
}

static void nothing_is_empty(void **state)
{
	struct arena a = { 0 };
	size_t i;

	(void)state;
	series_read(&s, 5 * SEC, 10 * SEC, true, cells, 10);
	for (i = 0; i < 10; i++)
		assert_int_equal(cells[i].n, 0);
	assert_int_equal(series_look(&s, &a, 0, 10 * SEC, true, 10).n, 0);
	arena_done(&a);
}

static void every_range_keeps_the_peak(void **state)
{
	static const uint64_t ranges[] = { 5, 10, 60, 600, 3600 };
	static const uint64_t slack[] = { 4, 4, 4, 40, 320 }; /* two buckets */
	uint64_t t, base = 1000 * SEC;
	size_t i, r;

	(void)state;
	for (t = 0; t < 36000; t++)
		series_add(&s, base + t * SEC / 10, t == 35980 ? 900 : (double)(t % 7));
	for (r = 0; r < 5; r++) {
		uint64_t end = base + 3600 * SEC, n = 0;
		float max = 0, min = 100;

		series_read(&s, end - ranges[r] * SEC, end, false, cells, 100);
		for (i = 0; i < 100; i++) {
			max = cells[i].n && cells[i].max > max ? cells[i].max : max;
			min = cells[i].n && cells[i].min < min ? cells[i].min : min;
			n += cells[i].n;
		}
		assert_true(max == 900 && min == 0);
		assert_true(n + slack[r] >= ranges[r] * 10 &&
			    n <= ranges[r] * 10 + slack[r]);
	}
}

static void a_week_fits(void **state)
{
	struct arena a = { 0 };
	struct series_view v;
	uint64_t t, sum = 0;
	size_t i;

	(void)state;
	for (t = 1; t <= 7 * 24 * 360; t++)
		series_add(&s, t * 10 * SEC, (double)t);
	v = series_look(&s, &a, 0, t * 10 * SEC, true, 160);
	assert_int_equal(v.n, 160);
	for (i = 0; i < v.n; i++) {
		assert_true(i == 0 || v.cells[i].last >= v.cells[i - 1].last);
		sum += v.cells[i].n;
	}
	assert_true(sum >= 7 * 24 * 360);
	assert_true(v.cells[159].last > 60000);
	/* Drawn narrower it is the same. */
	assert_true(series_view_cell(&v, 39, 40).max == v.cells[159].max);
	assert_true(series_view_cell(&v, 0, 40).min == v.cells[0].min);
	assert_int_equal(series_view_cell(&v, 40, 40).n, 0);
	arena_done(&a);
}

static void a_gauge_holds_and_events_do_not(void **state)
{
	size_t i;

	(void)state;
	series_add(&s, 101 * SEC, 5);
	series_add(&s, 109 * SEC, 7);
	series_read(&s, 100 * SEC, 110 * SEC, true, cells, 10);
	assert_int_equal(cells[0].n, 0);
	for (i = 1; i < 9; i++)
		assert_true(cells[i].last == 5);
	assert_true(cells[9].last == 7);
	series_read(&s, 100 * SEC, 110 * SEC, false, cells, 10);
	assert_int_equal(cells[5].n, 0);
	assert_int_equal(cells[1].n, 1);
	/* What was before the range is held into it. */
	series_read(&s, 105 * SEC, 108 * SEC, true, cells, 3);
	assert_true(cells[0].last == 5);
}

static void clocks_that_step(void **state)
{
	(void)state;
	series_add(&s, 50 * SEC, 1);
	series_add(&s, 40 * SEC, 2);   /* before the first: dropped */
	series_add(&s, UINT64_MAX, 3); /* centuries on */
	series_add(&s, 51 * SEC, 4);   /* and back */
	series_add(&s, UINT64_MAX - SEC, NAN);
	series_add(&s, UINT64_MAX - SEC, INFINITY);
	series_read(&s, 0, UINT64_MAX, true, cells, SERIES_CELLS_MOST);
	assert_true(cells[SERIES_CELLS_MOST - 1].max == 3);
	series_read(&s, 10, 5, true, cells, 10);
	assert_int_equal(cells[0].n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_empty, start),
		cmocka_unit_test_setup(every_range_keeps_the_peak, start),
		cmocka_unit_test_setup(a_week_fits, start),
		cmocka_unit_test_setup(a_gauge_holds_and_events_do_not, start),
		cmocka_unit_test_setup(clocks_that_step, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
