/* One loop over a queue. Debug information stays open for the objects asked about last.
 */
#include "app/namer.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/rights.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/vec.h"
#include "symbol/demangle.h"
#include "symbol/lines.h"

#define LINES_OPEN_MAX 8u
#define LINES_IDLE_MS 1500

struct open_lines {
	const struct object *object;
	struct lines *lines;
	uint64_t used;
};

struct namer {
	pthread_t thread;
	struct queue requests, answers;
	int request_fd, answer_fd;
	/* The thread's own. */
	VEC(struct open_lines) open;
	uint64_t clock;
	bool stopped;
	bool served; /* something big, since the last trim */
};

static void wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) == -1)
		return; /* EAGAIN: it is awake already */
}

static void drop_lines(struct namer *n)
{
	size_t i;

	for (i = 0; i < n->open.n; i++)
		lines_free(n->open.v[i].lines);
	VEC_DONE(&n->open);
}

static struct lines *lines_of(struct namer *n, const struct object *o)
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

static void find_lines(struct namer *n, struct name_job *job)
{
	struct lines *lines = lines_of(n, job->object);
	struct source_line found[INLINE_MAX];
	size_t i, k, count;

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

static void serve(struct namer *n, struct name_job *job)
{
	struct rights rights;
	struct error err = { 0 };
	int ret = 0;

	n->served |= job->kind != NAME_LINES;

	switch (job->kind) {
	case NAME_OBJECT:
		ret = symbols_load(job->object, &job->symbols, &err);
		break;
	case NAME_JIT:
		ret = symbols_load_perfmap(job->object->pid, &job->symbols, &err);
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
	if (ret) {
		job->failed = true;
		snprintf(job->message, sizeof(job->message), "%s", err.cause);
	}
}

/* After NAME_STOP only files are still written. */
static void serve_all(struct namer *n)
{
	struct parcel *list = queue_take(&n->requests), *p;

	for (p = list; p; p = p->next)
		n->stopped |= ((struct name_job *)p)->kind == NAME_STOP;
	while (list) {
		struct name_job *job = (struct name_job *)list;

		list = list->next;
		if (!n->stopped || job->kind == NAME_SAVE)
			serve(n, job);
		queue_put(&n->answers, &job->parcel);
		wake(n->answer_fd);
	}
}

/* What libdw and the loaders freed goes back to the system. */
static void trim(struct namer *n)
{
	if (n->served)
		malloc_trim(0);
	n->served = false;
}

/* Debug information is large (and decompressed in memory): it is not kept while idle. */
static void rest(struct namer *n)
{
	if (n->open.n == 0)
		return;
	drop_lines(n);
	malloc_trim(0);
}

static void *namer_main(void *arg)
{
	struct namer *n = arg;

	pthread_setname_np(pthread_self(), "ptop-namer");
	rights_of_user();
	while (!n->stopped) {
		struct pollfd p = { .fd = n->request_fd, .events = POLLIN };
		uint64_t count;
		int got = poll(&p, 1, n->open.n ? LINES_IDLE_MS : -1);

		if (got == -1 && errno != EINTR)
			break;
		if (got == 0)
			rest(n);
		if (read(n->request_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
			break;
		serve_all(n);
		trim(n);
	}
	drop_lines(n);
	return NULL;
}

struct namer *namer_start(int answer_fd, struct error *err)
{
	struct namer *n = xcalloc(1, sizeof(*n));

	n->answer_fd = answer_fd;
	n->request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->request_fd == -1) {
		error_errno(err, "cannot name functions");
		free(n);
		return NULL;
	}
	if (thread_start(&n->thread, namer_main, n, err)) {
		close(n->request_fd);
		free(n);
		return NULL;
	}
	return n;
}

static void free_list(struct parcel *list)
{
	while (list) {
		struct parcel *next = list->next;

		name_job_free((struct name_job *)list);
		list = next;
	}
}

void namer_stop(struct namer *n)
{
	if (!n)
		return;
	namer_ask(n, name_job_new(NAME_STOP, NULL));
	pthread_join(n->thread, NULL);
	free_list(queue_take(&n->requests));
	free_list(queue_take(&n->answers));
	close(n->request_fd);
	free(n);
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
