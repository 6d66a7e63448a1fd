/* An open hash table of rows that never shrinks and is never more than half full. */
#include "model/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

#define SLOTS (4 * CENSUS_KINDS_MOST)

void census_init(struct census *c)
{
	*c = (struct census){ 0 };
	c->slots = xcalloc(SLOTS, sizeof(*c->slots));
}

void census_done(struct census *c)
{
	VEC_DONE(&c->rows);
	free(c->slots);
	arena_done(&c->arena);
	*c = (struct census){ 0 };
}

static size_t slot_of(const struct census *c, uint64_t key)
{
	size_t at = hash_u64(key) % SLOTS;

	while (c->slots[at] && c->rows.v[c->slots[at] - 1].key != key)
		at = (at + 1) % SLOTS;
	return at;
}

struct census_row *census_row(struct census *c, uint64_t key)
{
	size_t at = slot_of(c, key);
	struct census_row *row;

	if (c->slots[at])
		return &c->rows.v[c->slots[at] - 1];
	if (c->rows.n >= CENSUS_KINDS_MOST && key != CENSUS_OTHERS)
		return census_row(c, CENSUS_OTHERS);
	row = VEC_PUSH(&c->rows);
	row->key = key;
	c->slots[at] = (uint32_t)c->rows.n;
	return row;
}

void census_add(struct census *c, uint64_t key, uint64_t bytes)
{
	struct census_row *row = census_row(c, key);

	row->count++;
	row->bytes += bytes;
	c->things++;
	c->bytes += bytes;
}

const struct census_row *census_find(const struct census *c, uint64_t key)
{
	size_t at = slot_of(c, key);

	return c->slots[at] ? &c->rows.v[c->slots[at] - 1] : NULL;
}

static int by_growth(const void *a, const void *b)
{
	const struct memory_grower *x = a, *y = b;

	if (x->bytes_more != y->bytes_more)
		return x->bytes_more < y->bytes_more ? 1 : -1;
	if (x->count_more != y->count_more)
		return x->count_more < y->count_more ? 1 : -1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

size_t census_growers(const struct census *before, const struct census *now,
		      enum grower_kind kind, struct arena *a, struct memory_grower *out,
		      size_t most)
{
	struct memory_grower *all = xcalloc(now->rows.n + 1, sizeof(*all));
	size_t i, n;

	for (i = 0; i < now->rows.n; i++) {
		const struct census_row *r = &now->rows.v[i];
		const struct census_row *old =
		    before ? census_find(before, r->key) : NULL;

		all[i] = (struct memory_grower){ .kind = kind,
						 .name = r->name ? r->name : "?",
						 .stack = "",
						 .bytes = r->bytes,
						 .count = r->count };
		if (!before)
			continue;
		all[i].bytes_more = (int64_t)(r->bytes - (old ? old->bytes : 0));
		all[i].count_more = (int64_t)(r->count - (old ? old->count : 0));
		all[i].span_ns = now->time_ns - before->time_ns;
	}
	if (i)
		qsort(all, i, sizeof(*all), by_growth);
	n = i < most ? i : most;
	for (i = 0; i < n; i++) {
		out[i] = all[i];
		out[i].name = arena_str(a, all[i].name);
	}
	free(all);
	return n;
}
