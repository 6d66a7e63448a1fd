/* When threads leave a CPU and come back, from PERF_RECORD_SWITCH of a dummy event: exact, no
 * sample, no tracepoint, allowed to everybody who may sample the process at all.
 *
 * One event a thread and CPU, inherited by new threads; all of a CPU write one ring. Each
 * switch costs the target about a microsecond, so whoever reads this counts them and closes
 * it when there are too many. */
#ifndef PTOP_SAMPLE_SWITCHES_H
#define PTOP_SAMPLE_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

struct switches;

struct switch_event {
	pid_t pid, tid;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	bool out;	  /* left the CPU; else it came back */
	bool preempted;	  /* out: it would have gone on */
};

/* Of all threads of a process, now and later. -errno with the cause. */
int switches_open(pid_t pid, struct switches **out, struct error *err);
void switches_close(struct switches *s);
/* The oldest event not read yet, of all CPUs; false when there is none. */
bool switches_next(struct switches *s, struct switch_event *e);
/* Records dropped because a ring was full, ever. */
uint64_t switches_lost(const struct switches *s);

/* Decodes one record; false when it is none of these. For tests. */
bool switches_parse(struct bytes record, struct switch_event *e, uint64_t *lost);

#endif
