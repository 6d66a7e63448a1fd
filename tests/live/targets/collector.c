/* A runtime that says nothing of its collections: a function of LuaJIT's collector that computes
 * half of its time and sleeps the other half. collector SECONDS; says "done" and what they
 * took. */
#include <stdlib.h>
#include <time.h>

#include "work.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void spin(double seconds)
{
	double end = now() + seconds;

	while (now() < end)
		;
}

__attribute__((noinline)) void lj_gc_step(void)
{
	spin(0.04);
	usleep(40000);
	spin(0.001);
}

__attribute__((noinline)) void interpret(void)
{
	spin(0.12);
	lj_gc_step();
	spin(0.001);
}

int main(int argc, char **argv)
{
	double took = 0, end;

	ready();
	end = now() + (argc > 1 ? atof(argv[1]) : 4);
	while (now() < end) {
		double began = now();

		interpret();
		took += now() - began - 0.121;
	}
	printf("done %.6f\n", took);
	fflush(stdout);
	pause();
	return 0;
}
