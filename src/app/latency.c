/* Latencies: things, their events, and the rows a snapshot shows of them.
 *
 * Rows are chosen when a picture is made: all that the user asked for, then requests, loops,
 * the functions whose calls took most time in all, waits. */
#include "app/latency.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#define FUNCTIONS_SHOWN 24u
#define BASE_HIGH 1.5
#define BASE_HIGHER 3.0

/* ---- Things -------------------------------------------------------------------------- */

static size_t slot_of(const struct latency *l, enum latency_source source, uint64_t id)
{
	size_t i = hash_pair(id, source) & (l->n_slots - 1);

	while (l->slots[i] && (l->things.v[l->slots[i] - 1].id != id ||
			       l->things.v[l->slots[i] - 1].source != source))
		i = (i + 1) & (l->n_slots - 1);
	return i;
}

static void grow_slots(struct latency *l)
{
	size_t i;

	l->n_slots = l->n_slots ? l->n_slots * 2 : 256;
	free(l->slots);
	l->slots = xcalloc(l->n_slots, sizeof(*l->slots));
	for (i = 0; i < l->things.n; i++)
		l->slots[slot_of(l, l->things.v[i].source, l->things.v[i].id)] =
		    (uint32_t)i + 1;
}

uint32_t latency_thing(struct latency *l, enum latency_source source, uint64_t id,
		       const char *name)
{
	struct latency_thing *t;
	size_t slot;

	if (l->things.n * 2 >= l->n_slots)
		grow_slots(l);
	slot = slot_of(l, source, id);
	if (l->slots[slot])
		return l->slots[slot] - 1;
	if (l->things.n >= LATENCY_THINGS_MOST)
		return UINT32_MAX;
	t = VEC_PUSH(&l->things);
	t->source = source;
	t->id = id;
	t->name = xstrdup(name);
	t->ours = true;
	l->slots[slot] = (uint32_t)l->things.n;
	return (uint32_t)l->things.n - 1;
}

void latency_limit(struct latency *l, const char *fmt, ...)
{
	size_t n = strlen(l->limits);
	va_list ap;

	if (n + 4 >= sizeof(l->limits))
		return;
	if (n)
		n += (size_t)snprintf(l->limits + n, sizeof(l->limits) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(l->limits + n, sizeof(l->limits) - n, fmt, ap);
	va_end(ap);
}

static bool may_be_slow(const struct latency *l, const struct latency_event *ev)
{
	const struct latency_thing *t = &l->things.v[ev->thing];

	return l->slow_ns && ev->took_ns >= l->slow_ns && ev->count == 1 &&
	       (t->source == LATENCY_VISITS ? t->ours || t->pinned
					    : t->source <= LATENCY_LOOP);
}

void latency_note(struct latency *l, const struct latency_event *ev)
{
	if (ev->thing == UINT32_MAX)
		return;
	latency_log_add(&l->log, ev);
	if (may_be_slow(l, ev))
		latency_keep_slow(l, ev);
}

/* ---- Visits -------------------------------------------------------------------------- */

static bool is_wanted(const struct latency *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->e->config.n_triggers; i++)
		if (trigger_name_matches(name, l->e->config.triggers[i].function))
			return true;
	return false;
}

static void visit_ended(void *arg, const struct visit *v)
{
	struct latency *l = arg;
	struct engine *e = l->e;
	struct frame f = { .kind = FRAME_PYTHON, .object = v->function };
	struct place places[INLINE_DEPTH_MAX];
	const struct function *fn;
	const char *name;
	uint32_t thing;

	if (engine_places(e, &f, places) == 0)
		return;
	fn = &e->functions.list.v[places[0].function];
	name = intern_get(&e->functions.strings, fn->name);
	thing = latency_thing(l, LATENCY_VISITS, places[0].function, name);
	if (thing == UINT32_MAX)
		return;
	l->things.v[thing].ours = !fn->library;
	if (!l->things.v[thing].pinned)
		l->things.v[thing].pinned = is_wanted(l, name);
	latency_note(l, &(struct latency_event){ .end_ns = v->end_ns,
						 .took_ns = v->took_ns,
						 .thing = thing,
						 .thread = v->thread,
						 .count = 1,
						 .looks = v->looks });
}

void latency_looked(struct latency *l, uint32_t thread, uint32_t node, uint64_t now_ns,
		    const uint64_t *calls)
{
	latency_stood(l, thread, node, now_ns);
	visits_look(&l->visits, thread, now_ns, &l->e->stack, calls, visit_ended, l);
}

