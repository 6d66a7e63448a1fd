/* Threads that leave all signals but their own faults to the first one, with a stack of our size: the usual one follows `ulimit -s`, which may be too
 * small for what libraries put there, or so large that `ulimit -v` forbids it. */
#ifndef PTOP_BASE_THREAD_H
#define PTOP_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Returns -errno with err set (err may be NULL) when there can be no more threads. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg, struct error *err);
/* Joins the thread if it sets *ended, as the last it does, within this time; else it is left as it
 * is: false. Not pthread_clockjoin_np(3) and its kin: thread sanitizers do not follow them. */
bool thread_ended_in(pthread_t thread, const bool *ended, uint64_t wait_ns);

#endif
