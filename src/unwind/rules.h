/* Inside unwind/: pc -> unwind rule and frame identity, cached. */
#ifndef PTOP_UNWIND_RULES_H
#define PTOP_UNWIND_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "elf/eh_frame.h"
#include "model/frame.h"
#include "target/maps.h"
#include "unwind/tables.h"

/* A rule the cache makes from .gopclntab: CFA_RSP, counted apart. Follows enum cfa_kind.
 */
enum { CFA_GO = CFA_OTHER + 1 };

#define RULE_BITS_FIRST 13
#define RULE_BITS_MOST 16

struct rule_slot {
	uint64_t pc; /* 0: empty */
	struct unwind_rule rule;
	uint32_t place;
};

/* How a pc of one mapping becomes a frame: address = pc + bias. */
struct rule_place {
	uint64_t bias;
	uint32_t object, kind;
};

struct rules {
	struct rule_slot *slot; /* 1 << bits, direct-mapped */
	unsigned bits;
	VEC(struct rule_place) places;
	VEC(struct mapping) known; /* the mappings the slots were filled from */
	uint32_t generation;
	struct unwind_tables *tables; /* borrowed, as is maps */
	const struct maps *maps;
	uint64_t misses, grown_at; /* misses when the table got its size */
};

void rules_init(struct rules *r, struct unwind_tables *tables, const struct maps *maps);
void rules_done(struct rules *r);
/* Forgets the rules of mappings that are gone. Call before a walk. */
void rules_update(struct rules *r);
/* Fills the slot of pc (not 0); NULL when it is in no mapping. */
const struct rule_slot *rules_miss(struct rules *r, uint64_t pc);
/* Start of the function that holds pc by its FDE, in the target's addresses; 0 unknown.
 */
uint64_t rules_function_start(struct rules *r, uint64_t pc);

static inline uint32_t rules_index(const struct rules *r, uint64_t pc)
{
	return (uint32_t)(pc * 0x9e3779b97f4a7c15ull >> (64 - r->bits));
}

static inline const struct rule_slot *rules_find(struct rules *r, uint64_t pc)
{
	const struct rule_slot *s = &r->slot[rules_index(r, pc)];

	return __builtin_expect(s->pc == pc, 1) ? s : rules_miss(r, pc);
}

#endif
