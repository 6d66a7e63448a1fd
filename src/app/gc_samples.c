/* A run of samples belongs to a collection when a collector's function stands on its stack (or,
 * interpreted, the mark that the interpreter says it collects). The outermost of those is where
 * the collection started, and what stands outside of it is who caused it.
 *
 * Runs are looked at once, a second late: by then they do not grow any more and most names are
 * there. Runs of one thread that follow each other are one pause. */
#include "app/gc_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/gc_names.h"

#define LATE_NS (1200 * NS_PER_MSEC)
#define TEXTS_MOST 512u
#define CALLERS 3u
#define FREES_LEAST 6u /* frames of a cascade: what else frees is not that deep */
#define BURST_LEAST_NS (10 * NS_PER_MSEC)
#define SPELL_GAP 4u /* samples further apart are of two bursts */
#define STACKS_SHOWN 8u
#define BURSTS                                     \
	(sizeof(((struct gc_samples *)0)->burst) / \
	 sizeof(((struct gc_samples *)0)->burst[0]))

void gc_samples_init(struct gc_samples *g)
{
	*g = (struct gc_samples){ 0 };
	intern_init(&g->texts);
	g->ring = xcalloc(GC_SAMPLES_KEPT, sizeof(*g->ring));
}

void gc_samples_done(struct gc_samples *g)
{
	intern_done(&g->texts);
	free(g->ring);
	VEC_DONE(&g->collecting);
	VEC_DONE(&g->freeing);
	VEC_DONE(&g->known);
	VEC_DONE(&g->plain);
}

void gc_samples_clear(struct gc_samples *g)
{
	g->pushed = g->bursts = 0;
	VEC_CLEAR(&g->collecting);
	VEC_CLEAR(&g->freeing);
}

/* ---- what a stack is ---- */

struct stack {
	uint32_t outer; /* node outside of the outermost collector's frame; 0 none */
	bool collects;
	unsigned frees;	     /* frames that free */
	const char *runtime; /* of the collector; "" for the mark */
};

enum gc_name gc_samples_name(struct gc_samples *g, const struct engine *e,
			     uint32_t function, const char **runtime)
{
	const struct functions *fs = &e->functions;
	enum gc_name is;

	while (g->known.n <= function)
		*VEC_PUSH(&g->known) = 0;
	if (g->known.v[function] == 1)
		return GC_NAME_NONE;
	is = gc_name_of(intern_get(&fs->strings, fs->list.v[function].name), runtime);
	g->known.v[function] = (uint8_t)(is + 1);
	return is;
}

static void judge_frame(struct gc_samples *g, const struct engine *e, uint32_t node,
			struct stack *s)
{
	const struct history *h = &e->history;
	const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];
	enum gc_name is = GC_NAME_NONE;
	const char *runtime = "";
	unsigned i;

	if (f->frame.kind == FRAME_MARK && f->frame.address == MARK_GC)
		is = GC_NAME_COLLECTS;
	else if (f->frame.kind == FRAME_NATIVE)
		for (i = 0; i < f->n_places && is == GC_NAME_NONE; i++)
			is = gc_samples_name(g, e, h->places.v[f->places + i].function,
					     &runtime);
	if (is == GC_NAME_COLLECTS) {
		s->collects = true;
		s->outer = h->nodes.v[node].parent;
		s->runtime = runtime;
	}
	s->frees += is == GC_NAME_FREES;
}

static struct stack judge(struct gc_samples *g, const struct engine *e, uint32_t node)
{
	const struct history_node *nodes = e->history.nodes.v;
	struct stack s = { .runtime = "" };
	uint32_t n;

	for (n = node; n && g->plain.v[n] != g->epoch; n = nodes[n].parent)
		judge_frame(g, e, n, &s);
	if (!s.collects && !s.frees)
		for (n = node; n && g->plain.v[n] != g->epoch; n = nodes[n].parent)
			g->plain.v[n] = g->epoch;
	return s;
}

