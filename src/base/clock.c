/* clock_gettime with the arithmetic done once. */
#include "base/clock.h"

#include <time.h>
#include <unistd.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_own_cpu_ns(void)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* The coarse clock is the one that each tick moves. */
uint64_t clock_kernel_tick_ns(void)
{
	struct timespec ts = { 0, 4 * (long)NS_PER_MSEC };

	clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_nsec;
}

uint64_t clock_boot_ticks(void)
{
	return read_ns(CLOCK_BOOTTIME) / (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}
