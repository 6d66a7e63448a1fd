/* bench-model: how good the arithmetic behind the panels is, against values that are known.
 *
 * Prints one line a figure: a word, and numbers. percentiles: the worst relative error in per
 * cent over five shapes of a million values each and nine percentiles, bytes of one
 * histogram, ns to add a value. Then a line for each shape of memory: its name, how many of
 * the seeded runs are said to grow, of how many, and the slope's worst error in per cent. */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/unit/duration_shapes.h"
#include "../tests/unit/growth_shapes.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "model/histogram.h"

#define N 1000000u

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The largest relative error of any percentile; adds what it took to *add_ns. */
static double worst_error(uint64_t (*draw)(void), uint64_t *add_ns)
{
	static const double parts[] = { 0.01, 0.25, 0.5,   0.75,  0.9,
					0.95, 0.99, 0.999, 0.9999 };
	uint64_t *v = xcalloc(N, sizeof(*v)), began;
	struct histogram h = { 0 };
	double worst = 0;
	size_t i;

	for (i = 0; i < N; i++)
		v[i] = draw();
	began = clock_thread_cpu_ns();
	for (i = 0; i < N; i++)
		histogram_add(&h, v[i], 1);
	*add_ns += clock_thread_cpu_ns() - began;
	qsort(v, N, sizeof(*v), by_value);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		double is = (double)v[(size_t)ceil(parts[i] * N) - 1];
		double e = fabs((double)histogram_quantile(&h, parts[i]) - is) / is;

		worst = e > worst ? e : worst;
	}
	free(v);
	return worst;
}

static void percentiles(void)
{
	static uint64_t (*const shapes[])(void) = { even, exponential, log_normal, pareto,
						    two_humps };
	size_t i, n = sizeof(shapes) / sizeof(shapes[0]);
	uint64_t add_ns = 0;
	double worst = 0;

	for (i = 0; i < n; i++) {
		double e;

		duration_seed = 42 + i;
		e = worst_error(shapes[i], &add_ns);
		worst = e > worst ? e : worst;
	}
	printf("percentiles %.3f %zu %.2f\n", 100 * worst, sizeof(struct histogram),
	       (double)add_ns / (double)n / N);
}

static void verdicts(void)
{
	static const struct {
		const char *name;
		shape *f;
		double per_s; /* MB; 0: no leak */
	} shapes[] = {
		{ "leak-0.2", leak_slow, 0.2 },
		{ "leak-1", leak_fast, 1 },
		{ "leak-0.2-in-sawtooth", leak_in_saw, 0.2 },
		{ "flat", flat, 0 },
		{ "sawtooth", saw, 0 },
		{ "step", step, 0 },
		{ "warm-up", warm_up, 0 },
		{ "cache-fill", cache_fill, 0 },
	};
	size_t i;
	int run;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		double per_s = shapes[i].per_s * MB, worst = 0;
		int growing = 0;

		for (run = 0; run < RUNS; run++) {
			struct trend_answer a;
			double e;

			growth_run(shapes[i].f, run, RUN_S, &a);
			growing += a.verdict == VERDICT_GROWING;
			e = per_s > 0 ? fabs(a.slope.per_s - per_s) / per_s : 0;
			worst = e > worst ? e : worst;
		}
		printf("%s %d %d %.2f\n", shapes[i].name, growing, RUNS, 100 * worst);
	}
}

int main(void)
{
	percentiles();
	verdicts();
	return 0;
}
