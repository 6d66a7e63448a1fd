/* Spends 60, 30 and 10 percent of its time in three functions. Rounds last half a millisecond to
 * one and a half: were they alike, and like the time between two samples, those would meet the same
 * function for long. With an argument it ends
 * by itself after that many milliseconds. */
#include <stdlib.h>
#include <time.h>

#include "work.h"

__attribute__((noinline)) static void hot60(long unit)
{
	BURN(6 * unit);
}

__attribute__((noinline)) static void hot30(long unit)
{
	BURN(3 * unit);
}

__attribute__((noinline)) static void hot10(long unit)
{
	BURN(1 * unit);
}

int main(int argc, char **argv)
{
	long end_ms = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	struct timespec began, now;
	unsigned int random = 1;

	ready();
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		long unit;

		random = random * 1103515245u + 12345u;
		unit = 50000 + (long)(random >> 16) % 100000;
		hot60(unit);
		hot30(unit);
		hot10(unit);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (end_ms == 0 || (now.tv_sec - began.tv_sec) * 1000 +
					(now.tv_nsec - began.tv_nsec) / 1000000 <
				    end_ms);
	return 0;
}
