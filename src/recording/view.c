/* Pictures of a recording: the same that the sampler makes of a live target, from the
 * same history, with the facts of the session instead of gauges. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/threads_now.h"
#include "recording/batch.h"
#include "recording/reader.h"

#define THREADS_LISTED 256u

/* The newest value of a series up to a moment; 0 when there is none. */
static double value_at(const struct recording *r, const char *name, uint64_t time_ns)
{
	double v = 0;
	size_t i;

	for (i = 0; i < r->points.n && r->points.v[i].time_ns <= time_ns; i++)
		if (strcmp(r->points.v[i].name, name) == 0)
			v = r->points.v[i].value;
	return v;
}

/* The mean of a series over a window; 0 when there is none. */
static double mean_of(const struct recording *r, const char *name, uint64_t from_ns,
		      uint64_t end_ns)
{
	double sum = 0, n = 0;
	size_t i;

	for (i = 0; i < r->points.n && r->points.v[i].time_ns <= end_ns; i++)
		if (r->points.v[i].time_ns > from_ns &&
		    strcmp(r->points.v[i].name, name) == 0) {
			sum += r->points.v[i].value;
			n++;
		}
	return n > 0 ? sum / n : 0;
}

/* On the screen what it was at the end, as of a live target; in a report the mean. */
static double percent(const struct recording *r, const char *name, uint64_t from_ns,
		      uint64_t end_ns, bool live)
{
	return live ? value_at(r, name, end_ns) : mean_of(r, name, from_ns, end_ns);
}

/* Least squares, bytes a second; 0 with fewer than 10 s of points. */
static double rss_slope(const struct recording *r, uint64_t from_ns, uint64_t end_ns)
{
	double n = 0, st = 0, sv = 0, stt = 0, stv = 0, d, first = -1, last = 0;
	size_t i;

	for (i = 0; i < r->points.n && r->points.v[i].time_ns <= end_ns; i++) {
		const struct recording_point *p = &r->points.v[i];
		double t = (double)p->time_ns / (double)NS_PER_SEC;

		if (p->time_ns < from_ns || strcmp(p->name, "rss_bytes") != 0)
			continue;
		first = first < 0 ? t : first;
		last = t;
		n++;
		st += t;
		sv += p->value;
		stt += t * t;
		stv += t * p->value;
	}
	d = n * stt - st * st;
	return last - first < 10 || d <= 0 ? 0 : (n * stv - st * sv) / d;
}

void recording_facts(const struct recording *r, struct snapshot *s)
{
	struct arena *a = &s->arena;
	uint64_t dropped;
	size_t i;

	s->recorded = true;
	s->pid = r->pid;
	s->command = arena_str(a, r->command);
	s->cmdline = arena_str(a, r->cmdline[0] ? r->cmdline : r->command);
	s->runtime = arena_str(a, r->runtime);
	s->host = arena_str(a, r->host);
	s->backend = arena_str(a, r->backend);
	s->limits = arena_str(a, r->limits);
	s->start_wall_ns = r->target_start_ns;
	s->exit_status = r->exit_status;
	s->rate_hz = r->rate_hz;
	s->mode = r->mode;
	s->samples_ever = r->samples;
	s->samples_due = r->samples_due;
	s->broken = r->broken;
	s->own_rss_bytes = r->own_rss_bytes;
	s->taken_pct = r->taken_pct;
	s->effective_pct = r->samples_due > r->samples
			       ? 100.0 * (double)r->samples / (double)r->samples_due
			       : 100;
	memcpy(s->lost, r->lost, sizeof(s->lost));
	dropped = r->lost[LOSS_RING_FULL] + r->lost[LOSS_BAD_RECORD] +
		  r->lost[LOSS_STACK_RACED] + r->lost[LOSS_READ_FAILED];
	s->lost_pct =
	    dropped ? 100.0 * (double)dropped / (double)(dropped + r->samples) : 0;
	s->messages = arena_alloc(a, (r->messages.n + 1) * sizeof(*s->messages));
	for (i = 0; i < r->messages.n; i++)
		s->messages[i] =
		    (struct snapshot_message){ r->messages.v[i].wall_ns,
					       r->messages.v[i].warning,
					       arena_str(a, r->messages.v[i].text) };
	s->n_messages = r->messages.n;
}

struct listed {
	uint32_t number;
	uint64_t on_ns, all_ns;
};

static int by_cpu(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->on_ns != y->on_ns)
		return x->on_ns < y->on_ns ? 1 : -1;
	if (x->all_ns != y->all_ns)
		return x->all_ns < y->all_ns ? 1 : -1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The history's numbers become indexes of s->threads, in functions and runs. */
static void renumber(const struct recording *r, const struct listed *list,
		     struct snapshot *s)
{
	uint32_t *to = xmalloc((r->threads.n + 1) * sizeof(*to));
	size_t i;

	memset(to, 0xff, (r->threads.n + 1) * sizeof(*to));
	for (i = 0; i < s->n_threads; i++)
		to[list[i].number] = (uint32_t)i;
	for (i = 0; i < s->n_functions; i++)
		if (s->functions[i].thread < r->threads.n)
			s->functions[i].thread = to[s->functions[i].thread];
	for (i = 0; i < s->n_runs; i++) {
		s->runs[i].thread = to[s->runs[i].thread];
		s->runs[i].time_ns -= RECORDING_ZERO_NS;
	}
	free(to);
}

/* Where each thread listed was last, and how busy it was. */
static void put_stacks(const struct recording *r, const struct listed *list,
		       struct snapshot *s)
{
	struct thread_now *now = xcalloc(r->threads.n + 1, sizeof(*now));
	size_t i;

