/* Threads that live for 2 ms of computing, four after each other, for ever; the main
 * thread only waits for them. */
#include <pthread.h>
#include <time.h>

#include "work.h"

__attribute__((noinline)) static void brief_work(void)
{
	struct timespec now;

	do {
		BURN(20000);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while (now.tv_sec == 0 && now.tv_nsec < 2000000);
}

static void *brief(void *unused)
{
	brief_work();
	return unused;
}

int main(void)
{
	pthread_t t;

	ready();
	for (;;) {
		pthread_create(&t, NULL, brief, NULL);
		pthread_join(t, NULL);
	}
}
