/* The bucket of a value is found as in model/histogram.c: by its highest bit, for which there is
 * no instruction, so it is searched in six steps, and the five bits below it. */
#include "sample/bpf_times.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 4096u

static size_t map_bytes(void)
{
	return (sizeof(struct bpf_times) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

int bpf_times_open(struct bpf_times **times, struct error *why)
{
	int fd =
	    bpf_map_open(BPF_MAP_TYPE_ARRAY, 4, (uint32_t)map_bytes(), 1, BPF_F_MMAPABLE);
	void *p;

	if (fd < 0) {
		if (fd == -EPERM)
			return error_set(why, EXIT_NO_PERMISSION,
					 "needs CAP_BPF and CAP_PERFMON (or root)");
		errno = -fd;
		return error_errno(why, "memory for sums in the kernel");
	}
	p = mmap(NULL, map_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		int ret = error_errno(why, "memory for sums in the kernel");

		close(fd);
		return ret;
	}
	*times = p;
	return fd;
}

void bpf_times_close(int fd, struct bpf_times *times)
{
	if (times)
		munmap(times, map_bytes());
	if (fd >= 0)
		close(fd);
}

static void find_bucket(struct bpf_code *c, int labels)
{
	int k, label = labels;

	bpf_mov(c, 1, 6);
	bpf_set(c, 2, 0);
	for (k = 32; k; k /= 2, label++) {
		bpf_mov(c, 3, 1);
		bpf_alu_k(c, BPF_RSH, 3, k);
		bpf_if_k(c, BPF_JEQ, 3, 0, label);
		bpf_mov(c, 1, 3);
		bpf_alu_k(c, BPF_ADD, 2, k);
		bpf_label(c, label);
	}
	bpf_mov(c, 9, 6);
	bpf_if_k(c, BPF_JLT, 6, 32, label);
	bpf_alu_k(c, BPF_SUB, 2, 5);
	bpf_alu(c, BPF_RSH, 9, 2);
	bpf_alu_k(c, BPF_LSH, 2, 5);
	bpf_alu(c, BPF_ADD, 9, 2);
	bpf_label(c, label);
	bpf_if_k(c, BPF_JLE, 9, HISTOGRAM_BUCKETS - 1, label + 1);
	bpf_set(c, 9, HISTOGRAM_BUCKETS - 1);
	bpf_label(c, label + 1);
}

static void add_to_bucket(struct bpf_code *c, int map_fd, int by)
{
	bpf_mov(c, 1, 9);
	bpf_alu_k(c, BPF_LSH, 1, 3);
	bpf_map_value(c, 2, map_fd);
	bpf_alu(c, BPF_ADD, 2, 1);
	bpf_set(c, 3, by);
	bpf_atomic_add(c, 2, offsetof(struct bpf_times, bucket), 3, false);
}

static void keep_slow(struct bpf_code *c, int map_fd, int label)
{
	const int16_t slow = offsetof(struct bpf_times, slow);

	bpf_map_value(c, 2, map_fd);
	bpf_load(c, BPF_DW, 3, 2, offsetof(struct bpf_times, slow_ns));
	bpf_if(c, BPF_JLT, 6, 3, label);
	bpf_set(c, 1, 1);
	bpf_atomic_add(c, 2, offsetof(struct bpf_times, slow_n), 1, true);
	bpf_alu_k(c, BPF_AND, 1, BPF_SLOW_KEPT - 1);
	bpf_alu_k(c, BPF_LSH, 1, 5); /* sizeof(struct bpf_slow) */
	bpf_alu(c, BPF_ADD, 2, 1);
	bpf_store(c, BPF_DW, 2, slow + (int16_t)offsetof(struct bpf_slow, took_ns), 6);
	bpf_store(c, BPF_DW, 2, slow + (int16_t)offsetof(struct bpf_slow, id), 8);
	bpf_store(c, BPF_DW, 2, slow + (int16_t)offsetof(struct bpf_slow, end_ns), 7);
	bpf_label(c, label);
}
_Static_assert(sizeof(struct bpf_slow) == 32, "shifted by 5");

void bpf_times_add(struct bpf_code *c, int map_fd, int labels)
{
	find_bucket(c, labels);
	add_to_bucket(c, map_fd, 1);
	keep_slow(c, map_fd, labels + 10);
}

void bpf_times_remove(struct bpf_code *c, int map_fd, int label)
{
	bpf_if_k(c, BPF_JGT, 9, HISTOGRAM_BUCKETS - 1, label);
	add_to_bucket(c, map_fd, -1);
	bpf_label(c, label);
}
