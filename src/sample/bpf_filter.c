/* The program, by the names of linux/bpf.h:
 *
 *	call get_current_pid_tgid ; r0 >>= 32 ; [fp-4] = (u32)r0
 *	r1 = map ; r2 = fp - 4 ; call map_lookup_elem
 *	if r0 == 0 goto out ; r0 = 1 ; out: exit
 *
 * A perf_event program that returns 0 drops the sample before registers and stack are
 * copied. The helper reports pids of the initial namespace: in another one the numbers do
 * not match, so perf.c does not use it there. */
#include "sample/bpf_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSES_MAX 4096

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static int load_program(int map_fd)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = 0, .imm = 32 },
		{ .code = BPF_STX | BPF_MEM | BPF_W,
		  .dst_reg = 10,
		  .src_reg = 0,
		  .off = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map_fd },
		{ .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 1, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_PERF_EVENT;
	attr.insns = pointer(code);
	attr.insn_cnt = sizeof(code) / sizeof(code[0]);
	attr.license = pointer("GPL");
	return bpf(BPF_PROG_LOAD, &attr);
}

int bpf_filter_open(struct bpf_filter *f)
{
	union bpf_attr attr;
	int ret;

	*f = (struct bpf_filter){ -1, -1 };
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = PROCESSES_MAX;
	f->map_fd = bpf(BPF_MAP_CREATE, &attr);
	if (f->map_fd == -1)
		return -errno;
	f->program_fd = load_program(f->map_fd);
	if (f->program_fd != -1)
		return 0;
	ret = -errno;
	bpf_filter_close(f);
	return ret;
}

void bpf_filter_close(struct bpf_filter *f)
{
	if (f->map_fd != -1)
		close(f->map_fd);
	if (f->program_fd != -1)
		close(f->program_fd);
	*f = (struct bpf_filter){ -1, -1 };
}

int bpf_filter_add(struct bpf_filter *f, pid_t pid)
{
	uint32_t key = (uint32_t)pid, one = 1;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)f->map_fd;
	attr.key = pointer(&key);
	attr.value = pointer(&one);
	return bpf(BPF_MAP_UPDATE_ELEM, &attr) == -1 ? -errno : 0;
}

int bpf_filter_remove(struct bpf_filter *f, pid_t pid)
{
	uint32_t key = (uint32_t)pid;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)f->map_fd;
	attr.key = pointer(&key);
	return bpf(BPF_MAP_DELETE_ELEM, &attr) == -1 ? -errno : 0;
}

int bpf_filter_attach(const struct bpf_filter *f, int event_fd)
{
	return ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, f->program_fd) == -1 ? -errno : 0;
}
