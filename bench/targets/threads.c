/* threads N: N threads that sleep for ever; says "ready" when all of them run. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STACK_BYTES 65536u

static sem_t started;

static void *sleeper(void *unused)
{
	sem_post(&started);
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	long i, n = argc > 1 ? strtol(argv[1], NULL, 10) : 2000;
	pthread_attr_t attr;
	pthread_t thread;

	sem_init(&started, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (i = 0; i < n; i++) {
		if (pthread_create(&thread, &attr, sleeper, NULL) != 0) {
			fprintf(stderr, "threads: only %ld of %ld\n", i, n);
			return 1;
		}
		sem_wait(&started);
	}
	printf("ready\n");
	fflush(stdout);
	sleeper(NULL);
}
