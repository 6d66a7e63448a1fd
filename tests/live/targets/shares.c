/* Spends 60, 30 and 10 percent of its time in three functions. With an argument it ends
 * by itself after that many milliseconds. */
#include <stdlib.h>
#include <time.h>

#include "work.h"

__attribute__((noinline)) static void hot60(void)
{
	BURN(600000);
}

__attribute__((noinline)) static void hot30(void)
{
	BURN(300000);
}

__attribute__((noinline)) static void hot10(void)
{
	BURN(100000);
}

int main(int argc, char **argv)
{
	long end_ms = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	struct timespec began, now;

	ready();
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		hot60();
		hot30();
		hot10();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (end_ms == 0 || (now.tv_sec - began.tv_sec) * 1000 +
					(now.tv_nsec - began.tv_nsec) / 1000000 <
				    end_ms);
	return 0;
}
