/* A linear sweep over each function, with Zydis as the decoder. Jumps that leave a function lead to
 * its cold part, to a function called in place of a return (a tail call), or through the procedure
 * linkage table to one of another file; all of them are followed alike. */
#include "elf/exits.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "elf/jump_tables.h"

#define JUMPS_MAX 16384u /* that leave one function */
#define HOPS_MAX 4u	 /* through linkage tables, for one jump */
#define INSN_MAX 15u
#define LABELS_MAX 256u /* addresses one function takes of its own code */
#define LABEL_STEPS 64	/* instructions in which what becomes of one must be seen */

/* A function that was decoded. */
struct body {
	uint64_t start, bytes;
	unsigned char *starts; /* a bit for each byte at which an instruction starts */
};

/* An address of the function's own that an instruction takes. */
struct label {
	uint64_t from, to;
};

struct search {
	const struct exits_source *source;
	ZydisDecoder decoder;
	struct body body[EXITS_FUNCTIONS_MAX];
	size_t n_bodies;
	uint64_t *jumps; /* to be followed */
	size_t n_jumps;
	struct label label[LABELS_MAX]; /* of the function being decoded */
	size_t n_labels;
	struct jump_tables tables; /* of it, too */
	struct exits *out;
	const char *why;
};

static bool decode(const ZydisDecoder *d, const unsigned char *p, size_t n,
		   ZydisDecodedInstruction *insn, ZydisDecodedOperand *operand)
{
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(d, p, n, insn, operand)) &&
	       insn->length > 0 && insn->length <= n;
}

static bool starts_at(const struct body *b, uint64_t address)
{
	uint64_t at = address - b->start;

	return at < b->bytes && (b->starts[at / 8] >> (at % 8) & 1);
}

/* Old C libraries jump over a lock prefix when there is one thread only. */
static bool is_target(const struct body *b, const unsigned char *code, uint64_t address)
{
	uint64_t at = address - b->start;

	return starts_at(b, address) ||
	       (at > 0 && code[at - 1] == 0xf0 && starts_at(b, address - 1));
}

/* Where a branch leads: false when that is in a register, or in memory that changes. */
static bool target_of(const struct search *s, uint64_t address,
		      const ZydisDecodedInstruction *insn,
		      const ZydisDecodedOperand *operand, uint64_t *target)
{
	ZyanU64 where;

	if (operand[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand[0].imm.is_relative)
		return ZYAN_SUCCESS(
		    ZydisCalcAbsoluteAddress(insn, &operand[0], address, target));
	if (operand[0].type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    operand[0].mem.base != ZYDIS_REGISTER_RIP ||
	    operand[0].mem.index != ZYDIS_REGISTER_NONE ||
	    !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(insn, &operand[0], address, &where)))
		return false;
	return s->source->read(s->source->arg, where, target, sizeof(*target));
}

static bool is_jump(const ZydisDecodedInstruction *insn)
{
	return insn->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
	       insn->meta.category == ZYDIS_CATEGORY_COND_BR;
}

static bool fail(struct search *s, const char *why)
{
	s->why = why;
	return false;
}

static bool add_exit(struct search *s, uint64_t address)
{
	if (s->out->n == EXITS_MAX)
		return fail(s, "it has too many exits");
	s->out->at[s->out->n++] = address;
	return true;
}

/* The place in the same function that an instruction refers to, relative to itself; 0: none. */
static uint64_t refers_to(const struct body *b, uint64_t address,
			  const ZydisDecodedInstruction *insn,
			  const ZydisDecodedOperand *operand)
{
	ZyanU64 where;
	int i;

	for (i = 0; i < insn->operand_count_visible; i++)
		if (operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operand[i].mem.base == ZYDIS_REGISTER_RIP &&
		    ZYAN_SUCCESS(
			ZydisCalcAbsoluteAddress(insn, &operand[i], address, &where)) &&
		    where - b->start < b->bytes)
			return where;
	return 0;
}

/* Tables inside of a function decode as code, often enough. What reads memory there reads data. An
 * address that is taken is the function's own, or must be proved to be that of code. */
static bool note_reference(struct search *s, const struct body *b, uint64_t address,
			   const ZydisDecodedInstruction *insn,
			   const ZydisDecodedOperand *operand)
{
	uint64_t where = refers_to(b, address, insn, operand);

	if (!where || (where == b->start && insn->mnemonic == ZYDIS_MNEMONIC_LEA))
		return true;
	if (insn->mnemonic != ZYDIS_MNEMONIC_LEA)
		return fail(s, "it holds data among its code");
	if (s->n_labels == LABELS_MAX)
		return fail(s, "it takes too many addresses of its own");
	s->label[s->n_labels++] = (struct label){ address, where };
	return true;
}

