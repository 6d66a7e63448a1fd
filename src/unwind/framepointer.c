/* Steps by frame pointer, and the guess of a frame pointer that was not captured.
 *
 * Blocked threads show only sp and pc (/proc/PID/task/TID/syscall). Code built with frame
 * pointers needs rbp then. What push %rbp; mov %rsp, %rbp left behind is a pair of words:
 * the caller's rbp and, above it, a return address, which stands behind a call
 * instruction. Leftovers of earlier calls look the same, so a direct call to the very
 * function counts most, then a caller's rbp that leads to another such pair (or is 0 or
 * 1, as in front of main). The text is read live where that is allowed. */
#include "unwind/framepointer.h"

#define SCAN_BYTES 16384u
#define CHAIN_BYTES (1u << 20)
#define TEXT_READS_MAX 256

enum link_kind framepointer_step(struct stack *s, uint64_t sp, uint64_t rbp,
				 uint64_t *caller_rbp, uint64_t *return_address)
{
	if (rbp == 0)
		return LINK_ROOT;
	if (rbp < sp || rbp % 8 != 0 || rbp > UINT64_MAX - 16)
		return LINK_BROKEN;
	if (!stack_u64(s, rbp, caller_rbp) || !stack_u64(s, rbp + 8, return_address))
		return LINK_BROKEN;
	return LINK_CALLER;
}

/* FF /2 in its lengths: call *reg, *[reg], *[reg + disp8], *[reg + disp32], each also by
 * SIB. */
static bool is_indirect_call(const unsigned char b[7])
{
	static const struct {
		uint8_t length, mod, sib;
	} form[] = {
		{ 2, 3, 0 }, { 2, 0, 0 }, { 3, 1, 0 }, { 3, 0, 1 },
		{ 4, 1, 1 }, { 6, 2, 0 }, { 7, 2, 1 },
	};
	size_t i;

	if (b[1] == 0xff && b[2] == 0x15) /* [rip + disp32] */
		return true;
	for (i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
		const unsigned char *op = b + 7 - form[i].length;
		unsigned char modrm = op[1];
		bool sib = (modrm & 7) == 4 && form[i].mod != 3;

		if (op[0] == 0xff && (modrm >> 3 & 7) == 2 && modrm >> 6 == form[i].mod &&
		    sib == form[i].sib)
			return true;
	}
	return false;
}

bool framepointer_is_call(const unsigned char bytes[7], int64_t *target)
{
	int32_t distance;

	*target = 0;
	if (bytes[2] == 0xe8) {
		memcpy(&distance, bytes + 3, sizeof(distance));
		*target = distance;
		return true;
	}
	return is_indirect_call(bytes);
}

/* What speaks for a pair of words; a return address in code is the least. */
enum {
	NO_LINK = 0,
	CHAINED = 2,	/* the caller's rbp is a link too, or ends the chain */
	CALLS_THIS = 4, /* the call before the return address goes to this function */
	ALL_GRADES = CHAINED + CALLS_THIS,
};

struct search {
	struct stack *stack;
	const struct maps *maps;
	uint64_t function;
	unsigned text_reads;
};

static bool is_code(const struct search *q, uint64_t return_address)
{
	return return_address >= 4096 && maps_find(q->maps, return_address - 1);
}

/* Whether `saved`, standing at `at`, is a caller's frame pointer. */
static bool is_chained(struct search *q, uint64_t at, uint64_t saved)
{
	uint64_t ra;

	if (saved <= 1)
		return true;
	return saved > at && saved - at < CHAIN_BYTES && saved % 8 == 0 &&
	       stack_u64(q->stack, saved + 8, &ra) && is_code(q, ra);
}

static int grade(struct search *q, uint64_t at, uint64_t saved, uint64_t ra)
{
	const struct mem *text = q->stack->live;
	unsigned char code[7];
	int g = NO_LINK;
	int64_t target;

	if (!is_code(q, ra))
		return NO_LINK;
	if (is_chained(q, at, saved))
		g += CHAINED;
	if (!text)
		return g;
	if (q->text_reads++ >= TEXT_READS_MAX ||
	    !text->read(text, ra - 7, code, sizeof(code)) ||
	    !framepointer_is_call(code, &target))
		return NO_LINK;
	if (q->function && target && ra + (uint64_t)target == q->function)
		g += CALLS_THIS;
	return g;
}

bool framepointer_infer(struct stack *s, const struct maps *maps, uint64_t sp,
			uint64_t function, uint64_t *rbp)
{
	struct search q = { .stack = s, .maps = maps, .function = function };
	uint64_t at = (sp + 7) & ~(uint64_t)7, end = at + SCAN_BYTES, saved, ra;
	int best = NO_LINK;

	if (sp > UINT64_MAX - 2 * SCAN_BYTES || !stack_u64(s, at, &saved))
		return false;
	for (; at < end && best < ALL_GRADES && stack_u64(s, at + 8, &ra);
	     at += 8, saved = ra) {
		int g = grade(&q, at, saved, ra);

		if (g <= best)
			continue;
		*rbp = at;
		best = g;
	}
	return best > NO_LINK;
}
