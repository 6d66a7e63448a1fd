/* Two profiles of the same program, before and after: what each function's share was. */
#ifndef PTOP_MODEL_COMPARE_H
#define PTOP_MODEL_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

struct compared {
	uint64_t self_ns, total_ns; /* in the old one */
};

/* The old side of a comparison; a snapshot's member `compared`, in its arena. */
struct comparison {
	uint64_t weight_ns, samples, covered_ns;
	struct compared *functions, *nodes; /* as many as the snapshot has */
};

/* A snapshot of `now` with everything of `old` beside it: functions and stacks of only
 * one of them are 0 on the other side. The caller frees it. */
struct snapshot *compare_snapshots(const struct snapshot *old,
				   const struct snapshot *now);

/* Growth of a share, in percentage points of the whole. */
double compare_points(const struct snapshot *s, uint64_t old_ns, uint64_t now_ns);
/* Is a change of shares more than chance? Two samples of that many each, at about one
 * error in a thousand: the test of two proportions. */
bool compare_significant(const struct snapshot *s, uint64_t old_ns, uint64_t now_ns);

#endif
