/* The history renumbers its nodes and frames when it makes room; functions keep their
 * numbers. So the maps from the history's numbers to the file's hold until the next
 * rerenumbered, after which the survivors are simply written again under new ids: rare,
 * and cheaper than a second trie of everything ever seen.
 *
 * The newest run of a thread may still grow (equal samples are one run): what it gained
 * after it was taken becomes a row of its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "recording/batch.h"

struct frame_written {
	uint32_t id;	/* 0: not yet */
	uint64_t named; /* hash of the places written last */
};

/* The last run taken of a thread. */
struct last_taken {
	uint64_t number; /* of it, from 1; 0 none */
	uint64_t weight_ns;
	uint32_t count;
	struct batch_thread thread; /* as written; id 0: not yet */
};

struct gatherer {
	uint64_t start_ns, taken, namings, missed;
	uint32_t renumbered, functions, next_frame, next_stack, next_thread;
	VEC(struct frame_written) frames; /* by the history's frame */
	VEC(uint32_t) stacks;		  /* by the history's node */
	VEC(struct last_taken) threads;	  /* by the history's thread */
	struct arena names;		  /* of threads */
};

struct batch *batch_new(void)
{
	return xcalloc(1, sizeof(struct batch));
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	VEC_DONE(&b->functions);
	VEC_DONE(&b->frames);
	VEC_DONE(&b->places);
	VEC_DONE(&b->stacks);
	VEC_DONE(&b->threads);
	VEC_DONE(&b->runs);
	VEC_DONE(&b->series);
	VEC_DONE(&b->pauses);
	VEC_DONE(&b->latencies);
	VEC_DONE(&b->slow);
	snapshot_free(b->facts);
	arena_done(&b->arena);
	free(b);
}

size_t batch_bytes(const struct batch *b)
{
	return sizeof(*b) + b->arena.total_bytes + b->runs.cap * sizeof(*b->runs.v) +
	       b->stacks.cap * sizeof(*b->stacks.v) +
	       b->frames.cap * sizeof(*b->frames.v) +
	       b->places.cap * sizeof(*b->places.v) +
	       b->functions.cap * sizeof(*b->functions.v) +
	       b->slow.cap * sizeof(*b->slow.v);
}

static void add_series(struct batch *b, const char *name, double value)
{
	if (isfinite(value)) /* else it is not known: no point */
		*VEC_PUSH(&b->series) = (struct batch_series){ name, value };
}

static void add_pauses(struct batch *b, const struct snapshot_gc *gc)
{
	struct arena *a = &b->arena;
	size_t i;

	for (i = 0; i < gc->n_rows; i++) {
		const struct gc_row *r = &gc->rows[i];

		if (r->count == 0 && r->timed == 0)
			continue;
		*VEC_PUSH(&b->pauses) = (struct batch_pause){
			.runtime = arena_str(a, r->runtime),
			.source = arena_str(a, r->source),
			.generation = arena_str(a, r->generation),
			.cause = arena_str(a, r->cause),
			.interval_ns = r->exactness == GC_EXACT ? 0 : r->interval_ns,
			.count = r->count,
			.timed = r->timed,
			.total_ns = r->total_ns,
			.p50_ns = r->p50_ns,
			.p95_ns = r->p95_ns,
			.p99_ns = r->p99_ns,
			.max_ns = r->max_ns,
			.collected = r->collected_known ? r->collected : 0,
		};
	}
}

static void add_latencies(struct batch *b, const struct snapshot_latency *l)
{
	size_t i;

	for (i = 0; i < l->n_rows; i++) {
		const struct snapshot_latency_row *r = &l->rows[i];
		struct batch_latency *to;

		if (r->count == 0)
			continue;
		to = VEC_PUSH(&b->latencies);
		to->name = arena_str(&b->arena, r->name);
		to->source = latency_source_name(r->source);
		to->exactness = arena_str(&b->arena, r->exactness);
		to->count = r->count;
		memcpy(to->figure, r->figure, sizeof(to->figure));
	}
}

