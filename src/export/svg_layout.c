/* Which frames become boxes, and where.
 *
 * A child never weighs more than its parent, so "at least this wide" is a set that is
 * closed upwards and no box floats. The least width starts at a tenth of a pixel and
 * rises to the width of the SVG_BOXES_MAX-th widest frame: browsers take a tenth of a
 * second for 10,000 boxes and several for 40,000. Work is linear in the tree's nodes but
 * for sorts of what is drawn. */
#include "export/svg.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define LEAST_PX 0.1
#define NOT_DRAWN UINT32_MAX

static int rising(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The least weight that leaves at most SVG_BOXES_MAX frames. */
static uint64_t least_weight(const struct snapshot *s, uint64_t total_ns)
{
	uint64_t least = (uint64_t)(LEAST_PX / SVG_PLOT_WIDTH * (double)total_ns), *wide;
	size_t i, n = 0;

	least = least ? least : 1;
	for (i = 0; i < s->n_nodes; i++)
		n += s->nodes[i].total_ns >= least;
	if (n <= SVG_BOXES_MAX)
		return least;
	wide = xcalloc(n, sizeof(*wide));
	n = 0;
	for (i = 0; i < s->n_nodes; i++)
		if (s->nodes[i].total_ns >= least)
			wide[n++] = s->nodes[i].total_ns;
	qsort(wide, n, sizeof(*wide), rising);
	least = wide[n - SVG_BOXES_MAX - 1] + 1;
	free(wide);
	return least;
}

/* Makes the boxes, in the order of nodes; box_of says which node got which. */
static void choose(struct svg_layout *l, const struct snapshot *s, uint64_t least,
		   uint32_t *box_of)
{
	size_t i;

	l->boxes[l->n++] = (struct svg_box){ .total_ns = l->total_ns };
	for (i = 1; i < s->n_nodes; i++) {
		const struct snapshot_node *n = &s->nodes[i];
		uint32_t up = n->parent < i ? box_of[n->parent] : NOT_DRAWN;

		box_of[i] = NOT_DRAWN;
		if (up == NOT_DRAWN || n->function >= s->n_functions ||
		    n->total_ns < least || l->n == SVG_BOXES_MAX) {
			l->left_out++;
			l->left_out_ns += up == NOT_DRAWN ? 0 : n->total_ns;
			continue;
		}
		box_of[i] = (uint32_t)l->n;
		l->boxes[l->n] = (struct svg_box){ .node = (uint32_t)i,
						   .parent = up,
						   .level = l->boxes[up].level + 1,
						   .total_ns = n->total_ns };
		if (l->boxes[l->n].level >= l->levels)
			l->levels = l->boxes[l->n].level + 1;
		l->n++;
	}
}

struct sibling {
	uint32_t parent, box;
	const char *name;
};

static int by_family(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;
	int r;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	r = strcmp(x->name, y->name);
	return r ? r : (x->box > y->box) - (x->box < y->box);
}

/* Gives every box its start: parents have lower numbers than children, so in the order of
 * (parent, name) a parent is placed before its children are. */
static void place(struct svg_layout *l, const struct snapshot *s)
{
	struct sibling *order = xcalloc(l->n, sizeof(*order));
	uint64_t *next = xcalloc(l->n, sizeof(*next)), end;
	size_t i;

	for (i = 1; i < l->n; i++) {
		const struct snapshot_node *n = &s->nodes[l->boxes[i].node];

		order[i] = (struct sibling){ l->boxes[i].parent, (uint32_t)i,
					     s->functions[n->function].name };
	}
	qsort(order + 1, l->n - 1, sizeof(*order), by_family);
	for (i = 1; i < l->n; i++) {
		const struct svg_box *up = &l->boxes[order[i].parent];
		struct svg_box *b = &l->boxes[order[i].box];

		end = up->start_ns + up->total_ns;
		b->start_ns = next[order[i].parent];
		if (b->total_ns > end - b->start_ns) /* a tree that does not add up */
			b->total_ns = end - b->start_ns;
		next[order[i].parent] = b->start_ns + b->total_ns;
		next[order[i].box] = b->start_ns;
	}
	free(order);
	free(next);
}

static int by_walk(const void *a, const void *b)
{
	const struct svg_box *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

void svg_layout(struct svg_layout *l, const struct snapshot *s)
{
	uint32_t *box_of;
	uint64_t least;

	*l = (struct svg_layout){ 0 };
	if (s->n_nodes == 0 || s->nodes[0].total_ns == 0)
		return;
	l->total_ns = s->nodes[0].total_ns;
	l->levels = 1;
	least = least_weight(s, l->total_ns);
	l->least_px = (double)least / (double)l->total_ns * SVG_PLOT_WIDTH;
	l->boxes = xcalloc(SVG_BOXES_MAX, sizeof(*l->boxes));
	box_of = xcalloc(s->n_nodes, sizeof(*box_of));
	choose(l, s, least, box_of);
	place(l, s);
	qsort(l->boxes, l->n, sizeof(*l->boxes), by_walk);
	free(box_of);
}

void svg_layout_done(struct svg_layout *l)
{
	free(l->boxes);
	*l = (struct svg_layout){ 0 };
}
