/* The part that feeds it gathers when a picture is made, once a second in `ptop record`.
 * What waits for the disk is bounded by memory: runs are dropped then, names and stacks
 * never, for later runs refer to them. */
#include "app/recorder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "app/latency.h"
#include "base/clock.h"
#include "base/rights.h"
#include "base/thread.h"

#define WAITING_MOST ((size_t)64 << 20)
#define GATHER_NS (900 * NS_PER_MSEC)
/* Rows a second that keep an hour below 40 MB. */
#define ROWS_A_SECOND 400u

struct recorder {
	struct writer *writer; /* the thread's, between open and close */
	pthread_t thread;
	struct queue batches;
	int wake_fd;
	_Atomic(size_t) waiting; /* bytes */
	_Atomic(uint64_t) bytes, dropped;
	_Atomic(bool) failed, over, kept;
	_Atomic(int) place; /* enum writer_place, of the file that is written */
	_Atomic(struct writer *) next; /* asked for, not begun */
	struct error error;	       /* the thread's, until it is joined */
	bool hurried;		       /* the same: the disk was slow */
};

/* ---- the writing thread ---- */

/* The file ends here. Where that fails the next one ends, too: as failed. */
static void turn_over(struct recorder *r, struct writer *next)
{
	if (atomic_load(&r->failed))
		writer_close(r->writer, r->error.cause, NULL);
	else if (writer_place(r->writer) == WRITER_GONE) /* which has been said */
		writer_close(r->writer, NULL, NULL);
	else if (writer_close(r->writer, NULL, &r->error))
		atomic_store(&r->failed, true);
	r->writer = next;
}

static void write_all(struct recorder *r)
{
	struct parcel *list = queue_take(&r->batches);

	while (list) {
		struct batch *b = (struct batch *)list;

		list = list->next;
		if (!atomic_load(&r->failed) && writer_put(r->writer, b, &r->error))
			atomic_store(&r->failed, true);
		atomic_fetch_sub(&r->waiting, batch_bytes(b));
		if (b->next)
			turn_over(r, b->next);
		atomic_store(&r->bytes, writer_bytes(r->writer));
		atomic_store(&r->place, (int)writer_place(r->writer));
		batch_free(b);
	}
}

