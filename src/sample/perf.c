/* cpu-clock samples with registers and a copy of the stack: the target is never stopped.
 *
 * Three backends share this file. perf_thread opens one event per (thread, CPU),
 * inherited by new threads; perf_user is the same without the kernel (perf_event_paranoid
 * 2); perf_cpu opens one event per CPU and lets an in-kernel filter drop other processes,
 * for targets that switch so often or have so many threads that per-thread timers would
 * cost them.
 *
 * All events of a CPU write one ring. The ring belongs to a dummy event on ptop itself,
 * so that a thread that ends does not turn the ring's fd into a busy POLLHUP. Times are
 * CLOCK_MONOTONIC. */
#include "sample/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/files_open.h"
#include "base/vec.h"
#include "sample/bpf.h"
#include "sample/bpf_filter.h"
#include "sample/perf_chain.h"
#include "sample/perf_ring.h"
#include "sample/perf_room.h"
#include "target/access.h"
#include "target/process.h"

#define RING_LEAST (64u << 10)	      /* under RLIMIT_MEMLOCK */
#define CHAIN_RING_LEAST (256u << 10) /* a chain may have 56 KB */
#define FDS_SPARE 64u /* for files, and two for each thread in wall mode */
#define EVENTS_MAX 100000u
#define DRAIN_NS (100 * NS_PER_MSEC)
#define START_NS (2 * NS_PER_SEC)
#define START_DRAIN_NS (4 * NS_PER_MSEC)

enum perf_scope { SCOPE_THREADS, SCOPE_CPUS };

struct perf_cpu {
	int cpu, owner_fd; /* the dummy event that owns the ring */
	struct perf_ring ring;
	struct perf_chain chain;
};

struct sampler {
	const struct backend *backend;
	struct sample_config config;
	enum perf_scope scope;
	struct perf_event_attr attr;
	struct perf_layout layout;
	VEC(struct perf_cpu) cpus;
	VEC(int) fds;
	pid_list known; /* tids with events of their own or inherited ones, unsorted */
	struct bpf_filter filter;
	uint64_t opened_ns;
	size_t ring_bytes;
	uint64_t missed;
};

static int perf_event_open(struct perf_event_attr *attr, pid_t tid, int cpu, int group,
			   unsigned long flags)
{
	return files_open_keep(
	    (int)syscall(SYS_perf_event_open, attr, tid, cpu, group, flags));
}

static void raise_fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int open_ring(struct sampler *s, int cpu)
{
	struct perf_event_attr dummy = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(dummy),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		/* This one is the ring's; those of the events that write it are not asked. */
		.wakeup_watermark = perf_wake_bytes(
		    s->ring_bytes, perf_stack_bytes(s->ring_bytes, &s->config)),
	};
	struct perf_cpu *c = VEC_PUSH(&s->cpus);
	int ret;

	*c = (struct perf_cpu){ .cpu = cpu, .chain = { .fd = -1 } };
	c->owner_fd = perf_event_open(&dummy, 0, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	ret = c->owner_fd == -1 ? -errno
				: perf_ring_open(&c->ring, c->owner_fd, s->ring_bytes);
	if (ret) {
		if (c->owner_fd != -1)
			close(c->owner_fd);
		s->cpus.n--;
		return ret;
	}
	return s->config.chain ? perf_chain_open(&c->chain, cpu, c->owner_fd) : 0;
}

static void close_rings(struct sampler *s)
{
	size_t i;

	for (i = 0; i < s->cpus.n; i++) {
		perf_ring_close(&s->cpus.v[i].ring);
		close(s->cpus.v[i].owner_fd);
		perf_chain_close(&s->cpus.v[i].chain);
	}
	s->cpus.n = 0;
}

/* All rings have one size: what RLIMIT_MEMLOCK leaves is shared, not eaten by the first
 * CPUs. */
static int open_rings(struct sampler *s)
{
	pid_list cpus = { 0 };
	int ret = -EPERM;
	size_t i;

	perf_online_cpus(&cpus);
	s->ring_bytes = s->config.fault_period || s->config.little
			    ? PERF_RING_LEAST
			    : perf_ring_bytes(cpus.n);
	while (ret == -EPERM &&
	       s->ring_bytes >= (s->config.chain ? CHAIN_RING_LEAST : RING_LEAST)) {
		ret = 0;
		for (i = 0; i < cpus.n && (!ret || ret == -ENODEV); i++)
			ret = open_ring(s, cpus.v[i]);
		if (ret == -ENODEV && s->cpus.n)
			ret = 0; /* a CPU went offline */
		if (ret == -EPERM) {
			close_rings(s);
			s->ring_bytes /= 2;
		}
	}
	VEC_DONE(&cpus);
	return ret;
}

/* Each wakes its reader at once: an interpreter's stack is read then. Asked for the period,
 * the kernel would give every software event for a sample. */
