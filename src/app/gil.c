/* The interpreters' locks: who holds them, who waits for them.
 *
 * Each look reads every lock; its holder is given the wall time since the last look. In
 * mode gil looks come at the sampling rate, and the holder's stack is read and weighs that
 * time; in the other modes they come LOOKS_HZ times a second, for the list of threads
 * alone. A thread waits for a lock when the futex it sleeps on is in it; only threads with a
 * sample of late are asked: who wants the lock gets it now and then.
 *
 * What was found is kept by second and thread, for a window of any length. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "app/engine_state.h"
#include "base/clock.h"

#define LOOKS_HZ 10u
#define LOCKS_MAX 48u
#define RECORDS_MAX 65536u
#define WAITERS_ASKED 64u
#define ACTIVE_NS (2 * NS_PER_SEC)
#define CPU_NS (250 * NS_PER_MSEC)
#define SLOWEST_NS (1 * NS_PER_SEC) /* a look after a longer pause stands for this */

struct record {
	uint64_t second;
	pid_t tid;
	uint64_t held_ns, wanted_ns, ran_ns;
};

/* A thread's CPU time when it was read last, by number. */
struct ran {
	pid_t tid;
	uint64_t run_ns;
};

struct gil {
	struct engine *e;
	VEC(struct record) records;
	size_t locks; /* at the last look */
	uint64_t next_ns, last_ns, waiters_ns, cpu_ns;
	VEC(struct ran) ran;
	pid_t holders[LOCKS_MAX];
	size_t n_holders;
	pid_t waiters[WAITERS_ASKED];
	size_t n_waiters;
};

static void *gil_open(struct engine *e)
{
	struct gil *g = xcalloc(1, sizeof(*g));

	g->e = e;
	return g;
}

static void gil_close(void *state)
{
	struct gil *g = state;

	VEC_DONE(&g->records);
	VEC_DONE(&g->ran);
	free(g);
}

/* ---- looks ---- */

static struct record *record_of(struct gil *g, pid_t tid, uint64_t now)
{
	uint64_t second = now / NS_PER_SEC;
	size_t i;

	for (i = g->records.n; i > 0 && g->records.v[i - 1].second == second; i--)
		if (g->records.v[i - 1].tid == tid)
			return &g->records.v[i - 1];
	if (g->records.n >= RECORDS_MAX) {
		memmove(g->records.v, g->records.v + RECORDS_MAX / 4,
			(g->records.n - RECORDS_MAX / 4) * sizeof(*g->records.v));
		g->records.n -= RECORDS_MAX / 4;
	}
	VEC_GROW(&g->records);
	g->records.v[g->records.n++] = (struct record){ .second = second, .tid = tid };
	return &g->records.v[g->records.n - 1];
}

static void give_stack(struct gil *g, struct space *s, pid_t tid, uint64_t now,
		       uint64_t ns)
{
	struct engine *e = g->e;
	uint32_t number = engine_thread(e, s->pid, tid), node;
	struct callstack *cs = &e->stack;

	cs->depth = 0;
	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	if (!engine_interp_stack(e, s, tid)) {
		e->lost[LOSS_STACK_REJECTED]++;
		cs->depth = 0;
	} else {
		engine_judge_stack(e);
	}
	if (cs->depth == 0) /* its time was held all the same */
		cs->frame[cs->depth++] =
		    (struct frame){ .kind = FRAME_MARK, .address = MARK_PYTHON };
	node = history_stack(&e->history, cs, engine_name_frame, e);
	history_add(&e->history, now, number, node, ns, 1, false);
	e->threads.v[number].last_ns = e->threads.v[number].ran_ns = now;
	e->samples++;
}

static void look_at_locks(struct gil *g, struct space *s, uint64_t now, uint64_t ns)
{
	struct runtime_gil lock[LOCKS_MAX];
	size_t i, n = s->runtime->gil(s->reader, lock, LOCKS_MAX);

	g->locks += n;
	for (i = 0; i < n; i++) {
		if (!lock[i].holder)
			continue;
		record_of(g, lock[i].holder, now)->held_ns += ns;
		if (g->n_holders < LOCKS_MAX)
			g->holders[g->n_holders++] = lock[i].holder;
		if (g->e->mode == MODE_GIL)
			give_stack(g, s, lock[i].holder, now, ns);
	}
}

static bool waits(struct engine *e, struct space *s, struct thread *t)
{
	struct task_syscall call;

	return task_syscall_read(&t->files, t->pid, t->tid, &call) && call.blocked &&
	       call.number == SYS_futex && s->runtime->is_gil(s->reader, call.first) &&
	       engine_find_thread(e, t->tid) != NO_ID;
}

static void look_at_waiters(struct gil *g, uint64_t now, uint64_t ns)
{
	struct engine *e = g->e;
	size_t i, asked = 0;

	g->n_waiters = 0;
	for (i = 0; i < e->threads.n && asked < WAITERS_ASKED; i++) {
		struct thread *t = &e->threads.v[i];
		struct space *s = t->gone ? NULL : engine_space(e, t->pid);

		if (!s || now > t->last_ns + ACTIVE_NS ||
		    !engine_interp_knows(e, s, t->tid))
			continue;
		asked++;
		if (!waits(e, s, t))
			continue;
		record_of(g, t->tid, now)->wanted_ns += ns;
		g->waiters[g->n_waiters++] = t->tid;
	}
}

