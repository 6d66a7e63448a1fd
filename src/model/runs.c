/* The ring of runs. They stand nearly in order of time: the rings of several CPUs are read
 * one after the other. */
#include <stdlib.h>

#include "model/history.h"

#define RUNS_FIRST 4096u
#define DISORDER_NS \
	1000000000ull /* runs stand at most this far from their place in time */
#define RUN_SPAN_NS \
	100000000ull /* longest time one run may stand for: windows cut between runs */
#define GONE_MOST 1000000u

void history_drop(struct history *h, size_t n)
{
	size_t i;

	if (n > h->n_runs)
		n = h->n_runs;
	for (i = 0; i < n; i++) {
		const struct run *r = history_run(h, i);

		h->dropped += r->count;
		h->dropped_until_ns = r->time_ns;
		if (r->counted)
			*VEC_PUSH(&h->gone) = *r;
	}
	h->first = h->cap_runs ? (h->first + n) % h->cap_runs : 0;
	h->n_runs -= n;
	if (h->gone.n > GONE_MOST) { /* nobody took them for long: start anew then */
		h->numbering++;
		VEC_CLEAR(&h->gone);
	}
}

static void make_room(struct history *h)
{
	struct run *bigger;
	size_t cap, i;

	if (h->n_runs < h->cap_runs)
		return;
	if (h->cap_runs >= h->max_runs) {
		history_drop(h, 1);
		return;
	}
	cap = h->cap_runs ? h->cap_runs * 2 : RUNS_FIRST;
	if (cap > h->max_runs)
		cap = h->max_runs;
	bigger = xmalloc(cap * sizeof(*bigger));
	for (i = 0; i < h->n_runs; i++)
		bigger[i] = *history_run(h, i);
	free(h->runs);
	h->runs = bigger;
	h->cap_runs = cap;
	h->first = 0;
}

static void set_weight(struct run *r, uint64_t ns)
{
	r->weight_us = (uint32_t)(ns / 1000);
	r->weight_ns = (uint16_t)(ns % 1000);
}

/* The thread's last run, if it can take this sample in. */
static struct run *extendable(struct history *h, uint64_t time_ns, uint32_t thread,
			      uint32_t stack, bool off_cpu)
{
	uint64_t number, back;
	struct run *r;

	if (thread >= h->last_run.n || !h->last_run.v[thread])
		return NULL;
	/* Low 32 bits of the run's number are enough to find it in the ring. */
	number = (uint32_t)h->last_run.v[thread];
	back = (uint32_t)((uint32_t)h->pushed + 1 - number);
	if (back > h->n_runs || back == 0)
		return NULL;
	r = &h->runs[(h->first + h->n_runs - back) % h->cap_runs];
	if (r->counted || r->thread != thread || r->stack != stack ||
	    r->off_cpu != off_cpu || r->count == UINT16_MAX || time_ns < r->time_ns ||
	    time_ns / RUN_SPAN_NS != r->time_ns / RUN_SPAN_NS)
		return NULL;
	return r;
}

void history_add(struct history *h, uint64_t time_ns, uint32_t thread, uint32_t stack,
		 uint64_t weight_ns, uint32_t count, bool off_cpu)
{
	struct run *r;

	if (time_ns + DISORDER_NS < h->newest_ns)
		time_ns = h->newest_ns - DISORDER_NS;
	else if (time_ns > h->newest_ns)
		h->newest_ns = time_ns;
	r = extendable(h, time_ns, thread, stack, off_cpu);
	if (weight_ns > 4000000000000ull)
		weight_ns = 4000000000000ull; /* an hour: a clock that stepped */
	if (r && run_weight(r) + weight_ns < 4000000000000ull &&
	    r->count + count <= UINT16_MAX) {
		set_weight(r, run_weight(r) + weight_ns);
		r->count = (uint16_t)(r->count + count);
		r->time_ns = time_ns;
		return;
	}
	make_room(h);
	if (time_ns <= h->looked_until_ns)
		h->numbering++;
	r = &h->runs[(h->first + h->n_runs++) % h->cap_runs];
	*r = (struct run){ .time_ns = time_ns,
			   .stack = stack,
			   .thread = thread,
			   .count = (uint16_t)(count < UINT16_MAX ? count : UINT16_MAX),
			   .off_cpu = off_cpu };
	set_weight(r, weight_ns);
	h->pushed++;
	while (h->last_run.n <= thread)
		*VEC_PUSH(&h->last_run) = 0;
	h->last_run.v[thread] = (uint32_t)h->pushed;
}

void history_merge_threads(struct history *h, const bool *which, size_t n, uint32_t into)
{
	size_t i;

	for (i = 0; i < h->n_runs; i++) {
		struct run *r = &h->runs[(h->first + i) % h->cap_runs];

		if (r->thread < n && which[r->thread])
			r->thread = into;
	}
	for (i = 0; i < n && i < h->last_run.n; i++)
		if (which[i])
			h->last_run.v[i] = 0;
	h->numbering++;
}

size_t history_since(const struct history *h, uint64_t time_ns)
{
	uint64_t from = time_ns > DISORDER_NS ? time_ns - DISORDER_NS : 0;
	size_t low = 0, high = h->n_runs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (history_run(h, mid)->time_ns <= from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
