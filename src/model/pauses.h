/* Pauses by garbage collection, as a snapshot holds them: its member `gc`.
 *
 * A row is one generation (or collector, or cause) of one runtime, from one source; rows that
 * come from different sources never mix. The figures are of the snapshot's window, times are
 * nanoseconds. Strings and arrays live in the snapshot's arena. */
#ifndef PTOP_MODEL_PAUSES_H
#define PTOP_MODEL_PAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/histogram.h"

struct arena;

enum gc_exactness {
	GC_EXACT,     /* the runtime's own figures, or each start and end seen */
	GC_INTERVAL,  /* a pause is known to ± interval_ns */
	GC_ESTIMATED, /* from samples */
};

struct gc_row {
	const char *runtime; /* "CPython 3.11" */
	const char *source;  /* "counters + flag", "hsperfdata" */
	enum gc_exactness exactness;
	uint64_t interval_ns;	/* of GC_INTERVAL and GC_ESTIMATED */
	const char *generation; /* "gen2", "G1 young", "scavenge" */
	const char *cause;	/* of the newest, or "" */
	uint64_t count;		/* collections */
	uint64_t timed;		/* of them, those whose duration is known */
	double per_s;
	/* Of all, those not timed taken to be shorter than interval_ns: a percentile that falls
	 * among them is 0. The longest and the sum are of the timed. */
	uint64_t p50_ns, p95_ns, p99_ns, max_ns, total_ns;
	double time_pct; /* of the wall time covered */
	bool collected_known;
	uint64_t collected; /* objects */
};

/* The window in equal cells, oldest first. */
#define GC_CELLS 240
struct gc_cell {
	uint64_t longest_ns;
	uint32_t count;
	uint16_t row; /* of the longest */
};

/* Where collections start. */
struct gc_stack {
	uint64_t count, total_ns;
	const char *text; /* "parse_order orders.py:88 < handle server.py:12" */
};

struct snapshot_gc {
	/* Where pauses would come from; "" when there is nobody to ask, and then why. */
	const char *source, *reason;
	uint64_t covered_ns; /* of the window, how long pauses were watched */
	struct gc_row *rows;
	size_t n_rows;
	struct gc_row all;	  /* over the rows */
	struct gc_cell *timeline; /* GC_CELLS of them, or NULL */
	uint64_t timeline_ns;	  /* what they cover, ending at the snapshot's time */
	struct gc_stack *stacks;  /* by count, falling */
	size_t n_stacks;
	uint64_t stacks_of; /* collections whose stack is known */
	uint64_t bursts,
	    bursts_ns; /* of freeing (reference counts), which is no collection */
	const char
	    *bursts_unseen; /* why nobody looks for them; NULL or "": somebody does */
	uint64_t
	    unseen; /* collections known to have been missed by the clock's figures */
};

/* ---- the account behind it ----
 *
 * Readers tell what they see; figures of any window can then be had. Everything told is
 * bounded: rows, seconds, cells. Times are CLOCK_MONOTONIC. */

#define PAUSES_ROWS_MAX 24u
#define PAUSES_FINE_NS (25 * 1000000ull)
#define PAUSES_FINE 2400u /* a minute */
#define PAUSES_COARSE_NS (2500 * 1000000ull)
#define PAUSES_COARSE 240u /* ten minutes */

struct pauses_second {
	uint64_t second, count, collected;
};

struct pauses_row {
	char runtime[48], source[64], generation[48], cause[64];
	enum gc_exactness exactness;
	uint64_t interval_ns;
	bool collected_known;
	uint64_t count, collected;	   /* ever */
	VEC(struct pauses_second) seconds; /* with anything in them, oldest first */
	struct histogram_window times;
	/* Since pauses_take(). */
	uint64_t new_count, new_collected;
	struct histogram new_times;
};

#define PAUSES_RECENT 1024u

struct pauses {
	/* The newest pauses one by one, a ring: what slow calls are compared with. */
	struct pause {
		uint64_t end_ns, took_ns;
	} recent[PAUSES_RECENT];
	size_t n_recent; /* ever */
	struct pauses_row *row[PAUSES_ROWS_MAX];
	size_t n_rows;
	/* Cell of time t: (t / width) % size; `upto` is the newest cell number. */
	struct gc_cell *fine, *coarse;
	uint64_t fine_upto, coarse_upto;
	uint64_t first_ns; /* since when anybody watched; 0: nobody does */
	uint64_t unseen;
};

void pauses_init(struct pauses *p);
void pauses_done(struct pauses *p);
/* Forgets what was told; rows stay. */
void pauses_clear(struct pauses *p, uint64_t now_ns);
/* The row of these words, made when new; when there is no room, the last one. */
size_t pauses_row(struct pauses *p, const char *runtime, const char *source,
		  const char *generation);
void pauses_exact(struct pauses *p, size_t row, enum gc_exactness e,
		  uint64_t interval_ns);
void pauses_cause(struct pauses *p, size_t row, const char *cause);
/* n collections ended about time_ns. */
void pauses_count(struct pauses *p, size_t row, uint64_t time_ns, uint64_t n);
/* One of them (or n like it) took so long; it is not counted by this. */
void pauses_time(struct pauses *p, size_t row, uint64_t end_ns, uint64_t duration_ns,
		 uint64_t n);
void pauses_collected(struct pauses *p, size_t row, uint64_t time_ns, uint64_t objects);
/* Fills rows, `all` and the timeline of out; the window ends at now_ns, window_ns 0 is
 * all. Rows that never counted anything are left out. */
void pauses_put(const struct pauses *p, uint64_t now_ns, uint64_t window_ns,
		struct arena *arena, struct snapshot_gc *out);
/* Fills the rows of out with what was told since the last call, each thing once however far
 * apart the calls are: windows that begin in the middle of a second leave that one out. */
void pauses_take(struct pauses *p, struct arena *arena, struct snapshot_gc *out);

#endif
