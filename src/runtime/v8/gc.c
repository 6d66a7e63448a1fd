/* V8's pauses (Node, Electron): two functions of its tracer begin and end every one, and a third
 * runs only in those that mark the whole heap. Debug registers on the three give the times of
 * each; without them this source has nothing to say. Every isolate has its own thread. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/gc.h"

#define ISOLATES 64u
#define LOOK_NS (100 * NS_PER_MSEC)
#define STUCK_NS (10 * NS_PER_SEC) /* longer than any pause: its end was lost */

enum point { START, STOP, MARK, POINTS };

struct isolate {
	pid_t tid;
	uint64_t began_ns; /* 0: no pause is under way */
	unsigned depth;	   /* pauses may be nested; the outermost counts */
	bool marks;
};

struct source {
	uint64_t address[POINTS];
	struct pauses *to;
	size_t row[2]; /* scavenge, mark-compact */
	uint64_t apart_ns;
	struct isolate isolate[ISOLATES];
	size_t n;
};

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	static const char *const names[POINTS] = {
		[START] = "_ZN2v88internal8GCTracer20StartObservablePauseEv",
		[STOP] = "_ZN2v88internal8GCTracer19StopObservablePauseEv",
		[MARK] = "_ZN2v88internal4Heap11MarkCompactEv",
	};
	size_t main = gc_mapping(place->maps, NULL);
	uint64_t address[POINTS];
	struct source *s;

	if (main == place->maps->list.n ||
	    !strstr(place->maps->list.v[main].object->name, "node") ||
	    gc_symbols(place->maps, main, names, address, POINTS) < POINTS)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	memcpy(s->address, address, sizeof(address));
	s->to = to;
	s->row[0] = pauses_row(to, "V8", "breakpoints", "scavenge");
	s->row[1] = pauses_row(to, "V8", "breakpoints", "mark-compact");
	return s;
}

static void close_source(void *source)
{
	free(source);
}

static bool look(void *source, uint64_t now)
{
	(void)source;
	(void)now;
	return true;
}

static size_t points(void *source, struct gc_point out[GC_POINTS_MAX])
{
	const struct source *s = source;
	size_t i;

	for (i = 0; i < POINTS; i++)
		out[i] = (struct gc_point){ s->address[i], true, 0, 0 };
	return POINTS;
}

static void armed(void *source, bool on, uint64_t apart_ns)
{
	struct source *s = source;

	(void)on;
	s->apart_ns = apart_ns;
	s->n = 0;
}

static struct isolate *isolate_of(struct source *s, pid_t tid)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->isolate[i].tid == tid)
			return &s->isolate[i];
	if (s->n == ISOLATES)
		return NULL;
	s->isolate[s->n] = (struct isolate){ .tid = tid };
	return &s->isolate[s->n++];
}

static void end_pause(struct source *s, struct isolate *p, uint64_t now)
{
	uint64_t took = now - p->began_ns, own = (p->marks ? 2 : 1) * s->apart_ns;
	size_t row = s->row[p->marks];

	pauses_count(s->to, row, now, 1);
	pauses_time(s->to, row, now, took > own ? took - own : 0, 1);
}

static void hit(void *source, const struct gc_hit *h)
{
	struct source *s = source;
	struct isolate *p = isolate_of(s, h->tid);

	if (!p)
		return;
	if (h->ip == s->address[START]) {
		if (p->depth == 0 || h->time_ns - p->began_ns > STUCK_NS) {
			p->depth = 0;
			p->began_ns = h->time_ns;
			p->marks = false;
		}
		p->depth++;
	} else if (h->ip == s->address[MARK]) {
		p->marks = true;
	} else if (p->depth && --p->depth == 0) {
		end_pause(s, p, h->time_ns);
	}
}

static double hits_per_s(void *source)
{
	(void)source;
	return 0; /* not known without them */
}

const struct gc_source v8_gc_source = {
	.name = "V8",
	.open = open_source,
	.close = close_source,
	.period_ns = NS_PER_SEC,
	.armed_period_ns = LOOK_NS,
	.registers_only = true,
	.look = look,
	.points = points,
	.armed = armed,
	.hit = hit,
	.hits_per_s = hits_per_s,
};
