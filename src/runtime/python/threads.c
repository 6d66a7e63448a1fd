/* Interpreters and their threads are linked lists in the target, read link by link; that
 * is a microsecond each and happens once or twice a second. The lists change while they
 * are read, so what is no thread state of its interpreter ends the list.
 *
 * A thread is known by its number in the target's own pid namespace: since 3.11 it stands
 * in the thread state, before in the C library's thread descriptor, to which thread_id
 * points. In a container that number is translated by the NSpid lines of /proc. One
 * thread may have a state in several interpreters. */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/python/reader.h"
#include "target/memory.h"
#include "target/process.h"

#define DESCRIPTOR_BYTES 1024u

/* One task of the process, by both its numbers. */
struct task {
	pid_t here;
	uint32_t there;
};
typedef VEC(struct task) task_list;

typedef VEC(struct python_thread *) thread_list;

static void thread_free(struct python_thread *t)
{
	VEC_DONE(&t->outside);
	VEC_DONE(&t->line);
	VEC_DONE(&t->survey);
	free(t);
}

void python_threads_done(struct python_reader *r)
{
	size_t i;

	for (i = 0; i < r->threads.n; i++)
		thread_free(r->threads.v[i]);
	VEC_DONE(&r->threads);
}

/* The first state of this tid; states of one tid follow each other, those of newer
 * interpreters first. */
size_t python_thread_find(const struct python_reader *r, pid_t tid)
{
	size_t low = 0, high = r->threads.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->threads.v[mid]->info.tid < tid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->threads.n && r->threads.v[low]->info.tid == tid ? low
									: r->threads.n;
}

/* ---- Numbers ----------------------------------------------------------------------- */

static void read_tasks(const struct python_reader *r, task_list *out)
{
	pid_list tids = { 0 };
	size_t i;

	if (process_threads(r->pid, &tids))
		for (i = 0; i < tids.n && i < PYTHON_THREADS_MAX; i++) {
			pid_t there =
			    r->same_namespace ? tids.v[i] : process_ns_pid(tids.v[i]);

			*VEC_PUSH(out) = (struct task){ tids.v[i], (uint32_t)there };
		}
	VEC_DONE(&tids);
}

static pid_t here_of(const struct task *task, size_t n, uint32_t there)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (task[i].there == there)
			return task[i].here;
	return 0;
}

/* Where a thread's number stands in its descriptor, found in ptop's own; 0 not. */
static uint32_t own_tid_offset(void)
{
	unsigned char bytes[DESCRIPTOR_BYTES];
	ssize_t n = mem_live_read_some(getpid(), (uint64_t)(uintptr_t)pthread_self(),
				       bytes, sizeof(bytes));
	uint32_t at;

	for (at = 4; (ssize_t)at + 4 <= n; at += 4)
		if (python_i32(bytes + at) == (int32_t)gettid())
			return at;
	return 0;
}

/* The target's C library may be another one: then its own descriptor is searched for the
 * number of any of its threads. */
static uint32_t tid_offset(struct python_reader *r, uint64_t ident,
			   const struct task *task, size_t n)
{
	unsigned char bytes[DESCRIPTOR_BYTES];
	uint32_t own = own_tid_offset(), at;

	if (!batch_read(&r->side, ident, bytes, sizeof(bytes)))
		return 0;
	if (own && here_of(task, n, (uint32_t)python_i32(bytes + own)))
		return own;
	for (at = 4; at + 4 <= sizeof(bytes); at += 4)
		if (here_of(task, n, (uint32_t)python_i32(bytes + at)))
			return at;
	return 0;
}

/* What the C library's descriptor says; 0: nothing. */
static uint32_t described_tid(struct python_reader *r, uint64_t ident,
			      const task_list *tasks)
{
	uint32_t tid = 0;

	if (!r->tid_offset)
		r->tid_offset = tid_offset(r, ident, tasks->v, tasks->n);
	if (!r->tid_offset ||
	    !batch_read(&r->side, ident + r->tid_offset, &tid, sizeof(tid)))
		return 0;
	return tid;
}

static bool is_task(const struct python_reader *r, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)r->pid, (int)tid);
	return access(path, F_OK) == 0;
}

/* ---- Lists ------------------------------------------------------------------------- */

struct listing {
	struct python_reader *r;
	task_list tasks;
	thread_list found;
	size_t states; /* met so far, bound to a thread or not */
};

static struct python_thread *known(struct python_reader *r, pid_t tid, uint64_t state)
{
	size_t i = python_thread_find(r, tid);

	for (; i < r->threads.n && r->threads.v[i]->info.tid == tid; i++)
		if (r->threads.v[i]->state == state && !r->threads.v[i]->kept)
			return r->threads.v[i];
	return NULL;
}

/* ptop's number of the thread whose state says `native`. After a fork that Python was not told of
 * (uwsgi) that is a thread of the parent, and the descriptor knows better. */
static pid_t tid_of(struct listing *l, uint32_t native, uint64_t ident, uint64_t state)
{
	struct python_reader *r = l->r;
	pid_t tid =
	    r->same_namespace ? (pid_t)native : here_of(l->tasks.v, l->tasks.n, native);

	if (!r->layout.thread_tid || r->side.mem || native == 0 ||
	    (tid && (known(r, tid, state) || is_task(r, tid))))
		return tid;
	if (l->tasks.n == 0)
		read_tasks(r, &l->tasks);
	return here_of(l->tasks.v, l->tasks.n, described_tid(r, ident, &l->tasks));
}

