/* From registers and stack bytes to a call stack.
 *
 * An unwinder serves one address space. Rules come from the objects' .eh_frame and are
 * cached by pc; where no FDE covers a pc (JIT code, Go) it steps by .gopclntab or frame
 * pointer; what the rules cannot express goes to libunwind over the same bytes. Files are
 * opened when first needed (headers and unwind sections only). */
#ifndef PTOP_UNWIND_UNWIND_H
#define PTOP_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "model/callstack.h"
#include "target/maps.h"
#include "target/object.h"

/* DWARF numbers of x86-64. (Not REG_*: <signal.h> has those, with other values.) */
enum {
	DWARF_RAX,
	DWARF_RDX,
	DWARF_RCX,
	DWARF_RBX,
	DWARF_RSI,
	DWARF_RDI,
	DWARF_RBP,
	DWARF_RSP,
	DWARF_R8,
	DWARF_R9,
	DWARF_R10,
	DWARF_R11,
	DWARF_R12,
	DWARF_R13,
	DWARF_R14,
	DWARF_R15,
	DWARF_RIP,
	DWARF_REGS
};

struct unwind_input {
	uint64_t reg[DWARF_REGS];
	bool only_sp_and_ip; /* the others are not known (blocked threads) */
	struct bytes stack;  /* bytes at reg[DWARF_RSP], as copied at the sample */
	/* Older stack beyond the copy is read here, and text to check guesses; NULL:
	 * never. */
	const struct mem *live;
	/* Stack pointers of the frames, by their index in the call stack, DEPTH_MAX of
	 * them; NULL: not wanted. */
	uint64_t *sp;
	uint32_t most; /* frames of the call stack; 0: DEPTH_MAX */
};

/* Unwind tables of objects, shared by all unwinders. */
struct unwind_tables;
struct unwind_tables *unwind_tables_new(void);
void unwind_tables_free(struct unwind_tables *t);

struct unwinder;
/* maps is borrowed and may change; a changed generation drops what was cached. */
struct unwinder *unwinder_new(struct unwind_tables *tables, const struct maps *maps);
void unwinder_free(struct unwinder *u);
/* Appends the user frames to cs (innermost first; kernel frames may stand there already)
 * as FRAME_NATIVE or FRAME_JIT in their objects' terms, FRAME_MARK where an address is in
 * none, and sets its flags. For every frame but the first and those interrupted by a
 * signal, address is the call's (return address - 1). */
void unwinder_walk(struct unwinder *u, const struct unwind_input *in,
		   struct callstack *cs);

struct unwind_counts {
	uint64_t stacks, frames, misses, by_frame_pointer, by_libunwind, by_go;
	uint64_t failed_files; /* objects whose tables could not be read */
};
struct unwind_counts unwinder_counts(const struct unwinder *u);

#endif
