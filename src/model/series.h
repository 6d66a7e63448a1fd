/* A figure over time, for drawing: RSS, the longest pause of each moment, requests a second.
 *
 * Three levels of buckets, each with the smallest, largest, last and summed value of its
 * moment: 200 ms for the last minute, 2 s for the last ten, and one for all time, whose
 * buckets double whenever they run out. So its size never grows, the finest level that
 * reaches back far enough draws a range, and no peak is lost by drawing it coarsely.
 *
 * Times are CLOCK_MONOTONIC ns. A time before the newest goes where it belongs, or is
 * dropped where its level has no room for it any more. */
#ifndef PTOP_MODEL_SERIES_H
#define PTOP_MODEL_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define SERIES_BUCKETS 320u
#define SERIES_LEVELS 3u
#define SERIES_CELLS_MOST 1000u

/* What was added in a stretch of time; n 0: nothing, and the rest is 0. */
struct series_cell {
	float min, max, last;
	uint32_t n;
	double sum;
};

struct series_level {
	uint64_t width_ns;
	uint64_t first, newest; /* numbers of buckets: time / width; first: ever */
	struct series_cell cells[SERIES_BUCKETS]; /* by number % SERIES_BUCKETS */
};

struct series {
	bool any;
	struct series_level levels[SERIES_LEVELS];
};

/* A drawn range, n cells of equal time, oldest first; part of a snapshot. */
struct series_view {
	uint64_t from_ns, to_ns;
	size_t n;
	const struct series_cell *cells; /* in the snapshot's arena; NULL when n is 0 */
};

/* Also forgets everything. */
void series_init(struct series *s);
/* A value that is not finite is dropped. */
void series_add(struct series *s, uint64_t time_ns, double value);
/* What was added from from_ns to before to_ns, in n cells. `hold`: a cell in which nothing
 * was added takes the last value before it (a gauge); else it stays empty (events). */
void series_read(const struct series *s, uint64_t from_ns, uint64_t to_ns, bool hold,
		 struct series_cell *cells, size_t n);
/* The same into an arena. from_ns 0: from the first value ever. */
struct series_view series_look(const struct series *s, struct arena *a, uint64_t from_ns,
			       uint64_t to_ns, bool hold, size_t n);
/* Cell i of `of` when the view is drawn that many cells wide. */
struct series_cell series_view_cell(const struct series_view *v, size_t i, size_t of);

#endif
