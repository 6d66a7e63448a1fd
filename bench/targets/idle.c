/* idle [FILE]: 100 threads of which 20 wake every 100 ms; the others wait in calls that a
 * ptrace stop or a signal ends with EINTR, for a time nobody waits for. FILE gets, as
 * work, how often the 20 woke, and then the number of calls that ended early: a profiler
 * that leaves its target alone keeps it at 0. Ends on SIGTERM. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "progress.h"

#define THREADS 100
#define WAKERS 20
#define WAKE_NS 100000000
#define LONG_S 1000000

static atomic_uint_fast64_t wakes, interrupted;
static int semaphores;

static int in_epoll(void)
{
	struct epoll_event e;
	static _Thread_local int fd = -1;

	if (fd == -1)
		fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_wait(fd, &e, 1, LONG_S * 1000);
}

static int in_recv(void)
{
	struct timeval t = { LONG_S, 0 };
	static _Thread_local int pair[2] = { -1, -1 };
	char c;

	if (pair[0] == -1 &&
	    (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	     setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t))))
		_exit(1);
	return (int)recv(pair[0], &c, 1, 0);
}

static int in_semop(void)
{
	struct sembuf take = { 0, -1, 0 };

	return semop(semaphores, &take, 1);
}

static int in_semtimedop(void)
{
	struct sembuf take = { 0, -1, 0 };
	struct timespec t = { LONG_S, 0 };

	return semtimedop(semaphores, &take, 1, &t);
}

static int in_sigtimedwait(void)
{
	struct timespec t = { LONG_S, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &t);
}

static int (*const waits[])(void) = {
	in_epoll, in_recv, in_semop, in_semtimedop, in_sigtimedwait,
};

static void *waiter(void *number)
{
	size_t n = *(size_t *)number;

	for (;;) {
		if (waits[n]() == -1 && errno == EINTR)
			atomic_fetch_add(&interrupted, 1);
	}
	return NULL;
}

static void *waker(void *unused)
{
	struct timespec t = { 0, WAKE_NS };

	for (;;) {
		if (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL) == EINTR)
			atomic_fetch_add(&interrupted, 1);
		atomic_fetch_add(&wakes, 1);
	}
	return unused;
}

static void start_threads(void)
{
	static size_t numbers[THREADS];
	pthread_t thread;
	size_t i;

	for (i = 0; i < THREADS; i++) {
		numbers[i] = i % (sizeof(waits) / sizeof(waits[0]));
		if (pthread_create(&thread, NULL, i < WAKERS ? waker : waiter,
				   &numbers[i]) != 0)
			exit(1);
	}
}

int main(int argc, char **argv)
{
	int fd = progress_open(argc > 1 ? argv[1] : NULL);
	struct timespec second = { 1, 0 };
	char more[32];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	if (semaphores == -1)
		return 1;
	start_threads();
	sigdelset(&set, SIGUSR2);
	while (sigtimedwait(&set, NULL, &second) != SIGTERM) {
		snprintf(more, sizeof(more), "%" PRIuFAST64, atomic_load(&interrupted));
		progress_tell(fd, atomic_load(&wakes), more);
	}
	semctl(semaphores, 0, IPC_RMID); /* it would outlive us */
	_exit(0);
}
