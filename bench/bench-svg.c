/* What a flame graph of 100,000 different stacks costs: folded text is made up from a
 * fixed seed (Python-like names, 4,323 of them, stacks about 37 deep, about 300,000
 * nodes), parsed and written as SVG. CPU seconds of each step, best of RUNS; making up
 * the text is not counted. Once sorted, as every tool writes folded files, and once
 * shuffled, the worst order.
 *
 *	bench-svg [FILE]	also keeps the sorted text in FILE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "export/exporter.h"
#include "model/folded_in.h"

#define STACKS 100000u
#define MADE (STACKS + STACKS / 100)
#define NAMES 4323u
#define DEPTH_MAX 64u
#define RUNS 5
/* flamegraph.pl 41fee1f on a text of the same shape, measured elsewhere in November 2026:
 * a reference, not a peer of this run. */
#define REFERENCE_S 4.7

struct stack {
	uint16_t names[DEPTH_MAX];
	uint32_t depth, count;
};

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13; /* xorshift64 (Marsaglia 2003) */
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t below(uint64_t *seed, uint64_t n)
{
	return random_next(seed) % n;
}

/* Every stack leaves an earlier one near its top and goes its own way for a few frames:
 * that is what programs do, and it gives three new nodes a stack. */
static void make_stack(struct stack *k, uint64_t *seed)
{
	uint32_t grow = 1 + (uint32_t)below(seed, k->depth < 30 ? 9 : 5);
	uint32_t limit = 36 + (uint32_t)below(seed, 8);
	uint32_t keep = k->depth > 2 ? k->depth - (uint32_t)below(seed, 3) : 0;

	keep = keep + grow > limit ? limit - grow : keep;
	for (k->depth = keep; grow > 0; grow--)
		k->names[k->depth++] = (uint16_t)below(seed, NAMES);
	k->count = 1 + (uint32_t)below(seed, 8);
}

/* Names have one length, so numbers sort as names do. */
static int by_names(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	uint32_t i;

	for (i = 0; i < x->depth && i < y->depth; i++)
		if (x->names[i] != y->names[i])
			return x->names[i] < y->names[i] ? -1 : 1;
	return (x->depth > y->depth) - (x->depth < y->depth);
}

/* STACKS different stacks, sorted. A few more are made, as some come out equal. */
static struct stack *make_stacks(void)
{
	struct stack *all = xcalloc(MADE, sizeof(*all));
	uint64_t seed = 0x9e3779b97f4a7c15ull;
	size_t i, kept = 0;

	for (i = 0; i < MADE; i++) {
		if (i)
			all[i] = all[below(&seed, i)];
		make_stack(&all[i], &seed);
	}
	qsort(all, MADE, sizeof(*all), by_names);
	for (i = 0; i < MADE && kept < STACKS; i++)
		if (!kept || by_names(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	return all;
}

static void shuffle(struct stack *all)
{
	uint64_t seed = 42;
	size_t i;

	for (i = STACKS - 1; i > 0; i--) {
		size_t k = below(&seed, i + 1);
		struct stack kept = all[i];

		all[i] = all[k];
		all[k] = kept;
	}
}

static void fold(struct stack *all, struct text *out)
{
	uint32_t i;
	size_t k;

	text_clear(out);
	for (k = 0; k < STACKS; k++) {
		for (i = 0; i < all[k].depth; i++)
			text_fmt(out, "%sfunction_%04u (pkg/sub/mod_%03u.py:%03u)",
				 i ? ";" : "", all[k].names[i], all[k].names[i] % 311u,
				 all[k].names[i] % 997u);
		text_fmt(out, " %u\n", all[k].count);
	}
}

struct cost {
	double parse_s, svg_s;
	uint64_t stacks, samples;
	size_t nodes, boxes, bytes;
};

static size_t count_of(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void run(const struct text *folded, struct cost *best)
{
	const struct export_options options = { .creator = "bench-svg" };
	struct bytes in = { (const unsigned char *)folded->p, folded->n };
	uint64_t start = clock_own_cpu_ns(), parsed, written;
	struct folded_counts counts;
	struct text out = { 0 };
	struct snapshot *s = folded_read(in, 100, &counts);
	struct cost c;

	parsed = clock_own_cpu_ns();
	exporter_named("svg")->write(s, &options, &out, NULL);
	written = clock_own_cpu_ns();
	c = (struct cost){ (double)(parsed - start) / 1e9,
			   (double)(written - parsed) / 1e9,
			   counts.stacks,
			   s->samples,
			   s->n_nodes,
			   count_of(out.p, "role=\"treeitem\""),
			   out.n };
	if (!best->bytes || c.parse_s + c.svg_s < best->parse_s + best->svg_s)
		*best = c;
	text_done(&out);
	snapshot_free(s);
}

static void measure(const char *order, const struct text *folded)
{
	struct cost c = { 0 };
	int i;

	for (i = 0; i < RUNS; i++)
		run(folded, &c);
	printf("%-8s %6.1f MB folded, %" PRIu64 " stacks, %zu nodes, %" PRIu64
	       " samples\n",
	       order, (double)folded->n / 1e6, c.stacks, c.nodes, c.samples);
	printf("         CPU %.3f s = parse %.3f + svg %.3f (limit 0.25); "
	       "%zu boxes, %zu bytes\n",
	       c.parse_s + c.svg_s, c.parse_s, c.svg_s, c.boxes, c.bytes);
	printf(
	    "         reference, measured elsewhere: flamegraph.pl %.1f s, ratio %.0fx\n",
	    REFERENCE_S, REFERENCE_S / (c.parse_s + c.svg_s));
}

int main(int argc, char **argv)
{
	struct stack *all = make_stacks();
	struct text folded = { 0 };

	fold(all, &folded);
	measure("sorted", &folded);
	if (argc > 1) {
		FILE *f = fopen(argv[1], "w");

		if (!f || fwrite(folded.p, 1, folded.n, f) != folded.n ||
		    fclose(f) != 0) {
			perror(argv[1]);
			return 1;
		}
	}
	shuffle(all);
	fold(all, &folded);
	measure("shuffled", &folded);
	text_done(&folded);
	free(all);
	return 0;
}
