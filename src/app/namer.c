/* One loop over a queue, by a thread that can be left behind and replaced. Debug information stays open for the objects asked about last.
 */
#include "app/namer.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rights.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/vec.h"
#include "symbol/demangle.h"
#include "symbol/lines.h"
#include "target/loader.h"

#define LINES_OPEN_MAX 8u
#define LINES_IDLE_MS 1500
#define LEFT_MAX 4u		      /* threads left behind */
#define WAITS_NS (1500 * NS_PER_MSEC) /* without any CPU time: its file does not answer */
#ifdef __SANITIZE_THREAD__	      /* makes everything ten times slower */
#define END_WAIT_NS (10 * NS_PER_SEC)
#else
#define END_WAIT_NS (400 * NS_PER_MSEC) /* at the end, for a job that goes on */
#endif
#define SAVE_WAIT_NS (10 * NS_PER_SEC) /* and for a file of the user's */

struct open_lines {
	const struct object *object;
	struct lines *lines;
	uint64_t used;
};

/* A thread that serves; one that waits for a dead file system is left behind. */
struct worker {
	struct namer *n;
	pthread_t thread;
	pid_t tid;  /* atomic; 0: it has not begun */
	bool ended; /* atomic: it has done all it does */
	VEC(struct open_lines) open;
	uint64_t clock;
	bool served; /* something big, since the last trim */
};

struct namer {
	struct queue requests, answers;
	int request_fd, answer_fd;
	pthread_mutex_t lock; /* of what follows; never held while a job runs */
	struct worker *worker;
	struct parcel *todo;	   /* taken from the queue, not begun */
	struct name_job *current;  /* being served by `worker` */
	uint64_t cpu_ns, moved_ns; /* its thread's CPU time, and when that last grew */
	size_t left;		   /* threads left behind */
	atomic_bool stopped;
};

static void wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) == -1)
		return; /* EAGAIN: it is awake already */
}

static void drop_lines(struct worker *n)
{
	size_t i;

	for (i = 0; i < n->open.n; i++)
		lines_free(n->open.v[i].lines);
	VEC_DONE(&n->open);
}

static struct lines *lines_of(struct worker *n, const struct object *o)
{
	struct open_lines *slot = NULL;
	size_t i;

	for (i = 0; i < n->open.n; i++) {
		if (n->open.v[i].object == o) {
			n->open.v[i].used = ++n->clock;
			return n->open.v[i].lines;
		}
		if (!slot || n->open.v[i].used < slot->used)
			slot = &n->open.v[i];
	}
	if (n->open.n < LINES_OPEN_MAX)
		slot = VEC_PUSH(&n->open);
	else
		lines_free(slot->lines);
	*slot = (struct open_lines){ o, lines_open(o), ++n->clock };
	return slot->lines;
}

static char *clean_name(struct arena *a, const char *raw, bool mangled)
{
	char name[1024];

	if (mangled)
		demangle(raw, name, sizeof(name));
	else
		clean_copy(name, sizeof(name), raw, strlen(raw));
	return arena_str(a, name);
}

static void find_lines(struct worker *n, struct name_job *job)
{
	struct lines *lines = lines_of(n, job->object);
	struct source_line found[INLINE_MAX];
	size_t i, k, count;

	if (lines_note(lines))
		snprintf(job->message, sizeof(job->message), "%s", lines_note(lines));
	for (i = 0; i < job->n_addresses; i++) {
		struct named_address *a = &job->addresses[i];
		struct named_place *places;

		count = lines_find(lines, a->address, found);
		if (count == 0)
			continue;
		places = arena_alloc(&job->arena, count * sizeof(*places));
		for (k = 0; k < count; k++) {
			places[k] = (struct named_place){ .line = found[k].line };
			if (found[k].function && k + 1 < count)
				places[k].function =
				    clean_name(&job->arena, found[k].function, true);
			if (found[k].file)
				places[k].file =
				    clean_name(&job->arena, found[k].file, false);
		}
		a->places = places;
		a->n_places = (uint32_t)count;
	}
}

/* Its first and its last bytes: both are read before anything is said about it. */
static void touch(int fd, const struct object *o, void *unused)
{
	char bytes[4096];
	struct stat st;

	(void)o, (void)unused;
	if (pread(fd, bytes, sizeof(bytes), 0) > 0 && fstat(fd, &st) == 0 &&
	    st.st_size > (off_t)sizeof(bytes) &&
	    pread(fd, bytes, sizeof(bytes), st.st_size - (off_t)sizeof(bytes)) == -1)
		return;
}

