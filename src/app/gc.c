/* The part behind the GC panel: asks every source of runtime/gc_sources.def about every
 * process followed, lets those that answer look when due, and arms debug registers for those
 * that are exact with them, as long as that is cheap for the target.
 *
 * What a register's hit costs is measured on ptop itself when the first is wanted. Registers
 * are given back when the hits come to more than DEAR_PCT of a core or HITS_MOST a second, and
 * tried again when the source says that its collections have become rare, or, where it
 * cannot know, half a minute later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/engine_state.h"
#include "app/freeing.h"
#include "app/gc_samples.h"
#include "base/clock.h"
#include "runtime/gc.h"
#include "sample/watch.h"

#define HITS_MOST 1000.0
#define DEAR_PCT 1.5
#define AGAIN_NS (30 * NS_PER_SEC)
#define CALM_NS (5 * NS_PER_SEC)
#define THREADS_NS (500 * NS_PER_MSEC)
#define TRY_FIRST_NS (250 * NS_PER_MSEC)
#define TRY_LAST_NS (64 * NS_PER_SEC)

/* A source that answered for a process. */
struct collector {
	pid_t pid;
	uint32_t interp;
	const struct gc_source *source;
	void *state;
	uint64_t due_ns;
	/* Debug registers; watch NULL: not armed. */
	struct watch *watch;
	uint64_t arm_ns, threads_ns; /* not before */
	uint64_t second_ns, hits;    /* of the current second */
	uint64_t read_ns;	     /* hits up to then have been read */
	bool probes;		     /* it is these that are armed */
	bool no_probes, refused;     /* for good */
};

/* When a process is to be asked (again). */
struct asked {
	pid_t pid;
	uint32_t interp;
	uint64_t next_ns, gap_ns;
};

struct gc_part {
	struct engine *e;
	struct pauses pauses;
	struct gc_samples samples;
	struct freeing *freeing;
	VEC(struct collector) collectors;
	VEC(struct asked) asked;
	bool cost_known, cost_fails;
	struct watch_cost cost;
};

struct probe_places {
	struct watch_point point[GC_POINTS_MAX];
	char path[GC_POINTS_MAX][4096];
};

static void disarm(struct collector *c)
{
	if (!c->watch)
		return;
	watch_free(c->watch);
	c->watch = NULL;
	c->source->armed(c->state, false, 0);
}

static void drop(struct gc_part *g, size_t i)
{
	struct collector *c = &g->collectors.v[i];

	watch_free(c->watch);
	c->source->close(c->state);
	g->collectors.v[i] = g->collectors.v[--g->collectors.n];
}

static void drop_all(struct gc_part *g)
{
	while (g->collectors.n)
		drop(g, g->collectors.n - 1);
	VEC_CLEAR(&g->asked);
}

/* ---- finding sources ---- */

static void ask(struct gc_part *g, struct space *s, uint64_t now)
{
	struct gc_place place = { s->pid, &s->maps, s->runtime, s->reader,
				  s->reader ? s->site.version : "" };
	size_t i;

	for (i = 0; gc_sources[i]; i++) {
		void *state = gc_sources[i]->open(&place, &g->pauses);
		struct collector *c;

		if (!state)
			continue;
		c = VEC_PUSH(&g->collectors);
		*c = (struct collector){ .pid = s->pid,
					 .interp = s->reader ? s->interp : 0,
					 .source = gc_sources[i],
					 .state = state,
					 .due_ns = now,
					 .arm_ns = now };
		if (g->pauses.first_ns == 0)
			g->pauses.first_ns = now;
	}
}

static bool has_collector(const struct gc_part *g, pid_t pid)
{
	size_t i;

	for (i = 0; i < g->collectors.n; i++)
		if (g->collectors.v[i].pid == pid)
			return true;
	return false;
}

static struct asked *asked_of(struct gc_part *g, pid_t pid)
{
	struct asked *a;
	size_t i;

	for (i = 0; i < g->asked.n; i++)
		if (g->asked.v[i].pid == pid)
			return &g->asked.v[i];
	a = VEC_PUSH(&g->asked);
	a->pid = pid;
	a->interp = NO_ID;
	return a;
}

/* A virtual machine may be there, and its collector only a moment later. */
static void ask_spaces(struct gc_part *g, uint64_t now)
{
	size_t i;

	for (i = 0; i < g->e->spaces.n; i++) {
		struct space *s = &g->e->spaces.v[i];
		struct asked *a;

		if (s->gone)
			continue;
		a = asked_of(g, s->pid);
		if (a->interp != (s->reader ? s->interp : 0)) {
			a->interp = s->reader ? s->interp : 0;
			a->next_ns = now;
			a->gap_ns = TRY_FIRST_NS;
		}
		if (now < a->next_ns || has_collector(g, s->pid))
			continue;
		ask(g, s, now);
		a->next_ns = now + a->gap_ns;
		a->gap_ns = a->gap_ns < TRY_LAST_NS ? 2 * a->gap_ns : TRY_LAST_NS;
	}
}

/* ---- debug registers ---- */

