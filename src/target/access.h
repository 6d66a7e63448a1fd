/* What ptop may do here and to one process, what is missing, and what would grant it. */
#ifndef PTOP_TARGET_ACCESS_H
#define PTOP_TARGET_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of struct access.capabilities: those that matter, by their numbers in
 * linux/capability.h. */
struct access {
	uint64_t capabilities; /* effective, of this process */
	int paranoid;	       /* kernel.perf_event_paranoid; INT_MAX unknown */
	int ptrace_scope;      /* kernel.yama.ptrace_scope; -1: no Yama */
	int kptr_restrict;
	bool root;
	/* Of one process; pid 0: not asked. */
	pid_t pid;
	uid_t owner;
	bool unanswered; /* its memory map: the kernel holds the lock of its memory */
	bool same_user, maps, memory, blocked, files, map_files;
};

void access_read(pid_t pid, struct access *out);
/* A seccomp filter, as containers have one, may refuse system calls whatever the rights. */
bool access_filtered(void);
/* What would have to change for a refused right where giving ptop capabilities cannot help: a process that hangs, a seccomp
 * filter, no_new_privs, a user namespace, hidepid, kernel lockdown. NULL: setcap may help. */
const char *access_cure(const struct access *a);
/* /proc is mounted so that it does not show other users' processes. */
bool access_proc_hides(void);
bool access_has(const struct access *a, int capability);

#endif
