/* Capabilities of a ptop that ordinary users run (setcap(8) on its file): in force only where the
 * target is looked at.
 *
 * They are a thread's. main() takes them out of force first of all, so everything runs with the
 * rights of the user: options, environment, terminal, files that are named by the user, by the target
 * or by its debug information, and all that is written. In force they are
 *
 *	in the sampler's thread		/proc/PID, perf, bpf, the target's memory, files it has mapped
 *	in the namer's thread		opening a mapped file, the target's root folder (O_PATH) and
 *					/proc/kallsyms; work on the target's memory
 *	in dump and doctor		while they read the process
 *
 * and out of force again within these while a file is written or one is opened that the target only
 * names. Threads that write or read the user's files give them up for good.
 *
 * Without such capabilities, and for root, whose rights are no others, all of this does nothing. */
#ifndef PTOP_BASE_RIGHTS_H
#define PTOP_BASE_RIGHTS_H

#include <stdbool.h>

/* What was in force; for rights_back(). */
struct rights {
	bool changed, in_force;
};

/* First of all in main(): out of force, and out of the environment what libraries would follow to
 * files or hosts of the user's choice. True when there are any. */
bool rights_begin(void);
/* This thread's, in force or not; what was before comes back with rights_back(). */
struct rights rights_of_ptop(void);
struct rights rights_of_user(void);
/* errno stays. */
void rights_back(struct rights before);
/* This thread, and those it starts, will not need them any more. */
void rights_give_up(void);

#endif
