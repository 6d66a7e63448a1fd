/* Running call frame instructions up to an address and reducing the row to a rule.
 *
 * Of the register rules only those of rbp, rsp and the return address matter for walking
 * a stack; all others are read and forgotten. Expressions are recognised by their bytes,
 * not run: compilers and linkers write only a handful of shapes (signal frames, realigned
 * stacks, PLT), and whatever is not among them becomes CFA_OTHER. A program is bounded by
 * its own length and by INSTRUCTIONS_MAX. */
#include <string.h>

#include "base/cursor.h"
#include "elf/eh_frame.h"
#include "elf/eh_frame_fde.h"

#define INSTRUCTIONS_MAX 65536u
#define REMEMBER_MAX 16u

enum { DWARF_RBX = 3, DWARF_RBP = 6, DWARF_RSP = 7, DWARF_R12 = 12, DWARF_RIP = 16 };

/* DW_CFA_*; the first three keep an operand in their low six bits. */
enum {
	OP_ADVANCE = 0x40,
	OP_OFFSET = 0x80,
	OP_RESTORE = 0xc0,
	OP_NOP = 0x00,
	OP_SET_LOC = 0x01,
	OP_ADVANCE1 = 0x02,
	OP_ADVANCE2 = 0x03,
	OP_ADVANCE4 = 0x04,
	OP_OFFSET_EXTENDED = 0x05,
	OP_RESTORE_EXTENDED = 0x06,
	OP_UNDEFINED = 0x07,
	OP_SAME_VALUE = 0x08,
	OP_REGISTER = 0x09,
	OP_REMEMBER = 0x0a,
	OP_RESTORE_STATE = 0x0b,
	OP_DEF_CFA = 0x0c,
	OP_DEF_CFA_REGISTER = 0x0d,
	OP_DEF_CFA_OFFSET = 0x0e,
	OP_DEF_CFA_EXPRESSION = 0x0f,
	OP_EXPRESSION = 0x10,
	OP_OFFSET_EXTENDED_SF = 0x11,
	OP_DEF_CFA_SF = 0x12,
	OP_DEF_CFA_OFFSET_SF = 0x13,
	OP_VAL_OFFSET = 0x14,
	OP_VAL_OFFSET_SF = 0x15,
	OP_VAL_EXPRESSION = 0x16,
	OP_GNU_ARGS_SIZE = 0x2e,
	OP_GNU_NEGATIVE_OFFSET = 0x2f,
};

/* DW_OP_* of the shapes that are recognised. */
enum {
	EXPR_DEREF = 0x06,
	EXPR_AND = 0x1a,
	EXPR_PLUS = 0x22,
	EXPR_SHL = 0x24,
	EXPR_GE = 0x2a,
	EXPR_LIT0 = 0x30,
	EXPR_BREG0 = 0x70,
};

enum row_kind {
	ROW_UNSET, /* nothing was said: the caller's value is ours */
	ROW_SAME,
	ROW_UNDEFINED,
	ROW_AT_CFA,	/* at [CFA + offset] */
	ROW_EXPRESSION, /* at the address the expression gives */
	ROW_OTHER,
};

struct row_rule {
	enum row_kind kind;
	int64_t offset;
	struct bytes expression;
};

struct row {
	bool cfa_by_expression;
	uint64_t cfa_register;
	int64_t cfa_offset;
	struct bytes cfa_expression;
	struct row_rule rbp, rsp, ra;
	struct row_rule rbx, r12_15[4]; /* for eh_frame_kept() alone */
};

struct machine {
	const struct eh_frame *frame;
	const struct eh_cie *cie;
	struct row row, initial;
	struct row remembered[REMEMBER_MAX];
	size_t n_remembered;
	uint64_t at; /* the row holds from this vaddr on */
	uint32_t budget;
};

static struct row_rule *rule_of(const struct machine *m, struct row *row, uint64_t reg)
{
	if (reg == m->cie->return_register)
		return &row->ra;
	if (reg == DWARF_RBP)
		return &row->rbp;
	if (reg == DWARF_RSP)
		return &row->rsp;
	if (reg == DWARF_RBX)
		return &row->rbx;
	if (reg >= DWARF_R12 && reg < DWARF_R12 + 4)
		return &row->r12_15[reg - DWARF_R12];
	return NULL;
}

