/* main realigns its stack, and its callee takes a piece of stack of a size that changes:
 * both have rules that ask for more than a constant offset. */
#include <alloca.h>
#include <string.h>

#include "work.h"

struct wide {
	_Alignas(128) volatile char bytes[128];
};

__attribute__((noinline)) static void leaf_work(volatile char *bytes, int n)
{
	bytes[n - 1] = 1;
	BURN(300000);
}

__attribute__((noinline)) static void takes_stack(int n)
{
	volatile char *piece = alloca((size_t)n);

	leaf_work(piece, n);
	piece[0] = 2;
}

int main(int argc, char **argv)
{
	struct wide aligned = { { 0 } };

	(void)argv;
	ready();
	for (int n = 16;; n = n * 2 % 16000 + 16) {
		takes_stack(n);
		aligned.bytes[n % 128] = 1;
		if (aligned.bytes[argc % 128] == 3)
			break;
	}
	return 0;
}
