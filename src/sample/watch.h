/* The processor's debug registers on another process: exact times at which an address is
 * executed or written, without changing a byte of the target. Or, where the user asked for
 * it, the kernel's probes (uprobes): a breakpoint byte in a private copy of the page, for
 * execution only, as many as one wants.
 *
 * A hit costs the thread that makes it a debug exception (1 to 20 us, more in virtual
 * machines), so whoever arms one asks watch_cost() first and counts. There are four registers
 * a thread; others may hold them. The kernel frees them when ptop ends, however it does,
 * and when the thread does. */
#ifndef PTOP_SAMPLE_WATCH_H
#define PTOP_SAMPLE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

#define WATCH_POINTS_MAX 4
#define WATCH_THREADS_MAX 64

struct watch_point {
	uint64_t address;
	bool execute;	/* else: written */
	uint32_t bytes; /* of a written variable: 1, 2, 4 or 8 */
	/* A probe instead of a register: the file, as ptop can open it, and where in it. The
	 * semaphore (0 none) is a counter in the file's data that must be raised for the
	 * place to be reached at all; the kernel lowers it again. */
	const char *path;
	uint64_t offset, semaphore;
	bool read; /* tell reads, too */
};

struct watch_hit {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t ip;	  /* of an execution: the address itself; of a write: behind it */
	uint64_t address; /* of the point */
	uint64_t si, di, sp;
	uint64_t top; /* the word at sp, 0 unknown */
	pid_t tid;
};

struct watch;

/* Points of one process; nothing is armed yet. */
struct watch *watch_new(const struct watch_point *points, size_t n);
void watch_free(struct watch *w);
/* Arms them in one thread; again is nothing. -errno: EBUSY or ENOSPC when its registers are
 * taken, ESRCH when it is gone, E2BIG beyond WATCH_THREADS_MAX. */
int watch_thread(struct watch *w, pid_t tid, struct error *err);
/* Threads armed. Those that ended are let go of. */
size_t watch_threads(const struct watch *w);
/* Gives the hits up to now, in the order of their times. Returns how many. */
size_t watch_read(struct watch *w, void (*got)(void *arg, const struct watch_hit *hit),
		  void *arg);
/* Hits the kernel had no room for, ever. */
uint64_t watch_lost(const struct watch *w);

/* Decodes one record of the kernel's; false when it is no hit. For tests. */
bool watch_parse(struct bytes record, struct watch_hit *h, uint64_t *lost);

/* What a hit costs here and how far apart two hits appear that are not: measured on ptop's
 * own thread, once, in a millisecond. False when there are no registers to be had; err then
 * says why. */
struct watch_cost {
	uint64_t hit_ns, apart_ns;
};
/* Does this kernel have probes? */
bool watch_can_probe(void);
bool watch_measure(struct watch_cost *out, struct error *err);

#endif
