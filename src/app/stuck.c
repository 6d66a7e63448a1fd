/* The sampler's thread may wait inside the kernel for what never comes. Whoever started it does
 * not wait with it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "app/recorder.h"
#include "base/clock.h"
#include "base/thread.h"

#define START_POLL_MS 50
#define START_WAIT_NS (5 * NS_PER_SEC)
#define STOP_POLL_NS (20 * NS_PER_MSEC)
#define STOP_WAIT_NS (400 * NS_PER_MSEC)

bool engine_is_stuck(struct engine *e, uint64_t wait_ns)
{
	pid_t tid = __atomic_load_n(&e->tid, __ATOMIC_RELAXED);
	uint64_t now = clock_now_ns(), ran;
	struct timespec ts;
	clockid_t clock;

	if (pthread_getcpuclockid(e->thread, &clock) || clock_gettime(clock, &ts))
		return false;
	ran = (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
	if (ran != e->ran_ns || !e->still_ns) {
		e->ran_ns = ran;
		e->still_ns = now;
	}
	return now > e->still_ns + wait_ns && tid && !thread_lacks_cpu(tid);
}

void engine_leave(struct engine *e)
{
	engine_send(e, &(struct command){ .kind = COMMAND_QUIT });
	if (e->config.recorder)
		recorder_keep(e->config.recorder);
	pthread_detach(e->thread);
}

static int pending_end(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;
	size_t i;

	if (sigpending(&set) == 0)
		for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if (sigismember(&set, ends[i]) == 1)
				return ends[i];
	return 0;
}

int engine_wait_ready(struct engine *e, struct error *err)
{
	struct pollfd p = { .fd = e->ready_read_fd, .events = POLLIN };
	char done;
	int got;

	while (poll(&p, 1, START_POLL_MS) <= 0) {
		got = pending_end();
		if (got)
			error_set(err, (enum exit_code)(128 + got),
				  "ended by a signal before it was attached");
		else if (engine_is_stuck(e, START_WAIT_NS))
			error_set(err, EXIT_FAILED,
				  "process %d: the kernel does not answer about it",
				  (int)e->config.pid);
		else
			continue;
		if (!got)
			error_hint(err,
				   "a file system that it uses may hang: see the state "
				   "D in `ps -eLo pid,tid,stat,wchan:30,comm`");
		engine_leave(e);
		return -EINTR;
	}
	/* What it wrote before, of the start's result, is read only after this. */
	while (read(e->ready_read_fd, &done, 1) == -1 && errno == EINTR)
		;
	return 0;
}

bool engine_join(struct engine *e)
{
	e->still_ns = 0;
	while (!thread_ended_in(e->thread, &e->ended, STOP_POLL_NS))
		if (engine_is_stuck(e, STOP_WAIT_NS)) {
			engine_leave(e);
			return false;
		}
	return true;
}
