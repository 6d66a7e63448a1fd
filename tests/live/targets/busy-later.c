/* Sleeps as many milliseconds as its argument says, then burns for good. */
#include <stdlib.h>
#include <unistd.h>

#include "work.h"

__attribute__((noinline)) static void late_work(void)
{
	BURN(100000);
}

int main(int argc, char **argv)
{
	ready();
	usleep((useconds_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 1000) * 1000);
	for (;;)
		late_work();
}
