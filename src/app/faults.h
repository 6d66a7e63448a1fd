/* Who touches new pages: page faults sampled with their stacks, and of the pages they
 * brought those that are still there. It says who pushes the high-water mark, not who holds
 * what it took. Owner: the memory part; on only while asked for. */
#ifndef PTOP_APP_FAULTS_H
#define PTOP_APP_FAULTS_H

#include "app/engine_state.h"

struct fault_watch;

/* Samples every period-th fault of the target, which has rss_bytes now. -errno with the
 * cause. */
int faults_open(struct engine *e, uint32_t period, uint64_t rss_bytes,
		struct fault_watch **out, struct error *err);
void faults_close(struct fault_watch *w);
size_t faults_fds(struct fault_watch *w, struct pollfd *fds, size_t max);
/* Reads what came; now and then asks which pages are still there. */
void faults_turn(struct fault_watch *w, uint64_t now_ns);
uint64_t faults_due_ns(const struct fault_watch *w);
/* The target ended: no more come, what is known stays. */
void faults_ended(struct fault_watch *w);
/* At most `most` growers, and the look. Returns how many. */
size_t faults_put(struct fault_watch *w, struct snapshot *s, struct memory_grower *out,
		  size_t most);

#endif
