/* Construction and the small arithmetic every reader of a snapshot needs. */
#include "model/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct snapshot *snapshot_new(void)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	s->command = s->cmdline = s->runtime = s->host = s->backend = s->limits = "";
	s->gc.source = s->gc.reason = "";
	memory_init(&s->memory);
	s->threads_merged = true;
	s->exit_status = -1;
	return s;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	free(s);
}

static int by_self(const void *a, const void *b)
{
	const struct snapshot_function *x = a, *y = b;

	if (x->self_ns != y->self_ns)
		return x->self_ns < y->self_ns ? 1 : -1;
	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	return strcmp(x->name, y->name);
}

void snapshot_sort(struct snapshot *s)
{
	if (s->n_functions)
		qsort(s->functions, s->n_functions, sizeof(*s->functions), by_self);
}

const char *mode_name(enum mode m)
{
	return m == MODE_WALL ? "wall" : m == MODE_GIL ? "gil" : "cpu";
}

static const char *const code_kinds[CODE_KINDS] = {
	[CODE_APP] = "app", [CODE_LIBRARY] = "library", [CODE_KERNEL] = "kernel",
	[CODE_JIT] = "jit", [CODE_MARK] = "mark",	[CODE_PYTHON] = "python",
};

const char *code_kind_name(enum code_kind k)
{
	return k < CODE_KINDS ? code_kinds[k] : "unknown";
}

enum code_kind code_kind_named(const char *name)
{
	enum code_kind k = 0;

	while (k < CODE_KINDS && strcmp(name, code_kinds[k]) != 0)
		k++;
	return k < CODE_KINDS ? k : CODE_APP;
}

double snapshot_pct(const struct snapshot *s, uint64_t ns)
{
	return s->weight_ns ? 100.0 * (double)ns / (double)s->weight_ns : 0.0;
}
