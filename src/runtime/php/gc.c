/* PHP's cycle collector is one function. A debug register on its entry shows where it returns to;
 * with registers on those places (there are one or two) every run has its two times. What
 * it collects is not known, and a run before its return was learnt is not timed. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/gc.h"

#define RETURNS (GC_POINTS_MAX - 1u)
#define LOOK_NS (100 * NS_PER_MSEC)

struct source {
	uint64_t entry, back[RETURNS];
	size_t n_back;
	bool moved;
	struct pauses *to;
	size_t row;
	uint64_t apart_ns, began_ns, sp; /* of the run under way; began 0: none */
};

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	static const char *const name = "zend_gc_collect_cycles";
	size_t at = gc_mapping(place->maps, "php");
	struct source *s;
	uint64_t entry;

	if (at == place->maps->list.n ||
	    gc_symbols(place->maps, at, &name, &entry, 1) == 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->entry = entry;
	s->to = to;
	s->row = pauses_row(to, "PHP", "breakpoints", "cycles");
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
	struct source *s = source;
	size_t i;

	out[0] = (struct gc_point){ s->entry, true, 0, 0 };
	for (i = 0; i < s->n_back; i++)
		out[1 + i] = (struct gc_point){ s->back[i], true, 0, 0 };
	s->moved = false;
	return 1 + s->n_back;
}

static void armed(void *source, bool on, uint64_t apart_ns)
{
	struct source *s = source;

	(void)on;
	s->apart_ns = apart_ns;
	s->began_ns = 0;
}

static bool moved(void *source)
{
	const struct source *s = source;

	return s->moved;
}

static bool returns_to(struct source *s, uint64_t ip)
{
	size_t i;

	for (i = 0; i < s->n_back; i++)
		if (s->back[i] == ip)
			return true;
	if (ip && s->n_back < RETURNS) {
		s->back[s->n_back++] = ip;
		s->moved = true;
	}
	return false;
}

static void hit(void *source, const struct gc_hit *h)
{
	struct source *s = source;
	uint64_t took;

	if (h->ip == s->entry) {
		pauses_count(s->to, s->row, h->time_ns, 1);
		s->began_ns = returns_to(s, h->top) ? h->time_ns : 0;
		s->sp = h->sp;
		return;
	}
	if (!s->began_ns || h->sp != s->sp + 8) /* another call's place */
		return;
	took = h->time_ns - s->began_ns;
	s->began_ns = 0;
	pauses_time(s->to, s->row, h->time_ns,
		    took > s->apart_ns ? took - s->apart_ns : 0, 1);
}

static double hits_per_s(void *source)
{
	(void)source;
	return 0; /* not known without them */
}

const struct gc_source php_gc_source = {
	.name = "PHP",
	.open = open_source,
	.close = close_source,
	.period_ns = NS_PER_SEC,
	.armed_period_ns = LOOK_NS,
	.registers_only = true,
	.look = look,
	.points = points,
	.armed = armed,
	.hit = hit,
	.moved = moved,
	.hits_per_s = hits_per_s,
};
