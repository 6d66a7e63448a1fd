/* A bounded table by row key; when it is full, further rows show their newest cells.
 * Levels are eighths of a block, or a ramp of ASCII characters; nothing at all is a
 * blank. */
#include "ui/trends.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define HOLD_MIN_NS (2 * NS_PER_SEC)

void trends_update(struct trends *t, const struct snapshot *s)
{
	uint64_t step_ns = (s->window_ns ? s->window_ns : s->covered_ns) / TREND_CELLS;

	/* Half a second of slack: pictures come a little early or late. At least every
	 * other picture of a short window keeps its cells. */
	if (step_ns < HOLD_MIN_NS)
		step_ns = HOLD_MIN_NS;
	if (s->time_ns >= t->since_ns && t->window_ns == s->window_ns &&
	    s->time_ns - t->since_ns + NS_PER_SEC / 2 < step_ns)
		return;
	memset(t, 0, sizeof(*t));
	t->since_ns = s->time_ns;
	t->window_ns = s->window_ns;
}

static const uint8_t *lookup(struct trends *t, uint64_t key, const uint8_t *cells)
{
	size_t at = hash_u64(key) % TREND_SLOTS;

	while (t->slots[at].taken && t->slots[at].key != key)
		at = (at + 1) % TREND_SLOTS;
	if (t->slots[at].taken)
		return t->slots[at].cells;
	if (t->used >= TREND_SLOTS / 2)
		return cells;
	t->used++;
	t->slots[at].key = key;
	t->slots[at].taken = true;
	memcpy(t->slots[at].cells, cells, TREND_CELLS);
	return cells;
}

void trend_put(const uint8_t cells[TREND_CELLS], struct canvas *c, int x, int y,
	       int width)
{
	static const char ramp[] = " .:-=+*#%";
	int i;

	for (i = 0; i < TREND_CELLS && i < width && !c->plain; i++) {
		unsigned level = (cells[i] * 8u + 254) / 255; /* 0, then 1..8 */
		uint32_t block = level ? 0x2580 + level : ' ';

		canvas_fill(c, x + i, y, 1, ROLE_TEXT,
			    c->ascii ? (uint32_t)ramp[level] : block);
	}
}

void trends_draw(struct trends *t, uint64_t key, const uint8_t cells[TREND_CELLS],
		 struct canvas *c, int x, int y, int width)
{
	trend_put(lookup(t, key, cells), c, x, y, width);
}
