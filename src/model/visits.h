/* Calls as a sampler meets them: from looks at a thread's stack to how long each call lasted.
 *
 * A look gives a number to each frame that stays the same as long as it is the same call (0:
 * not known). A call that was met by k looks, T apart, lasted about k times T: how often k
 * comes out is an unbiased picture of the durations, smoothed by T, for calls of T and more;
 * shorter ones are met with probability d/T only. So a figure of these durations is worth
 * showing when nearly all calls were met at least twice (visits_figures()). */
#ifndef PTOP_MODEL_VISITS_H
#define PTOP_MODEL_VISITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/callstack.h"
#include "model/latency.h"

/* A call that has ended. */
struct visit {
	uint64_t end_ns, took_ns;
	uint32_t function, thread;
	uint32_t looks; /* k */
};

typedef void visits_ended(void *arg, const struct visit *v);

struct visits_frame {
	uint64_t call;
	uint32_t function;
	uint64_t before_ns; /* the look before it was met; 0: nobody knows */
	uint64_t first_ns;
};

struct visits_thread {
	uint64_t looked_ns;
	VEC(struct visits_frame) open; /* root first */
};

struct visits {
	VEC(struct visits_thread) threads; /* by number */
	uint64_t period_ns;
	uint64_t ended,
	    unsure; /* calls that ended; of them: edges not known well enough */
};

void visits_init(struct visits *v, uint64_t period_ns);
void visits_done(struct visits *v);
/* A look at a thread that ran since the one before. calls[] is of frames[], innermost first;
 * only frames of `kind` count. NULL calls: nothing is known of this stack. */
void visits_look(struct visits *v, uint32_t thread, uint64_t now_ns,
		 const struct callstack *cs, const uint64_t *calls, visits_ended *ended,
		 void *arg);
/* The thread is gone, or was not looked at for a reason of ours: its calls end unseen. */
void visits_forget(struct visits *v, uint32_t thread);

/* What may be said of n calls of which `twice` were met at least twice: sets known of p50,
 * p95, p99 and most, and ns where they are only below. */
void visits_figures(uint64_t n, uint64_t twice, uint64_t period_ns,
		    struct latency_figure figure[LATENCY_FIGURES]);

#endif
