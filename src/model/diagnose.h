/* What the figures of a snapshot mean together: rules over facts, each with its evidence.
 *
 * A rule speaks only when its evidence is enough. That none speaks does not mean that nothing
 * is wrong; that is a rule of its own, and it needs to have seen everything. */
#ifndef PTOP_MODEL_DIAGNOSE_H
#define PTOP_MODEL_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/frame.h"

/* Confidence is 0 to 1; a screen says "likely" below 0.8. */
struct snapshot_finding {
	const char *rule;     /* "cpu", "gc-pauses" ... */
	const char *text;     /* one line for people */
	const char *evidence; /* the figures it rests on */
	double confidence;
};

struct snapshot_diagnosis {
	struct snapshot_finding *findings; /* most specific first, then by weight */
	size_t n;
};

/* Shares are per cent. What was not measured is -1 (shares), 0 (counts) or NULL (names). */
struct diagnose_facts {
	double seconds; /* that the facts are of */
	uint64_t samples;
	double cores; /* used by the target, 1 is one core */
	unsigned cpus;

	/* Of the time of the threads that work: those that are not merely waiting for
	 * something to do. */
	unsigned working;	   /* such threads */
	bool waits_known;	   /* waits were watched */
	double run_pct, queue_pct; /* on a CPU; ready, without one */
	double others_cores;	   /* that other programs used in the time; < 0 unknown */
	double wait_pct[WAIT_REASONS];
	double waits_per_s[WAIT_REASONS];
	const char *wait_where[WAIT_REASONS]; /* function that waits most so, or NULL */
	bool interpreter;		      /* of a language with a GIL */

	/* The hottest function by self time, and the outermost of the program's own that
	 * holds most of the time. */
	const char *hot;
	double hot_pct;
	const char *caller;
	double caller_pct;

	/* The thing whose slow calls stand out most: requests, calls. */
	const char *slow;
	uint64_t slow_n;
	double slow_p50_s, slow_p95_s;
	/* Of the time its slow calls took beyond the median. */
	double slow_gc_pct, slow_lock_pct, slow_queue_pct;
	const char *changed; /* a thing whose p95 is above its baseline */
	double changed_times, changed_p95_s;

	double gc_time_pct, gc_max_s;
	uint64_t gc_count;

	bool growing, rising;		/* rising: so far, a verdict needs longer */
	double growth_per_s, full_in_s; /* bytes; < 0 unknown */
	const char *grower;
	const char *grower_how; /* "holds", "pushes the high-water mark" */

	double age_s;	   /* of the process */
	double import_pct; /* of samples with an import on the stack */
	double major_per_s;

	double throttled_pct; /* of the periods of its control group */
	double throttled_s;   /* time taken away a second */
	const char *group;
};

/* Facts of nothing: all unknown. */
void diagnose_nothing(struct diagnose_facts *f);
/* Applies all rules. Strings and the array are in the arena. */
void diagnose(const struct diagnose_facts *f, struct arena *arena,
	      struct snapshot_diagnosis *out);

#endif
