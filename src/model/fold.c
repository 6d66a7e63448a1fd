/* A library is named by its file, or by the first folder of a language's module path:
 * sqlalchemy/engine/base.py is sqlalchemy. Its total counts stacks on which it stands more
 * than once for the outermost call. */
#include "model/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "model/tree.h"

/* Rows are few enough for a sorted array of names. */
struct group {
	char name[96];
	uint32_t function; /* first of its functions */
};

struct groups {
	struct group *v;
	size_t n;
	uint32_t *of; /* by function of s: row in the result */
};

/* Past the folder that a language keeps its modules in. */
static const char *in_package(const char *path)
{
	static const char *const roots[] = { "/site-packages/", "/dist-packages/",
					     "/lib/python" };
	const char *p = NULL;
	size_t i;

	for (i = 0; i < sizeof(roots) / sizeof(roots[0]) && !p; i++)
		p = strstr(path, roots[i]);
	if (!p)
		return path;
	p = strchr(p + strlen(roots[i - 1]) - 1, '/'); /* also past python3.11 */
	return p ? p + 1 : path;
}

static void group_name(const struct snapshot_function *f, char *buf, size_t size)
{
	bool native =
	    strcmp(f->runtime, "native") == 0 || strcmp(f->runtime, "kernel") == 0;
	const char *p = in_package(f->file), *end;

	if (!native && p != f->file) {
		end = strchr(p, '/');
		if (!end)
			end = strrchr(p, '.');
		snprintf(buf, size, "[lib] %.*s",
			 (int)(end && end - p < 60 ? end - p : 60), p);
		return;
	}
	end = strrchr(f->module, '/');
	p = end ? end + 1 : f->module;
	end = native ? NULL : strstr(p, ".py");
	snprintf(buf, size, p[0] == '[' ? "%.*s" : "[lib] %.*s",
		 end && end - p < 80 ? (int)(end - p) : 80, p[0] ? p : "?");
}

static int by_name(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* One row a library, after the others. */
static void put_groups(struct groups *g, const struct snapshot *s, struct snapshot *out)
{
	size_t i;

	if (g->n)
		qsort(g->v, g->n, sizeof(*g->v), by_name);
	for (i = 0; i < g->n; i++) {
		const struct snapshot_function *f = &s->functions[g->v[i].function];

		if (i == 0 || strcmp(g->v[i].name, g->v[i - 1].name) != 0) {
			uint64_t id = hash_bytes(g->v[i].name, strlen(g->v[i].name));

			out->functions[out->n_functions++] = (struct snapshot_function){
				.name = arena_str(&out->arena, g->v[i].name),
				.module = "",
				.file = "",
				.kind = f->kind,
				.runtime = f->runtime,
				.library = true,
				.thread = UINT32_MAX,
				.id = id,
				.function = id,
			};
		}
		g->of[g->v[i].function] = (uint32_t)out->n_functions - 1;
		out->functions[out->n_functions - 1].self_ns += f->self_ns;
	}
}

static void put_rows(struct groups *g, const struct snapshot *s, struct snapshot *out)
{
	size_t i;

	out->functions =
	    arena_alloc(&out->arena, (s->n_functions + 1) * sizeof(*out->functions));
	out->n_functions = 0;
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];

		if (f->library) {
			group_name(f, g->v[g->n].name, sizeof(g->v[g->n].name));
			g->v[g->n++].function = (uint32_t)i;
		} else {
			g->of[i] = (uint32_t)out->n_functions;
			out->functions[out->n_functions++] = *f;
		}
	}
	put_groups(g, s, out);
}

/* Is this row on the stack further out? */
static bool stands_above(const struct tree *t, uint32_t node)
{
	uint32_t row = t->nodes.v[node].function, up = t->nodes.v[node].parent;

	for (; up; up = t->nodes.v[up].parent)
		if (t->nodes.v[up].function == row)
			return true;
	return false;
}

static void put_tree(const struct groups *g, const struct snapshot *s,
		     struct snapshot *out)
{
	uint32_t *at = xcalloc(s->n_nodes + 1, sizeof(*at));
	struct tree t;
	size_t i;

	tree_init(&t);
	for (i = 1; i < s->n_nodes; i++) {
		const struct snapshot_node *n = &s->nodes[i];
		uint32_t parent = at[n->parent], row = g->of[n->function];
		bool same = parent && out->functions[row].library &&
			    t.nodes.v[parent].function == row;

		at[i] = same ? parent : tree_child(&t, parent, row);
		t.nodes.v[at[i]].self_ns += n->self_ns;
	}
	tree_total(&t);
	for (i = 1; i < t.nodes.n; i++) {
		struct snapshot_function *f = &out->functions[t.nodes.v[i].function];

		if (f->library && !stands_above(&t, (uint32_t)i))
			f->total_ns += t.nodes.v[i].total_ns;
	}
	out->nodes = arena_alloc(&out->arena, t.nodes.n * sizeof(*out->nodes));
	memcpy(out->nodes, t.nodes.v, t.nodes.n * sizeof(*out->nodes));
	out->n_nodes = t.nodes.n;
	tree_done(&t);
	free(at);
}

/* Sorted rows, and the tree's numbers with them. */
static void sort(struct snapshot *s)
{
	uint32_t *to = xcalloc(s->n_functions + 1, sizeof(*to));
	uint32_t *thread = xcalloc(s->n_functions + 1, sizeof(*thread));
	size_t i;

	/* The thread's place carries the old number through the sort. */
	for (i = 0; i < s->n_functions; i++) {
		thread[i] = s->functions[i].thread;
		s->functions[i].thread = (uint32_t)i;
	}
	snapshot_sort(s);
	for (i = 0; i < s->n_functions; i++) {
		to[s->functions[i].thread] = (uint32_t)i;
		s->functions[i].thread = thread[s->functions[i].thread];
	}
	for (i = 1; i < s->n_nodes; i++)
		s->nodes[i].function = to[s->nodes[i].function];
	free(to);
	free(thread);
}

struct snapshot *fold_libraries(const struct snapshot *s)
{
	struct snapshot *out = xmalloc(sizeof(*out));
	struct groups g = { xcalloc(s->n_functions + 1, sizeof(*g.v)), 0,
			    xcalloc(s->n_functions + 1, sizeof(*g.of)) };

	*out = *s;
	out->arena = (struct arena){ 0 };
	put_rows(&g, s, out);
	put_tree(&g, s, out);
	sort(out);
	free(g.v);
	free(g.of);
	return out;
}
