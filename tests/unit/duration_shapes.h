/* Shapes of durations, ns, drawn from a seed: for the tests of percentiles and for bench-model. */
#ifndef PTOP_TESTS_DURATION_SHAPES_H
#define PTOP_TESTS_DURATION_SHAPES_H

#include <math.h>
#include <stdint.h>

static uint64_t duration_seed;

static double uniform(void)
{
	duration_seed = duration_seed * 6364136223846793005ull + 1442695040888963407ull;
	return ((double)(duration_seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static uint64_t even(void)
{
	return 1 + (uint64_t)(uniform() * 50e6);
}

static uint64_t exponential(void)
{
	return 1 + (uint64_t)(-log(uniform()) * 2e6);
}

static uint64_t log_normal(void)
{
	return 1 + (uint64_t)exp(13 + 2 * normal());
}

static uint64_t pareto(void)
{
	double v = 1e3 / pow(uniform(), 1 / 1.1);

	return v > 3.5e12 ? 3500000000000ull : (uint64_t)v;
}

static uint64_t two_humps(void)
{
	return 1000 + (uint64_t)fabs(uniform() < 0.9 ? 2e5 + 2e4 * normal()
						     : 1.4e7 + 1e6 * normal());
}

#endif
