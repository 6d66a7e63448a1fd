/* Of a thread of an interpreted language: has it a CPU, and what did it run? See ticks.c for what
 * that is used for. Sampler thread only. */
#ifndef PTOP_APP_RUNNING_H
#define PTOP_APP_RUNNING_H

#include <stdbool.h>
#include <stdint.h>

#include "app/engine_state.h"

#define YOUNG_NS (1 * NS_PER_SEC) /* then a thread has an account of its own */

enum told { NOT_TOLD, HAS_CPU, WANTS_CPU, WAITS };

/* By the records of switches that were read up to now. */
enum told running_told(const struct space *s, const struct thread *t);
/* It has had its CPU ever since it was asked about last, or since a bit before. */
bool running_on(const struct space *s, const struct thread *t);
/* Reads its counters; false when the thread is gone. */
bool running_ask(struct engine *e, struct space *s, struct thread *t, uint64_t now_ns);
/* ns that one that runs, or waits for a CPU, must have run since the kernel's last word. */
uint64_t running_not_told(const struct engine *e, const struct space *s,
			  const struct thread *t, uint64_t now_ns);
/* Time that is the thread's own, of the process's. */
void running_earn(struct space *s, struct thread *t, uint64_t ran_ns);
/* The young ones' account, ns; below 0 when others were given time before the kernel told of it. */
int64_t running_shared_ns(const struct space *s);

#endif
