/* A collector's lists that lie and change under the walk: it ends, whatever they link to.
 * The first byte says whether a read changes the bytes; the flag stands at byte 256. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/python/census.h"

#define BASE 0x7f0000000000ull
#define ROOM (64u << 10)
#define FLAG 256u

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
	for (i = 1024; m->moves && i < ROOM; i += 517)
		m->bytes[i] = (uint8_t)(m->bytes[i] * 5 + 1);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct python_census p = { .flags = { BASE + FLAG }, .n = 1 };
	struct moving m = { .mem = { moving_read } };
	struct census c;

	if (size < 2)
		return 0;
	m.bytes = calloc(1, ROOM);
	if (!m.bytes)
		return 0;
	m.moves = data[0] & 1;
	memcpy(m.bytes, data + 1, size - 1 < ROOM ? size - 1 : ROOM);
	m.bytes[FLAG] = 0; /* a collection that never ends is waited for */
	census_init(&c);
	python_census_run(&p, &m.mem, clock_now_ns() + 50 * NS_PER_MSEC, &c);
	census_done(&c);
	free(m.bytes);
	return 0;
}
