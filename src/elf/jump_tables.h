/* The tables that switches jump by, as compilers write them for x86-64: distances of 32 bits from the
 * table itself, or addresses. Found while a function is decoded from its first instruction to its
 * last:
 *
 *	cmp index, limit; ja; lea base, [rip + table]; movsxd r, [base + 4 * index]; add; jmp
 *	cmp index, limit; ja; jmp [table + 8 * index] */
#ifndef PTOP_ELF_JUMP_TABLES_H
#define PTOP_ELF_JUMP_TABLES_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JUMP_TABLES_MAX 512u /* of one function; of more the first are known */
#define JUMP_ENTRIES_MAX 4096u

struct jump_table {
	uint64_t address;
	uint32_t entries; /* at least */
	bool addresses;
};

struct jump_tables {
	struct jump_table v[JUMP_TABLES_MAX];
	size_t n;
	/* By register: the address it holds, how many values it may have; 0: not known. */
	uint64_t base[16];
	uint32_t values[16];
	int compared; /* by the instruction before, with `limit`; -1: none */
	uint32_t limit;
};

void jump_tables_start(struct jump_tables *t);
void jump_tables_step(struct jump_tables *t, uint64_t address,
		      const ZydisDecodedInstruction *insn,
		      const ZydisDecodedOperand *operand);

#endif
