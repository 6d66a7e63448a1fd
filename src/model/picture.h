/* From the history to a snapshot: the rows, the tree and the trends of one window. */
#ifndef PTOP_MODEL_PICTURE_H
#define PTOP_MODEL_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/functions.h"
#include "model/history.h"
#include "model/snapshot.h"
#include "model/sums.h"

struct picture_query {
	uint64_t end_ns;
	uint64_t window_ns; /* 0: all there is */
	enum mode mode;
	bool merged;	 /* one row a function; else one a function and thread */
	bool idle_shown; /* MODE_WALL: also threads that were never on a CPU in the window
			  */
	bool tree;	 /* fill snapshot.nodes */
	bool lines;	 /* a row a line */
	bool hot_lines;	 /* fill snapshot.lines */
	bool runs;	 /* and snapshot.runs, with the history's thread numbers */
	bool spread;	 /* fill functions[].n_threads; needs tree */
	uint32_t
	    only; /* 1 + the history's number of the one thread it is about; 0: all */
};

/* What a thread did in the window, by the history's thread numbers. */
struct picture_thread {
	uint64_t on_ns, off_ns; /* on a CPU, off it */
	bool ran;		/* in: known to have run, even if no sample met it */
	bool hidden;
};

/* Whether the figures leave out the thread of that number, whose times are known. */
static inline bool picture_hides(const struct picture_query *q,
				 const struct picture_thread *t, size_t number)
{
	if (q->only)
		return number + 1 != q->only;
	return q->mode == MODE_WALL && !q->idle_shown && t->on_ns == 0 && !t->ran;
}

/* What is kept from one live picture to the next. A zeroed struct is a valid empty one. */
struct live {
	struct follow follow; /* the sums of its window */
	/* Shares of functions in closed stretches of time. */
	struct trends {
		uint64_t cell_ns, newest; /* newest closed cell: time / cell_ns */
		uint32_t names_version;
		enum mode mode;
		uint32_t only;
		struct trend_cell {
			uint64_t number, weight_ns;
			VEC(uint64_t) total; /* by function */
		} cell[TREND_CELLS];
	} trends;
};

void live_done(struct live *l);

/* Fills functions, nodes, weight_ns, samples and window fields of `out`, and
 * threads[0..n_threads) with what each did. Brings node flags up to date first. Without
 * `live` all runs of the window are summed up; with it, which one caller may do whose
 * windows move on, only what changed. */
void picture_build(struct history *h, const struct functions *fs,
		   const struct picture_query *q, struct live *live,
		   struct picture_thread *threads, size_t n_threads,
		   struct snapshot *out);

/* The sums of all runs of a query; sums_done() them. */
void picture_sums(struct history *h, const struct picture_query *q, struct sums *out);
/* The frames whose line is worth knowing next, in no order: not asked yet, with at least
 * `least_pct` of the weight of these sums of h. Marks them asked. Returns how many. */
size_t picture_wants_lines(struct history *h, const struct sums *s, double least_pct,
			   uint32_t *frames, size_t max);

#endif