static void add_slow(struct batch *b, const struct snapshot *s)
{
	const struct snapshot_latency *l = &s->latency;
	size_t i;

	b->slow_ns = l->slow_ns;
	if (l->slow_count)
		add_series(b, "slow_calls", (double)l->slow_count);
	for (i = 0; i < l->n_slow; i++) {
		const struct snapshot_slow *c = &l->slow[i];
		int64_t end = (int64_t)(b->time_ns + c->time_ns - b->clock_ns);

		if (c->time_ns > b->clock_ns || end < 0)
			continue;
		*VEC_PUSH(&b->slow) = (struct batch_slow){
			.start_us = (end - (int64_t)c->took_ns) / 1000,
			.took_ns = c->took_ns,
			.name = arena_str(&b->arena, c->name),
			.thread = arena_str(&b->arena, c->thread),
			.stack = arena_str(&b->arena, c->stack),
			.tid = c->tid,
			.stack_pct = c->stack_pct,
		};
	}
}

static void add_limit(struct batch *b, const struct snapshot_memory *m)
{
	bool group = m->limit == LIMIT_CGROUP;

	if (m->limit == LIMIT_NONE)
		return;
	add_series(b, group ? "cgroup_limit_bytes" : "machine_limit_bytes",
		   (double)m->limit_bytes);
	add_series(b, group ? "cgroup_left_bytes" : "machine_left_bytes",
		   (double)m->headroom_bytes);
	if (m->limit_hits)
		add_series(b, "cgroup_limit_hits", (double)m->limit_hits);
	if (group)
		b->cgroup = arena_str(&b->arena, m->limit_name);
}

static void add_memory(struct batch *b, const struct snapshot_memory *m)
{
	if (!m->known)
		return;
	add_series(b, "process_rss_bytes", (double)m->rss_bytes);
	add_series(b, "anon_bytes", (double)m->anon_bytes);
	add_series(b, "file_bytes", (double)m->file_bytes);
	add_series(b, "shmem_bytes", (double)m->shmem_bytes);
	add_series(b, "swap_bytes", (double)m->swap_bytes);
	add_series(b, "minor_faults_per_s", m->minor_per_s);
	add_series(b, "major_faults_per_s", m->major_per_s);
	if (m->pss_known)
		add_series(b, "pss_bytes", (double)m->pss_bytes);
	add_limit(b, m);
}

void batch_facts(struct batch *b, const struct snapshot *s)
{
	struct snapshot *to = snapshot_new();
	struct arena *a = &to->arena;

	*to = *s;
	to->arena = (struct arena){ 0 };
	to->functions = NULL;
	to->nodes = NULL;
	to->threads = NULL;
	to->messages = NULL;
	to->n_functions = to->n_nodes = to->n_threads = to->n_messages = 0;
	to->command = arena_str(a, s->command);
	to->cmdline = arena_str(a, s->cmdline);
	to->runtime = arena_str(a, s->runtime);
	to->host = arena_str(a, s->host);
	to->backend = arena_str(a, s->backend);
	to->limits = arena_str(a, s->limits);
	memory_init(&to->memory);
	to->cpu = (struct series_view){ 0 };
	to->gc = (struct snapshot_gc){ 0 };
	to->latency = (struct snapshot_latency){ 0 };
	to->diagnosis = (struct snapshot_diagnosis){ 0 };
	snapshot_free(b->facts);
	b->facts = to;
	add_series(b, "cpu_pct", s->target_cpu_pct);
	add_series(b, "user_pct", s->target_user_pct);
	add_series(b, "system_pct", s->target_system_pct);
	add_series(b, "rss_bytes",
		   s->target_rss_bytes ? (double)s->target_rss_bytes : NAN);
	add_series(b, "own_cpu_pct", s->own_cpu_pct);
	add_memory(b, &s->memory);
	add_pauses(b, &s->gc);
	add_latencies(b, &s->latency);
	add_slow(b, s);
}

/* ---- fewer rows ---- */

