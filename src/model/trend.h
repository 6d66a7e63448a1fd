/* Does it leak? A verdict on the floor of a figure that goes up and down.
 *
 * Garbage collectors, caches and buffers make RSS a saw: its slope at a moment says
 * nothing. What a leak raises is the floor. So time is cut into twelve windows, each
 * stands for its least value, and "growing" asks for all of: a Mann-Kendall test of the
 * twelve above 2.58 (1 %), a growth of more than 1 % of the figure, and a second half that
 * still grows at more than 0.3 of the whole's slope (a start-up or a filled cache does
 * not). The slope is Theil and Sen's: the median of all pairs' slopes.
 *
 * A verdict needs five minutes (windows of 25 s) and uses at most the last ten. */
#ifndef PTOP_MODEL_TREND_H
#define PTOP_MODEL_TREND_H

#include <stdbool.h>
#include <stdint.h>

#include "model/memory.h"

#define TREND_SLOT_NS (5 * 1000000000ull)
#define TREND_SLOTS_MOST 120u /* ten minutes */
#define TREND_VERDICT_SLOTS 60u
#define TREND_SLOPE_SLOTS 6u
#define TREND_WINDOWS 12u

struct trend_slot {
	bool any;
	double least;
};

/* Zeroed is empty. */
struct trend {
	bool any;
	uint64_t first, newest; /* numbers of slots: time / TREND_SLOT_NS */
	struct trend_slot slots[TREND_SLOTS_MOST];
	double last;
};

struct trend_answer {
	enum memory_verdict verdict;
	uint64_t verdict_in_ns; /* VERDICT_UNKNOWN: so much longer */
	struct memory_slope slope;
};

/* A time before the newest is dropped. */
void trend_add(struct trend *t, uint64_t time_ns, double value);
void trend_read(const struct trend *t, struct trend_answer *out);
/* Seconds until `room` is used up at `per_s`; < 0: never. */
double trend_seconds(double room, double per_s);

#endif