static void begin_judging(struct gc_samples *g, const struct history *h)
{
	while (g->plain.n < h->nodes.n)
		*VEC_PUSH(&g->plain) = 0;
	if (g->epoch && g->names_version == h->names_version &&
	    g->renumbered == h->renumbered && !h->names_changed)
		return;
	g->names_version = h->names_version;
	g->renumbered = h->renumbered;
	g->epoch++;
}

/* "parse_order orders.py:88 < handle server.py:12": innermost first. */
static uint32_t text_of(struct gc_samples *g, const struct engine *e, uint32_t node)
{
	const struct history *h = &e->history;
	const struct functions *fs = &e->functions;
	char text[480] = "";
	size_t n = 0, i;
	uint32_t id;

	for (i = 0; i < CALLERS && node; node = h->nodes.v[node].parent) {
		const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];
		const struct place *p = f->n_places ? &h->places.v[f->places] : NULL;
		const char *file, *name;

		if (!p || n >= sizeof(text) - 1)
			continue;
		name = intern_get(&fs->strings, fs->list.v[p->function].name);
		file = p->file == NO_ID ? NULL : intern_get(&fs->strings, p->file);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.80s",
				      i ? " < " : "", name);
		if (file && p->line > 0 && n < sizeof(text)) {
			const char *base = strrchr(file, '/');

			n += (size_t)snprintf(text + n, sizeof(text) - n, " %.50s:%d",
					      base ? base + 1 : file, (int)p->line);
		}
		i++;
	}
	if (!text[0])
		snprintf(text, sizeof(text), "[a thread of the collector's]");
	id = intern_find(&g->texts, text);
	if (id != UINT32_MAX)
		return id;
	return intern_add(&g->texts, g->texts.strings.n < TEXTS_MOST ? text : "[others]");
}

/* ---- spells ---- */

/* A spell that is over: a pause, or a burst. */
static void end_collecting(struct gc_spell *s, struct pauses *rows, uint64_t period)
{
	if (s->weight_ns) {
		size_t row = pauses_row(rows, s->runtime, "samples", "gc on the stack");

		pauses_exact(rows, row, GC_ESTIMATED, period);
		if (rows->first_ns == 0)
			rows->first_ns = s->last_ns;
		pauses_count(rows, row, s->last_ns, 1);
		pauses_time(rows, row, s->last_ns, s->weight_ns, 1);
	}
	s->weight_ns = s->ready_ns = 0;
}

static void end_freeing(struct gc_samples *g, struct gc_spell *s)
{
	if (s->weight_ns >= BURST_LEAST_NS) {
		g->burst[g->bursts % BURSTS].time_ns = s->last_ns;
		g->burst[g->bursts++ % BURSTS].weight_ns = s->weight_ns;
	}
	s->weight_ns = 0;
}

static void extend(struct gc_spell *s, const struct run *r, const char *runtime)
{
	s->weight_ns += run_weight(r) + s->ready_ns;
	s->ready_ns = 0;
	s->last_ns = r->time_ns;
	s->runtime = runtime;
}

void gc_samples_told(struct gc_samples *g, const char *runtime)
{
	if (g->n_told < GC_TOLD_MOST)
		g->told[g->n_told++] = runtime;
}

static bool is_told(const struct gc_samples *g, const char *runtime)
{
	size_t i;

	for (i = 0; i < g->n_told; i++)
		if (strcmp(g->told[i], runtime) == 0)
			return true;
	return false;
}

/* Time without a CPU has no stack of its own: what goes on after it went on in it, too. */
static bool is_ready(const struct history *h, const struct run *r)
{
	const struct frame *f = &h->frames.v[h->nodes.v[r->stack].frame].frame;

	return f->kind == FRAME_MARK && f->address == MARK_RUNNABLE;
}

void gc_samples_freeing(struct gc_samples *g, struct gc_spell *freeing, unsigned frees,
			uint64_t time_ns, uint64_t weight_ns)
{
	if (frees < FREES_LEAST || time_ns - freeing->last_ns > SPELL_GAP * weight_ns)
		end_freeing(g, freeing);
	if (frees < FREES_LEAST)
		return;
	freeing->weight_ns += weight_ns;
	freeing->last_ns = time_ns;
}

