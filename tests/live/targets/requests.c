/* TRUE: 25 threads at a time, each of which lives 0.3 s and then is replaced by another, for ever.
 * A watcher that holds anything for a thread that ended holds more with each round. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define THREADS 25

static void *request(void *arg)
{
	struct timespec nap = { 0, 100000000 };
	volatile unsigned long n = 0;
	int i;

	for (i = 0; i < 3; i++) {
		while (++n % 200000)
			;
		nanosleep(&nap, NULL);
	}
	return arg;
}

int main(void)
{
	pthread_t thread[THREADS];
	int i;

	puts("ready");
	fflush(stdout);
	for (;;) {
		for (i = 0; i < THREADS; i++)
			if (pthread_create(&thread[i], NULL, request, NULL))
				return 1;
		for (i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
	}
}
