/* Slow calls: the newest of them are kept with the stack in which they spent most of their time.
 * Of interpreted threads that is where they stood from look to look, off the CPU, too; of
 * others, what the samples of that time say. */
#include <stdlib.h>
#include <string.h>

#include "app/latency.h"
#include "base/clock.h"
#include "base/text.h"

#define SLOW_SHOWN 32u
#define SLOW_TAKEN 8u /* at once, once a second */
#define STACK_TEXT_MOST 600u
#define RUNS_MOST 2000u
#define SAMPLES_IN_NS (250 * NS_PER_MSEC)

/* ---- Where slow ones spent their time ------------------------------------------------ */

void latency_stood(struct latency *l, uint32_t thread, uint32_t node, uint64_t now)
{
	struct stood_thread *t;
	struct stood *last;

	while (l->stood.n <= thread)
		*VEC_PUSH(&l->stood) = NULL;
	if (!l->stood.v[thread]) {
		if (l->n_stood >= STOOD_THREADS)
			return;
		l->stood.v[thread] = xcalloc(1, sizeof(**l->stood.v));
		l->n_stood++;
	}
	t = l->stood.v[thread];
	last = &t->ring[(t->n + STOOD_KEPT - 1) % STOOD_KEPT];
	if (t->n) {
		last->to_ns = now; /* it stood there until it was seen elsewhere */
		if (last->node == node && last->numbering == l->e->history.numbering)
			return;
	}
	t->ring[t->n++ % STOOD_KEPT] =
	    (struct stood){ now, now, node, l->e->history.numbering };
}

void latency_stood_gone(struct latency *l, uint32_t thread)
{
	struct stood_gone *slot;

	if (thread >= l->stood.n || !l->stood.v[thread])
		return;
	slot = &l->stood_gone[l->n_stood_gone++ % STOOD_GONE_KEPT];
	free(slot->positions);
	*slot = (struct stood_gone){ thread, l->stood.v[thread] };
	l->stood.v[thread] = NULL;
	l->n_stood--;
}

void latency_stood_free(struct latency *l)
{
	size_t i;

	for (i = 0; i < l->stood.n; i++)
		free(l->stood.v[i]);
	VEC_DONE(&l->stood);
	for (i = 0; i < STOOD_GONE_KEPT; i++)
		free(l->stood_gone[i].positions);
	l->n_stood = 0;
	memset(l->stood_gone, 0, sizeof(l->stood_gone));
}

/* Of a thread that runs, or of one that ended lately: a number may be another's by now, which
 * the times tell. */
static const struct stood_thread *positions(const struct latency *l, uint32_t thread,
					    uint64_t from)
{
	const struct stood_thread *t = thread < l->stood.n ? l->stood.v[thread] : NULL;
	size_t i;

	if (t && t->ring[t->n < STOOD_KEPT ? 0 : t->n % STOOD_KEPT].from_ns <= from)
		return t;
	for (i = 0; i < STOOD_GONE_KEPT; i++)
		if (l->stood_gone[i].positions && l->stood_gone[i].thread == thread)
			return l->stood_gone[i].positions;
	return t;
}

/* The innermost functions of a stack, at most STACK_TEXT_MOST bytes: "outer;inner;leaf". */
static char *stack_text(struct engine *e, uint32_t node)
{
	const struct history *h = &e->history;
	struct text out = { 0 };
	const char *names[64];
	size_t n = 0, bytes = 0;
	char *copy;

	for (; node && n < 64; node = h->nodes.v[node].parent) {
		const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];
		const struct function *fn;

		if (!f->n_places)
			continue;
		fn = &e->functions.list.v[h->places.v[f->places].function];
		names[n] = intern_get(&e->functions.strings, fn->name);
		bytes += strlen(names[n]) + 1;
		if (bytes > STACK_TEXT_MOST)
			break;
		n++;
	}
	while (n--)
		text_fmt(&out, "%s%s", names[n], n ? ";" : "");
	copy = xstrdup(out.p ? out.p : "");
	text_done(&out);
	return copy;
}

/* The last one lasts: had it run since, it would have been looked at. */
static uint64_t overlap(const struct stood_thread *t, size_t i, uint64_t from,
			uint64_t to)
{
	const struct stood *s = &t->ring[i];
	bool last = i == (t->n - 1) % STOOD_KEPT;
	uint64_t a = s->from_ns > from ? s->from_ns : from;
	uint64_t b = s->to_ns < to && !last ? s->to_ns : to;

	return b > a ? b - a : 0;
}