static void load_map(struct worker *w, struct name_job *job, struct error *err)
{
	uint64_t stamp;

	job->same = !perfmap_stamp(job->object->pid, &stamp) || stamp == job->stamp;
	if (job->same)
		return;
	job->stamp = stamp;
	w->served = true;
	job->failed = symbols_load_perfmap(job->object->pid, &job->symbols, err) != 0;
}

static void say_unanswered(struct name_job *job)
{
	job->failed = job->unanswered = true;
	snprintf(job->message, sizeof(job->message),
		 "the file " UNANSWERED " (its file system hangs)");
}

static void serve(struct worker *n, struct name_job *job)
{
	struct loader_request asks = { touch, NULL, 0, NULL };
	struct rights rights;
	struct error err = { 0 };
	int ret = 0;

	n->served |= job->kind != NAME_LINES && job->kind != NAME_JIT;
	if ((job->kind == NAME_OBJECT || job->kind == NAME_LINES) &&
	    object_use(job->object, &asks) == -ETIMEDOUT) {
		say_unanswered(job);
		return;
	}
	switch (job->kind) {
	case NAME_OBJECT:
		ret = symbols_load(job->object, &job->symbols, &err);
		break;
	case NAME_JIT:
		load_map(n, job, &err);
		break;
	case NAME_KERNEL:
		ret = symbols_load_kernel(&job->symbols, &err);
		break;
	case NAME_LINES:
		find_lines(n, job);
		break;
	case NAME_SAVE:
		job->failed = !save_run(&job->save, job->message, sizeof(job->message));
		return;
	case NAME_WORK:
		rights = rights_of_ptop();
		job->work->run(job->work);
		rights_back(rights);
		break;
	case NAME_STOP:
		return;
	}
	if (!ret && job->symbols && symbols_note(job->symbols))
		snprintf(job->message, sizeof(job->message), "%s",
			 symbols_note(job->symbols));
	if (ret) {
		job->failed = true;
		snprintf(job->message, sizeof(job->message), "%s", err.cause);
	}
}

/* After NAME_STOP only files are still written. */
static struct name_job *next_job(struct worker *w)
{
	struct namer *n = w->n;
	struct parcel **end, *p;
	struct name_job *job = NULL;

	pthread_mutex_lock(&n->lock);
	if (n->worker == w) {
		for (end = &n->todo; *end; end = &(*end)->next)
			;
		*end = queue_take(&n->requests);
		for (p = *end; p; p = p->next)
			if (((struct name_job *)p)->kind == NAME_STOP)
				n->stopped = true;
		job = (struct name_job *)n->todo;
		if (job)
			n->todo = job->parcel.next;
		n->current = job;
		n->moved_ns = clock_now_ns();
	}
	pthread_mutex_unlock(&n->lock);
	return job;
}

/* False when this thread was left behind; the job is then nobody's any more. */
static bool answer(struct worker *w, struct name_job *job)
{
	struct namer *n = w->n;
	bool ours;

	pthread_mutex_lock(&n->lock);
	ours = n->worker == w;
	if (ours)
		n->current = NULL;
	pthread_mutex_unlock(&n->lock);
	if (!ours) {
		name_job_free(job);
		return false;
	}
	queue_put(&n->answers, &job->parcel);
	wake(n->answer_fd);
	return true;
}

static bool serve_all(struct worker *w)
{
	struct name_job *job;

	while ((job = next_job(w)) != NULL) {
		if (!w->n->stopped || job->kind == NAME_SAVE)
			serve(w, job);
		if (!answer(w, job))
			return false;
	}
	return true;
}

/* What libdw and the loaders freed goes back to the system. */
static void trim(struct worker *n)
{
	if (n->served)
		malloc_trim(0);
	n->served = false;
}

/* Debug information is large (and decompressed in memory): it is not kept while idle. */
static void rest(struct worker *n)
{
	if (n->open.n == 0)
		return;
	drop_lines(n);
	malloc_trim(0);
}

