/* states zombie | leader | threads N: a child that ended and is not waited for ("zombie PID" is
 * printed), a first thread that ended before the other one, which works in outlives_main(), or
 * N named threads in known functions for a dump. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "work.h"

__attribute__((noinline)) static void dump_inner(void)
{
	pause();
	__asm__ volatile("");
}

__attribute__((noinline)) static void dump_outer(void)
{
	dump_inner();
	__asm__ volatile("");
}

static void *in_dump_outer(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		dump_outer();
	return NULL;
}

static int threads(long count)
{
	static char name[64][16];
	pthread_t t;

	for (long i = 0; i < count && i < 64; i++) {
		snprintf(name[i], sizeof(name[i]), "worker-%ld", i);
		if (pthread_create(&t, NULL, in_dump_outer, name[i]) != 0)
			return 1;
	}
	usleep(100000);
	ready();
	for (;;)
		BURN(300000);
}

__attribute__((noinline)) static void outlives_main(void)
{
	BURN(300000);
	__asm__ volatile("");
}

static void *in_outlives_main(void *unused)
{
	(void)unused;
	ready();
	for (;;)
		outlives_main();
	return NULL;
}

static void leader(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, in_outlives_main, NULL) != 0)
		exit(1);
	pthread_exit(NULL);
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc > 2)
		return threads(strtol(argv[2], NULL, 10));
	if (argc > 1 && strcmp(argv[1], "leader") == 0)
		leader();
	child = fork();
	if (child == 0)
		_exit(0);
	usleep(50000);
	printf("zombie %d\n", (int)child);
	ready();
	for (;;)
		pause();
}
