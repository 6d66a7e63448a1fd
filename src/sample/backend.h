/* Event sources: what delivers samples and the news of a target's life.
 *
 * A backend serves one target (and its children when asked). Events are borrowed:
 * everything an event points to is valid until the next call of next(). */
#ifndef PTOP_SAMPLE_BACKEND_H
#define PTOP_SAMPLE_BACKEND_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

enum event_kind {
	EVENT_SAMPLE,
	EVENT_MAP,   /* new executable mapping */
	EVENT_EXEC,  /* the process became another program: forget its maps */
	EVENT_COMM,  /* a thread was renamed */
	EVENT_FORK,  /* new thread, or new process when tid == pid */
	EVENT_EXIT,  /* a thread ended */
	EVENT_LOST,  /* the kernel dropped `count` samples */
	EVENT_BAD,   /* a record that does not parse */
	EVENT_CHAIN, /* inside sample/: the chain of the sample that follows */
};

/* DWARF order: rax rdx rcx rbx rsi rdi rbp rsp r8 ... r15 rip */
#define SAMPLE_REGISTERS 17

struct event {
	enum event_kind kind;
	pid_t pid, tid;
	uint64_t time_ns;

	/* EVENT_SAMPLE */
	uint64_t weight_ns; /* CPU time it stands for */
	const unsigned char
	    *kernel; /* n_kernel addresses (u64, unaligned), innermost first */
	size_t n_kernel;
	bool has_user; /* registers and stack are there */
	uint64_t reg[SAMPLE_REGISTERS];
	struct bytes stack; /* at rsp; may be shorter than asked */
	uint64_t stack_asked;
	uint64_t address; /* with fault_period: what was touched */
	/* What config.chain copied at the same instant: see model/chain.h. */
	struct bytes chain;

	/* EVENT_MAP */
	uint64_t start, length, offset, device, inode;
	const char *text; /* path (EVENT_MAP) or name (EVENT_COMM), NUL-terminated, raw */

	uint64_t count; /* EVENT_LOST */
	pid_t parent;	/* EVENT_FORK: process it came from */
};

struct sample_config {
	pid_t pid;
	double rate_hz;
	uint32_t stack_bytes; /* of user stack copied with each sample, < 65,536 */
	/* As much instead where rings have room for it (perf only); 0: no more than that. */
	uint32_t stack_wanted;
	bool children;	/* follow processes it forks */
	bool from_exec; /* the target is about to exec: start there */
	/* Not 0 (perf only): instead of CPU time every so many-th page fault, and no news of
	 * the target's life. */
	uint32_t fault_period;
	bool little; /* few samples: a small ring will do */
	bool wake;   /* each sample makes an fd readable at once */
	bool kernel; /* ask for kernel frames and samples taken in the kernel */
	/* Copies chains with the samples of its threads (perf only); borrowed, NULL: none. */
	struct chain *chain;
};

struct chain;	/* sample/chain.h */
struct sampler; /* a backend's own; begins with a pointer to its backend */

struct backend {
	const char *name; /* the --backend word */
	const char *help;
	const char *limits; /* what it cannot see, one line for the screen, or "" */
	const char *limits_children; /* more of that with children, or NULL */
	/* Opens it; -errno with the cause and the cure. */
	int (*open)(const struct sample_config *c, struct sampler **out,
		    struct error *err);
	/* Fills at most max; returns how many. An fd that becomes readable means next().
	 */
	size_t (*fds)(struct sampler *s, struct pollfd *fds, size_t max);
	/* 0: next() need not be called before an fd is readable; else call it by then. */
	uint64_t (*due_ns)(struct sampler *s);
	/* The next event, or false when there is none now. */
	bool (*next)(struct sampler *s, struct event *e);
	/* A child process is to be sampled as well; born: an EVENT_FORK of this sampler
	 * told of it. */
	void (*follow)(struct sampler *s, pid_t pid, bool born);
	/* A process followed has ended. */
	void (*forget)(struct sampler *s, pid_t pid);
	/* Threads that could not be attached. */
	uint64_t (*missed)(struct sampler *s);
	void (*close)(struct sampler *s);
};

extern const struct backend perf_thread_backend, perf_cpu_backend, perf_user_backend,
    ptrace_backend, timer_backend;

/* In order of preference; NULL-terminated. */
extern const struct backend *const backends[];
const struct backend *backend_named(const char *name);

#endif
