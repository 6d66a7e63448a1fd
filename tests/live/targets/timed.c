/* A function of known durations, told as "END SECONDS", and where its code is. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

__attribute__((noinline)) double timed_step(double seconds)
{
	double end = now() + seconds;

	while (now() < end)
		;
	return end;
}

int main(void)
{
	unsigned i;

	printf("at %p\n", (void *)timed_step);
	ready();
	for (i = 0;; i++) {
		double began = now();

		timed_step(i % 10 == 0 ? 0.004 : 0.0005);
		printf("%.6f %.6f\n", now(), now() - began);
		fflush(stdout);
		usleep(2000);
	}
}
