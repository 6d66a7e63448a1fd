/* CPython's collections, from what the look at its stacks reads anyway: the flag `collecting`
 * and, in front of it, three times { collections, collected, uncollectable }, one for each
 * generation. 3.15 has a ring of the last collections there instead, with their times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gc_flag.h"
#include "runtime/python/reader.h"
#include "target/memory.h"

#define INTERPRETERS 16u
#define GENERATIONS 3u

struct interp {
	uint64_t address;
	struct gc_flag flag;
};

struct source {
	const struct python_reader *reader;
	char runtime[48];
	struct gc_flag_config config;
	struct pauses *to;
	struct interp interp[INTERPRETERS];
	size_t n;
	struct gc_point probe[2]; /* begin, end; address 0: has none */
};

static struct interp *interp_of(struct source *s, uint64_t address)
{
	struct interp *p;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->interp[i].address == address)
			return &s->interp[i];
	if (s->n == INTERPRETERS)
		return NULL;
	p = &s->interp[s->n++];
	p->address = address;
	gc_flag_init(&p->flag, &s->config, s->to);
	return p;
}

/* Distributions build theirs with probe points, others mostly do not. */
static void find_probes(struct source *s, const struct maps *maps)
{
	size_t at = gc_mapping(maps, "libpython");

	if (at == maps->list.n)
		at = gc_mapping(maps, NULL);
	if (!gc_probe(maps, at, "python", "gc__start", &s->probe[0]) ||
	    !gc_probe(maps, at, "python", "gc__done", &s->probe[1]))
		s->probe[0].address = 0;
}

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	const struct python_reader *r = place->reader;
	struct source *s;

	if (place->runtime != &python_runtime || !r || r->layout.minor >= 15)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->reader = r;
	s->to = to;
	snprintf(s->runtime, sizeof(s->runtime), "%s", place->version);
	s->config = (struct gc_flag_config){ .runtime = s->runtime,
					     .counters = "counters",
					     .generations = { "gen0", "gen1", "gen2" },
					     .n_generations = GENERATIONS,
					     .collected = true };
	find_probes(s, place->maps);
	return s;
}

static void close_source(void *source)
{
	struct source *s = source;
	size_t i;

	for (i = 0; i < s->n; i++)
		gc_flag_done(&s->interp[i].flag);
	free(s);
}

static void take(struct interp *p, const unsigned char *bytes, bool on, uint64_t now)
{
	struct gc_flag_counts counts;
	size_t k;

	for (k = 0; k < GENERATIONS; k++) {
		counts.collections[k] = python_u64(bytes + 24 * k);
		counts.collected[k] = python_u64(bytes + 24 * k + 8);
	}
	gc_flag_look(&p->flag, now, on, &counts);
}

/* The looks at stacks are of threads that ran. To know what was counted before the first of
 * them, the counters are read once without one. */
static void take_first(struct source *s, const struct python_interpreter *from,
		       struct interp *p, uint64_t now)
{
	unsigned char bytes[PYTHON_GC_BYTES + 4];

	if (mem_live_read_some(s->reader->pid,
			       python_gc_flag(s->reader, from) - PYTHON_GC_BYTES, bytes,
			       sizeof(bytes)) == (ssize_t)sizeof(bytes))
		take(p, bytes, python_i32(bytes + PYTHON_GC_BYTES) != 0, now);
}

static bool look(void *source, uint64_t now)
{
	struct source *s = source;
	size_t i;

	for (i = 0; i < s->reader->interpreters.n; i++) {
		const struct python_interpreter *from = &s->reader->interpreters.v[i];
		struct interp *p = interp_of(s, from->address);

		if (!p)
			continue;
		if (from->gc_ns && from->gc_ns != p->flag.looked_ns)
			take(p, from->gc, from->collecting, from->gc_ns);
		else if (!p->flag.known)
			take_first(s, from, p, now);
	}
	return true;
}

/* The register is for the main interpreter; the others are known by the looks. */
static const struct python_interpreter *main_interpreter(const struct source *s)
{
	size_t i;

	for (i = 0; i < s->reader->interpreters.n; i++)
		if (s->reader->interpreters.v[i].id == 0)
			return &s->reader->interpreters.v[i];
	return NULL;
}

static size_t points(void *source, struct gc_point out[GC_POINTS_MAX])
{
	const struct source *s = source;
	const struct python_interpreter *p = main_interpreter(s);

	if (!p)
		return 0;
	out[0] = (struct gc_point){ python_gc_flag(s->reader, p), false, 4, 0 };
	return 1;
}

static size_t probes(void *source, struct gc_point out[GC_POINTS_MAX])
{
	const struct source *s = source;

	memcpy(out, s->probe, sizeof(s->probe));
	return s->probe[0].address ? 2 : 0;
}

static void probed(void *source)
{
	struct source *s = source;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->interp[i].flag.watched)
			gc_flag_probed(&s->interp[i].flag, s->probe[0].address,
				       s->probe[1].address);
}

static void armed(void *source, bool on, uint64_t apart_ns)
{
	struct source *s = source;
	const struct python_interpreter *main = main_interpreter(s);
	struct interp *p = on && main ? interp_of(s, main->address) : NULL;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (&s->interp[i] == p || s->interp[i].flag.watched)
			gc_flag_armed(&s->interp[i].flag, &s->interp[i] == p, apart_ns);
}

static void hit(void *source, const struct gc_hit *h)
{
	struct source *s = source;
	size_t i;

	for (i = 0; i < s->n; i++)
		gc_flag_hit(&s->interp[i].flag, h);
}

static double hits_per_s(void *source)
{
	const struct source *s = source;
	double per_s = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		per_s += 2 * s->interp[i].flag.per_s;
	return per_s;
}

const struct gc_source python_gc_source = {
	.name = "CPython",
	.open = open_source,
	.close = close_source,
	.period_ns = UINT64_MAX, /* with the looks at the stacks */
	.armed_period_ns = UINT64_MAX,
	.look = look,
	.points = points,
	.probes = probes,
	.probed = probed,
	.armed = armed,
	.hit = hit,
	.hits_per_s = hits_per_s,
};
