/* Weights of a set of runs, by trie node and by place (a function in a frame).
 *
 * A change is cheap: weights are put on leaves first, then spread towards the root over
 * the nodes they touch only, however many nodes there are. A negative weight takes away.
 *
 * struct follow keeps the sums of a window that moves with time, from one picture to the
 * next: what came into it is added, what left it is taken away. */
#ifndef PTOP_MODEL_SUMS_H
#define PTOP_MODEL_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/history.h"
#include "model/snapshot.h"

struct picture_query;
struct picture_thread;

/* Nanoseconds; `total` leaves out the stacks on which the function stands further out
 * too. */
struct place_sum {
	uint64_t self, total;
};

struct sums {
	VEC(uint64_t) node_self;      /* by node */
	VEC(struct place_sum) places; /* by index in history.places */
	uint64_t weight_ns, samples;
	/* Not spread yet: by node, and a bit a node. */
	VEC(uint64_t) delta;
	VEC(uint64_t) touched;
};

/* A zeroed struct is a valid empty one. */
void sums_done(struct sums *s);
/* Back to nothing, with room for all nodes of h. */
void sums_clear(struct sums *s, const struct history *h);
/* Adds a weight to a stack; modulo 2^64, so -ns takes ns away. */
void sums_add(struct sums *s, const struct history *h, uint32_t stack, uint64_t ns,
	      uint64_t samples);
/* After a number of sums_add(), before anything is read. */
void sums_spread(struct sums *s, const struct history *h);

/* What a run adds to the sums. */
struct run_share {
	uint64_t weight_ns;
	uint32_t stack, thread;
	uint16_t count;
	bool off_cpu;
};

struct follow {
	struct sums sums;
	bool valid;
	uint32_t numbering, names_version; /* of the history */
	enum mode mode;
	uint64_t window_ns, end_ns, from_ns, settled_ns;
	/* Runs too young to be final: counted as they were, to be taken away again. */
	VEC(struct run_share) young;
	VEC(struct run_share) in, out; /* of this step */
	struct follow_thread {
		uint64_t on_ns, off_ns;
		bool hidden;
	} * threads;
	size_t n_threads;
};

void follow_done(struct follow *f);
/* Brings the sums to q's window and fills threads[].{on_ns, off_ns, hidden}. Marks runs
 * of h as counted; only one struct follow may be used on a history. */
void follow_update(struct follow *f, struct history *h, const struct picture_query *q,
		   struct picture_thread *threads, size_t n_threads);

#endif
