/* Files of /proc/PID that the kernel makes from the process's memory (cmdline, auxv, maps): it waits
 * for a lock there, which a process that hangs in a page fault of a dead file server may hold for
 * ever. */
#ifndef PTOP_TARGET_PROC_FILE_H
#define PTOP_TARGET_PROC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bytes.h"

/* As file_read() of /proc/PID/NAME (pid: see process_body()), or -ETIMEDOUT: the kernel has not
 * answered within a third of a second. */
int proc_file_read(pid_t pid, const char *name, size_t cap, struct bytes *out, bool *cut);

#endif
