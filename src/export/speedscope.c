/* speedscope.app's own JSON: one profile a thread, its samples in time order, so that
 * "Time Order" there is what happened; "Left Heavy" and "Sandwich" follow from it. A
 * source without times (folded stacks) is one profile whose order means nothing.
 *
 * Weights are nanoseconds as whole numbers: no rounding, and what the format asks for. */
#include <string.h>

#include "export/exporter.h"
#include "export/figures.h"

struct order {
	uint32_t thread;
	size_t run;
};

static void put_frames(struct text *out, const struct snapshot *s)
{
	size_t i;

	text_str(out, "\"shared\":{\"frames\":[");
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];

		text_str(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_string(out, f->name);
		if (*f->file || *f->module) {
			text_str(out, ",\"file\":");
			json_string(out, *f->file ? f->file : f->module);
		}
		if (f->line > 0)
			text_fmt(out, ",\"line\":%d", f->line);
		text_char(out, '}');
	}
	text_str(out, "]}");
}

/* Frame numbers, root first. */
static void put_stack(struct text *out, const struct snapshot *s, uint32_t node)
{
	uint32_t path[4096];
	size_t n = 0;

	for (; node && n < 4096; node = s->nodes[node].parent)
		path[n++] = s->nodes[node].function;
	text_char(out, '[');
	while (n-- > 0) {
		text_dec(out, path[n]);
		if (n)
			text_char(out, ',');
	}
	text_char(out, ']');
}

struct profile {
	struct text samples, weights;
	uint64_t total, last_weight;
	uint32_t last_node;
	bool any;
};

static void flush(struct profile *p, const struct snapshot *s)
{
	if (!p->any)
		return;
	text_str(&p->samples, p->samples.n ? ",\n" : "\n");
	put_stack(&p->samples, s, p->last_node);
	if (p->weights.n)
		text_char(&p->weights, ',');
	text_dec(&p->weights, p->last_weight);
	p->any = false;
}

static void add(struct profile *p, const struct snapshot *s, uint32_t node,
		uint64_t weight)
{
	if (p->any && p->last_node != node)
		flush(p, s);
	p->last_weight = (p->any ? p->last_weight : 0) + weight;
	p->last_node = node;
	p->any = true;
	p->total += weight;
}

static void put_profile(struct text *out, struct profile *p, const struct snapshot *s,
			const struct text *name, bool first)
{
	flush(p, s);
	text_str(out, first ? "\n" : ",\n");
	text_str(out, "{\"type\":\"sampled\",\"name\":");
	json_string(out, name->p);
	text_fmt(out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":",
		 figure_plain_counts(s) ? "none" : "nanoseconds");
	text_dec(out, p->total);
	text_str(out, ",\"samples\":[");
	text_add(out, p->samples.p ? p->samples.p : "", p->samples.n);
	text_str(out, "],\n\"weights\":[");
	text_add(out, p->weights.p ? p->weights.p : "", p->weights.n);
	text_str(out, "]}");
	text_done(&p->samples);
	text_done(&p->weights);
	*p = (struct profile){ 0 };
}

static int by_thread(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->run < y->run ? -1 : 1;
}

static void name_thread(struct text *name, const struct snapshot *s, uint32_t thread)
{
	text_clear(name);
	if (thread >= s->n_threads) {
		text_str(name, "other threads");
		return;
	}
	text_str(name, s->threads[thread].name);
	text_fmt(name, " (tid %d)", (int)s->threads[thread].tid);
}

static void put_threads(struct text *out, const struct snapshot *s)
{
	struct order *order = xcalloc(s->n_runs, sizeof(*order));
	struct profile p = { 0 };
	struct text name = { 0 };
	bool first = true;
	size_t i;

	for (i = 0; i < s->n_runs; i++)
		order[i] = (struct order){ s->runs[i].thread, i };
	qsort(order, s->n_runs, sizeof(*order), by_thread);
	for (i = 0; i < s->n_runs; i++) {
		const struct snapshot_run *r = &s->runs[order[i].run];

		add(&p, s, r->node, r->weight_ns);
		if (i + 1 < s->n_runs && order[i + 1].thread == order[i].thread)
			continue;
		name_thread(&name, s, order[i].thread);
		put_profile(out, &p, s, &name, first);
		first = false;
	}
	text_done(&name);
	free(order);
}

static void put_tree(struct text *out, const struct snapshot *s)
{
	struct profile p = { 0 };
	struct text name = { 0 };
	size_t i;

	text_str(&name, "all threads");
	for (i = 1; i < s->n_nodes; i++)
		if (s->nodes[i].self_ns)
			add(&p, s, (uint32_t)i, s->nodes[i].self_ns);
	put_profile(out, &p, s, &name, true);
	text_done(&name);
}

static int speedscope_write(const struct snapshot *s, const struct export_options *o,
			    struct text *out, struct error *err)
{
	struct text title = { 0 };

	(void)err;
	if (s->pid)
		text_fmt(&title, "pid %d ", (int)s->pid);
	text_str(&title, s->command);
	text_str(out,
		 "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
		 "\"exporter\":");
	json_string(out, o->creator ? o->creator : "ptop");
	text_str(out, ",\"name\":");
	json_string(out, title.p ? title.p : "");
	text_str(out, ",\"activeProfileIndex\":0,\n");
	put_frames(out, s);
	text_str(out, ",\n\"profiles\":[");
	if (s->n_runs)
		put_threads(out, s);
	else
		put_tree(out, s);
	text_str(out, "]}\n");
	text_done(&title);
	return 0;
}

const struct exporter speedscope_exporter = {
	.name = "speedscope",
	.help = "speedscope.app: time order and sandwich",
	.suffix = ".speedscope.json",
	.wants_tree = true,
	.wants_runs = true,
	.write = speedscope_write,
};
