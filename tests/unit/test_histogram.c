/* Percentiles against the sorted values themselves, on five shapes of 200,000 each; sums and
 * windows against a second account kept by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duration_shapes.h"
#include "model/histogram.h"

#define N 200000u
#define SECOND 1000000000ull
#define WORST 0.016

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The largest relative error of any percentile asked for. */
static double worst_error(uint64_t (*draw)(void))
{
	static const double parts[] = { 0.01, 0.25, 0.5,   0.75,  0.9,
					0.95, 0.99, 0.999, 0.9999 };
	uint64_t *v = malloc(N * sizeof(*v)), sum = 0;
	struct histogram h = { 0 };
	double worst = 0;
	size_t i;

	for (i = 0; i < N; i++) {
		v[i] = draw();
		sum += v[i];
		histogram_add(&h, v[i], 1);
	}
	qsort(v, N, sizeof(*v), by_value);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t rank = (size_t)ceil(parts[i] * N);
		double is = (double)v[rank ? rank - 1 : 0];
		double e = fabs((double)histogram_quantile(&h, parts[i]) - is) / is;

		worst = e > worst ? e : worst;
	}
	assert_int_equal(h.count, N);
	assert_int_equal(h.sum_ns, sum);
	assert_int_equal(h.least_ns, v[0]);
	assert_int_equal(h.most_ns, v[N - 1]);
	assert_int_equal(histogram_quantile(&h, 0), v[0]);
	assert_int_equal(histogram_quantile(&h, 1), v[N - 1]);
	free(v);
	return worst;
}

static void test_five_shapes(void **state)
{
	static uint64_t (*const shapes[])(void) = { even, exponential, log_normal, pareto,
						    two_humps };
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		duration_seed = 42 + i;
		assert_true(worst_error(shapes[i]) <= WORST);
	}
}

static void test_every_bucket(void **state)
{
	uint64_t v;

	(void)state;
	for (v = 1; v < HISTOGRAM_MOST_NS; v += 1 + v / 97) {
		struct histogram h = { 0 };
		double e;

		/* Two neighbours, so that the clamp to the extremes does not help. */
		histogram_add(&h, 1, 1);
		histogram_add(&h, v, 2);
		histogram_add(&h, HISTOGRAM_MOST_NS, 1);
		e = fabs((double)histogram_quantile(&h, 0.5) - (double)v);
		assert_true(e <= (double)v / 64);
	}
	assert_true(sizeof(struct histogram) <= 5 * 1024);
}

static void test_extremes(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	histogram_add(&h, 0, 1);
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	histogram_add(&h, UINT64_MAX, 3);
	assert_int_equal(h.sum_ns, UINT64_MAX);
	assert_int_equal(h.most_ns, UINT64_MAX);
	assert_int_equal(histogram_quantile(&h, 1), UINT64_MAX);
	histogram_add(&h, 7, UINT64_MAX / 2);
	assert_int_equal(histogram_quantile(&h, 0.5), 7);
	histogram_add(&h, 7, 0);
	assert_int_equal(h.count, UINT64_MAX / 2 + 4);
}

static void test_merge_is_addition(void **state)
{
	struct histogram a = { 0 }, b = { 0 }, both = { 0 };
	size_t i;

	(void)state;
	duration_seed = 7;
	for (i = 0; i < 10000; i++) {
		uint64_t v = log_normal();

		histogram_add(i % 3 ? &a : &b, v, 1);
		histogram_add(&both, v, 1);
	}
	histogram_merge(&a, &b);
	assert_memory_equal(&a, &both, sizeof(a));
	histogram_clear(&b);
	histogram_merge(&a, &b);
	assert_memory_equal(&a, &both, sizeof(a));
}

static void test_window(void **state)
{
	struct histogram_window w;
	struct histogram got, want = { 0 };
	size_t s;

	(void)state;
	histogram_window_init(&w);
	for (s = 1; s <= 1000; s++) {
		histogram_window_add(&w, s * SECOND, s * 1000, 2);
		if (s > 940)
			histogram_add(&want, s * 1000, 2);
	}
	histogram_window_sum(&w, 941 * SECOND, &got);
	assert_memory_equal(&got, &want, sizeof(got));
	histogram_window_sum(&w, 0, &got);
	assert_int_equal(got.count, 2000);
	assert_int_equal(got.least_ns, 1000);
	/* The oldest are gone, the memory with them. */
	histogram_window_sum(&w, SECOND, &got);
	assert_int_equal(got.count, 2 * (HISTOGRAM_SECONDS + 1));
	assert_int_equal(w.hits.n, HISTOGRAM_SECONDS);
	/* A clock that steps back. */
	histogram_window_add(&w, 5 * SECOND, 77, 1);
	histogram_window_sum(&w, 1000 * SECOND, &got);
	assert_int_equal(got.count, 3);
	histogram_window_sum(&w, 1001 * SECOND, &got);
	assert_int_equal(got.count, 0);
	histogram_window_clear(&w);
	histogram_window_sum(&w, 0, &got);
	assert_int_equal(got.count, 0);
	histogram_window_done(&w);
}

static void test_window_is_bounded(void **state)
{
	struct histogram_window w;
	size_t s, i;

	(void)state;
	histogram_window_init(&w);
	duration_seed = 3;
	for (s = 1; s <= 400; s++)
		for (i = 0; i < 500; i++)
			histogram_window_add(&w, s * SECOND, pareto(), 1);
	assert_true(w.hits.n <= HISTOGRAM_HITS_MOST);
	assert_int_equal(w.all.count, 200000);
	histogram_window_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_five_shapes),
		cmocka_unit_test(test_every_bucket),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_merge_is_addition),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_window_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
