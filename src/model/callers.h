/* Who calls a function, and whom it calls: the call tree seen from one function. */
#ifndef PTOP_MODEL_CALLERS_H
#define PTOP_MODEL_CALLERS_H

#include "base/vec.h"
#include "model/snapshot.h"

struct edge {
	uint64_t
	    function; /* snapshot_function.function; 0: nobody (the thread's start) */
	uint32_t row; /* index in functions of one of its rows */
	uint64_t ns;
};

/* Zeroed is empty. */
struct neighbours {
	VEC(struct edge) callers, callees; /* heaviest first */
	uint64_t self_ns, total_ns;	   /* of the function itself */
	bool found, recursive;
};

/* Needs the tree. Callers add up to the function's total; a stack on which the function
 * stands more than once counts for the outermost call, and once for each callee. */
void neighbours_find(struct neighbours *n, const struct snapshot *s, uint64_t function);
void neighbours_done(struct neighbours *n);

#endif
