/* From recordings to the one that is reported: merged, cut in time, filtered. */
#ifndef PTOP_RECORDING_SIFT_H
#define PTOP_RECORDING_SIFT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recording/reader.h"

/* A zeroed struct lets everything through. Patterns are of functions' names and modules;
 * NULL: none. */
struct sift {
	const char *threads;	 /* names (with * and ?) or numbers, commas between */
	const regex_t *focus;	 /* only stacks that have one of these */
	const regex_t *ignore;	 /* no stack that has one of these */
	const regex_t *hide;	 /* stacks without these */
	uint64_t from_ns, to_ns; /* since the start of each; to 0: its end */
	bool lines; /* a line of a function is a function of its own: "work:42" */
};

/* What passes of all of them, one after the other in time. The caller frees it. */
struct recording *recording_sift(struct recording *const *in, size_t n,
				 const struct sift *how);
/* A recording of a picture that has a tree and no times; `rate_hz` as in folded_read(). */
struct recording *recording_of_tree(const struct snapshot *s);
/* Of `perf script` text; NULL when it has no event that is understood. */
struct recording *recording_of_perf(struct bytes in, uint64_t *bad_lines);
/* Does it begin as such text? */
bool recording_is_perf(struct bytes in);

#endif
