/* Pauses and latencies of a window, from what each second had of them.
 *
 * A second's row is a distribution of which a few points are known: p50, p95, p99 and the
 * maximum, straight lines between. Many seconds are the mixture of theirs, weighted by
 * their counts, and its percentile is found by bisection: as exact as the seconds' own,
 * which the mean of percentiles is not. */
#include <string.h>

#include "base/hash.h"
#include "recording/reader.h"

#define ROWS_MOST 4096u
#define STEPS 60
#define SLOW_LISTED 4096u

static const double levels[LATENCY_FIGURES] = { 0.5, 0.95, 0.99, 1 };

/* The share of a second's events that took at most ns; unknown points are skipped. */
static double share_below(const uint64_t known[LATENCY_FIGURES], double ns)
{
	double x0 = 0, y0 = 0;
	int i;

	for (i = 0; i < LATENCY_FIGURES; i++) {
		double x1 = (double)known[i];

		if (known[i] == 0 || x1 < x0)
			continue;
		if (ns < x1)
			return x1 > x0 ? y0 + (levels[i] - y0) * (ns - x0) / (x1 - x0)
				       : y0;
		x0 = x1;
		y0 = levels[i];
	}
	return 1;
}

struct second {
	uint64_t count;
	const uint64_t *known;
};

typedef VEC(struct second) second_list;

static uint64_t largest(const second_list *l)
{
	uint64_t most = 0;
	size_t i;
	int k;

	for (i = 0; i < l->n; i++)
		for (k = 0; k < LATENCY_FIGURES; k++)
			most = l->v[i].known[k] > most ? l->v[i].known[k] : most;
	return most;
}

static uint64_t percentile(const second_list *l, double level)
{
	double low = 0, high = (double)largest(l);
	int step;

	if (level >= 1 || high <= 0)
		return (uint64_t)high;
	for (step = 0; step < STEPS; step++) {
		double mid = (low + high) / 2, below = 0, all = 0;
		size_t i;

		for (i = 0; i < l->n; i++) {
			below += (double)l->v[i].count * share_below(l->v[i].known, mid);
			all += (double)l->v[i].count;
		}
		if (below < level * all)
			low = mid;
		else
			high = mid;
	}
	return (uint64_t)high;
}

/* ---- latencies ---- */

static void put_figures(struct snapshot_latency_row *row, const second_list *known)
{
	int k;

	for (k = 0; k < LATENCY_FIGURES; k++) {
		uint64_t ns = known->n ? percentile(known, levels[k]) : 0;

		row->figure[k].known = ns ? LATENCY_KNOWN : LATENCY_UNKNOWN;
		row->figure[k].ns = ns;
	}
}

static bool same_thing(const struct recording_latency *a,
		       const struct recording_latency *b)
{
	return a->source == b->source && strcmp(a->name, b->name) == 0;
}

/* The same in every window: what is selected stays so. */
static uint64_t id_of(const struct recording_latency *l)
{
	return hash_pair(hash_bytes(l->name, strlen(l->name)), l->source);
}

/* The rows of one thing from its first on. */
static void put_latency(const struct recording *r, size_t first, uint64_t from_ns,
			uint64_t end_ns, struct snapshot *s)
{
	const struct recording_latency *one = &r->latencies.v[first];
	struct snapshot_latency_row *row = &s->latency.rows[s->latency.n_rows++];
	second_list known = { 0 }, tenths[LATENCY_TREND_CELLS] = { 0 };
	uint64_t span_ns = end_ns - from_ns;
	size_t i;
	int k;

	*row = (struct snapshot_latency_row){
		.id = id_of(one),
		.name = arena_str(&s->arena, one->name),
		.source = one->source,
		.exactness = arena_str(&s->arena, one->exactness),
		.note = "",
	};
	for (i = first; i < r->latencies.n && r->latencies.v[i].time_ns <= end_ns; i++) {
		const struct recording_latency *l = &r->latencies.v[i];
		bool any = false;

		if (l->time_ns <= from_ns || !same_thing(l, one))
			continue;
		row->count += l->count;
		for (k = 0; k < LATENCY_FIGURES; k++)
			any |= l->ns[k] != 0;
		if (!any)
			continue;
		*VEC_PUSH(&known) = (struct second){ l->count, l->ns };
		*VEC_PUSH(
		    &tenths[(l->time_ns - from_ns - 1) * LATENCY_TREND_CELLS / span_ns]) =
		    (struct second){ l->count, l->ns };
	}
	put_figures(row, &known);
	row->per_second = span_ns ? (double)row->count * 1e9 / (double)span_ns : 0;
	VEC_DONE(&known);
	for (k = 0; k < LATENCY_TREND_CELLS; k++) {
		row->trend_ns[k] = percentile(&tenths[k], 0.95);
		VEC_DONE(&tenths[k]);
	}
}

