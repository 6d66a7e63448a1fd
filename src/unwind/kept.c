/* From the innermost frame outwards each frame's tables say which registers it saved and
 * where, counted from its CFA, which is the stack pointer of its caller. Answers are cached
 * by address. */
#include "unwind/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "unwind/tables.h"

#define SLOTS 4096u

struct slot {
	uint64_t address;
	uint32_t object;
	bool used, known;
	int16_t offset[KEPT_REGS];
};

struct kept {
	struct unwind_tables *tables;
	const struct objects *objects;
	struct slot slot[SLOTS];
};

struct kept *kept_new(struct unwind_tables *tables, const struct objects *objects)
{
	struct kept *k = xcalloc(1, sizeof(*k));

	k->tables = tables;
	k->objects = objects;
	return k;
}

void kept_free(struct kept *k)
{
	free(k);
}

static void fill(struct kept *k, struct slot *s, const struct frame *f)
{
	const struct object *o = objects_get(k->objects, f->object);
	const struct unwind_table *t = o ? unwind_tables_get(k->tables, o) : NULL;
	uint64_t vaddr;

	*s = (struct slot){ .address = f->address, .object = f->object, .used = true };
	s->known = t && elf_vaddr_of(&t->elf, f->address, &vaddr) &&
		   eh_frame_kept(&t->eh, vaddr, s->offset);
}

static const struct slot *find(struct kept *k, const struct frame *f)
{
	struct slot *s = &k->slot[hash_pair(f->address, f->object) & (SLOTS - 1)];

	if (!s->used || s->address != f->address || s->object != f->object)
		fill(k, s, f);
	return s;
}

static bool load(const struct unwind_input *in, uint64_t address, uint64_t *to)
{
	uint64_t at = address - in->reg[DWARF_RSP];

	if (in->stack.n < sizeof(*to) || at > in->stack.n - sizeof(*to))
		return false;
	memcpy(to, in->stack.p + at, sizeof(*to));
	return true;
}

bool kept_registers(struct kept *k, const struct unwind_input *in,
		    const struct callstack *cs, uint32_t first, uint32_t at,
		    uint64_t reg[KEPT_REGS])
{
	static const unsigned dwarf[KEPT_REGS] = { DWARF_RBX, DWARF_RBP, DWARF_R12,
						   DWARF_R13, DWARF_R14, DWARF_R15 };
	uint32_t i, n;

	if (in->only_sp_and_ip)
		return false;
	for (n = 0; n < KEPT_REGS; n++)
		reg[n] = in->reg[dwarf[n]];
	for (i = first; i < at; i++) {
		const struct slot *s;

		if (cs->frame[i].kind != FRAME_NATIVE)
			return false;
		s = find(k, &cs->frame[i]);
		if (!s->known)
			return false;
		for (n = 0; n < KEPT_REGS; n++)
			if (s->offset[n] &&
			    !load(in, in->sp[i + 1] + (uint64_t)(int64_t)s->offset[n],
				  &reg[n]))
				return false;
	}
	return true;
}
