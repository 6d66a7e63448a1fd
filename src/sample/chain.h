/* Copies interpreters' chains of frames with the samples of perf events: exact, and nobody wakes
 * for it. See model/chain.h. Needs CAP_BPF and CAP_PERFMON, Linux 5.17. */
#ifndef PTOP_SAMPLE_CHAIN_H
#define PTOP_SAMPLE_CHAIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/chain.h"

struct chain;

/* alone: a sample with a chain is the chain, without registers and stack. NULL and why. */
struct chain *chain_open(bool alone, struct error *why);
void chain_close(struct chain *c);
/* From now on with samples of this thread; -errno. */
int chain_put(struct chain *c, pid_t pid, pid_t tid, const struct chain_plan *plan);
void chain_forget(struct chain *c, pid_t pid, pid_t tid);
/* Its threads that have no plan; NULL: none of them. */
int chain_births(struct chain *c, pid_t pid, const struct chain_births *births);
/* With `only`, samples of other processes than those admitted are dropped. */
void chain_filter(struct chain *c, bool only);
int chain_admit(struct chain *c, pid_t pid);
void chain_dismiss(struct chain *c, pid_t pid);
/* An event of a CPU for the ring of another one: records of a sample type of CHAIN_SAMPLE_TYPE,
 * whose period is 0. Its fd, or -errno. */
#define CHAIN_SAMPLE_TYPE                                                           \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD | \
	 PERF_SAMPLE_RAW)
int chain_output(int cpu, int ring_fd);
/* Chains of a CPU's samples go there from now on; 0 or -errno. */
int chain_direct(struct chain *c, int cpu, int output_fd);
/* The bits of model/chain.h. */
uint64_t *chain_known(struct chain *c);
bool chain_is_alone(const struct chain *c);
/* The samples of this event bring chains; -errno. */
int chain_attach(const struct chain *c, int event_fd);

#endif