static void of_faults(struct perf_event_attr *attr, uint32_t period)
{
	attr->config = PERF_COUNT_SW_PAGE_FAULTS;
	attr->sample_period = period;
	attr->sample_type =
	    (attr->sample_type & ~(uint64_t)PERF_SAMPLE_PERIOD) | PERF_SAMPLE_ADDR;
	attr->mmap = attr->mmap2 = attr->comm = attr->comm_exec = attr->task = 0;
	attr->watermark = 0;
	attr->wakeup_events = 1;
}

static void fill_attr(struct sampler *s, const struct sample_config *c)
{
	uint32_t stack_bytes = perf_stack_bytes(s->ring_bytes, c);

	s->attr = (struct perf_event_attr){
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(s->attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = perf_period_ns(c),
		.sample_type =
		    PERF_SAMPLE_ALWAYS | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_regs_user = perf_register_mask,
		.sample_stack_user = stack_bytes,
		.exclude_kernel = !c->kernel,
		.exclude_hv = 1,
		.exclude_callchain_user = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.sample_id_all = 1,
		.watermark = 1,
		.wakeup_watermark = perf_wake_bytes(s->ring_bytes, stack_bytes),
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
	};
	if (c->wake) {
		s->attr.watermark = 0;
		s->attr.wakeup_events = 1;
	}
	if (c->kernel)
		s->attr.sample_type |= PERF_SAMPLE_CALLCHAIN;
	if (s->scope == SCOPE_THREADS) {
		s->attr.inherit = 1;
		s->attr.inherit_thread = !c->children;
		s->attr.disabled = c->from_exec;
		s->attr.enable_on_exec = c->from_exec;
	}
	if (c->fault_period)
		of_faults(&s->attr, c->fault_period);
	s->layout = (struct perf_layout){ .callchain = c->kernel,
					  .address = c->fault_period != 0,
					  .stack = true,
					  .chain = c->chain != NULL,
					  .stack_asked = s->attr.sample_stack_user };
}

/* One event of a thread (or of all, tid -1) on a CPU, writing that CPU's ring. */
static int open_event(struct sampler *s, pid_t tid, const struct perf_cpu *c)
{
	int fd = perf_event_open(&s->attr, tid, c->cpu, -1, PERF_FLAG_FD_CLOEXEC), ret;

	if (fd == -1 && errno == EINVAL && s->attr.inherit_thread) {
		s->attr.inherit_thread =
		    0; /* kernels before 5.13: children are filtered */
		fd = perf_event_open(&s->attr, tid, c->cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	if (fd == -1)
		return -errno;
	ret = ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, c->owner_fd) == -1 ? -errno : 0;
	if (!ret && s->config.chain)
		ret = chain_attach(s->config.chain, fd);
	if (ret) {
		close(fd);
		return ret;
	}
	*VEC_PUSH(&s->fds) = fd;
	return 0;
}

static bool is_known(const struct sampler *s, pid_t tid)
{
	size_t i;

	for (i = 0; i < s->known.n; i++)
		if (s->known.v[i] == tid)
			return true;
	return false;
}

static int attach_thread(struct sampler *s, pid_t tid)
{
	size_t i, had = s->fds.n;
	int ret = 0;

	*VEC_PUSH(&s->known) = tid;
	for (i = 0; i < s->cpus.n && !ret; i++)
		ret = open_event(s, tid, &s->cpus.v[i]);
	if (!ret)
		return 0;
	while (s->fds.n > had)
		close(s->fds.v[--s->fds.n]);
	if (ret != -ESRCH)
		s->missed++;
	return ret;
}

static void note_fork(void *arg, uint32_t tid)
{
	struct sampler *s = arg;

	if (!is_known(s, (pid_t)tid))
		*VEC_PUSH(&s->known) = (pid_t)tid;
}

/* How many events the limit of open files leaves room for. */
static size_t events_allowed(size_t threads)
{
	size_t spare = FDS_SPARE + 2 * threads;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur > EVENTS_MAX + spare)
		return EVENTS_MAX;
	return r.rlim_cur > spare ? r.rlim_cur - spare : 0;
}

/* Threads that came while we were opening: those born of a thread that had its event
 * already inherited it (their PERF_RECORD_FORK is in a ring) and must not get a second
 * one. */
static int attach_process(struct sampler *s, pid_t pid)
{
	pid_list tids = { 0 };
	int last = -ESRCH;
	size_t i, opened = 1, round, allowed;

	for (round = 0; round < 8 && opened; round++) {
		opened = 0;
		if (!process_threads(pid, &tids)) {
			last = -errno;
			break;
		}
		allowed = events_allowed(tids.n);
		for (i = 0; i < s->cpus.n && round; i++)
			perf_ring_forks(&s->cpus.v[i].ring, note_fork, s);
		for (i = 0; i < tids.n; i++) {
			if (is_known(s, tids.v[i]))
				continue;
			if (s->fds.n + s->cpus.n > allowed) {
				*VEC_PUSH(&s->known) = tids.v[i];
				s->missed++;
				last = -EMFILE;
				continue;
			}
			last = attach_thread(s, tids.v[i]);
			opened += last == 0;
		}
	}
	VEC_DONE(&tids);
	return s->fds.n ? 0 : last;
}

/* The program that copies chains filters as well; an event can have but one. */
static int admit(struct sampler *s, pid_t pid)
{
	return s->config.chain ? chain_admit(s->config.chain, pid)
			       : bpf_filter_add(&s->filter, pid);
}

static int attach_cpus(struct sampler *s, pid_t pid)
{
	int ret = s->config.chain ? 0 : bpf_filter_open(&s->filter);
	size_t i;

	if (!ret)
		ret = admit(s, pid);
	for (i = 0; i < s->cpus.n && !ret; i++) {
		ret = open_event(s, -1, &s->cpus.v[i]);
		if (!ret && !s->config.chain)
			ret = bpf_filter_attach(&s->filter, s->fds.v[s->fds.n - 1]);
	}
	return ret;
}

static void perf_close(struct sampler *s)
{
	size_t i;

	for (i = 0; i < s->fds.n; i++)
		close(s->fds.v[i]);
	close_rings(s);
	bpf_filter_close(&s->filter);
	VEC_DONE(&s->fds);
	VEC_DONE(&s->cpus);
	VEC_DONE(&s->known);
	free(s);
}

static int explain(int ret, pid_t pid, struct error *err)
{
	char paranoid[32] = "?";

	errno = -ret;
	if (ret == -EACCES || ret == -EPERM || ret == -ENOSYS) {
		file_line("/proc/sys/kernel/perf_event_paranoid", paranoid,
			  sizeof(paranoid));
		if (ret != -EACCES && access_filtered()) {
			error_set(err, EXIT_NO_PERMISSION,
				  "cannot sample process %d: perf_event_open is refused, "
				  "perhaps by this container's seccomp filter",
				  (int)pid);
			error_hint(err, "docker run --cap-add PERFMON --cap-add "
					"SYS_PTRACE ..., or "
					"--security-opt seccomp=unconfined");
			return ret;
		}
		error_set(
		    err, EXIT_NO_PERMISSION,
		    "cannot sample process %d: %s (kernel.perf_event_paranoid is %s)",
		    (int)pid, strerror(-ret), paranoid);
		error_hint(err,
			   "run with sudo, or: sudo setcap cap_perfmon,cap_bpf,"
			   "cap_sys_ptrace,cap_dac_read_search,"
			   "cap_checkpoint_restore,cap_syslog+ep \"$(command -v ptop)\"; "
			   "`ptop doctor %d` says more",
			   (int)pid);
		return ret;
	}
	if (ret == -EMFILE) {
		error_set(err, EXIT_FAILED, "too many open files for the threads of %d",
			  (int)pid);
		error_hint(err, "raise the limit: ulimit -n 65536");
		return ret;
	}
	return error_errno(err, "perf_event_open");
}

/* Only now: until then they may be another sampler's, which this one takes the place of. */
static int direct_chains(struct sampler *s)
{
	int ret = 0;
	size_t i;

	chain_filter(s->config.chain, s->scope == SCOPE_CPUS);
	for (i = 0; i < s->cpus.n && !ret; i++)
		ret = chain_direct(s->config.chain, s->cpus.v[i].cpu,
				   s->cpus.v[i].chain.fd);
	return ret;
}

static int perf_open(const struct backend *b, enum perf_scope scope,
		     const struct sample_config *c, struct sampler **out,
		     struct error *err)
{
	struct sampler *s = xcalloc(1, sizeof(*s));
	int ret;

	s->backend = b;
	s->config = *c;
	s->scope = scope;
	s->filter = (struct bpf_filter){ -1, -1 };
	s->opened_ns = clock_now_ns();
	raise_fd_limit();
	ret = open_rings(s);
	if (!ret) {
		fill_attr(s, c);
		ret = scope == SCOPE_CPUS ? attach_cpus(s, c->pid)
					  : attach_process(s, c->pid);
	}
	if (!ret && c->chain)
		ret = direct_chains(s);
	if (ret) {
		perf_close(s);
		return explain(ret, c->pid, err);
	}
	*out = s;
	return 0;
}

static size_t perf_fds(struct sampler *s, struct pollfd *fds, size_t max)
{
	size_t i;

	for (i = 0; i < s->cpus.n && i < max; i++)
		fds[i] = (struct pollfd){ .fd = s->cpus.v[i].owner_fd, .events = POLLIN };
	return i;
}

/* Of a program that starts the first moments are told at once: its maps, and its interpreter. */
static uint64_t perf_due(struct sampler *s)
{
	uint64_t now = clock_now_ns();

	if (s->config.from_exec && now < s->opened_ns + START_NS)
		return now + START_DRAIN_NS;
	return now + DRAIN_NS;
}

/* CPU-wide events carry the news of every process, and old kernels inherit into children.
 */
static bool concerns_target(const struct sampler *s, const struct event *e)
{
	if (e->kind == EVENT_LOST || e->kind == EVENT_BAD)
		return true;
	if (s->scope == SCOPE_CPUS)
		return true; /* the engine knows the processes it follows */
	return s->config.children || e->pid == s->config.pid;
}

/* The ring whose next record is the oldest, or NULL: a process's birth is told before its
 * samples, whatever CPUs they came from. */
static struct perf_cpu *oldest(struct sampler *s)
{
	uint64_t least = UINT64_MAX, time;
	struct perf_cpu *c = NULL;
	size_t i;

	for (i = 0; i < s->cpus.n; i++) {
		if (!perf_ring_peek(&s->cpus.v[i].ring, &time) || (c && time >= least))
			continue;
		least = time;
		c = &s->cpus.v[i];
	}
	return c;
}

static bool perf_next(struct sampler *s, struct event *e)
{
	struct perf_cpu *c;
	struct bytes record;

	while ((c = oldest(s))) {
		bool broken = false;

		if (perf_ring_next(&c->ring, &record, &broken)) {
			if (perf_record_parse(&s->layout, record, e) &&
			    concerns_target(s, e) &&
			    perf_chain_event(&c->chain, s->config.chain, e))
				return true;
		} else if (broken) {
			*e = (struct event){ .kind = EVENT_BAD };
			return true;
		}
	}
	/* Nothing left: give the last record's room back, too. */
	for (c = s->cpus.v; c < s->cpus.v + s->cpus.n; c++)
		perf_ring_release(&c->ring);
	return false;
}

static void perf_follow(struct sampler *s, pid_t pid, bool born)
{
	if (s->scope == SCOPE_CPUS)
		s->missed += admit(s, pid) != 0;
	else if (!born) /* else it inherited its parent's events */
		attach_process(s, pid);
}

static void perf_forget(struct sampler *s, pid_t pid)
{
	if (s->scope == SCOPE_CPUS && s->config.chain)
		chain_dismiss(s->config.chain, pid);
	else if (s->scope == SCOPE_CPUS)
		bpf_filter_remove(&s->filter, pid);
}

static uint64_t perf_missed(struct sampler *s)
{
	return s->missed;
}

static int open_threads(const struct sample_config *c, struct sampler **out,
			struct error *err)
{
	struct sample_config kernel = *c;

	kernel.kernel = true;
	return perf_open(&perf_thread_backend, SCOPE_THREADS, &kernel, out, err);
}

static int open_user(const struct sample_config *c, struct sampler **out,
		     struct error *err)
{
	struct sample_config user = *c;

	user.kernel = false;
	return perf_open(&perf_user_backend, SCOPE_THREADS, &user, out, err);
}

/* The filter compares pids of the initial namespace: in another one it would drop
 * everything. */
static int open_cpus(const struct sample_config *c, struct sampler **out,
		     struct error *err)
{
	struct sample_config kernel = *c;

	if (c->from_exec || !bpf_sees_our_pids()) {
		error_set(err, EXIT_FAILED,
			  c->from_exec
			      ? "CPU-wide sampling cannot begin at an exec"
			      : "CPU-wide sampling does not work in a pid namespace");
		error_hint(err, "use --backend perf");
		return -ENOTSUP;
	}
	kernel.kernel = true;
	return perf_open(&perf_cpu_backend, SCOPE_CPUS, &kernel, out, err);
}

#define PERF_SLOTS                                                                     \
	.fds = perf_fds, .due_ns = perf_due, .next = perf_next, .follow = perf_follow, \
	.forget = perf_forget, .missed = perf_missed, .close = perf_close

const struct backend perf_thread_backend = { .name = "perf",
					     .help = "perf events on every thread",
					     .limits = "",
					     .open = open_threads,
					     PERF_SLOTS };

const struct backend perf_cpu_backend = {
	.name = "perf-cpu",
	.help = "perf events on every CPU, filtered in the kernel",
	.limits_children = "children that live only some milliseconds are not sampled",
	.limits = "",
	.open = open_cpus,
	PERF_SLOTS
};

const struct backend perf_user_backend = {
	.name = "perf-user",
	.help = "perf events on every thread, without the kernel",
	.limits = "time in system calls is not sampled (needs CAP_PERFMON or "
		  "kernel.perf_event_paranoid=1)",
	.open = open_user,
	PERF_SLOTS
};
