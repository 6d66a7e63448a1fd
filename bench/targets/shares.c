/* shares [FILE]: three functions that use 60, 30 and 10 % of the CPU time, for ever. FILE
 * gets after the work (rounds) the CPU nanoseconds each of them really used. */
#include "progress.h"

#define UNIT 20000 /* steps: about 20 us, so that a share is many short visits */

static volatile uint64_t sink;
static uint64_t used_ns[3];

static inline __attribute__((always_inline)) void burn(int n)
{
	uint64_t x = sink + 1;

	for (n *= UNIT; n > 0; n--)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	sink = x;
}

static __attribute__((noinline)) void share_60(void)
{
	burn(6);
}

static __attribute__((noinline)) void share_30(void)
{
	burn(3);
}

static __attribute__((noinline)) void share_10(void)
{
	burn(1);
}

int main(int argc, char **argv)
{
	void (*const run[3])(void) = { share_60, share_30, share_10 };
	int i, fd = progress_open(argc > 1 ? argv[1] : NULL);
	uint64_t rounds, last, now;
	char more[80];

	last = progress_clock(CLOCK_THREAD_CPUTIME_ID);
	for (rounds = 0;; rounds++) {
		for (i = 0; i < 3; i++) {
			run[i]();
			now = progress_clock(CLOCK_THREAD_CPUTIME_ID);
			used_ns[i] += now - last;
			last = now;
		}
		if (rounds % 100 != 0)
			continue;
		snprintf(more, sizeof(more), "%" PRIu64 " %" PRIu64 " %" PRIu64,
			 used_ns[0], used_ns[1], used_ns[2]);
		progress_tell(fd, rounds, more);
	}
}
