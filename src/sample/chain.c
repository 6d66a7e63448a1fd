/* Maps of the program, and where its records go. */
#include "sample/chain.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sample/chain_program.h"
#include "sample/perf_room.h"

#define THREADS_MOST 32768u
#define PROCESSES_MOST 4096u
#define CPUS_MOST 1024u

struct chain {
	struct chain_maps maps;
	int program;
	bool alone;
	uint64_t *known_bits;
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void chain_close(struct chain *c)
{
	if (!c)
		return;
	close_fd(c->program);
	close_fd(c->maps.threads);
	close_fd(c->maps.births);
	close_fd(c->maps.admitted);
	if (c->known_bits)
		munmap(c->known_bits, CHAIN_KNOWN_BITS / 8);
	close_fd(c->maps.known);
	close_fd(c->maps.filter);
	close_fd(c->maps.buffers);
	close_fd(c->maps.outputs);
	free(c);
}

/* Numbers may have gaps. */
static uint32_t cpus_numbered(void)
{
	pid_list cpus = { 0 };
	uint32_t n = 1;
	size_t i;

	perf_online_cpus(&cpus);
	for (i = 0; i < cpus.n; i++)
		if ((uint32_t)cpus.v[i] >= n && cpus.v[i] < (pid_t)CPUS_MOST)
			n = (uint32_t)cpus.v[i] + 1;
	VEC_DONE(&cpus);
	return n;
}

struct chain *chain_open(bool alone, struct error *why)
{
	struct chain *c = xcalloc(1, sizeof(*c));
	uint32_t n = cpus_numbered();

	c->alone = alone;
	c->program = -1;
	c->maps.threads = bpf_map_open(BPF_MAP_TYPE_HASH, 8, sizeof(struct chain_plan),
				       THREADS_MOST, BPF_F_NO_PREALLOC);
	c->maps.births = bpf_map_open(BPF_MAP_TYPE_HASH, 4, sizeof(struct chain_births),
				      PROCESSES_MOST, BPF_F_NO_PREALLOC);
	c->maps.admitted =
	    bpf_map_open(BPF_MAP_TYPE_HASH, 4, 4, PROCESSES_MOST, BPF_F_NO_PREALLOC);
	c->maps.filter = bpf_map_open(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	c->maps.known =
	    bpf_map_open(BPF_MAP_TYPE_ARRAY, 4, CHAIN_KNOWN_BITS / 8, 1, BPF_F_MMAPABLE);
	c->maps.buffers = bpf_map_open(BPF_MAP_TYPE_ARRAY, 4, chain_buffer_bytes(), n, 0);
	c->maps.outputs = bpf_map_open(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, n, 0);
	if (c->maps.known >= 0)
		c->known_bits = mmap(NULL, CHAIN_KNOWN_BITS / 8, PROT_READ | PROT_WRITE,
				     MAP_SHARED, c->maps.known, 0);
	if (c->known_bits == MAP_FAILED)
		c->known_bits = NULL;
	if (c->maps.threads < 0 || c->maps.births < 0 || c->maps.admitted < 0 ||
	    c->maps.filter < 0 || !c->known_bits || c->maps.buffers < 0 ||
	    c->maps.outputs < 0)
		error_set(why, EXIT_NO_PERMISSION,
			  "needs CAP_BPF and CAP_PERFMON (or root)");
	else if (!bpf_sees_our_pids())
		error_set(why, EXIT_FAILED, "not in a pid namespace");
	else
		c->program = chain_program(&c->maps, alone, why);
	if (c->program >= 0)
		return c;
	chain_close(c);
	return NULL;
}

static uint64_t key_of(pid_t pid, pid_t tid)
{
	return (uint64_t)(uint32_t)pid << 32 | (uint32_t)tid;
}

int chain_put(struct chain *c, pid_t pid, pid_t tid, const struct chain_plan *plan)
{
	uint64_t key = key_of(pid, tid);

	return bpf_map_put(c->maps.threads, &key, plan);
}

void chain_forget(struct chain *c, pid_t pid, pid_t tid)
{
	uint64_t key = key_of(pid, tid);

	bpf_map_remove(c->maps.threads, &key);
}

/* Their plan stands with the others, as thread 0's. */
int chain_births(struct chain *c, pid_t pid, const struct chain_births *births)
{
	int ret;

	if (!births) {
		chain_forget(c, pid, 0);
		return bpf_map_remove(c->maps.births, &pid);
	}
	ret = chain_put(c, pid, 0, &births->plan);
	return ret ? ret : bpf_map_put(c->maps.births, &pid, births);
}

void chain_filter(struct chain *c, bool only)
{
	uint64_t value = only;
	uint32_t key = 0;

	bpf_map_put(c->maps.filter, &key, &value);
}

int chain_admit(struct chain *c, pid_t pid)
{
	uint32_t one = 1;

	return bpf_map_put(c->maps.admitted, &pid, &one);
}

void chain_dismiss(struct chain *c, pid_t pid)
{
	bpf_map_remove(c->maps.admitted, &pid);
}

int chain_output(int cpu, int ring_fd)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = CHAIN_SAMPLE_TYPE,
		.sample_period = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			      PERF_FLAG_FD_CLOEXEC),
	    ret;

	if (fd == -1)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring_fd) != -1)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int chain_direct(struct chain *c, int cpu, int output_fd)
{
	uint32_t key = (uint32_t)cpu;

	return bpf_map_put(c->maps.outputs, &key, &output_fd);
}

int chain_attach(const struct chain *c, int event_fd)
{
	return ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, c->program) == -1 ? -errno : 0;
}

bool chain_is_alone(const struct chain *c)
{
	return c->alone;
}

uint64_t *chain_known(struct chain *c)
{
	return c->known_bits;
}
