/* Every node of the tree but the roots is one edge; sorting brings equal ones together. */
#include "export/edges.h"

#include <stdbool.h>
#include <stdlib.h>

#include "export/figures.h"

static int by_caller(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->caller != y->caller)
		return x->caller < y->caller ? -1 : 1;
	return x->callee < y->callee ? -1 : x->callee > y->callee;
}

/* Is the same call further out on this stack? */
static bool again(const struct snapshot *s, size_t node)
{
	uint32_t callee = s->nodes[node].function, up = s->nodes[node].parent;
	uint32_t caller = s->nodes[up].function;

	for (; s->nodes[up].parent; up = s->nodes[up].parent)
		if (s->nodes[up].function == callee &&
		    s->nodes[s->nodes[up].parent].function == caller)
			return true;
	return false;
}

void edges_make(struct edges *e, const struct snapshot *s)
{
	size_t i, kept = 0;

	*e = (struct edges){ 0 };
	for (i = 1; i < s->n_nodes; i++) {
		const struct snapshot_node *n = &s->nodes[i];

		if (n->parent == 0)
			continue;
		*VEC_PUSH(&e->list) =
		    (struct edge){ s->nodes[n->parent].function, n->function, n->self_ns,
				   again(s, i) ? 0 : n->total_ns };
	}
	if (e->list.n)
		qsort(e->list.v, e->list.n, sizeof(*e->list.v), by_caller);
	for (i = 1; i < e->list.n; i++) {
		struct edge *to = &e->list.v[kept], *from = &e->list.v[i];

		if (by_caller(to, from) == 0) {
			to->self_ns += from->self_ns;
			to->total_ns += from->total_ns;
		} else {
			e->list.v[++kept] = *from;
		}
	}
	e->list.n = e->list.n ? kept + 1 : 0;
}

void edges_done(struct edges *e)
{
	VEC_DONE(&e->list);
}

uint64_t samples_of(const struct snapshot *s, uint64_t weight_ns)
{
	if (!s->weight_ns)
		return 0;
	return (uint64_t)(((unsigned __int128)weight_ns * s->samples + s->weight_ns / 2) /
			  s->weight_ns);
}
