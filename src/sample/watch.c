/* One ring a thread, which all its points write to: events of one task may share. The rings
 * are small and read often; what does not fit is counted as lost by the kernel.
 *
 * A hit is { header, u64 ip, u32 pid, tid, u64 time, address, abi, u64 si, di, sp, u64 bytes, the stack's
 * top, u64 of it that could be read }. */
#include "sample/watch.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/files_open.h"
#include "base/vec.h"
#include "sample/perf_ring.h"

#define RING_BYTES (16u << 10)
#define HITS_MOST 65536u /* of one read */
#define ENDED_NS (500 * NS_PER_MSEC)
#define ROUNDS 24u

struct watched {
	pid_t tid;
	int fd[WATCH_POINTS_MAX];
	struct perf_ring ring;
};

struct watch {
	struct watch_point point[WATCH_POINTS_MAX];
	char *path[WATCH_POINTS_MAX];
	size_t n_points;
	VEC(struct watched) threads;
	VEC(struct watch_hit) hits; /* not given yet */
	uint64_t lost;
	uint64_t ended_ns; /* when to ask next which threads ended */
};

/* The number the kernel gave this kind of event, or -1. */
static int probe_type(void)
{
	char text[16];

	if (!file_line("/sys/bus/event_source/devices/uprobe/type", text, sizeof(text)))
		return -1;
	return (int)strtol(text, NULL, 10);
}

bool watch_can_probe(void)
{
	return probe_type() > 0;
}

static int open_point(const struct watch_point *p, pid_t tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			       PERF_SAMPLE_ADDR | PERF_SAMPLE_REGS_USER |
			       PERF_SAMPLE_STACK_USER,
		.sample_regs_user = 1ull << PERF_REG_X86_SI | 1ull << PERF_REG_X86_DI |
				    1ull << PERF_REG_X86_SP,
		.sample_stack_user = 8,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.watermark = 1,
		.wakeup_watermark = RING_BYTES,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.bp_type = p->execute ? HW_BREAKPOINT_X
			   : p->read  ? HW_BREAKPOINT_RW
				      : HW_BREAKPOINT_W,
		.bp_addr = p->address,
		.bp_len = p->execute ? sizeof(long) : p->bytes,
	};
	int fd;

	if (p->path) {
		int type = probe_type();

		if (type < 0 || p->semaphore > UINT32_MAX)
			return -EOPNOTSUPP;
		attr.type = (uint32_t)type;
		attr.config = p->semaphore << 32;
		attr.config1 = (uint64_t)(uintptr_t)p->path; /* where bp_addr is... */
		attr.config2 = p->offset;		     /* ...and bp_len */
		attr.bp_type = 0;
	}
	fd = files_open_keep(
	    (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
	return fd == -1 ? -errno : fd;
}

static void close_thread(struct watched *t)
{
	size_t i;

	if (t->ring.map)
		perf_ring_close(&t->ring);
	for (i = 0; i < WATCH_POINTS_MAX; i++)
		if (t->fd[i] != -1)
			close(t->fd[i]);
}

/* All points or none: half of a pair would say nothing. */
static int open_thread(const struct watch *w, pid_t tid, struct watched *t)
{
	size_t i;
	int ret = 0;

	*t = (struct watched){ .tid = tid, .fd = { -1, -1, -1, -1 } };
	for (i = 0; i < w->n_points && ret == 0; i++) {
		t->fd[i] = open_point(&w->point[i], tid);
		if (t->fd[i] < 0) {
			ret = t->fd[i];
			t->fd[i] = -1;
		} else if (i == 0) {
			ret = perf_ring_open(&t->ring, t->fd[0], RING_BYTES);
		} else if (ioctl(t->fd[i], PERF_EVENT_IOC_SET_OUTPUT, t->fd[0]) == -1) {
			ret = -errno;
		}
	}
	if (ret)
		close_thread(t);
	return ret;
}

struct watch *watch_new(const struct watch_point *points, size_t n)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	size_t i;

	w->n_points = n < WATCH_POINTS_MAX ? n : WATCH_POINTS_MAX;
	memcpy(w->point, points, w->n_points * sizeof(*points));
	for (i = 0; i < w->n_points; i++)
		if (points[i].path)
			w->point[i].path = w->path[i] = strdup(points[i].path);
	return w;
}

void watch_free(struct watch *w)
{
	size_t i;

	if (!w)
		return;
	for (i = 0; i < w->threads.n; i++)
		close_thread(&w->threads.v[i]);
	VEC_DONE(&w->threads);
	VEC_DONE(&w->hits);
	for (i = 0; i < WATCH_POINTS_MAX; i++)
		free(w->path[i]);
	free(w);
}

static int refused(int ret, struct error *err)
{
	if (ret == -ENOSPC || ret == -EBUSY) {
		error_set(err, EXIT_UNSUPPORTED,
			  "no debug register is free: a debugger or another profiler of "
			  "this process holds them");
	} else if (ret == -E2BIG) {
		error_set(err, EXIT_UNSUPPORTED, "more than %d threads to be watched",
			  WATCH_THREADS_MAX);
	} else {
		errno = -ret;
		error_errno(err, "opening the event");
	}
	return ret;
}

