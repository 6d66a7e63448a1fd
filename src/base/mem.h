/* Memory that is not ours: a live process, a copied stack, a core file, bytes of a test.
 * Interpreters and unwinders read through it and nothing else, which is what makes them
 * fuzzable. */
#ifndef PTOP_BASE_MEM_H
#define PTOP_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct mem {
	/* All of len bytes or nothing: a short read is false. */
	bool (*read)(const struct mem *m, uint64_t address, void *to, size_t len);
};

/* Bytes that stand at `base` of an address space; for tests and copied stacks. */
struct mem_bytes {
	struct mem mem;
	uint64_t base;
	struct bytes bytes; /* borrowed */
};

void mem_bytes_init(struct mem_bytes *m, uint64_t base, struct bytes bytes);

#endif
