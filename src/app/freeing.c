/* Cheap by being few: samples hold the registers and the top of the stack only, for a cascade of
 * frees is deep and its frames are small, and the ring is read a few times a second. Timers
 * cost a target that switches often, at each switch; such a one is left alone.
 *
 * Names come late, so a sample is kept for a second before it is judged. */
#include "app/freeing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "model/census.h"
#include "symbol/symbols.h"

#define RATE_HZ 49.0
#define WEIGHT_NS ((uint64_t)(1e9 / RATE_HZ))
#define STACK_BYTES 2048u
#define FRAMES 24u
#define KEPT 512u
#define THREADS 32u
#define LATE_NS (1200 * NS_PER_MSEC)
#define DRAIN_NS (500 * NS_PER_MSEC)
#define AGAIN_NS (30 * NS_PER_SEC)
#define SWITCHES_MOST 500.0
#define EVENTS_AT_ONCE 1000u
#define FREERS 256u
#define TYPES_NS (30 * NS_PER_MSEC)
#define TYPE_DEALLOC 48u /* PyTypeObject.tp_dealloc, since 2.x */

struct freeing_sample {
	uint64_t time_ns;
	pid_t tid;
	uint32_t n;
	struct frame frame[FRAMES]; /* innermost first */
};

struct types_work {
	struct work work;
	struct freeing *to; /* NULL: nobody waits for it any more */
	pid_t pid;
	const struct runtime *runtime;
	void *plan; /* owned */
	uint64_t address[FREERS];
	size_t n;
};

struct freeing {
	struct engine *e;
	struct types_work *types;   /* under way; the namer's */
	struct frame freer[FREERS]; /* where functions that free begin */
	size_t freers;
	const struct backend *backend;
	struct sampler *sampler; /* NULL: not sampling */
	uint64_t due_ns, switches, switches_ns;
	bool switches_told;    /* by records, which is cheaper than to ask all threads */
	double switches_per_s; /* above SWITCHES_MOST: not sampling for that */
	struct freeing_sample *ring; /* KEPT of them */
	uint64_t pushed, judged;
	struct {
		pid_t tid;
		struct gc_spell spell;
	} thread[THREADS];
	bool refused;
};

struct freeing *freeing_new(struct engine *e)
{
	struct freeing *f = xcalloc(1, sizeof(*f));

	f->e = e;
	f->ring = xcalloc(KEPT, sizeof(*f->ring));
	return f;
}

void freeing_stop(struct freeing *f)
{
	if (f->sampler)
		f->backend->close(f->sampler);
	f->sampler = NULL;
	f->due_ns = 0;
	f->switches_per_s = 0;
}

void freeing_free(struct freeing *f)
{
	freeing_stop(f);
	if (f->types)
		f->types->to = NULL;
	free(f->ring);
	free(f);
}

/* True when the target switches too often for a timer of its threads. */
static bool is_dear(struct freeing *f, uint64_t now)
{
	const struct space *s = engine_space(f->e, f->e->process.pid);
	bool told = s && s->records_ns;
	uint64_t n = told ? s->switches : process_switches(f->e->process.pid);
	uint64_t step = n > f->switches ? n - f->switches : 0;
	double span = (double)(now - f->switches_ns) / (double)NS_PER_SEC;
	bool known = f->switches_ns != 0 && f->switches_told == told;

	f->switches_told = told;
	f->switches = n;
	f->switches_ns = now;
	f->switches_per_s = known && span > 0 ? (double)step / span : 0;
	return known ? f->switches_per_s > SWITCHES_MOST : !f->sampler;
}

static void open_sampler(struct freeing *f)
{
	struct sample_config c = { .pid = f->e->process.pid,
				   .rate_hz = RATE_HZ,
				   .stack_bytes = STACK_BYTES,
				   .little = true };
	struct error err = { 0 };

	/* With the kernel, as giving back pages is part of freeing. */
	f->backend = &perf_thread_backend;
	if (f->backend->open(&c, &f->sampler, &err) == 0)
		return;
	f->backend = &perf_user_backend;
	if (f->backend->open(&c, &f->sampler, &err)) {
		f->sampler = NULL;
		f->refused = true;
	}
}

/* ---- which functions free ---- */

/* Interpreters without symbols: what frees objects of a type stands in the type, and the types
 * are those of the objects that a short census meets. */
static void types_run(struct work *work)
{
	struct types_work *w = (struct types_work *)work;
	struct mem_present mem;
	struct census census;
	uint64_t address;
	size_t i, k;

	if (mem_present_open(&mem, w->pid))
		return;
	census_init(&census);
	w->runtime->census_run(w->plan, &mem.mem, clock_now_ns() + TYPES_NS, &census);
	for (i = 0; i < census.rows.n && w->n < FREERS; i++) {
		if (census.rows.v[i].key == CENSUS_OTHERS ||
		    !mem.mem.read(&mem.mem, census.rows.v[i].key + TYPE_DEALLOC, &address,
				  sizeof(address)))
			continue;
		for (k = 0; k < w->n && w->address[k] != address; k++)
			;
		if (k == w->n)
			w->address[w->n++] = address;
	}
	census_done(&census);
	mem_present_close(&mem);
}

static void types_done(struct work *work)
{
	const struct types_work *w = (const struct types_work *)work;
	const struct space *s = w->to ? engine_space(w->to->e, w->pid) : NULL;
	size_t i;

	if (!w->to)
		return;
	w->to->types = NULL;
	w->to->freers = 0;
	for (i = 0; s && i < w->n; i++) {
		const struct mapping *m = maps_find(&s->maps, w->address[i]);

		if (m && m->object->kind == OBJECT_FILE)
			w->to->freer[w->to->freers++] =
			    (struct frame){ mapping_offset(m, w->address[i]),
					    m->object->id, FRAME_NATIVE };
	}
}

