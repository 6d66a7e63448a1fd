/* The sums of a window by place become rows by function. A function's total counts only
 * its outermost occurrence on each stack (history_node.repeated), so recursion never
 * exceeds 100 %. */
#include "model/picture.h"

#include <stdlib.h>
#include <string.h>

#include "model/lines.h"
#include "model/tree.h"

#define HOT_SELF \
	(1ull << 63) /* lines with time of their own win over lines that only call */

struct tally { /* by function */
	uint64_t *self, *total, *hot;
	uint32_t *hot_place; /* index in history.places */
};

static void tally_init(struct tally *t, const struct functions *fs)
{
	*t = (struct tally){
		.self = xcalloc(fs->list.n, sizeof(*t->self)),
		.total = xcalloc(fs->list.n, sizeof(*t->total)),
		.hot = xcalloc(fs->list.n, sizeof(*t->hot)),
		.hot_place = xcalloc(fs->list.n, sizeof(*t->hot_place)),
	};
}

static void tally_done(struct tally *t)
{
	free(t->self);
	free(t->total);
	free(t->hot);
	free(t->hot_place);
}

/* Places of all frames; those that were replaced by more of them have no weight. */
static void tally_places(struct tally *t, const struct history *h, const struct sums *s)
{
	size_t i;

	for (i = 0; i < s->places.n; i++) {
		const struct place *p = &h->places.v[i];
		const struct place_sum *w = &s->places.v[i];
		uint64_t heat = w->self ? w->self | HOT_SELF : w->total;

		if (!w->total && !w->self)
			continue;
		t->self[p->function] += w->self;
		t->total[p->function] += w->total;
		if (p->line > 0 && heat > t->hot[p->function]) {
			t->hot[p->function] = heat;
			t->hot_place[p->function] = (uint32_t)i;
		}
	}
}

static uint64_t window_start(const struct history *h, const struct picture_query *q)
{
	if (q->window_ns && q->window_ns < q->end_ns)
		return q->end_ns - q->window_ns;
	return h->n_runs ? 0 : q->end_ns;
}

static bool counts(const struct run *r, const struct picture_query *q, uint64_t from)
{
	return r->time_ns > from && r->time_ns <= q->end_ns &&
	       (q->mode == MODE_WALL || !r->off_cpu);
}

/* Which threads the window is about. */
static void add_threads(const struct history *h, const struct picture_query *q,
			struct picture_thread *threads, size_t n)
{
	uint64_t from = window_start(h, q);
	size_t i;

	for (i = history_since(h, from); i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);

		if (r->time_ns <= from || r->time_ns > q->end_ns || r->thread >= n)
			continue;
		if (r->off_cpu)
			threads[r->thread].off_ns += run_weight(r);
		else
			threads[r->thread].on_ns += run_weight(r);
	}
	for (i = 0; i < n; i++)
		threads[i].hidden = picture_hides(q, &threads[i], i);
}

static void add_runs(const struct history *h, const struct picture_query *q,
		     const struct picture_thread *threads, size_t n, struct sums *s)
{
	uint64_t from = window_start(h, q);
	size_t i;

	sums_clear(s, h);
	for (i = history_since(h, from); i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);

		if (!counts(r, q, from) || (r->thread < n && threads[r->thread].hidden))
			continue;
		sums_add(s, h, r->stack, run_weight(r), r->count);
	}
	sums_spread(s, h);
}

/* ---- trends ---- */

void live_done(struct live *l)
{
	size_t i;

	follow_done(&l->follow);
	for (i = 0; i < TREND_CELLS; i++)
		VEC_DONE(&l->trends.cell[i].total);
	*l = (struct live){ 0 };
}

static void fill_cell(const struct history *h, const struct functions *fs,
		      const struct picture_query *q, uint64_t cell_ns,
		      const struct picture_thread *threads, size_t n_threads,
		      struct trend_cell *cell)
{
	struct picture_query part = *q;
	struct sums sums = { 0 };
	struct tally t;
	size_t i;

	part.end_ns = (cell->number + 1) * cell_ns;
	part.window_ns = cell_ns;
	tally_init(&t, fs);
	add_runs(h, &part, threads, n_threads, &sums);
	tally_places(&t, h, &sums);
	cell->weight_ns = sums.weight_ns;
	VEC_CLEAR(&cell->total);
	for (i = 0; i < fs->list.n && sums.weight_ns; i++)
		*VEC_PUSH(&cell->total) = t.total[i];
	tally_done(&t);
	sums_done(&sums);
}

