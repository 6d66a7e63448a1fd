/* Inside sample/: what the files that write the program share: its registers, variables and labels. */
#ifndef PTOP_SAMPLE_CHAIN_EMIT_H
#define PTOP_SAMPLE_CHAIN_EMIT_H

#include <stddef.h>

#include "model/chain.h"
#include "sample/chain_program.h"

/* Registers that calls leave alone. */
enum { BUFFER = 6, BIRTHS = 6, STACK = 7, ROUNDS = 7, FRAME = 8, PLAN = 9 };

/* On the stack, whose end functions called back get as their argument. */
enum { CTX = -8, KEY = -16, BUFFER_SLOT = -24, PLAN_SLOT = -32, FOUND = -40, WORD = -48 };

/* At the start of the buffer, in front of the record: variables, of which the verifier then knows
 * nothing and has nothing to compare. */
enum {
	TAG = 0,    /* a piece's address */
	SOURCE = 8, /* where its bytes are */
	LENGTH = 16,
	BEHIND = 24,
	PLACE = 32, /* of its bytes in the record */
	NEXT = 40,
	BASE = 48,
	LINK = 56,
	OF = 64,    /* number of the state, << 16 */
	LEFT = 72,  /* steps */
	STATE = 80, /* address of the state */
	YOUNG = 88, /* not 0: it was found there */
	TID = 96,
	FOREIGN = 104, /* not 0: the state is not this thread's */
	SENT = 112,    /* ns that the last record took to be written */
	REGIONS = 120, /* start, length, place of each */
	RECORD = REGIONS + 24 * CHAIN_REGIONS,
};

#define RECORD_FIELD(field) (int16_t)(RECORD + offsetof(struct chain_record, field))

enum label {
	DROP,
	ADMITTED,
	KNOWN,
	UNKNOWN,
	NEXT_STATE,
	NO_DESCRIPTOR,
	STATE_FOUND,
	STATE_IS,
	STATE_FUNCTION,
	STATE_DONE,
	STATE_LAST,
	STATE_FULL,
	STATE_FOREIGN,
	ANYBODY,
	NO_BASE,
	NO_REGION,
	DIRECT,
	NO_EXTRA,
	REGIONS_DONE = NO_EXTRA + CHAIN_EXTRAS,
	REGION_CLIPPED,
	REGION_SHORT = REGION_CLIPPED + CHAIN_REGIONS,
	FRAME_FUNCTION = REGION_SHORT + CHAIN_REGIONS,
	FRAME_FOUND,
	FRAME_NEXT,
	FRAME_WAITS,
	FRAME_FAST,
	FRAME_KNOWN,
	FRAME_LAST,
	IN_REGION,
	FULL = IN_REGION + CHAIN_REGIONS,
	FRAME_FULL,
};

static inline void emit_return(struct bpf_code *c, int32_t value)
{
	bpf_set(c, 0, value);
	bpf_exit(c);
}

/* chain_find.c: the beginning: goes on, at KNOWN, with PLAN, and in FOUND the state when that was
 * looked for. Samples of all others end here. */
void chain_emit_find(struct bpf_code *c, const struct chain_maps *maps);

#endif