static void take_run(struct gc_samples *g, struct engine *e, const struct run *r,
		     struct pauses *rows)
{
	uint64_t period = (uint64_t)(1e9 / e->config.rate_hz);
	struct stack s = judge(g, e, r->stack);
	struct gc_spell *collecting, *freeing;

	while (g->collecting.n <= r->thread)
		VEC_PUSH(&g->collecting)->runtime = "";
	while (g->freeing.n <= r->thread)
		VEC_PUSH(&g->freeing)->runtime = "";
	collecting = &g->collecting.v[r->thread];
	freeing = &g->freeing.v[r->thread];
	if (is_ready(&e->history, r)) {
		if (collecting->weight_ns)
			collecting->ready_ns += run_weight(r);
		return;
	}
	if (!s.collects || strcmp(collecting->runtime, s.runtime) != 0)
		end_collecting(collecting, rows, period);
	gc_samples_freeing(g, freeing, s.collects ? 0 : s.frees, r->time_ns,
			   run_weight(r));
	if (s.collects) {
		struct gc_sample *to = &g->ring[g->pushed++ % GC_SAMPLES_KEPT];

		*to = (struct gc_sample){ r->time_ns, run_weight(r),
					  text_of(g, e, s.outer), r->count };
		/* What an interpreter says itself has rows already. */
		if (s.runtime[0] && !is_told(g, s.runtime))
			extend(collecting, r, s.runtime);
	}
}

void gc_samples_take(struct gc_samples *g, struct engine *e, uint64_t now,
		     struct pauses *rows)
{
	uint64_t cut = now > LATE_NS ? now - LATE_NS : 0;
	const struct history *h = &e->history;
	size_t i;

	if (cut <= g->upto_ns)
		return;
	begin_judging(g, h);
	for (i = history_since(h, g->upto_ns); i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);

		if (r->time_ns > g->upto_ns && r->time_ns <= cut)
			take_run(g, e, r, rows);
	}
	g->upto_ns = cut;
}

/* ---- what a snapshot says ---- */

static int by_count(const void *a, const void *b)
{
	const struct gc_stack *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->text, y->text);
}

static void put_bursts(const struct gc_samples *g, uint64_t from, struct snapshot_gc *out)
{
	uint64_t i;

	for (i = g->bursts > BURSTS ? g->bursts - BURSTS : 0; i < g->bursts; i++)
		if (g->burst[i % BURSTS].time_ns > from) {
			out->bursts++;
			out->bursts_ns += g->burst[i % BURSTS].weight_ns;
		}
}

void gc_samples_put(const struct gc_samples *g, uint64_t now, uint64_t window,
		    struct arena *arena, struct snapshot_gc *out)
{
	uint64_t from = window && window < now ? now - window : 0, i;
	struct gc_stack *all;
	size_t n = g->texts.strings.n, k;

	put_bursts(g, from, out);
	if (n == 0)
		return;
	all = arena_alloc(arena, n * sizeof(*all));
	for (k = 0; k < n; k++)
		all[k] = (struct gc_stack){ 0, 0, intern_get(&g->texts, (uint32_t)k) };
	for (i = g->pushed > GC_SAMPLES_KEPT ? g->pushed - GC_SAMPLES_KEPT : 0;
	     i < g->pushed; i++) {
		const struct gc_sample *s = &g->ring[i % GC_SAMPLES_KEPT];

		if (s->time_ns <= from)
			continue;
		all[s->text].count += s->count;
		all[s->text].total_ns += s->weight_ns;
		out->stacks_of += s->count;
	}
	qsort(all, n, sizeof(*all), by_count);
	for (k = 0; k < n && k < STACKS_SHOWN && all[k].count; k++)
		all[k].text = arena_str(arena, all[k].text);
	out->stacks = all;
	out->n_stacks = k;
}
