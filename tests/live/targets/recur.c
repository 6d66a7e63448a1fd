/* One function calls itself: recur [DEPTH [wide | seldom]], 60 deep by default, with frames of
 * about 1,000 bytes if they are to be wide, computes in the innermost call for a while,
 * returns and does it again. seldom: wide, for a moment only, and overwrites what the calls
 * left of the stack before it computes on without them. */
#include <stdlib.h>
#include <string.h>

#include "work.h"

static long steps = 3000000;

__attribute__((noinline)) static void innermost(void)
{
	BURN(steps);
}

__attribute__((noinline)) static long slim(long depth)
{
	if (depth > 1)
		depth = slim(depth - 1);
	else
		innermost();
	/* something to come back to, or the compiler makes a loop of it */
	__asm__ volatile("" : "+r"(depth));
	return depth;
}

__attribute__((noinline)) static long wide(long depth)
{
	volatile char frame[1000];

	frame[depth % 1000] = 1;
	if (depth > 1)
		return wide(depth - 1) + frame[depth % 1000];
	innermost();
	return depth;
}

__attribute__((noinline)) static void overwrite(void)
{
	volatile char all[60000];
	size_t i;

	for (i = 0; i < sizeof(all); i++)
		all[i] = -1;
}

int main(int argc, char **argv)
{
	long depth = argc > 1 ? strtol(argv[1], NULL, 10) : 60;

	overwrite(); /* its pages are there from now on */
	ready();
	for (;;) {
		if (argc > 2 && strcmp(argv[2], "seldom") == 0) {
			steps = 400000;
			wide(depth);
			overwrite();
			BURN(150000000);
		} else if (argc > 2)
			wide(depth);
		else
			slim(depth);
	}
}