int watch_thread(struct watch *w, pid_t tid, struct error *err)
{
	struct watched t;
	size_t i;
	int ret;

	for (i = 0; i < w->threads.n; i++)
		if (w->threads.v[i].tid == tid)
			return 0;
	ret = w->threads.n < WATCH_THREADS_MAX ? open_thread(w, tid, &t) : -E2BIG;
	if (ret)
		return refused(ret, err);
	*VEC_PUSH(&w->threads) = t;
	return 0;
}

size_t watch_threads(const struct watch *w)
{
	return w->threads.n;
}

uint64_t watch_lost(const struct watch *w)
{
	return w->lost;
}

/* ---- hits ---- */

bool watch_parse(struct bytes record, struct watch_hit *h, uint64_t *lost)
{
	struct cursor c = cursor_over(record);
	uint32_t type = cursor_u32(&c);

	cursor_skip(&c, 4);
	if (type == PERF_RECORD_LOST) {
		cursor_skip(&c, 8);
		*lost += cursor_u64(&c);
	}
	if (type != PERF_RECORD_SAMPLE)
		return false;
	h->ip = cursor_u64(&c);
	cursor_skip(&c, 4);
	h->tid = (pid_t)cursor_u32(&c);
	h->time_ns = cursor_u64(&c);
	h->address = cursor_u64(&c);
	if (cursor_u64(&c) == PERF_SAMPLE_REGS_ABI_NONE)
		return !c.failed;
	h->si = cursor_u64(&c);
	h->di = cursor_u64(&c);
	h->sp = cursor_u64(&c);
	if (cursor_u64(&c) == 8)
		h->top = cursor_u64(&c);
	return !c.failed;
}

static void drain(struct watch *w, struct watched *t)
{
	struct bytes record;
	bool broken = false;

	while (w->hits.n < HITS_MOST && perf_ring_next(&t->ring, &record, &broken)) {
		struct watch_hit h = { 0 };

		if (watch_parse(record, &h, &w->lost))
			*VEC_PUSH(&w->hits) = h;
	}
	w->lost += broken;
}

static bool has_ended(const struct watched *t)
{
	struct pollfd p = { .fd = t->fd[0] };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

static int by_time(const void *a, const void *b)
{
	const struct watch_hit *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* Rings are read one after the other, so a hit later than the start of the reading may have
 * an earlier neighbour that was not read: it waits for the next time. */
size_t watch_read(struct watch *w, void (*got)(void *arg, const struct watch_hit *hit),
		  void *arg)
{
	uint64_t now = clock_now_ns();
	size_t i, n;

	for (i = 0; i < w->threads.n; i++)
		drain(w, &w->threads.v[i]);
	if (w->hits.n)
		qsort(w->hits.v, w->hits.n, sizeof(*w->hits.v), by_time);
	for (n = 0; n < w->hits.n && w->hits.v[n].time_ns <= now; n++)
		got(arg, &w->hits.v[n]);
	w->hits.n -= n;
	if (w->hits.n)
		memmove(w->hits.v, w->hits.v + n, w->hits.n * sizeof(*w->hits.v));
	if (now < w->ended_ns)
		return n;
	w->ended_ns = now + ENDED_NS;
	for (i = 0; i < w->threads.n; i++)
		if (has_ended(&w->threads.v[i])) {
			close_thread(&w->threads.v[i]);
			w->threads.v[i--] = w->threads.v[--w->threads.n];
		}
	return n;
}

/* ---- what it costs ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct gaps {
	uint64_t gap[2 * ROUNDS], last_ns;
	size_t n;
};

static void note_gap(void *arg, const struct watch_hit *h)
{
	struct gaps *g = arg;

	if (g->last_ns && g->n < 2 * ROUNDS)
		g->gap[g->n++] = h->time_ns - g->last_ns;
	g->last_ns = h->time_ns;
}

bool watch_measure(struct watch_cost *out, struct error *err)
{
	volatile uint32_t word = 0;
	struct watch_point p = { .address = (uint64_t)(uintptr_t)&word, .bytes = 4 };
	struct watch *w = watch_new(&p, 1);
	struct gaps g = { .n = 0 };
	uint64_t took[2 * ROUNDS];
	unsigned i;

	if (watch_thread(w, (pid_t)syscall(SYS_gettid), err)) {
		watch_free(w);
		return false;
	}
	for (i = 0; i < 2 * ROUNDS; i++) {
		took[i] = clock_now_ns();
		word = i;
		took[i] = clock_now_ns() - took[i];
	}
	/* Medians: on a loaded machine some of these lose their CPU. */
	qsort(took, 2 * ROUNDS, sizeof(*took), by_value);
	out->hit_ns = took[ROUNDS];
	watch_read(w, note_gap, &g);
	watch_free(w);
	if (g.n < ROUNDS) {
		error_set(err, EXIT_UNSUPPORTED, "debug registers do not fire here");
		return false;
	}
	qsort(g.gap, g.n, sizeof(*g.gap), by_value);
	out->apart_ns = g.gap[g.n / 2];
	return true;
}
