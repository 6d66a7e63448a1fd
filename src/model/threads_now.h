/* Each thread by itself: the newest stack it was seen on, and how busy it was in the tenths
 * of a window. */
#ifndef PTOP_MODEL_THREADS_NOW_H
#define PTOP_MODEL_THREADS_NOW_H

#include "model/functions.h"
#include "model/history.h"
#include "model/snapshot.h"

struct thread_now {
	uint32_t stack;	  /* node of its newest run; 0: none in the window */
	uint64_t time_ns; /* of that run */
	uint64_t on_ns[TREND_CELLS];
	uint64_t cell_ns;
};

/* One pass over the runs that ended in the `span_ns` up to end_ns. out[] is by the
 * history's thread numbers and zeroed. */
void threads_now(const struct history *h, uint64_t end_ns, uint64_t span_ns,
		 struct thread_now *out, size_t n);
/* Fills top, wait and trend of a row. */
void threads_now_put(const struct history *h, const struct functions *fs,
		     const struct thread_now *now, struct arena *arena,
		     struct snapshot_thread *out);

#endif
