/* Counts by the second, durations in histograms by the second, and two strips of cells for
 * drawing: a minute in steps of 25 ms, ten minutes in steps of 2.5 s. */
#include "model/pauses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"

#define SECONDS_KEPT HISTOGRAM_SECONDS

void pauses_init(struct pauses *p)
{
	*p = (struct pauses){ 0 };
	p->fine = xcalloc(PAUSES_FINE, sizeof(*p->fine));
	p->coarse = xcalloc(PAUSES_COARSE, sizeof(*p->coarse));
}

void pauses_done(struct pauses *p)
{
	size_t i;

	for (i = 0; i < p->n_rows; i++) {
		VEC_DONE(&p->row[i]->seconds);
		histogram_window_done(&p->row[i]->times);
		free(p->row[i]);
	}
	free(p->fine);
	free(p->coarse);
	*p = (struct pauses){ 0 };
}

static void forget_new(struct pauses_row *r)
{
	r->new_count = r->new_collected = 0;
	histogram_clear(&r->new_times);
}

void pauses_clear(struct pauses *p, uint64_t now)
{
	size_t i;

	for (i = 0; i < p->n_rows; i++) {
		struct pauses_row *r = p->row[i];

		r->count = r->collected = 0;
		forget_new(r);
		VEC_CLEAR(&r->seconds);
		histogram_window_clear(&r->times);
	}
	memset(p->fine, 0, PAUSES_FINE * sizeof(*p->fine));
	memset(p->coarse, 0, PAUSES_COARSE * sizeof(*p->coarse));
	p->unseen = 0;
	if (p->first_ns)
		p->first_ns = now;
}

/* ---- what readers tell ---- */

static void copy(char *to, size_t size, const char *from)
{
	clean_copy(to, size, from, strlen(from));
}

size_t pauses_row(struct pauses *p, const char *runtime, const char *source,
		  const char *generation)
{
	struct pauses_row *r;
	size_t i;

	for (i = 0; i < p->n_rows; i++) {
		r = p->row[i];
		if (strcmp(r->runtime, runtime) == 0 && strcmp(r->source, source) == 0 &&
		    strcmp(r->generation, generation) == 0)
			return i;
	}
	if (p->n_rows == PAUSES_ROWS_MAX)
		return PAUSES_ROWS_MAX - 1;
	r = p->row[p->n_rows] = xcalloc(1, sizeof(*r));
	copy(r->runtime, sizeof(r->runtime), runtime);
	copy(r->source, sizeof(r->source), source);
	copy(r->generation, sizeof(r->generation), generation);
	histogram_window_init(&r->times);
	return p->n_rows++;
}

void pauses_exact(struct pauses *p, size_t row, enum gc_exactness e, uint64_t interval_ns)
{
	p->row[row]->exactness = e;
	p->row[row]->interval_ns = interval_ns;
}

void pauses_cause(struct pauses *p, size_t row, const char *cause)
{
	copy(p->row[row]->cause, sizeof(p->row[row]->cause), cause);
}

/* The second's account. A time that steps back counts for the newest second. */
static struct pauses_second *second_of(struct pauses_row *r, uint64_t time_ns)
{
	uint64_t second = time_ns / NS_PER_SEC;
	struct pauses_second *s;

	if (r->seconds.n && r->seconds.v[r->seconds.n - 1].second >= second)
		return &r->seconds.v[r->seconds.n - 1];
	if (r->seconds.n > SECONDS_KEPT + 60) {
		r->seconds.n -= 60;
		memmove(r->seconds.v, r->seconds.v + 60,
			r->seconds.n * sizeof(*r->seconds.v));
	}
	s = VEC_PUSH(&r->seconds);
	s->second = second;
	return s;
}

void pauses_count(struct pauses *p, size_t row, uint64_t time_ns, uint64_t n)
{
	struct pauses_row *r = p->row[row];

	if (n == 0)
		return;
	r->count += n;
	r->new_count += n;
	second_of(r, time_ns)->count += n;
}

