/* Rows by line of a function in place of rows by function. */
#ifndef PTOP_MODEL_LINES_H
#define PTOP_MODEL_LINES_H

#include "model/functions.h"
#include "model/history.h"
#include "model/snapshot.h"
#include "model/sums.h"

/* Fills s->functions: a row for each function, file and line with weight. A line's total
 * is of all stacks it stands on, each counted once. */
void lines_put(const struct history *h, const struct functions *fs,
	       const struct sums *sums, struct snapshot *s);
/* For each index in h->places the index of its row in s->functions, whether they are of
 * functions or of lines; 0 where it has none. The caller frees it. */
uint32_t *lines_rows(const struct history *h, const struct functions *fs,
		     const struct snapshot *s);

#endif
