/* The C heap of a process, counted by chunk size: what it holds, not who asked for it.
 *
 * glibc's malloc keeps a word before every chunk that leads to the next one, so a heap can
 * be read like a list, without symbols: the brk heap from its start, arenas of threads at
 * multiples of 64 MiB, chunks with mappings of their own at the start of a page. Chunks in
 * tcaches and fast bins, free for the program but not merged yet, count as held.
 *
 * The process goes on meanwhile. A chunk that leads nowhere is counted as torn, and the
 * walk goes on at the next place from which eight chunks follow each other. Memory that is
 * not present (never touched, or swapped out) is not read: reading would fetch it. */
#ifndef PTOP_RUNTIME_MALLOC_GLIBC_H
#define PTOP_RUNTIME_MALLOC_GLIBC_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/vec.h"
#include "model/census.h"

struct heap_region {
	uint64_t start, end;
	bool brk; /* else some other anonymous mapping */
};
typedef VEC(struct heap_region) heap_regions;

/* Keys of a census that are no size: */
#define HEAP_FREE 1u   /* all free chunks */
#define HEAP_MAPPED 2u /* or'ed to the size of a chunk with a mapping of its own */

/* The regions that may hold a heap, of /proc/PID/maps' text. */
void heap_regions_parse(heap_regions *out, struct bytes maps);
/* Counts and names; gives up (cut) at until_ns. */
void heap_census(const heap_regions *regions, const struct mem *mem, uint64_t until_ns,
		 struct census *out);

#endif
