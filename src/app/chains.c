/* Where a sample brings no copy (the state of its thread was not found, or stacks are very deep in
 * an old version) the stack is read live, as far as there is time. A stack that is rejected leaves
 * its time to the thread's next one. */
#include "app/chains.h"

#include <stdio.h>
#include <string.h>

#include "app/latency.h"
#include "app/running.h"
#include "base/clock.h"
#include "base/hash.h"
#include "sample/calibrate.h"
#include "sample/chain.h"

#define AT_ONCE 256u
#define RESTLESS_NS (200 * NS_PER_MSEC)
#define TAKEN_MOST_PCT 5.0
#define COPY_NS 6000.0	 /* of a chain, about */
#define CHEAP_HZ 500.0	 /* up to here that need not be asked */
#define BIRTHS_MISSED 3u /* lists in a row */
#define KNOWN_NS (400 * NS_PER_MSEC)
#define LIVE_COST 5u /* of which a 6th of the time is spent at most */

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

/* Samples interrupt the target. At a high rate that may take more of its time than it is worth, most
 * of all in a virtual machine; a clock takes none. (The 10th percentile: a machine that is busy now
 * may be idle a minute later.) */
static bool is_dear(struct engine *e)
{
	double pct;
	char why[120];

	if (e->config.rate_hz <= CHEAP_HZ)
		return false;
	pct = ((double)calibrate_sample_ns(CALIBRATE_NO_STACK, 10) + COPY_NS) *
	      e->config.rate_hz / (double)NS_PER_SEC * 100;
	if (pct <= TAKEN_MOST_PCT)
		return false;
	snprintf(why, sizeof(why),
		 "at %.0f Hz that would take %.0f%% of the target's time",
		 e->config.rate_hz, pct);
	chains_refuse(e, why);
	return true;
}

void chains_open(struct engine *e)
{
	const struct backend *asked =
	    e->config.backend ? backend_named(e->config.backend) : NULL;
	struct error err = { 0 };

	if (e->sample.chain || e->no_chains[0] || !has_reader(e) || e->mode == MODE_GIL ||
	    (asked && !is_perf(asked)))
		return;
	if (!asked && !e->merge && is_dear(e))
		return;
	e->sample.chain = chain_open(!e->merge, &err);
	if (!e->sample.chain) {
		chains_refuse(e, err.cause);
		return;
	}
	e->sample.wake = false;
	engine_interp_list(e);
}

void chains_close(struct engine *e)
{
	chain_close(e->sample.chain);
	e->sample.chain = NULL;
	e->sample.wake = e->merge != NULL;
}

bool chains_is_on(const struct engine *e)
{
	return e->sample.chain && e->sampler && is_perf(e->backend);
}

/* ---- threads ---- */

static void put_plan(struct engine *e, const struct space *s, struct thread *t)
{
	struct chain_plan plan;
	uint64_t hash = 0;

	if (t->language && s->runtime->chain_plan(s->reader, t->tid, &plan))
		hash = hash_bytes(&plan, sizeof(plan)) | 1;
	if (hash == t->captured)
		return;
	if (!hash)
		chain_forget(e->sample.chain, t->pid, t->tid);
	else if (chain_put(e->sample.chain, t->pid, t->tid, &plan))
		return;
	t->captured = hash;
}

/* Of all processes: they share the bits. */
static void put_known(struct engine *e)
{
	static uint64_t bits[CHAIN_KNOWN_BITS / 64];
	uint64_t now = clock_now_ns();
	size_t i;

	if (now < e->chains_known_ns + KNOWN_NS)
		return;
	e->chains_known_ns = now;
	memset(bits, 0, sizeof(bits));
	for (i = 0; i < e->spaces.n; i++) {
		const struct space *s = &e->spaces.v[i];

		if (!s->gone && s->reader)
			s->runtime->chain_known(s->reader, bits);
	}
	memcpy(chain_known(e->sample.chain), bits, sizeof(bits));
}

void chains_threads(struct engine *e, struct space *s)
{
	struct chain_births births;
	size_t i;

	if (!e->sample.chain)
		return;
	put_known(e);
	if (s->runtime->chain_births(s->reader, &births) &&
	    chain_births(e->sample.chain, s->pid, &births) == 0)
		s->births_missed = 0;
	else if (s->births_missed++ == 0)
		chain_births(e->sample.chain, s->pid, NULL);
	for (i = 0; i < e->threads.n; i++)
		if (e->threads.v[i].pid == s->pid && !e->threads.v[i].gone)
			put_plan(e, s, &e->threads.v[i]);
}