static void arm_threads(struct gc_part *g, struct collector *c, struct space *s)
{
	pid_t only = c->source->thread ? c->source->thread(c->state) : 0;
	struct error err = { 0 };
	pid_list tids = { 0 };
	size_t i, n = 0;
	int ret = 0;

	if (only) {
		ret = watch_thread(c->watch, only, &err);
	} else if (s->reader) {
		for (i = 0; i < s->language_threads.n && ret == 0; i++)
			ret = watch_thread(c->watch, s->language_threads.v[i].tid, &err);
	} else if (process_threads(s->pid, &tids)) {
		for (i = 0; i < tids.n && ret == 0; i++, n++)
			ret = watch_thread(c->watch, tids.v[i], &err);
	}
	VEC_DONE(&tids);
	if (ret == 0 || ret == -ESRCH)
		return;
	/* Threads not watched would be pauses not seen. */
	c->refused = !c->probes;
	c->no_probes |= c->probes;
	if (ret == -E2BIG)
		engine_say(g->e, false,
			   "%s: more than %d threads, so pauses are not timed by "
			   "debug registers",
			   c->source->name, WATCH_THREADS_MAX);
	else
		engine_say(g->e, false, "%s: %s: %s", c->source->name,
			   c->probes ? "no probes can be set"
				     : "pauses are not timed exactly",
			   err.cause);
	disarm(c);
}

static bool know_cost(struct gc_part *g)
{
	struct error err = { 0 };

	if (!g->cost_known) {
		g->cost_known = true;
		g->cost_fails = !watch_measure(&g->cost, &err);
		if (g->cost_fails)
			engine_say(g->e, false, "Collections are not timed exactly: %s",
				   err.cause);
	}
	return !g->cost_fails;
}

/* Hits a second that are too many here. */
static double hits_limit(const struct gc_part *g)
{
	double dear = DEAR_PCT / 100 * (double)NS_PER_SEC / (double)(g->cost.hit_ns + 1);

	return dear < HITS_MOST ? dear : HITS_MOST;
}

/* As places of the kernel's probes, if the user asked for those and they can be had: all
 * points or none. */
static bool as_probes(const struct gc_part *g, const struct collector *c,
		      const struct space *s, const struct gc_point *wanted, size_t n,
		      struct probe_places *out)
{
	size_t i;

	if (!g->e->config.exact || c->no_probes || !watch_can_probe())
		return false;
	for (i = 0; i < n; i++) {
		const struct mapping *map = maps_find(&s->maps, wanted[i].address);

		if (!wanted[i].execute || !map || map->object->kind != OBJECT_FILE)
			return false;
		snprintf(out->path[i], sizeof(out->path[i]), "/proc/%d/root%s",
			 (int)s->pid, map->object->path);
		out->point[i] = (struct watch_point){ .address = wanted[i].address,
						      .execute = true,
						      .path = out->path[i],
						      .offset = mapping_offset(
							  map, wanted[i].address),
						      .semaphore = wanted[i].semaphore };
	}
	return n > 0;
}

/* How many points, 0 none; *probed: of probes. */
static size_t places(struct gc_part *g, struct collector *c, const struct space *s,
		     struct probe_places *out, bool *probed)
{
	struct gc_point wanted[GC_POINTS_MAX] = { { 0, false, 0, 0 } };
	size_t i, n = c->source->probes ? c->source->probes(c->state, wanted) : 0;

	*probed = as_probes(g, c, s, wanted, n, out);
	if (*probed)
		return n;
	n = c->source->points(c->state, wanted);
	if (as_probes(g, c, s, wanted, n, out))
		return n;
	for (i = 0; i < n; i++)
		out->point[i] = (struct watch_point){ .address = wanted[i].address,
						      .execute = wanted[i].execute,
						      .bytes = wanted[i].bytes };
	return n;
}

static void arm(struct gc_part *g, struct collector *c, struct space *s, uint64_t now)
{
	struct probe_places at;
	bool probed;
	size_t n;

	if (c->refused || !c->source->points || now < c->arm_ns)
		return;
	c->arm_ns = now + CALM_NS;
	n = places(g, c, s, &at, &probed);
	if (n == 0) {
		c->arm_ns = now + TRY_FIRST_NS;
		return;
	}
	if (!know_cost(g)) {
		c->refused = true;
		return;
	}
	if (c->source->hits_per_s(c->state) > hits_limit(g) / 2)
		return;
	if (g->e->registers_wanted && !at.point[0].path) {
		c->arm_ns = now + TRY_FIRST_NS;
		return;
	}
	c->watch = watch_new(at.point, n);
	c->probes = at.point[0].path != NULL;
	c->second_ns = now;
	c->hits = 0;
	c->threads_ns = now + THREADS_NS;
	c->source->armed(c->state, true, c->probes ? 0 : g->cost.apart_ns);
	if (probed)
		c->source->probed(c->state);
	arm_threads(g, c, s);
	if (!c->watch && c->probes)
		c->arm_ns = now; /* at once, by registers */
}

