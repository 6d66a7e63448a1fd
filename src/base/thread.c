#include "base/thread.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"

#define ENDED_POLL_MS 2
#define STACK_BYTES ((size_t)2 << 20)

int thread_start(pthread_t *thread, void *(*run)(void *), void *arg, struct error *err)
{
	pthread_attr_t attr;
	int ret = pthread_attr_init(&attr);

	if (!ret) {
		pthread_attr_setstacksize(&attr, STACK_BYTES);
		ret = pthread_create(thread, &attr, run, arg);
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
