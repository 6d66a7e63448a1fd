/* The last rung: where perf events are refused, threads that are on a CPU are stopped for
 * some microseconds each, a hundred times a second: registers, one copy of the stack, go.
 * Blocked threads are never touched (a stop would make some system calls return EINTR).
 *
 * A thread is seized, looked at and detached within one tick, so no signal meant for it
 * ever waits for ptop; one that arrives at that very moment is passed on with the detach.
 * ptrace belongs to the calling thread: everything here runs on the sampler's. */
#include "sample/backend.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/vec.h"
#include "sample/news.h"
#include "sample/task_files.h"
#include "target/memory.h"
#include "target/process.h"

#define RATE_MAX 100.0
#define RELIST_NS (250 * NS_PER_MSEC)
#define STOP_WAIT_NS (20 * NS_PER_MSEC)

struct traced {
	pid_t pid, tid;
	struct task_files files;
	uint64_t run_ns; /* at the last sample */
	bool seen, listed;
};

struct sampler {
	const struct backend *backend;
	struct sample_config config;
	struct news news;
	bool listing; /* there may be news */
	VEC(struct traced) threads;
	uint64_t period_ns, next_tick_ns, next_list_ns, missed;
	size_t at; /* thread to look at next in this tick; n: tick done */
	unsigned char *stack;
};

static struct traced *find(struct sampler *s, pid_t tid)
{
	size_t i;

	for (i = 0; i < s->threads.n; i++)
		if (s->threads.v[i].tid == tid)
			return &s->threads.v[i];
	return NULL;
}

static void list_thread(struct sampler *s, const struct news_task *task)
{
	struct traced *t = find(s, task->tid);

	if (!t) {
		t = VEC_PUSH(&s->threads);
		t->pid = task->pid;
		t->tid = task->tid;
		task_files_init(&t->files);
	}
	t->listed = true;
}

static void list_threads(struct sampler *s)
{
	size_t i, kept = 0;

	news_update(&s->news);
	for (i = 0; i < s->threads.n; i++)
		s->threads.v[i].listed = false;
	for (i = 0; i < s->news.now.n; i++)
		list_thread(s, &s->news.now.v[i]);
	for (i = 0; i < s->threads.n; i++) {
		if (s->threads.v[i].listed)
			s->threads.v[kept++] = s->threads.v[i];
		else
			task_files_close(&s->threads.v[i].files);
	}
	s->threads.n = kept;
}

/* Waits for the stop PTRACE_INTERRUPT asked for. Returns the signal to pass on with the
 * detach (0 for the interrupt's own stop), or -1 when the thread is not in a stop now. */
static int wait_stop(pid_t tid)
{
	uint64_t until = clock_now_ns() + STOP_WAIT_NS;

	do {
		int status;
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

		if (got == -1 && errno != EINTR)
			return -1;
		if (got != tid)
			continue;
		if (!WIFSTOPPED(status))
			return -1; /* it ended */
		return status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
	} while (clock_now_ns() < until);
	return -1;
}

static bool read_registers(pid_t tid, struct event *e)
{
	struct user_regs_struct r;
	struct iovec io = { &r, sizeof(r) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io) == -1 ||
	    io.iov_len != sizeof(r))
		return false;
	e->reg[0] = r.rax;
	e->reg[1] = r.rdx;
	e->reg[2] = r.rcx;
	e->reg[3] = r.rbx;
	e->reg[4] = r.rsi;
	e->reg[5] = r.rdi;
	e->reg[6] = r.rbp;
	e->reg[7] = r.rsp;
	e->reg[8] = r.r8;
	e->reg[9] = r.r9;
	e->reg[10] = r.r10;
	e->reg[11] = r.r11;
	e->reg[12] = r.r12;
	e->reg[13] = r.r13;
	e->reg[14] = r.r14;
	e->reg[15] = r.r15;
	e->reg[16] = r.rip;
	return true;
}

/* A seized thread must never be left behind: when the interrupt's stop does not come in
 * time, it is waited for without a limit, because a detach outside a stop fails. */
static bool copy_stopped(struct sampler *s, pid_t pid, pid_t tid, struct event *e)
{
	int pass, status;
	ssize_t n = 0;
	bool ok = false;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == -1) {
		s->missed += errno == EPERM;
		return false;
	}
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == -1) {
		waitpid(tid, &status, __WALL | WNOHANG); /* it ended meanwhile */
		return false;
	}
	pass = wait_stop(tid);
	if (pass == -1 && errno == ECHILD)
		return false; /* it ended, or became another program's first thread */
	if (pass == -1 && waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status))
		pass = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
	if (pass == -1)
		return false;
	if (read_registers(tid, e)) {
		n = mem_live_read_some(pid, e->reg[7], s->stack, s->config.stack_bytes);
		ok = n > 0;
	}
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)pass);
	e->stack = (struct bytes){ s->stack, ok ? (size_t)n : 0 };
	return ok;
}

