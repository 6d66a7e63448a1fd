/* Wall-clock mode: where threads stand while they are not on a CPU, without stopping
 * them.
 *
 * Each look splits a thread's wall time since the last one by the kernel's own counters:
 * what it ran (the perf samples account for that), what it waited for a CPU, and the
 * rest, off the CPU. The rest goes to the stack the thread is found blocked in; when it
 * is found running, the time waits (pending_ns) until it blocks again, so totals stay
 * exact and only their order blurs. */
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/clock.h"

#define STACK_LOOK 8192u	      /* first read of a blocked stack */
#define LIST_NS (1 * NS_PER_SEC)      /* threads are listed this often */
#define PENDING_MOST (2 * NS_PER_SEC) /* then it is shown as [off-CPU] */
#define LOOK_SHARE 0.012	      /* of one core at most */
#define GIVE_NS (50 * NS_PER_MSEC)    /* sleeping time is counted in such pieces */
#define SAME_OFTEN 25u		      /* then a sleeper is looked at less often */
#define STALLED_NS (12 * NS_PER_MSEC) /* longer than any tick: it has no CPU */
#define WATCHED_MAX 8192u
#define PROOF_EVERY 128u /* ticks */

bool engine_blocked_stack(struct engine *e, struct space *s, struct blocked_thread *t,
			  struct look *look)
{
	struct callstack *cs = &e->stack;
	struct unwind_input in = { .only_sp_and_ip = true,
				   .stack = look->stack,
				   .live = &s->mem.mem };
	bool language = e->merge && engine_interp_knows(e, s, t->tid);

	cs->depth = 0;
	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	cs->frame[cs->depth++] = (struct frame){
		.kind = FRAME_MARK,
		.address = MARK_WAIT_FIRST + (uint64_t)look->reason,
	};
	in.reg[DWARF_RSP] = look->sp;
	in.reg[DWARF_RIP] = look->ip;
	if (language) {
		merge_read_now(e->merge, e, s, t->tid);
		in.sp = e->merge->sp;
		in.most = merge_most(e->merge);
	}
	unwinder_walk(s->unwinder, &in, cs);
	if (language)
		merge_stacks(e->merge, e, s, &in);
	cs->stitched = false; /* the thread slept all the while, as is proved now */
	return blocked_still(t);
}

/* Nothing moves while it is blocked. */
bool engine_off_stack(struct engine *e, struct space *s, struct blocked_thread *t,
		      struct look *look)
{
	struct callstack *cs = &e->stack;

	bool language = engine_interp_knows(e, s, t->tid);

	if (language && look->futex && s->runtime->is_gil(s->reader, look->futex))
		look->reason = WAIT_GIL;
	if (!language || e->merge)
		return engine_blocked_stack(e, s, t, look);
	cs->depth = 1;
	cs->frame[0] = (struct frame){
		.kind = FRAME_MARK,
		.address = MARK_WAIT_FIRST + (uint64_t)look->reason,
	};
	return engine_interp_stack(e, s, t->tid) && blocked_still(t);
}

static uint32_t mark_stack(struct engine *e, uint64_t mark)
{
	struct callstack *cs = &e->stack;

	cs->depth = 1;
	cs->frame[0] = (struct frame){ .kind = FRAME_MARK, .address = mark };
	return history_stack(&e->history, cs, engine_name_frame, e);
}

/* Node numbers change when the history is compacted, so the stack itself is kept. */
static void keep_stack(struct thread *t, const struct callstack *cs)
{
	size_t bytes =
	    offsetof(struct callstack, frame) + cs->depth * sizeof(cs->frame[0]);

	t->kept = xrealloc(t->kept, bytes);
	memcpy(t->kept, cs, bytes);
	t->has_stack = true;
}

static void add_time(struct engine *e, uint32_t number, uint32_t node, uint64_t now,
		     uint64_t ns)
{
	if (ns == 0)
		return;
	history_add(&e->history, now, number, node, ns, 1, true);
	e->threads.v[number].last_ns = now;
	e->samples++;
}

