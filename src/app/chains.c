/* A thread whose state is not known yet, as it is younger than the last list of threads, brings no
 * copy with its samples: they are given the stack it has when they are read. So are those of very
 * deep stacks in old versions, as far as there is time. A stack that is rejected leaves its time to
 * the thread's next one. */
#include "app/chains.h"

#include <stdio.h>
#include <string.h>

#include "app/latency.h"
#include "app/running.h"
#include "base/clock.h"
#include "base/hash.h"
#include "sample/chain.h"

#define AT_ONCE 256u
#define RESTLESS_NS (200 * NS_PER_MSEC)
/* Samples interrupt the target, which in a virtual machine takes 10 to 30 us; a clock never does. */
#define RATE_MOST_HZ 1100.0
#define LIVE_COST 5u /* of which a 5th of the time is spent at most */

static bool has_reader(const struct engine *e)
{
	size_t i;

	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone && e->spaces.v[i].reader)
			return true;
	return false;
}

static bool is_perf(const struct backend *b)
{
	return b == &perf_thread_backend || b == &perf_cpu_backend;
}

void chains_refuse(struct engine *e, const char *why)
{
	snprintf(e->no_chains, sizeof(e->no_chains), "%.200s", why);
	engine_say(e, false,
		   "Stacks are read by a clock, not copied with samples: %.200s", why);
}

void chains_open(struct engine *e)
{
	const struct backend *asked =
	    e->config.backend ? backend_named(e->config.backend) : NULL;
	struct error err = { 0 };
	size_t i;

	if (e->sample.chain || e->no_chains[0] || !has_reader(e) ||
	    (asked && !is_perf(asked)))
		return;
	if (!asked && !e->merge && e->config.rate_hz > RATE_MOST_HZ) {
		chains_refuse(e,
			      "at this rate that would interrupt the target too often");
		return;
	}
	e->sample.chain = chain_open(!e->merge, &err);
	if (!e->sample.chain) {
		chains_refuse(e, err.cause);
		return;
	}
	e->sample.wake = false;
	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone && e->spaces.v[i].reader)
			(void)engine_interp_threads(e, &e->spaces.v[i], clock_now_ns());
}

void chains_close(struct engine *e)
{
	chain_close(e->sample.chain);
	e->sample.chain = NULL;
}

bool chains_is_on(const struct engine *e)
{
	return e->sample.chain && e->sampler && is_perf(e->backend);
}

/* ---- threads ---- */

void chains_threads(struct engine *e, const struct space *s)
{
	struct chain_births births;
	bool finds;
	size_t i;

	if (!e->sample.chain)
		return;
	s->runtime->chain_known(s->reader, chain_known(e->sample.chain));
	finds = s->runtime->chain_births(s->reader, &births);
	chain_births(e->sample.chain, s->pid, finds ? &births : NULL);
	e->births_found = finds;
	for (i = 0; i < s->language_threads.n; i++) {
		pid_t tid = s->language_threads.v[i].tid;
		uint32_t number = engine_find_thread(e, tid);
		struct chain_plan plan;
		uint64_t hash;

		if (number == NO_ID)
			continue;
		if (!s->runtime->chain_plan(s->reader, tid, &plan)) {
			chains_thread_gone(e, &e->threads.v[number]);
			e->threads.v[number].captured = 0;
			continue;
		}
		hash = hash_bytes(&plan, sizeof(plan)) | 1;
		if (hash != e->threads.v[number].captured &&
		    chain_put(e->sample.chain, s->pid, tid, &plan) == 0)
			e->threads.v[number].captured = hash;
	}
}

void chains_thread_gone(struct engine *e, const struct thread *t)
{
	if (e->sample.chain && t->captured)
		chain_forget(e->sample.chain, t->pid, t->tid);
}

void chains_forget(struct engine *e, const struct space *s)
{
	size_t i;

	if (e->sample.chain)
		chain_births(e->sample.chain, s->pid, NULL);
	for (i = 0; e->sample.chain && i < e->threads.n; i++)
		if (e->threads.v[i].pid == s->pid && !e->threads.v[i].gone) {
			chains_thread_gone(e, &e->threads.v[i]);
			e->threads.v[i].captured = 0;
		}
}

