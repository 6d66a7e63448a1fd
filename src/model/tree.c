/* Open addressing over (parent, function); children always have larger indexes than
 * parents, so totals are one pass from the end. */
#include "model/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS_MIN 1024u

void tree_init(struct tree *t)
{
	*t = (struct tree){ .n_slots = SLOTS_MIN };
	t->slots = xcalloc(t->n_slots, sizeof(*t->slots));
	(void)VEC_PUSH(&t->nodes);
}

void tree_done(struct tree *t)
{
	VEC_DONE(&t->nodes);
	free(t->slots);
	t->slots = NULL;
}

static size_t slot_of(const struct tree *t, uint32_t parent, uint32_t function)
{
	size_t i = hash_u64((uint64_t)parent << 32 | function) & (t->n_slots - 1);

	while (t->slots[i]) {
		const struct snapshot_node *n = &t->nodes.v[t->slots[i]];

		if (n->parent == parent && n->function == function)
			break;
		i = (i + 1) & (t->n_slots - 1);
	}
	return i;
}

static void grow(struct tree *t)
{
	size_t i;

	free(t->slots);
	t->n_slots *= 2;
	t->slots = xcalloc(t->n_slots, sizeof(*t->slots));
	for (i = 1; i < t->nodes.n; i++)
		t->slots[slot_of(t, t->nodes.v[i].parent, t->nodes.v[i].function)] =
		    (uint32_t)i;
}

uint32_t tree_child(struct tree *t, uint32_t parent, uint32_t function)
{
	size_t i = slot_of(t, parent, function);
	struct snapshot_node *n;

	if (t->slots[i])
		return t->slots[i];
	if (t->nodes.n * 2 >= t->n_slots) {
		grow(t);
		i = slot_of(t, parent, function);
	}
	n = VEC_PUSH(&t->nodes);
	n->parent = parent;
	n->function = function;
	return t->slots[i] = (uint32_t)(t->nodes.n - 1);
}

void tree_add(struct tree *t, const uint32_t *functions, size_t n, uint64_t weight_ns)
{
	uint32_t node = 0;
	size_t i;

	for (i = 0; i < n; i++)
		node = tree_child(t, node, functions[i]);
	t->nodes.v[node].self_ns += weight_ns;
}

void tree_total(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->nodes.n; i++)
		t->nodes.v[i].total_ns = t->nodes.v[i].self_ns;
	for (i = t->nodes.n; i-- > 1;)
		t->nodes.v[t->nodes.v[i].parent].total_ns += t->nodes.v[i].total_ns;
}
