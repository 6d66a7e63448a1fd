/* Unwind rules from .eh_frame, on demand: find the FDE by binary search in .eh_frame_hdr,
 * run its call frame instructions up to the address, reduce the row to what walking a
 * stack needs. Only bytes in, a rule out; x86-64 register numbers. DWARF 5 section 6.4;
 * LSB 5 .eh_frame. */
#ifndef PTOP_ELF_EH_FRAME_H
#define PTOP_ELF_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum cfa_kind {
	CFA_NONE,     /* no FDE covers the address */
	CFA_END,      /* return address undefined: the outermost frame */
	CFA_RSP,      /* rsp + cfa_offset */
	CFA_RBP,      /* rbp + cfa_offset */
	CFA_RSP_LOAD, /* [rsp + cfa_offset] (signal frames) */
	CFA_RBP_LOAD, /* [rbp + cfa_offset] (realigned stacks) */
	CFA_PLT,      /* rsp + 8, + 8 more from the (rip & 15) >= cfa_offset'th byte of an
			 entry */
	CFA_OTHER,    /* a rule this reduction does not cover: ask libunwind */
};

enum save_kind {
	SAVE_SAME, /* the register was not saved: keep it */
	SAVE_CFA,  /* at [CFA + offset] */
	SAVE_RSP,  /* at [rsp + offset] (signal frames) */
	SAVE_RBP,  /* at [rbp + offset] */
};

struct unwind_rule {
	int32_t cfa_offset;
	int16_t rbp_offset, ra_offset;
	uint8_t cfa;	      /* enum cfa_kind */
	uint8_t rbp;	      /* enum save_kind, of the caller's rbp */
	uint8_t ra;	      /* enum save_kind, never SAVE_SAME */
	uint8_t signal_frame; /* the caller's pc is an exact one: do not subtract 1 */
};

/* One file's tables. Bytes are borrowed; addresses are the file's own (vaddr). */
struct eh_frame {
	struct bytes hdr; /* .eh_frame_hdr, or empty */
	uint64_t hdr_vaddr;
	struct bytes frame; /* .eh_frame */
	uint64_t frame_vaddr;
	/* The binary search table, checked by eh_frame_init(). */
	size_t table_at, entries;
	unsigned char *own_table; /* built when there is no usable .eh_frame_hdr; owned */
};

/* Where .eh_frame_hdr says .eh_frame is; false when it does not say. */
bool eh_frame_pointer(struct bytes hdr, uint64_t hdr_vaddr, uint64_t *frame_vaddr);
/* Checks the header; where there is no binary search table it makes one by a linear
 * parse. False when nothing can be used. eh_frame_done() frees what init made. */
bool eh_frame_init(struct eh_frame *f);
void eh_frame_done(struct eh_frame *f);
/* The FDE that covers vaddr: its function's start and size. */
bool eh_frame_function(const struct eh_frame *f, uint64_t vaddr, uint64_t *start,
		       uint64_t *bytes);
/* The rule at vaddr; CFA_NONE when no FDE covers it or its bytes lie. */
void eh_frame_rule(const struct eh_frame *f, uint64_t vaddr, struct unwind_rule *out);

/* The registers that a function keeps for its caller. */
enum { KEPT_RBX, KEPT_RBP, KEPT_R12, KEPT_R13, KEPT_R14, KEPT_R15, KEPT_REGS };
/* Where at vaddr the caller's ones are saved: offsets from the CFA, 0 not saved (yet). False
 * when no FDE tells. */
bool eh_frame_kept(const struct eh_frame *f, uint64_t vaddr, int16_t offset[KEPT_REGS]);

#endif
