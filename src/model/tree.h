/* A call tree by function: stacks go in, nodes with self and total weights come out. */
#ifndef PTOP_MODEL_TREE_H
#define PTOP_MODEL_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/snapshot.h"

struct tree {
	/* Parents before children; node 0 is the root. total_ns is filled by
	 * tree_total(). */
	VEC(struct snapshot_node) nodes;
	uint32_t *slots; /* hash: (parent, function) -> node, 0 empty */
	size_t n_slots;
};

void tree_init(struct tree *t);
void tree_done(struct tree *t);
/* The child of `parent` for `function`, made when missing. */
uint32_t tree_child(struct tree *t, uint32_t parent, uint32_t function);
/* Adds a stack given root first. */
void tree_add(struct tree *t, const uint32_t *functions, size_t n, uint64_t weight_ns);
/* Computes every total_ns from the self_ns below it. */
void tree_total(struct tree *t);

#endif