static void set_rule(struct machine *m, uint64_t reg, struct row_rule rule)
{
	struct row_rule *r = rule_of(m, &m->row, reg);

	if (r)
		*r = rule;
}

/* Factored offsets are multiplied as unsigned numbers: a lie may wrap, which is then a
 * wrong rule and no more. */
static int64_t factored(const struct machine *m, uint64_t n)
{
	return (int64_t)(n * (uint64_t)m->cie->data_align);
}

static void set_offset(struct machine *m, uint64_t reg, uint64_t n)
{
	set_rule(m, reg,
		 (struct row_rule){ .kind = ROW_AT_CFA, .offset = factored(m, n) });
}

static void set_restored(struct machine *m, uint64_t reg)
{
	const struct row_rule *r = rule_of(m, &m->initial, reg);

	if (r)
		set_rule(m, reg, *r);
}

static void set_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	m->row.cfa_by_expression = false;
	m->row.cfa_register = reg;
	m->row.cfa_offset = offset;
}

static struct bytes block(struct cursor *c)
{
	return cursor_take(c, cursor_uleb(c));
}

static void advance(struct machine *m, uint64_t n)
{
	m->at += n * m->cie->code_align;
}

/* What defines the CFA. False when op is none of these. */
static bool run_cfa(struct machine *m, struct cursor *c, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case OP_DEF_CFA:
		reg = cursor_uleb(c);
		set_cfa(m, reg, (int64_t)cursor_uleb(c));
		return true;
	case OP_DEF_CFA_SF:
		reg = cursor_uleb(c);
		set_cfa(m, reg, factored(m, (uint64_t)cursor_sleb(c)));
		return true;
	case OP_DEF_CFA_REGISTER:
		set_cfa(m, cursor_uleb(c), m->row.cfa_offset);
		return true;
	case OP_DEF_CFA_OFFSET:
		m->row.cfa_offset = (int64_t)cursor_uleb(c);
		return true;
	case OP_DEF_CFA_OFFSET_SF:
		m->row.cfa_offset = factored(m, (uint64_t)cursor_sleb(c));
		return true;
	case OP_DEF_CFA_EXPRESSION:
		m->row.cfa_by_expression = true;
		m->row.cfa_expression = block(c);
		return true;
	default:
		return false;
	}
}

static void run_other_value(struct machine *m, struct cursor *c, uint8_t op)
{
	uint64_t reg = cursor_uleb(c);

	if (op == OP_VAL_EXPRESSION)
		block(c);
	else if (op == OP_VAL_OFFSET_SF)
		cursor_sleb(c);
	else
		cursor_uleb(c);
	set_rule(m, reg, (struct row_rule){ .kind = ROW_OTHER });
}

/* What says where registers were saved. False when op is none of these. */
static bool run_registers(struct machine *m, struct cursor *c, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case OP_OFFSET_EXTENDED:
		reg = cursor_uleb(c);
		set_offset(m, reg, cursor_uleb(c));
		return true;
	case OP_OFFSET_EXTENDED_SF:
		reg = cursor_uleb(c);
		set_offset(m, reg, (uint64_t)cursor_sleb(c));
		return true;
	case OP_GNU_NEGATIVE_OFFSET:
		reg = cursor_uleb(c);
		set_offset(m, reg, 0 - cursor_uleb(c));
		return true;
	case OP_RESTORE_EXTENDED:
		set_restored(m, cursor_uleb(c));
		return true;
	case OP_UNDEFINED:
		set_rule(m, cursor_uleb(c), (struct row_rule){ .kind = ROW_UNDEFINED });
		return true;
	case OP_SAME_VALUE:
		set_rule(m, cursor_uleb(c), (struct row_rule){ .kind = ROW_SAME });
		return true;
	case OP_EXPRESSION:
		reg = cursor_uleb(c);
		set_rule(
		    m, reg,
		    (struct row_rule){ .kind = ROW_EXPRESSION, .expression = block(c) });
		return true;
	case OP_REGISTER:
	case OP_VAL_OFFSET:
	case OP_VAL_OFFSET_SF:
	case OP_VAL_EXPRESSION:
		run_other_value(m, c, op);
		return true;
	default:
		return false;
	}
}