static void *namer_main(void *arg)
{
	struct worker *w = arg;
	struct namer *n = w->n;
	bool ours = true;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELAXED);
	pthread_setname_np(pthread_self(), "ptop-namer");
	rights_of_user();
	while (ours && !n->stopped) {
		struct pollfd p = { .fd = n->request_fd, .events = POLLIN };
		uint64_t count;
		int got = poll(&p, 1, w->open.n ? LINES_IDLE_MS : -1);

		if (got == -1 && errno != EINTR)
			break;
		if (got == 0)
			rest(w);
		if (read(n->request_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
			break;
		ours = serve_all(w);
		trim(w);
	}
	drop_lines(w);
	if (ours)
		__atomic_store_n(&w->ended, true, __ATOMIC_RELEASE);
	else
		free(w);
	return NULL;
}

/* n's lock is held, or nobody else knows n yet. 0 or -errno. */
static int start_worker(struct namer *n, struct error *err)
{
	struct worker *w = xcalloc(1, sizeof(*w)), *before = n->worker;
	int ret;

	w->n = n;
	n->worker = w;
	ret = thread_start(&w->thread, namer_main, w, err);
	if (ret) {
		n->worker = before;
		free(w);
	}
	return ret;
}

struct namer *namer_start(int answer_fd, struct error *err)
{
	struct namer *n = xcalloc(1, sizeof(*n));

	n->answer_fd = answer_fd;
	n->request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&n->lock, NULL);
	if (n->request_fd == -1) {
		error_errno(err, "cannot name functions");
		free(n);
		return NULL;
	}
	if (start_worker(n, err)) {
		close(n->request_fd);
		free(n);
		return NULL;
	}
	return n;
}

/* Its CPU time tells a job that works from one that waits. */
static bool is_waiting(struct namer *n, uint64_t now_ns)
{
	struct timespec ts;
	clockid_t clock;
	uint64_t cpu_ns;

	if (!n->current || n->current->kind == NAME_SAVE ||
	    n->current->kind == NAME_WORK || n->left == LEFT_MAX ||
	    pthread_getcpuclockid(n->worker->thread, &clock) || clock_gettime(clock, &ts))
		return false;
	cpu_ns = (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
	if (cpu_ns != n->cpu_ns) {
		n->cpu_ns = cpu_ns;
		n->moved_ns = now_ns;
	}
	return now_ns > n->moved_ns + WAITS_NS &&
	       !thread_lacks_cpu(__atomic_load_n(&n->worker->tid, __ATOMIC_RELAXED));
}

void namer_watch(struct namer *n, uint64_t now_ns)
{
	struct worker *old = n->worker; /* only this thread changes it */
	struct name_job *job;

	pthread_mutex_lock(&n->lock);
	if (is_waiting(n, now_ns) && start_worker(n, NULL) == 0) {
		job = name_job_new(n->current->kind, n->current->object);
		say_unanswered(job);
		n->current = NULL;
		n->left++;
		pthread_detach(old->thread);
		queue_put(&n->answers, &job->parcel);
		wake(n->answer_fd);
		wake(n->request_fd);
	}
	pthread_mutex_unlock(&n->lock);
}

static void free_list(struct parcel *list)
{
	while (list) {
		struct parcel *next = list->next;

		name_job_free((struct name_job *)list);
		list = next;
	}
}

/* Is a file being written, or asked for? */
static bool is_saving(struct namer *n)
{
	struct parcel *p;
	bool saving;

	pthread_mutex_lock(&n->lock);
	saving = n->current && n->current->kind == NAME_SAVE;
	for (p = n->todo; p; p = p->next)
		saving |= ((struct name_job *)p)->kind == NAME_SAVE;
	pthread_mutex_unlock(&n->lock);
	return saving;
}

bool namer_stop(struct namer *n)
{
	bool gone;

	if (!n)
		return true;
	namer_ask(n, name_job_new(NAME_STOP, NULL));
	gone = thread_ended_in(n->worker->thread, &n->worker->ended, END_WAIT_NS);
	if (!gone && is_saving(n)) {
		gone =
		    thread_ended_in(n->worker->thread, &n->worker->ended, SAVE_WAIT_NS);
		if (!gone)
			fputs("ptop: gave up a file that could not be written in time\n",
			      stderr);
	}
	if (!gone)
		pthread_detach(n->worker->thread); /* it may end later, unjoined */
	if (!gone || n->left)
		return false; /* threads still use it */
	free_list(n->todo);
	free_list(queue_take(&n->requests));
	free_list(queue_take(&n->answers));
	pthread_mutex_destroy(&n->lock);
	close(n->request_fd);
	free(n->worker);
	free(n);
	return true;
}

struct name_job *name_job_new(enum name_kind kind, const struct object *object)
{
	struct name_job *job = xcalloc(1, sizeof(*job));

	job->kind = kind;
	job->object = object;
	return job;
}

void namer_ask(struct namer *n, struct name_job *job)
{
	queue_put(&n->requests, &job->parcel);
	wake(n->request_fd);
}

struct name_job *namer_answers(struct namer *n)
{
	return (struct name_job *)queue_take(&n->answers);
}

void name_job_free(struct name_job *job)
{
	symbols_free(job->symbols);
	if (job->work)
		job->work->drop(job->work);
	save_done(&job->save);
	arena_done(&job->arena);
	free(job);
}
