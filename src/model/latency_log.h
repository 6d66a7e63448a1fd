/* What took how long, event by event, for the last minutes: the ring behind the latency rows.
 *
 * Every source writes into the same one; an event is of a thing, a small number its owner gives
 * out. Rows are made of it for any window. Bounded: the oldest events go first. */
#ifndef PTOP_MODEL_LATENCY_LOG_H
#define PTOP_MODEL_LATENCY_LOG_H

#include <stdint.h>

#include "base/vec.h"
#include "model/latency.h"

#define LATENCY_EVENTS_MOST (1u << 17) /* 4 MiB */
#define LATENCY_THINGS_MOST 8192u

struct latency_event {
	uint64_t end_ns, took_ns;
	uint32_t thing, thread;
	uint32_t count; /* events of that duration */
	uint32_t looks; /* that met it; 0: exact */
};

struct latency_log {
	VEC(struct latency_event) ring;
	size_t first;	     /* once it is full */
	uint64_t dropped_ns; /* the end of the newest event that went */
};

/* Sums of one thing in a window. */
struct latency_sum {
	uint64_t count, took_ns, twice, newest_ns;
	uint32_t
	    head; /* its newest event's place in the ring + 1: see latency_log_row() */
};

struct latency_scratch;

void latency_log_done(struct latency_log *l);
void latency_log_clear(struct latency_log *l);
void latency_log_add(struct latency_log *l, const struct latency_event *e);
/* The i-th event held, oldest first. */
const struct latency_event *latency_log_event(const struct latency_log *l, size_t i);

/* Sums by thing of the events that ended in (from, to]; links each thing's events, so that
 * latency_log_row() goes over those alone. sums has n_things elements. */
struct latency_scratch *latency_scratch_new(void);
void latency_scratch_free(struct latency_scratch *s);
void latency_log_sum(const struct latency_log *l, struct latency_scratch *scratch,
		     uint64_t from_ns, uint64_t to_ns, struct latency_sum *sums,
		     size_t n_things);
/* Fills count, per_second, figures (all of them known when there are events), trend and bars
 * of a row from the events last summed up. */
void latency_log_row(const struct latency_log *l, struct latency_scratch *scratch,
		     const struct latency_sum *sum, uint64_t from_ns, uint64_t to_ns,
		     struct snapshot_latency_row *row);

#endif