static void got_hit(void *arg, const struct watch_hit *h)
{
	const struct collector *c = arg;
	struct gc_hit hit = { h->time_ns, h->ip, h->si, h->di, h->sp, h->top, h->tid };

	c->source->hit(c->state, &hit);
}

static void read_hits(struct gc_part *g, struct collector *c, struct space *s,
		      uint64_t now)
{
	uint64_t span;

	c->read_ns = now;
	c->hits += watch_read(c->watch, got_hit, c);
	span = now - c->second_ns;
	if ((double)c->hits >
	    hits_limit(g) * (span < NS_PER_SEC ? 1 : (double)span / 1e9)) {
		disarm(c);
		c->arm_ns = now + AGAIN_NS;
		return;
	}
	if (c->source->moved && c->source->moved(c->state)) {
		disarm(c);
		c->arm_ns = now;
		return;
	}
	if (span >= NS_PER_SEC) {
		c->second_ns = now;
		c->hits = 0;
	}
	if (now >= c->threads_ns) {
		c->threads_ns = now + THREADS_NS;
		arm_threads(g, c, s);
	}
}

/* ---- the part ---- */

static void *open_part(struct engine *e)
{
	struct gc_part *g = xcalloc(1, sizeof(*g));

	g->e = e;
	pauses_init(&g->pauses);
	gc_samples_init(&g->samples);
	g->freeing = freeing_new(e);
	e->pauses = &g->pauses;
	e->gc = g;
	return g;
}

static void close_part(void *state)
{
	struct gc_part *g = state;

	g->e->gc = NULL;
	drop_all(g);
	freeing_free(g->freeing);
	VEC_DONE(&g->collectors);
	VEC_DONE(&g->asked);
	pauses_done(&g->pauses);
	gc_samples_done(&g->samples);
	free(g);
}

static struct space *space_of(const struct gc_part *g, const struct collector *c)
{
	struct space *s = engine_space(g->e, c->pid);

	return s && !s->gone && c->interp == (s->reader ? s->interp : 0) ? s : NULL;
}

static uint64_t period(const struct collector *c)
{
	return c->watch ? c->source->armed_period_ns : c->source->period_ns;
}

static void turn(void *state, uint64_t now)
{
	struct gc_part *g = state;
	size_t i = 0;

	ask_spaces(g, now);
	freeing_turn(g->freeing, &g->samples, now);
	g->samples.n_told = 0;
	while (i < g->collectors.n) {
		struct collector *c = &g->collectors.v[i];
		struct space *s = space_of(g, c);

		if (s && c->watch)
			read_hits(g, c, s, now);
		if (g->e->registers_wanted && !c->probes)
			disarm(c);
		if (s && now >= c->due_ns) {
			if (!c->source->look(c->state, now))
				s = NULL;
			c->due_ns = period(c) == UINT64_MAX ? now : now + period(c);
		}
		if (!s) {
			drop(g, i);
			continue;
		}
		if (!c->watch)
			arm(g, c, s, now);
		if (c->watch || !c->source->registers_only)
			gc_samples_told(&g->samples, c->source->name);
		i++;
	}
}

void engine_gc_looked(struct engine *e, struct space *s, uint64_t time_ns)
{
	struct gc_part *g = e->gc;
	size_t i;

	for (i = 0; g && i < g->collectors.n; i++) {
		struct collector *c = &g->collectors.v[i];

		if (c->pid != s->pid || period(c) != UINT64_MAX)
			continue;
		/* What was hit before the look is told before it. */
		if (c->watch && time_ns > c->read_ns)
			read_hits(g, c, s, clock_now_ns());
		(void)c->source->look(c->state, time_ns); /* turn() asks again */
	}
}

static uint64_t due_ns(const void *state)
{
	const struct gc_part *g = state;
	uint64_t due = freeing_due_ns(g->freeing);
	size_t i;

	for (i = 0; i < g->collectors.n; i++)
		if (period(&g->collectors.v[i]) != UINT64_MAX &&
		    g->collectors.v[i].due_ns < due)
			due = g->collectors.v[i].due_ns;
	return due;
}

static void reset(void *state)
{
	struct gc_part *g = state;

	pauses_clear(&g->pauses, clock_now_ns());
	gc_samples_clear(&g->samples);
}

static void changed(void *state)
{
	struct gc_part *g = state;

	drop_all(g);
	freeing_stop(g->freeing);
}

static void put(void *state, struct snapshot *s)
{
	struct gc_part *g = state;

	gc_samples_take(&g->samples, g->e, s->time_ns, &g->pauses);
	if (g->collectors.n == 0 && g->pauses.first_ns == 0)
		s->gc.reason = "no garbage collector is known in this process";
	pauses_put(&g->pauses, s->time_ns, s->window_ns, &s->arena, &s->gc);
	gc_samples_put(&g->samples, s->time_ns, s->window_ns, &s->arena, &s->gc);
	freeing_put(g->freeing, &s->arena, &s->gc);
}

const struct part gc_part = {
	.name = "gc",
	.open = open_part,
	.close = close_part,
	.turn = turn,
	.due_ns = due_ns,
	.reset = reset,
	.changed = changed,
	.ended = changed,
	.put = put,
};
