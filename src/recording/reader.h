/* A recording in memory: the history and functions it was made of, so that every picture
 * of a live target can be had of it, too.
 *
 * The file is a stranger's: nothing it defines is run, every row is checked, and what
 * does not fit is left out and counted. */
#ifndef PTOP_RECORDING_READER_H
#define PTOP_RECORDING_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "model/functions.h"
#include "model/history.h"
#include "model/loss.h"
#include "model/picture.h"
#include "model/snapshot.h"

#define RECORDING_STRING_MAX 4096u
#define RECORDING_FUNCTIONS (1u << 20)
#define RECORDING_FRAMES (4u << 20)
#define RECORDING_STACKS (8u << 20)
#define RECORDING_THREADS (1u << 20)
#define RECORDING_RUNS (24u << 20)
#define RECORDING_SERIES (1u << 22)
#define RECORDING_MESSAGES 1000u
#define RECORDING_SLOW (1u << 20)

/* Time 0 of a recording in its history, so that windows before it are no special case. */
#define RECORDING_ZERO_NS (86400ull * 1000000000)

struct batch;

struct recording_thread {
	int32_t pid, tid;
	const char *name, *process;
};

struct recording_point {
	uint64_t time_ns; /* since the start */
	const char *name;
	double value;
};

struct recording_pause {
	uint64_t time_ns;
	const char *runtime, *source, *generation, *cause;
	uint64_t interval_ns, count, timed, total_ns;
	uint64_t ns[LATENCY_FIGURES]; /* p50, p95, p99, largest; 0: not known */
	uint64_t collected;
};

struct recording_latency {
	uint64_t time_ns, count;
	const char *name, *exactness;
	enum latency_source source;
	uint64_t ns[LATENCY_FIGURES]; /* 0: not known */
};

struct recording_slow {
	uint64_t time_ns, took_ns; /* its end */
	const char *name, *thread, *stack;
	int32_t tid;
	double stack_pct;
};

struct recording {
	/* The session; strings are never NULL. */
	const char *id, *creator, *host, *command, *cmdline, *runtime, *backend, *limits,
	    *status, *error;
	const char *cgroup; /* whose memory is limited, or "" */
	int32_t pid;
	enum mode mode;
	double rate_hz, own_cpu_pct, taken_pct;
	int cpus, exit_status;
	uint64_t target_start_ns, start_wall_ns, duration_ns;
	uint64_t samples, samples_due, broken, own_rss_bytes;
	uint64_t slow_ns; /* what is slow; 0: not told */
	bool running;	  /* a recorder holds the file now */
	bool
	    interrupted; /* its recorder did not close it: the last second may be missing */
	bool log_missing; /* and what was not in the file itself yet */
	uint64_t lost[LOSS_COUNT];
	bool counted;	  /* of text: weights are samples over rate_hz, or plain counts */
	uint64_t refused; /* rows that make no sense */

	struct history history; /* times from RECORDING_ZERO_NS */
	struct functions functions;
	VEC(struct recording_thread) threads;	 /* by the history's numbers */
	VEC(struct recording_point) points;	 /* by time */
	VEC(struct recording_pause) pauses;	 /* by time */
	VEC(struct recording_latency) latencies; /* by time */
	VEC(struct recording_slow) slow;	 /* by time */
	VEC(struct snapshot_message) messages;
	struct live live; /* of the pictures made of it */
	struct arena arena;
};

/* An empty one. */
struct recording *recording_new(void);
/* 0 or -errno with cause and cure; the caller frees *out. */
int recording_open(const char *path, struct recording **out, struct error *err);
/* Only its session row: no runs, no functions. */
int recording_peek(const char *path, struct recording **out, struct error *err);
/* What may be missing because its recorder did not close it; nothing when it did. */
void recording_missing(const struct recording *r, struct text *out);
/* A whole recording in memory. */
int recording_read(struct bytes in, struct recording **out, struct error *err);
void recording_free(struct recording *r);
/* True when the file begins as an SQLite database does. */
bool recording_is(struct bytes head);

/* A picture of a window; q->end_ns counts from the start of the recording (0: its end),
 * the mode is the recording's. `wants`: enum want bits. `live`: one of a
 * series that a screen shows, with trends. Never NULL. */
struct snapshot *recording_picture(struct recording *r, const struct picture_query *q,
				   unsigned wants, bool live);
/* 1 + the history's number of a thread, for picture_query.only; 0: no such thread. */
uint32_t recording_thread(const struct recording *r, int32_t tid);
/* What such a picture shows, as a recording of its own. */
struct batch *recording_batch(struct recording *r, const struct picture_query *q,
			      const struct snapshot *facts);
/* What pauses and latencies were in (from_ns, end_ns]: the members gc and latency. A
 * percentile of many seconds is that of the mixture of theirs; a pause stands in the
 * timeline at the end of the second in which it ended. */
void recording_durations(const struct recording *r, uint64_t from_ns, uint64_t end_ns,
			 struct snapshot *s);
/* The member memory as it was at end_ns: gauges, their course over the window, the verdict.
 * Who grew is looked for in living processes only. */
void recording_memory(const struct recording *r, uint64_t end_ns, struct snapshot *s);
/* The session's facts, losses and messages, for pictures made otherwise. */
void recording_facts(const struct recording *r, struct snapshot *s);

#endif
