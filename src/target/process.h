/* Who the target is: identity, words about it, its threads and children. All from /proc.
 */
#ifndef PTOP_TARGET_PROCESS_H
#define PTOP_TARGET_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/vec.h"

/* A pid alone may be reused; with the start time it is one process. */
struct process {
	pid_t pid;
	uint64_t start_ticks;	/* since boot */
	uint64_t start_wall_ns; /* since 1970 */
	uid_t uid;		/* effective, as /proc/PID is owned */
	char comm[32];		/* cleaned */
	char command[128];	/* short: base name of argv[0] or of the script it runs */
	char cmdline[1024];	/* argv joined by spaces, cleaned, cut */
	bool kernel_thread;
	bool class32; /* a 32-bit executable */
};

/* Fields of /proc/PID/stat (or task/TID/stat). */
struct process_stat {
	char comm[32]; /* cleaned */
	char state;
	pid_t parent;
	uint64_t flags; /* PF_ bits */
	uint64_t user_ticks, system_ticks, start_ticks;
	uint64_t minor_faults, major_faults;
	int threads;
};

typedef VEC(pid_t) pid_list;

/* tid 0: the process itself. False when it is gone. */
bool process_stat(pid_t pid, pid_t tid, struct process_stat *out);
/* Parses the text of a stat file: "4242 (a b) S 1 ..."; the name may hold anything. */
bool process_parse_stat(const char *text, size_t n, struct process_stat *out);
/* Everything about a process that can be sampled. Refuses, with the cause and the exit
 * code: no such process, zombie, kernel thread, ptop itself, 32-bit. */
int process_find(pid_t pid, struct process *out, struct error *err);
/* Still the same process, and not a zombie? */
bool process_alive(const struct process *p);
/* The wait status of a process that has ended and need not be a child of ours: of a zombie as
 * /proc/PID/stat has it, of one that is gone as its pidfd does (Linux 6.15). -1: not known. */
int process_end_status(pid_t pid, int pid_fd);
/* Its threads now, ascending. False with errno: ESRCH, it is gone; else it cannot be listed. */
bool process_threads(pid_t pid, pid_list *out);
/* Direct and indirect children now. */
void process_children(pid_t pid, pid_list *out);
/* Who traces it, as a debugger does; 0: nobody. */
pid_t process_tracer(pid_t pid);
/* Pid as the innermost pid namespace of the target sees it. */
pid_t process_ns_pid(pid_t pid);
/* The thread whose /proc folder and number stand for the memory and the files of the
 * process: pid itself, or one that lives when the first thread ended before the others. */
pid_t process_body(pid_t pid);
/* Context switches of all threads since they started, from schedstat (or status). */
uint64_t process_switches(pid_t pid);
/* CPU time of the whole process, ns, exact; 0 when it is gone. */
uint64_t process_cpu_ns(pid_t pid);

struct process_match {
	pid_t pid;
	char text[160];
};
typedef VEC(struct process_match) match_list;
/* Processes whose comm equals the pattern, else whose command line contains it; ptop
 * itself and kernel threads left out. */
void process_named(const char *pattern, match_list *out);

#endif
