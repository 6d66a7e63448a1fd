/* Two listings, compared: both are sorted by tid, so one pass finds what differs. A program is
 * another one when /proc/PID/exe is. */
#include "sample/news.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"

/* As the kernel has it: a server that does not answer is not asked. */
static uint64_t exe_of(pid_t pid)
{
	char path[64];
	struct statx st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 ? st.stx_ino
									      : 0;
}

void news_init(struct news *n, pid_t pid, bool children)
{
	*n = (struct news){
		.pid = pid, .children = children, .exe = exe_of(pid), .exec_told = true
	};
	*VEC_PUSH(&n->pids) = pid;
}

void news_done(struct news *n)
{
	VEC_DONE(&n->pids);
	VEC_DONE(&n->now);
	VEC_DONE(&n->came);
	VEC_DONE(&n->went);
}

void news_follow(struct news *n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n->pids.n; i++)
		if (n->pids.v[i] == pid)
			return;
	*VEC_PUSH(&n->pids) = pid;
}

void news_forget(struct news *n, pid_t pid)
{
	size_t i, kept = 0;

	for (i = 0; i < n->pids.n; i++)
		if (n->pids.v[i] != pid || pid == n->pid)
			n->pids.v[kept++] = n->pids.v[i];
	n->pids.n = kept;
}

static int by_tid(const void *a, const void *b)
{
	const struct news_task *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* False when one cannot be listed that is there all the same. */
static bool list(const struct news *n, task_list *out)
{
	bool whole = true;
	pid_list tids = { 0 };
	size_t i, k;

	for (i = 0; i < n->pids.n; i++) {
		whole &= process_threads(n->pids.v[i], &tids) || errno == ESRCH;
		for (k = 0; k < tids.n; k++)
			*VEC_PUSH(out) = (struct news_task){ n->pids.v[i], tids.v[k] };
	}
	VEC_DONE(&tids);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_tid);
	return whole;
}

void news_update(struct news *n)
{
	task_list now = { 0 };
	pid_list children = { 0 };
	size_t i = 0, k = 0;
	ino_t exe = exe_of(n->pid);

	if (n->children) {
		process_children(n->pid, &children);
		for (i = 0; i < children.n; i++)
			news_follow(n, children.v[i]);
		VEC_DONE(&children);
	}
	if (!list(n, &now)) {
		VEC_DONE(&now);
		return;
	}
	for (i = 0; i < n->now.n || k < now.n;) {
		pid_t old = i < n->now.n ? n->now.v[i].tid : 0;
		pid_t new = k < now.n ? now.v[k].tid : 0;

		if (new && (!old || new < old)) {
			*VEC_PUSH(&n->came) = now.v[k++];
		} else if (!new || old < new) {
			*VEC_PUSH(&n->went) = n->now.v[i++];
		} else {
			i++;
			k++;
		}
	}
	VEC_DONE(&n->now);
	n->now = now;
	if (exe && exe != n->exe) {
		n->exe = exe;
		n->exec_told = false;
	}
}

bool news_next(struct news *n, struct event *e)
{
	*e = (struct event){ .time_ns = clock_now_ns(), .text = "" };
	if (n->went.n) {
		const struct news_task *t = &n->went.v[--n->went.n];

		e->kind = EVENT_EXIT;
		e->pid = t->pid;
		e->tid = t->tid;
		return true;
	}
	if (n->came.n) {
		const struct news_task *t = &n->came.v[--n->came.n];

		e->kind = EVENT_FORK;
		e->pid = t->pid;
		e->tid = t->tid;
		e->parent = t->pid == t->tid ? n->pid : t->pid;
		return true;
	}
	if (n->exec_told)
		return false;
	n->exec_told = true;
	e->kind = EVENT_EXEC;
	e->pid = e->tid = n->pid;
	return true;
}
