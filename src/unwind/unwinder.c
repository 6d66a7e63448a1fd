/* The walk: per frame one cache probe, one frame written, one or two words of stack read.
 *
 * What the tables get wrong, or leave open:
 * - behind pop %rbp GCC still says that rbp is saved at CFA - 16, which is below sp by
 * then, and may have been overwritten: the register is right there;
 * - a return address may be the first byte after its function (calls that do not return),
 * so the rule looked up is the one a byte before; not so under a signal frame and in the
 * first frame;
 * - stacks grow one way, but code may run on a stack of its own (sigaltstack,
 * coroutines): a CFA that does not go up is allowed SWITCHES_MAX times. DEPTH_MAX ends
 * all else. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "unwind/framepointer.h"
#include "unwind/libunwind.h"
#include "unwind/rules.h"
#include "unwind/stack.h"
#include "unwind/tables.h"
#include "unwind/unwind.h"

#define SWITCHES_MAX 8
#define LIBUNWIND_STEPS_MAX 8
/* No code lies in the first page; 0 is what ends a chain on purpose. */
#define LOWEST_CODE 4096u

struct unwinder {
	struct rules rules;
	struct libunwind *libunwind; /* made when first needed */
	struct unwind_counts counts;
	unsigned char window[STACK_WINDOW_BYTES];
};

struct walk {
	struct stack stack;
	uint64_t pc, sp, rbp;
	bool exact; /* pc is where it runs, not where it will return to */
	bool rbp_known;
	uint8_t switches, libunwind_steps;
	uint32_t first; /* cs->depth before the user frames */
	struct unwinder *u;
	const struct unwind_input *in;
	struct callstack *cs;
};

struct unwinder *unwinder_new(struct unwind_tables *tables, const struct maps *maps)
{
	struct unwinder *u = xcalloc(1, sizeof(*u));

	rules_init(&u->rules, tables, maps);
	return u;
}

void unwinder_free(struct unwinder *u)
{
	if (!u)
		return;
	rules_done(&u->rules);
	libunwind_free(u->libunwind);
	free(u);
}

struct unwind_counts unwinder_counts(const struct unwinder *u)
{
	struct unwind_counts c = u->counts;

	c.misses = u->rules.misses;
	c.failed_files = unwind_tables_failed(u->rules.tables);
	return c;
}

/* To the caller. False where there is none to look at. */
static inline bool enter(struct walk *w, uint64_t pc, uint64_t sp, bool exact)
{
	if (__builtin_expect(pc < LOWEST_CODE, 0)) {
		w->cs->complete = pc == 0 && !exact;
		return false;
	}
	stack_ahead(&w->stack, sp);
	w->pc = pc;
	w->sp = sp;
	w->exact = exact;
	return true;
}

static __attribute__((noinline)) bool infer_rbp(struct walk *w)
{
	uint64_t function = rules_function_start(&w->u->rules, w->pc - !w->exact);

	if (!framepointer_infer(&w->stack, w->u->rules.maps, w->sp, function, &w->rbp))
		return false;
	w->rbp_known = w->cs->inferred = true;
	return true;
}

static inline bool need_rbp(struct walk *w)
{
	return __builtin_expect(w->rbp_known, 1) || infer_rbp(w);
}

static bool step_frame_pointer(struct walk *w)
{
	uint64_t rbp = 0, ra = 0;

	if (!need_rbp(w))
		return false;
	switch (framepointer_step(&w->stack, w->sp, w->rbp, &rbp, &ra)) {
	case LINK_ROOT:
		w->cs->complete = true;
		return false;
	case LINK_BROKEN:
		return false;
	case LINK_CALLER:
	default:
		break;
	}
	w->u->counts.by_frame_pointer++;
	w->sp = w->rbp + 16;
	w->rbp = rbp;
	return enter(w, ra, w->sp, false);
}

static __attribute__((noinline)) bool step_libunwind(struct walk *w, bool signal_frame)
{
	uint64_t reg[DWARF_REGS] = { [DWARF_RBP] = w->rbp };
	struct unwinder *u = w->u;

	if (w->in->only_sp_and_ip || ++w->libunwind_steps > LIBUNWIND_STEPS_MAX)
		return false;
	if (!u->libunwind)
		u->libunwind = libunwind_new(u->rules.tables, u->rules.maps);
	switch (libunwind_step(u->libunwind, w->in, &w->stack,
			       w->cs->depth - w->first - 1, w->pc, reg)) {
	case LIBUNWIND_END:
		w->cs->complete = true;
		return false;
	case LIBUNWIND_FAILED:
		return false;
	case LIBUNWIND_STEPPED:
	default:
		break;
	}
	u->counts.by_libunwind++;
	w->rbp = reg[DWARF_RBP];
	return enter(w, reg[DWARF_RIP], reg[DWARF_RSP], signal_frame);
}