/* Notes where one instruction leads that is a jump or a return. */
static bool note(struct search *s, const struct body *b, uint64_t address,
		 const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operand)
{
	uint64_t target;

	if (insn->meta.category == ZYDIS_CATEGORY_RET)
		return insn->mnemonic != ZYDIS_MNEMONIC_RET ||
			       insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR
			   ? fail(s, "it returns as an interrupt or a far call does")
			   : add_exit(s, address);
	if (!is_jump(insn))
		return note_reference(s, b, address, insn, operand);
	if (!target_of(s, address, insn, operand, &target)) {
		s->out->unknown++;
		return true;
	}
	if (target - b->start < b->bytes && s->n_bodies == 1 && target <= s->out->entry)
		s->out->restarts = true;
	if (s->n_jumps == JUMPS_MAX)
		return fail(s, "it has too many jumps");
	s->jumps[s->n_jumps++] = target;
	return true;
}

/* ---- Labels whose address is taken ---------------------------------------------------------- */

/* The registers that hold the address, by their number as 64-bit ones, a bit each. */
static uint32_t bit_of(ZydisRegister reg)
{
	ZydisRegister whole =
	    ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	return ZydisRegisterGetClass(whole) == ZYDIS_REGCLASS_GPR64
		   ? 1u << ZydisRegisterGetId(whole)
		   : 0;
}

enum use { USE_NONE, USE_CODE, USE_DATA };

/* __builtin_setjmp() keeps the frame pointer, the label, then the stack pointer. */
static bool keeps_stack_pointer(const struct search *s, const unsigned char *code,
				size_t n, const ZydisDecodedOperand *label)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];

	return decode(&s->decoder, code, n, &insn, operand) &&
	       insn.mnemonic == ZYDIS_MNEMONIC_MOV &&
	       operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       operand[0].mem.base == label->mem.base &&
	       operand[0].mem.index == label->mem.index &&
	       operand[0].mem.disp.value == label->mem.disp.value + 8 &&
	       operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       operand[1].reg.value == ZYDIS_REGISTER_RSP;
}

/* What one instruction does with the address in the registers of *holds. */
static enum use use_of(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op,
		       uint32_t *holds)
{
	uint32_t reads = 0, writes = 0;
	int i;

	for (i = 0; i < insn->operand_count; i++) {
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY) {
			uint32_t by = bit_of(op[i].mem.base) | bit_of(op[i].mem.index);

			if (op[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN && (by & *holds))
				return USE_DATA;
			reads |= by & *holds;
		} else if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER) {
			uint32_t bit = bit_of(op[i].reg.value);

			if (op[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ)
				reads |= bit & *holds;
			if (op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
				writes |= bit;
		}
	}
	if (insn->meta.category == ZYDIS_CATEGORY_UNCOND_BR && reads)
		return USE_CODE;
	*holds = reads ? *holds | writes : *holds & ~writes;
	return USE_NONE;
}

/* Is it code that stands at the label? Yes, when the program jumps to an address that was made of
 * it; or stores it where a variable is, or as __builtin_setjmp() does; compilers take no other
 * addresses in code. No, or not known, when it is read from, handed to another function, or when
 * straight on from there it is not seen what becomes of it. */
static bool is_code_label(const struct search *s, const struct body *b,
			  const unsigned char *code, const struct label *label)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	size_t at = label->from - b->start;
	uint32_t holds = 0;
	int i;

	if (!starts_at(b, label->to) ||
	    !decode(&s->decoder, code + at, b->bytes - at, &insn, op))
		return false;
	holds = bit_of(op[0].reg.value);
	for (i = 0; i < LABEL_STEPS && holds; i++) {
		enum use use;

		at += insn.length;
		if (at >= b->bytes ||
		    !decode(&s->decoder, code + at, b->bytes - at, &insn, op))
			return false;
		use = use_of(&insn, op, &holds);
		if (use != USE_NONE)
			return use == USE_CODE;
		if (insn.mnemonic == ZYDIS_MNEMONIC_MOV &&
		    op[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (bit_of(op[1].reg.value) & holds))
			return op[0].mem.base == ZYDIS_REGISTER_RIP ||
			       keeps_stack_pointer(s, code + at + insn.length,
						   b->bytes - at - insn.length, op);
		if (insn.meta.category == ZYDIS_CATEGORY_CALL ||
		    insn.meta.category == ZYDIS_CATEGORY_RET)
			return false;
		if (insn.meta.category == ZYDIS_CATEGORY_UNCOND_BR)
			return false;
	}
	return false;
}

/* ---- Another place for the entry's probe ----------------------------------------------------- */

static bool stays_in_place(const ZydisDecodedInstruction *insn,
			   const ZydisDecodedOperand *op)
{
	int i;

	for (i = 0; i < insn->operand_count; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    (bit_of(op[i].reg.value) == bit_of(ZYDIS_REGISTER_RSP) ||
		     op[i].reg.value == ZYDIS_REGISTER_RIP))
			return false;
	return true;
}

/* A jump to there: it is passed twice, or not by each call. */
static void no_later_than(struct exits *out, uint64_t target)
{
	if (target > out->entry)
		while (out->n_later > 0 && target <= out->later[out->n_later - 1])
			out->n_later--;
}

static void find_later(const struct search *s, const struct body *b,
		       const unsigned char *code)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	struct exits *out = s->out;
	size_t at = out->entry - b->start, i;

	while (out->n_later < EXITS_LATER_MAX && at < b->bytes &&
	       decode(&s->decoder, code + at, b->bytes - at, &insn, op) &&
	       stays_in_place(&insn, op) && at + insn.length < b->bytes) {
		at += insn.length;
		out->later[out->n_later++] = b->start + at;
	}
	for (i = 0; i < s->n_jumps; i++)
		no_later_than(out, s->jumps[i]);
	for (i = 0; i < s->n_labels; i++)
		no_later_than(out, s->label[i].to);
}

