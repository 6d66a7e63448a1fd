#include "base/thread.h"

#include <errno.h>

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
