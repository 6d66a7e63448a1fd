/* How long things take: calls of functions, requests, waits, turns of event loops, and
 * what a snapshot tells about them.
 *
 * A row is one thing measured by one source. Its figures are of the snapshot's window,
 * in nanoseconds. A figure that the source cannot know is not there: it is below what the
 * source can tell, or there are too few events for it. */
#ifndef PTOP_MODEL_LATENCY_H
#define PTOP_MODEL_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATENCY_TREND_CELLS 10
#define LATENCY_BARS 32 /* bar i: durations from 2^i us (bar 0: all below 2 us) */

enum latency_source {
	LATENCY_VISITS,	  /* calls as the sampler met them */
	LATENCY_WATCH,	  /* hardware watchpoints on bytecode */
	LATENCY_PROBE,	  /* probes at entry and return, summed in the kernel */
	LATENCY_REQUESTS, /* from readable request to written response */
	LATENCY_LOOP,	  /* an event loop between two waits for events */
	LATENCY_WAIT,	  /* off the CPU, by reason */
	LATENCY_QUEUE,	  /* ready to run, waiting for a CPU */
	LATENCY_SOURCES
};

enum latency_figures {
	LATENCY_P50,
	LATENCY_P95,
	LATENCY_P99,
	LATENCY_MAX,
	LATENCY_FIGURES
};

enum latency_known {
	LATENCY_UNKNOWN, /* too few events */
	LATENCY_BELOW,	 /* less than ns */
	LATENCY_KNOWN
};

struct latency_figure {
	enum latency_known known;
	uint64_t ns;
};

struct snapshot_latency_row {
	uint64_t id;	  /* the same thing keeps it from snapshot to snapshot */
	const char *name; /* "handle_request", "event loop MainThread", "lock waits" */
	enum latency_source source;
	const char *exactness; /* "exact", "sampled +-10.1 ms" */
	const char *note;      /* why there are no figures, what they cost; or "" */
	bool pinned;	       /* the user asked for it */
	uint64_t count;	       /* in the window; of sampled visits: as many as were met */
	double per_second;
	struct latency_figure figure[LATENCY_FIGURES];
	/* p95 of the window's tenths, ns, oldest first; 0 none. */
	uint64_t trend_ns[LATENCY_TREND_CELLS];
	uint32_t bars[LATENCY_BARS];
	/* Of the baseline the user set; LATENCY_UNKNOWN without one. */
	struct latency_figure base_p50, base_p95;
	/* p95 above 1.5 (1) or 3 times (2) its baseline. */
	int level;
};

/* One call, request or turn of a loop that was slower than the limit. */
struct snapshot_slow {
	uint64_t time_ns, wall_ns; /* its end */
	uint64_t took_ns;
	const char *name;   /* of the row */
	const char *thread; /* its name */
	int32_t tid;
	/* Where it spent most of its time, root first, "a;b;c"; "" not sampled. */
	const char *stack;
	double stack_pct; /* that stack's share of its samples */
};

struct snapshot_latency {
	/* Asked for by the user first, then requests, loops, functions by total time,
	 * waits. */
	struct snapshot_latency_row *rows;
	size_t n_rows;
	uint64_t slow_ns;	    /* the limit */
	uint64_t slow_count;	    /* in the window; the list holds the newest of them */
	struct snapshot_slow *slow; /* newest first */
	size_t n_slow;
	/* What cannot be measured here and what would allow it, or NULL. */
	const char *limits;
	double probes_pct; /* of one core: what the exact probes cost the target */
};

/* "visits", "watch", "probe", "requests", "loop", "waits", "queue". */
const char *latency_source_name(enum latency_source s);

#endif