static void give_pending(struct engine *e, uint32_t number, uint64_t now)
{
	struct thread *t = &e->threads.v[number];
	uint32_t node;

	if (t->pending_ns <= 0)
		return;
	if (t->has_stack)
		node = history_stack(&e->history, t->kept, engine_name_frame, e);
	else
		node = mark_stack(e, MARK_OFF_CPU);
	add_time(e, number, node, now, (uint64_t)t->pending_ns);
	t->pending_ns = 0;
}

static void give_runnable(struct engine *e, uint32_t number, uint64_t now, uint64_t ns)
{
	add_time(e, number, mark_stack(e, MARK_RUNNABLE), now, ns);
	e->threads.v[number].pending_ns -= (int64_t)ns;
}

/* The kernel tells of time spent waiting for a CPU only when the wait is over, in one step. A
 * thread that is ready and makes no progress is believed at once (early_ns), and what is believed
 * is taken off the step when it comes. */
static void count_queued(struct engine *e, uint32_t number, const struct look *look,
			 uint64_t wall, uint64_t now)
{
	struct thread *t = &e->threads.v[number];
	uint64_t known = look->queued_ns < t->early_ns ? look->queued_ns : t->early_ns;

	t->early_ns -= known;
	if (look->queued_ns > known)
		give_runnable(e, number, now, look->queued_ns - known);
	if (look->state != LOOK_RUNNING || look->ran_ns || look->queued_ns) {
		t->stalled_ns = 0;
		return;
	}
	t->stalled_ns += wall;
	if (t->stalled_ns < STALLED_NS)
		return;
	t->early_ns += t->stalled_ns;
	give_runnable(e, number, now, t->stalled_ns);
	t->stalled_ns = 0;
}

/* The records of switches tell who ran: the rest needs no read. */
bool engine_sleeps_on(struct engine *e, const struct thread *t)
{
	const struct space *s = t->blocked.read ? engine_space(e, t->pid) : NULL;

	return s && s->records_ns && t->checked_ns > s->records_ns &&
	       t->checked_ns > t->switched_ns;
}

static void look_once(struct engine *e, struct thread *t, uint32_t number,
		      struct look *look)
{
	/* A thread whose records are missed is not missed for ever. */
	bool proof = (e->tick + number) % PROOF_EVERY == 0;

	if (!proof && engine_sleeps_on(e, t)) {
		*look = (struct look){ .state = LOOK_SAME };
		t->checked_ns = e->records_read_ns;
		return;
	}
	t->checked_ns = clock_now_ns();
	blocked_look(&t->blocked, e->look_buffer, STACK_LOOK, look);
}

static void look_at(struct engine *e, uint32_t number, uint64_t now)
{
	struct thread *t = &e->threads.v[number];
	struct space *s = engine_space(e, t->pid);
	struct look look;
	uint64_t wall;
	int64_t off;

	if (!s)
		return;
	look_once(e, t, number, &look);
	if (look.state == LOOK_GONE) {
		give_pending(e, number, now);
		engine_thread_gone(e, t->tid);
		return;
	}
	wall = t->looked_ns ? now - t->looked_ns : 0;
	t->looked_ns = now;
	if (look.ran_ns)
		t->ran_ns = now;
	/* What it ran is told with a tick's delay: the balance may be below zero for a while. */
	off = wall ? (int64_t)wall - (int64_t)look.ran_ns : 0;
	if (look.state == LOOK_SAME || t->same >= SAME_OFTEN) {
		t->pending_ns +=
		    off; /* it slept on where it was, at least until it woke */
		off = 0;
	}
	if (look.state != LOOK_SAME && t->same)
		give_pending(e, number, now);
	t->pending_ns += off;
	if (wall)
		count_queued(e, number, &look, wall, now);
	switch (look.state) {
	case LOOK_BLOCKED:
		if (engine_off_stack(e, s, &t->blocked, &look)) {
			engine_judge_stack(e);
			keep_stack(t, &e->stack);
		} else {
			e->lost[LOSS_STACK_RACED]++;
		}
		give_pending(e, number, now);
		break;
	case LOOK_SAME:
		t->same++;
		if (t->pending_ns >= (int64_t)GIVE_NS)
			give_pending(e, number, now);
		return;
	case LOOK_RACED:
		e->lost[LOSS_STACK_RACED]++;
		if (t->pending_ns >= (int64_t)PENDING_MOST)
			give_pending(e, number, now);
		break;
	case LOOK_DENIED:
		e->lost[LOSS_READ_FAILED]++;
		t->has_stack = false;
		give_pending(e, number, now);
		break;
	default:
		t->has_stack = t->has_stack && t->pending_ns < (int64_t)PENDING_MOST;
		if (t->pending_ns >= (int64_t)PENDING_MOST)
			give_pending(e, number, now);
		break;
	}
	t->same = 0;
}

