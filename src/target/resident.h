/* How much memory a process has, of what kind, and how often it faults.
 *
 * Three costs: its RSS alone is one pread of a kept file (0.8 us, whatever its size); the
 * kinds are a few small files, for once a second; PSS and USS make the kernel walk all of
 * its page tables with its map locked (20 ms for 2 GB, in which it cannot mmap), so they
 * are read when somebody asks for them. */
#ifndef PTOP_TARGET_RESIDENT_H
#define PTOP_TARGET_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct resident {
	uint64_t rss_bytes, anon_bytes, file_bytes, shmem_bytes, swap_bytes;
	uint64_t peak_bytes; /* 0 unknown */
	uint64_t minor_faults, major_faults;
};

struct resident_reader;

/* NULL when the process is gone. */
struct resident_reader *resident_new(pid_t pid);
void resident_free(struct resident_reader *r);
/* False when the process is gone. */
bool resident_rss(struct resident_reader *r, uint64_t *bytes);
bool resident_read(struct resident_reader *r, struct resident *out);
/* For any thread. False when they may not be read. */
bool resident_proportional(pid_t pid, uint64_t *pss_bytes, uint64_t *uss_bytes);
/* What the machine has, and has left. False when it does not tell. */
bool resident_machine(struct resident_reader *r, uint64_t *total_bytes,
		      uint64_t *available_bytes);

#endif
