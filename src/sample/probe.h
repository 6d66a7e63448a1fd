/* Calls of one native function, timed in the kernel: a breakpoint at its entry and one at each
 * instruction at which its calls end (elf/exits.h). The pages are copied for the process and a
 * breakpoint byte is put into them; the stack, its return addresses and the registers stay as
 * they are, so whatever the program does with its stacks (coroutines, exceptions, longjmp) it may go
 * on doing. When ptop ends, however it does, the kernel takes all of it back. */
#ifndef PTOP_SAMPLE_PROBE_H
#define PTOP_SAMPLE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample/bpf_times.h"

#define PROBE_PLACES_MAX 128u

/* An instruction, in a file as ptop opens it. The path is borrowed. */
struct probe_place {
	const char *path;
	uint64_t offset;
};

/* How the start of a call is found again at its end. */
enum probe_stack {
	PROBE_FIXED, /* by the stack pointer: stacks stay where they are */
	/* By what stands above it, too: coroutines' stacks are copied to and from one place. */
	PROBE_EXCHANGED,
	PROBE_GO, /* by the goroutine (in r14: Go 1.17) and the depth of its stack, which moves */
};

struct probe {
	pid_t pid; /* 0: as programs in the kernel see it is not known */
	int times_fd, starts_fd, entry_program_fd, exit_program_fd;
	int event_fd[PROBE_PLACES_MAX];
	size_t n_events;
	struct bpf_times *times;
};

struct probe_options {
	uint64_t slow_ns;
	enum probe_stack stack;
	bool restarts; /* a jump leads back to the entry, which begins no call */
	uint64_t
	    bias_ns; /* of what is measured of a call, this is the probes' own time */
};

/* place[0] is the entry, the others (one at least) are exits. -errno with the cause;
 * -EOPNOTSUPP: the kernel takes none on an instruction like one of these. */
int probe_open(pid_t pid, const struct probe_place *place, size_t n,
	       const struct probe_options *options, struct probe **out,
	       struct error *err);
void probe_close(struct probe *p);
/* What probes take from a program, by calls of an empty function of ptop's own. */
struct probe_cost {
	uint64_t call_ns; /* longer, each call */
	uint64_t bias_ns; /* of that, within what is measured of the call */
};

/* For a function whose entry the kernel emulates, or single-steps; zeroes when it cannot be told. */
struct probe_cost probe_cost(enum probe_stack stack, bool emulated);

#endif
