/* young { item[11], i8 index }, then twice old { item[3], i8 index }, u32 version. An item is i64
 * begin, end, collections, collected, uncollectable, candidates, f64 seconds, i64 heap;
 * counters are running sums, so an item's number says which collection it is. */
#include "runtime/python/gc_ring.h"

#include "base/clock.h"
#include "base/cursor.h"

#define ITEM_BYTES 64u
#define YOUNG_BYTES (PYTHON_RING_YOUNG * ITEM_BYTES + 8)
#define OLD_BYTES (PYTHON_RING_OLD * ITEM_BYTES + 8)
#define PAUSE_MOST_NS (3600 * NS_PER_SEC)

size_t python_ring_read(struct bytes in, size_t generation,
			struct python_collection out[PYTHON_RING_YOUNG])
{
	size_t items = generation ? PYTHON_RING_OLD : PYTHON_RING_YOUNG, i, n = 0;
	struct cursor c = cursor_over(in);

	if (generation >= PYTHON_RING_GENERATIONS || in.n < PYTHON_RING_BYTES)
		return 0;
	cursor_seek(&c, generation ? YOUNG_BYTES + (generation - 1) * OLD_BYTES : 0);
	for (i = 0; i < items; i++) {
		struct python_collection *p = &out[n];

		p->begin_ns = cursor_u64(&c);
		p->end_ns = cursor_u64(&c);
		p->number = cursor_u64(&c);
		p->collected = cursor_u64(&c);
		cursor_skip(&c, ITEM_BYTES - 32);
		n += p->number > 0 && p->begin_ns > 0 && p->end_ns >= p->begin_ns &&
		     p->end_ns - p->begin_ns <= PAUSE_MOST_NS;
	}
	return c.failed ? 0 : n;
}

uint32_t python_ring_version(struct bytes in)
{
	struct cursor c = cursor_over(in);

	cursor_seek(&c, YOUNG_BYTES + 2 * OLD_BYTES);
	return cursor_u32(&c);
}
