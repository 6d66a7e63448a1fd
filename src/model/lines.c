/* A hash table from the id of a row (of its function, file and line) to its index. */
#include "model/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

struct table {
	uint32_t *slots; /* index + 1, 0 empty */
	size_t mask;
};

static uint64_t line_id(const struct place *p)
{
	uint64_t id = hash_pair((uint64_t)p->function + 1,
				(uint64_t)p->file << 32 | (uint32_t)p->line);

	return id ? id : 1;
}

static struct table table_new(size_t rows)
{
	struct table t;
	size_t size = 64;

	while (size < rows * 2)
		size *= 2;
	t.slots = xcalloc(size, sizeof(*t.slots));
	t.mask = size - 1;
	return t;
}

static uint32_t *slot_of(const struct table *t, const struct snapshot_function *rows,
			 uint64_t id)
{
	size_t i;

	for (i = hash_u64(id) & t->mask; t->slots[i] && rows[t->slots[i] - 1].id != id;
	     i = (i + 1) & t->mask)
		;
	return &t->slots[i];
}

static void fill(const struct functions *fs, const struct place *p, struct snapshot *s,
		 struct snapshot_function *row)
{
	const struct function *f = &fs->list.v[p->function];

	*row = (struct snapshot_function){
		.name = arena_str(&s->arena, intern_get(&fs->strings, f->name)),
		.module = arena_str(&s->arena, intern_get(&fs->strings, f->module)),
		.file = p->file == NO_ID
			    ? ""
			    : arena_str(&s->arena, intern_get(&fs->strings, p->file)),
		.line = p->line,
		.kind = f->kind,
		.runtime = f->runtime,
		.library = f->library,
		.thread = UINT32_MAX,
		.id = line_id(p),
		.function = (uint64_t)p->function + 1,
	};
}

static bool has_weight(const struct sums *sums, size_t place)
{
	return place < sums->places.n &&
	       (sums->places.v[place].self || sums->places.v[place].total);
}

static uint32_t *rows_of_lines(const struct history *h, const struct snapshot *s)
{
	uint32_t *out = xcalloc(h->places.n + 1, sizeof(*out));
	struct table t = table_new(s->n_functions);
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		*slot_of(&t, s->functions, s->functions[i].id) = (uint32_t)i + 1;
	for (i = 0; i < h->places.n; i++) {
		uint32_t row = *slot_of(&t, s->functions, line_id(&h->places.v[i]));

		out[i] = row ? row - 1 : 0;
	}
	free(t.slots);
	return out;
}

/* Is this row on the stack further out than node, or in its frame further out than place
 * `inner`? */
static bool stands_above(const struct history *h, uint32_t node, size_t inner,
			 const uint32_t *row_of, uint32_t row)
{
	size_t i = inner + 1;

	for (; node; node = h->nodes.v[node].parent, i = 0) {
		const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];

		for (; i < f->n_places; i++)
			if (row_of[f->places + i] == row)
				return true;
	}
	return false;
}

/* The sums count a function that recurses at its outermost call only; the lines of its
 * inner calls have a total too. */
static void add_recursion(const struct history *h, const struct sums *sums,
			  struct snapshot *s)
{
	uint32_t *row_of = rows_of_lines(h, s);
	uint64_t *total = xcalloc(h->nodes.n, sizeof(*total));
	size_t n, i;

	history_totals(h, sums->node_self.v, total);
	for (n = 1; n < h->nodes.n; n++) {
		const struct history_node *node = &h->nodes.v[n];
		const struct history_frame *f = &h->frames.v[node->frame];

		for (i = 0; total[n] && node->repeated && i < f->n_places; i++) {
			uint32_t row = row_of[f->places + i];

			if ((node->repeated >> i & 1) &&
			    !stands_above(h, (uint32_t)n, i, row_of, row))
				s->functions[row].total_ns += total[n];
		}
	}
	free(total);
	free(row_of);
}

void lines_put(const struct history *h, const struct functions *fs,
	       const struct sums *sums, struct snapshot *s)
{
	struct table t;
	size_t i, n = 0;

	for (i = 0; i < h->places.n; i++)
		n += has_weight(sums, i);
	s->functions = arena_alloc(&s->arena, (n + 1) * sizeof(*s->functions));
	s->n_functions = 0;
	t = table_new(n);
	for (i = 0; i < h->places.n; i++) {
		uint32_t *slot;

		if (!has_weight(sums, i))
			continue;
		slot = slot_of(&t, s->functions, line_id(&h->places.v[i]));
		if (!*slot) {
			fill(fs, &h->places.v[i], s, &s->functions[s->n_functions]);
			*slot = (uint32_t)++s->n_functions;
		}
		s->functions[*slot - 1].self_ns += sums->places.v[i].self;
		s->functions[*slot - 1].total_ns += sums->places.v[i].total;
	}
	free(t.slots);
	add_recursion(h, sums, s);
}

uint32_t *lines_rows(const struct history *h, const struct functions *fs,
		     const struct snapshot *s)
{
	uint32_t *out, *of;
	size_t i;

	if (s->by_line)
		return rows_of_lines(h, s);
	out = xcalloc(h->places.n + 1, sizeof(*out));
	of = xcalloc(fs->list.n + 1, sizeof(*of));
	for (i = 0; i < s->n_functions; i++)
		of[s->functions[i].function - 1] = (uint32_t)i;
	for (i = 0; i < h->places.n; i++)
		if (h->places.v[i].function < fs->list.n)
			out[i] = of[h->places.v[i].function];
	free(of);
	return out;
}
