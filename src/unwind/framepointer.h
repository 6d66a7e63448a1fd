/* Inside unwind/: frame pointers where nothing better is known. */
#ifndef PTOP_UNWIND_FRAMEPOINTER_H
#define PTOP_UNWIND_FRAMEPOINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "target/maps.h"
#include "unwind/stack.h"

/* One frame's link at rbp: { caller's rbp, return address }. */
enum link_kind {
	LINK_CALLER, /* there is one */
	LINK_ROOT,   /* rbp is 0: the outermost frame */
	LINK_BROKEN, /* not a frame pointer, or not readable */
};

/* rbp must stand at or above sp, aligned: so every step goes up and a walk ends. */
enum link_kind framepointer_step(struct stack *s, uint64_t sp, uint64_t rbp,
				 uint64_t *caller_rbp, uint64_t *return_address);
/* Guesses rbp of a frame that has one, from sp upwards. `function` is the start of the
 * frame's function, or 0. False when nothing looks like a link. */
bool framepointer_infer(struct stack *s, const struct maps *maps, uint64_t sp,
			uint64_t function, uint64_t *rbp);
/* Whether a call instruction ends just before bytes[7]; *target gets a direct call's goal
 * as a distance from there, else 0. */
bool framepointer_is_call(const unsigned char bytes[7], int64_t *target);

#endif
