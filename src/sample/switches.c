/* See the header. A record is a header and {u32 pid, tid; u64 time} behind it. */
#include "sample/switches.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/files_open.h"
#include "base/vec.h"
#include "sample/perf_ring.h"
#include "target/process.h"

#define RING_BYTES (32u << 10)
#define EVENTS_MOST 2048u
#define CPUS_MOST 1024
#define ROUNDS 4

struct switch_cpu {
	int cpu, owner_fd;
	struct perf_ring ring;
};

struct switches {
	VEC(struct switch_cpu) cpus;
	VEC(int) fds;
	pid_list known;
	uint64_t lost;
};

static int open_dummy(pid_t tid, int cpu, bool records)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = RING_BYTES, /* never: it is read on a clock */
		.context_switch = records,
		.inherit = records,
		.inherit_thread = records,
	};
	int fd =
	    (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd == -1 && errno == EINVAL &&
	    records) { /* before 5.13: children are ignored */
		attr.inherit_thread = 0;
		fd = (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1,
				  PERF_FLAG_FD_CLOEXEC);
	}
	return files_open_keep(fd);
}

static int open_cpu(struct switches *s, int cpu)
{
	struct switch_cpu c = { .cpu = cpu };
	int ret;

	c.owner_fd = open_dummy(0, cpu, false);
	if (c.owner_fd == -1)
		return -errno;
	ret = perf_ring_open(&c.ring, c.owner_fd, RING_BYTES);
	if (ret) {
		close(c.owner_fd);
		return ret;
	}
	*VEC_PUSH(&s->cpus) = c;
	return 0;
}

static int open_cpus(struct switches *s)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	int cpu, ret = 0;

	for (cpu = 0; cpu < n && cpu < CPUS_MOST; cpu++) {
		ret = open_cpu(s, cpu);
		if (ret && ret != -ENODEV) /* else: offline */
			return ret;
	}
	return s->cpus.n ? 0 : ret;
}

static int open_thread(struct switches *s, pid_t tid)
{
	size_t i;

	*VEC_PUSH(&s->known) = tid;
	if (s->fds.n + s->cpus.n > EVENTS_MOST)
		return -EMFILE;
	for (i = 0; i < s->cpus.n; i++) {
		int fd = open_dummy(tid, s->cpus.v[i].cpu, true);

		if (fd == -1)
			return errno == ESRCH ? 0 : -errno;
		*VEC_PUSH(&s->fds) = fd;
		if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, s->cpus.v[i].owner_fd) == -1)
			return -errno;
	}
	return 0;
}

static bool is_known(const struct switches *s, pid_t tid)
{
	size_t i;

	for (i = 0; i < s->known.n; i++)
		if (s->known.v[i] == tid)
			return true;
	return false;
}

/* A thread born meanwhile may have inherited its event and get a second one: each of its
 * switches is told twice then, which does no harm. */
static int open_threads(struct switches *s, pid_t pid)
{
	pid_list tids = { 0 };
	size_t i, opened = 1;
	int round, ret = 0;

	for (round = 0; round < ROUNDS && opened && !ret; round++) {
		opened = 0;
		if (!process_threads(pid, &tids)) {
			ret = errno == ESRCH ? 0 : -errno;
			break;
		}
		/* Before any is open: so many cost a tenth of a second. */
		if (tids.n * s->cpus.n > EVENTS_MOST)
			ret = -EMFILE;
		for (i = 0; i < tids.n && !ret; i++) {
			if (is_known(s, tids.v[i]))
				continue;
			ret = open_thread(s, tids.v[i]);
			opened++;
		}
	}
	VEC_DONE(&tids);
	return ret;
}

int switches_open(pid_t pid, struct switches **out, struct error *err)
{
	struct switches *s = xcalloc(1, sizeof(*s));
	int ret = open_cpus(s);

	if (!ret)
		ret = open_threads(s, pid);
	if (!ret) {
		*out = s;
		return 0;
	}
	switches_close(s);
	if (ret == -EMFILE)
		return error_set(err, EXIT_FAILED, "too many threads for switch records");
	errno = -ret;
	return error_errno(err, "switch records");
}

void switches_close(struct switches *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->fds.n; i++)
		close(s->fds.v[i]);
	for (i = 0; i < s->cpus.n; i++) {
		perf_ring_close(&s->cpus.v[i].ring);
		close(s->cpus.v[i].owner_fd);
	}
	VEC_DONE(&s->fds);
	VEC_DONE(&s->cpus);
	VEC_DONE(&s->known);
	free(s);
}

bool switches_parse(struct bytes record, struct switch_event *e, uint64_t *lost)
{
	struct cursor c = cursor_over(record);
	uint32_t type = cursor_u32(&c);
	uint16_t misc = cursor_u16(&c);

	cursor_skip(&c, 2);
	if (type == PERF_RECORD_LOST) {
		uint64_t n;

		cursor_skip(&c, 8); /* event id */
		n = cursor_u64(&c);
		*lost += c.failed ? 0 : n;
		return false;
	}
	if (type != PERF_RECORD_SWITCH)
		return false;
	*e = (struct switch_event){ .out = misc & PERF_RECORD_MISC_SWITCH_OUT };
	e->preempted = e->out && (misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
	e->pid = (pid_t)cursor_u32(&c);
	e->tid = (pid_t)cursor_u32(&c);
	e->time_ns = cursor_u64(&c);
	return !c.failed && e->pid > 0 && e->tid > 0;
}

static struct switch_cpu *oldest(struct switches *s)
{
	uint64_t least = UINT64_MAX, time;
	struct switch_cpu *c = NULL;
	size_t i;

	for (i = 0; i < s->cpus.n; i++) {
		if (!perf_ring_peek(&s->cpus.v[i].ring, &time) || (c && time >= least))
			continue;
		least = time;
		c = &s->cpus.v[i];
	}
	return c;
}

bool switches_next(struct switches *s, struct switch_event *e)
{
	struct switch_cpu *c;
	struct bytes record;
	size_t i;

	while ((c = oldest(s))) {
		bool broken = false;

		if (perf_ring_next(&c->ring, &record, &broken)) {
			if (switches_parse(record, e, &s->lost))
				return true;
		} else if (broken) {
			s->lost++;
		}
	}
	for (i = 0; i < s->cpus.n; i++)
		perf_ring_release(&s->cpus.v[i].ring);
	return false;
}

uint64_t switches_lost(const struct switches *s)
{
	return s->lost;
}
