/* Library frames: the one that is called from the program is shown, so are those that call
 * back into the program and those that are hot themselves; between them, two or more
 * frames become one line. Recursion is bounded by the depth of stacks the model keeps,
 * and lines by BRANCHES_MAX. */
#include "ui/branches.h"

#include <stdio.h>
#include <string.h>

#define HOT_LIBRARY_PCT 20.0 /* of all: own time of a library frame that is shown */
#define DEPTH_MAX 400
#define HIDDEN_LEAST 2u

struct walk {
	const struct snapshot *s;
	const struct children *c;
	const struct branch_spec *spec;
	struct branches *out;
	unsigned char *shown; /* by node: the filter lets it through; NULL: all */
};

bool branch_marked(const uint64_t *list, size_t n, uint64_t path)
{
	size_t i;

	for (i = 0; i < n && list[i] != path; i++)
		;
	return i < n;
}

static bool opened(const struct walk *w, uint64_t path)
{
	return branch_marked(w->spec->marks->opened.v, w->spec->marks->opened.n, path);
}

static bool closed(const struct walk *w, uint64_t path, unsigned depth)
{
	if (w->spec->marks->all_closed)
		return depth > 0 && !opened(w, path);
	return branch_marked(w->spec->marks->closed.v, w->spec->marks->closed.n, path);
}

static bool is_library(const struct snapshot *s, uint32_t node)
{
	return node && s->functions[s->nodes[node].function].library;
}

static bool calls_program(const struct walk *w, uint32_t node)
{
	uint32_t i;

	for (i = w->c->first[node]; i < w->c->first[node + 1]; i++)
		if (!is_library(w->s, w->c->list[i]))
			return true;
	return false;
}

/* A library frame called by one that says no more than its caller does. */
static bool can_hide(const struct walk *w, uint32_t node)
{
	const struct snapshot_node *n = &w->s->nodes[node];

	return w->spec->fold_libraries && is_library(w->s, node) &&
	       is_library(w->s, n->parent) && !calls_program(w, node) &&
	       snapshot_pct(w->s, n->self_ns) <= HOT_LIBRARY_PCT;
}

static bool is_small(const struct walk *w, uint32_t node)
{
	return snapshot_pct(w->s, w->s->nodes[node].total_ns) < w->spec->least_pct;
}

static bool is_shown(const struct walk *w, uint32_t node)
{
	return !w->shown || w->shown[node];
}

/* How many frames hang together that can be hidden, from this one down. */
static uint32_t count_hidden(const struct walk *w, uint32_t node, unsigned depth)
{
	uint32_t i, n = 1;

	for (i = w->c->first[node]; depth < DEPTH_MAX && i < w->c->first[node + 1]; i++)
		if (can_hide(w, w->c->list[i]) && is_shown(w, w->c->list[i]))
			n += count_hidden(w, w->c->list[i], depth + 1);
	return n;
}

static struct branch *add(struct walk *w, enum branch_kind kind, uint32_t node,
			  unsigned depth, uint64_t rails)
{
	struct branch *b;

	if (w->out->lines.n >= BRANCHES_MAX) {
		w->out->lines.v[BRANCHES_MAX - 1].kind = BRANCH_CUT;
		return NULL;
	}
	b = VEC_PUSH(&w->out->lines);
	*b = (struct branch){ .kind = kind,
			      .node = node,
			      .path = w->c->path[node] + (uint64_t)kind,
			      .total_ns = w->s->nodes[node].total_ns,
			      .depth = (uint16_t)depth,
			      .rails = rails };
	return b;
}

static void walk_family(struct walk *w, uint32_t parent, unsigned depth, uint64_t rails);

/* Below a line of hidden frames: the shown ones that they call. */
static void walk_below_hidden(struct walk *w, uint32_t node, unsigned depth,
			      uint64_t rails);

static void mark_last(struct walk *w, size_t from, unsigned depth)
{
	size_t i, last = SIZE_MAX;

	for (i = from; i < w->out->lines.n; i++)
		if (w->out->lines.v[i].depth == depth)
			last = i;
	if (last == SIZE_MAX)
		return;
	w->out->lines.v[last].last = true;
	for (i = last + 1; i < w->out->lines.n; i++)
		if (depth < 64)
			w->out->lines.v[i].rails &= ~(1ull << depth);
}

static uint64_t rail(uint64_t rails, unsigned depth)
{
	return depth < 64 ? rails | 1ull << depth : rails;
}

