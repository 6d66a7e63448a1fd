/* Many pieces of a process's memory in one system call. */
#ifndef PTOP_RUNTIME_PYTHON_BATCH_H
#define PTOP_RUNTIME_PYTHON_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"
#include "base/vec.h"

/* Pieces a call: the kernel allocates above 8, and beyond this the call grows by the
 * piece. */
#define BATCH_CALL_PIECES 64
#define BATCH_BYTES (2u << 20)

struct piece {
	uint64_t address;
	uint32_t bytes;
	uint32_t at; /* in the buffer */
	bool ok;     /* read whole */
};

struct batch {
	pid_t pid;
	const struct mem *mem; /* read instead of the process, when not NULL; borrowed */
	VEC(struct piece) pieces;
	unsigned char *buffer; /* BATCH_BYTES */
	size_t used;
	uint64_t calls;
};

void batch_init(struct batch *b, pid_t pid, const struct mem *mem);
void batch_done(struct batch *b);
void batch_clear(struct batch *b);
/* Forgets the pieces from this one on. */
void batch_cut(struct batch *b, size_t piece);
/* Asks for a piece; false (and none is added) when the buffer is full or this is no
 * address of user memory. */
bool batch_add(struct batch *b, uint64_t address, size_t bytes);
/* Reads the pieces from this one on, in their order; those in memory that is not there
 * stay !ok. */
void batch_run(struct batch *b, size_t piece);
/* All of a single piece, past the buffer. */
bool batch_read(struct batch *b, uint64_t address, void *to, size_t bytes);

static inline const unsigned char *batch_bytes(const struct batch *b,
					       const struct piece *p)
{
	return b->buffer + p->at;
}

#endif