/* ---- Rows ---------------------------------------------------------------------------- */

struct choice {
	uint32_t thing;
	int rank;
	uint64_t took_ns;
};

static int by_rank(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->took_ns != y->took_ns)
		return x->took_ns < y->took_ns ? 1 : -1;
	return x->thing < y->thing ? -1 : x->thing > y->thing;
}

static int rank_of(const struct latency_thing *t)
{
	static const int ranks[LATENCY_SOURCES] = {
		[LATENCY_WATCH] = 0, [LATENCY_PROBE] = 0,  [LATENCY_REQUESTS] = 2,
		[LATENCY_LOOP] = 3,  [LATENCY_VISITS] = 4, [LATENCY_WAIT] = 5,
		[LATENCY_QUEUE] = 6,
	};

	return t->pinned ? 1 : ranks[t->source];
}

static size_t choose(struct latency *l, struct choice *out)
{
	size_t i, n = 0, kept = 0, functions = 0;

	for (i = 0; i < l->things.n; i++) {
		const struct latency_thing *t = &l->things.v[i];

		if (!l->sums.v[i].count && !t->note[0])
			continue;
		if (t->source == LATENCY_VISITS && !t->ours && !t->pinned)
			continue;
		if ((t->source == LATENCY_WATCH || t->source == LATENCY_PROBE) &&
		    !t->pinned)
			continue; /* no longer asked for */
		out[n++] =
		    (struct choice){ (uint32_t)i, rank_of(t), l->sums.v[i].took_ns };
	}
	if (n)
		qsort(out, n, sizeof(*out), by_rank);
	for (i = 0; i < n; i++) {
		bool visits = l->things.v[out[i].thing].source == LATENCY_VISITS;

		functions += visits;
		if (!visits || functions <= FUNCTIONS_SHOWN)
			out[kept++] = out[i];
	}
	return kept;
}

static void compare_with_base(const struct latency_thing *t,
			      struct snapshot_latency_row *r)
{
	double now = (double)r->figure[LATENCY_P95].ns, base = (double)t->base_p95.ns;

	r->base_p50 = t->base_p50;
	r->base_p95 = t->base_p95;
	if (r->figure[LATENCY_P95].known != LATENCY_KNOWN ||
	    t->base_p95.known != LATENCY_KNOWN || base <= 0)
		return;
	r->level = now > BASE_HIGHER * base ? 2 : now > BASE_HIGH * base ? 1 : 0;
}

/* Of sampled calls not every figure may be told. */
static void limit_figures(struct latency *l, const struct latency_sum *sum,
			  struct snapshot_latency_row *r)
{
	struct latency_figure allowed[LATENCY_FIGURES];
	int i;

	visits_figures(sum->count, sum->twice, l->visits.period_ns, allowed);
	for (i = 0; i < LATENCY_FIGURES; i++)
		if (allowed[i].known != LATENCY_KNOWN)
			r->figure[i] = allowed[i];
	if (allowed[LATENCY_P50].known != LATENCY_KNOWN)
		memset(r->trend_ns, 0, sizeof(r->trend_ns));
}

static void limit_short(uint64_t bias_ns, struct latency_figure *figure)
{
	int i;

	for (i = 0; i < LATENCY_FIGURES; i++)
		if (figure[i].known == LATENCY_KNOWN && figure[i].ns < bias_ns)
			figure[i] = (struct latency_figure){ LATENCY_BELOW, bias_ns };
}

static void put_row(struct latency *l, uint32_t thing, uint64_t from, struct snapshot *s,
		    struct snapshot_latency_row *r)
{
	const struct latency_thing *t = &l->things.v[thing];
	char sampled[48];

	*r = (struct snapshot_latency_row){
		.id = (uint64_t)t->source << 56 | thing,
		.name = arena_str(&s->arena, t->name),
		.source = t->source,
		.exactness = "exact",
		.note = arena_str(&s->arena, t->note),
		.pinned = t->pinned,
	};
	latency_log_row(&l->log, l->scratch, &l->sums.v[thing], from, s->time_ns, r);
	if (t->source == LATENCY_VISITS) {
		snprintf(sampled, sizeof(sampled), "sampled +-%.3g ms",
			 (double)l->visits.period_ns / 1e6);
		r->exactness = arena_str(&s->arena, sampled);
		limit_figures(l, &l->sums.v[thing], r);
	} else if (t->source == LATENCY_QUEUE) {
		r->exactness = "means of short stretches";
	}
	limit_short(t->bias_ns, r->figure);
	compare_with_base(t, r);
}

