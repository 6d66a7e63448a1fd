/* A collector's flag, counters and writes as a target may show them, in any order: what is kept of
 * them is bounded, and no pause is longer than it was watched. The input is steps of sixteen bytes:
 * what, the flag and the instruction, how much later, then what the counters say. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "runtime/gc_flag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(struct gc_flag *f, struct cursor *c, uint64_t *now)
{
	uint8_t what = cursor_u8(c), how = cursor_u8(c);
	struct gc_flag_counts counts = { { 0 }, { 0 } };
	struct gc_hit hit = { .ip = how };
	uint16_t later = cursor_u16(c);
	uint64_t count = cursor_u32(c);

	*now += (uint64_t)later << (what >> 4);
	hit.time_ns = *now;
	counts.collections[0] = count;
	counts.collections[1] = count >> 4;
	counts.collections[2] = cursor_u64(c);
	counts.collected[0] = counts.collections[2] >> 8;
	if (what % 8 == 6)
		gc_flag_armed(f, how & 1, later);
	else if (what % 8 == 7)
		gc_flag_probed(f, how & 1, how & 1 ? 2 : 0);
	else if (what % 2)
		gc_flag_hit(f, &hit);
	else
		gc_flag_look(f, *now, how & 1, &counts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pauses to;
	struct cursor c = cursor_over((struct bytes){ data, size });
	uint64_t now = NS_PER_SEC, began = now;
	struct gc_flag f;
	uint8_t kind = cursor_u8(&c);
	size_t i;

	pauses_init(&to);
	gc_flag_init(&f,
		     &(struct gc_flag_config){ .runtime = "any",
					       .counters = "counters",
					       .generations = { "0", "1", "2" },
					       .n_generations = 1 + kind % 3,
					       .collected = kind & 4,
					       .steps = kind & 8 },
		     &to);
	while (!c.failed && size - c.at >= 16)
		step(&f, &c, &now);
	if (f.n_writers > GC_FLAG_WRITERS || to.n_rows > 9 || f.ended.n > size)
		abort();
	for (i = 0; i < PAUSES_RECENT && i < to.n_recent; i++)
		if (to.recent[i].took_ns > now - began)
			abort();
	gc_flag_done(&f);
	pauses_done(&to);
	return 0;
}
