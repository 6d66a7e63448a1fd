/* Waits, event loops and the run queue of the threads of the target and of children that are
 * followed: switch records say when, looks
 * at threads that are off the CPU say what for, the scheduler's own account says how long ready
 * threads had none.
 *
 * Rings are read every TURN_NS; a thread that is found off then is looked at once in that wait
 * (/proc/PID/task/TID/syscall), so waits of a turn or more are known by reason, and of shorter
 * ones as many as are met: the sum of what is looked at is the time spent waiting for each
 * reason. Nothing of this stops or interrupts the target; a switch record costs it about a
 * microsecond, so with too many switches they are given up: after some seconds of many, at once
 * when there are so many that they would be felt. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/latency.h"
#include "base/clock.h"

#define TURN_NS (40 * NS_PER_MSEC)
#define SCHED_NS (250 * NS_PER_MSEC)
#define PROOF_NS (5 * NS_PER_SEC)
#define WRITTEN_NS 100000 /* after the moment that it tells, a record is there */
#define LOOKS_A_TURN 16u
#define THREADS_WATCHED 512u
#define PROCESSES_WATCHED 32u /* each has a ring on every CPU */
#define RECORDS_A_SECOND 4000u
#define BUSY_SECONDS 3
#define RECORDS_TOO_MANY (3 * RECORDS_A_SECOND) /* of one second: at once */
#define DRAIN_MOST 20000u

static const struct {
	const char *name;
	bool shown;
} reasons[WAIT_REASONS] = {
	[WAIT_OTHER] = { "other waits", true },
	[WAIT_LOCK] = { "lock waits", true },
	[WAIT_GIL] = { "GIL waits", true },
	[WAIT_POLL] = { "waits for events", false },
	[WAIT_SOCKET] = { "socket waits", true },
	[WAIT_DISK] = { "disk waits", true },
	[WAIT_READ] = { "pipe waits", true },
	[WAIT_CHILD] = { "waits for a child", true },
	[WAIT_SLEEP] = { "sleeps", true },
	[WAIT_STOPPED] = { "stopped", false },
};

/* ---- Processes ------------------------------------------------------------------------- */

static void close_process(struct latency *l, const struct process_switches *p)
{
	struct space *s = engine_space(l->e, p->pid);

	if (s)
		s->records_ns = 0;
	switches_close(p->switches);
}

static void give_up(struct latency *l)
{
	struct waits_source *w = &l->waits;

	while (w->processes.n)
		close_process(l, &w->processes.v[--w->processes.n]);
	w->given_up = true;
}

static bool is_open(const struct waits_source *w, pid_t pid)
{
	size_t i;

	for (i = 0; i < w->processes.n; i++)
		if (w->processes.v[i].pid == pid)
			return true;
	return false;
}

static int open_process(struct waits_source *w, pid_t pid, struct error *err)
{
	struct process_switches p = { .pid = pid };
	int ret = switches_open(pid, &p.switches, err);

	if (!ret)
		*VEC_PUSH(&w->processes) = p;
	return ret;
}

/* Children come and go. */
static void fit_processes(struct latency *l)
{
	struct waits_source *w = &l->waits;
	struct error err = { 0 };
	size_t i, kept = 0;

	if (w->given_up || !l->e->config.children)
		return;
	for (i = 0; i < w->processes.n; i++)
		if (w->processes.v[i].pid == l->e->process.pid ||
		    engine_space(l->e, w->processes.v[i].pid))
			w->processes.v[kept++] = w->processes.v[i];
		else
			close_process(l, &w->processes.v[i]);
	w->processes.n = kept;
	for (i = 0; i < l->e->spaces.n && w->processes.n < PROCESSES_WATCHED; i++) {
		const struct space *s = &l->e->spaces.v[i];

		if (!s->gone && !is_open(w, s->pid))
			(void)open_process(w, s->pid, &err);
	}
}

void latency_waits_open(struct latency *l)
{
	struct waits_source *w = &l->waits;
	struct error err = { 0 };

	w->account_began_ns = clock_now_ns();
	w->second_ns = w->account_began_ns;
	w->next_ns = w->account_began_ns + TURN_NS;
	if (open_process(w, l->e->process.pid, &err) == 0) {
		fit_processes(l);
		return;
	}
	w->given_up = true;
	latency_limit(l, "waits and event loops are not timed: %s", err.cause);
}

void latency_waits_close(struct latency *l)
{
	size_t i;

	give_up(l);
	VEC_DONE(&l->waits.processes);
	for (i = 0; i < l->waits.threads.n; i++)
		task_files_close(&l->waits.threads.v[i].files);
	VEC_DONE(&l->waits.threads);
	VEC_DONE(&l->waits.waited);
	waits_done(&l->waits.waits);
	served_done(&l->waits.served);
}

