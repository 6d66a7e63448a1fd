/* Five threads, each in one state for good: computing, waiting for a mutex, in poll, two
 * in nanosleep (the main thread is one). The waiting ones wake every 40 ms, so that they
 * count as having run. One more does not: it waits for the mutex for ever. */
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include "work.h"

static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void computing_fn(void)
{
	BURN(100000);
}

__attribute__((noinline)) static void sleeping_fn(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 40000000 }, NULL);
	__asm__ volatile("");
}

__attribute__((noinline)) static void polling_fn(void)
{
	poll(NULL, 0, 40);
	__asm__ volatile("");
}

__attribute__((noinline)) static void locking_fn(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 40000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_timedlock(&never, &until);
	__asm__ volatile("");
}

__attribute__((noinline)) static void idle_fn(void)
{
	pthread_mutex_lock(&never);
	__asm__ volatile("");
}

static void *computing(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		computing_fn();
	return NULL;
}

static void *sleeping(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		sleeping_fn();
	return NULL;
}

static void *polling(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		polling_fn();
	return NULL;
}

static void *locking(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		locking_fn();
	return NULL;
}

static void *idle(void *name)
{
	prctl(PR_SET_NAME, name);
	idle_fn();
	return NULL;
}

int main(void)
{
	pthread_t t;

	pthread_mutex_lock(&never);
	pthread_create(&t, NULL, computing, (void *)"computing");
	pthread_create(&t, NULL, sleeping, (void *)"sleeping");
	pthread_create(&t, NULL, polling, (void *)"polling");
	pthread_create(&t, NULL, locking, (void *)"locking");
	pthread_create(&t, NULL, idle, (void *)"idle");
	usleep(100000);
	ready();
	for (;;)
		sleeping_fn();
}