/* ---- samples ---- */

struct taking {
	struct engine *e;
	struct space *s;
	const struct event *ev;
	uint32_t number;
};

#define JUDGED 256u
#define REJECTED_MOST 12u /* of these: 5 % */

/* What a program makes and drops within milliseconds cannot be named any more when its samples are
 * read. One that does little else is better looked at by a clock. */
static void judge(struct engine *e, bool rejected)
{
	e->chains_rejected += rejected;
	if (++e->chains_judged < JUDGED)
		return;
	e->chains_brief = e->chains_rejected > REJECTED_MOST;
	e->chains_judged = e->chains_rejected = 0;
}

static void got(void *arg, const struct runtime_look *look, const struct callstack *cs)
{
	struct taking *k = arg;
	struct engine *e = k->e;
	struct thread *t = &e->threads.v[k->number];
	uint64_t weight;
	uint32_t node;

	judge(e, look->rejected);
	if (look->rejected) {
		e->lost[LOSS_STACK_REJECTED]++;
		return;
	}
	e->stack.depth = 0;
	engine_interp_adopt(e, k->s, cs);
	if (e->stack.depth == 0) /* in the interpreter, but in no function yet */
		e->stack.frame[e->stack.depth++] =
		    (struct frame){ .kind = FRAME_MARK, .address = MARK_NATIVE_THREAD };
	engine_judge_stack(e);
	node = history_stack(&e->history, &e->stack, engine_name_frame, e);
	weight = (uint64_t)t->owed_ns;
	t->owed_ns = 0;
	history_add(&e->history, k->ev->time_ns, k->number, node, weight, 1, false);
	t->last_ns = t->ran_ns = t->given_ns = k->ev->time_ns;
	e->sampled_ns += weight;
	e->samples++;
	e->sampled_last_ns = k->ev->time_ns;
	if (e->latency)
		latency_looked(e->latency, k->number, node, k->ev->time_ns, look->calls);
	engine_gc_looked(e, k->s, k->ev->time_ns);
}

/* ---- cost ---- */

#define COSTS_KEPT 512u /* the mean of about so many */

void chains_note_cost(struct engine *e, const struct event *ev)
{
	struct chain_record head;

	if (ev->chain.n < sizeof(head))
		return;
	memcpy(&head, ev->chain.p, sizeof(head));
	if (e->chain_costs >= COSTS_KEPT) {
		e->chain_cost_ns /= 2;
		e->chain_costs /= 2;
	}
	e->chain_cost_ns += head.ended_ns - head.began_ns + head.sent_ns;
	e->chain_costs++;
}

double chains_taken_ns(const struct engine *e)
{
	return e->chain_costs ? (double)e->chain_cost_ns / (double)e->chain_costs : 0;
}

/* ---- threads that rest ---- */

/* Samples are of threads that run. Where one went to sleep is of interest for its calls, which may
 * last longer than anything they run. */
static void got_resting(void *arg, const struct runtime_look *look,
			const struct callstack *cs)
{
	const struct taking *k = arg;
	struct engine *e = k->e;
	uint32_t number = engine_find_thread(e, look->tid), node;

	if (look->rejected || number == NO_ID || !e->latency)
		return;
	e->stack.depth = 0;
	engine_interp_adopt(e, k->s, cs);
	node = history_stack(&e->history, &e->stack, engine_name_frame, e);
	latency_looked(e->latency, number, node, e->threads.v[number].rest_ns,
		       look->calls);
}

static void look_at_resting(struct engine *e, struct space *s, uint64_t now)
{
	struct taking k = { .e = e, .s = s };
	pid_t tids[AT_ONCE];
	size_t i, n = 0;

	for (i = 0; i < e->threads.n && n < AT_ONCE; i++) {
		struct thread *t = &e->threads.v[i];

		if (t->gone || t->pid != s->pid || !t->language ||
		    t->switched_ns <= t->rest_ns || running_told(s, t) != WAITS)
			continue;
		t->rest_ns = now;
		tids[n++] = t->tid;
	}
	if (n)
		s->runtime->walk(s->reader, tids, n, got_resting, &k);
}

