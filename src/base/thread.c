#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"

#define ENDED_POLL_MS 2
#define STACK_BYTES ((size_t)2 << 20)

/* Signals belong to the first thread. A fault is always its thread's own, and where memory ends
 * (alloc.h) a thread aborts itself: these must reach the handler that gives the terminal back. */
static void block_signals(sigset_t *before)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
				   SIGTRAP, SIGSYS, SIGABRT };
	sigset_t all;
	size_t i;

	sigfillset(&all);
	for (i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_BLOCK, &all, before);
}

int thread_start(pthread_t *thread, void *(*run)(void *), void *arg, struct error *err)
{
	pthread_attr_t attr;
	sigset_t before;
	int ret = pthread_attr_init(&attr);

	if (!ret) {
		pthread_attr_setstacksize(&attr, STACK_BYTES);
		block_signals(&before);
		ret = pthread_create(thread, &attr, run, arg);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		pthread_attr_destroy(&attr);
	}
	if (!ret)
		return 0;
	errno = ret;
	error_errno(err, "cannot start a thread");
	error_hint(err, "a limit on processes (`ulimit -u`, pids.max of the cgroup) or "
			"memory (`ulimit -v`) is reached: raise it");
	return -ret;
}

bool thread_lacks_cpu(pid_t tid)
{
	char path[64], line[256];
	const char *name_end;

	if (!tid)
		return true;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	if (!file_line(path, line, sizeof(line)))
		return false;
	name_end = strrchr(line, ')');
	return name_end && name_end[1] && name_end[2] == 'R';
}

static void wait_until(pthread_cond_t *set, pthread_mutex_t *lock, const bool *done,
		       uint64_t until)
{
	struct timespec ts = { (time_t)(until / NS_PER_SEC), (long)(until % NS_PER_SEC) };

	while (!*done && pthread_cond_clockwait(set, lock, CLOCK_MONOTONIC, &ts) == 0)
		;
}

bool thread_wait(pthread_cond_t *set, pthread_mutex_t *lock, const bool *done,
		 const pid_t *tid, uint64_t wait_ns)
{
	uint64_t most = clock_now_ns() + THREAD_WAIT_MOST_NS;

	do
		wait_until(set, lock, done, clock_now_ns() + wait_ns);
	while (!*done && clock_now_ns() < most &&
	       thread_lacks_cpu(__atomic_load_n(tid, __ATOMIC_RELAXED)));
	return *done;
}

bool thread_ended_in(pthread_t thread, const bool *ended, uint64_t wait_ns)
{
	uint64_t until = clock_now_ns() + wait_ns;

	while (!__atomic_load_n(ended, __ATOMIC_ACQUIRE)) {
		if (clock_now_ns() >= until)
			return false;
		poll(NULL, 0, ENDED_POLL_MS);
	}
	pthread_join(thread, NULL);
	return true;
}