static void trends_update(struct trends *t, const struct history *h,
			  const struct functions *fs, const struct picture_query *q,
			  const struct picture_thread *threads, size_t n_threads)
{
	uint64_t span = q->window_ns ? q->window_ns : 60000000000ull;
	uint64_t cell_ns = span / TREND_CELLS, newest, k;
	bool all;

	if (cell_ns == 0 || q->end_ns < cell_ns * (TREND_CELLS + 1))
		return;
	/* Rings and sleeping threads bring their runs a little late. */
	newest = (q->end_ns - cell_ns / 4) / cell_ns - 1;
	all = cell_ns != t->cell_ns || t->names_version != h->names_version ||
	      t->mode != q->mode || t->only != q->only;
	for (k = newest + 1 - TREND_CELLS; k <= newest; k++) {
		struct trend_cell *cell = &t->cell[k % TREND_CELLS];

		if (!all && cell->number == k)
			continue;
		cell->number = k;
		fill_cell(h, fs, q, cell_ns, threads, n_threads, cell);
	}
	t->cell_ns = cell_ns;
	t->newest = newest;
	t->mode = q->mode;
	t->only = q->only;
	t->names_version = h->names_version;
}

static void put_trend(const struct trends *t, uint32_t function, uint8_t *out)
{
	size_t i;

	for (i = 0; i < TREND_CELLS && t->cell_ns; i++) {
		const struct trend_cell *c = &t->cell[(t->newest + 1 + i) % TREND_CELLS];

		if (c->weight_ns && function < c->total.n)
			out[i] = (uint8_t)(c->total.v[function] * 255 / c->weight_ns);
	}
}

/* ---- rows and tree ---- */

static void put_row(const struct history *h, const struct functions *fs, uint32_t id,
		    const struct tally *t, struct snapshot *s,
		    struct snapshot_function *row)
{
	const struct function *f = &fs->list.v[id];
	const struct place *hot = t->hot[id] ? &h->places.v[t->hot_place[id]] : NULL;

	*row = (struct snapshot_function){
		.name = arena_str(&s->arena, intern_get(&fs->strings, f->name)),
		.module = arena_str(&s->arena, intern_get(&fs->strings, f->module)),
		.file = "",
		.kind = f->kind,
		.runtime = f->runtime,
		.library = f->library,
		.thread = UINT32_MAX,
		.self_ns = t->self[id],
		.total_ns = t->total[id],
		.id = (uint64_t)id + 1,
		.function = (uint64_t)id + 1,
	};
	if (hot) {
		row->line = hot->line;
		if (hot->file != NO_ID)
			row->file =
			    arena_str(&s->arena, intern_get(&fs->strings, hot->file));
	}
}

/* Appends rows of a tally; returns the new count. */
static size_t put_rows(const struct history *h, const struct functions *fs,
		       const struct tally *t, const struct trends *trends,
		       struct snapshot *s, size_t n, size_t *cap)
{
	size_t i;

	for (i = 0; i < fs->list.n; i++) {
		if (!t->total[i])
			continue;
		if (n == *cap) {
			size_t more = *cap ? *cap * 2 : 256;
			struct snapshot_function *v =
			    arena_alloc(&s->arena, more * sizeof(*v));

			if (n)
				memcpy(v, s->functions, n * sizeof(*v));
			s->functions = v;
			*cap = more;
		}
		put_row(h, fs, (uint32_t)i, t, s, &s->functions[n]);
		if (trends)
			put_trend(trends, (uint32_t)i, s->functions[n].trend);
		n++;
	}
	return n;
}

/* at[]: the node of the call tree by node of the history. */
static void put_runs(const struct history *h, const struct picture_query *q,
		     const struct picture_thread *threads, size_t n_threads,
		     const uint32_t *at, struct snapshot *s)
{
	uint64_t from = window_start(h, q);
	size_t first = history_since(h, from), i;

	s->runs = arena_alloc(&s->arena, (h->n_runs - first + 1) * sizeof(*s->runs));
	for (i = first; i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);

		if (!counts(r, q, from) ||
		    (r->thread < n_threads && threads[r->thread].hidden))
			continue;
		s->runs[s->n_runs++] = (struct snapshot_run){ .time_ns = r->time_ns,
							      .weight_ns = run_weight(r),
							      .thread = r->thread,
							      .node = at[r->stack],
							      .samples = r->count,
							      .off_cpu = r->off_cpu };
	}
}

/* On how many threads each function was. The runs are put in order of their threads; then a
 * thread walks from its leaves up to where it has been already, so it costs no more than the
 * tree has nodes. */
