/* The maker for bytes at hand; those for live processes are in target/memory.c. */
#include "base/mem.h"

#include <string.h>

static bool bytes_read(const struct mem *mem, uint64_t address, void *to, size_t len)
{
	const struct mem_bytes *m = (const struct mem_bytes *)mem;

	if (address < m->base || address - m->base > m->bytes.n ||
	    len > m->bytes.n - (address - m->base))
		return false;
	memcpy(to, m->bytes.p + (address - m->base), len);
	return true;
}

void mem_bytes_init(struct mem_bytes *m, uint64_t base, struct bytes bytes)
{
	*m = (struct mem_bytes){ { bytes_read }, base, bytes };
}
