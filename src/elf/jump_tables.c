#include "elf/jump_tables.h"

#include <string.h>

/* The number of the 64-bit register that this one is a part of, or -1. */
static int number_of(ZydisRegister reg)
{
	ZydisRegister whole =
	    ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	return ZydisRegisterGetClass(whole) == ZYDIS_REGCLASS_GPR64
		   ? ZydisRegisterGetId(whole)
		   : -1;
}

void jump_tables_start(struct jump_tables *t)
{
	t->n = 0;
	t->compared = -1;
	memset(t->base, 0, sizeof(t->base));
	memset(t->values, 0, sizeof(t->values));
}

static void note_load(struct jump_tables *t, const ZydisDecodedOperand *from,
		      bool addresses)
{
	uint64_t table;
	int base, index;

	if (from->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    from->mem.scale != (addresses ? 8 : 4))
		return;
	base = number_of(from->mem.base);
	index = number_of(from->mem.index);
	table = (uint64_t)from->mem.disp.value + (base < 0 ? 0 : t->base[base]);
	if (from->mem.base != ZYDIS_REGISTER_NONE &&
	    (base < 0 || !t->base[base] || from->mem.disp.value != 0))
		return;
	if (index < 0 || !table || t->n == JUMP_TABLES_MAX)
		return;
	t->v[t->n++] =
	    (struct jump_table){ table, t->values[index] ? t->values[index] : 1,
				 addresses };
}

/* What was known of the registers it writes is gone, but for a register that is only widened. */
static void forget(struct jump_tables *t, const ZydisDecodedInstruction *insn,
		   const ZydisDecodedOperand *op)
{
	int i, reg;

	for (i = 0; i < insn->operand_count; i++) {
		if (op[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    !(op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		reg = number_of(op[i].reg.value);
		if (reg < 0)
			continue;
		t->base[reg] = 0;
		if ((insn->mnemonic == ZYDIS_MNEMONIC_MOV ||
		     insn->mnemonic == ZYDIS_MNEMONIC_MOVZX) &&
		    op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    number_of(op[1].reg.value) == reg)
			continue;
		t->values[reg] = 0;
	}
}

void jump_tables_step(struct jump_tables *t, uint64_t address,
		      const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op)
{
	int compared = t->compared, reg;
	ZyanU64 where;

	t->compared = -1;
	if (insn->mnemonic == ZYDIS_MNEMONIC_MOVSXD)
		note_load(t, &op[1], false);
	if (insn->meta.category == ZYDIS_CATEGORY_UNCOND_BR)
		note_load(t, &op[0], true);
	if (insn->mnemonic == ZYDIS_MNEMONIC_JNBE && compared >= 0)
		t->values[compared] = t->limit + 1;
	if (insn->mnemonic == ZYDIS_MNEMONIC_CMP &&
	    op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	    op[1].imm.value.u < JUMP_ENTRIES_MAX) {
		t->compared = number_of(op[0].reg.value);
		t->limit = (uint32_t)op[1].imm.value.u;
	}
	forget(t, insn, op);
	if (insn->mnemonic != ZYDIS_MNEMONIC_LEA ||
	    op[1].mem.base != ZYDIS_REGISTER_RIP ||
	    !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(insn, &op[1], address, &where)))
		return;
	reg = number_of(op[0].reg.value);
	if (reg >= 0)
		t->base[reg] = where;
}
