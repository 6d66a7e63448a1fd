/* What the registers held that a function keeps for its caller (rbx, rbp, r12 to r15), at
 * any frame of a stack that was unwound: found on demand, as few walks need it. */
#ifndef PTOP_UNWIND_KEPT_H
#define PTOP_UNWIND_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "elf/eh_frame.h"
#include "unwind/unwind.h"

struct kept;

/* Both are borrowed. */
struct kept *kept_new(struct unwind_tables *tables, const struct objects *objects);
void kept_free(struct kept *k);
/* Of frame `at` of cs, whose user frames begin at `first` and which was unwound from `in`
 * with in->sp. False when they are not known: a frame without tables, or beyond the copied
 * stack. */
bool kept_registers(struct kept *k, const struct unwind_input *in,
		    const struct callstack *cs, uint32_t first, uint32_t at,
		    uint64_t reg[KEPT_REGS]);

#endif
