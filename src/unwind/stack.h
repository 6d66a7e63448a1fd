/* Inside unwind/: the target's stack as one walk sees it. Bytes copied at the sample come
 * first and always win; what lies elsewhere is read live, in windows, and is newer than
 * the copy. */
#ifndef PTOP_UNWIND_STACK_H
#define PTOP_UNWIND_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define STACK_WINDOW_BYTES 16384u
/* Of one walk, read live: the usual limit of a whole stack. */
#define STACK_LIVE_MAX (8u << 20)
/* How far ahead of a walk the copy is fetched. Its bytes come from memory another CPU
 * wrote; a walk waits for every line of it otherwise, which takes two thirds of its time.
 */
#define STACK_AHEAD_BYTES 1024u

struct stack {
	struct bytes copy; /* borrowed */
	uint64_t base;	   /* where the copy stands in the target */
	uint64_t asked;	   /* the copy's bytes before this have been prefetched */
	size_t words_end;  /* offsets below this have 8 bytes in the copy */
	const struct mem *live;
	unsigned char
	    *window; /* STACK_WINDOW_BYTES of the unwinder's; valid in this walk */
	uint64_t window_at;
	size_t window_bytes, live_bytes;
	bool used_live; /* something was read later than the copy */
	bool cut;	/* a read ran past the copy and there was no live memory */
};

void stack_init(struct stack *s, struct bytes copy, uint64_t base, const struct mem *live,
		unsigned char *window);
void stack_ask(struct stack *s, uint64_t at);
bool stack_far_u64(struct stack *s, uint64_t address, uint64_t *v);

/* The walk has come to this address. */
static inline void stack_ahead(struct stack *s, uint64_t address)
{
	uint64_t at = address - s->base;

	if (__builtin_expect(at + STACK_AHEAD_BYTES > s->asked && at < s->copy.n, 0))
		stack_ask(s, at);
}

/* The 8 bytes at an address; false when they cannot be had. */
static inline bool stack_u64(struct stack *s, uint64_t address, uint64_t *v)
{
	uint64_t at = address - s->base;

	if (__builtin_expect(at >= s->words_end, 0))
		return stack_far_u64(s, address, v);
	memcpy(v, s->copy.p + at, sizeof(*v));
	return true;
}

#endif
