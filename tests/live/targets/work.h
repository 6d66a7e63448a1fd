/* What the small programs of the live tests share. */
#pragma once

#include <stdio.h>
#include <unistd.h>

/* No target outlives a test that died: the alarm ends it. */
#define LIFETIME_S 100

/* A chain of dependent multiplications: equal steps take equal time wherever the compiler
 * puts the loop, and the loop stays where it is written (a function here would be shown
 * as inlined). */
#define BURN(steps)                                                             \
	do {                                                                    \
		unsigned long burn_x = 1;                                       \
		for (long burn_i = 0; burn_i < (steps); burn_i++)               \
			__asm__ volatile("imul $69069, %0, %0" : "+r"(burn_x)); \
	} while (0)

/* The test waits for this line. */
static inline void ready(void)
{
	alarm(LIFETIME_S);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
}
