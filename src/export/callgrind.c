/* Callgrind's format, for KCachegrind and callgrind_annotate:
 *
 *	fl=app.py
 *	fn=work
 *	42 30000
 *	cfl=json/decoder.py
 *	cfn=decode
 *	calls=1 353
 *	42 9000
 *
 * Costs are microseconds (samples where nobody knows their time). A sampler does not
 * count calls: each is written as one, and the description says so. Names are compressed
 * as the format allows, "(3) work" first and "(3)" afterwards. */
#include <string.h>

#include "export/edges.h"
#include "export/exporter.h"
#include "export/figures.h"

struct names {
	bool *function,
	    *file; /* written already; a file by the function that is its first */
	uint32_t *file_of;
};

static uint64_t cost(const struct snapshot *s, uint64_t ns)
{
	return figure_plain_counts(s) ? ns : (ns + 500) / 1000;
}

static const char *file_name(const struct snapshot_function *f)
{
	return *f->file ? f->file : *f->module ? f->module : "???";
}

static void put_name(struct text *out, const char *key, uint32_t id, bool *known,
		     const char *name)
{
	text_fmt(out, "%s(%u)", key, id + 1);
	if (!*known) {
		text_char(out, ' ');
		text_clean(out, name, strlen(name));
	}
	*known = true;
	text_char(out, '\n');
}

static void put_function(struct text *out, const struct snapshot *s, struct names *n,
			 uint32_t id, const char *prefix)
{
	const struct snapshot_function *f = &s->functions[id];
	char key[8] = "";

	memcpy(key, prefix, strlen(prefix));
	memcpy(key + strlen(prefix), "fl=", 4);
	put_name(out, key, n->file_of[id], &n->file[n->file_of[id]], file_name(f));
	memcpy(key + strlen(prefix), "fn=", 4);
	put_name(out, key, id, &n->function[id], f->name);
}

/* Functions in the same file share its number: that of the first of them. Quadratic only
 * in the number of different files, which are few. */
static void number_files(const struct snapshot *s, struct names *n)
{
	VEC(uint32_t) firsts = { 0 };
	size_t i, k;

	for (i = 0; i < s->n_functions; i++) {
		const char *file = file_name(&s->functions[i]);

		for (k = 0; k < firsts.n; k++)
			if (strcmp(file_name(&s->functions[firsts.v[k]]), file) == 0)
				break;
		if (k == firsts.n)
			*VEC_PUSH(&firsts) = (uint32_t)i;
		n->file_of[i] = firsts.v[k];
	}
	VEC_DONE(&firsts);
}

static int callgrind_write(const struct snapshot *s, const struct export_options *o,
			   struct text *out, struct error *err)
{
	struct names n = { xcalloc(s->n_functions + 1, sizeof(bool)),
			   xcalloc(s->n_functions + 1, sizeof(bool)),
			   xcalloc(s->n_functions + 1, sizeof(uint32_t)) };
	const char *event = figure_plain_counts(s) ? "Samples" : "us";
	struct edges edges;
	size_t i, at = 0;

	(void)err;
	edges_make(&edges, s);
	number_files(s, &n);
	text_fmt(out, "# callgrind format\nversion: 1\ncreator: %s\ncmd: ",
		 o->creator ? o->creator : "ptop");
	text_clean(out, o->show_cmdline ? s->cmdline : s->command,
		   strlen(o->show_cmdline ? s->cmdline : s->command));
	text_fmt(out,
		 "\ndesc: Sampled: calls are not counted, each is written as 1\n"
		 "positions: line\nevents: %s\nsummary: ",
		 event);
	text_dec(out, cost(s, s->weight_ns));
	text_str(out, "\n");
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];

		text_char(out, '\n');
		put_function(out, s, &n, (uint32_t)i, "");
		text_fmt(out, "%d ", f->line);
		text_dec(out, cost(s, f->self_ns));
		text_char(out, '\n');
		for (; at < edges.list.n && edges.list.v[at].caller == i; at++) {
			const struct edge *e = &edges.list.v[at];

			put_function(out, s, &n, e->callee, "c");
			text_fmt(out, "calls=1 %d\n%d ", s->functions[e->callee].line,
				 f->line);
			text_dec(out, cost(s, e->total_ns));
			text_char(out, '\n');
		}
	}
	edges_done(&edges);
	free(n.function);
	free(n.file);
	free(n.file_of);
	return 0;
}

const struct exporter callgrind_exporter = {
	.name = "callgrind",
	.help = "KCachegrind, callgrind_annotate",
	.suffix = ".callgrind",
	.wants_tree = true,
	.write = callgrind_write,
};
