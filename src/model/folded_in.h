/* Folded stacks, one `main;parse;read 9` a line, read into a snapshot: functions, their
 * totals and the call tree. The text is a stranger's; what cannot be used is counted,
 * never fatal. */
#ifndef PTOP_MODEL_FOLDED_IN_H
#define PTOP_MODEL_FOLDED_IN_H

#include <stdint.h>

#include "base/bytes.h"
#include "model/snapshot.h"

#define FOLDED_LINE_MAX (1u << 20) /* bytes */
#define FOLDED_DEPTH_MAX 4096u	   /* frames; the leaf end of a deeper stack is cut */
#define FOLDED_NAME_MAX 4096u	   /* bytes of a name; the rest is cut */
#define FOLDED_NAMES (1u << 20)	   /* different names */
#define FOLDED_NODES (8u << 20)	   /* nodes of the tree */

struct folded_counts {
	uint64_t lines;	   /* not blank */
	uint64_t stacks;   /* lines that were used */
	uint64_t bad;	   /* without a stack or a whole number after the last space */
	uint64_t too_long; /* over FOLDED_LINE_MAX */
	uint64_t too_many; /* would exceed names, nodes or the sum of all counts */
	uint64_t too_deep; /* used, but cut at FOLDED_DEPTH_MAX */
};

/* A sample of the file stands for 1 / rate_hz seconds. With rate 0 nobody knows: a sample
 * weighs one "nanosecond", rate_hz of the snapshot is 0 and readers show counts instead
 * of times. Names may end in `_[k]` (kernel), `_[j]` (JIT) or `_[i]` (inlined), which is
 * taken off; names like `f (app.py:42)` are Python's. Never NULL; the caller frees it. */
struct snapshot *folded_read(struct bytes in, double rate_hz,
			     struct folded_counts *counts);

/* The same piece by piece: whole lines in each, the newline of the last may be missing.
 * `counts` is filled in as it goes, and borrowed until folded_close(), which frees the
 * reader. */
struct folded_reader;
struct folded_reader *folded_open(double rate_hz, struct folded_counts *counts);
void folded_add(struct folded_reader *r, struct bytes text);
struct snapshot *folded_close(struct folded_reader *r);

#endif
