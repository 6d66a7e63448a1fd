/* A block is read whole; where that fails, a page at a time, as memory has holes. */
#include "base/mem_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

void mem_cache_init(struct mem_cache *c, const struct mem *from, size_t n_blocks,
		    size_t pages)
{
	*c = (struct mem_cache){ from, n_blocks, pages * MEM_PAGE, NULL, NULL };
	c->blocks = xcalloc(n_blocks, sizeof(*c->blocks));
	c->bytes = xmalloc(n_blocks * c->block_bytes);
	mem_cache_clear(c);
}

void mem_cache_done(struct mem_cache *c)
{
	free(c->blocks);
	free(c->bytes);
	*c = (struct mem_cache){ 0 };
}

void mem_cache_clear(struct mem_cache *c)
{
	size_t i;

	for (i = 0; i < c->n_blocks; i++)
		c->blocks[i] = (struct mem_block){ .address = 1 };
}

/* The page at this address (a page's first), or NULL. */
static const unsigned char *page(struct mem_cache *c, uint64_t address)
{
	uint64_t start = address & ~(uint64_t)(c->block_bytes - 1);
	size_t slot = hash_u64(start) & (c->n_blocks - 1);
	struct mem_block *b = &c->blocks[slot];
	unsigned char *bytes = c->bytes + slot * c->block_bytes;
	size_t i = (size_t)(address - start) / MEM_PAGE;
	uint32_t all = (uint32_t)((1ull << (c->block_bytes / MEM_PAGE)) - 1);

	if (b->address != start) {
		*b = (struct mem_block){ .address = start };
		if (c->from->read(c->from, start, bytes, c->block_bytes))
			b->tried = b->valid = all;
	}
	if (!(b->tried & 1u << i)) {
		b->tried |= 1u << i;
		if (c->from->read(c->from, address, bytes + i * MEM_PAGE, MEM_PAGE))
			b->valid |= 1u << i;
	}
	return b->valid & 1u << i ? bytes + i * MEM_PAGE : NULL;
}

bool mem_cache_read(struct mem_cache *c, uint64_t address, void *to, size_t len)
{
	unsigned char *out = to;

	if (len > UINT64_MAX - address)
		return false;
	while (len) {
		size_t offset = address % MEM_PAGE, n = MEM_PAGE - offset;
		const unsigned char *p = page(c, address - offset);

		if (!p)
			return false;
		n = n < len ? n : len;
		memcpy(out, p + offset, n);
		out += n;
		address += n;
		len -= n;
	}
	return true;
}