/* What a switch jumps to within the function are instructions, if it was decoded right. */
static bool tables_lead_to_code(const struct search *s, const struct body *b)
{
	unsigned char *entry = xcalloc(JUMP_ENTRIES_MAX, sizeof(uint64_t));
	bool ok = true;
	size_t i;
	uint32_t k;

	for (i = 0; i < s->tables.n && ok; i++) {
		const struct jump_table *t = &s->tables.v[i];

		size_t size = t->addresses ? sizeof(uint64_t) : sizeof(int32_t);

		if (!s->source->read(s->source->arg, t->address, entry,
				     t->entries * size))
			continue;
		for (k = 0; k < t->entries && ok; k++) {
			uint64_t to;
			int32_t distance;

			memcpy(&distance, entry + k * size, sizeof(distance));
			to = t->address + (uint64_t)(int64_t)distance;
			if (t->addresses)
				memcpy(&to, entry + k * size, sizeof(to));
			ok = to - b->start >= b->bytes || starts_at(b, to);
		}
	}
	free(entry);
	return ok;
}

/* All of one function: its exits, and the jumps that leave it appended to s->jumps. */
static bool sweep(struct search *s, struct body *b, const unsigned char *code)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	size_t at = 0, i, first = s->n_jumps, kept = first;

	s->n_labels = 0;
	jump_tables_start(&s->tables);
	while (at < b->bytes) {
		if (!decode(&s->decoder, code + at, b->bytes - at, &insn, operand))
			return fail(s, "part of it is no code that can be decoded");
		b->starts[at / 8] |= (unsigned char)(1u << at % 8);
		if (!note(s, b, b->start + at, &insn, operand))
			return false;
		jump_tables_step(&s->tables, b->start + at, &insn, operand);
		at += insn.length;
	}
	if (s->n_bodies == 1)
		find_later(s, b, code);
	for (i = first; i < s->n_jumps; i++) {
		if (s->jumps[i] - b->start >= b->bytes)
			s->jumps[kept++] = s->jumps[i];
		else if (!is_target(b, code, s->jumps[i]))
			return fail(s, "a jump leads into the middle of an instruction");
	}
	s->n_jumps = kept;
	if (!tables_lead_to_code(s, b))
		return fail(s, "a jump leads into the middle of an instruction");
	for (i = 0; i < s->n_labels; i++)
		if (!is_code_label(s, b, code, &s->label[i]))
			return fail(s,
				    "it holds data among its code, or an address of its "
				    "own whose use is not known");
	return true;
}

static bool add_function(struct search *s, uint64_t start, uint64_t bytes)
{
	struct body *b = &s->body[s->n_bodies];
	unsigned char *code;
	bool ok;

	if (bytes == 0 || bytes > EXITS_CODE_MAX)
		return fail(s, bytes ? "it is too long" : "where it ends is not known");
	code = xmalloc(bytes);
	*b = (struct body){ start, bytes, xcalloc(bytes / 8 + 1, 1) };
	s->n_bodies++;
	ok = s->source->read(s->source->arg, start, code, bytes)
		 ? sweep(s, b, code)
		 : fail(s, "its code cannot be read");
	free(code);
	return ok;
}

