/* What one second adds to a recording: rows for its tables, copied out of the sampler's
 * state so that another thread can write them as slowly as the disk likes.
 *
 * Ids of functions, frames, stacks and threads are the file's own and start at 1. A
 * gatherer remembers which of them are written already. */
#ifndef PTOP_RECORDING_BATCH_H
#define PTOP_RECORDING_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/mailbox.h"
#include "base/vec.h"
#include "model/functions.h"
#include "model/history.h"
#include "model/snapshot.h"

struct writer;

struct batch_function {
	uint32_t id;
	const char *name, *module, *runtime;
	enum code_kind kind;
	bool library;
};

struct batch_frame {
	uint32_t id;
	struct frame frame;
};

struct batch_place {
	uint32_t frame, depth, function;
	const char *file; /* "" unknown */
	int32_t line;
};

struct batch_stack {
	uint32_t id, parent, frame; /* parent 0: the outermost */
};

struct batch_thread {
	uint32_t id;
	int32_t pid, tid;
	const char *name, *process;
};

struct batch_run {
	uint64_t time_ns, weight_ns; /* since the recording's start */
	uint32_t thread, stack, samples;
	bool off_cpu;
};

struct batch_series {
	const char *name; /* static */
	double value;
};

/* Of the time since the batch before: what a generation collected, how long a thing
 * took. */
struct batch_pause {
	const char *runtime, *source, *generation, *cause;
	uint64_t interval_ns, count, timed, total_ns, p50_ns, p95_ns, p99_ns, max_ns,
	    collected;
};

struct batch_latency {
	const char *name, *source, *exactness;
	uint64_t count;
	struct latency_figure figure[LATENCY_FIGURES];
};

/* A call or request that took longer than the limit. */
struct batch_slow {
	int64_t start_us; /* since the recording's start; < 0: it began before */
	uint64_t took_ns;
	const char *name, *thread, *stack; /* stack: "a;b;c", root first, or "" */
	int32_t tid;
	double stack_pct;
};

struct batch {
	struct parcel parcel;
	uint64_t start_wall_ns; /* time 0, since 1970 */
	uint64_t time_ns;	/* since then: how far the recording reaches */
	uint64_t clock_ns;	/* that moment by the clock of its picture */
	VEC(struct batch_function) functions;
	VEC(struct batch_frame) frames;
	VEC(struct batch_place) places;
	VEC(struct batch_stack) stacks;
	VEC(struct batch_thread) threads;
	VEC(struct batch_run) runs;
	VEC(struct batch_series) series;
	VEC(struct batch_pause) pauses;
	VEC(struct batch_latency) latencies;
	VEC(struct batch_slow) slow;
	uint64_t slow_ns;   /* what is slow; 0: not told */
	const char *cgroup; /* whose memory is limited; NULL: none is */
	/* Of the session and the gauges; without functions and tree. May be NULL. */
	struct snapshot *facts;
	/* Not NULL: the file of this one ends with it, and this writes what comes after. */
	struct writer *next;
	struct arena arena;
};

struct batch *batch_new(void);
void batch_free(struct batch *b);
/* About how much memory it holds. */
size_t batch_bytes(const struct batch *b);
/* Copies what the session row, the series and the losses need of a picture. */
void batch_facts(struct batch *b, const struct snapshot *s);
/* More than `most` runs: those of one thread and stack become one row each, so that
 * no rate and no number of threads makes a file grow without measure. */
void batch_squeeze(struct batch *b, size_t most);

/* A thread as its owner knows it, by the history's numbers. */
struct gather_thread {
	int32_t pid, tid;
	const char *name, *process;
};

struct gatherer;

/* Takes runs from `start_ns` (CLOCK_MONOTONIC) on. */
struct gatherer *gatherer_new(uint64_t start_ns);
void gatherer_free(struct gatherer *g);
/* What it reads, all borrowed. */
struct gather_from {
	struct history *history;
	const struct functions *functions;
	const struct gather_thread *threads;
	size_t n_threads;
	uint64_t end_ns;  /* how far: runs that end later are left out */
	uint64_t wall_ns; /* the same moment since 1970 */
	int32_t only_tid; /* runs of that thread alone; 0: of all */
};

/* Everything since the last call; names that came late are said again. */
struct batch *gather(struct gatherer *g, const struct gather_from *from);
/* Samples that could not be taken: gone from the history before their turn. */
uint64_t gatherer_missed(const struct gatherer *g);

#endif