static void put_latencies(const struct recording *r, uint64_t from_ns, uint64_t end_ns,
			  struct snapshot *s)
{
	VEC(size_t) firsts = { 0 };
	size_t i, k;

	for (i = 0; i < r->latencies.n && firsts.n < ROWS_MOST; i++) {
		const struct recording_latency *l = &r->latencies.v[i];

		if (l->time_ns <= from_ns || l->time_ns > end_ns)
			continue;
		for (k = 0; k < firsts.n; k++)
			if (same_thing(l, &r->latencies.v[firsts.v[k]]))
				break;
		if (k == firsts.n)
			*VEC_PUSH(&firsts) = i;
	}
	s->latency.rows =
	    arena_alloc(&s->arena, (firsts.n + 1) * sizeof(*s->latency.rows));
	for (i = 0; i < firsts.n; i++)
		put_latency(r, firsts.v[i], from_ns, end_ns, s);
	VEC_DONE(&firsts);
}

/* ---- slow calls ---- */

/* How many there were, of which not all need be kept. */
static uint64_t count_slow(const struct recording *r, uint64_t from_ns, uint64_t end_ns)
{
	double n = 0;
	size_t i;

	for (i = 0; i < r->points.n && r->points.v[i].time_ns <= end_ns; i++)
		if (r->points.v[i].time_ns > from_ns && r->points.v[i].value > 0 &&
		    strcmp(r->points.v[i].name, "slow_calls") == 0)
			n += r->points.v[i].value;
	return n < 0x1p53 ? (uint64_t)n : 0;
}

/* The newest, newest first. */
static void put_slow(const struct recording *r, uint64_t from_ns, uint64_t end_ns,
		     struct snapshot *s)
{
	struct snapshot_latency *l = &s->latency;
	struct arena *a = &s->arena;
	size_t first, last, i;

	for (last = r->slow.n; last && r->slow.v[last - 1].time_ns > end_ns;)
		last--;
	for (first = last; first && last - first < SLOW_LISTED &&
			   r->slow.v[first - 1].time_ns > from_ns;)
		first--;
	l->slow_ns = r->slow_ns;
	l->n_slow = last - first;
	l->slow_count = count_slow(r, from_ns, end_ns);
	if (l->slow_count < l->n_slow)
		l->slow_count = l->n_slow;
	l->slow = arena_alloc(a, (l->n_slow + 1) * sizeof(*l->slow));
	for (i = 0; i < l->n_slow; i++) {
		const struct recording_slow *c = &r->slow.v[last - 1 - i];

		l->slow[i] = (struct snapshot_slow){
			.time_ns = c->time_ns,
			.wall_ns = r->start_wall_ns ? r->start_wall_ns + c->time_ns : 0,
			.took_ns = c->took_ns,
			.name = arena_str(a, c->name),
			.thread = arena_str(a, c->thread),
			.tid = c->tid,
			.stack = arena_str(a, c->stack),
			.stack_pct = c->stack_pct,
		};
	}
}

/* ---- pauses ---- */

static bool same_row(const struct recording_pause *a, const struct recording_pause *b)
{
	return strcmp(a->generation, b->generation) == 0 &&
	       strcmp(a->runtime, b->runtime) == 0 && strcmp(a->source, b->source) == 0;
}

static void add_pause(struct gc_row *row, const struct recording_pause *p)
{
	row->count += p->count;
	row->timed += p->timed;
	row->total_ns += p->total_ns;
	row->collected += p->collected;
	row->interval_ns =
	    p->interval_ns > row->interval_ns ? p->interval_ns : row->interval_ns;
}

static void finish_pauses(struct gc_row *row, const second_list *known, uint64_t span_ns)
{
	row->p50_ns = percentile(known, 0.5);
	row->p95_ns = percentile(known, 0.95);
	row->p99_ns = percentile(known, 0.99);
	row->max_ns = percentile(known, 1);
	row->exactness = row->interval_ns ? GC_INTERVAL : GC_EXACT;
	row->collected_known = row->collected != 0;
	row->per_s = span_ns ? (double)row->count * 1e9 / (double)span_ns : 0;
	row->time_pct = span_ns ? 100.0 * (double)row->total_ns / (double)span_ns : 0;
}

