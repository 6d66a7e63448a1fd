/* 200 ms of CPU time in its first function, then the second one, which ends after a
 * second more. */
#include <time.h>

#include "work.h"

static long ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((noinline)) static void first_work(void)
{
	BURN(100000);
}

__attribute__((noinline)) static void second_work(void)
{
	BURN(100000);
}

int main(void)
{
	long end;

	ready();
	while (ms(CLOCK_PROCESS_CPUTIME_ID) < 200)
		first_work();
	end = ms(CLOCK_MONOTONIC) + 1000;
	while (ms(CLOCK_MONOTONIC) < end)
		second_work();
	return 0;
}
