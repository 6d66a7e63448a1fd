/* Functions are the same when name and module are; stacks when their functions are. The
 * trees are merged into one by entering both, parents first. */
#include "model/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/tree.h"

#define Z_SURE 3.29 /* two-sided, one in a thousand */

struct merging {
	struct snapshot *s;
	uint32_t *slots; /* function + 1 */
	size_t n_slots;
};

static uint64_t hash_name(const struct snapshot_function *f)
{
	return hash_pair(hash_bytes(f->name, strlen(f->name)),
			 hash_bytes(f->module, strlen(f->module)));
}

/* The row of a function in the union; made when new, with nothing on either side. */
static uint32_t row_of(struct merging *m, const struct snapshot_function *f)
{
	struct snapshot *s = m->s;
	size_t i = hash_name(f) & (m->n_slots - 1);
	struct snapshot_function *to;

	for (; m->slots[i]; i = (i + 1) & (m->n_slots - 1)) {
		to = &s->functions[m->slots[i] - 1];
		if (strcmp(to->name, f->name) == 0 && strcmp(to->module, f->module) == 0)
			return m->slots[i] - 1;
	}
	to = &s->functions[s->n_functions++];
	*to = *f;
	to->name = arena_str(&s->arena, f->name);
	to->module = arena_str(&s->arena, f->module);
	to->file = arena_str(&s->arena, f->file);
	to->runtime = arena_str(&s->arena, f->runtime);
	to->self_ns = to->total_ns = 0;
	to->thread = UINT32_MAX;
	memset(to->trend, 0, sizeof(to->trend));
	m->slots[i] = (uint32_t)s->n_functions;
	return (uint32_t)s->n_functions - 1;
}

/* Enters a tree; node_of[] says where each of its nodes is in the union. */
static void enter(struct tree *t, const struct snapshot *from, const uint32_t *rows,
		  uint32_t *node_of)
{
	size_t i;

	for (i = 1; i < from->n_nodes; i++)
		node_of[i] = tree_child(t, node_of[from->nodes[i].parent],
					rows[from->nodes[i].function]);
}

static void copy_facts(struct snapshot *s, const struct snapshot *from)
{
	struct arena *a = &s->arena;

	s->pid = from->pid;
	s->command = arena_str(a, from->command);
	s->cmdline = arena_str(a, from->cmdline);
	s->runtime = arena_str(a, from->runtime);
	s->host = arena_str(a, from->host);
	s->backend = arena_str(a, from->backend);
	s->limits = arena_str(a, from->limits);
	s->mode = from->mode;
	s->rate_hz = from->rate_hz;
	s->effective_pct = from->effective_pct;
	s->wall_ns = from->wall_ns;
	s->covered_ns = from->covered_ns;
	s->weight_ns = from->weight_ns;
	s->samples = from->samples;
	s->samples_ever = from->samples_ever;
	memcpy(s->lost, from->lost, sizeof(s->lost));
}

static void put_trees(struct snapshot *s, struct comparison *c,
		      const struct snapshot *const sides[2], uint32_t *rows[2])
{
	uint32_t *node_of[2];
	struct tree t;
	size_t i, k;

	tree_init(&t);
	for (k = 0; k < 2; k++) {
		node_of[k] = xcalloc(sides[k]->n_nodes + 1, sizeof(uint32_t));
		enter(&t, sides[k], rows[k], node_of[k]);
	}
	s->n_nodes = t.nodes.n;
	s->nodes = arena_alloc(&s->arena, t.nodes.n * sizeof(*s->nodes));
	c->nodes = arena_alloc(&s->arena, t.nodes.n * sizeof(*c->nodes));
	memset(c->nodes, 0, t.nodes.n * sizeof(*c->nodes));
	memcpy(s->nodes, t.nodes.v, t.nodes.n * sizeof(*s->nodes));
	for (i = 0; i < sides[0]->n_nodes; i++)
		c->nodes[node_of[0][i]] =
		    (struct compared){ sides[0]->nodes[i].self_ns,
				       sides[0]->nodes[i].total_ns };
	for (i = 0; i < sides[1]->n_nodes; i++) {
		s->nodes[node_of[1][i]].self_ns = sides[1]->nodes[i].self_ns;
		s->nodes[node_of[1][i]].total_ns = sides[1]->nodes[i].total_ns;
	}
	for (k = 0; k < 2; k++)
		free(node_of[k]);
	tree_done(&t);
}

struct snapshot *compare_snapshots(const struct snapshot *old, const struct snapshot *now)
{
	const struct snapshot *const sides[2] = { old, now };
	size_t most = old->n_functions + now->n_functions, k, i;
	struct snapshot *s = snapshot_new();
	struct merging m = { .s = s, .n_slots = 1024 };
	struct comparison *c = arena_alloc(&s->arena, sizeof(*c));
	uint32_t *rows[2];

	while (m.n_slots < most * 2)
		m.n_slots *= 2;
	m.slots = xcalloc(m.n_slots, sizeof(*m.slots));
	copy_facts(s, now);
	s->functions = arena_alloc(&s->arena, (most + 1) * sizeof(*s->functions));
	*c = (struct comparison){ .weight_ns = old->weight_ns,
				  .samples = old->samples,
				  .covered_ns = old->covered_ns };
	c->functions = arena_alloc(&s->arena, (most + 1) * sizeof(*c->functions));
	memset(c->functions, 0, (most + 1) * sizeof(*c->functions));
	for (k = 2; k-- > 0;) {
		rows[k] = xcalloc(sides[k]->n_functions + 1, sizeof(uint32_t));
		for (i = 0; i < sides[k]->n_functions; i++)
			rows[k][i] = row_of(&m, &sides[k]->functions[i]);
	}
	for (i = 0; i < old->n_functions; i++) {
		c->functions[rows[0][i]].self_ns += old->functions[i].self_ns;
		c->functions[rows[0][i]].total_ns += old->functions[i].total_ns;
	}
	for (i = 0; i < now->n_functions; i++) {
		s->functions[rows[1][i]].self_ns += now->functions[i].self_ns;
		s->functions[rows[1][i]].total_ns += now->functions[i].total_ns;
	}
	put_trees(s, c, sides, rows);
	s->compared = c;
	free(rows[0]);
	free(rows[1]);
	free(m.slots);
	return s;
}

static double share(uint64_t ns, uint64_t of)
{
	return of ? (double)ns / (double)of : 0;
}

double compare_points(const struct snapshot *s, uint64_t old_ns, uint64_t now_ns)
{
	return 100 *
	       (share(now_ns, s->weight_ns) - share(old_ns, s->compared->weight_ns));
}

bool compare_significant(const struct snapshot *s, uint64_t old_ns, uint64_t now_ns)
{
	double a = share(old_ns, s->compared->weight_ns), b = share(now_ns, s->weight_ns);
	double na = (double)s->compared->samples, nb = (double)s->samples, p, error;

	if (na < 1 || nb < 1)
		return false;
	p = (a * na + b * nb) / (na + nb);
	error = sqrt(p * (1 - p) * (1 / na + 1 / nb));
	return error > 0 && fabs(b - a) > Z_SURE * error;
}
