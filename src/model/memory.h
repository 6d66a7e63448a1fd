/* Why the target grows: the memory part of a snapshot.
 *
 * Of the target process alone (children have memory of their own). All from reading: /proc,
 * control groups, and, when asked for, page-fault samples and the target's own heap. Bytes
 * unless a name says otherwise; strings and arrays live in the snapshot's arena. */
#ifndef PTOP_MODEL_MEMORY_H
#define PTOP_MODEL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/series.h"

#define MEMORY_CELLS 160u /* of the drawn series */

/* model/trend.h says when it is what. */
enum memory_verdict {
	VERDICT_UNKNOWN, /* not watched long enough */
	VERDICT_STEADY,	 /* no growth that goes on */
	VERDICT_GROWING, /* it holds more and more: a leak, or a cache without end */
};

/* How fast, robustly: the median of the slopes, and their 10 and 90 per cent. */
struct memory_slope {
	bool known;
	double per_s, low, high; /* bytes a second */
	uint64_t span_ns;	 /* of the time it is of */
};

enum memory_limit {
	LIMIT_NONE,
	LIMIT_CGROUP,  /* memory.max or memory.limit_in_bytes of some ancestor */
	LIMIT_MACHINE, /* what the machine has available */
};

enum grower_kind {
	GROWER_MAPPING, /* address space by mapping: reserved, not necessarily touched */
	GROWER_FAULTS,	/* who touches new pages: pushes the high-water mark */
	GROWER_CHUNKS,	/* the C heap by chunk size: what is held */
	GROWER_OBJECTS, /* an interpreter's objects by type: what is held */
	GROWER_KINDS
};

struct memory_grower {
	enum grower_kind kind;
	const char *name; /* "[heap]", "parse_order", "60016 bytes", "Order" */
	const char
	    *stack; /* GROWER_FAULTS: "malloc < parse < main", innermost first; else "" */
	uint64_t bytes, count;
	int64_t bytes_more, count_more; /* since the first look, span_ns ago */
	uint64_t span_ns;
};

/* A census (GROWER_CHUNKS, GROWER_OBJECTS) or the page-fault sampling. */
struct memory_look {
	bool on, busy;
	uint32_t looks;	  /* done so far: a difference needs two */
	uint64_t took_ns; /* the last one */
	uint64_t things;  /* chunks, objects, or fault samples seen by it */
	uint64_t bytes;	  /* that they take */
	uint64_t torn; /* lists or heaps that did not fit together: left at that point */
	uint64_t late; /* fault samples whose stack was read after the fault */
	bool cut;      /* time ran out: not all was counted */
	uint64_t lost; /* fault samples dropped */
	const char *problem; /* why it cannot be had, or "" */
};

struct snapshot_memory {
	bool known; /* false: all else is 0 */
	bool alone; /* of the target; the children that are followed are not in it */
	uint64_t time_ns;
	uint64_t rss_bytes, peak_bytes; /* peak: VmHWM */
	uint64_t least_bytes;		/* least RSS in the window */
	uint64_t anon_bytes, file_bytes, shmem_bytes, swap_bytes;
	bool pss_known; /* only while asked for: reading it makes a big target wait */
	uint64_t pss_bytes, uss_bytes, pss_read_ns; /* and how long that took */
	const char *pss_problem;

	enum memory_verdict verdict;
	struct memory_slope slope; /* of the floor of RSS */
	uint64_t verdict_in_ns;	   /* VERDICT_UNKNOWN: known after so long; 0: never */

	enum memory_limit limit;
	const char *limit_name; /* "/system.slice/x.service", "the machine" */
	uint64_t limit_bytes, limit_used_bytes, headroom_bytes;
	/* At the slope's median, its 90 and 10 per cent; < 0: never, or unknown. */
	double limit_s, limit_soonest_s, limit_latest_s;
	uint64_t limit_hits; /* times the limit was hit, ever (failcnt, events max) */
	uint64_t available_bytes;

	double minor_per_s, major_per_s;
	/* Share of the last 10 s in which some (all) tasks waited for memory, per cent; of the
	 * target's group, or of the machine; < 0: the kernel does not tell. */
	double pressure_some_pct, pressure_full_pct;
	bool pressure_of_group;

	struct series_view rss, anon, faults; /* over the window */

	/* Most growth first, kind after kind. */
	struct memory_grower *growers;
	size_t n_growers;
	struct memory_look faults_look, heap_look, objects_look;
};

/* Nothing known yet: strings "", figures that may be missing below 0. */
void memory_init(struct snapshot_memory *m);
/* What was seen of RSS in the window, from its first value to its last: how much it grew
 * and in what time. False when that is under a second. */
bool memory_grown(const struct snapshot_memory *m, int64_t *bytes, uint64_t *span_ns);
/* Fills in when the limit is reached, of headroom, slope and verdict. */
void memory_time_left(struct snapshot_memory *m);
const char *memory_verdict_name(enum memory_verdict v); /* "unknown" "steady" "growing" */
const char *memory_grower_kind_name(enum grower_kind k); /* "mapping" "faults" ... */

#endif
