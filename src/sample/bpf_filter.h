/* An in-kernel filter for CPU-wide events: let through the processes in a set, drop all
 * else. Eleven instructions loaded by bpf(2); needs CAP_BPF and CAP_PERFMON. */
#ifndef PTOP_SAMPLE_BPF_FILTER_H
#define PTOP_SAMPLE_BPF_FILTER_H

#include <sys/types.h>

struct bpf_filter {
	int map_fd, program_fd; /* -1 when not open */
};

/* -errno. */
int bpf_filter_open(struct bpf_filter *f);
void bpf_filter_close(struct bpf_filter *f);
/* Adds or removes a process (tgid in ptop's pid namespace... the initial one); -errno. */
int bpf_filter_add(struct bpf_filter *f, pid_t pid);
int bpf_filter_remove(struct bpf_filter *f, pid_t pid);
/* Puts the filter before an event; -errno. */
int bpf_filter_attach(const struct bpf_filter *f, int event_fd);

#endif
