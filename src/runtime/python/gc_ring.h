/* CPython 3.15's record of its last collections: struct gc_stats, in CPython's
 * Include/internal/pycore_interp_structs.h. */
#ifndef PTOP_RUNTIME_PYTHON_GC_RING_H
#define PTOP_RUNTIME_PYTHON_GC_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define PYTHON_RING_BYTES 1120u
#define PYTHON_RING_GENERATIONS 3u
#define PYTHON_RING_YOUNG 11u
#define PYTHON_RING_OLD 3u

struct python_collection {
	uint64_t begin_ns, end_ns; /* CLOCK_MONOTONIC */
	uint64_t number;	   /* of its generation's, from 1 */
	uint64_t collected;	   /* objects, of its generation, ever */
};

/* Its newest collections of one generation, unordered; those that cannot be are left out.
 * Returns how many. */
size_t python_ring_read(struct bytes in, size_t generation,
			struct python_collection out[PYTHON_RING_YOUNG]);
/* Changes with every collection that is written. */
uint32_t python_ring_version(struct bytes in);

#endif
