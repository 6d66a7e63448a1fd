/* One pass over the nodes, which stand parents first; walks towards the root happen only
 * where the function recurses. */
#include "model/callers.h"

#include <stdlib.h>

static uint64_t function_at(const struct snapshot *s, uint32_t node)
{
	return node ? s->functions[s->nodes[node].function].function : 0;
}

/* The list is short: a function has few neighbours. */
static void add(struct edge **v, size_t *n, size_t *cap, const struct snapshot *s,
		uint32_t node, uint64_t ns)
{
	uint64_t function = function_at(s, node);
	size_t i;

	for (i = 0; i < *n && (*v)[i].function != function; i++)
		;
	if (i == *n) {
		if (*n == *cap) {
			*cap = *cap ? *cap * 2 : 16;
			*v = xrealloc(*v, *cap * sizeof(**v));
		}
		(*v)[(*n)++] = (struct edge){ function, s->nodes[node].function, 0 };
	}
	(*v)[i].ns += ns;
}

#define ADD(list, s, node, ns) add(&(list)->v, &(list)->n, &(list)->cap, s, node, ns)

/* Does the call function -> callee stand on this stack further out too? */
static bool called_before(const struct snapshot *s, uint32_t node, uint64_t function,
			  uint64_t callee)
{
	for (; node; node = s->nodes[node].parent)
		if (function_at(s, node) == callee &&
		    function_at(s, s->nodes[node].parent) == function)
			return true;
	return false;
}

static int by_weight(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return x->function < y->function ? -1 : x->function > y->function;
}

void neighbours_find(struct neighbours *out, const struct snapshot *s, uint64_t function)
{
	/* By node: the function stands on it or further out. */
	unsigned char *under = xcalloc(s->n_nodes + 1, 1);
	uint32_t i;

	neighbours_done(out);
	for (i = 1; i < s->n_nodes; i++) {
		const struct snapshot_node *n = &s->nodes[i];
		bool is = function_at(s, i) == function;
		bool in_parent = function_at(s, n->parent) == function;

		under[i] = under[n->parent] || is;
		if (is) {
			out->found = true;
			out->self_ns += n->self_ns;
			out->recursive |= under[n->parent];
		}
		if (is && !under[n->parent]) {
			out->total_ns += n->total_ns;
			ADD(&out->callers, s, n->parent, n->total_ns);
		}
		if (in_parent &&
		    !(under[s->nodes[n->parent].parent] &&
		      called_before(s, n->parent, function, function_at(s, i))))
			ADD(&out->callees, s, i, n->total_ns);
	}
	if (out->callers.n)
		qsort(out->callers.v, out->callers.n, sizeof(*out->callers.v), by_weight);
	if (out->callees.n)
		qsort(out->callees.v, out->callees.n, sizeof(*out->callees.v), by_weight);
	free(under);
}

void neighbours_done(struct neighbours *n)
{
	VEC_DONE(&n->callers);
	VEC_DONE(&n->callees);
	*n = (struct neighbours){ 0 };
}
