/* execs MS PROGRAM ARGS...: computes for MS milliseconds, then becomes PROGRAM. */
#include <stdlib.h>
#include <time.h>

#include "work.h"

__attribute__((noinline)) static void before_exec(void)
{
	BURN(300000);
}

int main(int argc, char **argv)
{
	long ms = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	struct timespec began, now;

	ready();
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		before_exec();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - began.tv_sec) * 1000 +
		     (now.tv_nsec - began.tv_nsec) / 1000000 <
		 ms);
	if (argc > 2)
		execv(argv[2], argv + 2);
	return 1;
}
