/* Who called whom, for formats that know functions and calls but no call tree. */
#ifndef PTOP_EXPORT_EDGES_H
#define PTOP_EXPORT_EDGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/snapshot.h"

struct edge {
	uint32_t caller, callee;    /* indexes in snapshot.functions */
	uint64_t self_ns, total_ns; /* of the callee when called so */
};

struct edges {
	VEC(struct edge) list; /* by caller, then callee */
};

/* An edge's total counts once however often it recurs on a stack. */
void edges_make(struct edges *e, const struct snapshot *s);
void edges_done(struct edges *e);
/* The samples that stand behind a weight: exact where all weigh the same. */
uint64_t samples_of(const struct snapshot *s, uint64_t weight_ns);

#endif