static void types_drop(struct work *work)
{
	struct types_work *w = (struct types_work *)work;

	free(w->plan);
	free(w);
}

static void ask_types(struct freeing *f, const struct space *s)
{
	struct types_work *w;
	void *plan = s->runtime->census_new ? s->runtime->census_new(s->reader) : NULL;

	if (!plan || f->types) {
		free(plan);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->work = (struct work){ types_run, types_done, types_drop };
	w->to = f;
	w->pid = s->pid;
	w->runtime = s->runtime;
	w->plan = plan;
	f->types = w;
	engine_work(f->e, &w->work);
}

static bool is_freer(struct freeing *f, const struct frame *frame)
{
	const struct symbols *symbols;
	struct symbol symbol;
	bool failed;
	size_t i;

	for (i = 0; i < f->freers && f->freer[i].object != frame->object; i++)
		;
	if (i == f->freers)
		return false;
	symbols =
	    engine_symbols(f->e, objects_get(f->e->objects, frame->object), &failed);
	if (!symbols || !symbols_find(symbols, frame->address, &symbol))
		return false;
	for (; i < f->freers; i++)
		if (f->freer[i].object == frame->object &&
		    f->freer[i].address == symbol.start)
			return true;
	return false;
}

/* ---- samples ---- */

static void keep(struct freeing *f, const struct event *ev)
{
	const struct space *s = engine_space(f->e, ev->pid);
	struct unwind_input in = { .stack = ev->stack };
	struct callstack *cs = &f->e->stack;
	struct freeing_sample *to;

	if (!s || !ev->has_user)
		return;
	memcpy(in.reg, ev->reg, sizeof(in.reg));
	cs->depth = 0;
	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	unwinder_walk(s->unwinder, &in, cs);
	to = &f->ring[f->pushed++ % KEPT];
	to->time_ns = ev->time_ns;
	to->tid = ev->tid;
	to->n = cs->depth < FRAMES ? cs->depth : FRAMES;
	memcpy(to->frame, cs->frame, to->n * sizeof(to->frame[0]));
}

static void drain(struct freeing *f)
{
	struct event ev;
	size_t n = 0;

	while (n++ < EVENTS_AT_ONCE && f->backend->next(f->sampler, &ev))
		if (ev.kind == EVENT_SAMPLE)
			keep(f, &ev);
}

/* A cascade is known by its frames; of a thread without room nothing is told. */
static struct gc_spell *spell_of(struct freeing *f, pid_t tid)
{
	size_t i;

	for (i = 0; i < THREADS; i++) {
		if (f->thread[i].tid == 0)
			f->thread[i].tid = tid;
		if (f->thread[i].tid == tid)
			return &f->thread[i].spell;
	}
	return NULL;
}

static void judge(struct freeing *f, struct gc_samples *to,
		  const struct freeing_sample *s)
{
	struct gc_spell *spell = spell_of(f, s->tid);
	struct place places[INLINE_DEPTH_MAX];
	bool collects = false;
	unsigned frees = 0;
	const char *runtime;
	uint32_t i;

	for (i = 0; i < s->n && !collects; i++) {
		enum gc_name is;

		if (s->frame[i].kind != FRAME_NATIVE)
			continue;
		engine_places(f->e, &s->frame[i], places);
		is = gc_samples_name(to, f->e, places[0].function, &runtime);
		collects = is == GC_NAME_COLLECTS;
		frees += is == GC_NAME_FREES || is_freer(f, &s->frame[i]);
	}
	if (spell)
		gc_samples_freeing(to, spell, collects ? 0 : frees, s->time_ns,
				   WEIGHT_NS);
}

uint64_t freeing_due_ns(const struct freeing *f)
{
	return f->sampler ? f->due_ns : UINT64_MAX;
}

void freeing_turn(struct freeing *f, struct gc_samples *to, uint64_t now)
{
	const struct space *s = engine_space(f->e, f->e->process.pid);

	if (now < f->due_ns || f->refused)
		return;
	if (!s || s->gone || !s->reader || engine_unwinds(f->e)) {
		freeing_stop(f);
		return;
	}
	f->due_ns = now + DRAIN_NS;
	if (!f->sampler) {
		if (!is_dear(f, now)) {
			open_sampler(f);
			ask_types(f, s);
		}
		return;
	}
	drain(f);
	for (; f->judged < f->pushed; f->judged++) {
		const struct freeing_sample *one = &f->ring[f->judged % KEPT];

		if (f->pushed - f->judged > KEPT)
			continue; /* overwritten */
		if (one->time_ns + LATE_NS > now)
			break;
		judge(f, to, one);
	}
	if (is_dear(f, now)) {
		double per_s = f->switches_per_s;

		freeing_stop(f);
		f->switches_per_s = per_s;
		f->due_ns = now + AGAIN_NS;
	}
}

void freeing_put(const struct freeing *f, struct arena *arena, struct snapshot_gc *out)
{
	char text[120];

	if (f->refused)
		snprintf(text, sizeof(text),
			 "no samples of machine code may be taken here");
	else if (f->switches_per_s > SWITCHES_MOST)
		snprintf(text, sizeof(text), "%.0f thread switches/s (%.0f at most)",
			 f->switches_per_s, SWITCHES_MOST);
	else
		return;
	out->bursts_unseen = arena_str(arena, text);
}
