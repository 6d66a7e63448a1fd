/* One open-addressed table for both: a function's key is mixed so that it is no path. */
#include "ui/baseline.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "model/children.h"

#define FUNCTION_SALT 0x66756e6374696f6eull

static struct share_slot *slot_of(const struct baseline *b, uint64_t key)
{
	size_t i;

	key += key == 0;
	for (i = hash_u64(key) & b->mask; b->slots[i].key && b->slots[i].key != key;
	     i = (i + 1) & b->mask)
		;
	return &b->slots[i];
}

static void add(struct baseline *b, uint64_t key, const struct snapshot *s,
		uint64_t self_ns, uint64_t total_ns)
{
	struct share_slot *slot = slot_of(b, key);

	slot->key = key + (key == 0);
	slot->share.self_pct += snapshot_pct(s, self_ns);
	slot->share.total_pct += snapshot_pct(s, total_ns);
}

void baseline_set(struct baseline *b, const struct snapshot *s)
{
	struct children c = { 0 };
	size_t i, size = 64;

	baseline_clear(b);
	children_build(&c, s);
	while (size < 2 * (s->n_functions + c.n + 1))
		size *= 2;
	b->slots = xcalloc(size, sizeof(*b->slots));
	b->mask = size - 1;
	b->wall_ns = s->wall_ns;
	b->by_line = s->by_line;
	b->mode = s->mode;
	b->only_tid = s->only_tid;
	b->set = true;
	for (i = 0; i < s->n_functions; i++)
		add(b, hash_pair(s->functions[i].id, FUNCTION_SALT), s,
		    s->functions[i].self_ns, s->functions[i].total_ns);
	for (i = 1; i < c.n; i++)
		add(b, c.path[i], s, s->nodes[i].self_ns, s->nodes[i].total_ns);
	children_done(&c);
}

void baseline_clear(struct baseline *b)
{
	free(b->slots);
	*b = (struct baseline){ 0 };
}

bool baseline_fits(const struct baseline *b, const struct snapshot *s)
{
	return b->set && b->by_line == s->by_line && b->mode == s->mode &&
	       b->only_tid == s->only_tid;
}

struct share baseline_function(const struct baseline *b, uint64_t id)
{
	return b->set ? slot_of(b, hash_pair(id, FUNCTION_SALT))->share
		      : (struct share){ 0 };
}

struct share baseline_path(const struct baseline *b, uint64_t path)
{
	return b->set ? slot_of(b, path)->share : (struct share){ 0 };
}
