/* The clock of interpreted targets: whose stack is read, and what it weighs. The target is not
 * even interrupted.
 *
 * A thread's stack counts only when the thread has a CPU at that moment: one that worked for a
 * millisecond and sleeps again would show where it sleeps, not where it worked, and one that woke
 * and waits for a CPU shows where it woke. What it ran meanwhile, which the kernel tells exactly,
 * is owed to the next look that finds it running; the chance of that is the share of time it runs,
 * so each place gets its share. The kernel brings the time of a running thread up to date only now
 * and then (250 times a second on many), so a stack is given what must have passed since, and owes
 * the difference. A stack that is rejected leaves its time to the next one. Nothing is lost,
 * nothing counted twice.
 *
 * Threads that live some milliseconds, one a request, are met once each, if ever: what one ran
 * until then it ran elsewhere, and what it runs from then on no look would get. So the young ones
 * have one account together: what the process ran, less what all others did. It goes to the stacks
 * of those that have a CPU in a tick in which threads were listed (in others the older of them
 * alone would be known).
 *
 * Who has a CPU, who waits and who woke the records of switches tell, where there are any
 * (waits.c). Without them a thread that sleeps costs one read a tick, and one that sleeps long
 * nothing: the CPU time of the whole process tells when somebody else ran. */
#include <string.h>
#include <time.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "app/latency.h"
#include "app/running.h"
#include "base/clock.h"

#define UNSEEN_NS (20 * NS_PER_SEC) /* then time that met no look gets a row */
#define BUSY_NS (300 * NS_PER_MSEC)
#define NEVER_NS (2 * NS_PER_SEC)
#define UNKNOWN_NS (50 * NS_PER_MSEC) /* between two lists because of an unknown thread */
#define PROOF_NS (1 * NS_PER_SEC)     /* then sleepers are not believed to sleep */
#define SLEEPER_TICKS 50u
#define FEW_THREADS 4u /* so many are looked at always */
#define UNEXPLAINED_NS 50000
#define SCAN_MOST_NS (200 * NS_PER_MSEC)
#define AT_ONCE 256u
#define QUEUED_LITTLE 50u	     /* waits below a 50th of what it ran */
#define ASKED_NS (10 * NS_PER_MSEC)  /* what one runs, so often at least */
#define STILL_NS (50 * NS_PER_MSEC)  /* and whether one that waits is there */
#define WAKING_NS 200000	     /* that ptop takes to wake and look */
#define SHARED_NS (20 * NS_PER_MSEC) /* so much is more than what is told late */
#define LISTS_COST 100u		     /* lists take a 100th of the time */

/* ---- what a look weighs ---- */

static void give_node(struct engine *e, uint32_t number, uint64_t now, uint32_t node,
		      uint64_t weight)
{
	struct thread *t = &e->threads.v[number];

	history_add(&e->history, now, number, node, weight, 1, false);
	e->sampled_ns += weight;
	e->samples++;
	t->last_ns = t->ran_ns = t->given_ns = now;
}

/* Of what the thread is owed. Returns the number of the stack. */
static uint32_t give(struct engine *e, uint32_t number, uint64_t now, uint64_t weight)
{
	uint32_t node = history_stack(&e->history, &e->stack, engine_name_frame, e);

	if (weight) {
		give_node(e, number, now, node, weight);
		e->threads.v[number].owed_ns -= (int64_t)weight;
	}
	return node;
}

/* All that is owed, to a stack that begins with this mark. */
static void give_mark(struct engine *e, uint32_t number, uint64_t now, uint64_t mark)
{
	uint32_t depth = e->stack.depth < DEPTH_MAX - 1 ? e->stack.depth : DEPTH_MAX - 1;

	memmove(e->stack.frame + 1, e->stack.frame, depth * sizeof(e->stack.frame[0]));
	e->stack.frame[0] = (struct frame){ .kind = FRAME_MARK, .address = mark };
	e->stack.depth = depth + 1;
	give(e, number, now, (uint64_t)e->threads.v[number].owed_ns);
}

struct tick {
	struct engine *e;
	struct space *s;
	uint64_t now;
	bool prompt; /* ptop woke when it should */
	/* Young threads that had a CPU, and the number of their stack. */
	struct {
		uint32_t thread, node;
	} young[AT_ONCE];
	size_t n_young;
};

/* ---- threads ---- */

