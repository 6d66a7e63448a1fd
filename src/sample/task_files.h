/* The /proc files of one thread that are read again and again, kept open: a pread of a
 * kept fd costs a tenth of open, read and close. */
#ifndef PTOP_SAMPLE_TASK_FILES_H
#define PTOP_SAMPLE_TASK_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct task_files {
	int schedstat_fd, syscall_fd, status_fd; /* -1: not open */
};

struct task_sched {
	uint64_t run_ns, wait_ns,
	    slices; /* on a CPU; runnable without one; times scheduled */
};

struct task_syscall {
	bool running;	/* on a CPU right now */
	bool blocked;	/* sp and ip are valid */
	int64_t number; /* -1: blocked, but in no system call (page fault) */
	uint64_t first; /* argument */
	uint64_t sp, ip;
};

void task_files_init(struct task_files *f);
void task_files_close(struct task_files *f);
/* False with errno: ESRCH or ENOENT when the thread is gone. */
bool task_sched_read(struct task_files *f, pid_t pid, pid_t tid, struct task_sched *out);
bool task_syscall_read(struct task_files *f, pid_t pid, pid_t tid,
		       struct task_syscall *out);
/* 1: on a CPU or waiting for one; 0: blocked; -1: that cannot be told. */
int task_running(struct task_files *f, pid_t pid, pid_t tid);
/* Has it a CPU now, or does it wait for one? The kernel counts how often a thread got a CPU
 * and how often it gave one up; true also when that cannot be told. */
bool task_on_cpu(struct task_files *f, pid_t pid, pid_t tid);
/* How often a thread gave up its CPU, from the text of its status file. */
bool task_switches_parse(const char *text, size_t n, uint64_t *switches);
/* "running", "-1 0xSP 0xIP", or "NR 6 ARGS 0xSP 0xIP". */
bool task_syscall_parse(const char *text, size_t n, struct task_syscall *out);

#endif