static void put_rows(struct latency *l, uint64_t from, struct snapshot *s)
{
	struct choice *chosen;
	size_t i, n;

	/* It may meet things that nobody has met: what is as long as the things comes after. */
	latency_waits_settle(l, clock_now_ns());
	chosen = xcalloc(l->things.n + 1, sizeof(*chosen));
	while (l->sums.n < l->things.n)
		(void)VEC_PUSH(&l->sums);
	latency_log_sum(&l->log, l->scratch, from, s->time_ns, l->sums.v, l->things.n);
	n = choose(l, chosen);
	s->latency.rows = arena_alloc(&s->arena, (n + 1) * sizeof(*s->latency.rows));
	for (i = 0; i < n; i++)
		put_row(l, chosen[i].thing, from, s, &s->latency.rows[i]);
	s->latency.n_rows = n;
	s->latency.limits = l->limits[0] ? arena_str(&s->arena, l->limits) : NULL;
	s->latency.probes_pct = latency_exact_cost(l);
	latency_put_slow(l, from, s);
	free(chosen);
}

static void latency_put(void *state, struct snapshot *s)
{
	put_rows(state, s->time_ns > s->covered_ns ? s->time_ns - s->covered_ns : 0, s);
}

void latency_take(struct latency *l, uint64_t from, struct snapshot *s)
{
	put_rows(l, from, s);
	latency_take_slow(l, s);
}

/* ---- The part ------------------------------------------------------------------------ */

static void *latency_open(struct engine *e)
{
	struct latency *l = xcalloc(1, sizeof(*l));

	l->e = e;
	l->scratch = latency_scratch_new();
	l->slow_ns = e->config.slow_ns ? e->config.slow_ns : SLOW_DEFAULT_NS;
	visits_init(&l->visits, (uint64_t)((double)NS_PER_SEC / e->config.rate_hz));
	e->latency = l;
	latency_waits_open(l);
	latency_exact_open(l);
	return l;
}

static void latency_close(void *state)
{
	struct latency *l = state;
	size_t i;

	l->e->latency = NULL;
	latency_waits_close(l);
	latency_exact_close(l);
	visits_done(&l->visits);
	latency_log_done(&l->log);
	latency_scratch_free(l->scratch);
	latency_stood_free(l);
	for (i = 0; i < l->things.n; i++)
		free(l->things.v[i].name);
	for (i = 0; i < SLOW_KEPT; i++)
		free(l->slow[i].stack);
	VEC_DONE(&l->things);
	VEC_DONE(&l->sums);
	free(l->slots);
	free(l);
}

static void latency_turn(void *state, uint64_t now_ns)
{
	latency_waits_turn(state, now_ns);
	latency_exact_turn(state, now_ns);
}

static uint64_t latency_due(const void *state)
{
	return latency_waits_due(state);
}

/* What is now, over the window that is shown. */
static void set_base(struct latency *l)
{
	struct snapshot *s = engine_figures(l->e, clock_now_ns(), l->e->window_ns);
	size_t i;

	for (i = 0; i < s->latency.n_rows; i++) {
		const struct snapshot_latency_row *r = &s->latency.rows[i];
		struct latency_thing *t = &l->things.v[(uint32_t)r->id];

		t->base_p50 = r->figure[LATENCY_P50];
		t->base_p95 = r->figure[LATENCY_P95];
	}
	snapshot_free(s);
}

static bool latency_command(void *state, const struct command *c)
{
	static const struct latency_figure none = { LATENCY_UNKNOWN, 0 };
	struct latency *l = state;
	size_t i;

	if (c->kind == COMMAND_TIME) {
		if (c->value)
			latency_exact_add(l, c->text);
		else
			latency_exact_drop(l, (uint32_t)c->window_ns);
		return true;
	}
	if (c->kind != COMMAND_BASELINE)
		return false;
	for (i = 0; i < l->things.n; i++)
		l->things.v[i].base_p50 = l->things.v[i].base_p95 = none;
	if (c->value)
		set_base(l);
	return true;
}

static void latency_reset(void *state)
{
	struct latency *l = state;

	latency_log_clear(&l->log);
	l->n_slow = 0;
	latency_stood_free(l);
}

const struct part latency_part = {
	.name = "latency",
	.open = latency_open,
	.close = latency_close,
	.turn = latency_turn,
	.due_ns = latency_due,
	.command = latency_command,
	.reset = latency_reset,
	.put = latency_put,
};