/* It runs no interpreted code, as far as the last list of threads knows. */
static void unknown_ran(struct engine *e, struct space *s, uint32_t number, uint64_t now)
{
	bool listed = e->threads.v[number].listed;

	if (!listed && s->threads_ns > now + INTERP_THREADS_NS - UNKNOWN_NS)
		return;
	if (!listed) {
		s->threads_ns = now;
	} else if (e->backend == &timer_backend) {
		e->stack.depth = 0;
		give_mark(e, number, now, MARK_NATIVE_THREAD);
	} else {
		e->threads.v[number].owed_ns = 0; /* its samples come from the backend */
	}
}

/* What it ran met no look for long: the stack is where it came to rest, and says so. */
static void give_unseen(struct engine *e, struct space *s, uint32_t number, uint64_t now)
{
	struct thread *t = &e->threads.v[number];

	e->stack.depth = 0;
	if (!engine_interp_stack(e, s, t->tid))
		e->stack.depth = 0;
	else
		engine_judge_stack(e);
	give_mark(e, number, now, MARK_BETWEEN);
}

enum state { GONE, RESTS, MAY_RUN };

/* Was a thread met for the first time of late? Others may follow. */
static bool births_of_late(const struct space *s, uint64_t now)
{
	return s->birth_ns && now - s->birth_ns < YOUNG_NS;
}

/* It was found waiting, for something or for a CPU, and nothing was recorded since. That it ended
 * is asked now and then. */
static bool waits_on(const struct space *s, struct thread *t, uint64_t now)
{
	enum told told = running_told(s, t);

	if (!(t->waits && told == WAITS) && !(t->queued && told == WANTS_CPU))
		return false;
	if (t->switched_ns > t->asked_ns || now - t->asked_ns > STILL_NS)
		return false;
	t->idle_ticks++;
	return true;
}

/* One that was found waiting, for something or for a CPU, has not run while its counters stand.
 * How long one that runs did so the kernel does not know at each tick anyway. */
static enum state state_of(struct engine *e, struct space *s, struct thread *t,
			   uint64_t now)
{
	uint64_t often =
	    running_on(s, t) && !births_of_late(s, now) ? ASKED_NS : e->update_ns;

	if (waits_on(s, t, now))
		return RESTS;
	if ((t->waits || t->queued || !t->sched_known || !t->language ||
	     now - t->asked_ns >= often) &&
	    !running_ask(e, s, t, now))
		return GONE;
	return t->waits || t->queued || !t->language ? RESTS : MAY_RUN;
}

/* A thread whose stack is not read now: has it run all the same? */
static void settle(struct engine *e, struct space *s, uint32_t number, uint64_t now)
{
	struct thread *t = &e->threads.v[number];

	/* Two lists did not have it: it shares nothing with those of the language. */
	if (t->young && t->listed && !t->language) {
		t->young = false;
		running_earn(s, t, t->sched.run_ns);
	}
	if (t->owed_ns <= 0)
		return;
	if (!t->language)
		unknown_ran(e, s, number, now);
	else if (now - t->given_ns > UNSEEN_NS)
		give_unseen(e, s, number, now);
}

/* One that has no CPU counts all the same when it never rests, for then it was taken off anywhere;
 * and when it is never met with one: with a single CPU, ptop's looking is what takes it off. */
static bool is_taken_off(const struct thread *t, uint64_t now)
{
	return now - t->rested_ns > BUSY_NS || now - t->given_ns > NEVER_NS;
}

/* The records tell that it was taken off its CPU: because ptop woke just now, which is as good as a
 * look when it woke in time (late, it had to wait for the end of a slice), or since it ran for
 * long. One that others' waking takes off may have woken them: it stands where it does so. */
static bool is_cut_off(const struct tick *k, const struct thread *t)
{
	return (k->prompt && t->switched_ns + WAKING_NS > k->now) ||
	       t->switched_ns - t->in_ns >= k->e->update_ns;
}

/* Asked right after the stack was read, as what counts is where it is when it has a CPU. Asked
 * before, it would show where it went to sleep meanwhile. One that wants a CPU and has none
 * stands where it woke or was taken off, and what it ran it ran elsewhere. The records of switches
 * tell all that. Without them it takes a question, and where threads wait for CPUs at all a second
 * one. */
