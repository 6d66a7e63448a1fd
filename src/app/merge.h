/* Python's frames and the machine's in one stack.
 *
 * Every frame of the interpreter's loop in the machine's stack stands for a run of the
 * language's frames (struct runtime_entry). The machine's stack is of the instant of the
 * sample, the language's of some microseconds later; they are put together only when they
 * fit, else the loops are shown as [python?], and counted. */
#ifndef PTOP_APP_MERGE_H
#define PTOP_APP_MERGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"
#include "runtime/runtime.h"

struct engine;
struct event;
struct kept;
struct space;
struct unwind_input;

/* What the language says of one thread: read first, while the machine's stack is still that of
 * the sample. */
struct merge {
	bool ok;
	bool same_instant; /* as the machine's stack */
	struct callstack stack;
	VEC(struct runtime_entry) entries;
	uint64_t sp[DEPTH_MAX]; /* for unwind_input.sp */
	struct callstack both;	/* scratch */
	struct kept *kept;	/* made when first needed */
};

struct merge *merge_new(void);
void merge_free(struct merge *m);
/* Reads the thread's chain: the one that came with its sample, or as it is now. */
void merge_read(struct merge *m, struct engine *e, struct space *s,
		const struct event *ev);
/* How deep the machine's stack must be followed for it (unwind_input.most): where the
 * language's is cut, frames of neither are shown further out. */
uint32_t merge_most(const struct merge *m);
void merge_read_now(struct merge *m, struct engine *e, struct space *s, pid_t tid);
/* Replaces e->stack, the machine's, by the merged one. `in` is what it was unwound from:
 * NULL, or its registers' being unknown, when the thread was blocked all the while. */
void merge_stacks(struct merge *m, struct engine *e, struct space *s,
		  const struct unwind_input *in);

#endif
