/* deep N [FILE]: burns CPU in a leaf at the end of N calls, for ever. Benchmarks profile
 * it; FILE gets its progress. */
#include <stdint.h>
#include <stdlib.h>

#include "progress.h"

#define TELL_EVERY 500u /* leaves: about a millisecond */

static volatile uint64_t sink;
static uint64_t leaves;

static __attribute__((noinline)) void leaf(void)
{
	uint64_t x = sink + 1;
	int i;

	for (i = 0; i < 2000; i++)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	sink = x;
	leaves++;
}

static __attribute__((noinline)) void middle(int depth)
{
	volatile char room[64];

	room[0] = (char)depth;
	if (depth > 0)
		middle(depth - 1);
	leaf();
	sink += (uint64_t)room[0];
}

int main(int argc, char **argv)
{
	int depth = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 12;
	int fd = progress_open(argc > 2 ? argv[2] : NULL);
	uint64_t told = 0;

	for (;;) {
		middle(depth);
		if (leaves - told < TELL_EVERY)
			continue;
		told = leaves;
		progress_tell(fd, leaves, "");
	}
}