static void put_spread(const struct history *h, const struct picture_query *q,
		       const struct picture_thread *threads, size_t n_threads,
		       const uint32_t *at, struct snapshot *s)
{
	uint64_t from = window_start(h, q);
	size_t first = history_since(h, from), n = h->n_runs - first, i;
	uint32_t *end = xcalloc(n_threads + 1, sizeof(*end));
	uint32_t *leaf = xcalloc(n + 1, sizeof(*leaf));
	uint32_t *node_seen = xcalloc(s->n_nodes + 1, sizeof(*node_seen));
	uint32_t *function_seen = xcalloc(s->n_functions + 1, sizeof(*function_seen));
	uint32_t thread, k = 0, node;

	for (i = first; i < h->n_runs; i++)
		if (history_run(h, i)->thread < n_threads)
			end[history_run(h, i)->thread + 1]++;
	for (i = 1; i <= n_threads; i++)
		end[i] += end[i - 1]; /* of the thread before; fills up to its own */
	for (i = first; i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);

		if (r->thread < n_threads)
			leaf[end[r->thread]++] =
			    counts(r, q, from) && !threads[r->thread].hidden
				? at[r->stack]
				: 0;
	}
	for (thread = 0; thread < n_threads; thread++)
		for (; k < end[thread]; k++)
			for (node = leaf[k]; node && node_seen[node] != thread + 1;
			     node = s->nodes[node].parent) {
				uint32_t f = s->nodes[node].function;

				node_seen[node] = thread + 1;
				s->functions[f].n_threads +=
				    function_seen[f] != thread + 1;
				function_seen[f] = thread + 1;
			}
	free(function_seen);
	free(node_seen);
	free(leaf);
	free(end);
}

static void put_tree(const struct history *h, const struct functions *fs,
		     const struct sums *sums, const struct picture_query *q,
		     const struct picture_thread *threads, size_t n_threads,
		     struct snapshot *s)
{
	uint32_t *row_of = lines_rows(h, fs, s);
	uint32_t *at = xcalloc(h->nodes.n, sizeof(*at));
	uint64_t *total = xcalloc(h->nodes.n, sizeof(*total));
	struct tree tree;
	size_t i, k;

	history_totals(h, sums->node_self.v, total);
	tree_init(&tree);
	for (i = 1; i < h->nodes.n; i++) {
		const struct history_node *n = &h->nodes.v[i];
		const struct history_frame *f = &h->frames.v[n->frame];

		if (!total[i])
			continue;
		at[i] = at[n->parent];
		for (k = f->n_places; k-- > 0;)
			at[i] = tree_child(&tree, at[i], row_of[f->places + k]);
		tree.nodes.v[at[i]].self_ns += sums->node_self.v[i];
	}
	tree_total(&tree);
	s->n_nodes = tree.nodes.n;
	s->nodes = arena_alloc(&s->arena, tree.nodes.n * sizeof(*s->nodes));
	memcpy(s->nodes, tree.nodes.v, tree.nodes.n * sizeof(*s->nodes));
	tree_done(&tree);
	if (q->runs)
		put_runs(h, q, threads, n_threads, at, s);
	if (q->spread)
		put_spread(h, q, threads, n_threads, at, s);
	free(total);
	free(row_of);
	free(at);
}

/* ---- one row a function and thread ---- */

struct thread_stack {
	uint32_t thread, stack;
	uint64_t weight;
};

