/* Inside sample/: the program that copies chains. */
#ifndef PTOP_SAMPLE_CHAIN_PROGRAM_H
#define PTOP_SAMPLE_CHAIN_PROGRAM_H

#include "sample/bpf.h"

struct chain_maps {
	int threads;	      /* u64 process << 32 | thread: struct chain_plan */
	int births;	      /* u32 process: struct chain_births */
	int admitted, filter; /* u32 process: anything; one u64: not 0: only those */
	int known;	      /* one value: the bits of model/chain.h */
	int buffers;	      /* by CPU, of chain_buffer_bytes() */
	int outputs;	      /* events, by CPU */
};

uint32_t chain_buffer_bytes(void);
/* A program fd, or -errno and why. */
int chain_program(const struct chain_maps *maps, bool alone, struct error *why);

#endif
