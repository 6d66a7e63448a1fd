/* Percentiles of durations: log-linear buckets, 32 to an octave.
 *
 * Values below 32 ns have a bucket each; above, a bucket is 1/32 of its octave and stands for
 * its middle, so a percentile is off by at most 1/64 (1.6 %). From 1 ns to 1 h that is
 * 1,205 buckets; longer values count as one hour, 0 as itself. Count, sum, least and most
 * are exact. Histograms add up.
 *
 * A histogram_window remembers which second a value fell in, for the last HISTOGRAM_SECONDS:
 * only the buckets that were hit, so a quiet series costs little more than one
 * histogram. */
#ifndef PTOP_MODEL_HISTOGRAM_H
#define PTOP_MODEL_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

#define HISTOGRAM_BUCKETS 1205u
#define HISTOGRAM_MOST_NS (3600 * 1000000000ull)
#define HISTOGRAM_SECONDS 600u
#define HISTOGRAM_HITS_MOST 32768u /* of one window: 256 KiB */

struct histogram {
	uint64_t count, sum_ns, least_ns, most_ns;
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *h);
/* n values of value_ns each. */
void histogram_add(struct histogram *h, uint64_t value_ns, uint64_t n);
void histogram_merge(struct histogram *h, const struct histogram *other);
/* The value that `part` (0..1) of the values do not exceed; 0 of none. Never outside of
 * what was added. */
uint64_t histogram_quantile(const struct histogram *h, double part);

/* The value a bucket stands for. */
uint64_t histogram_middle(unsigned bucket);

struct histogram_window {
	struct histogram all; /* since the last clear */
	struct histogram now; /* the current second */
	uint64_t second;      /* its number */
	/* Seconds gone by that have values, and their buckets, oldest first. */
	VEC(struct histogram_second) seconds;
	VEC(struct histogram_hit {
		uint16_t bucket;
		uint32_t n;
	})
	hits;
};

struct histogram_second {
	uint64_t second, count, sum_ns, least_ns, most_ns;
	uint32_t hits;
};

void histogram_window_init(struct histogram_window *w);
void histogram_window_done(struct histogram_window *w);
/* Forgets all values. */
void histogram_window_clear(struct histogram_window *w);
/* n values that ended at time_ns. A time before the newest counts as the newest: clocks that
 * step back lose nothing. */
void histogram_window_add(struct histogram_window *w, uint64_t time_ns, uint64_t value_ns,
			  uint64_t n);
/* The values of the seconds from the one of from_ns up to now; from_ns 0: all of them. */
void histogram_window_sum(const struct histogram_window *w, uint64_t from_ns,
			  struct histogram *out);

#endif