/* An entry of a linkage table has no symbol: it is a jump through a pointer. */
static bool through_table(struct search *s, uint64_t *target)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	unsigned char code[2 * INSN_MAX];
	uint64_t at = *target;
	int i;

	if (!s->source->read(s->source->arg, at, code, sizeof(code)))
		return false;
	for (i = 0; i < 2; i++) {
		size_t used = (size_t)(at - *target);

		if (!decode(&s->decoder, code + used, sizeof(code) - used, &insn,
			    operand))
			return false;
		if (insn.meta.category == ZYDIS_CATEGORY_UNCOND_BR &&
		    operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return target_of(s, at, &insn, operand, target);
		if (insn.mnemonic != ZYDIS_MNEMONIC_ENDBR64)
			return false;
		at += insn.length;
	}
	return false;
}

static const struct body *body_of(const struct search *s, uint64_t address)
{
	size_t i;

	for (i = 0; i < s->n_bodies; i++)
		if (address - s->body[i].start < s->body[i].bytes)
			return &s->body[i];
	return NULL;
}

/* Decodes the function that a jump leads to. What cannot be decoded is no reason to refuse the one
 * that jumps there: the calls that end in it are counted as ones whose end was not seen. */
static bool follow(struct search *s, uint64_t target)
{
	size_t exits = s->out->n, jumps = s->n_jumps, bodies = s->n_bodies;
	uint64_t start, bytes;
	const struct body *b;
	unsigned hops = 0;

	while (!body_of(s, target) &&
	       !s->source->function(s->source->arg, target, &start, &bytes))
		if (++hops > HOPS_MAX || !through_table(s, &target)) {
			s->out->unknown++;
			return true;
		}
	b = body_of(s, target);
	if (b) {
		if (b == &s->body[0] && target <= s->out->entry)
			s->out->restarts = true;
		if (b == &s->body[0])
			no_later_than(s->out, target);
		return starts_at(b, target) ||
		       fail(s, "a jump leads into the middle of an instruction");
	}
	if (s->n_bodies < EXITS_FUNCTIONS_MAX && add_function(s, start, bytes) &&
	    starts_at(&s->body[s->n_bodies - 1], target))
		return true;
	while (s->n_bodies > bodies)
		free(s->body[--s->n_bodies].starts);
	s->out->n = exits;
	s->n_jumps = jumps;
	s->out->unknown++;
	return true;
}

static uint64_t behind_endbr(const struct exits_source *source, uint64_t entry)
{
	static const unsigned char endbr64[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned char code[4];

	return source->read(source->arg, entry, code, sizeof(code)) &&
		       memcmp(code, endbr64, sizeof(code)) == 0
		   ? entry + 4
		   : entry;
}

bool exits_find(const struct exits_source *source, uint64_t entry, struct exits *out,
		const char **why)
{
	struct search *s;
	uint64_t start, bytes;
	bool ok;

	*out = (struct exits){ .entry = behind_endbr(source, entry) };
	if (!source->function(source->arg, entry, &start, &bytes) || start != entry) {
		*why = "where it begins and ends is not known";
		return false;
	}
	s = xcalloc(1, sizeof(*s));
	s->source = source;
	s->out = out;
	ZydisDecoderInit(&s->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	s->jumps = xcalloc(JUMPS_MAX, sizeof(*s->jumps));
	ok = add_function(s, start, bytes);
	while (ok && s->n_jumps > 0)
		ok = follow(s, s->jumps[--s->n_jumps]);
	while (s->n_bodies > 0)
		free(s->body[--s->n_bodies].starts);
	free(s->jumps);
	if (ok && out->n == 0)
		s->why = out->unknown ? "it ends in a jump to where is not known"
				      : "it never returns";
	if (out->unknown)
		out->n_later = 0;
	*why = s->why;
	free(s);
	return ok && out->n > 0;
}

bool exits_is_emulated(const unsigned char *p, size_t n)
{
	if (n && ((p[0] >= 0x50 && p[0] <= 0x57) || p[0] == 0x90 || p[0] == 0xe8 ||
		  p[0] == 0xe9 || p[0] == 0xeb))
		return true;
	if (n > 1 && p[0] == 0x41 && p[1] >= 0x50 && p[1] <= 0x57)
		return true;
	return n > 1 && p[0] == 0x0f && p[1] == 0x1f;
}