void pauses_collected(struct pauses *p, size_t row, uint64_t time_ns, uint64_t objects)
{
	struct pauses_row *r = p->row[row];

	r->collected_known = true;
	if (objects == 0)
		return;
	r->collected += objects;
	r->new_collected += objects;
	second_of(r, time_ns)->collected += objects;
}

/* Moves a strip on to a cell, blanking those in between: at most all of them. */
static struct gc_cell *cell_at(struct gc_cell *strip, uint64_t size, uint64_t *upto,
			       uint64_t number)
{
	if (number + size <= *upto)
		return NULL; /* older than the strip */
	if (number > *upto + size)
		*upto = number - size;
	while (*upto < number)
		strip[++*upto % size] = (struct gc_cell){ 0 };
	return &strip[number % size];
}

static void mark(struct gc_cell *c, size_t row, uint64_t duration, uint64_t n)
{
	if (!c)
		return;
	c->count = n > UINT32_MAX - c->count ? UINT32_MAX : c->count + (uint32_t)n;
	if (duration >= c->longest_ns) {
		c->longest_ns = duration;
		c->row = (uint16_t)row;
	}
}

void pauses_time(struct pauses *p, size_t row, uint64_t end_ns, uint64_t duration,
		 uint64_t n)
{
	p->recent[p->n_recent++ % PAUSES_RECENT] = (struct pause){ end_ns, duration };
	histogram_window_add(&p->row[row]->times, end_ns, duration, n);
	histogram_add(&p->row[row]->new_times, duration, n);
	mark(cell_at(p->fine, PAUSES_FINE, &p->fine_upto, end_ns / PAUSES_FINE_NS), row,
	     duration, n);
	mark(
	    cell_at(p->coarse, PAUSES_COARSE, &p->coarse_upto, end_ns / PAUSES_COARSE_NS),
	    row, duration, n);
}

/* ---- what a snapshot says ---- */

/* What looks did not meet were the short ones; what they met says nothing of those. */
static uint64_t percentile(const struct gc_row *r, const struct histogram *h, double part)
{
	double met = r->count ? (double)h->count / (double)r->count : 1;

	if (r->interval_ns == 0 || met >= 1)
		return histogram_quantile(h, part);
	return part <= 1 - met ? 0 : histogram_quantile(h, 1 - (1 - part) / met);
}

static void put_times(struct gc_row *out, const struct histogram *h)
{
	out->timed = h->count;
	out->p50_ns = percentile(out, h, 0.5);
	out->p95_ns = percentile(out, h, 0.95);
	out->p99_ns = percentile(out, h, 0.99);
	out->max_ns = h->most_ns;
	out->total_ns = h->sum_ns;
}

static void put_shares(struct gc_row *out, uint64_t covered)
{
	if (!covered)
		return;
	out->per_s = (double)out->count * (double)NS_PER_SEC / (double)covered;
	out->time_pct = 100.0 * (double)out->total_ns / (double)covered;
}

static struct gc_row words_of(const struct pauses_row *r, struct arena *arena)
{
	return (struct gc_row){ .runtime = arena_str(arena, r->runtime),
				.source = arena_str(arena, r->source),
				.generation = arena_str(arena, r->generation),
				.cause = arena_str(arena, r->cause),
				.exactness = r->exactness,
				.interval_ns = r->interval_ns,
				.collected_known = r->collected_known };
}

static void put_row(const struct pauses_row *r, uint64_t from, struct arena *arena,
		    struct gc_row *out, struct histogram *h)
{
	size_t i;

	*out = words_of(r, arena);
	if (from == 0) {
		out->count = r->count;
		out->collected = r->collected;
	}
	for (i = r->seconds.n;
	     from && i > 0 && r->seconds.v[i - 1].second >= from / NS_PER_SEC; i--) {
		out->count += r->seconds.v[i - 1].count;
		out->collected += r->seconds.v[i - 1].collected;
	}
	histogram_window_sum(&r->times, from, h);
	put_times(out, h);
}