/* A thread that sleeps on is looked at less and less often, at last every 32nd tick: its
 * wall time is not lost, it is counted at the next look. Thread numbers spread the looks
 * over the ticks. */
static bool is_due(const struct thread *t, uint64_t tick, uint32_t number)
{
	uint32_t every = t->same < SAME_OFTEN ? 1
			 : t->same < 100      ? 4
			 : t->same < 200      ? 8
					      : 32;

	return (tick + number) % every == 0;
}

/* So many threads to look at that the full rate would cost too much are looked at less
 * often, which the effective rate then shows. */
static void choose_period(struct engine *e)
{
	uint64_t asked = (uint64_t)((double)NS_PER_SEC / e->config.rate_hz);
	double least = 0;

	if (e->ticks)
		least = (double)e->look_cpu_ns / (double)e->ticks / LOOK_SHARE;
	e->look_period_ns = least > (double)asked ? (uint64_t)least : asked;
	e->look_cpu_ns = e->ticks = 0;
}

static void list_threads(struct engine *e)
{
	pid_list tids = { 0 };
	size_t i, k, watched = 0;

	for (i = 0; i < e->spaces.n; i++) {
		if (e->spaces.v[i].gone || !process_threads(e->spaces.v[i].pid, &tids))
			continue;
		for (k = 0; k < tids.n && watched < WATCHED_MAX; k++, watched++) {
			uint32_t n = engine_thread(e, e->spaces.v[i].pid, tids.v[k]);
			struct thread *t = &e->threads.v[n];

			if (t->watched || t->tid != tids.v[k])
				continue;
			t->watched = true;
			blocked_init(&t->blocked, t->pid, t->tid);
		}
	}
	VEC_DONE(&tids);
	choose_period(e);
}

void engine_look(struct engine *e, uint64_t now)
{
	uint64_t cpu;
	size_t i;

	if (e->mode != MODE_WALL || e->exited || now < e->next_look_ns)
		return;
	if (!e->look_buffer)
		e->look_buffer = xmalloc(BLOCKED_STACK_MAX);
	if (now >= e->next_list_ns) {
		list_threads(e);
		e->next_list_ns = now + LIST_NS;
	}
	if (e->next_look_ns && now - e->next_look_ns > e->look_period_ns) {
		e->lost[LOSS_LATE] += (now - e->next_look_ns) / e->look_period_ns;
		e->next_look_ns = now;
	}
	e->next_look_ns = (e->next_look_ns ? e->next_look_ns : now) + e->look_period_ns;
	e->tick++;
	e->ticks++;
	cpu = clock_thread_cpu_ns();
	for (i = 0; i < e->threads.n; i++)
		if (e->threads.v[i].watched && !e->threads.v[i].gone &&
		    is_due(&e->threads.v[i], e->tick, (uint32_t)i))
			look_at(e, (uint32_t)i, clock_now_ns());
	e->look_cpu_ns += clock_thread_cpu_ns() - cpu;
}
