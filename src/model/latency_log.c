/* One pass over the ring links the events of each thing and adds them up; the rows that are
 * shown then go over their own events only, through histograms that are used again. */
#include "model/latency_log.h"

#include <string.h>

#include "model/histogram.h"

struct latency_scratch {
	uint32_t *next; /* place in the ring + 1 of the thing's event before */
	size_t n;
	struct histogram all, cell[LATENCY_TREND_CELLS];
};

void latency_log_done(struct latency_log *l)
{
	VEC_DONE(&l->ring);
	l->first = 0;
}

void latency_log_clear(struct latency_log *l)
{
	VEC_CLEAR(&l->ring);
	l->first = 0;
	l->dropped_ns = 0;
}

void latency_log_add(struct latency_log *l, const struct latency_event *e)
{
	if (l->ring.n < LATENCY_EVENTS_MOST) {
		*VEC_PUSH(&l->ring) = *e;
		return;
	}
	l->dropped_ns = l->ring.v[l->first].end_ns;
	l->ring.v[l->first] = *e;
	l->first = (l->first + 1) % LATENCY_EVENTS_MOST;
}

const struct latency_event *latency_log_event(const struct latency_log *l, size_t i)
{
	return &l->ring.v[(l->first + i) % l->ring.n];
}

struct latency_scratch *latency_scratch_new(void)
{
	return xcalloc(1, sizeof(struct latency_scratch));
}

void latency_scratch_free(struct latency_scratch *s)
{
	if (s)
		free(s->next);
	free(s);
}

static void make_room(struct latency_scratch *s, size_t n)
{
	if (n <= s->n)
		return;
	s->n = n * 2 < LATENCY_EVENTS_MOST ? n * 2 : LATENCY_EVENTS_MOST;
	s->next = xrealloc(s->next, s->n * sizeof(*s->next));
}

void latency_log_sum(const struct latency_log *l, struct latency_scratch *scratch,
		     uint64_t from_ns, uint64_t to_ns, struct latency_sum *sums,
		     size_t n_things)
{
	size_t i;

	if (n_things)
		memset(sums, 0, n_things * sizeof(*sums));
	make_room(scratch, l->ring.n);
	for (i = 0; i < l->ring.n; i++) {
		const struct latency_event *e = latency_log_event(l, i);
		uint32_t place = (uint32_t)(e - l->ring.v);
		struct latency_sum *s;

		if (e->end_ns <= from_ns || e->end_ns > to_ns || e->thing >= n_things)
			continue;
		s = &sums[e->thing];
		s->count += e->count;
		s->took_ns += e->took_ns * e->count;
		s->twice += e->looks >= 2 ? e->count : 0;
		if (e->end_ns > s->newest_ns)
			s->newest_ns = e->end_ns;
		scratch->next[place] = s->head;
		s->head = place + 1;
	}
}

static int bar_of(uint64_t ns)
{
	uint64_t us = ns / 1000;
	int bar = us ? 63 - __builtin_clzll(us) : 0;

	return bar < LATENCY_BARS ? bar : LATENCY_BARS - 1;
}

static void put_figures(const struct histogram *h, struct snapshot_latency_row *row)
{
	static const double part[LATENCY_MAX] = { 0.5, 0.95, 0.99 };
	int i;

	for (i = 0; i < LATENCY_MAX; i++)
		row->figure[i] =
		    (struct latency_figure){ LATENCY_KNOWN,
					     histogram_quantile(h, part[i]) };
	row->figure[LATENCY_MAX] = (struct latency_figure){ LATENCY_KNOWN, h->most_ns };
}

void latency_log_row(const struct latency_log *l, struct latency_scratch *scratch,
		     const struct latency_sum *sum, uint64_t from_ns, uint64_t to_ns,
		     struct snapshot_latency_row *row)
{
	uint64_t span = to_ns > from_ns ? to_ns - from_ns : 1;
	uint32_t at;
	int i;

	row->count = sum->count;
	row->per_second = (double)sum->count / ((double)span / 1e9);
	if (!sum->head)
		return;
	histogram_clear(&scratch->all);
	for (i = 0; i < LATENCY_TREND_CELLS; i++)
		histogram_clear(&scratch->cell[i]);
	for (at = sum->head; at; at = scratch->next[at - 1]) {
		const struct latency_event *e = &l->ring.v[at - 1];
		uint64_t cell = (e->end_ns - from_ns - 1) * LATENCY_TREND_CELLS / span;

		histogram_add(&scratch->all, e->took_ns, e->count);
		histogram_add(
		    &scratch->cell[cell < LATENCY_TREND_CELLS ? cell
							      : LATENCY_TREND_CELLS - 1],
		    e->took_ns, e->count);
		row->bars[bar_of(e->took_ns)] += e->count;
	}
	put_figures(&scratch->all, row);
	for (i = 0; i < LATENCY_TREND_CELLS; i++)
		row->trend_ns[i] = histogram_quantile(&scratch->cell[i], 0.95);
}
