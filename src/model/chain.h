/* What of an interpreter's thread is copied with a sample, in the kernel, at the instant of the
 * sample: the words that lead to its innermost frame, and the chain of frames from there.
 *
 * The runtime says where it stands (struct chain_plan), sample/chain.c copies it, the runtime
 * reads the copy. Offsets and sizes are bytes. */
#ifndef PTOP_MODEL_CHAIN_H
#define PTOP_MODEL_CHAIN_H

#include <stdint.h>

#define CHAIN_STATES 2u /* of a thread that is in several interpreters */
#define CHAIN_EXTRAS 2u
#define CHAIN_REGIONS 3u /* parts of a thread's data stack that are copied whole */
#define CHAIN_STATE_MAX 1024u
#define CHAIN_EXTRA_MAX 128u
#define CHAIN_REGION_MAX 16384u
#define CHAIN_FRAME_MAX 128u
#define CHAIN_PROOF_MAX 48u
#define CHAIN_BYTES_MAX \
	57344u /* of a record: with its header it must stay below 64 KiB */

/* One thread state. Offsets that may be missing are one more than they are; 0: none. */
struct chain_state {
	uint64_t state; /* address; 0: no more states */
	uint64_t extra[CHAIN_EXTRAS];
	uint32_t extra_bytes[CHAIN_EXTRAS];
	uint32_t state_bytes;
	uint32_t tid;  /* in the state (+ 1): 8 bytes, whose thread it is */
	uint32_t head; /* in the state: pointer to the innermost frame */
	uint32_t
	    indirect; /* or to a struct, where that pointer is at this offset (+ 1) */
	uint32_t
	    base; /* in the state (+ 1): pointer to the frame that is none any more */
	uint32_t
	    region; /* in the state (+ 1): pointer to the newest region, its top behind */
	uint32_t frame_bytes;
	uint32_t previous, code; /* in a frame: pointers to the next one, to its code */
	uint32_t proof, proof_bytes; /* of the code: what tells it from others */
};

struct chain_plan {
	struct chain_state of[CHAIN_STATES];
};

/* A process's threads that no plan is known of, as they are younger than the last list of them:
 * its newest thread states are gone through for the one that is the sampled thread's. */
struct chain_births {
	uint64_t list; /* address of a pointer to the newest state */
	uint32_t next; /* in a state: pointer to the next */
	uint32_t tid;  /* in a state: the thread's number */
	/* Or, of 8 bytes, an address, where the number stands at this offset (+ 1). */
	uint32_t descriptor;
	uint32_t state;		/* in a state: what chain_state.state is the address of */
	struct chain_plan plan; /* but its first state */
};

/* Code whose proof need not be copied, as it was there a second ago and still is: the bit of this
 * number of an array of CHAIN_KNOWN_BITS. */
#define CHAIN_KNOWN_BITS 65536u
#define CHAIN_KNOWN_SHIFT 5

static inline uint32_t chain_known_bit(uint64_t code)
{
	return (uint32_t)(code >> CHAIN_KNOWN_SHIFT) & (CHAIN_KNOWN_BITS - 1);
}

/* A record: this, then pieces, each with its bytes, padded to 8. */
struct chain_record {
	uint64_t period_ns; /* CPU time it stands for */
	uint64_t began_ns, ended_ns;
	uint64_t bytes;	  /* of all of it */
	uint64_t full;	  /* not 0: the chain goes on */
	uint64_t sent_ns; /* what the CPU's last record before took to be written */
};

enum chain_kind {
	CHAIN_STATE,
	CHAIN_EXTRA,
	CHAIN_INDIRECT,
	CHAIN_REGION, /* head { previous region, size, top }, then frames */
	CHAIN_FRAME,  /* one that is in no region */
	CHAIN_PROOF,  /* address: of its frame */
};

struct chain_piece {
	uint64_t address;
	uint32_t bytes;
	uint16_t kind, of; /* of: number of the state */
};

#endif
