#include "base/timed.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/thread.h"

#define LEFT_MOST 16

struct timed {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	bool done, left;
	pid_t tid; /* atomic; 0: it has not begun */
	void (*call)(void *arg);
	void (*drop)(void *arg);
	void *arg; /* the copy */
};

/* Threads of this process that hang: of all callers, so that many that meet the same dead server
 * have one bound. Atomic. */
static int hanging;

static void timed_free(struct timed *t)
{
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->returned);
	free(t->arg);
	free(t);
}

static void *timed_main(void *arg)
{
	struct timed *t = arg;
	bool left;

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELAXED);
	pthread_setname_np(pthread_self(), "ptop-timed");
	t->call(t->arg);
	pthread_mutex_lock(&t->lock);
	t->done = true;
	left = t->left;
	pthread_cond_signal(&t->returned);
	pthread_mutex_unlock(&t->lock);
	if (!left)
		return NULL; /* it is the caller's */
	if (t->drop)
		t->drop(t->arg);
	timed_free(t);
	__atomic_sub_fetch(&hanging, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Is it done? If not it is its thread's from now on. */
static bool wait_for(struct timed *t, uint64_t wait_ns)
{
	bool done;

	pthread_mutex_lock(&t->lock);
	done = thread_wait(&t->returned, &t->lock, &t->done, &t->tid, wait_ns);
	t->left = !done;
	if (t->left)
		__atomic_add_fetch(&hanging, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&t->lock);
	return done;
}

int timed_call(uint64_t wait_ns, void (*call)(void *arg), void *arg, size_t size,
	       void (*drop)(void *arg))
{
	struct timed *t;
	pthread_t thread;

	if (__atomic_load_n(&hanging, __ATOMIC_RELAXED) >= LEFT_MOST) {
		if (drop)
			drop(arg);
		return -ETIMEDOUT;
	}
	t = xcalloc(1, sizeof(*t));
	t->call = call;
	t->drop = drop;
	t->arg = memcpy(xmalloc(size), arg, size);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->returned, NULL);
	if (thread_start(&thread, timed_main, t, NULL)) {
		timed_free(t);
		call(arg);
		return 0;
	}
	if (!wait_for(t, wait_ns)) {
		pthread_detach(thread);
		return -ETIMEDOUT;
	}
	pthread_join(thread, NULL);
	memcpy(arg, t->arg, size);
	timed_free(t);
	return 0;
}

struct reading {
	char *path; /* the call's own */
	size_t cap;
	struct bytes bytes;
	bool cut;
	int ret;
};

static void read_file(void *arg)
{
	struct reading *r = arg;

	r->ret = file_read(r->path, r->cap, &r->bytes, &r->cut);
}

static void drop_reading(void *arg)
{
	struct reading *r = arg;

	free((void *)(uintptr_t)r->bytes.p);
	free(r->path);
}

int timed_file_read(uint64_t wait_ns, const char *path, size_t cap, struct bytes *out,
		    bool *cut)
{
	struct reading r = { .path = xstrdup(path), .cap = cap };
	int ret = timed_call(wait_ns, read_file, &r, sizeof(r), drop_reading);

	*out = ret ? (struct bytes){ NULL, 0 } : r.bytes;
	if (cut)
		*cut = !ret && r.cut;
	if (ret)
		return ret;
	free(r.path);
	return r.ret;
}
