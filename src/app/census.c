/* A census reads up to all of the target's heap, which takes tenths of a second: the work
 * carries all it needs to the namer's thread and its result back. */
#include "app/census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/malloc/glibc.h"
#include "target/proc_file.h"

#define MOST_NS (2 * NS_PER_SEC)
#define MAPS_CAP (64u << 20)

struct census_work {
	struct work work;
	struct census_look *to;
	pid_t pid;
	uint32_t forgotten;
	const struct runtime *runtime; /* of objects */
	void *plan;		       /* owned */
	struct census result;
	bool ok;
	char problem[160];
};

static void run_heap(struct census_work *w, const struct mem *mem)
{
	heap_regions regions = { 0 };
	struct bytes maps;

	if (proc_file_read(w->pid, "maps", MAPS_CAP, &maps, NULL))
		return;
	heap_regions_parse(&regions, maps);
	heap_census(&regions, mem, clock_now_ns() + MOST_NS, &w->result);
	w->ok = w->result.things > 0;
	if (!w->ok)
		snprintf(w->problem, sizeof(w->problem),
			 "no heap of glibc's malloc: another allocator, or none");
	VEC_DONE(&regions);
	free((void *)(uintptr_t)maps.p);
}

static void run(struct work *work)
{
	struct census_work *w = (struct census_work *)work;
	struct mem_present mem;

	census_init(&w->result);
	if (mem_present_open(&mem, w->pid)) {
		snprintf(w->problem, sizeof(w->problem),
			 "not readable: needs the right to trace the process");
		return;
	}
	if (w->runtime) {
		w->ok = w->runtime->census_run(w->plan, &mem.mem,
					       clock_now_ns() + MOST_NS, &w->result);
		if (!w->ok)
			snprintf(w->problem, sizeof(w->problem),
				 "its collector's lists were not found");
	} else {
		run_heap(w, &mem.mem);
	}
	mem_present_close(&mem);
}

/* The first stays, the last is replaced. */
static void done(struct work *work)
{
	struct census_work *w = (struct census_work *)work;
	struct census_look *l = w->to;
	struct census *at = l->looks ? &l->last : &l->first;

	l->busy = false;
	if (w->forgotten != l->forgotten)
		return;
	snprintf(l->problem, sizeof(l->problem), "%s", w->problem);
	if (!w->ok)
		return;
	census_done(at);
	*at = w->result;
	w->result = (struct census){ 0 };
	l->looks++;
}

static void drop(struct work *work)
{
	struct census_work *w = (struct census_work *)work;

	census_done(&w->result);
	free(w->plan);
	free(w);
}

static void take(struct census_look *l, struct engine *e, const struct runtime *runtime,
		 void *plan)
{
	struct census_work *w = xcalloc(1, sizeof(*w));

	w->work = (struct work){ run, done, drop };
	w->to = l;
	w->pid = e->process.pid;
	w->forgotten = l->forgotten;
	w->runtime = runtime;
	w->plan = plan;
	l->busy = true;
	engine_work(e, &w->work);
}

void censuses_take(struct censuses *c, struct engine *e)
{
	struct census_look *objects = &c->of[CENSUS_OBJECTS];
	const struct space *s = engine_space(e, e->process.pid);
	void *plan;

	if (e->exited)
		return;
	if (!c->of[CENSUS_HEAP].busy)
		take(&c->of[CENSUS_HEAP], e, NULL, NULL);
	if (objects->busy || !s || !s->reader || !s->runtime->census_new)
		return;
	plan = s->runtime->census_new(s->reader);
	if (plan)
		take(objects, e, s->runtime, plan);
}

bool censuses_busy(const struct censuses *c)
{
	return c->of[CENSUS_HEAP].busy || c->of[CENSUS_OBJECTS].busy;
}

void censuses_forget(struct censuses *c)
{
	size_t i;

	for (i = 0; i < CENSUSES; i++) {
		struct census_look *l = &c->of[i];

		census_done(&l->first);
		census_done(&l->last);
		l->looks = 0;
		l->forgotten++;
		l->problem[0] = '\0';
	}
}

void censuses_done(struct censuses *c)
{
	censuses_forget(c);
}

size_t censuses_put(const struct censuses *c, struct snapshot *s,
		    struct memory_grower *out, size_t most)
{
	static const enum grower_kind kinds[CENSUSES] = { GROWER_CHUNKS, GROWER_OBJECTS };
	struct memory_look *looks[CENSUSES] = { &s->memory.heap_look,
						&s->memory.objects_look };
	size_t i, n = 0;

	for (i = 0; i < CENSUSES; i++) {
		const struct census_look *l = &c->of[i];
		const struct census *last = l->looks > 1 ? &l->last : &l->first;

		*looks[i] = (struct memory_look){
			.on = l->looks || l->busy || l->problem[0],
			.busy = l->busy,
			.looks = l->looks,
			.took_ns = last->took_ns,
			.things = last->things,
			.bytes = last->bytes,
			.torn = last->torn,
			.cut = last->cut,
			.problem = arena_str(&s->arena, l->problem),
		};
		if (l->looks)
			n += census_growers(l->looks > 1 ? &l->first : NULL, last,
					    kinds[i], &s->arena, out + n, most);
	}
	return n;
}
