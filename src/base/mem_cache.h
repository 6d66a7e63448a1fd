/* Many small reads of neighbouring places, served from blocks kept by: for walks over
 * heaps and lists, where a system call an object would take minutes.
 *
 * What it says is as old as the block. Bounded: blocks are replaced by address. */
#ifndef PTOP_BASE_MEM_CACHE_H
#define PTOP_BASE_MEM_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define MEM_PAGE 4096u
#define MEM_BLOCK_PAGES_MOST 16u

struct mem_block {
	uint64_t address;      /* of its first page, 1: none */
	uint32_t tried, valid; /* a bit a page */
};

/* Owns its blocks, borrows `from`. */
struct mem_cache {
	const struct mem *from;
	size_t n_blocks, block_bytes;
	struct mem_block *blocks;
	unsigned char *bytes;
};

/* n_blocks blocks of `pages` pages, both powers of two. */
void mem_cache_init(struct mem_cache *c, const struct mem *from, size_t n_blocks,
		    size_t pages);
void mem_cache_done(struct mem_cache *c);
/* Forgets all it has read. */
void mem_cache_clear(struct mem_cache *c);
/* All of len bytes or nothing. */
bool mem_cache_read(struct mem_cache *c, uint64_t address, void *to, size_t len);

#endif