/* The stack a thread stood in longest between two moments. */
static char *longest_stack(struct latency *l, uint32_t thread, uint64_t from, uint64_t to,
			   double *pct)
{
	const struct stood_thread *t = positions(l, thread, from);
	uint64_t best_ns = 0, all_ns = 0;
	uint32_t best = 0;
	size_t i, k, n;

	if (!t)
		return NULL;
	n = t->n < STOOD_KEPT ? t->n : STOOD_KEPT;
	for (i = 0; i < n; i++) {
		const struct stood *s = &t->ring[i];
		uint64_t ns = 0;

		if (s->numbering != l->e->history.numbering)
			continue;
		all_ns += overlap(t, i, from, to);
		for (k = 0; k < n; k++)
			if (t->ring[k].node == s->node &&
			    t->ring[k].numbering == s->numbering)
				ns += overlap(t, k, from, to);
		if (ns > best_ns) {
			best_ns = ns;
			best = s->node;
		}
	}
	*pct = all_ns ? 100.0 * (double)best_ns / (double)all_ns : 0;
	return best_ns ? stack_text(l->e, best) : NULL;
}

/* The same from the samples of machine stacks, which come a little later. */
static char *sampled_stack(struct latency *l, uint32_t thread, uint64_t from, uint64_t to,
			   double *pct)
{
	const struct history *h = &l->e->history;
	uint64_t best_ns = 0, all_ns = 0;
	size_t first = history_since(h, from), i, k;
	uint32_t best = 0;

	for (i = first; i < h->n_runs && i < first + RUNS_MOST; i++) {
		const struct run *r = history_run(h, i);
		uint64_t ns = 0;

		if (r->thread != thread || r->time_ns <= from || r->time_ns > to)
			continue;
		all_ns += run_weight(r);
		for (k = first; k < h->n_runs && k < first + RUNS_MOST; k++) {
			const struct run *o = history_run(h, k);

			if (o->thread == thread && o->stack == r->stack &&
			    o->time_ns > from && o->time_ns <= to)
				ns += run_weight(o);
		}
		if (ns > best_ns) {
			best_ns = ns;
			best = r->stack;
		}
	}
	*pct = all_ns ? 100.0 * (double)best_ns / (double)all_ns : 0;
	return best_ns ? stack_text(l->e, best) : NULL;
}

/* A call inside of a slow one on the same thread is told by the outer one's stack. */
static struct slow_call *slot_for(struct latency *l, const struct latency_event *ev)
{
	size_t i, n = l->n_slow < SLOW_KEPT ? l->n_slow : SLOW_KEPT;

	for (i = 0; i < n; i++) {
		struct slow_call *s = &l->slow[i];

		if (l->things.v[s->thing].source == LATENCY_VISITS &&
		    l->things.v[ev->thing].source == LATENCY_VISITS &&
		    s->thread == ev->thread &&
		    s->end_ns - s->took_ns + NS_PER_MSEC >= ev->end_ns - ev->took_ns &&
		    s->end_ns <= ev->end_ns)
			return s;
	}
	return &l->slow[l->n_slow++ % SLOW_KEPT];
}

void latency_keep_slow(struct latency *l, const struct latency_event *ev)
{
	struct slow_call *s = slot_for(l, ev);
	uint64_t ago = clock_now_ns() - ev->end_ns;

	free(s->stack);
	*s = (struct slow_call){ .end_ns = ev->end_ns,
				 .took_ns = ev->took_ns,
				 .wall_ns = clock_wall_ns() - ago,
				 .thing = ev->thing,
				 .thread = ev->thread };
	s->stack = longest_stack(l, ev->thread, ev->end_ns - ev->took_ns, ev->end_ns,
				 &s->stack_pct);
}

void latency_slow(struct latency *l, const struct latency_event *ev)
{
	size_t i, n = l->n_slow < SLOW_KEPT ? l->n_slow : SLOW_KEPT;
	uint64_t start = ev->end_ns - ev->took_ns;

	for (i = 0; i < n; i++) {
		struct slow_call *s = &l->slow[i];

		if (s->thing == ev->thing && s->thread == ev->thread &&
		    s->end_ns - s->took_ns == start) {
			s->wall_ns += ev->end_ns - s->end_ns;
			s->took_ns = ev->took_ns;
			s->end_ns = ev->end_ns;
			s->taken = false;
			return;
		}
	}
	latency_keep_slow(l, ev);
}

/* The pid in the upper, a connection in the lower half of an id. */
static void read_slow(struct latency *l, struct sums_source *s, uint32_t thing)
{
	uint64_t n = __atomic_load_n(&s->times->slow_n, __ATOMIC_ACQUIRE);

	if (n - s->slow_seen > BPF_SLOW_KEPT)
		s->slow_seen = n - BPF_SLOW_KEPT;
	for (; s->slow_seen < n; s->slow_seen++) {
		const struct bpf_slow *slow =
		    &s->times->slow[s->slow_seen % BPF_SLOW_KEPT];
		struct latency_event ev = { .end_ns = slow->end_ns,
					    .took_ns = slow->took_ns,
					    .thing = thing,
					    .count = 1 };

		if (!ev.end_ns || ev.took_ns > ev.end_ns)
			continue; /* being written */
		ev.thread = engine_find_thread(l->e, (pid_t)(slow->id >> 32));
		latency_slow(l, &ev);
	}
}

