/* Shapes of memory over time whose verdict is known, drawn by lot from a seed: twenty runs a
 * shape, sampled ten times a second. For the tests of the leak verdict and for bench-model. */
#ifndef PTOP_TESTS_GROWTH_SHAPES_H
#define PTOP_TESTS_GROWTH_SHAPES_H

#include <math.h>
#include <stdint.h>

#include "model/trend.h"

#define SEC 1000000000ull
#define MB 1048576.0
#define RUNS 20
#define RUN_S 310.0 /* five minutes, and the slots at both ends that are cut */

static uint64_t seed;

static double chance(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static double between(double low, double high)
{
	return low + chance() * (high - low);
}

/* What one run draws by lot. */
struct run {
	double base, noise, period, height, when, tau, phase;
};

typedef double shape(const struct run *r, double s);

static double flat(const struct run *r, double s)
{
	(void)r, (void)s;
	return 0;
}

static double saw(const struct run *r, double s)
{
	return r->height * fmod(s / r->period + r->phase, 1);
}

static double leak_slow(const struct run *r, double s)
{
	(void)r;
	return 0.2 * s;
}

static double leak_fast(const struct run *r, double s)
{
	(void)r;
	return s;
}

static double leak_in_saw(const struct run *r, double s)
{
	return saw(r, s) + 0.2 * s;
}

static double step(const struct run *r, double s)
{
	return s > r->when ? r->height : 0;
}

static double warm_up(const struct run *r, double s)
{
	double end = 30 + r->when / 4;

	return r->height * (s < end ? s / end : 1);
}

static double cache_fill(const struct run *r, double s)
{
	return r->height * (1 - exp(-s / r->tau));
}

static void draw_lots(struct run *r, int run)
{
	seed = 1000003ull * (uint64_t)run + 12345;
	chance();
	r->base = between(100, 500);
	r->noise = between(0.05, 0.5);
	r->period = between(3, 20);
	r->height = between(20, 120);
	r->when = between(20, 280);
	r->tau = between(15, 45);
	r->phase = chance();
}

/* The answer about one run of a shape, watched for so many seconds. */
static void growth_run(shape *f, int run, double seconds, struct trend_answer *out)
{
	struct trend t = { 0 };
	struct run r;
	uint64_t start;
	double s;

	draw_lots(&r, run);
	start = (uint64_t)(between(1, 100) * (double)SEC);
	for (s = 0; s < seconds; s += 0.1)
		trend_add(&t, start + (uint64_t)(s * (double)SEC),
			  (r.base + between(-r.noise, r.noise) + f(&r, s)) * MB);
	trend_read(&t, out);
}

#endif