static void join(struct gc_row *all, const struct gc_row *r)
{
	all->count += r->count;
	all->collected += r->collected;
	all->collected_known |= r->collected_known;
	if (r->exactness > all->exactness)
		all->exactness = r->exactness;
	if (r->interval_ns > all->interval_ns)
		all->interval_ns = r->interval_ns;
}

static void put_timeline(const struct pauses *p, uint64_t now, uint64_t span,
			 struct arena *arena, struct snapshot_gc *out)
{
	bool fine = span <= PAUSES_FINE * PAUSES_FINE_NS;
	uint64_t width = fine ? PAUSES_FINE_NS : PAUSES_COARSE_NS;
	uint64_t size = fine ? PAUSES_FINE : PAUSES_COARSE;
	uint64_t upto = fine ? p->fine_upto : p->coarse_upto, last = now / width, i;
	uint64_t group = (span / width + GC_CELLS - 1) / GC_CELLS;
	const struct gc_cell *strip = fine ? p->fine : p->coarse;

	if (group == 0)
		group = 1;
	out->timeline = arena_alloc(arena, GC_CELLS * sizeof(*out->timeline));
	memset(out->timeline, 0, GC_CELLS * sizeof(*out->timeline));
	out->timeline_ns = GC_CELLS * group * width;
	for (i = 0; i < GC_CELLS * group && i < size && i <= last; i++) {
		const struct gc_cell *c = &strip[(last - i) % size];
		struct gc_cell *to = &out->timeline[GC_CELLS - 1 - i / group];

		if (last - i > upto || last - i + size <= upto || c->count == 0)
			continue;
		mark(to, c->row, c->longest_ns, c->count);
	}
}

void pauses_put(const struct pauses *p, uint64_t now, uint64_t window,
		struct arena *arena, struct snapshot_gc *out)
{
	uint64_t since = now > p->first_ns ? now - p->first_ns : 0;
	bool part = window && window < since;
	struct histogram h, all = { 0 };
	size_t i;

	/* A window begins in the middle of a second: that one is left out. */
	uint64_t from = part ? (now - window) / NS_PER_SEC * NS_PER_SEC + NS_PER_SEC : 0;

	if (p->first_ns == 0)
		return;
	out->covered_ns = part ? now - from : since;
	out->unseen = p->unseen;
	out->rows = arena_alloc(arena, (p->n_rows + 1) * sizeof(*out->rows));
	out->all = (struct gc_row){
		.runtime = "", .source = "", .generation = "all", .cause = ""
	};
	for (i = 0; i < p->n_rows; i++) {
		struct gc_row *r = &out->rows[out->n_rows];

		put_row(p->row[i], from, arena, r, &h);
		if (p->row[i]->count == 0 && p->row[i]->times.all.count == 0)
			continue;
		out->n_rows++;
		put_shares(r, out->covered_ns);
		join(&out->all, r);
		histogram_merge(&all, &h);
	}
	put_times(&out->all, &all);
	put_shares(&out->all, out->covered_ns);
	put_timeline(p, now, window ? window : since, arena, out);
}

void pauses_take(struct pauses *p, struct arena *arena, struct snapshot_gc *out)
{
	size_t i;

	out->rows = arena_alloc(arena, (p->n_rows + 1) * sizeof(*out->rows));
	out->n_rows = 0;
	for (i = 0; i < p->n_rows; i++) {
		struct pauses_row *r = p->row[i];
		struct gc_row *to = &out->rows[out->n_rows];

		if (r->new_count == 0 && r->new_times.count == 0)
			continue;
		*to = words_of(r, arena);
		to->count = r->new_count;
		to->collected = r->new_collected;
		put_times(to, &r->new_times);
		forget_new(r);
		out->n_rows++;
	}
}
