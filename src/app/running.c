/* By records of switches, where there are any (waits.c), and by the scheduler's counters. The kernel
 * tells of a lost record with the next one only, so records that the counters contradict are not
 * believed. */
#include "app/running.h"

#include <errno.h>

#include "base/clock.h"

#define LATELY_NS (200 * NS_PER_MSEC)
#define STALE_TICKS 3u /* asked so often and it had not run */

enum told running_told(const struct space *s, const struct thread *t)
{
	if (!s->records_ns || t->switched_ns <= s->records_ns)
		return NOT_TOLD;
	if (!t->off)
		return t->idle_ticks < STALE_TICKS ? HAS_CPU : NOT_TOLD;
	return t->preempted ? WANTS_CPU : WAITS;
}

bool running_on(const struct space *s, const struct thread *t)
{
	return running_told(s, t) == HAS_CPU && t->switched_ns <= t->asked_ns;
}

uint64_t running_not_told(const struct engine *e, const struct space *s,
			  const struct thread *t, uint64_t now)
{
	uint64_t span = now - t->told_ns < e->update_ns ? now - t->told_ns : e->update_ns;

	if (running_on(s, t))
		return now - (t->told_ns > t->switched_ns ? t->told_ns : t->switched_ns);
	return (uint64_t)((double)span * (double)t->lately_ran_ns /
			  (double)(t->lately_ran_ns + t->lately_queued_ns + 1));
}

/* A thread younger than this engine is owed all it ever ran. */
static bool is_younger(const struct engine *e, const struct thread *t)
{
	struct process_stat st;

	return process_stat(t->pid, t->tid, &st) && st.start_ticks > e->first_boot_ticks;
}

int64_t running_shared_ns(const struct space *s)
{
	return (int64_t)(process_cpu_ns(s->pid) - s->known_ns);
}

void running_earn(struct space *s, struct thread *t, uint64_t ran_ns)
{
	t->owed_ns += (int64_t)ran_ns;
	s->known_ns += ran_ns;
}

/* How much of the time that it wants a CPU does it have one? */
static void note_lately(struct thread *t, const struct task_sched *now)
{
	t->lately_ran_ns += now->run_ns - t->sched.run_ns;
	t->lately_queued_ns += now->wait_ns - t->sched.wait_ns;
	while (t->lately_ran_ns + t->lately_queued_ns > LATELY_NS) {
		t->lately_ran_ns /= 2;
		t->lately_queued_ns /= 2;
	}
}

bool running_ask(struct engine *e, struct space *s, struct thread *t, uint64_t now)
{
	struct task_sched sched;
	bool younger;

	/* Records of switches read meanwhile may have told its end: open nothing again. */
	if (t->gone)
		return false;
	if (!task_sched_read(&t->files, t->pid, t->tid, &sched))
		return errno != ESRCH && errno != ENOENT;
	if (!t->sched_known) {
		t->sched_known = true;
		t->given_ns = t->told_ns = t->met_ns = now;
		younger = is_younger(e, t);
		t->young = younger && t->tid != t->pid;
		t->sched = younger ? (struct task_sched){ 0 } : sched;
		t->lately_ran_ns = NS_PER_MSEC;
	}
	if (now - t->met_ns > YOUNG_NS)
		t->young = false;
	t->asked_ns = now;
	t->idle_ticks++;
	if (sched.run_ns > t->sched.run_ns) {
		if (!t->young)
			running_earn(s, t, sched.run_ns - t->sched.run_ns);
		s->explained_ns += sched.run_ns - t->sched.run_ns;
		t->told_ns = now;
		t->idle_ticks = 0;
		t->waits = false;
	}
	if (sched.slices != t->sched.slices)
		t->waits = t->queued = false;
	t->moved |= !t->waits;
	note_lately(t, &sched);
	t->sched = sched;
	return true;
}
