/* The children of each node of a snapshot's tree, heaviest first. */
#ifndef PTOP_MODEL_CHILDREN_H
#define PTOP_MODEL_CHILDREN_H

#include "model/snapshot.h"

/* Zeroed is empty. Those of node i are list[first[i]] .. list[first[i + 1] - 1]. */
struct children {
	uint32_t *first, *list;
	size_t n; /* nodes; 0 without a tree */
	uint64_t
	    *path; /* by node: the same from snapshot to snapshot for the same path */
};

/* Children whose totals look the same (to a tenth of a per cent) stand in an order that
 * does not change from snapshot to snapshot. */
void children_build(struct children *c, const struct snapshot *s);
void children_done(struct children *c);

#endif
