/* Reading a live process: struct mem over process_vm_readv. */
#ifndef PTOP_TARGET_MEMORY_H
#define PTOP_TARGET_MEMORY_H

#include <sys/types.h>

#include "base/error.h"
#include "base/mem.h"

struct mem_live {
	struct mem mem;
	pid_t pid;
};

/* The same, but only pages that are there: reading one that was never touched or is swapped
 * out would make the process pay for it. */
struct mem_present {
	struct mem mem;
	pid_t pid;
	int pagemap_fd;
};

/* -errno; then nothing needs closing. */
int mem_present_open(struct mem_present *m, pid_t pid);
void mem_present_close(struct mem_present *m);
void mem_live_init(struct mem_live *m, pid_t pid);
/* Reads eight bytes of some mapping of it, to see whether that is allowed here: 0, or -errno of
 * process_vm_readv(2) or of reading its maps, with the cause. */
int mem_live_prove(pid_t pid, struct error *err);
/* At most n bytes, cut where memory ends; bytes read, or -errno when there are none. */
ssize_t mem_live_read_some(pid_t pid, uint64_t address, void *to, size_t n);

#endif