static bool run_state(struct machine *m, struct cursor *c, uint8_t op)
{
	switch (op) {
	case OP_NOP:
		return true;
	case OP_GNU_ARGS_SIZE:
		cursor_uleb(c);
		return true;
	case OP_REMEMBER:
		if (m->n_remembered == REMEMBER_MAX)
			return false;
		m->remembered[m->n_remembered++] = m->row;
		return true;
	case OP_RESTORE_STATE:
		if (m->n_remembered == 0)
			return false;
		m->row = m->remembered[--m->n_remembered];
		return true;
	default:
		return false;
	}
}

/* True when op moved the location counter. */
static bool run_location(struct machine *m, struct cursor *c, uint8_t op)
{
	switch (op) {
	case OP_SET_LOC:
		m->at = eh_pointer(c, m->cie->pointer_encoding, m->frame->frame_vaddr);
		return true;
	case OP_ADVANCE1:
		advance(m, cursor_u8(c));
		return true;
	case OP_ADVANCE2:
		advance(m, cursor_u16(c));
		return true;
	case OP_ADVANCE4:
		advance(m, cursor_u32(c));
		return true;
	default:
		return false;
	}
}

/* Runs a program until its rows begin after `until`. False when it is not understood. */
static bool run(struct machine *m, struct eh_program program, uint64_t until)
{
	struct cursor c = cursor_over((struct bytes){ m->frame->frame.p, program.end });

	cursor_seek(&c, program.at);
	while (cursor_left(&c) > 0 && m->at <= until) {
		uint8_t op = cursor_u8(&c), low = op & 0x3f;

		if (m->budget-- == 0)
			return false;
		if ((op & 0xc0) == OP_ADVANCE)
			advance(m, low);
		else if ((op & 0xc0) == OP_OFFSET)
			set_offset(m, low, cursor_uleb(&c));
		else if ((op & 0xc0) == OP_RESTORE)
			set_restored(m, low);
		else if (!run_cfa(m, &c, op) && !run_location(m, &c, op) &&
			 !run_registers(m, &c, op) && !run_state(m, &c, op))
			return false;
	}
	return !c.failed;
}

/* DW_OP_breg7 or breg6 with an offset, then exactly `rest` more bytes. */
static bool register_offset(struct bytes expression, size_t rest, uint8_t *reg,
			    int64_t *offset)
{
	struct cursor c = cursor_over(expression);

	*reg = (uint8_t)(cursor_u8(&c) - EXPR_BREG0);
	*offset = cursor_sleb(&c);
	return !c.failed && cursor_left(&c) == rest &&
	       (*reg == DWARF_RSP || *reg == DWARF_RBP);
}

/* rsp + 8 + ((rip & 15) >= n) * 8, as binutils' linkers write it for .plt. */
static bool is_plt(struct bytes e, int32_t *n)
{
	static const unsigned char shape[] = { EXPR_BREG0 + DWARF_RSP,
					       8,
					       EXPR_BREG0 + DWARF_RIP,
					       0,
					       EXPR_LIT0 + 15,
					       EXPR_AND,
					       EXPR_LIT0,
					       EXPR_GE,
					       EXPR_LIT0 + 3,
					       EXPR_SHL,
					       EXPR_PLUS };
	const size_t lit_at = 6;

	if (e.n != sizeof(shape) || memcmp(e.p, shape, lit_at) != 0 ||
	    memcmp(e.p + lit_at + 1, shape + lit_at + 1, e.n - lit_at - 1) != 0 ||
	    e.p[lit_at] < EXPR_LIT0 || e.p[lit_at] > EXPR_LIT0 + 15)
		return false;
	*n = e.p[lit_at] - EXPR_LIT0;
	return true;
}

static bool reduce_cfa(const struct row *row, struct unwind_rule *out)
{
	int64_t offset = row->cfa_offset;
	uint8_t reg;

	if (!row->cfa_by_expression) {
		if (offset != (int32_t)offset)
			return false;
		out->cfa_offset = (int32_t)offset;
		out->cfa = row->cfa_register == DWARF_RSP ? CFA_RSP : CFA_RBP;
		return row->cfa_register == DWARF_RSP || row->cfa_register == DWARF_RBP;
	}
	if (is_plt(row->cfa_expression, &out->cfa_offset)) {
		out->cfa = CFA_PLT;
		return true;
	}
	if (!register_offset(row->cfa_expression, 1, &reg, &offset) ||
	    row->cfa_expression.p[row->cfa_expression.n - 1] != EXPR_DEREF ||
	    offset != (int16_t)offset)
		return false;
	out->cfa = reg == DWARF_RSP ? CFA_RSP_LOAD : CFA_RBP_LOAD;
	out->cfa_offset = (int32_t)offset;
	return true;
}

