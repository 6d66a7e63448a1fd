/* A function of known durations, told as "END SECONDS", and where its code is.
 * timed SECONDS: begins at a line on its input, and is idle after that time: whoever looks all
 * the time sees all calls. */
#include <stdio.h>
#include <stdlib.h>
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

int main(int argc, char **argv)
{
	double end = 1e18;
	unsigned i;

	printf("at %p\n", (void *)timed_step);
	ready();
	if (argc > 1) {
		getchar();
		end = now() + atof(argv[1]);
	}
	for (i = 0; now() < end; i++) {
		double began = now();

		timed_step(i % 10 == 0 ? 0.004 : 0.0005);
		printf("%.6f %.6f\n", now(), now() - began);
		fflush(stdout);
		usleep(2000);
	}
	pause();
	return 0;
}
