/* The ladder: per-thread events; CPU-wide events with a filter in the kernel where
 * threads are many, short-lived, or switch often; without the kernel where it is forbidden; ptrace
 * where perf is refused. The first error is the one worth telling: it names the right to
 * ask for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "base/clock.h"
#include "sample/calibrate.h"

#define MANY_EVENTS 4000u	   /* threads x CPUs */
#define SWITCHES_PER_SECOND 2000.0 /* above: per-thread timers cost the target */
#define MANY_BIRTHS 5u		   /* of threads, in a second */
#define FIRST_LOOK_NS (300 * NS_PER_MSEC)
#define NEXT_LOOK_NS (5 * NS_PER_SEC)
#define STACK_FIRST 16384u
#define STACKS_JUDGED 100u
#define STACKS_LOOK_NS (150 * NS_PER_MSEC)

static int open_backend(struct engine *e, const struct backend *b, struct error *err)
{
	struct sampler *s = NULL;
	struct event ev;
	size_t i;
	int ret;

	while (e->sampler && e->backend->next(e->sampler, &ev))
		engine_event(e, &ev);
	ret = b->open(&e->sample, &s, err);
	if (ret)
		return ret;
	if (e->sampler) {
		e->lost[LOSS_THREADS] += e->backend->missed(e->sampler);
		e->backend->close(e->sampler);
	}
	e->backend = b;
	e->sampler = s;
	snprintf(e->limits, sizeof(e->limits), "%s", b->limits);
	if (e->config.children && b->limits_children)
		snprintf(e->limits, sizeof(e->limits), "%s", b->limits_children);
	for (i = 0; i < e->spaces.n; i++)
		if (e->spaces.v[i].pid != e->process.pid && !e->spaces.v[i].gone)
			b->follow(s, e->spaces.v[i].pid, false);
	return 0;
}