static bool has_cpu(const struct tick *k, struct thread *t)
{
	struct engine *e = k->e;
	struct space *s = k->s;
	uint64_t now = k->now, asked = t->asked_ns;
	enum told told = running_told(s, t);
	int running;

	switch (told) {
	case HAS_CPU:
		t->queued = false;
		return t->in_ns <= now; /* else it woke since its stack was read */
	case WANTS_CPU:
		running_ask(e, s, t, now);
		t->queued = true;
		t->told_ns = now;
		return is_cut_off(k, t) || is_taken_off(t, now);
	case WAITS:
		running = 0;
		break;
	default:
		running = task_running(&t->files, t->pid, t->tid);
	}
	if (running == 1) {
		t->queued = t->lately_queued_ns * QUEUED_LITTLE > t->lately_ran_ns &&
			    !task_on_cpu(&t->files, t->pid, t->tid);
		return !t->queued || is_taken_off(t, now);
	}
	if (running == -1)
		return t->idle_ticks == 0;
	running_ask(e, s, t, now);
	if (told == WAITS && t->switched_ns < asked && t->idle_ticks == 0)
		s->records_ns = clock_now_ns(); /* it ran, and that was not told */
	t->waits = true;
	t->told_ns = t->rested_ns = now;
	return false;
}

static void got_running(void *arg, const struct runtime_look *look,
			const struct callstack *cs)
{
	struct tick *k = arg;
	uint32_t number = engine_find_thread(k->e, look->tid);
	struct thread *t;
	int64_t weight = 0;
	bool on_cpu;
	uint32_t node;

	if (number == NO_ID)
		return;
	if (look->rejected) {
		engine_interp_rejected(k->e, k->s, k->now);
		return;
	}
	if (k->e->latency && !k->e->threads.v[number].waits)
		latency_read_switches(k->e->latency, k->s); /* it may meet new threads */
	t = &k->e->threads.v[number];
	if (t->gone)
		return;
	on_cpu = !t->waits && has_cpu(k, t);
	if (on_cpu && !t->young)
		weight = t->owed_ns + (int64_t)running_not_told(k->e, k->s, t, k->now);
	if (weight <= 0) { /* looked at for its calls only */
		weight = 0;
		settle(k->e, k->s, number, k->now);
	}
	t->moved = false;
	engine_interp_take(k->e, k->s, cs);
	if (weight || (on_cpu && t->young))
		engine_judge_stack(k->e);
	node = give(k->e, number, k->now, (uint64_t)weight);
	if (on_cpu && t->young && k->n_young < AT_ONCE) {
		k->young[k->n_young].thread = number;
		k->young[k->n_young++].node = node;
	}
	if (k->e->latency)
		latency_looked(k->e->latency, number, node, k->now, look->calls);
}

static void rouse(struct space *s, struct thread *t, uint32_t number)
{
	t->awake = true;
	t->idle_ticks = 0;
	*VEC_PUSH(&s->awake) = number;
}

/* Numbers of threads are used again, so after each change all lists are made anew. */
static void sort_threads(struct engine *e)
{
	struct space *s = NULL;
	size_t i;

	e->threads_changed = false;
	for (i = 0; i < e->spaces.n; i++) {
		VEC_CLEAR(&e->spaces.v[i].awake);
		VEC_CLEAR(&e->spaces.v[i].asleep);
	}
	for (i = 0; i < e->threads.n; i++) {
		struct thread *t = &e->threads.v[i];

		if (t->gone)
			continue;
		if (!s || s->gone || s->pid != t->pid)
			s = engine_space(e, t->pid);
		if (!s || !s->reader)
			continue;
		if (t->awake || !t->sched_known)
			rouse(s, t, (uint32_t)i);
		else
			*VEC_PUSH(&s->asleep) = (uint32_t)i;
	}
}

/* ---- a tick ---- */

/* Somebody ran who is not looked at in each tick. When nobody is found (it has ended, or is in no
 * list yet) the next search is later. */
static void find_who_woke(struct engine *e, struct space *s, uint64_t now,
			  uint64_t cpu_ns)
{
	size_t i, kept = 0, n = s->asleep.n;

	for (i = 0; i < n; i++) {
		uint32_t number = s->asleep.v[i];
		struct thread *t = &e->threads.v[number];

		if (!running_ask(e, s, t, now))
			engine_thread_gone(e, t->tid);
		else if (t->idle_ticks == 0)
			rouse(s, t, number);
		else
			s->asleep.v[kept++] = number;
	}
	s->scan_gap_ns = kept < n ? 0 : s->scan_gap_ns * 2 + NS_PER_MSEC;
	if (s->scan_gap_ns > SCAN_MOST_NS)
		s->scan_gap_ns = SCAN_MOST_NS;
	s->scan_ns = now + s->scan_gap_ns;
	s->asleep.n = kept;
	s->explained_ns = cpu_ns;
}

