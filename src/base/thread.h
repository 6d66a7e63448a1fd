/* Threads that leave all signals but their own faults to the first one, with a stack of our
 * size: the usual one follows `ulimit -s`, which may be too
 * small for what libraries put there, or so large that `ulimit -v` forbids it. */
#ifndef PTOP_BASE_THREAD_H
#define PTOP_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Returns -errno with err set (err may be NULL) when there can be no more threads. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg, struct error *err);
/* Is this thread of ours (tid, 0: it has not begun) ready to run? One that makes no progress on a busy
 * machine, but is, lacks a CPU; else it waits for something. */
bool thread_lacks_cpu(pid_t tid);
#define THREAD_WAIT_MOST_NS 10000000000ull /* for one that lacks a CPU */
/* Waits until *done, which is set under `lock` with a signal of `set`: for wait_ns, and while the thread
 * that does it (*tid, atomic) lacks a CPU, up to THREAD_WAIT_MOST_NS. The lock is held; returns *done. */
bool thread_wait(pthread_cond_t *set, pthread_mutex_t *lock, const bool *done,
		 const pid_t *tid, uint64_t wait_ns);
/* Joins the thread if it sets *ended, as the last it does, within this time; else it is left as it
 * is: false. Not pthread_clockjoin_np(3) and its kin: thread sanitizers do not follow them. */
bool thread_ended_in(pthread_t thread, const bool *ended, uint64_t wait_ns);

#endif
