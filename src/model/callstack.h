/* One stack, innermost frame first, reused from sample to sample. */
#ifndef PTOP_MODEL_CALLSTACK_H
#define PTOP_MODEL_CALLSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/frame.h"

#define DEPTH_MAX 4096

struct callstack {
	uint32_t depth;
	bool complete;	/* reached the outermost frame */
	bool truncated; /* cut by DEPTH_MAX or by the copied stack's end */
	bool inferred;	/* a step was guessed (no frame pointer known) */
	bool stitched;	/* the older part was read later than the younger */
	struct frame frame[DEPTH_MAX];
};

#endif
