/* A heap that lies, whose memory changes from one read to the next: the walk ends, counts
 * no more than there is, and reads nothing outside. The first byte says where the regions
 * are and whether a read changes the bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/malloc/glibc.h"

#define BASE (64ull << 20)
#define ROOM (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct moving {
	struct mem mem;
	uint8_t *bytes;
	bool moves;
};

static bool moving_read(const struct mem *mem, uint64_t address, void *to, size_t len)
{
	const struct moving *m = (const struct moving *)mem;
	size_t i;

	if (address < BASE || address - BASE > ROOM || len > ROOM - (address - BASE))
		return false;
	memcpy(to, m->bytes + (address - BASE), len);
	for (i = 0; m->moves && i < ROOM; i += 513)
		m->bytes[i] = (uint8_t)(m->bytes[i] * 5 + 1);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct moving m = { .mem = { moving_read } };
	heap_regions regions = { 0 };
	struct census c;

	if (size < 2)
		return 0;
	m.bytes = calloc(1, ROOM);
	if (!m.bytes)
		return 0;
	m.moves = data[0] & 1;
	memcpy(m.bytes, data + 1, size - 1 < ROOM ? size - 1 : ROOM);
	*VEC_PUSH(&regions) = (struct heap_region){ BASE, BASE + ROOM, data[0] & 2 };
	if (data[0] & 4)
		*VEC_PUSH(&regions) =
		    (struct heap_region){ BASE + ROOM - 16, BASE + 4 * ROOM, true };
	if (data[0] & 8)
		*VEC_PUSH(&regions) =
		    (struct heap_region){ UINT64_MAX - 8192, UINT64_MAX, data[0] & 16 };
	census_init(&c);
	heap_census(&regions, &m.mem, clock_now_ns() + NS_PER_SEC, &c);
	if (!m.moves && regions.n == 1 && c.bytes > ROOM)
		abort();
	census_done(&c);
	heap_regions_parse(&regions, (struct bytes){ data, size });
	VEC_DONE(&regions);
	free(m.bytes);
	return 0;
}