static int by_thread(const void *a, const void *b)
{
	const struct thread_stack *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

/* Walks from a leaf up; a tally of one thread touches only the nodes of its own stacks.
 */
static void add_stack(const struct history *h, const struct thread_stack *ts,
		      struct tally *t)
{
	uint32_t node = ts->stack;
	bool leaf = true;

	for (; node; node = h->nodes.v[node].parent) {
		const struct history_node *n = &h->nodes.v[node];
		const struct history_frame *f = &h->frames.v[n->frame];
		size_t i;

		for (i = 0; i < f->n_places; i++) {
			uint32_t id = h->places.v[f->places + i].function;

			if (leaf && i == 0)
				t->self[id] += ts->weight;
			if (!(n->repeated >> i & 1))
				t->total[id] += ts->weight;
		}
		leaf = false;
	}
}

static void put_split_rows(const struct history *h, const struct functions *fs,
			   const struct picture_query *q,
			   const struct picture_thread *threads, size_t n_threads,
			   struct snapshot *s)
{
	VEC(struct thread_stack) list = { 0 };
	uint64_t from = window_start(h, q);
	size_t i, n = 0, cap = 0, row;
	struct tally t;

	for (i = history_since(h, from); i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);
		struct thread_stack *ts;

		if (!counts(r, q, from) ||
		    (r->thread < n_threads && threads[r->thread].hidden))
			continue;
		ts = VEC_PUSH(&list);
		*ts = (struct thread_stack){ r->thread, r->stack, run_weight(r) };
	}
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), by_thread);
	tally_init(&t, fs);
	for (i = 0; i < list.n; i++) {
		add_stack(h, &list.v[i], &t);
		if (i + 1 < list.n && list.v[i + 1].thread == list.v[i].thread)
			continue;
		row = n;
		n = put_rows(h, fs, &t, NULL, s, n, &cap);
		for (; row < n; row++) {
			s->functions[row].thread = list.v[i].thread;
			s->functions[row].id |= ((uint64_t)list.v[i].thread + 1) << 32;
		}
		memset(t.self, 0, fs->list.n * sizeof(*t.self));
		memset(t.total, 0, fs->list.n * sizeof(*t.total));
	}
	s->n_functions = n;
	tally_done(&t);
	VEC_DONE(&list);
}

/* The lines beside the rows, before there are rows. */
static void put_hot_lines(struct history *h, const struct functions *fs,
			  const struct sums *sums, struct snapshot *out)
{
	lines_put(h, fs, sums, out);
	snapshot_sort(out);
	out->lines = out->functions;
	out->n_lines = out->n_functions;
	out->functions = NULL;
	out->n_functions = 0;
}

static void put_content(struct history *h, const struct functions *fs,
			const struct picture_query *q, struct live *live,
			const struct sums *sums, const struct picture_thread *threads,
			size_t n_threads, struct snapshot *out)
{
	const struct trends *trends = live ? &live->trends : NULL;
	struct tally t;
	size_t cap = 0;

	out->by_line = q->lines;
	if (q->hot_lines && !q->lines)
		put_hot_lines(h, fs, sums, out);
	if (q->lines) {
		lines_put(h, fs, sums, out);
	} else if (q->merged || q->tree) {
		tally_init(&t, fs);
		tally_places(&t, h, sums);
		out->n_functions = put_rows(h, fs, &t, trends, out, 0, &cap);
		tally_done(&t);
	} else {
		put_split_rows(h, fs, q, threads, n_threads, out);
	}
	snapshot_sort(out);
	if (q->tree)
		put_tree(h, fs, sums, q, threads, n_threads, out);
	if (q->hot_lines && q->lines) {
		out->lines = out->functions;
		out->n_lines = out->n_functions;
	}
	out->weight_ns = sums->weight_ns;
	out->samples = sums->samples;
}

void picture_build(struct history *h, const struct functions *fs,
		   const struct picture_query *q, struct live *live,
		   struct picture_thread *threads, size_t n_threads, struct snapshot *out)
{
	struct sums own = { 0 }, *sums = &own;

	history_refresh(h);
	if (live) {
		follow_update(&live->follow, h, q, threads, n_threads);
		sums = &live->follow.sums;
		if (q->merged)
			trends_update(&live->trends, h, fs, q, threads, n_threads);
	} else {
		add_threads(h, q, threads, n_threads);
		add_runs(h, q, threads, n_threads, &own);
	}
	put_content(h, fs, q, live, sums, threads, n_threads, out);
	out->window_ns = q->window_ns;
	out->mode = q->mode;
	out->time_ns = q->end_ns;
	out->threads_merged = q->merged;
	out->idle_shown = q->idle_shown;
	sums_done(&own);
}

/* ---- lines ---- */

void picture_sums(struct history *h, const struct picture_query *q, struct sums *out)
{
	history_refresh(h);
	add_runs(h, q, NULL, 0, out);
}

size_t picture_wants_lines(struct history *h, const struct sums *s, double least_pct,
			   uint32_t *frames, size_t max)
{
	uint64_t least = (uint64_t)((double)s->weight_ns * least_pct / 100.0);
	size_t i, n = 0;

	for (i = 0; i < h->frames.n && n < max; i++) {
		struct history_frame *f = &h->frames.v[i];
		uint64_t total;

		/* A frame newer than the sums comes at the next picture. */
		if (f->asked || f->frame.kind != FRAME_NATIVE || !f->n_places ||
		    f->places >= s->places.n)
			continue;
		total = s->places.v[f->places].total;
		if (!total || total < least)
			continue;
		f->asked = true;
		frames[n++] = (uint32_t)i;
	}
	return n;
}
