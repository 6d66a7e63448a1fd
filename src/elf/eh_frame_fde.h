/* Inside elf/: one frame description entry, parsed but not run. Offsets count from the
 * start of .eh_frame, so that a program's place gives its address for pc-relative
 * operands. */
#ifndef PTOP_ELF_EH_FRAME_FDE_H
#define PTOP_ELF_EH_FRAME_FDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "elf/eh_frame.h"

struct eh_program { /* call frame instructions: [at, end) of .eh_frame */
	size_t at, end;
};

struct eh_cie {
	struct eh_program program;
	uint64_t code_align, return_register;
	int64_t data_align;
	uint8_t pointer_encoding; /* DW_EH_PE_* of the FDEs' addresses */
	bool has_length;	  /* 'z': FDEs carry an augmentation length */
	bool signal_frame;	  /* 'S' */
};

struct eh_fde {
	struct eh_cie cie;
	struct eh_program program;
	uint64_t start, bytes; /* vaddr range */
};

/* The FDE that covers vaddr; false when none does or its bytes lie. */
bool eh_fde_find(const struct eh_frame *f, uint64_t vaddr, struct eh_fde *out);
/* A DW_EH_PE-encoded address at the cursor; `base` is the address of the cursor's byte 0.
 * Fails the cursor on encodings that need more than the file (indirect, textrel ...). */
uint64_t eh_pointer(struct cursor *c, uint8_t encoding, uint64_t base);

#endif