/* The same where every switch is told; their counters are read in this tick. */
static void rouse_told(struct engine *e, struct space *s)
{
	size_t i, kept = 0, n = s->asleep.n;

	for (i = 0; i < n; i++) {
		uint32_t number = s->asleep.v[i];
		struct thread *t = &e->threads.v[number];

		if (t->switched_ns > t->asked_ns)
			rouse(s, t, number);
		else
			s->asleep.v[kept++] = number;
	}
	s->asleep.n = kept;
	s->woke = false;
}

/* Up to AT_ONCE threads to be read, from *at on. */
static size_t who_runs(struct engine *e, struct space *s, uint64_t now, size_t *at,
		       pid_t *tids)
{
	bool may_sleep = s->awake.n + s->asleep.n > FEW_THREADS;
	size_t n = 0, kept = *at, i;

	for (i = *at; i < s->awake.n && n < AT_ONCE; i++) {
		uint32_t number = s->awake.v[i];
		struct thread *t = &e->threads.v[number];
		enum state state = state_of(e, s, t, now);

		if (state == GONE) {
			if (t->owed_ns < 0 && !t->young) /* given, and never told */
				s->known_ns += (uint64_t)-t->owed_ns;
			engine_thread_gone(e, t->tid);
			continue;
		}
		if (state == MAY_RUN || (t->moved && t->language && e->latency))
			tids[n++] = t->tid;
		else
			settle(e, s, number, now);
		if (state == RESTS && may_sleep && t->idle_ticks > SLEEPER_TICKS &&
		    t->owed_ns <= 0) {
			t->awake = false;
			*VEC_PUSH(&s->asleep) = number;
			continue;
		}
		s->awake.v[kept++] = number;
	}
	*at = kept;
	for (; i < s->awake.n; i++)
		s->awake.v[kept++] = s->awake.v[i];
	s->awake.n = kept;
	return n;
}

/* Are stacks read elsewhere: with the samples of the backend, or by the holder of the lock? */
static bool only_lists(const struct engine *e)
{
	return e->merge != NULL || e->mode == MODE_GIL || chains_is_on(e);
}

/* Those that no list has are other threads' of the process: what they ran is no language's. */
static bool list_tasks(struct engine *e, const struct space *s)
{
	pid_list tids = { 0 };
	bool fresh = false;
	size_t i;

	if (process_threads(s->pid, &tids))
		for (i = 0; i < tids.n; i++) {
			fresh |= engine_find_thread(e, tids.v[i]) == NO_ID;
			(void)engine_thread(e, s->pid, tids.v[i]);
		}
	VEC_DONE(&tids);
	return fresh;
}

/* Lists threads when that is due, and as often as it is cheap while threads are born: a thread
 * was met lately, or the process ran more than its threads did. */
static void list_threads(struct engine *e, struct space *s, uint64_t now)
{
	bool births = births_of_late(s, now), due = now >= s->threads_ns;
	uint64_t gap;
	size_t fresh;

	s->listed_now = false;
	if (!due && now < s->list_ns)
		return;
	if (!due && !births && running_shared_ns(s) < (int64_t)SHARED_NS) {
		s->list_ns = now + UNKNOWN_NS;
		return;
	}
	fresh = engine_interp_threads(e, s, now);
	s->listed_now = true;
	if (fresh)
		s->birth_ns = now;
	if (!fresh && !births && !due && list_tasks(e, s))
		s->known_ns = process_cpu_ns(s->pid);
	s->list_gap_ns = fresh || births ? 0 : s->list_gap_ns * 2 + NS_PER_MSEC;
	if (s->list_gap_ns > INTERP_THREADS_NS)
		s->list_gap_ns = INTERP_THREADS_NS;
	gap = (clock_now_ns() - now) * LISTS_COST;
	s->list_ns = now + (gap > s->list_gap_ns ? gap : s->list_gap_ns);
}

/* Which of several had it how long nobody knows: it is all of theirs. */
static void share(struct tick *k)
{
	int64_t shared = k->n_young && k->s->listed_now ? running_shared_ns(k->s) : 0;
	size_t i;

	if (shared < (int64_t)k->n_young || shared == 0)
		return;
	for (i = 0; i < k->n_young; i++) {
		uint64_t part = (uint64_t)shared / k->n_young;

		give_node(k->e, k->young[i].thread, k->now, k->young[i].node, part);
		k->s->known_ns += part;
	}
}

