/* See the header. What a wait was for is known once it was looked at, at the latest when it is
 * over: so a turn's end is told then, with the time it had. */
#include "model/waits.h"

#define THREADS_MOST 65536u
#define POLLS_LEAST 3u
#define FORGET_AFTER 64u /* looks: what a thread did before then counts half */

void waits_done(struct waits *w)
{
	VEC_DONE(&w->threads);
}

static struct waits_thread *thread_of(struct waits *w, uint32_t thread)
{
	if (thread >= THREADS_MOST)
		return NULL;
	while (w->threads.n <= thread)
		(void)VEC_PUSH(&w->threads);
	return &w->threads.v[thread];
}

void waits_forget(struct waits *w, uint32_t thread)
{
	if (thread < w->threads.n)
		w->threads.v[thread] = (struct waits_thread){ 0 };
}

static bool is_loop(const struct waits_thread *t)
{
	return t->polls >= POLLS_LEAST && 3 * t->polls >= t->others;
}

bool waits_is_loop(const struct waits *w, uint32_t thread)
{
	return thread < w->threads.n && is_loop(&w->threads.v[thread]);
}

void waits_out(struct waits *w, uint32_t thread, uint64_t time_ns, bool preempted)
{
	struct waits_thread *t = thread_of(w, thread);

	if (!t || (t->known && (t->off || time_ns < t->since_ns)))
		return;
	t->known = t->off = true;
	t->preempted = preempted;
	t->looked = false;
	t->since_ns = time_ns;
}

static void end_turn(struct waits_thread *t, uint32_t thread, waits_told *told, void *arg)
{
	if (is_loop(t) && t->turn_ns && t->since_ns > t->turn_ns)
		told(arg, &(struct wait_told){ .kind = WAIT_TURN,
					       .thread = thread,
					       .end_ns = t->since_ns,
					       .took_ns = t->since_ns - t->turn_ns });
	t->turn_ns = 0;
}

void waits_reason(struct waits *w, uint32_t thread, enum wait_reason reason, bool events,
		  waits_told *told, void *arg)
{
	struct waits_thread *t = thread_of(w, thread);

	if (!t || !t->off || t->preempted || t->looked)
		return;
	t->looked = true;
	t->reason = reason;
	t->events = events;
	if (t->polls + t->others >= FORGET_AFTER) {
		t->polls /= 2;
		t->others /= 2;
	}
	t->polls += events;
	t->others += !events;
	if (events)
		end_turn(t, thread, told, arg);
}

void waits_in(struct waits *w, uint32_t thread, uint64_t time_ns, waits_told *told,
	      void *arg)
{
	struct waits_thread *t = thread_of(w, thread);
	struct wait_told event;

	if (!t || (t->known && (!t->off || time_ns < t->since_ns)))
		return;
	if (!t->known) {
		*t = (struct waits_thread){ .known = true, .since_ns = time_ns };
		return;
	}
	event = (struct wait_told){ .kind = t->preempted ? WAIT_PREEMPT : WAIT_ENDED,
				    .thread = thread,
				    .end_ns = time_ns,
				    .took_ns = time_ns - t->since_ns,
				    .reason = t->looked ? t->reason : WAIT_REASONS };
	/* Too short to be looked at: taken for a wait for events. */
	if (!t->preempted && (!t->looked || t->events)) {
		end_turn(t, thread, told, arg);
		t->turn_ns = time_ns;
	}
	t->off = false;
	t->since_ns = time_ns;
	told(arg, &event);
}