static bool has_many_threads(pid_t pid)
{
	pid_list tids = { 0 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	bool many = process_threads(pid, &tids) && tids.n * (size_t)cpus > MANY_EVENTS;

	VEC_DONE(&tids);
	return many;
}

/* Stacks of its language are all there is to be shown. */
static bool is_alone(struct engine *e)
{
	const struct space *s = engine_space(e, e->process.pid);

	return s && s->reader && !e->config.children && !e->merge;
}

/* Only these bring chains. */
static int open_perf(struct engine *e, struct error *err)
{
	struct error other = { 0 };
	int ret = -1;

	e->ladder = true;
	if (has_many_threads(e->process.pid))
		ret = open_backend(e, &perf_cpu_backend, &other);
	if (ret)
		ret = open_backend(e, &perf_thread_backend, err);
	if (ret == -EMFILE)
		ret = open_backend(e, &perf_cpu_backend, &other);
	return ret;
}

static int climb(struct engine *e, struct error *err)
{
	struct error other = { 0 };
	int ret = open_perf(e, err);

	if (ret == -EACCES || ret == -EPERM)
		ret = open_backend(e, &perf_user_backend, &other);
	if (ret && ret != -ESRCH && !e->config.from_exec &&
	    open_backend(e, &ptrace_backend, &other) == 0)
		ret = 0;
	return ret;
}

/* A clock brings no machine stacks that --native could merge. */
static int open_timer(struct engine *e, struct error *err)
{
	if (e->merge && e->config.backend) {
		error_set(err, EXIT_USAGE,
			  "--native: the backend timer has no machine stacks");
		error_hint(err, "leave out --native, or --backend timer");
		return -EINVAL;
	}
	if (e->merge) {
		engine_say(e, true,
			   "--native: machine stacks cannot be had here; showing those "
			   "of the language alone");
		merge_free(e->merge);
		e->merge = NULL;
	}
	return open_backend(e, &timer_backend, err);
}

static int attach_best(struct engine *e, struct error *err)
{
	const struct backend *wanted =
	    e->config.backend ? backend_named(e->config.backend) : NULL;
	int ret;

	if (wanted == &timer_backend)
		return open_timer(e, err);
	if (wanted)
		return open_backend(e, wanted, err);
	if (e->sample.chain)
		return open_perf(e, err);
	if (is_alone(e))
		return open_timer(e, err);
	ret = climb(e, err);
	/* Of the children, those in that language. */
	if (ret && ret != -ESRCH && engine_space(e, e->process.pid)->reader)
		ret = open_timer(e, err);
	return ret;
}

int engine_attach(struct engine *e, struct error *err)
{
	int ret;

	e->sample = (struct sample_config){
		.pid = e->process.pid,
		.rate_hz = e->config.rate_hz,
		.stack_bytes = STACK_FIRST,
		.stack_wanted = STACK_MOST,
		.children = e->config.children,
		.from_exec = e->config.from_exec,
		.wake = e->merge != NULL,
	};
	chains_open(e);
	ret = attach_best(e, err);
	if (e->sample.chain && !chains_is_on(e) && ret != -ESRCH) {
		/* Perhaps it is the chains that cannot be had here. */
		chains_refuse(e, err->cause[0] ? err->cause : "no perf events");
		chains_close(e);
		ret = attach_best(e, err);
	}
	if (ret == -ESRCH && !process_alive(&e->process)) {
		error_set(err, EXIT_NO_PROCESS,
			  "process %d ended before ptop was attached",
			  (int)e->process.pid);
		error_hint(err, "start it with ptop: ptop -- COMMAND ARGS");
	}
	e->ladder_ns = clock_now_ns() + FIRST_LOOK_NS;
	e->switches = process_switches(e->process.pid);
	e->switches_ns = clock_now_ns();
	return ret;
}

void engine_calibrate(struct engine *e)
{
	bool stacks = !chains_is_on(e) || e->merge;

	if (e->backend != &ptrace_backend && e->backend != &timer_backend)
		e->taken_ns_per_sample = (double)calibrate_sample_ns(
		    stacks ? e->sample.stack_bytes : CALIBRATE_NO_STACK, 50);
}

int engine_reattach(struct engine *e)
{
	struct error err = { 0 };
	bool clock = !e->config.backend && is_alone(e);

	return open_backend(e, clock ? &timer_backend : e->backend, &err);
}

/* The events that are open bring no chains: others must. */
static int open_with_chain(struct engine *e)
{
	const struct backend *b =
	    e->backend == &perf_cpu_backend ? e->backend : &perf_thread_backend;
	struct error err = { 0 };
	int ret = open_backend(e, b, &err);

	if (ret) {
		chains_refuse(e, err.cause);
		chains_close(e);
		return ret;
	}
	engine_calibrate(e);
	return 0;
}

void engine_fit_backend(struct engine *e)
{
	const struct space *s = engine_space(e, e->process.pid);
	struct error err = { 0 };
	int ret = 0;

	e->refit = false;
	if (!s || !e->sampler)
		return;
	e->sample.from_exec = false;
	if (!e->sample.chain) {
		chains_open(e);
		if (e->sample.chain && open_with_chain(e) == 0)
			return;
	}
	if (e->config.backend)
		return;
	if (!s->reader && e->backend == &timer_backend &&
	    s->site.state != RUNTIME_STARTING)
		ret = climb(e, &err);
	else if (is_alone(e) && e->backend != &timer_backend && !e->sample.chain)
		ret = open_backend(e, &timer_backend, &err);
	if (ret)
		engine_say(e, true, "%s", err.cause);
}

bool engine_unwinds(const struct engine *e)
{
	return e->backend != &timer_backend && (e->merge || !chains_is_on(e));
}

static void judge_switches(struct engine *e, uint64_t now)
{
	uint64_t switches;
	double seconds = (double)(now - e->switches_ns) / (double)NS_PER_SEC;
	struct error err = { 0 };
	double rate;

	if (e->backend != &perf_thread_backend)
		return;
	switches = process_switches(e->process.pid);
	rate = switches > e->switches && seconds > 0
		   ? (double)(switches - e->switches) / seconds
		   : 0;
	e->switches = switches;
	e->switches_ns = now;
	if (rate < SWITCHES_PER_SECOND)
		return;
	if (open_backend(e, &perf_cpu_backend, &err) == 0)
		return;
	e->ladder = false;
	engine_say(e, true,
		   "%.0f context switches a second: sampling costs this target more "
		   "than usual (CPU-wide mode: %s)",
		   rate, err.cause);
}

/* A thread's timer begins anew with it: one that lives shorter than a period is never sampled. The
 * timer of a CPU meets it as often as its share of the time says. */
static void judge_births(struct engine *e, uint64_t now)
{
	struct error err = { 0 };

	if (e->births < MANY_BIRTHS) {
		if (now - e->births_ns > NS_PER_SEC) {
			e->births = 0;
			e->births_ns = now;
		}
		return;
	}
	if (chains_is_on(e) && !chains_find_births(e)) {
		chains_give_up(e, "threads come and go");
		e->births = 0;
		return;
	}
	if (e->backend == &perf_thread_backend &&
	    open_backend(e, &perf_cpu_backend, &err) == 0)
		return;
	e->ladder = false;
	snprintf(e->note, sizeof(e->note),
		 "threads that begin and end within %.1f ms of CPU are not sampled: "
		 "raise --rate",
		 1e3 / e->config.rate_hz);
	engine_say(e, true, "Threads come and go, and are not seen below %.1f ms of CPU",
		   1e3 / e->config.rate_hz);
}

static void judge_stacks(struct engine *e)
{
	struct error err = { 0 };

	if (e->stacks < STACKS_JUDGED)
		return;
	if (e->stacks_cut * 100 > e->stacks && e->sample.stack_bytes < STACK_MOST) {
		/* At once: each size on the way would cost the next deep stacks. */
		e->sample.stack_bytes = STACK_MOST;
		if (open_backend(e, e->backend, &err))
			engine_say(e, true, "deep stacks: %s", err.cause);
	}
	e->stacks = e->stacks_cut = 0;
}

void engine_reconsider(struct engine *e, uint64_t now)
{
	if (e->exited || now < e->stacks_ns)
		return;
	e->sample.from_exec = false;
	judge_stacks(e);
	chains_reconsider(e);
	e->stacks_ns = now + STACKS_LOOK_NS;
	if (e->ladder &&
	    (e->backend == &perf_thread_backend || e->backend == &perf_user_backend ||
	     (chains_is_on(e) && !chains_find_births(e))))
		judge_births(e, now);
	if (now < e->ladder_ns)
		return;
	e->ladder_ns = now + NEXT_LOOK_NS;
	if (e->ladder)
		judge_switches(e, now);
}
