/* The portable unwinder behind ours: libunwind, remote, over the same copied bytes and
 * the same tables. It takes the steps our rules cannot express, and alone it is the
 * oracle that tests and benchmarks compare with. */
#ifndef PTOP_UNWIND_LIBUNWIND_H
#define PTOP_UNWIND_LIBUNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "model/callstack.h"
#include "target/maps.h"
#include "unwind/stack.h"
#include "unwind/unwind.h"

struct libunwind;

/* Both arguments are borrowed. */
struct libunwind *libunwind_new(struct unwind_tables *tables, const struct maps *maps);
void libunwind_free(struct libunwind *l);

enum libunwind_result {
	LIBUNWIND_STEPPED,
	LIBUNWIND_END,	  /* the outermost frame */
	LIBUNWIND_FAILED, /* could not step, or disagrees about the frames below */
};

/* Steps from the frame that is `depth` calls above the sample's registers and stands at
 * pc. The caller's registers are put into reg; those that cannot be told stay as they
 * are. */
enum libunwind_result libunwind_step(struct libunwind *l, const struct unwind_input *in,
				     struct stack *stack, uint32_t depth, uint64_t pc,
				     uint64_t reg[DWARF_REGS]);
/* Unwinds a whole sample by libunwind alone and appends it to cs, like unwinder_walk().
 */
void libunwind_walk(struct libunwind *l, const struct unwind_input *in,
		    struct callstack *cs);

#endif
