/* Almost all the time is in a function that the compiler puts into its caller. */
#include "work.h"

static inline __attribute__((always_inline)) void put_inside(void)
{
	BURN(300000);
}

__attribute__((noinline)) static void outside(void)
{
	put_inside();
}

int main(void)
{
	ready();
	for (;;)
		outside();
}