static bool sample_thread(struct sampler *s, struct traced *t, struct event *e)
{
	struct task_syscall call;
	struct task_sched sched;

	if (!task_sched_read(&t->files, t->pid, t->tid, &sched) ||
	    (t->seen && sched.run_ns == t->run_ns))
		return false;
	if (!t->seen) {
		t->seen = true;
		t->run_ns = sched.run_ns;
		return false; /* from now on its CPU time is known */
	}
	if (!task_syscall_read(&t->files, t->pid, t->tid, &call) || !call.running)
		return false; /* its time is kept for when it is met running */
	*e = (struct event){ .kind = EVENT_SAMPLE, .pid = t->pid, .tid = t->tid };
	if (!copy_stopped(s, t->pid, t->tid, e))
		return false;
	e->time_ns = clock_now_ns();
	e->weight_ns = sched.run_ns - t->run_ns;
	e->has_user = true;
	e->stack_asked = s->config.stack_bytes;
	t->run_ns = sched.run_ns;
	return true;
}

static bool ptrace_next(struct sampler *s, struct event *e)
{
	uint64_t now = clock_now_ns();

	if (now >= s->next_list_ns) {
		list_threads(s);
		s->listing = true;
		s->next_list_ns = now + RELIST_NS;
	}
	if (s->listing && news_next(&s->news, e))
		return true;
	s->listing = false;
	if (s->at >= s->threads.n) {
		if (now < s->next_tick_ns)
			return false;
		s->at = 0;
		s->next_tick_ns += s->period_ns;
		if (s->next_tick_ns < now) /* late ticks are dropped, never caught up */
			s->next_tick_ns = now + s->period_ns;
	}
	while (s->at < s->threads.n)
		if (sample_thread(s, &s->threads.v[s->at++], e))
			return true;
	return false;
}

static int ptrace_open(const struct sample_config *c, struct sampler **out,
		       struct error *err)
{
	struct task_files files;
	struct task_syscall call;
	struct sampler *s;
	bool allowed;
	int ret;

	/* This file is guarded by the same check as ptrace, and reading it stops nobody.
	 */
	task_files_init(&files);
	allowed = task_syscall_read(&files, c->pid, c->pid, &call);
	task_files_close(&files);
	if (!allowed) {
		error_set(err, EXIT_NO_PERMISSION, "process %d may not be traced",
			  (int)c->pid);
		error_hint(err, "run with sudo, or: sudo setcap "
				"cap_sys_ptrace,cap_dac_read_search+ep "
				"\"$(command -v ptop)\"");
		return -EPERM;
	}
	ret = mem_live_prove(c->pid, err);
	if (ret)
		return ret;
	/* Of a process that is not traced it does nothing but to tell whether the call is let through. */
	if (ptrace(PTRACE_DETACH, c->pid, NULL, NULL) == -1 && errno != ESRCH)
		return error_errno(err, "ptrace");
	s = xcalloc(1, sizeof(*s));
	s->backend = &ptrace_backend;
	s->config = *c;
	s->period_ns = (uint64_t)((double)NS_PER_SEC /
				  (c->rate_hz < RATE_MAX ? c->rate_hz : RATE_MAX));
	s->next_tick_ns = clock_now_ns();
	s->stack = xmalloc(c->stack_bytes);
	news_init(&s->news, c->pid, c->children);
	*out = s;
	return 0;
}

static size_t ptrace_fds(struct sampler *s, struct pollfd *fds, size_t max)
{
	(void)s;
	(void)fds;
	(void)max;
	return 0;
}

static uint64_t ptrace_due(struct sampler *s)
{
	return s->next_tick_ns;
}

static void ptrace_follow(struct sampler *s, pid_t pid, bool born)
{
	(void)born;
	news_follow(&s->news, pid);
}

static void ptrace_forget(struct sampler *s, pid_t pid)
{
	news_forget(&s->news, pid);
}

static uint64_t ptrace_missed(struct sampler *s)
{
	return s->missed;
}

static void ptrace_close(struct sampler *s)
{
	size_t i;

	for (i = 0; i < s->threads.n; i++)
		task_files_close(&s->threads.v[i].files);
	VEC_DONE(&s->threads);
	news_done(&s->news);
	free(s->stack);
	free(s);
}

const struct backend ptrace_backend = {
	.name = "ptrace",
	.help = "short stops of running threads (last resort)",
	.limits = "running threads are stopped for a moment, at most 100 times a second",
	.open = ptrace_open,
	.fds = ptrace_fds,
	.due_ns = ptrace_due,
	.next = ptrace_next,
	.follow = ptrace_follow,
	.forget = ptrace_forget,
	.missed = ptrace_missed,
	.close = ptrace_close,
};