/* ---- Threads ------------------------------------------------------------------------- */

static struct thread_waits *thread_of(struct latency *l, uint32_t number)
{
	struct waits_source *w = &l->waits;
	const struct thread *t = &l->e->threads.v[number];
	struct thread_waits *tw;

	while (w->threads.n <= number)
		task_files_init(&VEC_PUSH(&w->threads)->files);
	tw = &w->threads.v[number];
	if (tw->tid == t->tid)
		return tw;
	task_files_close(&tw->files);
	*tw = (struct thread_waits){ .tid = t->tid };
	task_files_init(&tw->files);
	waits_forget(&w->waits, number);
	return tw;
}

void latency_thread_gone(struct latency *l, uint32_t number)
{
	if (number < l->waits.threads.n)
		task_files_close(&l->waits.threads.v[number].files);
	visits_forget(&l->visits, number);
	latency_stood_gone(l, number);
}

bool latency_account(const struct latency *l, uint32_t number, struct thread_account *out)
{
	const struct thread_waits *t;
	int i;

	if (number >= l->waits.threads.n || number >= l->e->threads.n)
		return false;
	t = &l->waits.threads.v[number];
	if (!t->tid || t->tid != l->e->threads.v[number].tid)
		return false;
	*out = t->now;
	out->run_ns += t->before.run_ns;
	out->queued_ns += t->before.queued_ns;
	out->slices += t->before.slices;
	out->waits += t->before.waits;
	out->wait_ns += t->before.wait_ns;
	for (i = 0; i < WAIT_REASONS; i++)
		out->reason_ns[i] += t->before.reason_ns[i];
	return true;
}

static void turn_accounts(struct waits_source *w, uint64_t now)
{
	size_t i;

	if (now - w->account_began_ns < ACCOUNT_NS)
		return;
	w->account_ns = now - w->account_began_ns;
	w->account_began_ns = now;
	for (i = 0; i < w->threads.n; i++) {
		w->threads.v[i].before = w->threads.v[i].now;
		memset(&w->threads.v[i].now, 0, sizeof(w->threads.v[i].now));
	}
	waited_turn(w);
}

/* ---- What the model tells ------------------------------------------------------------ */

static void on_turn(struct latency *l, const struct wait_told *t)
{
	const struct thread *th = &l->e->threads.v[t->thread];
	char name[64];
	uint32_t thing;

	snprintf(name, sizeof(name), "event loop %s", th->name);
	thing = latency_thing(l, LATENCY_LOOP, (uint64_t)th->tid, name);
	latency_note(l, &(struct latency_event){ .end_ns = t->end_ns,
						 .took_ns = t->took_ns,
						 .thing = thing,
						 .thread = t->thread,
						 .count = 1 });
}

static void on_told(void *arg, const struct wait_told *t)
{
	struct latency *l = arg;
	struct thread_waits *tw = thread_of(l, t->thread);

	if (t->kind == WAIT_TURN) {
		on_turn(l, t);
		return;
	}
	if (t->kind == WAIT_PREEMPT)
		return;
	tw->now.waits++;
	tw->now.wait_ns += t->took_ns;
	if (t->reason == WAIT_REASONS || !reasons[t->reason].shown)
		return;
	latency_note(
	    l, &(struct latency_event){ .end_ns = t->end_ns,
					.took_ns = t->took_ns,
					.thing = latency_thing(l, LATENCY_WAIT, t->reason,
							       reasons[t->reason].name),
					.thread = t->thread,
					.count = 1 });
}

/* False when the thread did something else since: rings are read one after the other. */
static bool note_switch(struct space *s, struct thread *t, const struct switch_event *ev)
{
	if (s) {
		s->switches += ev->out;
		s->rested |= ev->out && !ev->preempted && t->language;
		s->woke |= !ev->out && !t->awake;
	}
	if (ev->time_ns < t->switched_ns)
		return false;
	t->switched_ns = ev->time_ns;
	if (!ev->out) {
		t->in_ns = ev->time_ns;
		t->idle_ticks = 0;
	}
	t->off = ev->out;
	t->preempted = ev->preempted;
	return true;
}

/* The thread of a record; NO_ID: it has ended, and what it did last is told after that. */
static uint32_t number_of(struct latency *l, const struct switch_event *ev)
{
	uint32_t number = engine_find_thread(l->e, ev->tid);
	char path[64];

	if (number != NO_ID)
		return number;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)ev->pid, (int)ev->tid);
	if (access(path, F_OK))
		return NO_ID;
	number = engine_thread(l->e, ev->pid, ev->tid);
	return l->e->threads.v[number].tid == ev->tid ? number : NO_ID;
}