static void tick_space(struct engine *e, struct space *s, uint64_t now)
{
	struct tick k = {
		.e = e, .s = s, .now = now, .prompt = now < e->next_tick_ns + WAKING_NS
	};
	uint64_t cpu_ns = 0;
	pid_t tids[AT_ONCE];
	size_t at = 0, n;

	if (only_lists(e)) {
		if (now >= s->threads_ns)
			(void)engine_interp_threads(e, s, now);
		return;
	}
	if (e->latency)
		latency_read_switches(e->latency, s);
	list_threads(e, s, now);
	if (!s->reader) /* found that it is another program */
		return;
	if (e->threads_changed)
		sort_threads(e);
	if (s->woke && s->records_ns)
		rouse_told(e, s);
	if (s->asleep.n && now >= s->scan_ns && (!s->records_ns || now >= s->proof_ns)) {
		cpu_ns = process_cpu_ns(s->pid); /* dear with many threads */
		s->proof_ns = now + PROOF_NS;
	}
	while (at < s->awake.n && s->reader)
		if ((n = who_runs(e, s, now, &at, tids)))
			s->runtime->walk(s->reader, tids, n, got_running, &k);
	if (cpu_ns > s->explained_ns + UNEXPLAINED_NS)
		find_who_woke(e, s, now, cpu_ns);
	share(&k);
}

/* ---- the clock ---- */

uint64_t engine_ticks_due(const struct engine *e)
{
	uint64_t due = UINT64_MAX;
	size_t i;

	for (i = 0; i < e->spaces.n; i++) {
		const struct space *s = &e->spaces.v[i];

		if (!s->reader || s->gone)
			continue;
		if (!only_lists(e))
			return e->next_tick_ns;
		due = s->threads_ns < due ? s->threads_ns : due;
		due = chains_due(e, s, due);
	}
	return due;
}

/* Knuth's generator of 1998: the upper bits are good. */
static uint64_t random_below(struct engine *e, uint64_t limit)
{
	e->tick_random = e->tick_random * 6364136223846793005u + 1442695040888963407u;
	return (e->tick_random >> 32) * limit >> 32;
}

/* One look in each period, anywhere in it: a program that does something every 20 ms would be met
 * in the same place for ever. */
static void tick(struct engine *e, uint64_t now)
{
	uint64_t period = (uint64_t)((double)NS_PER_SEC / e->config.rate_hz);
	size_t i;

	for (i = 0; i < e->spaces.n; i++)
		if (e->spaces.v[i].reader && !e->spaces.v[i].gone)
			tick_space(e, &e->spaces.v[i], i ? clock_now_ns() : now);
	if (only_lists(e)) {
		e->next_tick_ns = now;
		chains_rests(e, now);
		return;
	}
	if (e->next_tick_ns && now - e->next_tick_ns > period) {
		e->lost[LOSS_LATE] += (now - e->next_tick_ns) / period;
		e->tick_slot_ns = now;
	}
	e->tick_slot_ns = (e->next_tick_ns ? e->tick_slot_ns : now) + period;
	e->next_tick_ns = e->tick_slot_ns + random_below(e, period);
}

static void sleep_until(uint64_t ns)
{
	struct timespec at = { (time_t)(ns / NS_PER_SEC), (long)(ns % NS_PER_SEC) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

void engine_ticks(struct engine *e, uint64_t until)
{
	uint64_t due;

	while ((due = engine_ticks_due(e)) != UINT64_MAX) {
		uint64_t now = clock_now_ns();

		if (now >= due)
			tick(e, now);
		else if (only_lists(e))
			return; /* the loop waits for samples, too */
		else if (due <= until)
			sleep_until(due);
		if (now >= until || due > until)
			return;
	}
}

void engine_ticks_end(struct engine *e)
{
	size_t i, k;

	chains_end(e);
	for (i = 0; i < e->spaces.n; i++) {
		struct space *s = &e->spaces.v[i];

		for (k = 0; k < s->awake.n && s->reader; k++)
			if (e->threads.v[s->awake.v[k]].owed_ns > (int64_t)e->update_ns)
				give_unseen(e, s, s->awake.v[k], clock_now_ns());
	}
}
