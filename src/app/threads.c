/* Address spaces and threads of the target. Thread numbers are the history's; a number is
 * used again when its thread has ended and the history holds nothing of it any more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "app/latency.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"

#define THREADS_MAX 32768u
/* Threads that ended and are still told apart in the history; of more, so many become one at once. */
#define ENDED_MOST 4096u
#define ENDED_AT_ONCE 1024u
#define SPACES_MAX 4096u
#define MAPS_RETRY_NS (5 * NS_PER_SEC)

struct space *engine_space(struct engine *e, pid_t pid)
{
	size_t i;

	for (i = 0; i < e->spaces.n; i++)
		if (e->spaces.v[i].pid == pid && !e->spaces.v[i].gone)
			return &e->spaces.v[i];
	return NULL;
}

void engine_remap(struct engine *e, struct space *s)
{
	s->maps_read_ns = clock_now_ns();
	if (s->maps_read_ns < s->maps_retry_ns ||
	    maps_read(&s->maps, e->objects, s->pid) != -ETIMEDOUT)
		return;
	if (!s->maps_retry_ns)
		engine_say(e, true,
			   "The memory map of process %d " UNANSWERED
			   ", for a thread of it "
			   "hangs in the kernel: code that is not known yet has no name.",
			   (int)s->pid);
	s->maps_retry_ns = s->maps_read_ns + MAPS_RETRY_NS;
}

/* By what it runs now: a program it forks is called as its parent until it says otherwise. */
void engine_space_named(struct space *s)
{
	struct process p;

	if (process_find(s->pid, &p, NULL) == 0)
		snprintf(s->command, sizeof(s->command), "%s", p.command);
}

static void space_done(struct engine *e, struct space *s)
{
	engine_interp_close(e, s);
	unwinder_free(s->unwinder);
	maps_done(&s->maps);
	VEC_DONE(&s->awake);
	VEC_DONE(&s->asleep);
	*s = (struct space){ .gone = true };
}

void engine_space_gone(struct engine *e, struct space *s)
{
	e->ended_usage.cpu_ns += s->usage.cpu_ns;
	e->ended_usage.user_ticks += s->usage.user_ticks;
	e->ended_usage.system_ticks += s->usage.system_ticks;
	space_done(e, s);
}

void engine_copy_maps(struct space *to, const struct space *from)
{
	size_t i;

	VEC_CLEAR(&to->maps.list);
	for (i = 0; i < from->maps.list.n; i++)
		*VEC_PUSH(&to->maps.list) = from->maps.list.v[i];
	to->maps.generation++;
}

struct space *engine_add_space(struct engine *e, pid_t pid)
{
	struct space *s = engine_space(e, pid);
	size_t i;

	if (s)
		return s;
	for (i = 0; i < e->spaces.n && !s; i++)
		if (e->spaces.v[i].gone)
			s = &e->spaces.v[i];
	if (!s && e->spaces.n >= SPACES_MAX)
		return NULL;
	if (!s) {
		/* Unwinders point at maps of their spaces, so spaces must not move. */
		if (e->spaces.cap == 0) {
			e->spaces.cap = SPACES_MAX;
			e->spaces.v = xmalloc(SPACES_MAX * sizeof(*e->spaces.v));
		}
		s = VEC_PUSH(&e->spaces);
	}
	*s = (struct space){ .pid = pid };
	engine_space_named(s);
	maps_init(&s->maps);
	mem_live_init(&s->mem, pid);
	engine_remap(e, s);
	s->maps_first_ns = s->maps_read_ns;
	s->unwinder = unwinder_new(e->tables, &s->maps);
	engine_interp_open(e, s);
	return s;
}

/* ---- threads ---- */

static size_t tid_slot(const struct engine *e, pid_t tid)
{
	size_t i = hash_u64((uint64_t)tid) & (e->n_tid_slots - 1);

	while (e->tid_slots[i] && (e->threads.v[e->tid_slots[i] - 1].tid != tid ||
				   e->threads.v[e->tid_slots[i] - 1].gone))
		i = (i + 1) & (e->n_tid_slots - 1);
	return i;
}

static void rehash(struct engine *e, size_t slots)
{
	size_t i;

	free(e->tid_slots);
	e->n_tid_slots = slots;
	e->tid_slots = xcalloc(slots, sizeof(*e->tid_slots));
	for (i = 0; i < e->threads.n; i++)
		if (!e->threads.v[i].gone)
			e->tid_slots[tid_slot(e, e->threads.v[i].tid)] = (uint32_t)i + 1;
}

uint32_t engine_find_thread(const struct engine *e, pid_t tid)
{
	size_t slot;

	if (!e->n_tid_slots)
		return NO_ID;
	slot = tid_slot(e, tid);
	return e->tid_slots[slot] ? e->tid_slots[slot] - 1 : NO_ID;
}