static void drain(struct latency *l, const struct process_switches *p)
{
	struct waits_source *w = &l->waits;
	struct space *s = engine_space(l->e, p->pid);
	struct switch_event ev;
	uint64_t lost = switches_lost(p->switches);
	size_t n = 0;

	while (n < DRAIN_MOST && switches_next(p->switches, &ev)) {
		uint32_t number;

		n++;
		if (ev.pid != p->pid)
			continue;
		number = number_of(l, &ev);
		if (number == NO_ID || !note_switch(s, &l->e->threads.v[number], &ev))
			continue;
		thread_of(l, number);
		if (ev.out)
			waits_out(&w->waits, number, ev.time_ns, ev.preempted);
		else
			waits_in(&w->waits, number, ev.time_ns, on_told, l);
	}
	lost = switches_lost(p->switches) - lost;
	w->records += n + lost;
	if (s && (!s->records_ns || lost || n == DRAIN_MOST)) {
		s->records_ns = clock_now_ns();
		s->proof_ns = 0;
	}
}

void latency_read_switches(struct latency *l, const struct space *s)
{
	size_t i;

	for (i = 0; i < l->waits.processes.n; i++)
		if (l->waits.processes.v[i].pid == s->pid)
			drain(l, &l->waits.processes.v[i]);
}

static void drain_all(struct latency *l)
{
	uint64_t now = clock_now_ns();
	size_t i;

	for (i = 0; i < l->waits.processes.n; i++)
		drain(l, &l->waits.processes.v[i]);
	l->e->records_read_ns = now - WRITTEN_NS;
}

/* ---- Looks --------------------------------------------------------------------------- */

/* read() and write() of what? */
static enum wait_reason reason_of_file(const struct thread *t, uint64_t fd)
{
	char path[64], link[16];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%llu", (int)t->pid,
		 (unsigned long long)fd);
	n = readlink(path, link, sizeof(link));
	if (n > 7 && memcmp(link, "socket:", 7) == 0)
		return WAIT_SOCKET;
	if (n > 0 && link[0] == '/' && memcmp(link, "/dev/", n < 5 ? (size_t)n : 5) != 0)
		return WAIT_DISK;
	return WAIT_READ;
}

static enum wait_reason reason_of(struct latency *l, const struct thread *t,
				  const struct task_syscall *call)
{
	const struct space *s = engine_space(l->e, t->pid);
	enum wait_reason r = blocked_reason(call->number);

	if (call->number == SYS_accept || call->number == SYS_accept4)
		return WAIT_POLL; /* for work, as a loop does */
	if (call->number == -1)
		return WAIT_DISK; /* a page that is not there */
	if (r == WAIT_LOCK && s && s->reader &&
	    s->runtime->is_gil(s->reader, call->first))
		return WAIT_GIL;
	if (r == WAIT_READ)
		r = reason_of_file(t, call->first);
	if (r == WAIT_SOCKET &&
	    served_has(&l->waits.served, t->pid, call->first, l->waits.turned_ns))
		return WAIT_POLL; /* for the next request: for work, again */
	return r;
}

static bool is_events(int64_t number)
{
	return number == SYS_epoll_wait || number == SYS_epoll_pwait
#ifdef SYS_epoll_pwait2
	       || number == SYS_epoll_pwait2
#endif
	    ;
}

static void look_at(struct latency *l, uint32_t number)
{
	const struct thread *t = &l->e->threads.v[number];
	struct thread_waits *tw = thread_of(l, number);
	struct task_syscall call;

	tw->node = 0;
	if (engine_sleeps_on(l->e, t))
		call = t->blocked.call;
	else if (!task_syscall_read(&tw->files, t->pid, t->tid, &call) || call.running)
		return; /* it woke, or may not be looked at */
	waits_reason(&l->waits.waits, number, reason_of(l, t, &call),
		     is_events(call.number), on_told, l);
}

static void look(struct latency *l, uint64_t now)
{
	struct waits_source *w = &l->waits;
	uint64_t span = now - w->turned_ns;
	size_t i, n = w->waits.threads.n, looks = 0;

	for (i = 0; i < n && i < THREADS_WATCHED; i++) {
		uint32_t number = (uint32_t)((w->next_look + i) % n);
		const struct waits_thread *t = &w->waits.threads.v[number];

		if (!t->off || t->preempted || number >= l->e->threads.n ||
		    l->e->threads.v[number].gone)
			continue;
		if (!t->looked && looks < LOOKS_A_TURN) {
			look_at(l, number);
			looks++;
		}
		if (!t->looked)
			continue;
		thread_of(l, number)->now.reason_ns[t->reason] += span;
		waited_note(l, number, t->reason, span, now);
	}
	w->next_look += looks;
}

