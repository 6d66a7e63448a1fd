/* Each thread serves one job at a time. A job that is given up keeps its thread; meanwhile
 * all files of its device count as not answering, so each dead file system costs one thread
 * and one wait, and STUCK_MAX of them are the most. */
#include "target/loader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/vec.h"

#define WAIT_NS (300 * NS_PER_MSEC)
#define STUCK_MAX 8u
#define LATE_MAX 64u

struct job {
	struct job *next; /* in the list of those that no thread has yet */
	struct object object;
	struct loader_request request; /* arg is the job's own copy */
	void *input;		       /* as arg was before */
	int ret;
	bool done, given_up;
	pid_t tid; /* atomic: of the thread that serves it; 0: none yet */
};

struct loader {
	pthread_mutex_t lock;
	pthread_cond_t asked, answered;
	size_t users;	     /* its owner and its threads */
	size_t idle, queued; /* threads without a job; jobs without a thread */
	bool closed;
	struct job *waiting;
	VEC(struct job *) stuck; /* given up, not done */
	VEC(struct job *) late;	 /* given up, done */
};

static void *copy_of(const void *p, size_t n)
{
	void *copy = xmalloc(n ? n : 1);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

static struct job *job_new(const struct object *o, const struct loader_request *r)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->object = *o;
	j->object.path = xstrdup(o->path);
	j->object.name = xstrdup(o->name ? o->name : o->path);
	j->object.loader = NULL;
	j->request = *r;
	j->request.arg = copy_of(r->arg, r->size);
	j->input = copy_of(r->arg, r->size);
	return j;
}

/* drop: its result is nobody's. */
static void job_free(struct job *j, bool drop)
{
	if (drop && j->ret == 0 && j->request.drop)
		j->request.drop(j->request.arg);
	free((void *)(uintptr_t)j->object.path);
	free((void *)(uintptr_t)j->object.name);
	free(j->request.arg);
	free(j->input);
	free(j);
}

static void run(struct job *j)
{
	int fd = object_open(&j->object, NULL);

	j->ret = fd < 0 ? fd : 0;
	if (fd < 0)
		return;
	j->request.use(fd, &j->object, j->request.arg);
	close(fd);
}

/* ---- threads ---- */

/* Gives up one use of the loader, whose lock is held. */
static void leave(struct loader *l)
{
	bool last = --l->users == 0;
	size_t i;

	pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	for (i = 0; i < l->late.n; i++)
		job_free(l->late.v[i], true);
	VEC_DONE(&l->late);
	VEC_DONE(&l->stuck);
	pthread_cond_destroy(&l->asked);
	pthread_cond_destroy(&l->answered);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void remove_at(struct job **v, size_t *n, size_t i)
{
	memmove(v + i, v + i + 1, (--*n - i) * sizeof(*v));
}

/* It was given up: its result waits for the next request. */
static void came_late(struct loader *l, struct job *j)
{
	size_t i;

	for (i = 0; i < l->stuck.n; i++)
		if (l->stuck.v[i] == j) {
			remove_at(l->stuck.v, &l->stuck.n, i);
			break;
		}
	if (l->late.n == LATE_MAX) {
		job_free(l->late.v[0], true);
		remove_at(l->late.v, &l->late.n, 0);
	}
	*VEC_PUSH(&l->late) = j;
}

static void *loader_main(void *arg)
{
	struct loader *l = arg;

	pthread_setname_np(pthread_self(), "ptop-loader");
	pthread_mutex_lock(&l->lock);
	while (!l->closed) {
		struct job *j = l->waiting;

		if (!j && l->idle)
			break; /* another one waits already */
		if (!j) {
			l->idle++;
			pthread_cond_wait(&l->asked, &l->lock);
			l->idle--;
			continue;
		}
		l->waiting = j->next;
		l->queued--;
		__atomic_store_n(&j->tid, gettid(), __ATOMIC_RELAXED);
		pthread_mutex_unlock(&l->lock);
		run(j);
		pthread_mutex_lock(&l->lock);
		j->done = true;
		if (j->given_up)
			came_late(l, j);
		else
			pthread_cond_broadcast(&l->answered);
	}
	leave(l);
	return NULL;
}

static int start_thread(struct loader *l)
{
	pthread_t thread;
	int ret = thread_start(&thread, loader_main, l, NULL);

	if (!ret) {
		pthread_detach(thread);
		l->users++;
	}
	return ret;
}

/* ---- asking ---- */

struct loader *loader_new(void)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->asked, NULL);
	pthread_cond_init(&l->answered, NULL);
	l->users = 1;
	return l;
}

void loader_free(struct loader *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	pthread_cond_broadcast(&l->asked);
	leave(l);
}

static bool is_stuck(const struct loader *l, const struct object *o)
{
	size_t i;

	for (i = 0; i < l->stuck.n; i++)
		if (l->stuck.v[i]->object.device == o->device)
			return true;
	return l->stuck.n >= STUCK_MAX;
}

static struct job *take_late(struct loader *l, const struct object *o,
			     const struct loader_request *r)
{
	size_t i;

	for (i = 0; i < l->late.n; i++) {
		struct job *j = l->late.v[i];

		if (j->object.id != o->id || j->request.use != r->use ||
		    j->request.size != r->size ||
		    (r->size && memcmp(j->input, r->arg, r->size) != 0))
			continue;
		remove_at(l->late.v, &l->late.n, i);
		return j;
	}
	return NULL;
}

/* The job when it is done, else NULL. */
static struct job *ask(struct loader *l, const struct object *o,
		       const struct loader_request *r)
{
	struct job *j = job_new(o, r), **end = &l->waiting;

	while (*end)
		end = &(*end)->next;
	if (l->queued >= l->idle && start_thread(l)) {
		job_free(j, false);
		return NULL;
	}
	*end = j;
	l->queued++;
	pthread_cond_signal(&l->asked);
	if (thread_wait(&l->answered, &l->lock, &j->done, &j->tid, WAIT_NS))
		return j;
	j->given_up = true;
	*VEC_PUSH(&l->stuck) = j;
	return NULL;
}

int object_use(const struct object *o, const struct loader_request *r)
{
	struct loader *l = o->loader;
	struct job *j;
	int fd, ret = -ETIMEDOUT;

	if (o->kind != OBJECT_FILE)
		return -EINVAL;
	if (!l) { /* made by hand: no thread to leave behind */
		fd = object_open(o, NULL);
		if (fd < 0)
			return fd;
		r->use(fd, o, r->arg);
		close(fd);
		return 0;
	}
	pthread_mutex_lock(&l->lock);
	j = take_late(l, o, r);
	if (!j && !is_stuck(l, o))
		j = ask(l, o, r);
	pthread_mutex_unlock(&l->lock);
	if (!j)
		return ret;
	ret = j->ret;
	if (r->size)
		memcpy(r->arg, j->request.arg, r->size);
	job_free(j, false);
	return ret;
}

bool object_answers(const struct object *o)
{
	struct loader *l = o->loader;
	bool stuck = false;

	if (l && o->kind == OBJECT_FILE) {
		pthread_mutex_lock(&l->lock);
		stuck = is_stuck(l, o);
		pthread_mutex_unlock(&l->lock);
	}
	return !stuck;
}
