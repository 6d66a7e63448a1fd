/* Calls that may never return: reads of a file whose server is dead, or of /proc of a process that
 * hangs in the kernel. */
#ifndef PTOP_BASE_TIMED_H
#define PTOP_BASE_TIMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define TIMED_WAIT_NS 300000000ull /* what is usual */

/* Runs call() on a thread of its own with a copy of arg's `size` bytes, which is copied back.
 * 0, or -ETIMEDOUT: it takes longer than wait_ns (see thread_wait()), or so many calls hang
 * already that no more are begun. What the argument holds is then no longer the caller's: drop() (NULL: nothing) frees it,
 * of a call that is left behind when that returns after all. call() uses nothing but its argument.
 * Where threads cannot be had it runs here, with no limit. */
int timed_call(uint64_t wait_ns, void (*call)(void *arg), void *arg, size_t size,
	       void (*drop)(void *arg));
/* file_read(), or -ETIMEDOUT. */
int timed_file_read(uint64_t wait_ns, const char *path, size_t cap, struct bytes *out,
		    bool *cut);

#endif
