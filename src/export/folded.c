/* Folded stacks, the format every flame graph tool reads:
 *
 *	main;parse_order;read_[k] 42
 *
 * Frames root first, `;` in names becomes `:`, control characters `?`; kernel frames
 * end in `_[k]`, JIT frames in `_[j]`. Lines are sorted bytewise, as LC_ALL=C sort
 * would, so that files can be compared and merged.
 *
 * Counts are whole samples: a stack's time over the sampling period. Rounding keeps
 * the sum, by largest remainders: it equals the snapshot's samples, unless these stand
 * for very different times each (blocked threads are looked at once and weigh long),
 * when the time decides. Without a rate counts are microseconds. Stacks that round to
 * nothing are left out. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "export/exporter.h"
#include "export/figures.h"

struct stack {
	const char *p; /* the frames, not terminated */
	size_t at, n;
	uint64_t self_ns, count, rest;
};

struct stacks {
	struct text names; /* all stacks one behind the other */
	VEC(struct stack) list;
	VEC(uint32_t) path;
};

static void put_frame(struct text *out, const struct snapshot_function *f)
{
	size_t i = out->n;

	if (f->name[strspn(f->name, " ")])
		text_clean(out, f->name, strlen(f->name));
	else /* blanks at the end of a line belong to its count */
		text_str(out, "[unknown]");
	for (; i < out->n; i++)
		if (out->p[i] == ';')
			out->p[i] = ':';
	if (f->kind == CODE_KERNEL)
		text_str(out, "_[k]");
	else if (f->kind == CODE_JIT)
		text_str(out, "_[j]");
}

/* Adds the stack that ends in `node`. */
static void collect(struct stacks *all, const struct snapshot *s, size_t node)
{
	struct stack *k = VEC_PUSH(&all->list);
	size_t i = node;

	k->at = all->names.n;
	k->self_ns = s->nodes[node].self_ns;
	VEC_CLEAR(&all->path);
	for (; i > 0; i = s->nodes[i].parent)
		*VEC_PUSH(&all->path) = s->nodes[i].function;
	for (i = all->path.n; i-- > 0;) {
		put_frame(&all->names, &s->functions[all->path.v[i]]);
		if (i)
			text_char(&all->names, ';');
	}
	k->n = all->names.n - k->at;
}

static int by_frames(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	int r = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return r ? r : (x->n > y->n) - (x->n < y->n);
}

/* Functions of the same name in two modules give equal stacks, which must be one line. */
static void merge(struct stacks *all)
{
	size_t i, kept = 0;

	for (i = 0; i < all->list.n; i++) {
		struct stack *k = &all->list.v[i];

		if (kept && by_frames(&all->list.v[kept - 1], k) == 0)
			all->list.v[kept - 1].self_ns += k->self_ns;
		else
			all->list.v[kept++] = *k;
	}
	all->list.n = kept;
}

static int by_rest(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;

	if (x->rest != y->rest)
		return x->rest < y->rest ? 1 : -1;
	return by_frames(a, b);
}

/* Shares `whole` out in proportion to time: everybody the whole part, then one more for
 * each of the largest remainders. */
static void share_out(struct stacks *all, uint64_t sum_ns, uint64_t whole)
{
	uint64_t given = 0;
	size_t i;

	for (i = 0; i < all->list.n; i++) {
		struct stack *k = &all->list.v[i];
		unsigned __int128 part = (unsigned __int128)k->self_ns * whole;

		k->count = (uint64_t)(part / sum_ns);
		k->rest = (uint64_t)(part % sum_ns);
		given += k->count;
	}
	if (all->list.n)
		qsort(all->list.v, all->list.n, sizeof(*all->list.v), by_rest);
	for (i = 0; i < all->list.n && given < whole; i++, given++)
		all->list.v[i].count++;
}

static uint64_t whole_count(const struct snapshot *s, uint64_t sum_ns)
{
	double counts;

	if (figure_plain_counts(s))
		return sum_ns;
	if (!(s->rate_hz > 0))
		return (sum_ns + 500) / 1000;
	counts = (double)sum_ns / (double)NS_PER_SEC * s->rate_hz + 0.5;
	if ((double)s->samples >= counts / 2 && (double)s->samples <= counts * 2)
		return s->samples;
	return counts < 1 ? 1 : counts < 1e18 ? (uint64_t)counts : (uint64_t)1e18;
}

/* The order of whole lines: where one stack begins another, its count decides. */
static int by_line(const void *a, const void *b)
{
	const struct stack *x = a, *y = b, *shorter = x->n < y->n ? x : y;
	const struct stack *longer = shorter == x ? y : x;
	int r = memcmp(x->p, y->p, shorter->n);
	struct text count = { 0 };
	size_t rest = longer->n - shorter->n;

	if (r || rest == 0)
		return r;
	text_char(&count, ' ');
	text_dec(&count, shorter->count);
	r = memcmp(count.p, longer->p + shorter->n, count.n < rest ? count.n : rest);
	text_done(&count);
	r = r ? r : -1;
	return shorter == x ? r : -r;
}

static void put_lines(struct stacks *all, struct text *out)
{
	size_t i;

	if (all->list.n)
		qsort(all->list.v, all->list.n, sizeof(*all->list.v), by_line);
	for (i = 0; i < all->list.n; i++) {
		const struct stack *k = &all->list.v[i];

		if (k->count == 0)
			continue;
		text_add(out, k->p, k->n);
		text_char(out, ' ');
		text_dec(out, k->count);
		text_char(out, '\n');
	}
}

/* The contract of snapshot_node: no cycle, no function that does not exist. */
static bool tree_is_sound(const struct snapshot *s)
{
	size_t i;

	for (i = 1; i < s->n_nodes; i++)
		if (s->nodes[i].parent >= i || s->nodes[i].function >= s->n_functions)
			return false;
	return true;
}

static int folded_write(const struct snapshot *s, const struct export_options *o,
			struct text *out, struct error *err)
{
	struct stacks all = { 0 };
	uint64_t sum_ns = 0;
	size_t i;

	(void)o;
	if (!tree_is_sound(s))
		return error_set(err, EXIT_FAILED, "the call tree is not sound");
	for (i = 1; i < s->n_nodes; i++)
		if (s->nodes[i].self_ns)
			collect(&all, s, i);
	for (i = 0; i < all.list.n; i++) {
		all.list.v[i].p = all.names.p + all.list.v[i].at;
		sum_ns += all.list.v[i].self_ns;
	}
	if (sum_ns) {
		qsort(all.list.v, all.list.n, sizeof(*all.list.v), by_frames);
		merge(&all);
		share_out(&all, sum_ns, whole_count(s, sum_ns));
		put_lines(&all, out);
	}
	text_done(&all.names);
	VEC_DONE(&all.list);
	VEC_DONE(&all.path);
	return 0;
}

const struct exporter folded_exporter = {
	.name = "folded",
	.help = "flamegraph.pl, diff, speedscope, Firefox Profiler",
	.suffix = ".folded",
	.wants_tree = true,
	.write = folded_write,
};