static int by_stack(const void *a, const void *b)
{
	const struct batch_run *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	if (x->off_cpu != y->off_cpu)
		return x->off_cpu ? 1 : -1;
	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static int by_time(const void *a, const void *b)
{
	const struct batch_run *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return by_stack(a, b);
}

void batch_squeeze(struct batch *b, size_t most)
{
	size_t i, n = 0;

	if (b->runs.n <= most || b->runs.n < 2)
		return;
	qsort(b->runs.v, b->runs.n, sizeof(*b->runs.v), by_stack);
	for (i = 1; i < b->runs.n; i++) {
		struct batch_run *to = &b->runs.v[n];
		const struct batch_run *r = &b->runs.v[i];

		if (r->thread == to->thread && r->stack == to->stack &&
		    r->off_cpu == to->off_cpu &&
		    (uint64_t)to->samples + r->samples <= UINT32_MAX) {
			to->weight_ns += r->weight_ns;
			to->samples += r->samples;
			to->time_ns = r->time_ns;
		} else {
			b->runs.v[++n] = *r;
		}
	}
	b->runs.n = n + 1;
	qsort(b->runs.v, b->runs.n, sizeof(*b->runs.v), by_time);
}

/* ---- gathering ---- */

struct gatherer *gatherer_new(uint64_t start_ns)
{
	struct gatherer *g = xcalloc(1, sizeof(*g));

	g->start_ns = start_ns;
	g->next_frame = g->next_stack = g->next_thread = 1;
	return g;
}

void gatherer_free(struct gatherer *g)
{
	if (!g)
		return;
	VEC_DONE(&g->frames);
	VEC_DONE(&g->stacks);
	VEC_DONE(&g->threads);
	arena_done(&g->names);
	free(g);
}

uint64_t gatherer_missed(const struct gatherer *g)
{
	return g->missed;
}

static void put_functions(struct gatherer *g, const struct functions *fs, struct batch *b)
{
	for (; g->functions < fs->list.n; g->functions++) {
		const struct function *f = &fs->list.v[g->functions];

		*VEC_PUSH(&b->functions) = (struct batch_function){
			.id = g->functions + 1,
			.name = arena_str(&b->arena, intern_get(&fs->strings, f->name)),
			.module =
			    arena_str(&b->arena, intern_get(&fs->strings, f->module)),
			.runtime = f->runtime,
			.kind = f->kind,
			.library = f->library,
		};
	}
}

static uint64_t hash_places(const struct history *h, const struct history_frame *f)
{
	uint64_t hash = f->n_places;
	size_t i;

	for (i = 0; i < f->n_places; i++) {
		const struct place *p = &h->places.v[f->places + i];

		hash = hash_pair(hash ^ p->function,
				 (uint64_t)p->file << 32 | (uint32_t)p->line);
	}
	return hash;
}

static void put_places(struct gatherer *g, const struct history *h,
		       const struct functions *fs, uint32_t frame, struct batch *b)
{
	const struct history_frame *f = &h->frames.v[frame];
	size_t i;

	g->frames.v[frame].named = hash_places(h, f);
	for (i = 0; i < f->n_places; i++) {
		const struct place *p = &h->places.v[f->places + i];
		const char *file =
		    p->file != NO_ID ? intern_get(&fs->strings, p->file) : "";

		*VEC_PUSH(&b->places) = (struct batch_place){
			.frame = g->frames.v[frame].id,
			.depth = (uint32_t)i,
			.function = p->function + 1,
			.file = arena_str(&b->arena, file),
			.line = p->line,
		};
	}
}

static uint32_t put_frame(struct gatherer *g, const struct history *h,
			  const struct functions *fs, uint32_t frame, struct batch *b)
{
	while (g->frames.n <= frame)
		(void)VEC_PUSH(&g->frames);
	if (!g->frames.v[frame].id) {
		g->frames.v[frame].id = g->next_frame++;
		*VEC_PUSH(&b->frames) = (struct batch_frame){ g->frames.v[frame].id,
							      h->frames.v[frame].frame };
		put_places(g, h, fs, frame, b);
	}
	return g->frames.v[frame].id;
}

/* From the leaf up to what is written already, then down again. */
static uint32_t put_stack(struct gatherer *g, const struct history *h,
			  const struct functions *fs, uint32_t node, struct batch *b)
{
	uint32_t path[DEPTH_MAX + 1], n = 0, parent;

	while (g->stacks.n < h->nodes.n)
		*VEC_PUSH(&g->stacks) = 0;
	for (; node && !g->stacks.v[node] && n <= DEPTH_MAX;
	     node = h->nodes.v[node].parent)
		path[n++] = node;
	parent = node ? g->stacks.v[node] : 0;
	while (n-- > 0) {
		uint32_t frame = put_frame(g, h, fs, h->nodes.v[path[n]].frame, b);

		g->stacks.v[path[n]] = g->next_stack++;
		*VEC_PUSH(&b->stacks) =
		    (struct batch_stack){ g->stacks.v[path[n]], parent, frame };
		parent = g->stacks.v[path[n]];
	}
	return parent;
}

/* The number of a thread that ended is given to another one. */
static uint32_t put_thread(struct gatherer *g, uint32_t number,
			   const struct gather_thread *threads, size_t n_threads,
			   struct batch *b)
{
	struct gather_thread unknown = { 0, 0, "", "" };
	const struct gather_thread *t = number < n_threads ? &threads[number] : &unknown;
	struct batch_thread *known;

	while (g->threads.n <= number)
		(void)VEC_PUSH(&g->threads);
	known = &g->threads.v[number].thread;
	if (known->id && known->tid == t->tid && known->pid == t->pid &&
	    strcmp(known->name, t->name) == 0)
		return known->id;
	if (!known->id || known->tid != t->tid || known->pid != t->pid)
		known->id = g->next_thread++;
	known->pid = t->pid;
	known->tid = t->tid;
	known->name = arena_str(&g->names, t->name);
	*VEC_PUSH(&b->threads) =
	    (struct batch_thread){ known->id, t->pid, t->tid,
				   arena_str(&b->arena, t->name),
				   arena_str(&b->arena, t->process) };
	return known->id;
}

/* ---- runs ---- */

struct taking {
	struct gatherer *g;
	const struct gather_from *from;
	struct batch *b;
};

/* `before` and `counted` of it are in the file already. */
static void put_run(struct taking *t, uint64_t number, uint64_t before, uint32_t counted)
{
	struct gatherer *g = t->g;
	const struct history *h = t->from->history;
	const struct run *r = history_run(h, h->n_runs - (size_t)(h->pushed - number));
	uint64_t weight = run_weight(r);
	struct last_taken *last;
	uint32_t thread;

	if (r->time_ns < g->start_ns || r->time_ns > t->from->end_ns || weight < before ||
	    r->count < counted || (weight == before && r->count == counted))
		return;
	if (t->from->only_tid && (r->thread >= t->from->n_threads ||
				  t->from->threads[r->thread].tid != t->from->only_tid))
		return;
	thread = put_thread(g, r->thread, t->from->threads, t->from->n_threads, t->b);
	last = &g->threads.v[r->thread];
	last->number = number + 1;
	last->weight_ns = weight;
	last->count = r->count;
	*VEC_PUSH(&t->b->runs) = (struct batch_run){
		.time_ns = r->time_ns - g->start_ns,
		.weight_ns = weight - before,
		.thread = thread,
		.stack = put_stack(g, h, t->from->functions, r->stack, t->b),
		.samples = r->count - counted,
		.off_cpu = r->off_cpu,
	};
}

/* Runs are numbered from 0 as they were pushed; the oldest are gone. */
static void put_runs(struct taking *t)
{
	struct gatherer *g = t->g;
	const struct history *h = t->from->history;
	uint64_t held = h->pushed - h->n_runs;
	size_t i;

	for (i = 0; i < g->threads.n; i++) {
		struct last_taken l = g->threads.v[i];

		if (l.number > held && l.number <= g->taken)
			put_run(t, l.number - 1, l.weight_ns, l.count);
	}
	if (g->taken < held) {
		g->missed += held - g->taken;
		g->taken = held;
	}
	for (; g->taken < h->pushed; g->taken++)
		put_run(t, g->taken, 0, 0);
}

static void put_late_names(struct gatherer *g, const struct history *h,
			   const struct functions *fs, struct batch *b)
{
	size_t i;

	if (g->namings == h->namings)
		return;
	for (i = 0; i < g->frames.n; i++)
		if (g->frames.v[i].id &&
		    hash_places(h, &h->frames.v[i]) != g->frames.v[i].named)
			put_places(g, h, fs, (uint32_t)i, b);
	g->namings = h->namings;
}

struct batch *gather(struct gatherer *g, const struct gather_from *from)
{
	struct batch *b = batch_new();
	struct taking t = { g, from, b };

	b->time_ns = from->end_ns > g->start_ns ? from->end_ns - g->start_ns : 0;
	b->start_wall_ns = from->wall_ns - b->time_ns;
	b->clock_ns = from->end_ns;
	put_functions(g, from->functions, b);
	if (g->renumbered != from->history->renumbered) {
		VEC_CLEAR(&g->frames);
		VEC_CLEAR(&g->stacks);
		g->renumbered = from->history->renumbered;
	} else {
		put_late_names(g, from->history, from->functions, b);
	}
	put_runs(&t);
	return b;
}