	threads_now(&r->history, s->time_ns, s->covered_ns, now, r->threads.n);
	for (i = 0; i < s->n_threads; i++)
		threads_now_put(&r->history, &r->functions, &now[list[i].number],
				&s->arena, &s->threads[i]);
	free(now);
}

uint32_t recording_thread(const struct recording *r, int32_t tid)
{
	size_t i;

	for (i = 0; i < r->threads.n; i++)
		if (r->threads.v[i].tid == tid)
			return (uint32_t)i + 1;
	return 0;
}

static void put_threads(const struct recording *r, const struct picture_thread *did,
			struct snapshot *s)
{
	struct listed *list = xcalloc(r->threads.n + 1, sizeof(*list));
	size_t i, n = 0;

	for (i = 0; i < r->threads.n; i++)
		if (did[i].on_ns || did[i].off_ns)
			list[n++] = (struct listed){
				(uint32_t)i, did[i].on_ns,
				did[i].on_ns + (r->mode == MODE_WALL ? did[i].off_ns : 0)
			};
	if (n)
		qsort(list, n, sizeof(*list), by_cpu);
	s->n_threads_all = n;
	s->n_threads = s->threads_merged && n > THREADS_LISTED ? THREADS_LISTED : n;
	s->threads = arena_alloc(&s->arena, (n + 1) * sizeof(*s->threads));
	for (i = 0; i < s->n_threads; i++) {
		const struct recording_thread *t = &r->threads.v[list[i].number];

		s->threads[i] = (struct snapshot_thread){
			.pid = t->pid,
			.tid = t->tid,
			.name = arena_str(&s->arena, t->name),
			.process = arena_str(&s->arena, t->process),
			.gil_pct = -1,
			.gil_wait_pct = -1,
			.state = '?',
			.self_ns = list[i].all_ns,
			.cpu_pct = s->covered_ns ? 100.0 * (double)list[i].on_ns /
						       (double)s->covered_ns
						 : 0,
			.idle = list[i].on_ns == 0,
			.top = "",
			.top_file = "",
			.wait = "",
		};
	}
	if (s->wants & WANT_STACKS)
		put_stacks(r, list, s);
	renumber(r, list, s);
	free(list);
}

struct snapshot *recording_picture(struct recording *r, const struct picture_query *asked,
				   unsigned wants, bool live)
{
	struct picture_thread *did = xcalloc(r->threads.n + 1, sizeof(*did));
	uint64_t end = asked->end_ns && asked->end_ns < r->duration_ns ? asked->end_ns
								       : r->duration_ns;
	uint64_t from =
	    asked->window_ns && asked->window_ns < end ? end - asked->window_ns : 0;
	struct picture_query q = *asked;
	struct snapshot *s = snapshot_new();
	size_t i;

	q.end_ns = RECORDING_ZERO_NS + end;
	q.mode = r->mode;
	q.tree = wants & WANT_TREE;
	q.runs = wants & WANT_RUNS;
	q.lines = wants & WANT_LINES;
	q.hot_lines = wants & WANT_HOT_LINES;
	q.spread = wants & WANT_SPREAD;
	q.merged |= q.tree || q.lines;
	picture_build(&r->history, &r->functions, &q, live ? &r->live : NULL, did,
		      r->threads.n, s);
	/* Theirs are static where a target is read; here they are the recording's. */
	for (i = 0; i < s->n_functions; i++)
		s->functions[i].runtime = arena_str(&s->arena, s->functions[i].runtime);
	s->covered_ns = end - from;
	s->wants = wants;
	s->only_tid = q.only ? r->threads.v[q.only - 1].tid : 0;
	recording_facts(r, s);
	if (r->counted)
		s->samples =
		    r->rate_hz > 0
			? (uint64_t)((double)s->weight_ns * r->rate_hz / 1e9 + 0.5)
			: s->weight_ns;
	s->wall_ns = r->start_wall_ns ? r->start_wall_ns + end : 0;
	s->target_cpu_pct = percent(r, "cpu_pct", from, end, live);
	s->target_user_pct = percent(r, "user_pct", from, end, live);
	s->target_system_pct = percent(r, "system_pct", from, end, live);
	s->target_rss_bytes = (uint64_t)value_at(r, "rss_bytes", end);
	s->target_rss_slope = rss_slope(r, from, end);
	s->own_cpu_pct = percent(r, "own_cpu_pct", from, end, live);
	recording_durations(r, from, end, s);
	recording_memory(r, end, s);
	put_threads(r, did, s);
	s->time_ns = end; /* in the recording's own time from here on */
	free(did);
	return s;
}

struct batch *recording_batch(struct recording *r, const struct picture_query *q,
			      const struct snapshot *facts)
{
	struct gather_thread *threads = xcalloc(r->threads.n + 1, sizeof(*threads));
	uint64_t end = RECORDING_ZERO_NS + facts->time_ns, from = RECORDING_ZERO_NS;
	struct gather_from g = { &r->history,	 &r->functions, threads,
				 r->threads.n,	 end,		facts->wall_ns,
				 facts->only_tid };
	struct gatherer *gatherer;
	struct batch *b;
	size_t i;

	if (q->window_ns && q->window_ns < facts->time_ns)
		from = end - q->window_ns;
	for (i = 0; i < r->threads.n; i++)
		threads[i] =
		    (struct gather_thread){ r->threads.v[i].pid, r->threads.v[i].tid,
					    r->threads.v[i].name,
					    r->threads.v[i].process };
	gatherer = gatherer_new(from);
	b = gather(gatherer, &g);
	b->clock_ns = facts->time_ns;
	batch_facts(b, facts);
	b->facts->samples_ever = facts->samples;
	gatherer_free(gatherer);
	free(threads);
	return b;
}
