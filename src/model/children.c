/* A counting sort by parent, then each family by weight: nodes stand parents first, so two
 * passes are enough. */
#include "model/children.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct snapshot *s = arg;
	const struct snapshot_node *x = &s->nodes[*(const uint32_t *)a];
	const struct snapshot_node *y = &s->nodes[*(const uint32_t *)b];
	int px = (int)(snapshot_pct(s, x->total_ns) * 10 + 0.5);
	int py = (int)(snapshot_pct(s, y->total_ns) * 10 + 0.5);
	uint64_t fx = s->functions[x->function].id, fy = s->functions[y->function].id;

	if (px != py)
		return px < py ? 1 : -1;
	return fx < fy ? -1 : fx > fy;
}

void children_build(struct children *c, const struct snapshot *s)
{
	size_t i, n = s->n_nodes;
	uint32_t *next;

	children_done(c);
	if (n == 0)
		return;
	c->n = n;
	c->first = xcalloc(n + 1, sizeof(*c->first));
	c->list = xcalloc(n, sizeof(*c->list));
	c->path = xcalloc(n, sizeof(*c->path));
	next = xcalloc(n + 1, sizeof(*next));
	for (i = 1; i < n; i++)
		c->first[s->nodes[i].parent + 1]++;
	for (i = 0; i < n; i++)
		c->first[i + 1] += c->first[i];
	for (i = 1; i < n; i++) {
		const struct snapshot_node *node = &s->nodes[i];

		c->list[c->first[node->parent] + next[node->parent]++] = (uint32_t)i;
		c->path[i] =
		    hash_pair(c->path[node->parent], s->functions[node->function].id);
	}
	for (i = 0; i < n; i++)
		if (next[i] > 1)
			qsort_r(c->list + c->first[i], next[i], sizeof(*c->list),
				by_weight, (void *)(uintptr_t)s);
	free(next);
}

void children_done(struct children *c)
{
	free(c->first);
	free(c->list);
	free(c->path);
	*c = (struct children){ 0 };
}