uint64_t latency_read_sums(struct latency *l, struct sums_source *s, uint32_t thing,
			   uint64_t now_ns)
{
	uint64_t all = 0;
	unsigned b;

	for (b = 0; b < HISTOGRAM_BUCKETS && thing != UINT32_MAX; b++) {
		uint64_t n = __atomic_load_n(&s->times->bucket[b], __ATOMIC_RELAXED);

		/* Less than before: one was taken back; the next one there makes up for it. */
		if ((int64_t)(n - s->before[b]) <= 0)
			continue;
		latency_log_add(&l->log, &(struct latency_event){
					     .end_ns = now_ns,
					     .took_ns = histogram_middle(b),
					     .thing = thing,
					     .thread = NO_ID,
					     .count = (uint32_t)(n - s->before[b]) });
		all += n - s->before[b];
		s->before[b] = n;
	}
	read_slow(l, s, thing);
	return all;
}

/* ---- What a snapshot shows of them -------------------------------------------------------- */

/* Of the exact sources; calls that were met are counted where they are kept. */
static uint64_t count_slow(const struct latency *l, uint64_t from, uint64_t to)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < l->log.ring.n; i++) {
		const struct latency_event *ev = &l->log.ring.v[i];
		enum latency_source source = l->things.v[ev->thing].source;

		if (ev->took_ns >= l->slow_ns && ev->end_ns > from && ev->end_ns <= to &&
		    source > LATENCY_VISITS && source <= LATENCY_LOOP)
			n += ev->count;
	}
	return n;
}

static void late_stack(struct latency *l, struct slow_call *c)
{
	if (c->stack || c->searched || clock_now_ns() < c->end_ns + SAMPLES_IN_NS)
		return;
	c->searched = true;
	c->stack =
	    sampled_stack(l, c->thread, c->end_ns - c->took_ns, c->end_ns, &c->stack_pct);
}

static struct snapshot_slow shown(struct latency *l, struct slow_call *c, struct arena *a)
{
	const struct thread *t =
	    c->thread < l->e->threads.n ? &l->e->threads.v[c->thread] : NULL;

	return (struct snapshot_slow){
		.time_ns = c->end_ns,
		.wall_ns = c->wall_ns,
		.took_ns = c->took_ns,
		.name = arena_str(a, l->things.v[c->thing].name),
		.thread = arena_str(a, t ? t->name : ""),
		.tid = t ? t->tid : 0,
		.stack = arena_str(a, c->stack ? c->stack : ""),
		.stack_pct = c->stack_pct,
	};
}

void latency_put_slow(struct latency *l, uint64_t from, struct snapshot *s)
{
	size_t kept = l->n_slow < SLOW_KEPT ? l->n_slow : SLOW_KEPT, i;
	struct snapshot_latency *out = &s->latency;

	out->slow_ns = l->slow_ns;
	out->slow_count = count_slow(l, from, s->time_ns);
	out->slow = arena_alloc(&s->arena, (kept + 1) * sizeof(*out->slow));
	for (i = 0; i < kept; i++) {
		struct slow_call *c =
		    &l->slow[(l->n_slow - 1 - i + SLOW_KEPT) % SLOW_KEPT];

		if (c->end_ns <= from || c->end_ns > s->time_ns)
			continue;
		late_stack(l, c);
		out->slow_count += l->things.v[c->thing].source == LATENCY_VISITS;
		if (out->n_slow < SLOW_SHOWN)
			out->slow[out->n_slow++] = shown(l, c, &s->arena);
	}
}

static int by_length(const void *a, const void *b)
{
	const struct slow_call *const *x = a, *const *y = b;

	if ((*x)->took_ns != (*y)->took_ns)
		return (*x)->took_ns > (*y)->took_ns ? -1 : 1;
	return (*x)->end_ns < (*y)->end_ns ? -1 : (*x)->end_ns > (*y)->end_ns;
}

/* Those of the last moment wait for the samples that tell their stack, and for a call around
 * them; but not when there is no next time. */
void latency_take_slow(struct latency *l, struct snapshot *s)
{
	size_t kept = l->n_slow < SLOW_KEPT ? l->n_slow : SLOW_KEPT, i, n = 0;
	struct snapshot_latency *out = &s->latency;
	struct slow_call *list[SLOW_KEPT];
	uint64_t now = clock_now_ns();

	for (i = 0; i < kept; i++) {
		struct slow_call *c = &l->slow[i];

		if (c->taken || c->end_ns > s->time_ns ||
		    (now < c->end_ns + SAMPLES_IN_NS && !l->e->finished))
			continue;
		late_stack(l, c);
		c->taken = true;
		list[n++] = c;
	}
	if (n)
		qsort(list, n, sizeof(*list), by_length);
	out->n_slow = n < SLOW_TAKEN ? n : SLOW_TAKEN;
	out->slow = arena_alloc(&s->arena, (out->n_slow + 1) * sizeof(*out->slow));
	for (i = 0; i < out->n_slow; i++)
		out->slow[i] = shown(l, list[i], &s->arena);
}
