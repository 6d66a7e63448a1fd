/* What Python's profilers dump, for `python -m pstats`, snakeviz and tuna: a marshalled
 * dictionary
 *
 *	{(file, line, name): (calls, calls, self s, total s, {caller: the same four})}
 *
 * in marshal's version 2, which every Python 3 reads: `{` ... `0` dictionary, `(` tuple,
 * `u` string, `i` int32, `g` float64, numbers little endian. Calls are samples. */
#include <string.h>

#include "export/edges.h"
#include "export/exporter.h"
#include "export/figures.h"

static void put_u32(struct text *out, uint32_t v)
{
	unsigned char b[4] = { (unsigned char)v, (unsigned char)(v >> 8),
			       (unsigned char)(v >> 16), (unsigned char)(v >> 24) };

	text_add(out, (const char *)b, 4);
}

static void put_int(struct text *out, uint64_t v)
{
	text_char(out, 'i');
	put_u32(out, v > INT32_MAX ? INT32_MAX : (uint32_t)v);
}

static void put_float(struct text *out, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	text_char(out, 'g');
	put_u32(out, (uint32_t)bits);
	put_u32(out, (uint32_t)(bits >> 32));
}

static void put_string(struct text *out, const char *s)
{
	struct text clean = { 0 };

	text_clean(&clean, s, strlen(s));
	text_char(out, 'u');
	put_u32(out, (uint32_t)clean.n);
	text_add(out, clean.p ? clean.p : "", clean.n);
	text_done(&clean);
}

static void put_tuple(struct text *out, uint32_t n)
{
	text_char(out, '(');
	put_u32(out, n);
}

/* "~" is what Python writes for code without a file. */
static void put_key(struct text *out, const struct snapshot_function *f)
{
	struct text name = { 0 };

	put_tuple(out, 3);
	if (*f->file) {
		put_string(out, f->file);
		put_int(out, f->line > 0 ? (uint64_t)f->line : 0);
		put_string(out, f->name);
		return;
	}
	put_string(out, "~");
	put_int(out, 0);
	text_str(&name, f->name);
	if (*f->module)
		text_fmt(&name, " (%s)", f->module);
	put_string(out, name.p ? name.p : "");
	text_done(&name);
}

static void put_times(struct text *out, const struct snapshot *s, uint64_t self_ns,
		      uint64_t total_ns)
{
	double unit = figure_plain_counts(s) ? 1 : 1e-9;

	put_int(out, samples_of(s, total_ns));
	put_int(out, samples_of(s, total_ns));
	put_float(out, (double)self_ns * unit);
	put_float(out, (double)total_ns * unit);
}

static int by_callee(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->callee != y->callee)
		return x->callee < y->callee ? -1 : 1;
	return x->caller < y->caller ? -1 : x->caller > y->caller;
}

static int pstats_write(const struct snapshot *s, const struct export_options *o,
			struct text *out, struct error *err)
{
	struct edges edges;
	size_t i, at = 0;

	(void)o, (void)err;
	edges_make(&edges, s);
	if (edges.list.n)
		qsort(edges.list.v, edges.list.n, sizeof(*edges.list.v), by_callee);
	text_char(out, '{');
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];

		put_key(out, f);
		put_tuple(out, 5);
		put_times(out, s, f->self_ns, f->total_ns);
		text_char(out, '{');
		for (; at < edges.list.n && edges.list.v[at].callee == i; at++) {
			const struct edge *e = &edges.list.v[at];

			put_key(out, &s->functions[e->caller]);
			put_tuple(out, 4);
			put_times(out, s, e->self_ns, e->total_ns);
		}
		text_char(out, '0');
	}
	text_char(out, '0');
	edges_done(&edges);
	return 0;
}

const struct exporter pstats_exporter = {
	.name = "pstats",
	.help = "python -m pstats, snakeviz, tuna",
	.suffix = ".pstats",
	.wants_tree = true,
	.binary = true,
	.write = pstats_write,
};
