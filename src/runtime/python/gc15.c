/* CPython 3.15's collections by its ring: each with its times, and what went by between two looks
 * is counted all the same. Read whenever the counters' neighbour, the ring's address, was
 * read with the stacks; what changes while it is read is read again at the next look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gc.h"
#include "runtime/python/gc_ring.h"
#include "runtime/python/reader.h"
#include "target/memory.h"

#define INTERPRETERS 16u

struct told {
	uint64_t number, collected;
	bool known;
};

struct interp {
	uint64_t address, looked_ns;
	struct told told[PYTHON_RING_GENERATIONS];
};

struct source {
	const struct python_reader *reader;
	struct pauses *to;
	size_t row[PYTHON_RING_GENERATIONS];
	struct interp interp[INTERPRETERS];
	size_t n;
};

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	static const char *const names[PYTHON_RING_GENERATIONS] = { "gen0", "gen1",
								    "gen2" };
	const struct python_reader *r = place->reader;
	struct source *s;
	size_t i;

	if (place->runtime != &python_runtime || !r ||
	    r->layout.gc_ring_bytes != PYTHON_RING_BYTES)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->reader = r;
	s->to = to;
	for (i = 0; i < PYTHON_RING_GENERATIONS; i++)
		s->row[i] =
		    pauses_row(to, place->version, "gc.generation_stats", names[i]);
	return s;
}

static void close_source(void *source)
{
	free(source);
}

static struct interp *interp_of(struct source *s, uint64_t address)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->interp[i].address == address)
			return &s->interp[i];
	if (s->n == INTERPRETERS)
		return NULL;
	s->interp[s->n].address = address;
	return &s->interp[s->n++];
}

static int by_number(const void *a, const void *b)
{
	const struct python_collection *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* The ring's last item may be a collection that was begun and not counted: it has the number of
 * the one before. */
static void tell(struct source *s, struct told *t, size_t generation, struct bytes ring,
		 uint64_t now)
{
	struct python_collection c[PYTHON_RING_YOUNG];
	size_t n = python_ring_read(ring, generation, c), i;
	uint64_t missed;

	if (n == 0 && !t->known) {
		t->known = true; /* there was none yet: all that come are new */
		return;
	}
	if (n == 0)
		return;
	qsort(c, n, sizeof(*c), by_number);
	missed = c[n - 1].number - t->number;
	if (t->known && missed && missed <= GC_STEP_MOST) {
		pauses_count(s->to, s->row[generation], now, missed);
		pauses_collected(s->to, s->row[generation], now,
				 c[n - 1].collected - t->collected);
		for (i = 0; i < n; i++)
			if (c[i].number > t->number &&
			    (i == 0 || c[i].number != c[i - 1].number)) {
				pauses_time(s->to, s->row[generation],
					    c[i].end_ns < now ? c[i].end_ns : now,
					    c[i].end_ns - c[i].begin_ns, 1);
				missed -= missed > 0;
			}
		s->to->unseen += missed;
	}
	t->known = true;
	t->number = c[n - 1].number;
	t->collected = c[n - 1].collected;
}

static void read_ring(struct source *s, struct interp *p, uint64_t pointer_at,
		      uint64_t now)
{
	unsigned char bytes[PYTHON_RING_BYTES];
	struct bytes in = { bytes, sizeof(bytes) };
	uint64_t ring;
	uint32_t version;
	size_t i;

	if (mem_live_read_some(s->reader->pid, pointer_at, &ring, 8) != 8 || !ring ||
	    mem_live_read_some(s->reader->pid, ring + sizeof(bytes) - 8, &version, 4) !=
		4 ||
	    mem_live_read_some(s->reader->pid, ring, bytes, sizeof(bytes)) !=
		(ssize_t)sizeof(bytes) ||
	    python_ring_version(in) != version)
		return;
	for (i = 0; i < PYTHON_RING_GENERATIONS; i++)
		tell(s, &p->told[i], i, in, now);
}

static bool look(void *source, uint64_t now)
{
	struct source *s = source;
	size_t i;

	for (i = 0; i < s->reader->interpreters.n; i++) {
		const struct python_interpreter *from = &s->reader->interpreters.v[i];
		struct interp *p = interp_of(s, from->address);

		if (!p ||
		    (p->told[0].known && (!from->gc_ns || from->gc_ns == p->looked_ns)))
			continue;
		p->looked_ns = from->gc_ns;
		read_ring(s, p, python_gc_flag(s->reader, from) - PYTHON_GC_RING_BYTES,
			  now);
	}
	return true;
}

const struct gc_source python15_gc_source = {
	.name = "CPython",
	.open = open_source,
	.close = close_source,
	.period_ns = UINT64_MAX, /* with the looks at the stacks */
	.armed_period_ns = UINT64_MAX,
	.look = look,
};