static void *recorder_main(void *arg)
{
	struct recorder *r = arg;
	struct pollfd p = { .fd = r->wake_fd, .events = POLLIN };
	uint64_t count;

	pthread_setname_np(pthread_self(), "ptop-writer");
	rights_give_up();
	for (;;) {
		bool over = atomic_load(&r->over);

		if (over)
			writer_hurry(r->writer);
		write_all(r);
		if (over) {
			r->hurried = writer_hurry(r->writer);
			return NULL;
		}
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			return NULL;
		if (read(r->wake_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
			return NULL;
	}
}

static void wake(struct recorder *r)
{
	uint64_t one = 1;

	while (write(r->wake_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

int recorder_open(const char *path, const struct writer_options *o, struct recorder **out,
		  struct error *err)
{
	struct recorder *r = xcalloc(1, sizeof(*r));
	int ret = writer_open(path, o, &r->writer, err);

	if (ret) {
		free(r);
		return ret;
	}
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = r->wake_fd == -1 ? error_errno(err, "cannot start a thread")
			       : thread_start(&r->thread, recorder_main, r, err);
	if (ret) {
		writer_close(r->writer, "no thread to write it", NULL);
		free(r);
		return ret;
	}
	*out = r;
	return 0;
}

void recorder_put(struct recorder *r, struct batch *b)
{
	if (atomic_load(&r->waiting) > WAITING_MOST) {
		atomic_fetch_add(&r->dropped, b->runs.n);
		VEC_CLEAR(&b->runs);
	}
	atomic_fetch_add(&r->waiting, batch_bytes(b));
	queue_put(&r->batches, &b->parcel);
	wake(r);
}

int recorder_rotate(struct recorder *r, const char *path, const struct writer_options *o,
		    struct error *err)
{
	struct writer *w, *none = NULL;
	int ret;

	if (atomic_load(&r->next)) {
		error_set(err, EXIT_FAILED, "the file before has not begun yet");
		return -EBUSY;
	}
	ret = writer_open(path, o, &w, err);
	if (ret)
		return ret;
	atomic_compare_exchange_strong(&r->next, &none, w);
	return 0;
}

bool recorder_failed(const struct recorder *r)
{
	return atomic_load(&r->failed);
}

enum writer_place recorder_place(const struct recorder *r)
{
	return (enum writer_place)atomic_load(&r->place);
}

uint64_t recorder_bytes(const struct recorder *r)
{
	return atomic_load(&r->bytes);
}

uint64_t recorder_dropped(const struct recorder *r)
{
	return atomic_load(&r->dropped);
}

int recorder_close(struct recorder *r, const char *failure, char *where, size_t size,
		   bool *hurried, struct error *err)
{
	struct writer *unused;
	int ret = 0;

	atomic_store(&r->over, true);
	wake(r);
	pthread_join(r->thread, NULL);
	if (hurried)
		*hurried = r->hurried;
	unused = atomic_exchange(&r->next, NULL);
	writer_close(unused, "the recording ended before it began", NULL);
	if (where)
		writer_where(r->writer, where, size);
	if (atomic_load(&r->failed)) {
		if (err)
			*err = r->error;
		writer_close(r->writer, r->error.cause, NULL);
		ret = -EIO;
	} else {
		ret = writer_close(r->writer, failure, err);
	}
	if (atomic_load(&r->kept))
		return ret;
	close(r->wake_fd);
	free(r);
	return ret;
}

void recorder_keep(struct recorder *r)
{
	atomic_store(&r->kept, true);
}

/* ---- the part that feeds it ---- */

struct feeding {
	struct engine *engine;
	struct recorder *recorder;
	struct gatherer *gatherer;
	uint64_t gathered_ns, told_ns; /* and how far latencies are told */
	/* What the files before this one hold: figures that count from the start. */
	struct figures_before {
		uint64_t samples, due, broken, lost[LOSS_COUNT];
	} before;
};

/* only_tid: of that thread alone; 0: of all. */
static struct batch *gather_from_engine(struct engine *e, struct gatherer *g,
					uint64_t end_ns, int32_t only_tid)
{
	struct gather_thread *threads = xcalloc(e->threads.n + 1, sizeof(*threads));
	struct gather_from from = { &e->history, &e->functions,	  threads, e->threads.n,
				    end_ns,	 clock_wall_ns(), only_tid };
	struct batch *b;
	size_t i;

	from.wall_ns -= clock_now_ns() - end_ns;
	for (i = 0; i < e->threads.n; i++)
		threads[i] =
		    (struct gather_thread){ e->threads.v[i].pid, e->threads.v[i].tid,
					    e->threads.v[i].name,
					    engine_process_name(e, e->threads.v[i].pid) };
	b = gather(g, &from);
	free(threads);
	return b;
}

struct batch *recorder_take(struct engine *e, uint64_t end_ns, uint64_t window_ns,
			    const struct snapshot *facts)
{
	uint64_t from = e->first_ns;
	struct gatherer *g;
	struct batch *b;

	if (e->history.dropped_until_ns > from)
		from = e->history.dropped_until_ns;
	if (window_ns && window_ns < end_ns && end_ns - window_ns > from)
		from = end_ns - window_ns;
	g = gatherer_new(from);
	b = gather_from_engine(e, g, end_ns, facts->only_tid);
	batch_facts(b, facts);
	b->facts->samples_ever = facts->samples; /* of the window, not ever */
	gatherer_free(g);
	return b;
}

static void *recorder_part_open(struct engine *e)
{
	struct feeding *f;

	if (!e->config.recorder)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->engine = e;
	f->recorder = e->config.recorder;
	f->gatherer = gatherer_new(e->first_ns);
	f->told_ns = e->first_ns;
	return f;
}

static void recorder_part_close(void *state)
{
	struct feeding *f = state;

	gatherer_free(f->gatherer);
	free(f);
}

static void leave_out(struct snapshot *facts, const struct figures_before *before)
{
	enum loss l;

	facts->samples_ever -= before->samples;
	facts->samples_due -= before->due;
	facts->broken -= before->broken;
	for (l = 0; l < LOSS_COUNT; l++)
		facts->lost[l] -= before->lost[l];
}

/* The batch that is put now is the last of its file. */
static void begin_next(struct feeding *f, struct batch *b, const struct snapshot *s,
		       uint64_t end_ns)
{
	b->next = atomic_exchange(&f->recorder->next, NULL);
	if (!b->next)
		return;
	gatherer_free(f->gatherer);
	f->gatherer = gatherer_new(end_ns);
	f->before = (struct figures_before){ .samples = s->samples_ever,
					     .due = s->samples_due,
					     .broken = s->broken };
	memcpy(f->before.lost, s->lost, sizeof(f->before.lost));
}

/* Last of the parts: the others have filled in their fields. */
static void recorder_part_put(void *state, struct snapshot *s)
{
	struct feeding *f = state;
	struct engine *e = f->engine;
	uint64_t now = clock_now_ns(), end = engine_picture_ns(e), seconds;
	struct snapshot_gc window = s->gc;
	struct snapshot_latency latency = s->latency;
	struct batch *b;

	if (now - f->gathered_ns < GATHER_NS && !e->finished)
		return;
	seconds = f->gathered_ns ? (now - f->gathered_ns) / NS_PER_SEC + 1 : 1;
	f->gathered_ns = now;
	b = gather_from_engine(e, f->gatherer, end, 0);
	s->lost[LOSS_RECORDING] =
	    recorder_dropped(f->recorder) + gatherer_missed(f->gatherer);
	if (e->pauses)
		pauses_take(e->pauses, &s->arena, &s->gc);
	if (e->latency)
		latency_take(e->latency, f->told_ns, s);
	f->told_ns = s->time_ns;
	batch_facts(b, s);
	leave_out(b->facts, &f->before);
	s->gc = window;
	s->latency = latency;
	batch_squeeze(b, ROWS_A_SECOND * (size_t)seconds);
	if (!e->finished)
		begin_next(f, b, s, end);
	recorder_put(f->recorder, b);
}

const struct part recorder_part = {
	.name = "recorder",
	.open = recorder_part_open,
	.close = recorder_part_close,
	.put = recorder_part_put,
};