/* Those of one generation; `one` NULL: of all. */
static void put_pauses_of(const struct recording *r, const struct recording_pause *one,
			  uint64_t from_ns, uint64_t end_ns, struct gc_row *row)
{
	second_list known = { 0 };
	size_t i;

	for (i = 0; i < r->pauses.n && r->pauses.v[i].time_ns <= end_ns; i++) {
		const struct recording_pause *p = &r->pauses.v[i];

		if (p->time_ns <= from_ns || (one && !same_row(p, one)))
			continue;
		add_pause(row, p);
		if (p->timed)
			*VEC_PUSH(&known) = (struct second){ p->timed, p->ns };
	}
	finish_pauses(row, &known, end_ns - from_ns);
	VEC_DONE(&known);
}

/* The row a pause is counted in. */
static uint16_t row_of(const struct snapshot_gc *g, const struct recording_pause *p)
{
	uint16_t i = 0;

	while (i + 1u < g->n_rows && (strcmp(g->rows[i].generation, p->generation) != 0 ||
				      strcmp(g->rows[i].runtime, p->runtime) != 0 ||
				      strcmp(g->rows[i].source, p->source) != 0))
		i++;
	return i;
}

static void put_timeline(const struct recording *r, uint64_t from_ns, uint64_t end_ns,
			 struct snapshot *s)
{
	struct snapshot_gc *g = &s->gc;
	size_t i;

	if (g->n_rows == 0)
		return;
	g->timeline = arena_alloc(&s->arena, GC_CELLS * sizeof(*g->timeline));
	memset(g->timeline, 0, GC_CELLS * sizeof(*g->timeline));
	g->timeline_ns = end_ns - from_ns;
	for (i = 0; i < r->pauses.n && r->pauses.v[i].time_ns <= end_ns; i++) {
		const struct recording_pause *p = &r->pauses.v[i];
		uint64_t after = p->time_ns > from_ns ? p->time_ns - from_ns : 0;
		struct gc_cell *c;

		if (!after || !p->timed)
			continue;
		c = &g->timeline[(after - 1) * GC_CELLS / g->timeline_ns];
		c->count = p->timed > UINT32_MAX - c->count
			       ? UINT32_MAX
			       : c->count + (uint32_t)p->timed;
		if (p->ns[LATENCY_MAX] >= c->longest_ns) {
			c->longest_ns = p->ns[LATENCY_MAX];
			c->row = row_of(g, p);
		}
	}
}

static void put_pauses(const struct recording *r, uint64_t from_ns, uint64_t end_ns,
		       struct snapshot *s)
{
	VEC(const struct recording_pause *) firsts = { 0 };
	size_t i, k;

	for (i = 0; i < r->pauses.n && firsts.n < ROWS_MOST; i++) {
		const struct recording_pause *p = &r->pauses.v[i];

		if (p->time_ns <= from_ns || p->time_ns > end_ns)
			continue;
		for (k = 0; k < firsts.n; k++)
			if (same_row(p, firsts.v[k]))
				break;
		if (k == firsts.n)
			*VEC_PUSH(&firsts) = p;
	}
	s->gc.source = firsts.n ? arena_str(&s->arena, firsts.v[0]->source) : "";
	s->gc.reason = firsts.n ? "" : "none were recorded";
	s->gc.covered_ns = end_ns - from_ns;
	s->gc.rows = arena_alloc(&s->arena, (firsts.n + 1) * sizeof(*s->gc.rows));
	s->gc.n_rows = firsts.n;
	for (i = 0; i < firsts.n; i++) {
		s->gc.rows[i] = (struct gc_row){
			.runtime = arena_str(&s->arena, firsts.v[i]->runtime),
			.source = arena_str(&s->arena, firsts.v[i]->source),
			.generation = arena_str(&s->arena, firsts.v[i]->generation),
			.cause = arena_str(&s->arena, firsts.v[i]->cause),
		};
		put_pauses_of(r, firsts.v[i], from_ns, end_ns, &s->gc.rows[i]);
	}
	s->gc.all = (struct gc_row){
		.runtime = "", .source = s->gc.source, .generation = "all", .cause = ""
	};
	put_pauses_of(r, NULL, from_ns, end_ns, &s->gc.all);
	put_timeline(r, from_ns, end_ns, s);
	VEC_DONE(&firsts);
}

void recording_durations(const struct recording *r, uint64_t from_ns, uint64_t end_ns,
			 struct snapshot *s)
{
	put_latencies(r, from_ns, end_ns, s);
	put_slow(r, from_ns, end_ns, s);
	put_pauses(r, from_ns, end_ns, s);
}