static void add_thread(struct listing *l, size_t interpreter, uint64_t state,
		       const unsigned char *bytes)
{
	struct python_reader *r = l->r;
	uint64_t ident = python_u64(bytes + r->layout.thread_ident - r->state_from);
	uint32_t native =
	    r->layout.thread_tid
		? (uint32_t)python_u64(bytes + r->layout.thread_tid - r->state_from)
		: described_tid(r, ident, &l->tasks);
	pid_t tid = tid_of(l, native, ident, state);
	struct python_thread *t;

	if (tid <= 0) /* not bound to a thread */
		return;
	t = known(r, tid, state);
	if (!t)
		t = xcalloc(1, sizeof(*t));
	t->kept = true;
	t->state = state;
	t->ident = ident;
	t->native = native;
	t->interpreter = (uint32_t)interpreter;
	t->info.tid = tid;
	t->info.interpreter = r->interpreters.v[interpreter].id;
	t->info.main = tid == r->pid && t->info.interpreter == 0;
	*VEC_PUSH(&l->found) = t;
}

static void list_threads(struct listing *l, size_t interpreter, uint64_t state)
{
	struct python_reader *r = l->r;
	unsigned char bytes[4096];
	uint64_t next, of;

	while (state && l->states++ < PYTHON_THREADS_MAX) {
		if (r->state_bytes > sizeof(bytes) ||
		    !batch_read(&r->side, state + r->layout.thread_interp, &of,
				sizeof(of)) ||
		    of != r->interpreters.v[interpreter].address ||
		    !batch_read(&r->side, state + r->layout.thread_next, &next,
				sizeof(next)) ||
		    !batch_read(&r->side, state + r->state_from, bytes, r->state_bytes))
			return;
		add_thread(l, interpreter, state, bytes);
		if (next == state)
			return;
		state = next;
	}
}

static void add_interpreter(struct python_reader *r, uint64_t address)
{
	struct python_interpreter *p = VEC_PUSH(&r->interpreters);
	int64_t id = 0;

	p->address = address;
	if (batch_read(&r->side, address + r->layout.interp_id, &id, sizeof(id)))
		p->id = (uint32_t)id;
	if (!r->layout.interp_gil)
		p->gil = r->runtime + r->layout.runtime_gil;
	else if (!batch_read(&r->side, address + r->layout.interp_gil, &p->gil,
			     sizeof(p->gil)))
		p->gil = 0;
}

static bool list_interpreters(struct listing *l)
{
	struct python_reader *r = l->r;
	uint64_t at, threads;

	VEC_CLEAR(&r->interpreters);
	if (!batch_read(&r->side, r->runtime + r->layout.interpreters_head, &at,
			sizeof(at)))
		return false;
	while (at && r->interpreters.n < PYTHON_INTERPRETERS_MAX) {
		add_interpreter(r, at);
		if (!batch_read(&r->side, at + r->layout.interp_threads, &threads,
				sizeof(threads)))
			break;
		list_threads(l, r->interpreters.n - 1, threads);
		if (!batch_read(&r->side, at + r->layout.interp_next, &at, sizeof(at)))
			break;
	}
	return r->interpreters.n > 0;
}

static int by_tid(const void *a, const void *b)
{
	const struct python_thread *x = *(struct python_thread *const *)a;
	const struct python_thread *y = *(struct python_thread *const *)b;

	if (x->info.tid != y->info.tid)
		return x->info.tid < y->info.tid ? -1 : 1;
	if (x->info.interpreter != y->info.interpreter)
		return x->info.interpreter > y->info.interpreter ? -1 : 1;
	return x->state < y->state ? -1 : x->state > y->state;
}

static void replace_list(struct python_reader *r, thread_list *found)
{
	size_t i;

	for (i = 0; i < r->threads.n; i++)
		if (!r->threads.v[i]->kept)
			thread_free(r->threads.v[i]);
	VEC_CLEAR(&r->threads);
	for (i = 0; i < found->n; i++) {
		found->v[i]->kept = false;
		*VEC_PUSH(&r->threads) = found->v[i];
	}
	if (r->threads.n)
		qsort(r->threads.v, r->threads.n, sizeof(*r->threads.v), by_tid);
}

/* One line a thread, however many interpreters it has a state in: that of the oldest. */
static void give(const struct python_reader *r, runtime_thread_list *out)
{
	size_t i;

	VEC_CLEAR(out);
	for (i = 0; i < r->threads.n; i++)
		if (i + 1 == r->threads.n ||
		    r->threads.v[i + 1]->info.tid != r->threads.v[i]->info.tid)
			*VEC_PUSH(out) = r->threads.v[i]->info;
}

bool python_threads(struct python_reader *r, bool names, runtime_thread_list *out)
{
	struct listing l = { .r = r };
	bool ok;

	if (!r->same_namespace || (!r->layout.thread_tid && !r->tid_offset))
		read_tasks(r, &l.tasks);
	ok = list_interpreters(&l);
	replace_list(r, &l.found);
	if (ok && names)
		python_thread_names(r);
	give(r, out);
	VEC_DONE(&l.tasks);
	VEC_DONE(&l.found);
	return ok;
}
