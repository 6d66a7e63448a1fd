/* Off-CPU time without a stop: looks at threads through /proc and their memory.
 *
 * A thread that has not run since the last look stands where it stood: it is not read
 * again. One that ran and blocked again gives its stack pointer and pc in
 * /proc/PID/task/TID/syscall, its stack by process_vm_readv; schedstat before and after
 * proves that it slept meanwhile. */
#ifndef PTOP_SAMPLE_BLOCKED_H
#define PTOP_SAMPLE_BLOCKED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "model/frame.h"
#include "sample/task_files.h"

enum look_state {
	LOOK_SAME,    /* has not run since the last look */
	LOOK_BLOCKED, /* ran, and blocked somewhere: sp, ip and stack are there */
	LOOK_RUNNING, /* on a CPU or about to be */
	LOOK_RACED,   /* woke while it was read */
	LOOK_DENIED,  /* may not be read: needs CAP_SYS_PTRACE */
	LOOK_GONE,
};

/* One thread's memory between looks. */
struct blocked_thread {
	pid_t pid, tid;
	struct task_files files;
	struct task_sched last;
	bool looked;		  /* `last` is valid */
	bool read;		  /* its present stack was delivered */
	struct task_syscall call; /* that it is in; `read` only */
};

struct look {
	enum look_state state;
	/* Since the last look, ns (0 at the first). */
	uint64_t ran_ns, queued_ns;
	/* LOOK_BLOCKED. The stack is borrowed until the next look. */
	uint64_t sp, ip;
	struct bytes stack;
	enum wait_reason reason;
	uint64_t futex; /* WAIT_LOCK: its address */
};

#define BLOCKED_STACK_MAX (128u << 10)

void blocked_init(struct blocked_thread *t, pid_t pid, pid_t tid);
void blocked_done(struct blocked_thread *t);
/* Looks once; buffer: BLOCKED_STACK_MAX bytes for the stack, of which `want` are read. */
void blocked_look(struct blocked_thread *t, unsigned char *buffer, size_t want,
		  struct look *out);
/* What a thread blocked in this system call waits for. */
enum wait_reason blocked_reason(int64_t number);
/* It has not run since that look: what was read of it meanwhile belongs together. */
bool blocked_still(struct blocked_thread *t);

#endif