static void walk_node(struct walk *w, uint32_t node, unsigned depth, uint64_t rails)
{
	uint32_t hidden = can_hide(w, node) ? count_hidden(w, node, 0) : 0;
	uint64_t path = w->c->path[node];
	bool fold = hidden >= HIDDEN_LEAST && !opened(w, path + BRANCH_HIDDEN);
	struct branch *b = add(w, fold ? BRANCH_HIDDEN : BRANCH_NODE, node, depth, rails);

	if (!b)
		return;
	b->count = fold ? hidden : 1;
	b->closed =
	    closed(w, b->path, depth) && w->c->first[node] < w->c->first[node + 1];
	if (b->closed || depth >= DEPTH_MAX)
		return;
	if (fold)
		walk_below_hidden(w, node, depth + 1, rail(rails, depth));
	else
		walk_family(w, node, depth + 1, rail(rails, depth));
}

static void walk_below_hidden(struct walk *w, uint32_t node, unsigned depth,
			      uint64_t rails)
{
	size_t from = w->out->lines.n;
	uint32_t i;

	for (i = w->c->first[node]; i < w->c->first[node + 1]; i++) {
		uint32_t child = w->c->list[i];

		if (!is_shown(w, child) || is_small(w, child))
			continue;
		if (can_hide(w, child))
			walk_below_hidden(w, child, depth, rails);
		else
			walk_node(w, child, depth, rails);
	}
	mark_last(w, from, depth);
}

static void walk_family(struct walk *w, uint32_t parent, unsigned depth, uint64_t rails)
{
	const struct snapshot_node *p = &w->s->nodes[parent];
	bool all = opened(w, w->c->path[parent] + BRANCH_SMALL);
	size_t from = w->out->lines.n;
	struct branch *b;
	uint64_t small_ns = 0;
	uint32_t i, small = 0;

	for (i = w->c->first[parent]; i < w->c->first[parent + 1]; i++) {
		uint32_t child = w->c->list[i];

		if (!is_shown(w, child))
			continue;
		if (is_small(w, child) && !all) {
			small++;
			small_ns += w->s->nodes[child].total_ns;
		} else {
			walk_node(w, child, depth, rails);
		}
	}
	if (parent && p->self_ns && w->c->first[parent] < w->c->first[parent + 1] &&
	    !w->shown && snapshot_pct(w->s, p->self_ns) >= w->spec->least_pct) {
		b = add(w, BRANCH_SELF, parent, depth, rails);
		if (b)
			b->total_ns = p->self_ns;
	}
	if (small && (b = add(w, BRANCH_SMALL, parent, depth, rails))) {
		b->count = small;
		b->total_ns = small_ns;
	}
	mark_last(w, from, depth);
}

/* A match, what leads to it and what it calls. */
static unsigned char *matching(const struct snapshot *s, const struct filter *f)
{
	unsigned char *hits = filter_functions(f, s), *m;
	size_t i;

	if (!hits)
		return NULL;
	m = xcalloc(s->n_nodes + 1, 1);
	for (i = 1; i < s->n_nodes; i++)
		m[i] = hits[s->nodes[i].function];
	free(hits);
	for (i = 1; i < s->n_nodes; i++) /* parents first */
		m[i] |= m[s->nodes[i].parent];
	for (i = s->n_nodes; i-- > 1;)
		if (m[i])
			m[s->nodes[i].parent] |= 2;
	/* The root is on the way to every match, and is not one. */
	m[0] = 2;
	return m;
}

void branches_build(struct branches *b, const struct snapshot *s,
		    const struct children *c, const struct branch_spec *spec)
{
	struct walk w = { s, c, spec, b, NULL };

	VEC_CLEAR(&b->lines);
	if (c->n == 0)
		return;
	w.shown = matching(s, spec->filter);
	walk_family(&w, 0, 0, 0);
	free(w.shown);
}

void branches_done(struct branches *b)
{
	VEC_DONE(&b->lines);
}

static void add_modules(const struct walk *w, uint32_t node, char *buf, size_t size,
			unsigned depth)
{
	const struct snapshot_function *f = &w->s->functions[w->s->nodes[node].function];
	const char *name = strrchr(f->module, '/');
	size_t n = strlen(buf);
	uint32_t i;

	name = name ? name + 1 : f->module[0] ? f->module : f->name;
	if (!strstr(buf, name) && n + strlen(name) + 3 < size)
		snprintf(buf + n, size - n, "%s%s", n ? ", " : "", name);
	for (i = w->c->first[node]; depth < DEPTH_MAX && i < w->c->first[node + 1]; i++)
		if (can_hide(w, w->c->list[i]))
			add_modules(w, w->c->list[i], buf, size, depth + 1);
}

void branches_modules(const struct snapshot *s, const struct children *c,
		      const struct branch *line, char *buf, size_t size)
{
	struct branch_spec spec = { .fold_libraries = true };
	struct walk w = { s, c, &spec, NULL, NULL };

	buf[0] = '\0';
	add_modules(&w, line->node, buf, size, 0);
}
