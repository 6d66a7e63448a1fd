/* crowd N: N threads that wait for ever, and the main thread computes. */
#include <pthread.h>
#include <stdlib.h>

#include "work.h"

__attribute__((noinline)) static void crowd_work(void)
{
	BURN(300000);
}

static void *waiting(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
	pthread_attr_t small;
	pthread_t t;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (long i = 0; i < count; i++)
		if (pthread_create(&t, &small, waiting, NULL) != 0)
			return 1;
	ready();
	for (;;)
		crowd_work();
}
