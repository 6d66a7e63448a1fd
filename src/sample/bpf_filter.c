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
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sample/bpf.h"

#define PROCESSES_MAX 4096
#define KEY (-4)
#define OUT 0

static int load_program(int map_fd)
{
	struct bpf_code c;

	bpf_start(&c);
	bpf_call(&c, BPF_FUNC_get_current_pid_tgid);
	bpf_alu_k(&c, BPF_RSH, 0, 32);
	bpf_store(&c, BPF_W, 10, KEY, 0);
	bpf_look_up(&c, map_fd, KEY);
	bpf_if_k(&c, BPF_JEQ, 0, 0, OUT);
	bpf_set(&c, 0, 1);
	bpf_label(&c, OUT);
	bpf_exit(&c);
	return bpf_load_program(&c, BPF_PROG_TYPE_PERF_EVENT, NULL);
}

int bpf_filter_open(struct bpf_filter *f)
{
	int ret;

	*f = (struct bpf_filter){ -1, -1 };
	ret = bpf_map_open(BPF_MAP_TYPE_HASH, 4, 4, PROCESSES_MAX, 0);
	if (ret < 0)
		return ret;
	f->map_fd = ret;
	ret = load_program(f->map_fd);
	if (ret < 0) {
		bpf_filter_close(f);
		return ret;
	}
	f->program_fd = ret;
	return 0;
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
	uint32_t one = 1;

	return bpf_map_put(f->map_fd, &pid, &one);
}

int bpf_filter_remove(struct bpf_filter *f, pid_t pid)
{
	return bpf_map_remove(f->map_fd, &pid);
}

int bpf_filter_attach(const struct bpf_filter *f, int event_fd)
{
	return ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, f->program_fd) == -1 ? -errno : 0;
}
