/* The leak verdict on shapes of memory whose answer is known, twenty seeded runs each, five
 * simulated minutes sampled ten times a second; and later, as a live screen asks again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "growth_shapes.h"

static int verdicts(shape *f, double seconds, double low, double high)
{
	int run, growing = 0;

	for (run = 0; run < RUNS; run++) {
		struct trend_answer a;

		growth_run(f, run, seconds, &a);
		assert_int_not_equal(a.verdict, VERDICT_UNKNOWN);
		growing += a.verdict == VERDICT_GROWING;
		if (low > 0) {
			assert_true(a.slope.known);
			assert_true(a.slope.per_s > low * MB &&
				    a.slope.per_s < high * MB);
			assert_true(a.slope.low <= a.slope.per_s &&
				    a.slope.per_s <= a.slope.high);
		}
	}
	return growing;
}

static void leaks_are_seen(void **state)
{
	double s;

	(void)state;
	for (s = RUN_S; s < 1000; s += 200) {
		assert_int_equal(verdicts(leak_slow, s, 0.19, 0.21), RUNS);
		assert_int_equal(verdicts(leak_fast, s, 0.98, 1.02), RUNS);
	}
	assert_int_equal(verdicts(leak_in_saw, RUN_S, 0.15, 0.25), RUNS);
}

static void nothing_else_is_a_leak(void **state)
{
	static const struct {
		const char *name;
		shape *f;
	} shapes[] = { { "flat", flat },
		       { "sawtooth", saw },
		       { "step", step },
		       { "warm-up", warm_up },
		       { "cache-fill", cache_fill } };
	size_t i;
	double s;

	(void)state;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (s = RUN_S; s < 1000; s += 77) {
			int n = verdicts(shapes[i].f, s, -1, -1);

			if (n)
				print_error("%s: %d of %d after %.0f s\n", shapes[i].name,
					    n, RUNS, s);
			assert_int_equal(n, 0);
		}
}

static void early_there_is_a_slope_and_no_verdict(void **state)
{
	struct trend t = { 0 };
	struct trend_answer a;
	uint64_t s;

	(void)state;
	trend_read(&t, &a);
	assert_int_equal(a.verdict, VERDICT_UNKNOWN);
	assert_false(a.slope.known);
	for (s = 0; s < 60; s++)
		trend_add(&t, (100 + s) * SEC, (double)s * 1000);
	trend_read(&t, &a);
	assert_int_equal(a.verdict, VERDICT_UNKNOWN);
	assert_in_range(a.verdict_in_ns, 240 * SEC, 250 * SEC);
	assert_true(a.slope.known && fabs(a.slope.per_s - 1000) < 1);
	assert_in_range(a.slope.span_ns, 50 * SEC, 60 * SEC);
}

/* A suspended machine, a clock that steps, figures that are none. */
static void strange_input(void **state)
{
	struct trend t = { 0 };
	struct trend_answer a;
	uint64_t s;

	(void)state;
	for (s = 0; s < 400; s++)
		trend_add(&t, s * SEC, 5e8);
	trend_add(&t, 10 * SEC, 1); /* back: dropped */
	trend_add(&t, 399 * SEC, NAN);
	trend_read(&t, &a);
	assert_int_equal(a.verdict, VERDICT_STEADY);
	assert_true(a.slope.per_s == 0);
	/* A gap of four minutes leaves windows out; too many of them, and it says nothing. */
	for (s = 640; s < 700; s++)
		trend_add(&t, s * SEC, 6e8);
	trend_read(&t, &a);
	assert_int_not_equal(a.verdict, VERDICT_GROWING);
	trend_add(&t, UINT64_MAX, 7e8);
	trend_read(&t, &a);
	assert_int_equal(a.verdict, VERDICT_UNKNOWN);
	assert_false(a.slope.known);
}

static void time_to_a_limit(void **state)
{
	(void)state;
	assert_true(trend_seconds(600, 2) == 300);
	assert_true(trend_seconds(0, 2) == 0);
	assert_true(trend_seconds(600, 0) < 0);
	assert_true(trend_seconds(600, -5) < 0);
	assert_true(trend_seconds(-1, 2) < 0); /* a limit below what is used */
	assert_true(trend_seconds(1e18, 1e-9) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaks_are_seen),
		cmocka_unit_test(nothing_else_is_a_leak),
		cmocka_unit_test(early_there_is_a_slope_and_no_verdict),
		cmocka_unit_test(strange_input),
		cmocka_unit_test(time_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