/* In mode gil no sample tells the CPU time of threads. */
static void read_cpu(struct gil *g, uint64_t now)
{
	struct engine *e = g->e;
	struct task_sched sched;
	size_t i;

	for (i = 0; i < e->threads.n; i++) {
		struct thread *t = &e->threads.v[i];

		if (i == g->ran.n)
			*VEC_PUSH(&g->ran) = (struct ran){ 0 };
		if (t->gone || !task_sched_read(&t->files, t->pid, t->tid, &sched))
			continue;
		if (g->ran.v[i].tid == t->tid && sched.run_ns > g->ran.v[i].run_ns)
			record_of(g, t->tid, now)->ran_ns +=
			    sched.run_ns - g->ran.v[i].run_ns;
		g->ran.v[i] = (struct ran){ t->tid, sched.run_ns };
	}
}

static uint64_t period_of(const struct engine *e)
{
	double hz = e->mode == MODE_GIL ? e->config.rate_hz : LOOKS_HZ;

	return (uint64_t)((double)NS_PER_SEC / hz);
}

static uint64_t since(uint64_t last, uint64_t now)
{
	uint64_t ns = last ? now - last : 0;

	return ns < SLOWEST_NS ? ns : SLOWEST_NS;
}

static void gil_turn(void *state, uint64_t now)
{
	struct gil *g = state;
	struct engine *e = g->e;
	uint64_t period = period_of(e);
	size_t i;

	if (now < g->next_ns)
		return;
	if (e->mode == MODE_GIL && g->locks && now - g->next_ns > period)
		e->lost[LOSS_LATE] += (now - g->next_ns) / period;
	g->next_ns =
	    g->next_ns && now - g->next_ns < period ? g->next_ns + period : now + period;
	g->locks = g->n_holders = 0;
	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone && e->spaces.v[i].reader &&
		    e->spaces.v[i].runtime->gil)
			look_at_locks(g, &e->spaces.v[i], now, since(g->last_ns, now));
	g->last_ns = now;
	if (!g->locks) { /* one may come */
		g->next_ns = now + NS_PER_SEC;
		return;
	}
	if (e->mode == MODE_GIL && now > g->cpu_ns + CPU_NS) {
		g->cpu_ns = now;
		read_cpu(g, now);
	}
	if (now < g->waiters_ns + NS_PER_SEC / LOOKS_HZ - NS_PER_MSEC)
		return;
	look_at_waiters(g, now, since(g->waiters_ns, now));
	g->waiters_ns = now;
}

static uint64_t gil_due(const void *state)
{
	const struct gil *g = state;

	return g->next_ns;
}

static void gil_reset(void *state)
{
	struct gil *g = state;

	VEC_CLEAR(&g->records);
	VEC_CLEAR(&g->ran);
	g->last_ns = g->waiters_ns = g->next_ns = g->cpu_ns = 0;
}

/* ---- figures ---- */

static bool is_among(const pid_t *tids, size_t n, pid_t tid)
{
	size_t i;

	for (i = 0; i < n && tids[i] != tid; i++)
		;
	return i < n;
}

static void put_thread(const struct gil *g, const struct snapshot *s,
		       struct snapshot_thread *t)
{
	uint64_t from = (s->time_ns - s->covered_ns) / NS_PER_SEC, held = 0, wanted = 0,
		 ran = 0;
	double all = (double)s->covered_ns;
	size_t i;

	for (i = g->records.n; i > 0 && g->records.v[i - 1].second >= from; i--)
		if (g->records.v[i - 1].tid == t->tid) {
			held += g->records.v[i - 1].held_ns;
			wanted += g->records.v[i - 1].wanted_ns;
			ran += g->records.v[i - 1].ran_ns;
		}
	t->gil_pct = all > 0 ? 100.0 * (double)held / all : 0;
	t->gil_wait_pct = all > 0 ? 100.0 * (double)wanted / all : 0;
	/* The first second of the window is counted whole. */
	t->gil_pct = t->gil_pct < 100 ? t->gil_pct : 100;
	t->gil_wait_pct = t->gil_wait_pct < 100 ? t->gil_wait_pct : 100;
	if (s->mode == MODE_GIL)
		t->cpu_pct = all > 0 ? 100.0 * (double)ran / all : 0;
	t->holds_gil = is_among(g->holders, g->n_holders, t->tid);
	if (t->state == 'S' && is_among(g->waiters, g->n_waiters, t->tid))
		t->state = 'G';
}

static void gil_put(void *state, struct snapshot *s)
{
	struct gil *g = state;
	size_t i;

	if (s->mode == MODE_GIL) {
		s->weight_ns = s->covered_ns * (g->locks ? g->locks : 1);
		if (!g->locks && !s->exited)
			s->limits = "no interpreter with a lock (GIL) runs here: e, or "
				    "-m cpu, shows CPU time";
	}
	for (i = 0; i < s->n_threads; i++) {
		struct snapshot_thread *t = &s->threads[i];
		const struct space *space = engine_space(g->e, t->pid);

		if (space && space->runtime && space->runtime->gil && g->locks &&
		    engine_interp_knows(g->e, space, t->tid))
			put_thread(g, s, t);
	}
}

const struct part gil_part = {
	.name = "gil",
	.open = gil_open,
	.close = gil_close,
	.turn = gil_turn,
	.due_ns = gil_due,
	.reset = gil_reset,
	.put = gil_put,
};