/* ---- The run queue ------------------------------------------------------------------- */

static void note_queue(struct latency *l, uint32_t number, const struct task_sched *b,
		       const struct task_sched *a, uint64_t now)
{
	uint64_t slices = a->slices - b->slices, queued = a->wait_ns - b->wait_ns;

	if (a->slices <= b->slices || a->wait_ns < b->wait_ns)
		return;
	latency_note(
	    l, &(struct latency_event){
		   .end_ns = now,
		   .took_ns = queued / slices,
		   .thing = latency_thing(l, LATENCY_QUEUE, 0, "run queue"),
		   .thread = number,
		   .count = (uint32_t)(slices < UINT32_MAX ? slices : UINT32_MAX) });
}

static void read_queue(struct latency *l, uint64_t now)
{
	size_t i;

	for (i = 0; i < l->e->threads.n && i < THREADS_WATCHED; i++) {
		const struct thread *t = &l->e->threads.v[i];
		const struct space *space;
		struct thread_waits *tw;
		struct task_sched s;

		space = t->gone ? NULL : engine_space(l->e, t->pid);
		if (!space)
			continue;
		tw = thread_of(l, (uint32_t)i);
		if (tw->off_ns > t->switched_ns && space->records_ns &&
		    tw->off_ns > space->records_ns && now - tw->off_ns < PROOF_NS)
			continue; /* it stands where it stood */
		if (!task_sched_read(&tw->files, t->pid, t->tid, &s))
			continue;
		/* A thread that runs has run since. */
		tw->off_ns = tw->sched_known && s.run_ns == tw->sched.run_ns &&
				     s.slices == tw->sched.slices
				 ? l->e->records_read_ns
				 : 0;
		if (tw->sched_known && s.run_ns >= tw->sched.run_ns) {
			tw->now.run_ns += s.run_ns - tw->sched.run_ns;
			tw->now.queued_ns += s.wait_ns - tw->sched.wait_ns;
			tw->now.slices += s.slices - tw->sched.slices;
			note_queue(l, (uint32_t)i, &tw->sched, &s, now);
		}
		tw->sched = s;
		tw->sched_known = true;
	}
}

/* ---- The clock ----------------------------------------------------------------------- */

static void watch_cost(struct latency *l, uint64_t now)
{
	struct waits_source *w = &l->waits;
	bool late = now - w->second_ns > 2 * NS_PER_SEC; /* ptop was stopped, say */
	bool too_many = w->records > RECORDS_TOO_MANY && !late;

	if (now - w->second_ns < NS_PER_SEC && !too_many)
		return;
	if (!late)
		w->busy_seconds = w->records > RECORDS_A_SECOND ? w->busy_seconds + 1 : 0;
	if (w->busy_seconds >= BUSY_SECONDS || too_many) {
		uint64_t span = now - w->second_ns;

		give_up(l);
		latency_limit(
		    l,
		    "waits and event loops are not timed: %llu switches a second "
		    "are too many to record",
		    (unsigned long long)(w->records * NS_PER_SEC / (span ? span : 1)));
	}
	w->second_ns = now;
	w->records = 0;
}

/* Before a picture, too: what ended just before it would else be told after it, with a time
 * that no later picture covers. */
void latency_waits_settle(struct latency *l, uint64_t now)
{
	struct waits_source *w = &l->waits;

	if (!w->processes.n)
		return;
	drain_all(l);
	if (w->turned_ns && now > w->turned_ns)
		look(l, now);
	w->turned_ns = now;
}

void latency_waits_turn(struct latency *l, uint64_t now)
{
	struct waits_source *w = &l->waits;

	if (now < w->next_ns) {
		if (l->e->mode == MODE_WALL && w->processes.n &&
		    now >= l->e->next_look_ns)
			drain_all(l); /* engine_look() counts on it */
		return;
	}
	w->next_ns = now + (w->processes.n ? TURN_NS : SCHED_NS);
	if (w->processes.n) {
		latency_waits_settle(l, now);
		watch_cost(l, now);
	}
	if (now >= w->sched_ns) {
		fit_processes(l);
		read_queue(l, now);
		w->sched_ns = now + SCHED_NS;
		turn_accounts(w, now);
	}
}

/* A sampler that ticks comes by often enough: its rhythm is not disturbed. */
uint64_t latency_waits_due(const struct latency *l)
{
	bool ticks = engine_ticks_due(l->e) != UINT64_MAX;

	return ticks ? UINT64_MAX : engine_lazily(l->e, l->waits.next_ns);
}