bool chains_find_births(const struct engine *e)
{
	size_t i;

	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone && e->spaces.v[i].reader &&
		    e->spaces.v[i].births_missed >= BIRTHS_MISSED)
			return false;
	return true;
}

/* What rejected stacks left, and no other came. */
static void give_rest(struct engine *e, uint32_t number)
{
	struct thread *t = &e->threads.v[number];
	struct callstack *cs = &e->stack;
	uint64_t now = clock_now_ns();

	if (t->owed_ns <= 0 || !chains_is_on(e) || e->merge)
		return;
	cs->depth = 1;
	cs->frame[0] = (struct frame){ .kind = FRAME_MARK, .address = MARK_BETWEEN };
	history_add(&e->history, now, number,
		    history_stack(&e->history, cs, engine_name_frame, e),
		    (uint64_t)t->owed_ns, 1, false);
	e->sampled_ns += (uint64_t)t->owed_ns;
	t->owed_ns = 0;
}

void chains_thread_gone(struct engine *e, uint32_t number)
{
	const struct thread *t = &e->threads.v[number];

	give_rest(e, number);
	if (e->sample.chain && t->captured)
		chain_forget(e->sample.chain, t->pid, t->tid);
}

void chains_end(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->threads.n; i++)
		if (!e->threads.v[i].gone)
			give_rest(e, (uint32_t)i);
}

void chains_forget(struct engine *e, const struct space *s)
{
	size_t i;

	if (!e->sample.chain)
		return;
	chain_births(e->sample.chain, s->pid, NULL);
	for (i = 0; i < e->threads.n; i++)
		if (e->threads.v[i].pid == s->pid && e->threads.v[i].captured) {
			chain_forget(e->sample.chain, s->pid, e->threads.v[i].tid);
			e->threads.v[i].captured = 0;
		}
}

/* ---- samples ---- */

struct taking {
	struct engine *e;
	struct space *s;
	const struct event *ev;
	uint32_t number;
	bool met; /* there is a stack, if only a rejected one */
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
	k->met = true;
	if (look->rejected) {
		engine_interp_rejected(e, k->s, clock_now_ns());
		return;
	}
	engine_interp_take(e, k->s, cs);
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
		if (t->owed_ns < 0)
			t->owed_ns = 0;
		t->young = false;
		t->sched_known = task_sched_read(&t->files, t->pid, t->tid, &t->sched);
		t->given_ns = t->told_ns = t->met_ns = now;
		t->lately_ran_ns = NS_PER_MSEC;
		t->captured = 0;
	}
}

static int reopen_without(struct engine *e)
{
	struct chain *was = e->sample.chain;
	uint64_t now = clock_now_ns();
	size_t i;

	engine_drain(e); /* while it is known what these samples are */
	e->sample.chain = NULL;
	e->sample.wake = e->merge != NULL;
	if (engine_reattach(e)) {
		e->sample.chain = was;
		e->sample.wake = false;
		return -1;
	}
	chain_close(was);
	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone && e->spaces.v[i].reader)
			start_accounts(e, &e->spaces.v[i], now);
	e->threads_changed = true;
	e->next_tick_ns = 0;
	return 0;
}

void chains_give_up(struct engine *e, const char *why)
{
	if (chains_is_on(e) && reopen_without(e) == 0)
		chains_refuse(e, why);
}

void chains_pause(struct engine *e)
{
	if (chains_is_on(e) && !e->merge)
		(void)reopen_without(e);
}

void chains_reconsider(struct engine *e)
{
	if (chains_is_on(e) && e->chains_brief && !e->merge)
		chains_give_up(e, "much of the code is gone too soon to be named");
}

/* ---- samples of the language ---- */

bool chains_sample(struct engine *e, struct space *s, const struct event *ev)
{
	struct taking k = {
		.e = e, .s = s, .ev = ev, .number = engine_thread(e, ev->pid, ev->tid)
	};
	struct thread *t = &e->threads.v[k.number];
	int64_t before = t->owed_ns > 0 ? t->owed_ns : 0;
	uint64_t now;

	t->owed_ns = before + (int64_t)ev->weight_ns;
	if (ev->chain.n && s->runtime->chain_walk(s->reader, ev->tid, ev->chain, got, &k))
		return true;
	now = clock_now_ns();
	if (now < e->live_ns) {
		e->lost[LOSS_LATE]++;
		return true;
	}
	s->runtime->walk(s->reader, &ev->tid, 1, got, &k);
	e->live_ns = now + (clock_now_ns() - now) * LIVE_COST;
	if (!k.met)
		e->threads.v[k.number].owed_ns = before;
	return k.met;
}