static bool looks_at_rests(const struct engine *e)
{
	return chains_is_on(e) && !e->merge && e->mode != MODE_GIL && e->latency;
}

uint64_t chains_due(const struct engine *e, const struct space *s, uint64_t due)
{
	if (!looks_at_rests(e) || (!s->rested && !s->restless_ns))
		return due;
	return s->rests_ns < due ? s->rests_ns : due;
}

static void rests_of(struct engine *e, struct space *s, uint64_t now)
{
	uint64_t period = (uint64_t)((double)NS_PER_SEC / e->config.rate_hz);

	latency_read_switches(e->latency, s);
	if (s->rested)
		s->restless_ns = now;
	else if (now - s->restless_ns > RESTLESS_NS)
		s->restless_ns = 0;
	s->rested = false;
	s->rests_ns = now - s->rests_ns < period ? s->rests_ns + period : now + period;
	engine_drain(e); /* what came before these looks is told before them */
	if (!s->gone && s->reader)
		look_at_resting(e, s, clock_now_ns());
}

void chains_rests(struct engine *e, uint64_t now)
{
	size_t i;

	for (i = 0; looks_at_rests(e) && i < e->spaces.n; i++) {
		struct space *s = &e->spaces.v[i];

		if (s->reader && !s->gone && (s->rested || s->restless_ns) &&
		    now >= s->rests_ns)
			rests_of(e, s, now);
	}
}

/* ---- back to the clock ---- */

/* What its threads ran so far was given; the clock counts from here. */
static void start_accounts(struct engine *e, struct space *s, uint64_t now)
{
	size_t i;

	s->known_ns = process_cpu_ns(s->pid);
	for (i = 0; i < e->threads.n; i++) {
		struct thread *t = &e->threads.v[i];

		if (t->gone || t->pid != s->pid)
			continue;
		t->owed_ns = 0;
		t->young = false;
		t->sched_known = task_sched_read(&t->files, t->pid, t->tid, &t->sched);
		t->given_ns = t->told_ns = t->met_ns = now;
		t->lately_ran_ns = NS_PER_MSEC;
		t->captured = 0;
	}
}

void chains_reconsider(struct engine *e)
{
	if (chains_is_on(e) && e->chains_brief && !e->merge)
		chains_give_up(e, "much of the code is gone too soon to be named");
}

void chains_give_up(struct engine *e, const char *why)
{
	struct chain *was = e->sample.chain;
	uint64_t now = clock_now_ns();
	size_t i;

	e->sample.chain = NULL;
	e->sample.wake = e->merge != NULL;
	if (engine_reattach(e)) {
		e->sample.chain = was;
		return;
	}
	chain_close(was);
	chains_refuse(e, why);
	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone && e->spaces.v[i].reader)
			start_accounts(e, &e->spaces.v[i], now);
	e->threads_changed = true;
	e->next_tick_ns = 0;
}

/* ---- samples of the language ---- */

void chains_sample(struct engine *e, struct space *s, const struct event *ev)
{
	struct taking k = { e, s, ev, engine_thread(e, ev->pid, ev->tid) };
	struct thread *t = &e->threads.v[k.number];
	uint64_t now;

	chains_note_cost(e, ev);
	t->owed_ns = (t->owed_ns > 0 ? t->owed_ns : 0) + (int64_t)ev->weight_ns;
	if (ev->chain.n && s->runtime->chain_walk(s->reader, ev->tid, ev->chain, got, &k))
		return;
	now = clock_now_ns();
	if (now < t->live_ns) {
		e->lost[LOSS_LATE]++;
		return;
	}
	s->runtime->walk(s->reader, &ev->tid, 1, got, &k);
	t = &e->threads.v[k.number];
	t->live_ns = now + (clock_now_ns() - now) * LIVE_COST;
}