static bool reduce_saved(const struct row_rule *r, uint8_t *kind, int16_t *to)
{
	int64_t offset = r->offset;
	uint8_t reg;

	*to = 0;
	switch (r->kind) {
	case ROW_UNSET:
	case ROW_SAME:
	case ROW_UNDEFINED:
		*kind = SAVE_SAME;
		return true;
	case ROW_AT_CFA:
		*kind = SAVE_CFA;
		break;
	case ROW_EXPRESSION:
		if (!register_offset(r->expression, 0, &reg, &offset))
			return false;
		*kind = reg == DWARF_RSP ? SAVE_RSP : SAVE_RBP;
		break;
	case ROW_OTHER:
	default:
		return false;
	}
	*to = (int16_t)offset;
	return offset == (int16_t)offset;
}

/* The caller's rsp is the CFA. A rule of its own is accepted where it says just that: in
 * signal frames both are the saved rsp. */
static bool rsp_is_cfa(const struct row *row, const struct unwind_rule *out)
{
	int64_t offset;
	uint8_t reg;

	if (row->rsp.kind == ROW_UNSET)
		return true;
	if (row->rsp.kind != ROW_EXPRESSION ||
	    !register_offset(row->rsp.expression, 0, &reg, &offset))
		return false;
	return out->cfa == (reg == DWARF_RSP ? CFA_RSP_LOAD : CFA_RBP_LOAD) &&
	       out->cfa_offset == offset;
}

static void reduce(const struct row *row, struct unwind_rule *out)
{
	if (row->ra.kind == ROW_UNDEFINED)
		out->cfa = CFA_END;
	else if (!reduce_cfa(row, out) || !rsp_is_cfa(row, out) ||
		 !reduce_saved(&row->rbp, &out->rbp, &out->rbp_offset) ||
		 !reduce_saved(&row->ra, &out->ra, &out->ra_offset) ||
		 out->ra == SAVE_SAME)
		out->cfa = CFA_OTHER;
}

/* The row at vaddr; false when no FDE covers it or its bytes lie. */
static bool run_to(struct machine *m, const struct eh_frame *f, struct eh_fde *fde,
		   uint64_t vaddr)
{
	if (!eh_fde_find(f, vaddr, fde))
		return false;
	m->frame = f;
	m->cie = &fde->cie;
	memset(&m->row, 0, sizeof(m->row));
	m->initial = m->row;
	m->n_remembered = 0;
	m->budget = INSTRUCTIONS_MAX;
	m->at = 0;
	if (!run(m, fde->cie.program, UINT64_MAX))
		return false;
	m->initial = m->row;
	m->at = fde->start;
	return run(m, fde->program, vaddr);
}

void eh_frame_rule(const struct eh_frame *f, uint64_t vaddr, struct unwind_rule *out)
{
	struct eh_fde fde;
	struct machine m;

	memset(out, 0, sizeof(*out));
	if (!run_to(&m, f, &fde, vaddr))
		return;
	out->signal_frame = fde.cie.signal_frame;
	reduce(&m.row, out);
}

bool eh_frame_kept(const struct eh_frame *f, uint64_t vaddr, int16_t offset[KEPT_REGS])
{
	struct eh_fde fde;
	struct machine m;
	size_t i;

	memset(offset, 0, KEPT_REGS * sizeof(*offset));
	if (!run_to(&m, f, &fde, vaddr))
		return false;
	for (i = 0; i < KEPT_REGS; i++) {
		const struct row_rule *r = i == KEPT_RBX   ? &m.row.rbx
					   : i == KEPT_RBP ? &m.row.rbp
							   : &m.row.r12_15[i - KEPT_R12];

		if (r->kind == ROW_AT_CFA && r->offset == (int16_t)r->offset)
			offset[i] = (int16_t)r->offset;
	}
	return true;
}