/* True and *cfa when the rule tells one. */
static inline bool cfa_of(struct walk *w, const struct unwind_rule *r, uint64_t *cfa)
{
	uint64_t offset = (uint64_t)(int64_t)r->cfa_offset;

	switch (r->cfa) {
	case CFA_GO:
		w->u->counts.by_go++;
		__attribute__((fallthrough));
	case CFA_RSP:
		*cfa = w->sp + offset;
		return true;
	case CFA_RBP:
		if (!need_rbp(w))
			return false;
		*cfa = w->rbp + offset;
		return true;
	case CFA_RSP_LOAD:
		return stack_u64(&w->stack, w->sp + offset, cfa);
	case CFA_RBP_LOAD:
		return need_rbp(w) && stack_u64(&w->stack, w->rbp + offset, cfa);
	case CFA_PLT:
		*cfa = w->sp + 8 + ((w->pc & 15) >= offset ? 8 : 0);
		return true;
	default:
		return false;
	}
}

/* A saved register's slot. */
static inline bool saved_at(struct walk *w, uint8_t kind, int16_t offset, uint64_t cfa,
			    uint64_t *at)
{
	uint64_t base = cfa;

	if (__builtin_expect(kind != SAVE_CFA, 0)) {
		if (kind == SAVE_RBP && !need_rbp(w))
			return false;
		base = kind == SAVE_RBP ? w->rbp : w->sp;
	}
	*at = base + (uint64_t)(int64_t)offset;
	return true;
}

static bool step_unusual(struct walk *w, const struct unwind_rule *r)
{
	switch (r->cfa) {
	case CFA_END:
		w->cs->complete = true;
		return false;
	case CFA_NONE:
		return step_frame_pointer(w);
	case CFA_OTHER:
		return step_libunwind(w, r->signal_frame);
	default:
		return false;
	}
}

static inline bool step(struct walk *w, const struct unwind_rule *r)
{
	uint64_t cfa = 0, ra = 0, rbp, at;
	bool up;

	if (__builtin_expect(!cfa_of(w, r, &cfa), 0))
		return step_unusual(w, r);
	up = cfa > w->sp;
	if (__builtin_expect(!up, 0) && ++w->switches > SWITCHES_MAX)
		return false;
	if (!saved_at(w, r->ra, r->ra_offset, cfa, &at) || !stack_u64(&w->stack, at, &ra))
		return false;
	rbp = w->rbp;
	if (r->rbp != SAVE_SAME) {
		if (!saved_at(w, r->rbp, r->rbp_offset, cfa, &at))
			return false;
		if (__builtin_expect(at >= w->sp || !up, 1)) {
			if (!stack_u64(&w->stack, at, &rbp))
				return false;
			w->rbp_known = true;
		}
	}
	w->rbp = rbp;
	return enter(w, ra, cfa, r->signal_frame);
}

static void append_unknown(struct callstack *cs)
{
	cs->frame[cs->depth++] =
	    (struct frame){ .kind = FRAME_MARK, .address = MARK_UNKNOWN_CODE };
}

static void walk_frames(struct walk *w, struct rules *rules)
{
	struct callstack *cs = w->cs;
	uint32_t most = w->in->most ? w->in->most : DEPTH_MAX;

	while (cs->depth < most) {
		uint64_t key = w->pc - !w->exact;
		const struct rule_slot *slot = rules_find(rules, key);
		const struct rule_place *place;

		if (__builtin_expect(w->in->sp != NULL, 0))
			w->in->sp[cs->depth] = w->sp;
		if (__builtin_expect(!slot, 0)) {
			append_unknown(cs);
			return;
		}
		place = &rules->places.v[slot->place];
		cs->frame[cs->depth++] =
		    (struct frame){ key + place->bias, place->object, place->kind };
		if (!step(w, &slot->rule))
			return;
	}
	cs->truncated = true;
}

void unwinder_walk(struct unwinder *u, const struct unwind_input *in,
		   struct callstack *cs)
{
	struct walk w;

	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	rules_update(&u->rules);
	stack_init(&w.stack, in->stack, in->reg[DWARF_RSP], in->live, u->window);
	w.rbp = in->reg[DWARF_RBP];
	w.pc = in->reg[DWARF_RIP];
	w.sp = in->reg[DWARF_RSP];
	w.exact = true;
	w.rbp_known = !in->only_sp_and_ip;
	w.switches = w.libunwind_steps = 0;
	w.first = cs->depth;
	w.u = u;
	w.in = in;
	w.cs = cs;
	if (w.pc < LOWEST_CODE && cs->depth < DEPTH_MAX)
		append_unknown(cs);
	else
		walk_frames(&w, &u->rules);
	cs->truncated |= w.stack.cut && !cs->complete;
	cs->stitched = w.stack.used_live;
	u->counts.stacks++;
	u->counts.frames += cs->depth - w.first;
}
