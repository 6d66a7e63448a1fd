/* Calls of one native function, timed in the kernel: a probe at its entry and one at its
 * return. The function's first page is copied for the process and a breakpoint byte is put into
 * it, and return addresses are exchanged while it runs: so this is for plain C only, and only
 * when asked for. When ptop ends, however it does, the kernel takes all of it back. */
#ifndef PTOP_SAMPLE_PROBE_H
#define PTOP_SAMPLE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample/bpf_times.h"

struct probe {
	int times_fd, starts_fd, entry_program_fd, back_program_fd, entry_fd, back_fd;
	struct bpf_times *times;
};

/* How the first instruction runs under a probe: the kernel emulates some and single-steps the
 * others, which costs ten times as much. */
enum probe_start { PROBE_EMULATED, PROBE_STEPPED };

/* Where to put the probe in a function that begins with these bytes: behind endbr64. */
uint64_t probe_place(const unsigned char *code, size_t n, enum probe_start *how);
/* path as ptop opens it; offset in the file. -errno with the cause. */
int probe_open(pid_t pid, const char *path, uint64_t offset, uint64_t slow_ns,
	       struct probe **out, struct error *err);
void probe_close(struct probe *p);
/* What a probed call costs here, ns, by a function of ptop's own; 0 when it cannot be told. */
uint64_t probe_cost(enum probe_start how);

#endif
