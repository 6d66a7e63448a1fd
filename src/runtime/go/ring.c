/* In runtime.memstats, and unchanged from Go 1.4 to today: u64 pause_ns[256], u64
 * pause_end[256] (ns since 1970), u32 numgc. Nothing else in a program's data looks like it: as many
 * times as the count says (or 256), rising, of this century and not of the future, as many
 * short durations, and nothing in the rest. So no version and no symbol is needed. */
#include "runtime/go/ring.h"

#include <string.h>

#include "base/clock.h"

#define EARLIEST_NS (978307200ull * NS_PER_SEC) /* 2001 */
#define AHEAD_NS (3600 * NS_PER_SEC)		/* a clock that was set back */
#define PAUSE_MOST_NS (3600 * NS_PER_SEC)

static bool is_time(uint64_t t, uint64_t now)
{
	return t >= EARLIEST_NS && t <= now + AHEAD_NS;
}

static uint64_t word(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool go_ring_read(struct bytes in, uint64_t now, struct go_ring *out)
{
	uint32_t n, i, filled;
	uint64_t before = 0;

	if (in.n < GO_RING_BYTES)
		return false;
	memcpy(&n, in.p + 16 * GO_RING, sizeof(n));
	/* The newest first: it tells nearly everything that is none. */
	if (n == 0 || !is_time(word(in.p + 8 * (GO_RING + (n - 1) % GO_RING)), now))
		return false;
	filled = n < GO_RING ? n : GO_RING;
	memcpy(out->pause_ns, in.p, sizeof(out->pause_ns));
	memcpy(out->end_unix_ns, in.p + sizeof(out->pause_ns), sizeof(out->end_unix_ns));
	out->n = n;
	for (i = 0; i < filled; i++) {
		size_t at = (n - filled + i) % GO_RING;
		uint64_t end = out->end_unix_ns[at], took = out->pause_ns[at];

		if (!is_time(end, now) || end + AHEAD_NS < before || took == 0 ||
		    took > PAUSE_MOST_NS)
			return false;
		before = end;
	}
	for (i = filled; i < GO_RING; i++)
		if (out->pause_ns[i] || out->end_unix_ns[i])
			return false;
	return true;
}

size_t go_ring_find(struct bytes in, uint64_t now)
{
	struct go_ring ring;
	size_t at;

	for (at = 0; at + GO_RING_BYTES <= in.n; at += 8)
		if (go_ring_read((struct bytes){ in.p + at, in.n - at }, now, &ring))
			return at;
	return SIZE_MAX;
}
