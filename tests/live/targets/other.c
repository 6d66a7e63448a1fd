/* What a binary is replaced with: other names at the same places. */
#include "work.h"

__attribute__((noinline)) static void wrong60(void)
{
	BURN(600000);
}

__attribute__((noinline)) static void wrong30(void)
{
	BURN(300000);
}

__attribute__((noinline)) static void wrong10(void)
{
	BURN(100000);
}

int main(void)
{
	ready();
	for (;;) {
		wrong60();
		wrong30();
		wrong10();
	}
}
