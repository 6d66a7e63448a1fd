/* Go's own record of its last 256 collections, found in a copy of the program's data. */
#ifndef PTOP_RUNTIME_GO_RING_H
#define PTOP_RUNTIME_GO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define GO_RING 256u
/* pause_ns[256], pause_end[256], numgc */
#define GO_RING_BYTES (2 * 8 * GO_RING + 4)

struct go_ring {
	uint64_t pause_ns[GO_RING], end_unix_ns[GO_RING];
	uint32_t n; /* collections ever; the newest stands at (n - 1) % 256 */
};

/* Reads one; false unless it is one, seen at unix_ns. */
bool go_ring_read(struct bytes in, uint64_t unix_ns, struct go_ring *out);
/* Where one begins in these bytes, or SIZE_MAX. */
size_t go_ring_find(struct bytes in, uint64_t unix_ns);

#endif