static uint64_t oldest_run(const struct engine *e)
{
	return e->history.n_runs ? history_run(&e->history, 0)->time_ns : UINT64_MAX;
}

/* What the history holds of threads that ended long ago becomes one thread's, and their numbers are free:
 * a program may have a new thread for each request. */
static void merge_ended(struct engine *e, size_t n)
{
	bool *which;
	size_t i;

	if (!e->ended_threads) {
		e->ended_threads = (uint32_t)e->threads.n;
		*VEC_PUSH(&e->threads) = (struct thread){ .pid = e->process.pid,
							  .name = "(ended threads)",
							  .gone = true };
	}
	which = xcalloc(e->threads.n, sizeof(*which));
	for (i = 0; i < n; i++)
		which[e->free_threads.v[e->first_free + e->n_merged + i]] = true;
	history_merge_threads(&e->history, which, e->threads.n, e->ended_threads);
	free(which);
	e->n_merged += n;
}

static bool take_free(struct engine *e, uint32_t *number)
{
	if (e->first_free >= e->free_threads.n)
		return false;
	*number = e->free_threads.v[e->first_free];
	if (!e->n_merged && e->threads.v[*number].last_ns + NS_PER_SEC >= oldest_run(e))
		return false;
	e->n_merged -= e->n_merged > 0;
	e->first_free++;
	return true;
}

static uint32_t new_number(struct engine *e)
{
	size_t waiting = e->free_threads.n - e->first_free - e->n_merged;
	bool room = e->threads.n < THREADS_MAX;
	uint32_t number;

	if (waiting > ENDED_MOST || (!room && !e->n_merged && waiting))
		merge_ended(e, waiting < ENDED_AT_ONCE ? waiting : ENDED_AT_ONCE);
	if (take_free(e, &number))
		return number;
	if (!room) {
		e->lost[LOSS_THREADS]++;
		return 0; /* more threads alive than can be told apart */
	}
	(void)VEC_PUSH(&e->threads);
	return (uint32_t)(e->threads.n - 1);
}

static void read_name(const struct engine *e, struct thread *t)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)t->pid, (int)t->tid);
	/* Gone already: threads start with their process's name. */
	if (!file_line(path, t->name, sizeof(t->name)))
		snprintf(t->name, sizeof(t->name), "%s", e->process.comm);
}

uint32_t engine_thread(struct engine *e, pid_t pid, pid_t tid)
{
	uint32_t number = engine_find_thread(e, tid);
	struct thread *t;

	if (number != NO_ID)
		return number;
	number = new_number(e);
	t = &e->threads.v[number];
	if (t->tid && !t->gone)
		return number; /* the shared one */
	*t = (struct thread){ .pid = pid, .tid = tid };
	task_files_init(&t->files);
	t->last_ns = clock_now_ns();
	e->threads_changed = true;
	read_name(e, t);
	if (e->n_tid_slots < e->threads.n * 2 + 64)
		rehash(e, e->n_tid_slots ? e->n_tid_slots * 2 : 1024);
	else
		e->tid_slots[tid_slot(e, tid)] = number + 1;
	return number;
}

/* All that an entry holds; its number may wait a minute for its next thread. */
static void thread_done(struct thread *t)
{
	task_files_close(&t->files);
	if (t->watched)
		blocked_done(&t->blocked);
	t->watched = false;
	free(t->kept);
	t->kept = NULL;
}

void engine_thread_gone(struct engine *e, pid_t tid)
{
	uint32_t number = engine_find_thread(e, tid);
	struct thread *t;

	if (number == NO_ID)
		return;
	chains_thread_gone(e, number);
	t = &e->threads.v[number];
	t->gone = true;
	e->threads_changed = true;
	thread_done(t);
	if (e->latency)
		latency_thread_gone(e->latency, number);
	*VEC_PUSH(&e->free_threads) = number;
	if (e->first_free > 1024 && e->first_free * 2 > e->free_threads.n) {
		memmove(e->free_threads.v, e->free_threads.v + e->first_free,
			(e->free_threads.n - e->first_free) * sizeof(uint32_t));
		e->free_threads.n -= e->first_free;
		e->first_free = 0;
	}
	/* Dead entries stay in the table until it is rebuilt; rebuild before they crowd
	 * it. */
	if (e->free_threads.n % 512 == 0)
		rehash(e, e->n_tid_slots);
}

void engine_threads_done(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->threads.n; i++)
		thread_done(&e->threads.v[i]);
	for (i = 0; i < e->spaces.n; i++)
		space_done(e, &e->spaces.v[i]);
	VEC_DONE(&e->threads);
	VEC_DONE(&e->spaces);
	VEC_DONE(&e->free_threads);
	free(e->tid_slots);
}
