/* Leaks 60,000 bytes at a time, from a thread too (3,000 each), and a mapped megabyte now and
 * then, so many bytes a second altogether; takes and frees others all the time. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept;

__attribute__((noinline)) static void leak_cache(void)
{
	char *p = malloc(60000);

	memset(p, 1, 60000);
	kept = p;
}

__attribute__((noinline)) static void churn_small(void)
{
	char *p = malloc(5000);

	memset(p, 1, 5000);
	free(p);
}

static void *worker(void *arg)
{
	for (;;) {
		char *p = malloc(3000);

		memset(p, 1, 3000);
		kept = p;
		usleep(20000);
	}
	return arg;
}

int main(void)
{
	pthread_t t;
	int i;

	mallopt(M_MMAP_THRESHOLD, 512 * 1024);
	pthread_create(&t, NULL, worker, NULL);
	for (i = 0; i < 200; i++)
		leak_cache();
	puts("ready");
	fflush(stdout);
	for (i = 0;; i++) {
		leak_cache();
		churn_small();
		if (i % 100 == 0)
			memset((kept = malloc(1000000)), 1, 1000000);
		usleep(10000);
	}
}
